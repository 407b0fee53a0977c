"""A desk beside a small exchange that keeps its own truth: positions, orders, executions.

The exchange works orders as a venue does, on the quotes it is given; what it tells goes to the desk
in batches, and a crash loses what was not told yet. Every order is checked on its way out.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.desk.desk import Answer, Desk, Outcome
from engine.desk.facts import (
    BookSnapshot,
    CloseRequested,
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    EngineStarted,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    Fact,
    GuardReleased,
    GuardRequested,
    OrderPriced,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderType,
    OrderUnanswered,
    PositionReported,
    PositionRow,
    Side,
    TimeInForce,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import ContractSpec, Perpetual, PriceStep
from engine.desk.intents import (
    AskVenue,
    CancelOrder,
    Intent,
    PlaceOrder,
    Purpose,
    RaiseAlert,
    WriteLine,
)
from engine.desk.market import Quote
from engine.desk.orders import Order
from engine.desk.perps.definitions import BarrierSettings, ManagerSettings
from engine.desk.perps.guards import GuardState
from engine.desk.picture import picture
from engine.desk.pricing import price
from engine.desk.snapshot import AssignmentView, BarrierView, Snapshot

VENUE, ACCOUNT = "kraken", "futures"
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BTC = Perpetual(ref="PF_XBTUSD", symbol="BTC-USD", base="BTC", quote="USD")
ETH = Perpetual(ref="PF_ETHUSD", symbol="ETH-USD", base="ETH", quote="USD")
STEP = Decimal("0.1")


def D(text: str | int | float | Decimal) -> Decimal:
    return Decimal(str(text))


def manager(
    *,
    pairs: tuple[str, ...] = (),
    percent: str = "100",
    at_once: bool = False,
    venue: str = VENUE,
    **barriers: Any,
) -> ManagerSettings:
    """A manager; without further words it closes at once or holds with a limit of an hour."""
    around: dict[str, Any] = {"time_limit_seconds": None if at_once else 3600, **barriers}
    return ManagerSettings(
        venue=venue,
        trading_pairs=pairs,
        close_percent=D(percent),
        at_once=at_once,
        barriers=BarrierSettings(**around),
    )


@dataclass
class Resting:
    """An order as the exchange knows it."""

    intent: PlaceOrder
    terms: OrderPriced
    filled: Decimal = Decimal(0)
    report: OrderReport = OrderReport.WORKING
    reason: str = ""

    @property
    def left(self) -> Decimal:
        return self.intent.quantity - self.filled

    @property
    def row(self) -> OrderRow:
        return OrderRow(
            client_order_id=self.intent.client_order_id,
            venue_order_id=f"v-{self.intent.client_order_id[-4:]}",
            report=self.report,
            filled=self.filled,
            reason=self.reason,
        )


@dataclass
class Exchange:
    """positions: instrument -> signed. inbox: what it has to tell, batch by batch.

    depth: how much the touch offers an order. answers: "told", "silent" (works, tells nothing),
    "lost" (never arrives, and nobody knows), "timeout" (works, but the answer is lost). refuse: why
    every order, or every stop, is refused. resting_blocks: orders that rest count against a close.
    """

    positions: dict[Perpetual, Decimal] = field(default_factory=dict)
    orders: dict[str, Resting] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    inbox: list[tuple[Fact, ...]] = field(default_factory=list)
    quotes: dict[str, Quote] = field(default_factory=dict)
    sent: list[PlaceOrder] = field(default_factory=list)
    depth: Decimal | None = None
    answers: str = "told"
    refuse: str = ""
    refuse_stops: str = ""
    resting_blocks: bool = False
    deaf_to_cancels: bool = False
    cancels: list[str] = field(default_factory=list)

    def place(self, intent: PlaceOrder, terms: OrderPriced, now: datetime) -> None:
        if self.answers == "lost":
            self.inbox.append((_unanswered(intent),))
            return
        self.sent.append(intent)
        assert intent.client_order_id not in self.orders, "an id went out twice"
        order = self.orders[intent.client_order_id] = Resting(intent, terms)
        held = self.held(intent.instrument)
        stops = terms.order_type is OrderType.STOP
        refused = self.refuse or (self.refuse_stops if stops else "")
        if not refused and held * intent.side.sign >= 0:
            refused = "reduce-only order would increase the position"
        resting = any(o.report is OrderReport.WORKING and o is not order for o in self.all())
        if not refused and self.resting_blocks and not stops and resting:
            refused = "ReduceOnly Order Failed: resting reduce-only orders hold the position"
        if refused:
            order.report, order.reason = OrderReport.REJECTED, refused
            self.tell(OrderReported(venue=VENUE, row=order.row))
        elif self.answers == "timeout":
            self.work(order, now)
            self.inbox.clear()
            self.inbox.append((_unanswered(intent),))
        else:
            self.tell(OrderReported(venue=VENUE, row=order.row))
            self.work(order, now)

    def all(self) -> list[Resting]:
        return list(self.orders.values())

    def work(self, order: Resting, now: datetime) -> None:
        """Fill what the market gives the order; an immediate one is over after that."""
        intent, terms = order.intent, order.terms
        quote = self.quotes.get(intent.instrument.ref)
        touch = None if quote is None else quote.bid if intent.side is Side.SELL else quote.ask
        if touch is None or order.report is not OrderReport.WORKING or self.answers == "silent":
            return
        at = D(touch)
        limit = terms.stop_price if terms.order_type is OrderType.STOP else terms.limit_price
        assert limit is not None
        waits = terms.order_type is OrderType.STOP
        reached = (limit - at) * intent.side.sign * (-1 if waits else 1) >= 0
        if reached:
            held = abs(self.held(intent.instrument))
            part = min(order.left, held, *(() if self.depth is None else (self.depth,)))
            if part:
                self.fill(order, part, at, now)
        if terms.time_in_force is TimeInForce.IOC and order.report is OrderReport.WORKING:
            order.report = OrderReport.CANCELLED
            self.tell(OrderReported(venue=VENUE, row=order.row))

    def fill(self, order: Resting, quantity: Decimal, at: Decimal, now: datetime) -> None:
        intent = order.intent
        order.filled += quantity
        if not order.left:
            order.report = OrderReport.FILLED
        execution = self.execute(
            intent.instrument,
            quantity * intent.side.sign,
            at,
            now,
            origin=ExecutionOrigin.OURS,
            client_order_id=intent.client_order_id,
        )
        self.tell(ExecutionReported(venue=VENUE, execution=execution))
        self.tell(self.position_row(intent.instrument))
        self.tell(OrderReported(venue=VENUE, row=order.row))

    def execute(
        self,
        instrument: object,
        signed: Decimal,
        at: Decimal,
        now: datetime,
        *,
        origin: ExecutionOrigin,
        client_order_id: str | None = None,
        execution_id: str = "",
        fee: Decimal = Decimal(0),
    ) -> Execution:
        assert isinstance(instrument, Perpetual)
        execution = Execution(
            execution_id=execution_id or f"x{len(self.executions)}",
            account=ACCOUNT,
            instrument=instrument,
            side=Side.BUY if signed > 0 else Side.SELL,
            quantity=abs(signed),
            price=at,
            at=now,
            origin=origin,
            client_order_id=client_order_id,
            fee=fee,
        )
        self.executions.append(execution)
        self.positions[instrument] = self.positions.get(instrument, Decimal(0)) + signed
        return execution

    def cancel(self, client_order_id: str) -> None:
        self.cancels.append(client_order_id)
        order = self.orders.get(client_order_id)
        if self.deaf_to_cancels or self.answers != "told":
            return
        if order is not None and order.report is OrderReport.WORKING:
            order.report = OrderReport.CANCELLED
            self.tell(OrderReported(venue=VENUE, row=order.row))

    def tell(self, *facts: Fact) -> None:
        if self.answers != "silent":
            self.inbox.append(facts)

    def held(self, instrument: object) -> Decimal:
        assert isinstance(instrument, Perpetual)
        return self.positions.get(instrument, Decimal(0))

    def position_row(self, instrument: object) -> PositionReported:
        assert isinstance(instrument, Perpetual)
        row = PositionRow(
            account=ACCOUNT,
            instrument=instrument,
            quantity=self.positions.get(instrument, Decimal(0)),
            average_cost=Decimal(100),
        )
        return PositionReported(venue=VENUE, row=row)

    def snapshot(self, now: datetime) -> BookSnapshot:
        return BookSnapshot(
            venue=VENUE,
            asked_at=now,
            accounts=(ACCOUNT,),
            positions=tuple(self.position_row(i).row for i, q in self.positions.items() if q),
            executions=tuple(self.executions),
            orders=tuple(order.row for order in self.orders.values()),
        )

    def working(self, purpose: Purpose | None = None) -> list[Resting]:
        return [
            o
            for o in self.all()
            if o.report is OrderReport.WORKING and purpose in (None, o.intent.purpose)
        ]


def _unanswered(intent: PlaceOrder) -> OrderUnanswered:
    return OrderUnanswered(client_order_id=intent.client_order_id, reason="timed out")


class Crashed(Exception):
    """The engine was killed where the test wanted it."""


class World:
    """batches: the journal. crash_at: after how many commits the engine dies, before or after it
    acts on the last of them."""

    def __init__(
        self,
        *managers: ManagerSettings,
        held: dict[Perpetual, Decimal] | None = None,
        armed: bool = True,
        quoted: bool = True,
        asks_answered: bool = True,
        executions: tuple[Execution, ...] = (),
    ) -> None:
        self.now = START
        self.desk = Desk()
        self.exchange = Exchange(positions=dict(held or {}), executions=list(executions))
        self.batches: list[tuple[datetime, tuple[Fact, ...]]] = []
        self.orders: list[PlaceOrder] = []
        self.alerts: list[RaiseAlert] = []
        self.lines: list[WriteLine] = []
        self.answers: list[Answer] = []
        self.asked: list[AskVenue] = []
        self.asks_answered = asks_answered
        self.crash_at: int | None = None
        self.crash_before_acting = False
        self._pumping = False
        self.tell(
            EngineStarted(version="test", mode="paper"),
            ConfigApplied(armed=armed, options=None, strategies=(), managers=managers),
        )
        self.describe(BTC, ETH)
        self.connect()
        if quoted:
            self.quote(100)
            self.quote(100, instrument=ETH)

    # --- the engine ------------------------------------------------------------------------------

    def tell(self, *facts: Fact) -> Outcome:
        """Do what the service does with a batch: apply, price, commit, act."""
        outcome = self.desk.apply(facts, self.now)
        commits = [outcome.facts] if outcome.facts else []
        intents = outcome.intents
        terms = [self._price(order) for order in self.desk.awaiting_price()]
        out = [t for t in terms if isinstance(t, OrderPriced)]
        if terms:
            second = self.desk.apply(terms, self.now)
            if second.facts:
                commits.append(second.facts)
            intents += second.intents
        for order in out:
            self._check(self.desk.floor.orders[order.client_order_id])
        self.batches += [(self.now, commit) for commit in commits]
        self.answers += outcome.answers
        dies = self.crash_at is not None and len(self.batches) >= self.crash_at
        if commits and dies and self.crash_before_acting:
            raise Crashed
        for order_terms in out:
            intent = self.desk.floor.orders[order_terms.client_order_id].intent
            self.orders.append(intent)
            self.exchange.place(intent, order_terms, self.now)
        self._act(intents)
        if commits and dies:
            raise Crashed
        self.pump()
        return outcome

    def _price(self, order: Order) -> Fact:
        spec = self.desk.floor.spec(VENUE, order.intent.instrument)
        quote = self.exchange.quotes.get(order.intent.instrument.ref)
        return price(
            order.intent, quote, spec or ContractSpec(ref=order.intent.instrument.ref), self.now
        )

    def _check(self, order: Order) -> None:
        intent = order.intent
        held = self.desk.floor.book(VENUE).effective(intent.account, intent.instrument.ref)
        assert intent.reduce_only
        assert held * intent.side.sign < 0, "a close goes against the position"
        assert intent.quantity <= abs(held), "a close is never larger than the position"
        closes = [
            o
            for o in self.desk.floor.orders.values()
            if o.blocks
            and not o.intent.purpose.is_resting
            and o.intent.instrument == intent.instrument
        ]
        assert len(closes) <= 1, "one close of an instrument is out at a time"
        stops = [
            o
            for o in self.desk.floor.orders.values()
            if o.blocks
            and o.intent.purpose is Purpose.RESIDENT_STOP
            and o.intent.strategy_id == intent.strategy_id
        ]
        spot = (VENUE, intent.account, intent.instrument.ref)
        peers = self.desk.perps.guards.open_at(spot)
        closing = sum(guard.left for guard in peers if guard.state is GuardState.CLOSING)
        beside = intent.purpose is not Purpose.RESIDENT_STOP and abs(held) <= closing
        assert len(stops) <= 1
        assert beside or len(stops) == (intent.purpose is Purpose.RESIDENT_STOP), (
            "a stop and its close could sell what is to stay"
        )

    def _act(self, intents: tuple[Intent, ...]) -> None:
        for intent in intents:
            match intent:
                case CancelOrder():
                    self.exchange.cancel(intent.client_order_id)
                case RaiseAlert():
                    self.alerts.append(intent)
                case AskVenue():
                    self.asked.append(intent)
                    if self.asks_answered:
                        self.exchange.inbox.append(())
                case WriteLine():
                    self.lines.append(intent)
                case PlaceOrder():
                    pass

    def pump(self) -> None:
        """Tell the desk what the exchange has to say, until it has nothing more."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self.exchange.inbox:
                batch = self.exchange.inbox.pop(0)
                facts = batch or (self.exchange.snapshot(self.now),)
                self.now += timedelta(milliseconds=1)
                self.tell(*facts)
        finally:
            self._pumping = False

    def later(self, seconds: float) -> None:
        """Let time pass, waking the desk at every deadline it asked for."""
        end = self.now + timedelta(seconds=seconds)
        while (due := self.desk.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.tell(DeadlinePassed())
        self.now = max(self.now, end)

    def connect(self) -> None:
        snapshot = self.exchange.snapshot(self.now)
        self.now += timedelta(milliseconds=1)
        self.tell(snapshot, VenueChanged(venue=VENUE, state=READY))

    def disconnect(self) -> None:
        self.tell(VenueChanged(venue=VENUE, state=VenueState.DOWN, detail="no link"))

    def replayed(self) -> Desk:
        again = Desk()
        for at, facts in self.batches:
            again.apply(facts, at)
        return again

    def restart(self) -> None:
        """Start again from the journal; what the exchange had not told yet is lost."""
        self.crash_at, self._pumping = None, False
        self.exchange.inbox.clear()
        self.desk = self.replayed()
        self.now += timedelta(seconds=3)
        self.tell(EngineStarted(version="test", mode="paper"))
        self.connect()

    # --- the market and the venue ----------------------------------------------------------------

    def describe(self, *instruments: Perpetual) -> None:
        cent = (PriceStep(from_price=Decimal(0), increment=D("0.01")),)
        self.tell(
            *(
                ContractDescribed(
                    venue=VENUE,
                    spec=ContractSpec(ref=i.ref, quantity_step=STEP, price_steps=cent),
                )
                for i in instruments
            )
        )

    def quote(
        self, bid: float | None, ask: float | None = None, *, instrument: Perpetual = BTC
    ) -> None:
        """The market moves; one price stands for both sides."""
        shown = Quote(bid=bid, ask=bid if ask is None else ask, last=None, at=self.now)
        self.exchange.quotes[instrument.ref] = shown
        for order in self.exchange.working():
            if order.intent.instrument == instrument:
                self.exchange.work(order, self.now)
        fired = self.desk.quote(VENUE, instrument.ref, shown)
        if fired or any(True for _ in self.desk.awaiting_price()):
            self.tell(*fired)
        self.pump()

    def happens(
        self,
        origin: ExecutionOrigin,
        signed: float | Decimal,
        *,
        at: float | Decimal = 100,
        instrument: Perpetual = BTC,
        execution_id: str = "",
        fee: str = "0",
        told: bool = True,
        row: bool = True,
    ) -> Execution:
        """Somebody else's execution at our account; told with its row, or with none of them."""
        execution = self.exchange.execute(
            instrument,
            D(signed),
            D(at),
            self.now,
            origin=origin,
            execution_id=execution_id,
            fee=D(fee),
        )
        if told:
            facts: list[Fact] = [ExecutionReported(venue=VENUE, execution=execution)]
            if row:
                facts.append(self.exchange.position_row(instrument))
            self.tell(*facts)
        return execution

    def assigned(self, signed: float | Decimal, **more: Any) -> Execution:
        return self.happens(ExecutionOrigin.ASSIGNEE, signed, **more)

    def row(self, instrument: Perpetual = BTC) -> None:
        """The position row as it stands, alone."""
        self.tell(self.exchange.position_row(instrument))

    # --- people ----------------------------------------------------------------------------------

    def guard(self, *, instrument: Perpetual = BTC, **barriers: Any) -> Answer:
        given: dict[str, Any] = {k: D(v) if isinstance(v, str) else v for k, v in barriers.items()}
        self.tell(
            GuardRequested(
                request_id=f"g{len(self.answers)}",
                venue=VENUE,
                account=ACCOUNT,
                ref=instrument.ref,
                barriers=BarrierSettings(**given),
                by="me",
            )
        )
        return self.answers[-1]

    def release(self, barrier_id: str) -> Answer:
        name = f"r{len(self.answers)}"
        self.tell(GuardReleased(request_id=name, barrier_id=barrier_id, by="me"))
        return self.answers[-1]

    def close(self, what: str | None = None) -> Answer:
        name = f"c{len(self.answers)}"
        self.tell(CloseRequested(request_id=name, strategy_id=what, emergency=True, by="me"))
        return self.answers[-1]

    # --- looking ---------------------------------------------------------------------------------

    def sent(self) -> list[str]:
        return [_order(intent) for intent in self.orders]

    def closes(self) -> list[str]:
        return [_order(o) for o in self.orders if o.purpose is not Purpose.RESIDENT_STOP]

    def held(self, instrument: Perpetual = BTC) -> Decimal:
        return self.exchange.positions.get(instrument, Decimal(0))

    def picture(self, desk: Desk | None = None) -> Snapshot:
        quotes = {(VENUE, ref): quote for ref, quote in self.exchange.quotes.items()}
        return picture(
            desk or self.desk,
            now=self.now,
            mode="paper",
            started_at=START,
            venues=(),
            quotes=quotes,
        )

    def events(self) -> list[AssignmentView]:
        return list(self.picture().assignments)

    def barrier(self, number: int = 0) -> BarrierView:
        return self.picture().barriers[number]

    def barrier_count(self) -> int:
        return len(self.picture().barriers)


def still(view: BarrierView) -> BarrierView:
    """A barrier without what only quotes tell of its trailing stop."""
    return replace(view, trailing=None, reason="", mark_price=None, gross=None, net=None)


def _order(intent: PlaceOrder) -> str:
    return f"{intent.side} {intent.quantity:f} {intent.instrument.name}"


READY = VenueState.READY
