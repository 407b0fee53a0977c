"""The pure core: facts in, intents out.

Desk.apply takes what happened together as one batch and decides once, after all of it is in the
books. Same batches at the same instants give the same intents, so a journal replayed is the state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

from engine.desk.allocation.desk import AllocationDesk
from engine.desk.facts import (
    AccountReported,
    AlertAcknowledged,
    AlertChannelReported,
    ArmedChanged,
    BalanceReported,
    BarrierFired,
    BookSnapshot,
    CloseRequested,
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    EngineStarted,
    Execution,
    ExecutionReported,
    Fact,
    GuardReleased,
    GuardRequested,
    MarketFact,
    OrderPreviewed,
    OrderPriced,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderUnanswered,
    OrderUnpriced,
    PositionReported,
    PositionRow,
    ResetRequested,
    SignalRaised,
    TrailingMoved,
    VenueChanged,
    VenueState,
    VenueWarned,
)
from engine.desk.floor import Floor, urgency
from engine.desk.intents import Intent, Purpose, Severity
from engine.desk.market import Bar, Quote
from engine.desk.options.desk import OptionsDesk
from engine.desk.orders import Order, is_ours
from engine.desk.perps.desk import PerpsDesk
from engine.desk.room import Room
from engine.desk.snapshot import OrderState

_AT_ONCE = timedelta(microseconds=1)
_CALM = (
    DeadlinePassed,
    ContractDescribed,
    AccountReported,
    VenueWarned,
    AlertAcknowledged,
    AlertChannelReported,
)
"""What moves nothing that is held or being closed: the options room need not be done with new
ground before it is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request led to, in words for the person who made it."""

    request_id: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a batch came to: the facts that were news (only these are journaled), what must be done,
    and the answers to requests among them."""

    facts: tuple[Fact, ...] = ()
    intents: tuple[Intent, ...] = ()
    answers: tuple[Answer, ...] = ()


