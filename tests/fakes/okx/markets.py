"""The perpetual swaps OKX lists here, how it treats orders, and an instrument in its own words.

Order sizes are contracts: a contract of BTC-USDT-SWAP is 0.01 BTC.
"""

from decimal import Decimal

from tests.fakes.exchange.records import Market, Why
from tests.fakes.exchange.rules import Rules

RULES = Rules(
    duplicates_ever=True,
    shrink_reduce_only=True,
    reduce_only_dies_flat=True,
    triggers_outlive_flat=True,
    trigger_spawns=True,
    trigger_at_once=False,
    post_only_dies=True,
    maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.0005"),
    maker_word="M",
    taker_word="T",
)


def _swap(base: str, contract_size: str, tick: str) -> Market:
    return Market(
        id=f"{base}-USDT-SWAP",
        base=base,
        quote="USDT",
        settle="USDT",
        contract_size=Decimal(contract_size),
        tick=Decimal(tick),
        step=Decimal("0.01"),
        smallest=Decimal("0.01"),
    )


MARKETS = (_swap("BTC", "0.01", "0.1"), _swap("ETH", "0.1", "0.01"), _swap("SOL", "1", "0.01"))

INSTRUMENT_CODES = {market.id: 10459 + 7 * place for place, market in enumerate(MARKETS)}
"""The number OKX gives an instrument, used in place of its id by order requests on a stream."""

REFUSALS: dict[Why, tuple[str, str]] = {
    Why.UNKNOWN_MARKET: ("51001", "Instrument ID doesn't exist."),
    Why.DUPLICATE_CLIENT_ID: ("51016", "Client order ID already exists."),
    Why.INSUFFICIENT_FUNDS: ("51008", "Order failed. Insufficient USDT margin in account."),
    Why.BAD_PRICE: ("51000", "Parameter px error"),
    Why.MARKET_CLOSED: ("51028", "Contract under delivery."),
    Why.UNKNOWN_ORDER: (
        "51400",
        "Order cancellation failed as the order has been filled, canceled or does not exist.",
    ),
    Why.ORDER_CLOSED: (
        "51400",
        "Order cancellation failed as the order has been filled, canceled or does not exist.",
    ),
}

NO_POSITION = (
    "51169",
    "Order failed because you don't have any positions in this direction for this contract to "
    "reduce or close.",
)
SAME_DIRECTION = (
    "51170",
    "Failed to place order. A reduce-only order can't be the same trading direction as your "
    "existing positions.",
)
TOO_SMALL = ("51020", "Your order should meet or exceed the minimum order amount.")
NOT_A_LOT = ("51121", "Order quantity must be a multiple of the lot size.")


def instrument_row(market: Market) -> dict[str, object]:
    """Source: GET /api/v5/public/instruments."""
    return {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": "",
        "category": "1",
        "contTdSwTime": "",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": str(market.contract_size),
        "ctValCcy": market.base,
        "expTime": "",
        "futureSettlement": False,
        "groupId": "1",
        "instFamily": f"{market.base}-{market.quote}",
        "instId": market.id,
        "instIdCode": INSTRUMENT_CODES[market.id],
        "instType": "SWAP",
        "lever": "100",
        "listTime": "1573557408000",
        "lotSz": str(market.step),
        "maxIcebergSz": "100000000.0000000000000000",
        "maxLmtAmt": "20000000",
        "maxLmtSz": "100000000",
        "maxMktAmt": "",
        "maxMktSz": "35000",
        "maxStopSz": "35000",
        "maxTriggerSz": "100000000.0000000000000000",
        "maxTwapSz": "100000000.0000000000000000",
        "minSz": str(market.smallest),
        "openType": "",
        "optType": "",
        "preMktSwTime": "",
        "quoteCcy": "",
        "ruleType": "normal",
        "settleCcy": market.settle,
        "state": "live",
        "stk": "",
        "tickSz": str(market.tick),
        "tradeQuoteCcyList": [],
        "uly": f"{market.base}-{market.quote}",
    }
