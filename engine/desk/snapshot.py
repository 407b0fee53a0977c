"""The picture of the desk at one instant: the only thing a screen or `status --json` reads.

Field names and meanings are the public status document; scripts depend on them. Decimals become
strings and instants ISO 8601 UTC when written out.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.facts import OrderType, Side, VenueState
from engine.desk.instruments import Right
from engine.desk.intents import Purpose, Severity


class StrategyStatus(StrEnum):
    INTACT = "INTACT"
    SUSPECT = "SUSPECT"
    BROKEN = "BROKEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    ATTENTION = "ATTENTION"


class AssignmentKind(StrEnum):
    ASSIGNED = "ASSIGNED"
    EXERCISED = "EXERCISED"
    EXPIRED = "EXPIRED"
    CASH_SETTLED = "CASH_SETTLED"
    MANUAL = "MANUAL"
    LIQUIDATED = "LIQUIDATED"
    CORPORATE_ACTION = "CORPORATE_ACTION"
    SUSPECT = "SUSPECT"
    ASSIGNEE = "ASSIGNEE"
    ASSIGNOR = "ASSIGNOR"
    ADL = "ADL"
    LIQUIDATION = "LIQUIDATION"
    SETTLEMENT = "SETTLEMENT"
    EXTERNAL = "EXTERNAL"


class AssignmentTiming(StrEnum):
    """EARLY when more than one day remained to expiry (DTE > 1), else EXPIRATION."""

    EARLY = "EARLY"
    EXPIRATION = "EXPIRATION"


class AssignmentState(StrEnum):
    """How far the handling of an event is. NOTED needs nothing done."""

    WAITING = "WAITING"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    NOTED = "NOTED"
    ATTENTION = "ATTENTION"


class OrderState(StrEnum):
    """HELD is decided but cannot go out yet (reason says why); SENDING is committed and on its way;
    UNKNOWN may or may not be at the venue."""

    HELD = "HELD"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueView:
    """age_seconds: since the venue was last heard, None before it ever was. clock_skew_seconds: its
    clock less this machine's."""

    name: str
    kind: str
    state: VenueState
    detail: str
    age_seconds: float | None
    can_trade: bool | None = None
    clock_skew_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """expected and held are signed contracts; mark is currency per unit of underlying."""

    right: Right
    strike: Decimal
    expiry: date
    expected: Decimal
    held: Decimal
    bid: float | None = None
    ask: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account as its broker values it, in currency; None where it does not say. at: when it was
    last told."""

    venue: str
    account: str
    currency: str
    net_liquidation: Decimal | None
    excess_liquidity: Decimal | None
    maintenance_margin: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginView:
    """What one line of a plan would do to the account's margin if it alone filled, as the venue
    works it out. Changes are signed (negative frees margin), in currency; refusal: why the venue
    would not take the order. at: when it was told."""

    initial_change: Decimal | None
    maintenance_change: Decimal | None
    commission: Decimal | None
    currency: str
    refusal: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLineView:
    """One line of an exit plan: what would be sent, and why, or what it waits for.

    multiplier is units of the underlying a contract (1 for stock), None where it is not known.
    margin is there where the line waits and the venue previews orders."""

    instrument: str
    side: Side
    quantity: Decimal
    purpose: Purpose
    reason: str
    estimated_price: float | None = None
    multiplier: Decimal | None = None
    waits_until: datetime | None = None
    margin: MarginView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyView:
    """advice is said, never done (an exercise that beats a sale). plan is what an emergency close
    would send now; shares is the signed stock of this strategy's
    that is held beyond what it was built with, or that it was built with (a covered call)."""

    id: str
    kind: str
    underlying: str
    venue: str
    account: str
    status: StrategyStatus
    reason: str
    dte: int | None
    legs: tuple[LegView, ...]
    shares: Decimal
    plan: tuple[PlanLineView, ...] = ()
    underlying_price: float | None = None
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentView:
    """quantity: positive contracts (options) or base currency (perpetuals)."""

    id: str
    venue: str
    account: str
    instrument: str
    kind: AssignmentKind
    type: AssignmentTiming | None
    quantity: Decimal
    strategy_id: str | None
    detected_at: datetime
    state: AssignmentState
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailingView:
    activation: Decimal
    active: bool
    trigger: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierView:
    """Prices are absolute, in the instrument's quote currency. gross and net are that currency too,
    net after fees paid; None while there is no mark. set_by names the manager or the person.
    resident_stop is the stop price resting at the venue. reason says what it waits for or why it
    needs its owner."""

    id: str
    venue: str
    instrument: str
    side: Side
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing: TrailingView | None
    time_limit_at: datetime | None
    state: str
    close_type: str | None
    account: str = ""
    gross: Decimal | None = None
    net: Decimal | None = None
    fees: Decimal = Decimal(0)
    since: datetime | None = None
    set_by: str = ""
    resident_stop: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A held perpetual, guarded or not; quantity is signed. barrier_id is set where it is under
    guard."""

    venue: str
    account: str
    ref: str
    instrument: str
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    barrier_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """A position that is not as the strategies expect it; explained_by is empty where nothing
    explains it."""

    venue: str
    account: str
    instrument: str
    expected: Decimal
    held: Decimal
    explained_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """Held legs that look like a strategy nobody registered. id is the one adoption would give."""

    id: str
    kind: str
    underlying: str
    venue: str
    account: str
    legs: tuple[LegView, ...]
    shares: Decimal = Decimal(0)


