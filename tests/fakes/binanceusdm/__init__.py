"""A Binance USD-M on loopback: the real REST and streams, for the unmodified ccxt.

    async with BinanceUsdm() as venue:
        venue.set_quote("BTCUSDT", Decimal(50000), Decimal(50001))
        venue.set_position("BTCUSDT", Decimal(2), Decimal(49000))
        client = usdm_client(venue)          # a ccxt.pro.binanceusdm pointed at it
        venue.adl("BTCUSDT", Decimal(1))

Start with `exchange_process(BinanceUsdm)` or `python -m tests.fakes.binanceusdm` as a process.
"""

from tests.fakes.binanceusdm.client import open_usdm, usdm_client
from tests.fakes.binanceusdm.server import BinanceUsdm
from tests.fakes.binanceusdm.symbols import BTCUSDT, ETHUSDT, SOLUSDT, Perpetual

__all__ = [
    "BTCUSDT",
    "ETHUSDT",
    "SOLUSDT",
    "BinanceUsdm",
    "Perpetual",
    "open_usdm",
    "usdm_client",
]
