"""What Binance's spot and futures exchanges have in common: their words for orders and trades."""

from collections.abc import Mapping
from typing import Any

from engine.desk.facts import OrderReport, OrderType, Side, TimeInForce
from engine.venues.crypto.faults import Duplicate, Missing, Refused, Unanswered
from engine.venues.port import PricedOrder

Row = Mapping[str, Any]

# Longer than a request needs, shorter than we wait for its answer: what arrives later is refused,
# so an order that is not there after that never will be.
RECEIVE_WINDOW_MS = 5000
ABSENCE_SECONDS = 6.0
OPTIONS: Mapping[str, Any] = {
    "adjustForTimeDifference": True,
    "recvWindow": RECEIVE_WINDOW_MS,
    "fetchMargins": False,
    "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
}
# ccxt tells these by the host of the URL, which an endpoint replaces. Codes that begin with -11, -4
# and -5 are of requests that were looked at and not done.
VERDICTS: Mapping[str, type[Refused | Unanswered]] = {
    "Duplicate order sent": Duplicate,
    "(-4116)": Duplicate,
    "(-2011)": Missing,
    "(-2013)": Missing,
    "(-1006)": Unanswered,
    "(-1007)": Unanswered,
    "(-1013)": Refused,
    "(-2010)": Refused,
    **{f"(-{code})": Refused for code in range(2018, 2029)},
    "(-11": Refused,
    "(-4": Refused,
    "(-5": Refused,
}

_REPORTS = {
    "NEW": OrderReport.WORKING,
    "PENDING_NEW": OrderReport.WORKING,
    "PARTIALLY_FILLED": OrderReport.WORKING,
    "FILLED": OrderReport.FILLED,
    "CANCELED": OrderReport.CANCELLED,
    "PENDING_CANCEL": OrderReport.WORKING,
    "EXPIRED": OrderReport.CANCELLED,
    "EXPIRED_IN_MATCH": OrderReport.CANCELLED,
    "REJECTED": OrderReport.REJECTED,
}
_REASONS = {
    "EXPIRED": "no more could be executed",
    "EXPIRED_IN_MATCH": "it would have met an order of this account",
}


def report_of(status: str) -> OrderReport:
    """Read an order's status. Raises ValueError for one that is none."""
    found = _REPORTS.get(status)
    if found is None:
        raise ValueError(f"{status!r} is no status of an order")
    return found


def reason_of(status: str, reject: object = None) -> str:
    said = str(reject or "")
    return said if said not in ("", "NONE") else _REASONS.get(status, "")


def type_of(order: PricedOrder) -> dict[str, str]:
    """Give the parameters that say what kind of order it is, prices aside."""
    lasts = "IOC" if order.time_in_force is TimeInForce.IOC else "GTC"
    return {"type": "LIMIT", "timeInForce": lasts} if order.order_type is OrderType.LIMIT else {}


def side_of(word: str) -> Side:
    return Side(word.upper())
