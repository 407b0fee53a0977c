"""A ccxt client of the loopback Binance spot, of the class and options the house uses."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.pro

from tests.fakes.binance_spot.server import BinanceSpot
from tests.fakes.binance_spot.symbols import LISTED, SpotSymbol
from tests.fakes.exchange.client import point
from tests.fakes.exchange.server import ExchangeServer


def spot_client(venue: ExchangeServer, **options: Any) -> Any:
    """A `ccxt.pro.binance` with the venue's keys, spot markets only and no throttle; options go
    to its own.

    Only spot is loaded: with futures loaded too, a stream at a host that is not Binance's would
    be taken for theirs (ccxt tells by the host's name).
    """
    client = ccxt.pro.binance(
        {
            "apiKey": venue.api_key,
            "secret": venue.secret,
            "enableRateLimit": False,
            "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, **options},
        }
    )
    return point(client, venue.url)


@asynccontextmanager
async def open_spot(
    symbols: Iterable[SpotSymbol] = LISTED, *, usdt: Decimal = Decimal(1000)
) -> AsyncIterator[tuple[BinanceSpot, Any]]:
    """A running venue with money and prices (BTC 50000, ETH 2500, BNB 500), and a client of it
    that has loaded the markets; both are closed in the end."""
    async with BinanceSpot(symbols) as venue:
        venue.set_balance("USDT", usdt)
        for name, bid in (("BTCUSDT", 50000), ("ETHUSDT", 2500), ("BNBUSDT", 500)):
            if name in venue.account.markets:
                price = Decimal(bid)
                venue.set_quote(name, price, price + Decimal("0.01"), last=price)
        client = spot_client(venue)
        try:
            await client.load_markets()
            yield venue, client
        finally:
            await client.close()


def oco_request(**changes: Any) -> dict[str, Any]:
    """Parameters of a selling OCO of 0.01 BTC (target 57500, stop 49000), with changes; a change
    to None leaves one out."""
    asked = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.01",
        "listClientOrderId": "list1",
        "aboveType": "LIMIT_MAKER",
        "abovePrice": "57500",
        "aboveClientOrderId": "above1",
        "belowType": "STOP_LOSS",
        "belowStopPrice": "49000",
        "belowClientOrderId": "below1",
        **changes,
    }
    return {key: value for key, value in asked.items() if value is not None}
