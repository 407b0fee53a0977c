"""The venue's own words and number forms: times, sides, order types, reasons, fill types."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum, unique

from tests.fakes.exchange import Cause, Force, Kind, Order, Signal, Why


@unique
class FillType(StrEnum):
    """How a fill came about. Source: Kraken Futures, `fills` feed, fill_type."""

    MAKER = "maker"
    TAKER = "taker"
    TAKER_AFTER_EDIT = "takerAfterEdit"
    LIQUIDATION = "liquidation"
    PARTIAL_LIQUIDATION = "partialLiquidation"
    ASSIGNEE = "assignee"
    ASSIGNOR = "assignor"
    UNWIND_BANKRUPT = "unwindBankrupt"
    UNWIND_COUNTERPARTY = "unwindCounterparty"


# The order type a forced fill carries, where it is not one of the account's own orders.
FORCED_ORDER_TYPES = {
    FillType.LIQUIDATION: "liquidation",
    FillType.PARTIAL_LIQUIDATION: "liquidation",
    FillType.ASSIGNEE: "assignment",
    FillType.ASSIGNOR: "assignment",
    FillType.UNWIND_BANKRUPT: "unwind",
    FillType.UNWIND_COUNTERPARTY: "unwind",
}

# sendStatus.status of an order that is refused.
SEND_REFUSED = {
    Why.DUPLICATE_CLIENT_ID: "clientOrderIdAlreadyExist",
    Why.WOULD_NOT_REDUCE: "wouldNotReducePosition",
    Why.WOULD_TAKE: "postWouldExecute",
    Why.INSUFFICIENT_FUNDS: "insufficientAvailableFunds",
    Why.BAD_QUANTITY: "invalidSize",
    Why.BAD_PRICE: "invalidPrice",
    Why.MARKET_CLOSED: "marketSuspended",
    Why.UNKNOWN_ORDER: "orderForEditNotFound",
    Why.ORDER_CLOSED: "orderForEditNotFound",
}

# `reason` of an open_orders delta that removes an order.
REMOVED = {
    Cause.FILLED: "full_fill",
    Cause.CANCELLED: "cancelled_by_user",
    Cause.NO_LIQUIDITY: "ioc_order_failed_because_it_would_not_be_executed",
    Cause.WOULD_NOT_REDUCE: "would_not_reduce_position",
    Cause.WITHDRAWN: "cancelled_by_admin",
    Cause.TRIGGERED: "stop_order_triggered",
}

_REST_SIGNALS = {Signal.LAST: "last", Signal.MARK: "mark", Signal.INDEX: "spot"}
_EVENT_SIGNALS = {
    Signal.LAST: "last_price",
    Signal.MARK: "mark_price",
    Signal.INDEX: "spot_price",
}
SIGNALS = {"last": Signal.LAST, "mark": Signal.MARK, "index": Signal.INDEX, "spot": Signal.INDEX}


def number(value: Decimal | None) -> float:
    """A JSON number, as the venue sends all of them; 0.0 where there is none."""
    return 0.0 if value is None else float(value)


def iso(at: datetime) -> str:
    """`2024-01-15T10:30:45.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def signal_word(order: Order) -> str:
    """The trigger signal as open orders name it."""
    return _REST_SIGNALS[order.signal]


def event_signal_word(order: Order) -> str:
    """The trigger signal as order events name it."""
    return _EVENT_SIGNALS[order.signal]


def send_type(order: Order) -> str:
    """The type an order was sent with: mkt, lmt, post, ioc, fok, stp or take_profit."""
    if order.kind.takes_profit:
        return "take_profit"
    if order.kind.waits:
        return "stp"
    if order.kind is Kind.MARKET:
        return "mkt"
    return {
        Force.GTC: "lmt",
        Force.IOC: "ioc",
        Force.FOK: "fok",
        Force.POST_ONLY: "post",
    }[order.force]


def event_type(order: Order) -> str:
    """The type as order events show it: a market order is an ioc with a collar."""
    kind = send_type(order)
    return (
        "ioc"
        if kind == "mkt" or (order.kind.waits and not order.kind.limited)
        else ("lmt" if order.kind.waits else kind)
    )


def fill_order_type(kind: Kind, force: Force) -> str:
    """The order type a fill on the fills feed carries."""
    if kind.waits:
        return "stp"
    if kind is Kind.MARKET:
        return "market"
    return {Force.IOC: "ioc", Force.FOK: "fillOrKill", Force.POST_ONLY: "post"}.get(force, "lmt")


def feed_type(order: Order) -> str:
    """The type as the open_orders feed shows it: limit, stop or take_profit."""
    if order.kind.takes_profit:
        return "take_profit"
    return "stop" if order.kind.waits and not order.triggered else "limit"


def at_once(order: Order) -> bool:
    """Whether the order never enters the book."""
    if order.kind.waits and not order.triggered:
        return False
    return not order.kind.limited or order.force in (Force.IOC, Force.FOK)