class SetState(StrEnum):
    """Where a parameter set stands between its signals."""

    WAITING = "WAITING"
    BUYING = "BUYING"
    PROTECTING = "PROTECTING"
    IN_POSITION = "IN_POSITION"
    SELLING = "SELLING"
    ATTENTION = "ATTENTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationSetView:
    """One parameter set as it stands; money in the quote currency, quantity in the base.

    z_score is of the last closed bar, None until bars_seen reaches bars_needed. would_keep says why
    a reset would not release its reservation, empty where it would.
    """

    symbol: str
    percent: Decimal
    threshold: Decimal
    z_score: float | None
    bars_seen: int
    bars_needed: int
    state: SetState
    reserved: Decimal
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    take_profit: Decimal | None
    stop_loss: Decimal | None
    exit_z_score: Decimal = Decimal(0)
    would_keep: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationView:
    symbol: str
    reservedAmount: float
    timestamp: datetime
    orderId: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationView:
    """The owner's document names these keys in camelCase and writes them as JSON numbers."""

    totalBalance: float
    totalReserved: float
    availableBalance: float
    allocationPercentage: float
    reservations: tuple[ReservationView, ...] = ()
    venue: str = ""
    currency: str = ""
    sets: tuple[AllocationSetView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    id: str
    venue: str
    account: str
    instrument: str
    side: Side
    quantity: Decimal
    filled: Decimal
    type: OrderType | None
    limit_price: Decimal | None
    state: OrderState
    purpose: Purpose
    strategy_id: str | None
    reason: str = ""
    at: datetime | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    id: str
    severity: Severity
    title: str
    at: datetime
    acknowledged: bool
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """allocation is None while no allocation desk is configured; mode is demo, paper or live."""

    mode: str
    armed: bool
    started_at: datetime
    at: datetime
    venues: tuple[VenueView, ...] = ()
    strategies: tuple[StrategyView, ...] = ()
    assignments: tuple[AssignmentView, ...] = ()
    barriers: tuple[BarrierView, ...] = ()
    allocation: AllocationView | None = None
    orders: tuple[OrderView, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    positions: tuple[PositionView, ...] = ()
    differences: tuple[DifferenceView, ...] = ()
    candidates: tuple[CandidateView, ...] = ()
    accounts: tuple[AccountView, ...] = ()
