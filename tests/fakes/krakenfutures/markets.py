"""The markets of the stand-in, four perpetuals of the real list, and their public rows."""

from decimal import Decimal
from typing import Any

from tests.fakes.exchange import ZERO, Market, Quote, Settlement
from tests.fakes.krakenfutures.words import iso, number

_OPENED = "2022-03-22T13:15:36.000Z"
_PLENTY = Decimal(10)  # what the ticker shows where a test set no size


def _linear(base: str, tick: str, step: str) -> Market:
    return Market(
        id=f"PF_{base}USD",
        base=base,
        quote="USD",
        settle="USD",
        tick=Decimal(tick),
        step=Decimal(step),
        smallest=Decimal(step),
    )


PF_XBTUSD = _linear("XBT", "1", "0.0001")
PF_ETHUSD = _linear("ETH", "0.1", "0.001")
PF_SOLUSD = _linear("SOL", "0.01", "0.01")
PI_XBTUSD = Market(
    id="PI_XBTUSD",
    base="XBT",
    quote="USD",
    settle="XBT",
    settlement=Settlement.INVERSE,
    tick=Decimal("0.5"),
    step=Decimal(1),
    smallest=Decimal(1),
)
MARKETS = (PF_XBTUSD, PF_ETHUSD, PF_SOLUSD, PI_XBTUSD)
START_PRICES = {
    "PF_XBTUSD": (Decimal(64401), Decimal(64402)),
    "PF_ETHUSD": (Decimal("3161.9"), Decimal("3162.0")),
    "PF_SOLUSD": (Decimal("142.30"), Decimal("142.32")),
    "PI_XBTUSD": (Decimal("64400.0"), Decimal("64402.5")),
}

INITIAL_MARGIN = Decimal("0.02")
MAINTENANCE_MARGIN = Decimal("0.01")


def spelled(currency: str) -> str:
    """A currency as fees and the instrument list name it."""
    return "BTC" if currency == "XBT" else currency


def pair(market: Market) -> str:
    return f"{market.base}:{market.quote}"


def instrument(market: Market) -> dict[str, Any]:
    """A row of GET /instruments."""
    inverse = market.settlement is Settlement.INVERSE
    level = {
        "initialMargin": number(INITIAL_MARGIN),
        "maintenanceMargin": number(MAINTENANCE_MARGIN),
    }
    row = {
        "symbol": market.id,
        "type": "futures_inverse" if inverse else "flexible_futures",
        "tickSize": number(market.tick),
        "contractSize": 1,
        "tradeable": True,
        "impactMidSize": 1000.0 if inverse else 0.08,
        "maxPositionSize": 75000000.0 if inverse else 1200.0,
        "openingDate": _OPENED,
        "marginLevels": [({"contracts": 0} if inverse else {"numNonContractUnits": 0.0}) | level],
        "fundingRateCoefficient": 8,
        "maxRelativeFundingRate": 0.005,
        "contractValueTradePrecision": max(0, -int(market.step.as_tuple().exponent)),
        "postOnly": False,
        "feeScheduleUid": "723888f7-0a8e-4183-8648-f920a22339e3",
        "mtf": True,
        "base": spelled(market.base),
        "quote": market.quote,
        "pair": f"{spelled(market.base)}:{market.quote}",
        "category": "" if inverse else "Layer 1",
        "tradfi": False,
        "isExpired": False,
    }
    return row | ({"underlying": "rr_xbtusd"} if inverse else {})


def rest_ticker(market: Market, quote: Quote) -> dict[str, Any]:
    """A row of GET /tickers."""
    return {
        "symbol": market.id,
        "last": number(quote.last),
        "lastTime": iso(quote.at),
        "lastSize": number(market.smallest),
        "tag": "perpetual",
        "pair": pair(market),
        "markPrice": number(quote.mark),
        "bid": number(quote.bid),
        "bidSize": _size(quote.bid_size),
        "ask": number(quote.ask),
        "askSize": _size(quote.ask_size),
        "vol24h": 3669.9134,
        "volumeQuote": 236982977.0066,
        "openInterest": 1950.5966,
        "open24h": number(quote.last),
        "high24h": number(quote.ask),
        "low24h": number(quote.bid),
        "fundingRate": 0.0,
        "fundingRatePrediction": 0.0,
        "suspended": False,
        "indexPrice": number(quote.index),
        "postOnly": False,
        "change24h": 0.0,
    }


def ticker(market: Market, quote: Quote, now_ms: int) -> dict[str, Any]:
    """A message of the ticker feed."""
    return {
        "feed": "ticker",
        "time": now_ms,
        "product_id": market.id,
        "bid": number(quote.bid),
        "ask": number(quote.ask),
        "bid_size": _size(quote.bid_size),
        "ask_size": _size(quote.ask_size),
        "volume": 3669.9134,
        "dtm": 0,
        "leverage": "50x",
        "index": number(quote.index),
        "premium": 0.0,
        "last": number(quote.last),
        "change": 0.0,
        "funding_rate": 0.0,
        "funding_rate_prediction": 0.0,
        "suspended": False,
        "tag": "perpetual",
        "pair": pair(market),
        "openInterest": 1950.5966,
        "markPrice": number(quote.mark),
        "maturityTime": 0,
        "relative_funding_rate": 0.0,
        "relative_funding_rate_prediction": 0.0,
        "next_funding_rate_time": now_ms + 3_600_000,
        "post_only": False,
        "volumeQuote": 236982977.0066,
    }


def ticker_lite(market: Market, quote: Quote) -> dict[str, Any]:
    """A message of the ticker_lite feed, which has neither sizes nor a last price."""
    return {
        "feed": "ticker_lite",
        "product_id": market.id,
        "bid": number(quote.bid),
        "ask": number(quote.ask),
        "change": 0.0,
        "premium": 0.0,
        "volume": 3669.9134,
        "tag": "perpetual",
        "pair": pair(market),
        "dtm": 0,
        "maturityTime": 0,
        "volumeQuote": 236982977.0066,
    }


def order_book(quote: Quote) -> dict[str, Any]:
    """One level a side, which is all a quote says."""
    return {
        "bids": [[number(quote.bid), _size(quote.bid_size)]] if quote.bid_size != ZERO else [],
        "asks": [[number(quote.ask), _size(quote.ask_size)]] if quote.ask_size != ZERO else [],
    }


def _size(size: Decimal | None) -> float:
    return number(_PLENTY if size is None else size)
