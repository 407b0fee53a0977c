"""What must be done, decided by the desk and carried out by the service.

An order intent carries no price: the price is put on it where the live quote is, at the moment it
goes out, and comes back as the fact OrderPriced. So the same facts always give the same intents.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.facts import Side
from engine.desk.instruments import Instrument


class Purpose(StrEnum):
    """Why an order exists; also its urgency: earlier members go out first."""

    FLATTEN_SHARES = "FLATTEN_SHARES"
    BUY_BACK_SHORT = "BUY_BACK_SHORT"
    SELL_LONG = "SELL_LONG"


class Severity(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Send one order. quantity is positive and already capped by the position. reason says in words
    why it is sent. client_order_id is derived, so the same decision has the same id for ever."""

    client_order_id: str
    venue: str
    account: str
    instrument: Instrument
    side: Side
    quantity: Decimal
    purpose: Purpose
    strategy_id: str | None
    episode: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    client_order_id: str
    venue: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskVenue:
    """Ask the venue for a fresh complete BookSnapshot (positions, executions, orders)."""

    venue: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlert:
    """Tell the owner, on screen and through every alert channel."""

    alert_id: str
    severity: Severity
    title: str
    body: str
    at: datetime
    strategy_id: str | None = None


Intent = PlaceOrder | CancelOrder | AskVenue | RaiseAlert
