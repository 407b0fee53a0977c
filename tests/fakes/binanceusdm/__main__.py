"""Run a Binance USD-M on loopback as its own process: `python -m tests.fakes.binanceusdm`."""

from tests.fakes.binanceusdm.server import BinanceUsdm
from tests.fakes.exchange.process import main

if __name__ == "__main__":
    main(BinanceUsdm)
