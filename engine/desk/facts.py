"""Everything the desk knows came in as one of these frozen records.

A fact says what happened, never what to do. Market prices are not facts: the price an order was
given is, inside OrderPriced. Quantities of positions are signed (short is negative), quantities of
orders and executions are positive beside a Side. Instants are aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.instruments import ContractSpec, Instrument
from engine.desk.options.definitions import OptionSettings, StrategyDefinition
from engine.desk.perps.definitions import BarrierSettings, ManagerSettings


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class VenueState(StrEnum):
    CONNECTING = "connecting"
    SYNCING = "syncing"
    READY = "ready"
    STALE = "stale"
    DOWN = "down"


class ExecutionOrigin(StrEnum):
    """Who caused an execution. HAND is a person at another client; BROKER the venue's own event
    (an orphan execution of an assignment or exercise); LIQUIDATION the venue's liquidator.

    ASSIGNEE put a liquidated stranger's position on our book; ASSIGNOR took ours away; ADL shrank
    ours against a bankrupt counterparty; SETTLEMENT is a delivery or delisting.
    """

    OURS = "OURS"
    HAND = "HAND"
    BROKER = "BROKER"
    LIQUIDATION = "LIQUIDATION"
    ASSIGNEE = "ASSIGNEE"
    ASSIGNOR = "ASSIGNOR"
    ADL = "ADL"
    SETTLEMENT = "SETTLEMENT"


class OrderReport(StrEnum):
    """What a venue says of an order. Anything it does not say is not here: unknown is no state of
    the venue's."""

    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


class OrderType(StrEnum):
    """STOP is a market order that waits at the venue for its stop price; OCO is a take-profit limit
    and a stop, of which the one that fills cancels the other."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    OCO = "OCO"


class TimeInForce(StrEnum):
    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"


class CloseType(StrEnum):
    """What ended a position: one of its barriers, its signal's reversal, or a person."""

    STOP_LOSS = "STOP_LOSS"
    TRAILING_STOP = "TRAILING_STOP"
    TAKE_PROFIT = "TAKE_PROFIT"
    TIME_LIMIT = "TIME_LIMIT"
    REVERSAL = "REVERSAL"
    EMERGENCY = "EMERGENCY"


class SignalKind(StrEnum):
    ENTRY = "ENTRY"
    REVERSAL = "REVERSAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    account: str
    instrument: Instrument
    quantity: Decimal
    average_cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One fill. execution_id is the venue's, without its correction suffix; revision counts
    corrections, and a higher one replaces a lower. client_order_id is ours, or None. fee is what it
    cost (negative: a rebate) in fee_currency. exit_leg tells which leg of an OCO filled."""

    execution_id: str
    revision: int = 1
    account: str
    instrument: Instrument
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    origin: ExecutionOrigin
    client_order_id: str | None = None
    fee: Decimal = Decimal(0)
    fee_currency: str = ""
    exit_leg: CloseType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """An order as the venue's book shows it, open or lately done. off_its_steps: it was refused
    because its price is no multiple of the venue's steps."""

    client_order_id: str
    venue_order_id: str
    report: OrderReport
    filled: Decimal
    reason: str = ""
    off_its_steps: bool = False


