"""A ccxt client of the loopback Binance USD-M."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.pro

from tests.fakes.binanceusdm.server import BinanceUsdm
from tests.fakes.exchange.client import point
from tests.fakes.exchange.server import ExchangeServer


def usdm_client(venue: ExchangeServer, **options: Any) -> Any:
    """A `ccxt.pro.binanceusdm` with the venue's keys and no throttle; options go to its
    own."""
    client = ccxt.pro.binanceusdm(
        {
            "apiKey": venue.api_key,
            "secret": venue.secret,
            "enableRateLimit": False,
            "options": options,
        }
    )
    return point(client, venue.url)


@asynccontextmanager
async def open_usdm() -> AsyncIterator[tuple[BinanceUsdm, Any]]:
    """A running venue with prices (BTC 50000, ETH 2500, SOL 100), and a client of it that has
    loaded the markets; both are closed in the end."""
    async with BinanceUsdm() as venue:
        for name, bid in (("BTCUSDT", 50000), ("ETHUSDT", 2500), ("SOLUSDT", 100)):
            price = Decimal(bid)
            venue.set_quote(name, price, price + Decimal("0.1"), last=price, mark=price)
        client = usdm_client(venue)
        try:
            await client.load_markets()
            yield venue, client
        finally:
            await client.close()
