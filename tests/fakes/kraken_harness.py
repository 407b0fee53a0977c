"""What the tests of the Kraken Futures stand-in share: a running one and a ccxt client of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro

from tests.fakes.exchange import client_of
from tests.fakes.krakenfutures import KrakenFutures

BTC = "BTC/USD:USD"
ETH = "ETH/USD:USD"
INVERSE = "BTC/USD:BTC"


@asynccontextmanager
async def kraken(**config: Any) -> AsyncIterator[tuple[KrakenFutures, Any]]:
    """A venue and a `ccxt.pro.krakenfutures` that has loaded its markets."""
    async with (
        KrakenFutures() as venue,
        client_of(ccxt.pro.krakenfutures, venue, **config) as client,
    ):
        await client.load_markets()
        yield venue, client
