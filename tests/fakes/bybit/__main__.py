"""Run a loopback Bybit as its own process: `python -m tests.fakes.bybit --control PATH`."""

from tests.fakes.bybit.venue import Bybit
from tests.fakes.exchange.process import main

if __name__ == "__main__":
    main(Bybit)
