"""Everything the desk knows came in as one of these frozen records.

A fact says what happened, never what to do. Market prices are not facts: the price an order was
given is, inside OrderPriced. Quantities of positions are signed (short is negative), quantities of
orders and executions are positive beside a Side. Instants are aware UTC.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.instruments import ContractSpec, Instrument
from engine.desk.journaled import Journaled
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


class PositionRow(Journaled, frozen=True, kw_only=True):
    account: str
    instrument: Instrument
    quantity: Decimal
    average_cost: Decimal | None = None


class Execution(Journaled, frozen=True, kw_only=True):
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


class OrderRow(Journaled, frozen=True, kw_only=True):
    """An order as the venue's book shows it, open or lately done. off_its_steps: it was refused
    because its price is no multiple of the venue's steps."""

    client_order_id: str
    venue_order_id: str
    report: OrderReport
    filled: Decimal
    reason: str = ""
    off_its_steps: bool = False


# --- from venues ---------------------------------------------------------------------------------


class VenueChanged(Journaled, frozen=True, kw_only=True):
    """A venue's link changed. detail says why, in words for a person. can_trade is None until the
    venue showed it, False when it refuses orders (a read-only API)."""

    venue: str
    state: VenueState
    detail: str = ""
    can_trade: bool | None = None


class BookSnapshot(Journaled, frozen=True, kw_only=True):
    """A complete, fresh picture of a venue's book: every end marker was seen, in answer to one
    question asked at asked_at. A position or order of ours that is missing here does not exist
    there, unless it came into being after asked_at."""

    venue: str
    asked_at: datetime
    accounts: tuple[str, ...]
    positions: tuple[PositionRow, ...]
    executions: tuple[Execution, ...] = ()
    orders: tuple[OrderRow, ...] = ()


class PositionReported(Journaled, frozen=True, kw_only=True):
    """A live position row: the quantity now held, not the change."""

    venue: str
    row: PositionRow


class ExecutionReported(Journaled, frozen=True, kw_only=True):
    venue: str
    execution: Execution


class OrderReported(Journaled, frozen=True, kw_only=True):
    venue: str
    row: OrderRow


class ContractDescribed(Journaled, frozen=True, kw_only=True):
    venue: str
    spec: ContractSpec


class VenueWarned(Journaled, frozen=True, kw_only=True):
    """The venue said something a person must hear (liquidation imminent, market data refused)."""

    venue: str
    code: str
    text: str
    critical: bool


class BalanceReported(Journaled, frozen=True, kw_only=True):
    """Cash at a venue: free may be spent now, total includes what orders lock."""

    venue: str
    account: str
    currency: str
    free: Decimal
    total: Decimal


class AccountReported(Journaled, frozen=True, kw_only=True):
    """What a broker says an account is worth and how far it is from its margin, in currency; None
    where it does not say. Source: IB API, reqAccountSummary."""

    venue: str
    account: str
    currency: str
    net_liquidation: Decimal | None = None
    excess_liquidity: Decimal | None = None
    maintenance_margin: Decimal | None = None


class OrderPreviewed(Journaled, frozen=True, kw_only=True):
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


class BarrierFired(Journaled, frozen=True, kw_only=True):
    """A quote (or the clock: TIME_LIMIT) reached a barrier. price is the bid for a long position,
    the ask for a short one, None where there was no quote."""

    barrier_id: str
    close_type: CloseType
    price: Decimal | None


class TrailingMoved(Journaled, frozen=True, kw_only=True):
    """A trailing stop turned on, or its peak moved far enough to be worth a restart's memory."""

    barrier_id: str
    peak_price: Decimal


class SignalRaised(Journaled, frozen=True, kw_only=True):
    """A closed bar's z-score reached its threshold. price is that bar's close."""

    venue: str
    symbol: str
    kind: SignalKind
    z_score: float
    price: Decimal
    bar_at: datetime


# --- from our own dispatcher ---------------------------------------------------------------------


class OrderPriced(Journaled, frozen=True, kw_only=True):
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


class OrderUnpriced(Journaled, frozen=True, kw_only=True):
    """No price can be put on the order: it is held, and nothing is sent blind."""

    client_order_id: str
    reason: str


class OrderUnanswered(Journaled, frozen=True, kw_only=True):
    """It is not known whether the venue has the order. Never treated as a rejection."""

    client_order_id: str
    reason: str


# --- from people, config and the clock -----------------------------------------------------------


class EngineStarted(Journaled, frozen=True, kw_only=True):
    """The engine (re)started: what was being sent when it stopped is now of unknown fate."""

    version: str
    mode: str


class ConfigApplied(Journaled, frozen=True, kw_only=True):
    """The configuration in force. strategies replaces the list; running episodes go on.

    armed is the starting state only: a later ArmedChanged by a person outlives a restart."""

    armed: bool
    options: OptionSettings | None
    strategies: tuple[StrategyDefinition, ...]
    managers: tuple[ManagerSettings, ...] = ()
    allocation: AllocationSettings | None = None


class ArmedChanged(Journaled, frozen=True, kw_only=True):
    request_id: str
    armed: bool
    by: str


class CloseRequested(Journaled, frozen=True, kw_only=True):
    """A person wants a close. strategy_id names a strategy, a barrier or an allocation's symbol;
    None means everything. emergency overrides the refusal of broken strategies and closes what is
    really held."""

    request_id: str
    strategy_id: str | None
    emergency: bool
    by: str


class GuardRequested(Journaled, frozen=True, kw_only=True):
    """A person puts a held perpetual position under barriers."""

    request_id: str
    venue: str
    account: str
    ref: str
    barriers: BarrierSettings
    by: str


class GuardReleased(Journaled, frozen=True, kw_only=True):
    """A person takes a position out from between its barriers; it stays held."""

    request_id: str
    barrier_id: str
    by: str


class ResetRequested(Journaled, frozen=True, kw_only=True):
    """A person wants reservations released; force releases those that something stands behind."""

    request_id: str
    force: bool
    by: str


class AlertAcknowledged(Journaled, frozen=True, kw_only=True):
    request_id: str
    alert_id: str
    by: str


class AlertChannelReported(Journaled, frozen=True, kw_only=True):
    """An outside alert channel failed (detail says how) or works again (detail empty)."""

    channel: str
    detail: str


class DeadlinePassed(Journaled, frozen=True, kw_only=True):
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
