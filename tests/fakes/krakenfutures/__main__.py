"""Run the stand-in as its own process: `python -m tests.fakes.krakenfutures --port 0`."""

from tests.fakes.exchange.process import main
from tests.fakes.krakenfutures.venue import KrakenFutures

if __name__ == "__main__":
    main(KrakenFutures)
