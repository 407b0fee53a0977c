"""The perpetuals Bybit lists here, how it treats orders, and instruments in its own words.

Order sizes are base units. Spot pairs are listed too, for they have the very ids of the
perpetuals; they cannot be traded here.
"""

from decimal import Decimal
from typing import Any

from tests.fakes.exchange.records import Market
from tests.fakes.exchange.rules import Rules

Row = dict[str, Any]

RULES = Rules(
    duplicates_ever=True,
    shrink_reduce_only=True,
    reduce_only_dies_flat=True,
    triggers_outlive_flat=True,
    trigger_spawns=False,
    trigger_at_once=False,
    post_only_dies=True,
    maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.00055"),
    maker_word="Trade",
    taker_word="Trade",
)


def _perpetual(base: str, tick: str, step: str) -> Market:
    return Market(
        id=f"{base}USDT",
        base=base,
        quote="USDT",
        settle="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        smallest=Decimal(step),
    )


MARKETS = (
    _perpetual("BTC", "0.1", "0.001"),
    _perpetual("ETH", "0.01", "0.01"),
    _perpetual("SOL", "0.01", "0.1"),
)


def perpetual_row(market: Market) -> Row:
    """Source: GET /v5/market/instruments-info, category linear."""
    return {
        "symbol": market.id,
        "symbolId": 5,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "settleCoin": market.settle,
        "symbolType": "",
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": str(market.tick),
            "maxPrice": "1999999.80",
            "tickSize": str(market.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": "1190.000",
            "minOrderQty": str(market.smallest),
            "qtyStep": str(market.step),
            "postOnlyMaxOrderQty": "1190.000",
            "maxMktOrderQty": "500.000",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "copyTrading": "both",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.1"},
        "displayName": "",
    }


def spot_row(market: Market) -> Row:
    """Source: GET /v5/market/instruments-info, category spot."""
    return {
        "symbol": market.id,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.0000001",
            "minOrderQty": "0.000011",
            "maxOrderQty": "83",
            "minOrderAmt": "5",
            "maxOrderAmt": "8000000",
        },
        "priceFilter": {"tickSize": str(market.tick)},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.01"},
    }
