"""What must be done, decided by the desk and carried out by the service.

An order intent carries no price: the price is put on it where the live quote is, at the moment it
goes out, and comes back as the fact OrderPriced. So the same facts always give the same intents.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.facts import Side
from engine.desk.instruments import Instrument
from engine.desk.journaled import Journaled, JournaledKind


class Purpose(StrEnum):
    """Why an order exists; also its urgency: earlier members go out first."""

    FLATTEN_SHARES = "FLATTEN_SHARES"
    BUY_BACK_SHORT = "BUY_BACK_SHORT"
    CLOSE_ASSIGNED = "CLOSE_ASSIGNED"
    BARRIER_EXIT = "BARRIER_EXIT"
    SELL_POSITION = "SELL_POSITION"
    SELL_LONG = "SELL_LONG"
    BRACKET = "BRACKET"
    RESIDENT_STOP = "RESIDENT_STOP"
    ENTRY = "ENTRY"

    @property
    def is_resting(self) -> bool:
        """Whether such an order waits at the venue by design, to protect a position."""
        return self in (Purpose.BRACKET, Purpose.RESIDENT_STOP)


class Severity(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Marketable(JournaledKind, frozen=True, kw_only=True):
    """Stock in its regular hours at market, anything else by a limit at most max_slippage (a
    fraction of the price) past the touch."""

    max_slippage: Decimal = Decimal(0)


class Sweep(JournaledKind, frozen=True, kw_only=True):
    """Immediate-or-cancel, up to touch x (1 + buffer) for a buy and (1 - buffer) for a sell."""

    buffer: Decimal


class AtTouch(JournaledKind, frozen=True, kw_only=True):
    """A good-till-cancelled limit at the price the other side shows now, within its step."""


class StopAt(JournaledKind, frozen=True, kw_only=True):
    """A market order that waits at the venue until the price reaches trigger."""

    trigger: Decimal


class AtMarket(JournaledKind, frozen=True, kw_only=True):
    """A market order. For a buy with spend set, spend of the quote currency at most."""

    spend: Decimal | None = None


class Bracket(JournaledKind, frozen=True, kw_only=True):
    """An OCO around a long position: sold at above (a limit) or at below (a stop)."""

    above: Decimal
    below: Decimal


Pricing = Marketable | Sweep | AtTouch | StopAt | AtMarket | Bracket


class PlaceOrder(Journaled, frozen=True, kw_only=True):
    """Send one order. quantity is positive and already capped by the position. reason says in words
    why it is sent. client_order_id is derived, so the same decision has the same id for ever.

    strategy_id is the strategy, barrier or symbol it belongs to. A buy that spends an amount has
    the quantity that amount is expected to buy.
    """

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
    pricing: Pricing = Marketable()
    reduce_only: bool = False


class CancelOrder(Journaled, frozen=True, kw_only=True):
    client_order_id: str
    venue: str
    reason: str


class AskVenue(Journaled, frozen=True, kw_only=True):
    """Ask the venue for a fresh complete BookSnapshot (positions, executions, orders)."""

    venue: str
    reason: str


class PreviewOrder(Journaled, frozen=True, kw_only=True):
    """Ask the venue, where it can tell, what an order would do to the account's margin. Nothing is
    placed by it, and whatever else is to be sent goes first."""

    preview_id: str
    venue: str
    account: str
    instrument: Instrument
    side: Side
    quantity: Decimal


class RaiseAlert(Journaled, frozen=True, kw_only=True):
    """Tell the owner, on screen and through every alert channel."""

    alert_id: str
    severity: Severity
    title: str
    body: str
    at: datetime
    strategy_id: str | None = None


class WriteLine(Journaled, frozen=True, kw_only=True):
    """Write one line to the log and the journal, in words the owner knows; no alert."""

    text: str
    strategy_id: str | None = None


Intent = PlaceOrder | CancelOrder | AskVenue | PreviewOrder | RaiseAlert | WriteLine
