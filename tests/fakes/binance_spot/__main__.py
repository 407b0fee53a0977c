"""Run a Binance spot on loopback as its own process: `python -m tests.fakes.binance_spot`."""

from tests.fakes.binance_spot.server import BinanceSpot
from tests.fakes.exchange.process import main

if __name__ == "__main__":
    main(BinanceSpot)
