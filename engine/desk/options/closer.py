"""Carries a strategy's way out: one close at a time an instrument, until nothing is left."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.books import Book
from engine.desk.floor import Floor
from engine.desk.hours import EASTERN, is_open, next_open
from engine.desk.instruments import Stock
from engine.desk.intents import CancelOrder, Marketable, PlaceOrder, Severity
from engine.desk.options.exit_plan import PlanLine, exit_plan
from engine.desk.options.strategies import Episode, Strategy
from engine.desk.orders import Order, client_order_id
from engine.desk.snapshot import OrderState

_RETRY_FIRST = timedelta(seconds=60)
_RETRY_LAST = timedelta(minutes=10)


class Closer:
    """max_slippage: how far past the touch a close may reach, currency per unit of price."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.max_slippage = Decimal(0)

    def advance(self, strategy: Strategy, book: Book) -> None:
        """Send what may go now of the strategy's exit plan, and finish it when nothing is left."""
        episode = strategy.episode
        if episode is None:
            return
        lines = self.plan(strategy, book)
        self._drop_unfit(strategy, book, lines)
        strategy.working = False
        for line in lines:
            order = self._floor.blocking(
                strategy.definition.venue, strategy.account, line.instrument.ref
            )
            if order is None and not line.waits:
                self._send(strategy, episode, line)
            strategy.working = strategy.working or order is not None or not line.waits
        if not lines and not self._any_blocking(strategy):
            strategy.shares = Decimal(0)
            reason = episode.reason
            strategy.finish()
            strategy.note = f"closed after: {reason}"
            self._floor.alert(Severity.INFO, f"{strategy.id}: closed", f"After: {reason}.")

    def plan(self, strategy: Strategy, book: Book) -> tuple[PlanLine, ...]:
        """The exit plan with everything that keeps a line from going out now."""
        return tuple(
            line if line.waits else self._gate(strategy, line) for line in exit_plan(strategy, book)
        )

    def ended(self, order: Order, strategy: Strategy) -> None:
        """An order of the strategy's episode ended: remember a trouble, or forget it."""
        episode = strategy.episode
        if episode is None or order.intent.episode != _episode_name(strategy, episode):
            return
        ref = order.intent.instrument.ref
        if order.state is OrderState.FILLED or order.cancel_asked:
            episode.troubles.pop(ref, None)
            episode.retry_at.pop(ref, None)
            return
        delay = min(_RETRY_FIRST * 2 ** (episode.attempts.get(ref, 1) - 1), _RETRY_LAST)
        episode.retry_at[ref] = self._floor.now + delay
        word = "rejected" if order.state is OrderState.REJECTED else "cancelled"
        why = f": {order.reason}" if order.reason else ""
        episode.troubles[ref] = f"close of {order.intent.instrument.name} {word}{why}"
        self._floor.alert(
            Severity.CRITICAL,
            f"{strategy.id}: {episode.troubles[ref]}",
            f"The other legs go on. Tried again in {int(delay.total_seconds())} s.",
        )

    def absent(self, order: Order, strategy: Strategy) -> None:
        """The venue proved that the order never reached it: the same id may go out again."""
        episode = strategy.episode
        if episode is not None and order.intent.episode == _episode_name(strategy, episode):
            ref = order.intent.instrument.ref
            episode.attempts[ref] = max(0, episode.attempts.get(ref, 1) - 1)
        self._floor.forget(order)

    def deadlines(self, strategy: Strategy, book: Book) -> Iterator[datetime]:
        if strategy.episode is None:
            return
        yield from strategy.episode.retry_at.values()
        for line in exit_plan(strategy, book):
            opens = self._opens_at(strategy, line)
            if opens is not None:
                yield opens

    def _gate(self, strategy: Strategy, line: PlanLine) -> PlanLine:
        why = self._obstacle(strategy, line)
        if not why:
            return line
        return PlanLine(
            instrument=line.instrument,
            side=line.side,
            quantity=line.quantity,
            purpose=line.purpose,
            reason=line.reason,
            waits=why,
        )

    def _obstacle(self, strategy: Strategy, line: PlanLine) -> str:
        floor, venue = self._floor, strategy.definition.venue
        standing = floor.standing(venue)
        if not floor.armed:
            return "disarmed: nothing is sent"
        if not standing.may_act:
            return f"{venue} cannot act: {standing.detail or standing.state.value}"
        retry = strategy.episode.retry_at.get(line.instrument.ref) if strategy.episode else None
        if retry is not None and retry > floor.now:
            return f"tried again at {_clock(retry)}"
        spec = floor.spec(venue, line.instrument)
        if spec is None:
            return "its trading hours are not known yet"
        opens = self._opens_at(strategy, line)
        if opens is not None:
            return f"opens {_clock(opens)}"
        sessions = spec.trading if isinstance(line.instrument, Stock) else spec.liquid
        if sessions and not is_open(sessions, floor.now):
            return "closed, and no later session is known"
        return ""

    def _opens_at(self, strategy: Strategy, line: PlanLine) -> datetime | None:
        """When the line's market opens, None when it is open or unknown.

        Options trade in their regular session only; stock also before and after it.
        """
        spec = self._floor.spec(strategy.definition.venue, line.instrument)
        if spec is None:
            return None
        sessions = spec.trading if isinstance(line.instrument, Stock) else spec.liquid
        if is_open(sessions, self._floor.now):
            return None
        return next_open(sessions, self._floor.now)

    def _send(self, strategy: Strategy, episode: Episode, line: PlanLine) -> None:
        ref = line.instrument.ref
        attempt = episode.attempts.get(ref, 0) + 1
        episode.attempts[ref] = attempt
        name = _episode_name(strategy, episode)
        self._floor.place(
            PlaceOrder(
                client_order_id=client_order_id(strategy.account, strategy.id, name, ref, attempt),
                venue=strategy.definition.venue,
                account=strategy.account,
                instrument=line.instrument,
                side=line.side,
                quantity=line.quantity,
                purpose=line.purpose,
                strategy_id=strategy.id,
                episode=name,
                reason=f"{episode.reason}; {line.reason}",
                pricing=Marketable(max_slippage=self.max_slippage),
            )
        )

    def _drop_unfit(self, strategy: Strategy, book: Book, lines: tuple[PlanLine, ...]) -> None:
        """Closes larger than what is left to close are taken back: somebody else closed too.

        One that has not gone out is made anew; one that works is cancelled, unless a row just came
        whose execution may still show that it was our own fill.
        """
        wanted: dict[str, Decimal] = {}
        for line in lines:
            if not line.waits:
                ref = line.instrument.ref
                wanted[ref] = wanted.get(ref, Decimal(0)) + line.quantity
        for order in self._orders_of(strategy):
            left = wanted.get(order.intent.instrument.ref, Decimal(0))
            if order.state is OrderState.HELD and order.intent.quantity != left:
                order.end(
                    OrderState.CANCELLED, "the position changed before it went out", self._floor.now
                )
            held = book.holding(strategy.account, order.intent.instrument)
            if order.state is not OrderState.WORKING or order.cancel_asked or held.row_surplus:
                continue
            if order.remaining > abs(held.effective):
                order.cancel_asked = True
                self._floor.outbox.append(
                    CancelOrder(
                        client_order_id=order.intent.client_order_id,
                        venue=order.intent.venue,
                        reason=f"only {abs(held.effective):f} left to close",
                    )
                )

    def _any_blocking(self, strategy: Strategy) -> bool:
        return any(order.blocks for order in self._orders_of(strategy))

    def _orders_of(self, strategy: Strategy) -> list[Order]:
        orders = self._floor.live.values()
        return [order for order in orders if order.intent.strategy_id == strategy.id]


def _episode_name(strategy: Strategy, episode: Episode) -> str:
    return f"{strategy.id}/{episode.number}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(EASTERN):%a %H:%M} ET"
