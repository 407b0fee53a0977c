"""A desk with the condor of the design in one account, and short words to tell it what happens."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from engine.desk.desk import Desk, Outcome
from engine.desk.facts import (
    BookSnapshot,
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    EngineStarted,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    Fact,
    OrderPriced,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderUnpriced,
    PositionReported,
    PositionRow,
    Side,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import ContractSpec, Instrument, OptionContract, Right, Session, Stock
from engine.desk.intents import AskVenue, CancelOrder, PlaceOrder, RaiseAlert
from engine.desk.market import Quote
from engine.desk.options.definitions import LegDefinition, OptionSettings, StrategyDefinition
from engine.desk.picture import picture
from engine.desk.pricing import price
from engine.desk.snapshot import Snapshot

VENUE, ACCOUNT = "ibkr", "DU1234567"
NIGHT = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
"""02:30 in New York on a Tuesday, before options and stock trade."""
MORNING = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
"""09:30 in New York, the opening of both."""
EXPIRY = date(2026, 12, 18)

SPY = Stock(ref="756733", symbol="SPY")


def option(right: str, strike: int, ref: str) -> OptionContract:
    return OptionContract(
        ref=ref, underlying="SPY", right=Right(right), strike=Decimal(strike), expiry=EXPIRY
    )


P440, P435 = option("P", 440, "1001"), option("P", 435, "1002")
C460, C465 = option("C", 460, "1003"), option("C", 465, "1004")
CONDOR = {P440: Decimal(-2), P435: Decimal(2), C460: Decimal(-2), C465: Decimal(2)}


def definition(
    strategy_id: str = "SPY-IC-1",
    kind: str = "iron_condor",
    legs: dict[OptionContract, Decimal] | None = None,
    shares: int = 0,
    account: str | None = None,
    underlying: str = "SPY",
) -> StrategyDefinition:
    return StrategyDefinition(
        id=strategy_id,
        kind=kind,
        venue=VENUE,
        account=account,
        underlying=underlying,
        shares=Decimal(shares),
        legs=tuple(
            LegDefinition(
                right=contract.right,
                strike=contract.strike,
                expiry=contract.expiry,
                quantity=quantity,
            )
            for contract, quantity in (CONDOR if legs is None else legs).items()
        ),
    )


class World:
    """Feeds a desk; keeps every intent. Stock trades round the clock here unless said otherwise,
    options in their regular session only."""

    def __init__(
        self,
        *,
        now: datetime = NIGHT,
        held: dict[Instrument, Decimal] | None = None,
        strategies: tuple[StrategyDefinition, ...] | None = None,
        accounts: tuple[str, ...] = (ACCOUNT,),
        armed: bool = True,
        settings: OptionSettings | None = None,
    ) -> None:
        self.now = now
        self.desk = Desk()
        self.book: dict[tuple[str, Instrument], Decimal] = {
            (ACCOUNT, i): q for i, q in (CONDOR if held is None else held).items()
        }
        self.accounts = accounts
        self.batches: list[tuple[datetime, tuple[Fact, ...]]] = []
        self.orders: list[PlaceOrder] = []
        self.alerts: list[RaiseAlert] = []
        self.cancels: list[CancelOrder] = []
        self.asked = 0
        self.unquoted: set[str] = set()
        self._executions: list[Execution] = []
        self.tell(
            EngineStarted(version="test", mode="paper"),
            ConfigApplied(
                armed=armed,
                options=settings or OptionSettings(venue=VENUE),
                strategies=(definition(),) if strategies is None else strategies,
            ),
        )
        known = dict.fromkeys((*CONDOR, SPY, *(i for _, i in self.book)))
        self.tell(*(ContractDescribed(venue=VENUE, spec=self.spec(i)) for i in known))
        self.connect()

    def spec(self, instrument: Instrument) -> ContractSpec:
        week = [MORNING + timedelta(days=n) for n in range(-1, 30)]
        regular = tuple(
            Session(opens_at=at, closes_at=at + timedelta(hours=6.5))
            for at in week
            if at.weekday() < 5
        )
        always = (
            Session(opens_at=self.now - timedelta(days=9), closes_at=self.now + timedelta(days=60)),
        )
        trading = always if isinstance(instrument, Stock) else regular
        return ContractSpec(ref=instrument.ref, trading=trading, liquid=regular)

    def tell(self, *facts: Fact) -> Outcome:
        outcome = self.desk.apply(facts, self.now)
        self._keep(outcome)
        priced = [self._terms(order.intent) for order in self.desk.awaiting_price()]
        if priced:
            self._keep(self.desk.apply(priced, self.now))
        return outcome

    def _terms(self, order: PlaceOrder) -> OrderPriced | OrderUnpriced:
        """Price an order: stock at 450, options at 1.00, nothing that is unquoted."""
        quote = None
        if order.instrument.ref not in self.unquoted:
            ask = 450.0 if isinstance(order.instrument, Stock) else 1.0
            quote = Quote.of(at=self.now, bid=ask * 0.95, ask=ask)
        return price(order, quote, self.spec(order.instrument), self.now)

    def _keep(self, outcome: Outcome) -> None:
        if outcome.facts:
            self.batches.append((self.now, outcome.facts))
        for intent in outcome.intents:
            if isinstance(intent, PlaceOrder):
                held = self.desk.floor.book(VENUE).effective(intent.account, intent.instrument.ref)
                assert held * intent.side.sign < 0, "a close goes against the position"
                assert intent.quantity <= abs(held), "a close is never larger than the position"
                self.orders.append(intent)
            elif isinstance(intent, RaiseAlert):
                self.alerts.append(intent)
            elif isinstance(intent, CancelOrder):
                self.cancels.append(intent)
            elif isinstance(intent, AskVenue):
                self.asked += 1

    def later(self, seconds: float) -> None:
        """Let time pass, waking the desk at every deadline it asked for."""
        end = self.now + timedelta(seconds=seconds)
        while (due := self.desk.next_deadline()) is not None and due <= end:
            self.now = due
            self.tell(DeadlinePassed())
        self.now = end

    def connect(self) -> None:
        self.tell(self.snapshot(), VenueChanged(venue=VENUE, state=VenueState.READY))

    def snapshot(self, orders: tuple[OrderRow, ...] = ()) -> BookSnapshot:
        return BookSnapshot(
            venue=VENUE,
            asked_at=self.now,
            accounts=self.accounts,
            positions=tuple(
                PositionRow(account=account, instrument=i, quantity=q)
                for (account, i), q in self.book.items()
                if q
            ),
            executions=tuple(self._executions),
            orders=orders,
        )

    def row(self, instrument: Instrument, quantity: int, account: str = ACCOUNT) -> None:
        """A live position row: what is held now."""
        self.book[(account, instrument)] = Decimal(quantity)
        self.tell(self.row_fact(instrument, quantity, account))

    def row_fact(
        self, instrument: Instrument, quantity: int, account: str = ACCOUNT
    ) -> PositionReported:
        self.book[(account, instrument)] = Decimal(quantity)
        row = PositionRow(account=account, instrument=instrument, quantity=Decimal(quantity))
        return PositionReported(venue=VENUE, row=row)

    def trade(
        self,
        instrument: Instrument,
        signed: int,
        *,
        origin: ExecutionOrigin = ExecutionOrigin.HAND,
        client_order_id: str | None = None,
        execution_id: str | None = None,
        revision: int = 1,
        told: bool = True,
    ) -> Execution:
        execution = Execution(
            execution_id=execution_id or f"x{len(self._executions)}",
            revision=revision,
            account=ACCOUNT,
            instrument=instrument,
            side=Side.BUY if signed > 0 else Side.SELL,
            quantity=Decimal(abs(signed)),
            price=Decimal("1.00"),
            at=self.now,
            origin=origin,
            client_order_id=client_order_id,
        )
        self._executions.append(execution)
        if told:
            self.tell(ExecutionReported(venue=VENUE, execution=execution))
        return execution

    def fill(self, order: PlaceOrder, quantity: Decimal | None = None) -> None:
        """Fill one of our orders: acknowledgement, execution, row, status."""
        part = order.quantity if quantity is None else quantity
        signed = int(part) * order.side.sign
        key = (order.account, order.instrument)
        self.trade(
            order.instrument,
            signed,
            origin=ExecutionOrigin.OURS,
            client_order_id=order.client_order_id,
        )
        self.row(order.instrument, int(self.book.get(key, Decimal(0))) + signed)
        if part == order.quantity:
            self.report(order, OrderReport.FILLED, part)

    def report(
        self, order: PlaceOrder, report: OrderReport, filled: Decimal = Decimal(0), reason: str = ""
    ) -> None:
        row = OrderRow(
            client_order_id=order.client_order_id,
            venue_order_id="1",
            report=report,
            filled=filled,
            reason=reason,
        )
        self.tell(OrderReported(venue=VENUE, row=row))

    def fill_all(self) -> list[str]:
        """Fill what is sent until nothing more comes; the orders in the order they were sent."""
        done = 0
        while done < len(self.orders):
            order = self.desk.floor.orders.get(self.orders[done].client_order_id)
            if order is not None and not order.is_terminal:
                self.fill(self.orders[done])
            done += 1
        return self.sent()

    def sent(self) -> list[str]:
        return [f"{o.side} {o.quantity:f} {o.instrument.name}" for o in self.orders]

    def picture(self) -> Snapshot:
        return picture(
            self.desk, now=self.now, mode="paper", started_at=NIGHT, venues=(), quotes={}
        )
