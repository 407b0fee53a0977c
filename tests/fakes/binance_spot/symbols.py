"""The symbols a Binance spot lists, with their filters, and exchangeInfo in Binance's form.

It knows the rules; filters.py enforces them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.exchange.records import Market, Settlement

_ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
_ORDER_LIMITS = ((10, "SECOND", 100), (1, "DAY", 200000))


def eight(value: Decimal | int) -> str:
    """A number as Binance spot writes it: eight decimals, never an exponent."""
    return f"{Decimal(value):.8f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotSymbol:
    """One symbol and its filters.

    The multipliers bound a price by the average price: bid_* for buys, ask_* for sells.
    """

    base: str
    quote: str
    tick: Decimal = Decimal("0.01")
    min_price: Decimal = Decimal("0.01")
    max_price: Decimal = Decimal(1_000_000)
    step: Decimal = Decimal("0.00001")
    min_quantity: Decimal = Decimal("0.00001")
    max_quantity: Decimal = Decimal(9000)
    max_market_quantity: Decimal = Decimal(1000)
    min_notional: Decimal = Decimal(5)
    max_notional: Decimal = Decimal(9_000_000)
    bid_multiplier_up: Decimal = Decimal(5)
    bid_multiplier_down: Decimal = Decimal("0.2")
    ask_multiplier_up: Decimal = Decimal(5)
    ask_multiplier_down: Decimal = Decimal("0.2")
    max_orders: int = 200
    max_algo_orders: int = 25
    max_order_lists: int = 20
    trading: bool = True

    @property
    def name(self) -> str:
        return self.base + self.quote

    def market(self) -> Market:
        """The market in the exchange's own words."""
        return Market(
            id=self.name,
            base=self.base,
            quote=self.quote,
            settle=self.quote,
            settlement=Settlement.SPOT,
            tick=self.tick,
            step=self.step,
            smallest=self.min_quantity,
        )

    def filters(self) -> list[dict[str, Any]]:
        """Source: Binance spot API, filters."""
        return [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": eight(self.min_price),
                "maxPrice": eight(self.max_price),
                "tickSize": eight(self.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": eight(self.min_quantity),
                "maxQty": eight(self.max_quantity),
                "stepSize": eight(self.step),
            },
            {"filterType": "ICEBERG_PARTS", "limit": 100},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": eight(0),
                "maxQty": eight(self.max_market_quantity),
                "stepSize": eight(0),
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": str(self.bid_multiplier_up),
                "bidMultiplierDown": str(self.bid_multiplier_down),
                "askMultiplierUp": str(self.ask_multiplier_up),
                "askMultiplierDown": str(self.ask_multiplier_down),
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": eight(self.min_notional),
                "applyMinToMarket": True,
                "maxNotional": eight(self.max_notional),
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": self.max_orders},
            {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": self.max_order_lists},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": self.max_algo_orders},
        ]

    def info(self) -> dict[str, Any]:
        """The symbol's row of exchangeInfo."""
        return {
            "symbol": self.name,
            "status": "TRADING" if self.trading else "BREAK",
            "baseAsset": self.base,
            "baseAssetPrecision": 8,
            "quoteAsset": self.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": list(_ORDER_TYPES),
            "icebergAllowed": True,
            "ocoAllowed": True,
            "otoAllowed": True,
            "opoAllowed": True,
            "quoteOrderQtyMarketAllowed": True,
            "allowTrailingStop": True,
            "cancelReplaceAllowed": True,
            "amendAllowed": True,
            "pegInstructionsAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": self.filters(),
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
            "allowedSelfTradePreventionModes": [
                "EXPIRE_TAKER",
                "EXPIRE_MAKER",
                "EXPIRE_BOTH",
                "DECREMENT",
            ],
        }


BTCUSDT = SpotSymbol(base="BTC", quote="USDT")
ETHUSDT = SpotSymbol(
    base="ETH", quote="USDT", step=Decimal("0.0001"), min_quantity=Decimal("0.0001")
)
BNBUSDT = SpotSymbol(base="BNB", quote="USDT", step=Decimal("0.001"), min_quantity=Decimal("0.001"))
LISTED = (BTCUSDT, ETHUSDT, BNBUSDT)


def exchange_info(symbols: tuple[SpotSymbol, ...], now_ms: int) -> dict[str, Any]:
    """GET /api/v3/exchangeInfo."""
    limits = [("REQUEST_WEIGHT", 1, "MINUTE", 6000)]
    limits += [("ORDERS", number, interval, limit) for number, interval, limit in _ORDER_LIMITS]
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            {
                "rateLimitType": kind,
                "interval": interval,
                "intervalNum": number,
                "limit": limit,
            }
            for kind, number, interval, limit in limits
        ],
        "exchangeFilters": [],
        "symbols": [symbol.info() for symbol in symbols],
        "sors": [],
    }
