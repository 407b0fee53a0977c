"""Kraken Futures on loopback: REST and WebSocket as the unmodified ccxt speaks to them.

async with KrakenFutures() as venue:
    client = point(ccxt.pro.krakenfutures(venue.credentials), venue.url)
    venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
"""

from tests.fakes.krakenfutures.markets import MARKETS
from tests.fakes.krakenfutures.venue import COSTS, KrakenFutures
from tests.fakes.krakenfutures.words import FillType

__all__ = ["COSTS", "MARKETS", "FillType", "KrakenFutures"]
