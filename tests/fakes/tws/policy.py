"""How the loopback TWS answers an order or a cancel.

A policy says what becomes of an order and which rows tell of it; it never touches the book.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tests.fakes.tws.records import Status


class Answer(StrEnum):
    """AUTO fills what the quote allows and rests the remainder. LOST: the order never existed."""

    AUTO = "auto"
    FILL = "fill"
    REST = "rest"
    PARTIAL = "partial"
    REJECT = "reject"
    LOST = "lost"


class Row(StrEnum):
    """The messages that tell of a fill."""

    OPEN_ORDER = "open_order"
    STATUS = "status"
    EXECUTION = "execution"
    COMMISSION = "commission"
    POSITION = "position"


class CancelAnswer(StrEnum):
    """FILL_FIRST: the fill was quicker, so 10148. NOT_FOUND: 10147, though the order lives on."""

    NORMAL = "normal"
    IGNORE = "ignore"
    FILL_FIRST = "fill_first"
    NOT_FOUND = "not_found"


AS_TWS: tuple[Row, ...] = (
    Row.OPEN_ORDER,
    Row.STATUS,
    Row.EXECUTION,
    Row.COMMISSION,
    Row.POSITION,
)
POSITION_FIRST: tuple[Row, ...] = (
    Row.POSITION,
    Row.OPEN_ORDER,
    Row.STATUS,
    Row.EXECUTION,
    Row.COMMISSION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An error message (4) that goes ahead of the answer and ends nothing."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """What becomes of an order.

    rows are the messages of each fill, in order, and may leave some out. held keeps every row of
    this order back until release_answers(). copies sends each row that many times. times is how
    many orders the policy serves before the one under it applies again; None is for ever.
    """

    answer: Answer = Answer.AUTO
    sizes: tuple[Decimal, ...] = ()
    price: Decimal | None = None
    code: int = 0
    text: str = ""
    reject_status: Status | None = None
    notices: tuple[Notice, ...] = ()
    rows: tuple[Row, ...] = AS_TWS
    acknowledge: bool = True
    rest_status: Status = Status.SUBMITTED
    held: bool = False
    copies: int = 1
    times: int | None = None


REASONS: dict[int, str] = {
    103: "Duplicate order id",
    110: "The price does not conform to the minimum price variation for this contract.",
    200: "No security definition has been found for the request",
    201: "Order rejected - reason:The order was refused by the loopback TWS.",
    202: "Order Canceled - reason:",
    203: "The security is not available or allowed for this account.",
    321: "Error validating request.-'bW' : cause - The API interface is currently in Read-Only"
    " mode.",
    322: "Error processing request: Maximum number of account summary requests exceeded",
    326: "Unable to connect as the client id is already in use. Retry with a unique client id.",
    354: "Requested market data is not subscribed.",
    399: "Order Message:\nWarning: Your order will not be placed at the exchange until the next"
    " session opens",
    404: "Order held while securities are located.",
    435: "You must specify an account.",
    460: "No trading permissions.",
    1100: "Connectivity between IB and Trader Workstation has been lost.",
    1101: "Connectivity between IB and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IB and Trader Workstation has been restored - data maintained."
    " All data farms are connected: usfarm; usopt; secdefil.",
    2103: "Market data farm connection is broken:usfarm",
    2104: "Market data farm connection is OK:usfarm",
    2105: "HMDS data farm connection is broken:ushmds",
    2106: "HMDS data farm connection is OK:ushmds",
    2109: "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the"
    " order type and destination.",
    2110: "Connectivity between Trader Workstation and server is broken. It will be restored"
    " automatically.",
    2148: "Account is approaching liquidation.",
    2158: "Sec-def data farm connection is OK:secdefil",
    10167: "Requested market data is not subscribed. Displaying delayed market data.",
    10197: "No market data during competing live session",
    10349: "Order TIF was set to DAY based on order preset.",
}


def reason(code: int) -> str:
    """Say what TWS says with this code."""
    return REASONS.get(code, f"error {code}")


def fill(
    *,
    price: Decimal | None = None,
    rows: tuple[Row, ...] = AS_TWS,
    copies: int = 1,
    times: int | None = None,
) -> OrderPolicy:
    """Fill at once whatever the quote says."""
    return OrderPolicy(answer=Answer.FILL, price=price, rows=rows, copies=copies, times=times)


def rest(*, times: int | None = None) -> OrderPolicy:
    """Accept and leave working (Submitted) until fill_order or cancel."""
    return OrderPolicy(answer=Answer.REST, times=times)


def partial(*sizes: Decimal, times: int | None = None) -> OrderPolicy:
    """Fill these sizes at once, each by its own execution; the remainder rests."""
    return OrderPolicy(answer=Answer.PARTIAL, sizes=sizes, times=times)


def reject(code: int = 201, text: str = "", *, times: int | None = None) -> OrderPolicy:
    """Refuse. 201 leaves the order Inactive in the book; other codes leave no order at all."""
    return OrderPolicy(
        answer=Answer.REJECT,
        code=code,
        text=text or reason(code),
        reject_status=Status.INACTIVE if code == 201 else None,
        times=times,
    )


def warn(code: int, then: Answer = Answer.AUTO, *, times: int | None = None) -> OrderPolicy:
    """Send an error that ends nothing (399, 2109, 404, 10349), then answer."""
    return OrderPolicy(
        answer=then,
        notices=(Notice(code=code, text=reason(code)),),
        rest_status=Status.PRE_SUBMITTED if code == 399 else Status.SUBMITTED,
        times=times,
    )


def silent(*, times: int | None = None) -> OrderPolicy:
    """Accept and say nothing: the order works, and only an enquiry shows it."""
    return OrderPolicy(answer=Answer.REST, acknowledge=False, rows=(), times=times)


def fill_unsaid(rows: tuple[Row, ...] = (), *, times: int | None = None) -> OrderPolicy:
    """Fill, and push only these rows, none by default: positions and executions tell when asked."""
    return OrderPolicy(answer=Answer.FILL, acknowledge=False, rows=rows, times=times)


def fill_late(*, times: int | None = None) -> OrderPolicy:
    """Fill now and tell of it only on release_answers()."""
    return OrderPolicy(answer=Answer.FILL, held=True, times=times)


def lose(*, times: int | None = None) -> OrderPolicy:
    """Take the order off the wire and forget it: nothing answers, no enquiry finds it."""
    return OrderPolicy(answer=Answer.LOST, times=times)
