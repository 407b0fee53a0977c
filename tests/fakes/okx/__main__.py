"""Run a loopback OKX as its own process: `python -m tests.fakes.okx --control PATH`."""

from tests.fakes.exchange.process import main
from tests.fakes.okx.venue import Okx

if __name__ == "__main__":
    main(Okx)
