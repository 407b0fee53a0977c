"""A Binance spot on loopback: the real REST, WebSocket API and streams, for the unmodified ccxt.

    async with BinanceSpot() as venue:
        venue.set_balance("USDT", Decimal(1000))
        venue.set_quote("BTCUSDT", Decimal(50000), Decimal(50001))
        client = spot_client(venue)          # a ccxt.pro.binance pointed at it

Start with `exchange_process(BinanceSpot)` or `python -m tests.fakes.binance_spot` as a process.
"""

from tests.fakes.binance_spot.bars import Bar
from tests.fakes.binance_spot.client import oco_request, open_spot, spot_client
from tests.fakes.binance_spot.lists import ListStatus, OrderList
from tests.fakes.binance_spot.server import BinanceSpot
from tests.fakes.binance_spot.symbols import BNBUSDT, BTCUSDT, ETHUSDT, SpotSymbol

__all__ = [
    "BNBUSDT",
    "BTCUSDT",
    "ETHUSDT",
    "Bar",
    "BinanceSpot",
    "ListStatus",
    "OrderList",
    "SpotSymbol",
    "oco_request",
    "open_spot",
    "spot_client",
]