class Desk:
    def __init__(self) -> None:
        # Before every instant: a journal is replayed at the instants it was lived at.
        self.floor = Floor(now=datetime.min.replace(tzinfo=UTC))
        self.options = OptionsDesk(self.floor)
        self.perps = PerpsDesk(self.floor)
        self.allocation = AllocationDesk(self.floor)
        self._rooms: tuple[Room, ...] = (self.options, self.perps, self.allocation)
        self._room_of: dict[Purpose, Room] = {
            Purpose.FLATTEN_SHARES: self.options,
            Purpose.BUY_BACK_SHORT: self.options,
            Purpose.SELL_LONG: self.options,
            Purpose.CLOSE_ASSIGNED: self.perps,
            Purpose.BARRIER_EXIT: self.perps,
            Purpose.RESIDENT_STOP: self.perps,
            Purpose.ENTRY: self.allocation,
            Purpose.BRACKET: self.allocation,
            Purpose.SELL_POSITION: self.allocation,
        }
        self.config: ConfigApplied | None = None
        self._answers: list[Answer] = []

    def apply(self, batch: Iterable[Fact], now: datetime) -> Outcome:
        """Take facts that happened together, then decide. now never goes back."""
        self.floor.now = max(now, self.floor.now)
        batch = tuple(batch)
        hurried = self.options.is_behind and any(type(one) not in _CALM for one in batch)
        if hurried:
            self.options.catch_up()
        # What made it go on is journaled even if it is no news: a replay must go on there too.
        news = tuple([fact for fact in batch if self._take(fact) or hurried])
        if not news:
            return Outcome()
        self._decide()
        answers, self._answers = tuple(self._answers), []
        return Outcome(facts=news, intents=self.floor.drain(), answers=answers)

    def _decide(self) -> None:
        self.floor.lose_silent_orders()
        for room in self._rooms:
            room.decide()
        self.floor.settle()

    @property
    def is_behind(self) -> bool:
        """Whether something was put off to the next deadline, so that no turn is long."""
        return self.options.is_behind

    def next_deadline(self) -> datetime | None:
        """The next instant at which time alone may change a decision; feed DeadlinePassed then."""
        now = self.floor.now
        if self.is_behind:
            return now + _AT_ONCE
        times = [at for room in self._rooms for at in room.deadlines() if at > now]
        times += [at for at in self.floor.deadlines() if at > now]
        return min(times, default=None)

    def awaiting_price(self) -> Sequence[Order]:
        """Orders that are decided and have no price yet, most urgent first."""
        held = [o for o in self.floor.held.values() if o.state is OrderState.HELD]
        if len(held) > 1:
            held.sort(key=lambda order: urgency(order.intent))
        return held

    def quote(self, venue: str, ref: str, quote: Quote) -> tuple[MarketFact, ...]:
        """Show a quote to those who wait for one; what it led to is to be applied as facts."""
        return self.perps.quote(venue, ref, quote)

    def unseen(self) -> tuple[tuple[str, str], ...]:
        """Give, once, the (venue, ref) of barriers that are to be shown the quote that stands."""
        return self.perps.unseen()

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> tuple[MarketFact, ...]:
        """Show closed bars, oldest first; what they led to is to be applied as facts."""
        return self.allocation.bars(venue, ref, bars)

    # --- taking facts ----------------------------------------------------------------------------

    def _take(self, fact: Fact) -> bool:
        """Put a fact into the books; True when it was news."""
        floor = self.floor
        match fact:
            case VenueChanged():
                return self._venue_changed(fact)
            case BookSnapshot():
                return self._book_snapshot(fact)
            case PositionReported():
                return self._row(fact.venue, fact.row, floor.now)
            case ExecutionReported():
                return self._execution(fact.venue, fact.execution)
            case OrderReported():
                return self._order_row(fact.row)
            case ContractDescribed():
                key = (fact.venue, fact.spec.ref)
                known = floor.specs.get(key)
                floor.specs[key] = fact.spec
                return known != fact.spec
            case VenueWarned():
                severity = Severity.CRITICAL if fact.critical else Severity.WARNING
                floor.alert(severity, f"{fact.venue}: {fact.text}", f"Code {fact.code}.")
                return True
            case OrderPriced() | OrderUnpriced() | OrderUnanswered():
                return self._order_fate(fact)
            case AccountReported():
                return floor.value(fact)
            case OrderPreviewed():
                return self.options.previewed(fact)
            case EngineStarted():
                floor.mode = fact.mode
                self._started()
                return True
            case ConfigApplied():
                return self._configure(fact)
            case ArmedChanged():
                self._arm(fact)
                return True
            case BarrierFired():
                return self.perps.fired(fact)
            case TrailingMoved():
                return self.perps.trailing_moved(fact)
            case SignalRaised():
                return self.allocation.signal(fact)
            case BalanceReported():
                return self.allocation.balance(fact)
            case CloseRequested():
                self._close(fact)
                return True
            case GuardRequested():
                self._answer(fact.request_id, *self.perps.guard(fact))
                return True
            case GuardReleased():
                self._answer(fact.request_id, *self.perps.release(fact))
                return True
            case ResetRequested():
                self._answer(fact.request_id, *self.allocation.reset(fact))
                return True
            case AlertAcknowledged():
                return self._acknowledge(fact)
            case AlertChannelReported():
                self._channel(fact)
                return True
            case DeadlinePassed():
                return True
            case _:
                assert_never(fact)

    def _venue_changed(self, fact: VenueChanged) -> bool:
        standing = self.floor.standing(fact.venue)
        before = (standing.state, standing.detail, standing.can_trade)
        can_trade = standing.can_trade if fact.can_trade is None else fact.can_trade
        if before == (fact.state, fact.detail, can_trade):
            return False
        was_live = standing.is_live
        standing.state, standing.detail, standing.can_trade = fact.state, fact.detail, can_trade
        if was_live and not standing.is_live:
            self.floor.alert(
                Severity.WARNING,
                f"{fact.venue}: link lost, decisions are frozen",
                fact.detail,
            )
        if standing.is_live and not was_live:
            for room in self._rooms:
                room.venue_returned(fact.venue)
        if can_trade is False and before[2] is not False:
            self.floor.alert(
                Severity.CRITICAL, f"{fact.venue} cannot act", fact.detail or "Orders are refused."
            )
        return True

    def _book_snapshot(self, fact: BookSnapshot) -> bool:
        floor, book = self.floor, self.floor.book(fact.venue)
        standing = floor.standing(fact.venue)
        news = not book.known or standing.accounts != fact.accounts or book.doubts_emptiness
        standing.accounts = fact.accounts
        for execution in fact.executions:
            news = self._execution(fact.venue, execution) or news
        if not book.known:
            book.adopt(fact)
        listed = set()
        for row in fact.orders:
            listed.add(row.client_order_id)
            news = self._order_row(row) or self._stray(row) or news
        for order in list(floor.live.values()):
            if order.intent.venue == fact.venue:
                news = True
                self._reconcile_order(order, fact, order.intent.client_order_id in listed)
        for position in book.rows_of(fact):
            news = self._row(fact.venue, position, fact.asked_at) or news
        for holding in book.reconcile(fact.asked_at, floor.now):
            news = True
            floor.touch(fact.venue, holding.account, holding.instrument)
        if book.doubts_emptiness:
            floor.ask(fact.venue, "the account looks empty: asked a second time")
            return True
        return news

    def _row(self, venue: str, row: PositionRow, seen_at: datetime) -> bool:
        if not self.floor.book(venue).row(row, seen_at):
            return False
        self.floor.touch(venue, row.account, row.instrument)
        return True

    def _reconcile_order(self, order: Order, fact: BookSnapshot, listed: bool) -> None:
        now = self.floor.now
        if order.is_terminal:
            ended = order.ended_at or order.at
            order.reconcile(ended <= fact.asked_at)
            return
        if listed:
            return
        if order.state is OrderState.UNKNOWN:
            lost = order.unknown_since or now
            if lost > fact.asked_at:
                return
            if order.executed:
                order.vanish(now)
                self._ended(order)
            else:
                self._room(order).order_absent(order)
        elif order.state is OrderState.WORKING and order.at < fact.asked_at:
            order.vanish(now)
            self._ended(order)

    def _execution(self, venue: str, execution: Execution) -> bool:
        book = self.floor.book(venue)
        if not book.unseen(execution):
            return False
        known = book.known
        change = book.count(execution, self.floor.now)
        self.floor.touch(venue, execution.account, execution.instrument)
        order = self.floor.orders.get(execution.client_order_id or "")
        if order is not None:
            order.execute(change, self.floor.now)
            self.floor.track(order)
            if order.is_terminal:
                self._ended(order)
        if known:
            for room in self._rooms:
                room.take_execution(venue, execution, change)
        return True

    def _order_row(self, row: OrderRow) -> bool:
        order = self.floor.orders.get(row.client_order_id)
        if order is None or not order.report(row, self.floor.now):
            return False
        self.floor.track(order)
        if order.is_terminal:
            self._ended(order)
        return True

    def _ended(self, order: Order) -> None:
        intent = order.intent
        self.floor.touch(intent.venue, intent.account, intent.instrument)
        self._room(order).order_ended(order)

    def _room(self, order: Order) -> Room:
        return self._room_of[order.intent.purpose]

    def _stray(self, row: OrderRow) -> bool:
        strays = self.floor.strays
        unknown = is_ours(row.client_order_id) and row.client_order_id not in self.floor.orders
        if not unknown or strays.get(row.client_order_id) == row:
            return False
        strays[row.client_order_id] = row
        if row.report is OrderReport.WORKING:
            self.floor.alert(
                Severity.WARNING,
                "an order of ours is working that the journal does not know",
                f"Order {row.client_order_id}, {row.filled:f} filled. Look at it at the broker.",
            )
        return True

    def _order_fate(self, fact: OrderPriced | OrderUnpriced | OrderUnanswered) -> bool:
        order = self.floor.orders.get(fact.client_order_id)
        if order is None or order.is_terminal:
            return False
        match fact:
            case OrderPriced():
                order.price(fact, self.floor.now)
            case OrderUnpriced():
                if order.reason == fact.reason:
                    return False
                order.hold(fact.reason)
                self.floor.alert(
                    Severity.CRITICAL,
                    f"{order.intent.strategy_id}: order is held",
                    fact.reason,
                    order.intent.strategy_id,
                )
            case OrderUnanswered():
                order.lose(fact.reason, self.floor.now)
                self.floor.ask(order.intent.venue, "an order was not answered")
        return True

    def _started(self) -> None:
        for standing in self.floor.standings.values():
            standing.state, standing.detail = VenueState.CONNECTING, ""
            standing.can_trade, standing.asked_at = None, None
        for order in self.floor.live.values():
            if order.state is OrderState.SENDING:
                order.lose("the engine stopped while it was being sent", self.floor.now)

    def _configure(self, fact: ConfigApplied) -> bool:
        if fact == self.config:
            return False
        if self.config is None or self.config.armed != fact.armed:
            self.floor.armed = fact.armed
        self.config = fact
        for room in self._rooms:
            room.configure(fact)
        return True

    def _close(self, fact: CloseRequested) -> None:
        """Ask every room; one that closes something makes the answer a yes."""
        if not self.floor.armed:
            text = "Disarmed: nothing is sent. Arm first (key d, or bulkhead arm)."
            self._answer(fact.request_id, False, text)
            return
        answers = [found for room in self._rooms if (found := room.request_close(fact))]
        agreed = [message for ok, message in answers if ok]
        refused = [message for ok, message in answers if not ok]
        if agreed or refused:
            self._answer(fact.request_id, bool(agreed), " ".join(agreed or refused))
        elif fact.strategy_id is None:
            self._answer(fact.request_id, False, "Nothing is held that Bulkhead guards.")
        else:
            known = ", ".join(name for room in self._rooms for name in room.names()) or "none"
            text = f"No strategy {fact.strategy_id}. Known: {known}."
            self._answer(fact.request_id, False, text)

    def _arm(self, fact: ArmedChanged) -> None:
        word = "armed" if fact.armed else "disarmed"
        if self.floor.armed is fact.armed:
            self._answer(fact.request_id, True, f"Already {word}.")
            return
        self.floor.armed = fact.armed
        detail = "Closes are sent." if fact.armed else "Detected and shown, but nothing is sent."
        self.floor.alert(Severity.WARNING, f"{word} by {fact.by}", detail)
        self._answer(fact.request_id, True, f"{word.capitalize()}. {detail}")

    def _acknowledge(self, fact: AlertAcknowledged) -> bool:
        alert = self.floor.alerts.get(fact.alert_id)
        if alert is None:
            self._answer(fact.request_id, False, f"No alert {fact.alert_id}.")
            return False
        alert.acknowledged = True
        self._answer(fact.request_id, True, f"Acknowledged: {alert.title}")
        return True

    def _channel(self, fact: AlertChannelReported) -> None:
        if fact.detail:
            self.floor.alert(Severity.WARNING, f"alert channel {fact.channel} fails", fact.detail)
        else:
            self.floor.alert(Severity.INFO, f"alert channel {fact.channel} works again")

    def _answer(self, request_id: str, ok: bool, message: str) -> None:
        self._answers.append(Answer(request_id=request_id, ok=ok, message=message))
