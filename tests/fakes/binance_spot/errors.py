"""How Binance says no: a code, a text and an HTTP status.

The texts are Binance's own, because clients tell refusals of one code apart by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from tests.fakes.exchange.records import Refusal, Why
from tests.fakes.exchange.wire import VenueError


class Rejected(VenueError):
    """Binance answers with an error instead of a result."""

    def __init__(
        self,
        code: int,
        text: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__({"code": code, "msg": text}, status=status, headers=headers)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal a test asks for: it is raised in place of the next answer."""

    code: int
    text: str
    status: int = 400

    def raised(self) -> Rejected:
        return Rejected(self.code, self.text, status=self.status)


INSUFFICIENT_BALANCE = "Account has insufficient balance for requested action."
DUPLICATE_ORDER = "Duplicate order sent."
OCO_BAD_PRICES = "The relationship of the prices for the orders is not correct."
WOULD_MATCH = "Order would immediately match and take."
WOULD_TRIGGER = "Stop price would trigger immediately."
UNKNOWN_ORDER = "Unknown order sent."
NO_SUCH_ORDER = "Order does not exist."
UNKNOWN_LIST = "Unknown order list sent."
NO_SUCH_LIST = "Order list does not exist."
MARKET_CLOSED = "Market is closed."


def new_order_rejected(text: str) -> Rejected:
    """The matching engine refuses a new order."""
    return Rejected(-2010, text)


def unknown_order() -> Rejected:
    """A cancel names no order that lives."""
    return Rejected(-2011, UNKNOWN_ORDER)


def no_such_order() -> Rejected:
    """A query names no order that ever was."""
    return Rejected(-2013, NO_SUCH_ORDER)


def unknown_list() -> Rejected:
    """A cancel names no order list that runs."""
    return Rejected(-2011, UNKNOWN_LIST)


def no_such_list() -> Rejected:
    """A query names no order list that ever was."""
    return Rejected(-2018, NO_SUCH_LIST)


def filter_failure(name: str) -> Rejected:
    """A symbol filter refuses the request before it reaches the matching engine."""
    return Rejected(-1013, f"Filter failure: {name}")


def invalid_symbol() -> Rejected:
    return Rejected(-1121, "Invalid symbol.")


def missing(name: str) -> Rejected:
    return Rejected(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def one_of(first: str, second: str) -> Rejected:
    return Rejected(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def not_required(name: str) -> Rejected:
    return Rejected(-1106, f"Parameter '{name}' sent when not required.")


def too_precise(name: str) -> Rejected:
    return Rejected(-1111, f"Parameter '{name}' has too much precision.")


def refusal(refused: Refusal) -> Rejected:
    """A refusal of the shared account in Binance's words."""
    match refused.why:
        case Why.INSUFFICIENT_FUNDS:
            return new_order_rejected(INSUFFICIENT_BALANCE)
        case Why.DUPLICATE_CLIENT_ID:
            return new_order_rejected(DUPLICATE_ORDER)
        case Why.WOULD_TAKE:
            return new_order_rejected(WOULD_MATCH)
        case Why.WOULD_TRIGGER:
            return new_order_rejected(WOULD_TRIGGER)
        case Why.UNKNOWN_ORDER | Why.ORDER_CLOSED:
            return unknown_order()
        case Why.UNKNOWN_MARKET:
            return invalid_symbol()
        case Why.BAD_QUANTITY:
            return filter_failure("LOT_SIZE")
        case Why.BAD_PRICE:
            return filter_failure("PRICE_FILTER")
        case Why.MARKET_CLOSED | Why.WOULD_NOT_REDUCE:
            return Rejected(-1013, MARKET_CLOSED)
        case never:
            assert_never(never)
