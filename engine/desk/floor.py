"""What all desks share: venues, books, orders, alerts, and the outbox of intents.

The floor records; it decides nothing but what it may send at all (the venue is ready and may trade,
the engine is armed, no other close of that instrument is out).
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.desk.books import Book
from engine.desk.facts import AccountReported, OrderRow, VenueState
from engine.desk.instruments import ContractSpec, Instrument
from engine.desk.intents import (
    AskVenue,
    Intent,
    PlaceOrder,
    Purpose,
    RaiseAlert,
    Severity,
    WriteLine,
)
from engine.desk.orders import Order
from engine.desk.snapshot import AccountView, AlertView, OrderState

_URGENCY = {purpose: rank for rank, purpose in enumerate(Purpose)}
_KEPT = 200
_MOST_KEPT = 300
UNANSWERED_AFTER = timedelta(seconds=10)


@dataclass(slots=True)
class VenueStanding:
    """A venue's link as last reported."""

    state: VenueState = VenueState.CONNECTING
    detail: str = ""
    can_trade: bool | None = None
    accounts: tuple[str, ...] = ()
    asked_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether the book is being told: stale quotes do not freeze decisions."""
        return self.state in (VenueState.READY, VenueState.STALE)

    @property
    def may_act(self) -> bool:
        return self.is_live and self.can_trade is not False


@dataclass(slots=True)
class Alert:
    id: str
    severity: Severity
    title: str
    body: str
    at: datetime
    acknowledged: bool = False
    drawn: AlertView | None = None  # as last drawn, for the next picture to take unchanged


@dataclass(slots=True)
class Floor:
    """mode: demo, paper or live, as the engine last started.

    books, standings: venue -> …; specs: (venue, ref) -> …; orders, alerts: id -> …; accounts:
    (venue, account) -> what it is worth.

    live: the orders that may still fill or whose fills are not all known, id -> Order; held: those
    of them that were decided and not sent yet; sending: when each was sent that may not be answered
    yet, the earliest first. Orders put themselves into changed, so that no decision has to look at
    all of them. touched:
    (venue, account, ref) whose rows, fills or orders changed since the rooms last decided. strays:
    orders of our making that a venue has and the journal does not know, id -> row.
    """

    now: datetime
    armed: bool = True
    mode: str = ""
    books: dict[str, Book] = field(default_factory=dict)
    standings: dict[str, VenueStanding] = field(default_factory=dict)
    specs: dict[tuple[str, str], ContractSpec] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    live: dict[str, Order] = field(default_factory=dict)
    held: dict[str, Order] = field(default_factory=dict)
    changed: dict[str, Order] = field(default_factory=dict)
    sending: list[tuple[datetime, int, Order]] = field(default_factory=list)
    sent_count: int = 0
    touched: set[tuple[str, str, str]] = field(default_factory=set)
    strays: dict[str, OrderRow] = field(default_factory=dict)
    accounts: dict[tuple[str, str], AccountView] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    alert_count: int = 0
    outbox: list[Intent] = field(default_factory=list)

    def book(self, venue: str) -> Book:
        return self.books.get(venue) or self.books.setdefault(venue, Book())

    def standing(self, venue: str) -> VenueStanding:
        return self.standings.get(venue) or self.standings.setdefault(venue, VenueStanding())

    def spec(self, venue: str, instrument: Instrument) -> ContractSpec | None:
        return self.specs.get((venue, instrument.ref))

    def blocking(self, venue: str, account: str, ref: str) -> Order | None:
        """The order because of which no other close of this instrument may go out, if any. What
        rests at the venue by design does not count: its room cancels it first where it must."""
        return next(
            (
                order
                for order in self.live.values()
                if order.intent.instrument.ref == ref
                and order.intent.account == account
                and order.intent.venue == venue
                and not order.intent.purpose.is_resting
                and order.blocks
            ),
            None,
        )

    def value(self, told: AccountReported) -> bool:
        """Take what an account is worth; True when it is news."""
        view = AccountView(
            venue=told.venue,
            account=told.account,
            currency=told.currency,
            net_liquidation=told.net_liquidation,
            excess_liquidity=told.excess_liquidity,
            maintenance_margin=told.maintenance_margin,
            at=self.now,
        )
        known = self.accounts.get((told.venue, told.account))
        if known is not None and replace(known, at=self.now) == view:
            return False
        self.accounts[told.venue, told.account] = view
        return True

    def touch(self, venue: str, account: str, instrument: Instrument) -> None:
        self.touched.add((venue, account, instrument.ref))

    def track(self, order: Order) -> None:
        """Keep live true to an order that changed."""
        key = order.intent.client_order_id
        if order.blocks:
            self.live[key] = order
        else:
            self.live.pop(key, None)

    def place(self, intent: PlaceOrder) -> None:
        """Have an order sent; one that the venue has already, from a life whose journal was lost,
        is adopted instead."""
        self.orders.pop(intent.client_order_id, None)
        order = Order(intent=intent, at=self.now, changed=self.changed)
        self.orders[intent.client_order_id] = self.live[intent.client_order_id] = order
        self.held[intent.client_order_id] = order
        self.book(intent.venue).holding(intent.account, intent.instrument).order_sent()
        self.touch(intent.venue, intent.account, intent.instrument)
        stray = self.strays.pop(intent.client_order_id, None)
        if stray is None:
            self.outbox.append(intent)
            return
        order.executed = self.book(intent.venue).executed(intent.client_order_id)
        order.report(stray, self.now)
        self.track(order)

    def forget(self, order: Order) -> None:
        """Drop an order that never was: its id may be used again."""
        self.orders.pop(order.intent.client_order_id, None)
        self.live.pop(order.intent.client_order_id, None)
        self.held.pop(order.intent.client_order_id, None)

    def write(self, text: str, strategy_id: str | None = None) -> None:
        """Write a line to the log and the journal."""
        self.outbox.append(WriteLine(text=text, strategy_id=strategy_id))

    def ask(self, venue: str, reason: str) -> None:
        """Ask for a fresh book, once for all who want it at this instant."""
        standing = self.standing(venue)
        if standing.asked_at == self.now:
            return
        standing.asked_at = self.now
        self.outbox.append(AskVenue(venue=venue, reason=reason))

    def alert(
        self, severity: Severity, title: str, body: str = "", strategy_id: str | None = None
    ) -> None:
        self.alert_count += 1
        alert = Alert(
            id=f"A{self.alert_count}", severity=severity, title=title, body=body, at=self.now
        )
        self.alerts[alert.id] = alert
        self.outbox.append(
            RaiseAlert(
                alert_id=alert.id,
                severity=severity,
                title=title,
                body=body,
                at=self.now,
                strategy_id=strategy_id,
            )
        )

    def drain(self) -> tuple[Intent, ...]:
        """Empty the outbox: orders first, the most urgent before the others."""
        out, self.outbox = self.outbox, []
        out.sort(key=_rank)
        return tuple(out)

    def lose_silent_orders(self) -> None:
        """Orders the venue has not answered in time are of unknown fate: ask for them."""
        while self.sending and self.now - self.sending[0][0] >= UNANSWERED_AFTER:
            _, _, order = heapq.heappop(self.sending)
            if self._awaits_answer(order):
                order.lose("the venue has not answered", self.now)
                self.ask(order.intent.venue, "an order was not answered")

    def deadlines(self) -> Iterator[datetime]:
        while self.sending and not self._awaits_answer(self.sending[0][2]):
            heapq.heappop(self.sending)
        if self.sending:
            yield self.sending[0][0] + UNANSWERED_AFTER

    def _awaits_answer(self, order: Order) -> bool:
        known = self.orders.get(order.intent.client_order_id)
        return known is order and order.state is OrderState.SENDING

    def settle(self) -> None:
        """End a decision: nothing is touched any more, and what is finished and old is forgotten.

        The oldest finished orders and acknowledged alerts go first.
        """
        self.touched.clear()
        self._sort_changed()
        finished = len(self.orders) - len(self.live)
        if len(self.orders) > _MOST_KEPT and finished > _MOST_KEPT - _KEPT:
            done = [key for key in self.orders if key not in self.live]
            for key in done[: len(self.orders) - _KEPT]:
                del self.orders[key]
        if len(self.alerts) <= _MOST_KEPT:
            return
        settled = [key for key, alert in self.alerts.items() if alert.acknowledged]
        settled += [key for key in self.alerts if key not in settled]
        for key in settled[: max(0, len(self.alerts) - _KEPT)]:
            del self.alerts[key]

    def _sort_changed(self) -> None:
        """Put the orders that changed where they belong now."""
        for key, order in self.changed.items():
            if self.orders.get(key) is not order:
                continue
            if not order.blocks:
                self.live.pop(key, None)
            if order.state is OrderState.HELD:
                self.held[key] = order
            else:
                self.held.pop(key, None)
            if order.state is OrderState.SENDING:
                self.sent_count += 1
                heapq.heappush(self.sending, (self.now, self.sent_count, order))
        self.changed.clear()


def urgency(order: PlaceOrder) -> int:
    """Which place an order takes among those that go out together; the smallest goes first."""
    return _URGENCY[order.purpose]


def _rank(intent: Intent) -> int:
    if isinstance(intent, PlaceOrder):
        return urgency(intent)
    return len(_URGENCY) + isinstance(intent, RaiseAlert)
