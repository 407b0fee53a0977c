"""The perpetuals a Binance USD-M lists, and exchangeInfo in Binance's form."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.exchange.records import Market, Settlement

_ORDER_TYPES = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
_NEVER_DELIVERED_MS = 4133404800000


@dataclass(frozen=True, slots=True, kw_only=True)
class Perpetual:
    """One USD-margined perpetual and its filters; a contract is one unit of base."""

    base: str
    quote: str = "USDT"
    tick: Decimal = Decimal("0.10")
    max_price: Decimal = Decimal(4_529_764)
    step: Decimal = Decimal("0.001")
    min_quantity: Decimal = Decimal("0.001")
    max_quantity: Decimal = Decimal(1000)
    max_market_quantity: Decimal = Decimal(120)
    min_notional: Decimal = Decimal(5)
    multiplier_up: Decimal = Decimal("1.0500")
    multiplier_down: Decimal = Decimal("0.9500")

    @property
    def name(self) -> str:
        return self.base + self.quote

    @property
    def price_places(self) -> int:
        return _places(self.tick)

    @property
    def quantity_places(self) -> int:
        return _places(self.step)

    def market(self) -> Market:
        """The market in the exchange's own words."""
        return Market(
            id=self.name,
            base=self.base,
            quote=self.quote,
            settle=self.quote,
            settlement=Settlement.LINEAR,
            tick=self.tick,
            step=self.step,
            smallest=self.min_quantity,
        )

    def price(self, value: Decimal | None) -> str:
        """A price as the answers write it; 0 where there is none."""
        return f"{value or 0:.{self.price_places}f}"

    def quantity(self, value: Decimal) -> str:
        return f"{value:.{self.quantity_places}f}"

    def info(self) -> dict[str, Any]:
        """The symbol's row of exchangeInfo."""
        return {
            "symbol": self.name,
            "pair": self.name,
            "contractType": "PERPETUAL",
            "deliveryDate": _NEVER_DELIVERED_MS,
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": self.base,
            "quoteAsset": self.quote,
            "marginAsset": self.quote,
            "pricePrecision": self.price_places,
            "quantityPrecision": self.quantity_places,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": ["PoW"],
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "maxMoveOrderLimit": 10000,
            "filters": self._filters(),
            "orderTypes": list(_ORDER_TYPES),
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
            "permissionSets": ["GRID", "COPY"],
        }

    def _filters(self) -> list[dict[str, Any]]:
        return [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": str(self.tick),
                "maxPrice": str(self.max_price),
                "tickSize": str(self.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": str(self.min_quantity),
                "maxQty": str(self.max_quantity),
                "stepSize": str(self.step),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": str(self.min_quantity),
                "maxQty": str(self.max_market_quantity),
                "stepSize": str(self.step),
            },
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": str(self.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": str(self.multiplier_up),
                "multiplierDown": str(self.multiplier_down),
                "multiplierDecimal": "4",
            },
        ]


BTCUSDT = Perpetual(base="BTC")
ETHUSDT = Perpetual(base="ETH", tick=Decimal("0.01"), max_quantity=Decimal(10_000))
SOLUSDT = Perpetual(
    base="SOL",
    tick=Decimal("0.0100"),
    step=Decimal("0.01"),
    min_quantity=Decimal("0.01"),
    max_quantity=Decimal(1_000_000),
    max_market_quantity=Decimal(8000),
)
LISTED = (BTCUSDT, ETHUSDT, SOLUSDT)


def exchange_info(perpetuals: tuple[Perpetual, ...], now_ms: int) -> dict[str, Any]:
    """GET /fapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 2400,
            },
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [one.info() for one in perpetuals],
    }


def _places(step: Decimal) -> int:
    exponent = step.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent
