"""A desk with the owner's three sets at a spot exchange, and short words to tell it what happens.

What the desk decides is journaled batch by batch, then sent; the exchange's answers wait in
`answers` until they are delivered. A world can be killed at any commit and started again.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.allocation.picture import allocation
from engine.desk.desk import Desk, Outcome
from engine.desk.facts import (
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    EngineStarted,
    Fact,
    OrderPriced,
    OrderUnanswered,
    SignalKind,
    SignalRaised,
    VenueChanged,
    VenueState,
)
from engine.desk.intents import (
    AskVenue,
    CancelOrder,
    Intent,
    PlaceOrder,
    Purpose,
    RaiseAlert,
    WriteLine,
)
from engine.desk.pricing import price
from engine.desk.snapshot import AllocationSetView, AllocationView
from tests.engine.desk.allocation.spot_exchange import NOON, VENUE, SpotExchange

MINUTE = timedelta(minutes=1)
PRICES = {"BTCUSDT": Decimal(50000), "ETHUSDT": Decimal(2500), "BNBUSDT": Decimal(500)}


def parameters(symbol: str, percent: str, threshold: str, profit: str, stop: str) -> ParameterSet:
    return ParameterSet(
        symbol=symbol,
        allocation_percent=Decimal(percent),
        z_score_threshold=Decimal(threshold),
        profit_percent=Decimal(profit),
        stop_loss_percent=Decimal(stop),
    )


OWNERS = (
    parameters("BTCUSDT", "33.3", "5.0", "15.0", "2"),
    parameters("BNBUSDT", "33.3", "7.0", "20.0", "30"),
    parameters("ETHUSDT", "33.3", "6.0", "22.0", "6"),
)


class Killed(Exception):
    """The engine died at this commit."""


class SpotWorld:
    """journal: what was committed, (at, facts) a batch. sent: orders that left the engine.

    lose: purposes whose next order reaches the exchange and is never answered; vanish: whose next
    order never gets there. kill_at: the commit to die at, and whether before or after it.
    """

    def __init__(
        self,
        *,
        exchange: SpotExchange | None = None,
        sets: Iterable[ParameterSet] = OWNERS,
        armed: bool = True,
        scale_to_full: bool = False,
        prices: dict[str, Decimal] | None = None,
    ) -> None:
        self.now = NOON
        self.exchange = exchange or SpotExchange()
        self.settings = AllocationSettings(
            venue=VENUE, sets=tuple(sets), window=20, scale_to_full=scale_to_full
        )
        self.exchange.prices.update(PRICES if prices is None else prices)
        self._armed = armed
        self.journal: list[tuple[datetime, tuple[Fact, ...]]] = []
        self.answers: deque[Fact] = deque()
        self.sent: list[PlaceOrder] = []
        self.cancels: list[CancelOrder] = []
        self.lines: list[str] = []
        self.alerts: list[RaiseAlert] = []
        self.lose: set[Purpose] = set()
        self.vanish: set[Purpose] = set()
        self.linked = False
        self.commits = 0
        self.kill_at: tuple[int, str] | None = None
        self._newest_bar = NOON - MINUTE
        self.start()

    # --- the engine's life -----------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine: replay the journal, reconcile with the exchange."""
        self.desk = Desk()
        self.linked = False
        self.answers.clear()
        for at, facts in self.journal:
            self.desk.apply(facts, at)
        self.tell(
            EngineStarted(version="test", mode="paper"),
            ConfigApplied(armed=self._armed, options=None, strategies=(), allocation=self.settings),
        )
        self.now += timedelta(milliseconds=5)
        specs = [self.exchange.spec(one.symbol) for one in self.settings.sets]
        self.tell(*(ContractDescribed(venue=VENUE, spec=spec) for spec in specs))
        self.link()

    def configure(self, sets: Iterable[ParameterSet], venue: str = VENUE) -> None:
        """Apply a changed config."""
        self.settings = replace(self.settings, sets=tuple(sets), venue=venue)
        self.tell(
            ConfigApplied(armed=self._armed, options=None, strategies=(), allocation=self.settings)
        )

    def link(self) -> None:
        self.linked = True
        self.now += timedelta(milliseconds=5)
        self.tell(self.exchange.snapshot(self.now))
        self.tell(self.exchange.balance())
        self.tell(VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=True))

    def unlink(self) -> None:
        self.linked = False
        self.answers.clear()
        self.tell(VenueChanged(venue=VENUE, state=VenueState.DOWN, detail="no route"))

    def tell(self, *facts: Fact) -> Outcome:
        """What the service does: decide, price, commit once, send."""
        outcome = self.desk.apply(facts, self.now)
        told, intents = outcome.facts, list(outcome.intents)
        terms = [
            price(order.intent, None, self.exchange.spec(order.intent.instrument.ref), self.now)
            for order in self.desk.awaiting_price()
        ]
        if terms:
            priced = self.desk.apply(terms, self.now)
            intents += priced.intents
        self.check()
        if told:
            self._commit(told, tuple(terms))
        for terms_of in terms:
            assert isinstance(terms_of, OrderPriced)
            self._send(self.desk.floor.orders[terms_of.client_order_id].intent, terms_of)
        for intent in intents:
            self._act(intent)
        return outcome

    def _commit(self, told: tuple[Fact, ...], terms: tuple[Fact, ...]) -> None:
        self.commits += 1
        number, when = self.kill_at or (0, "")
        if self.commits == number and when == "before":
            raise Killed
        self.journal.append((self.now, told))
        if terms:
            self.journal.append((self.now, terms))
        if self.commits == number and when == "after":
            raise Killed

    def _send(self, order: PlaceOrder, terms: OrderPriced) -> None:
        self.sent.append(order)
        if order.purpose in self.vanish or not self.linked:
            self.vanish.discard(order.purpose)
            self.answers.append(
                OrderUnanswered(client_order_id=order.client_order_id, reason="timed out")
            )
            return
        if order.purpose is Purpose.ENTRY:
            spend = order.pricing.spend
            assert spend is not None
            assert spend <= self.exchange.cash, "money was promised that is not there"
        said = list(self.exchange.take(order, terms, self.now))
        if order.purpose in self.lose:
            self.lose.discard(order.purpose)
            said = [OrderUnanswered(client_order_id=order.client_order_id, reason="timed out")]
        self.answers += said

    def _act(self, intent: Intent) -> None:
        match intent:
            case CancelOrder():
                self.cancels.append(intent)
                if self.linked:
                    self.answers += self.exchange.cancel(intent.client_order_id)
            case WriteLine():
                self.lines.append(intent.text)
            case RaiseAlert():
                self.alerts.append(intent)
            case AskVenue():
                self.asked = True
            case PlaceOrder():
                pass

    asked = False

    # --- what happens ----------------------------------------------------------------------------

    def deliver(self, count: int = 10_000) -> None:
        """Tell the desk what the exchange said, each thing by itself, and what that led to."""
        while count and (self.answers or (self.asked and self.linked)):
            self.now += timedelta(milliseconds=5)
            if self.answers:
                self.tell(self.answers.popleft())
            else:
                self.asked = False
                self.tell(self.exchange.snapshot(self.now))
            count -= 1

    def signal(self, symbol: str, z: float = 9.0, *, run: bool = True) -> SignalRaised:
        return self.raise_signal(self.signal_of(symbol, z), run=run)

    def raise_signal(self, fact: SignalRaised, *, run: bool = True) -> SignalRaised:
        self.tell(fact)
        if run:
            self.deliver()
        return fact

    def signal_of(self, symbol: str, z: float) -> SignalRaised:
        # A bar signals once: each signal is of a bar that closed just now, and of another one.
        self._newest_bar = max(self._newest_bar + timedelta(seconds=1), self.now - MINUTE)
        return SignalRaised(
            venue=VENUE,
            symbol=symbol,
            kind=SignalKind.ENTRY if z > 0 else SignalKind.REVERSAL,
            z_score=z,
            price=self.exchange.prices[symbol],
            bar_at=self._newest_bar,
        )

    def move(self, symbol: str, price_now: str | Decimal, part: Decimal = Decimal(1)) -> None:
        said = self.exchange.move(symbol, Decimal(price_now), self.now, part)
        if self.linked:
            self.answers += said
        self.deliver()

    def later(self, seconds: float) -> None:
        """Let time pass, waking the desk at every deadline it asked for."""
        end = self.now + timedelta(seconds=seconds)
        while (due := self.desk.next_deadline()) is not None and due <= end:
            self.now = max(due, self.now)
            self.tell(DeadlinePassed())
            self.deliver()
        self.now = max(end, self.now)

    # --- what is seen ----------------------------------------------------------------------------

    def check(self) -> None:
        """What holds after every fact."""
        ledger = self.desk.allocation.ledger
        assert 0 <= ledger.reserved <= ledger.total
        assert ledger.reserved == sum(c.amount for c in ledger.claims.values() if c.reserved)
        view = allocation(self.desk.allocation, {})
        if view is None:
            return
        together = sum(Decimal(repr(r.reservedAmount)) for r in view.reservations)
        assert together <= Decimal(repr(view.totalBalance)) + Decimal("0.000001")

    @property
    def allocation(self) -> AllocationView:
        view = allocation(self.desk.allocation, {})
        assert view is not None
        return view

    def set(self, symbol: str) -> AllocationSetView:
        return next(one for one in self.allocation.sets if one.symbol == symbol)

    def told(self) -> list[str]:
        """What was sent, in a few words each."""
        return [f"{o.purpose} {o.quantity.normalize():f} {o.instrument.name}" for o in self.sent]

    def of(self, purpose: Purpose) -> list[PlaceOrder]:
        return [order for order in self.sent if order.purpose is purpose]