# --- from venues ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueChanged:
    """A venue's link changed. detail says why, in words for a person. can_trade is None until the
    venue showed it, False when it refuses orders (a read-only API)."""

    venue: str
    state: VenueState
    detail: str = ""
    can_trade: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSnapshot:
    """A complete, fresh picture of a venue's book: every end marker was seen, in answer to one
    question asked at asked_at. A position or order of ours that is missing here does not exist
    there, unless it came into being after asked_at."""

    venue: str
    asked_at: datetime
    accounts: tuple[str, ...]
    positions: tuple[PositionRow, ...]
    executions: tuple[Execution, ...] = ()
    orders: tuple[OrderRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReported:
    """A live position row: the quantity now held, not the change."""

    venue: str
    row: PositionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionReported:
    venue: str
    execution: Execution


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported:
    venue: str
    row: OrderRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDescribed:
    venue: str
    spec: ContractSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueWarned:
    """The venue said something a person must hear (liquidation imminent, market data refused)."""

    venue: str
    code: str
    text: str
    critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReported:
    """Cash at a venue: free may be spent now, total includes what orders lock."""

    venue: str
    account: str
    currency: str
    free: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReported:
    """What a broker says an account is worth and how far it is from its margin, in currency; None
    where it does not say. Source: IB API, reqAccountSummary."""

    venue: str
    account: str
    currency: str
    net_liquidation: Decimal | None = None
    excess_liquidity: Decimal | None = None
    maintenance_margin: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreviewed:
    """What an order would do to its account, alone and at that moment, as the venue works it out.
    Nothing was placed.

    Margin changes are signed (negative frees margin), in currency; None where the venue does not
    say. refusal: why it would not take the order. Source: IB API, OrderState of a what-if order.
    """

    venue: str
    preview_id: str
    initial_margin_change: Decimal | None = None
    maintenance_margin_change: Decimal | None = None
    commission: Decimal | None = None
    currency: str = ""
    refusal: str = ""


# --- from market data ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierFired:
    """A quote (or the clock: TIME_LIMIT) reached a barrier. price is the bid for a long position,
    the ask for a short one, None where there was no quote."""

    barrier_id: str
    close_type: CloseType
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailingMoved:
    """A trailing stop turned on, or its peak moved far enough to be worth a restart's memory."""

    barrier_id: str
    peak_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRaised:
    """A closed bar's z-score reached its threshold. price is that bar's close."""

    venue: str
    symbol: str
    kind: SignalKind
    z_score: float
    price: Decimal
    bar_at: datetime


# --- from our own dispatcher ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPriced:
    """An order got its terms and goes out with them. bid and ask are the quote that was used.

    limit_price is set for LIMIT and OCO (its take-profit), stop_price for STOP and OCO.
    """

    client_order_id: str
    order_type: OrderType
    limit_price: Decimal | None
    outside_rth: bool
    bid: Decimal | None
    ask: Decimal | None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnpriced:
    """No price can be put on the order: it is held, and nothing is sent blind."""

    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnanswered:
    """It is not known whether the venue has the order. Never treated as a rejection."""

    client_order_id: str
    reason: str


# --- from people, config and the clock -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStarted:
    """The engine (re)started: what was being sent when it stopped is now of unknown fate."""

    version: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigApplied:
    """The configuration in force. strategies replaces the list; running episodes go on.

    armed is the starting state only: a later ArmedChanged by a person outlives a restart."""

    armed: bool
    options: OptionSettings | None
    strategies: tuple[StrategyDefinition, ...]
    managers: tuple[ManagerSettings, ...] = ()
    allocation: AllocationSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmedChanged:
    request_id: str
    armed: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequested:
    """A person wants a close. strategy_id names a strategy, a barrier or an allocation's symbol;
    None means everything. emergency overrides the refusal of broken strategies and closes what is
    really held."""

    request_id: str
    strategy_id: str | None
    emergency: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRequested:
    """A person puts a held perpetual position under barriers."""

    request_id: str
    venue: str
    account: str
    ref: str
    barriers: BarrierSettings
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardReleased:
    """A person takes a position out from between its barriers; it stays held."""

    request_id: str
    barrier_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRequested:
    """A person wants reservations released; force releases those that something stands behind."""

    request_id: str
    force: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAcknowledged:
    request_id: str
    alert_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChannelReported:
    """An outside alert channel failed (detail says how) or works again (detail empty)."""

    channel: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed:
    """The instant the desk asked to be woken at has come."""


VenueFact = (
    VenueChanged
    | BookSnapshot
    | PositionReported
    | ExecutionReported
    | OrderReported
    | ContractDescribed
    | VenueWarned
    | BalanceReported
    | AccountReported
    | OrderPreviewed
    | OrderUnanswered
)

MarketFact = BarrierFired | TrailingMoved | SignalRaised | VenueWarned

Fact = (
    VenueFact
    | MarketFact
    | OrderPriced
    | OrderUnpriced
    | EngineStarted
    | ConfigApplied
    | ArmedChanged
    | CloseRequested
    | GuardRequested
    | GuardReleased
    | ResetRequested
    | AlertAcknowledged
    | AlertChannelReported
    | DeadlinePassed
)
