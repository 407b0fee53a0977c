"""Carries a strategy's way out: one close at a time an instrument, until nothing is left."""

from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.books import Book
from engine.desk.floor import Floor
from engine.desk.intents import CancelOrder, PlaceOrder, Severity
from engine.desk.options.crossing import Crossing
from engine.desk.options.definitions import OptionSettings
from engine.desk.options.exit_plan import PlanLine, exit_plan, to_flatten
from engine.desk.options.gate import Gate
from engine.desk.options.lost import LostFills
from engine.desk.options.roster import Roster
from engine.desk.options.strategies import Episode, Strategy
from engine.desk.options.tending import Tending
from engine.desk.orders import Order, client_order_id
from engine.desk.snapshot import OrderState

ZERO = Decimal(0)
_RETRY_FIRST = timedelta(seconds=60)
_RETRY_LAST = timedelta(minutes=10)
_QUESTIONED = timedelta(seconds=5)


class Closer:
    """Holds no state of its own; strategies are the roster's, orders the floor's."""

    def __init__(self, floor: Floor, roster: Roster, lost: LostFills) -> None:
        self._floor = floor
        self._roster = roster
        self._lost = lost
        self._crossing = Crossing(floor, roster)
        self._gate = Gate(floor)
        self._tending = Tending(floor, self._gate)

    def configure(self, settings: OptionSettings | None) -> None:
        self._tending.settings = settings

    def advance(
        self, strategy: Strategy, episode: Episode, book: Book
    ) -> tuple[tuple[PlanLine, ...], datetime | None]:
        """Send what may go now of the strategy's exit plan, and finish it when nothing is left.

        Returns the plan, and when time alone calls for another look.
        """
        self._crossing.shares(strategy)
        self._crossing.legs(strategy, book)
        lines = self.plan(strategy, book)
        orders = self._orders_of(strategy)
        look = None
        if orders:
            self._drop_unfit(strategy, book, orders, lines)
            look = self._tending.tend(strategy, episode, orders)
        strategy.working = False
        for line in lines:
            order = self._floor.blocking(
                strategy.definition.venue, strategy.account, line.instrument.ref
            )
            if order is None and not line.waits:
                order = self._send(strategy, episode, line)
                look = earliest(look, self._tending.tend(strategy, episode, (order,)))
            strategy.working = strategy.working or order is not None or not line.waits
        if not lines and not any(order.blocks for order in orders):
            if _is_questioned(strategy, book):
                look = earliest(look, self._floor.now + _QUESTIONED)
            else:
                self._finish(strategy, episode)
        for line in lines:
            look = earliest(look, line.waits_until)
        return lines, look

    def plan(self, strategy: Strategy, book: Book) -> tuple[PlanLine, ...]:
        """The exit plan with everything that keeps a line from going out now."""
        flattened = ZERO
        if strategy.stock is not None and strategy.shares:
            key = (strategy.account, strategy.stock.ref)
            flattened = to_flatten(strategy, self._roster.sharing(*key), book.effective(*key))
        lines = exit_plan(strategy, flattened)
        self._gate.check(strategy, lines)
        for line in lines:
            if not line.waits and self._lost.is_open(strategy.account, line.instrument.ref):
                line.waits = "what became of its last order is being found out"
        if flattened and strategy.episode is not None:
            self._pool(strategy, lines[0], book)
        return tuple(lines)

    def _pool(self, strategy: Strategy, line: PlanLine, book: Book) -> None:
        """Let one order close the shares of all strategies that are on their way out of the same
        stock: who has one out already, or else the first declared, sends it."""
        key = (strategy.account, line.instrument.ref)
        others = [
            other
            for other in self._roster.sharing(*key)
            if other.episode is not None
            and other.excess_shares * strategy.excess_shares > 0
            and not self._is_put_off(other.episode, line.instrument.ref)
        ]
        if line.waits or len(others) < 2:
            return
        out = self._floor.blocking(strategy.definition.venue, *key)
        sender = self._roster.strategies.get(out.intent.strategy_id or "") if out else None
        leader = sender if sender in others else others[0]
        if leader is not strategy:
            line.waits = f"closed together with those of {leader.id}"
            return
        total = sum((abs(other.excess_shares) for other in others), ZERO)
        line.quantity = min(total, abs(book.effective(*key)))
        line.reason = f"{line.quantity:f} shares of {len(others)} strategies are the risk"

    def _is_put_off(self, episode: Episode, ref: str) -> bool:
        retry = episode.retry_at.get(ref)
        return retry is not None and retry > self._floor.now

    def ended(self, order: Order, strategy: Strategy) -> None:
        """An order of the strategy's episode ended: remember a trouble, or forget it."""
        self._roster.wake(strategy)
        episode = strategy.episode
        if episode is None or order.intent.episode != _episode_name(strategy, episode):
            return
        ref = order.intent.instrument.ref
        if order.state is OrderState.FILLED:
            episode.troubles.pop(ref, None)
        if order.state is OrderState.FILLED or order.cancel_asked:
            episode.retry_at.pop(ref, None)
            return
        if order.off_its_steps and ref not in episode.rounded:
            # Priced anew by the steps as they are known now, once, without delay.
            episode.rounded.add(ref)
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
            strategy.id,
        )

    def absent(self, order: Order, strategy: Strategy) -> None:
        """The venue proved that the order never reached it: the same id may go out again."""
        self._roster.wake(strategy)
        episode = strategy.episode
        if episode is not None and order.intent.episode == _episode_name(strategy, episode):
            ref = order.intent.instrument.ref
            episode.attempts[ref] = max(0, episode.attempts.get(ref, 1) - 1)
        self._floor.forget(order)
        # Others may have waited behind it.
        self._roster.stir(order.intent.account, order.intent.instrument.ref)

    def _finish(self, strategy: Strategy, episode: Episode) -> None:
        word = "the assigned units are closed" if episode.partial else "closed"
        self._roster.set_shares(strategy, strategy.keep_shares)
        strategy.finish()
        strategy.note = f"{word} after: {episode.reason}"
        self._floor.alert(
            Severity.INFO, f"{strategy.id}: {word}", f"After: {episode.reason}.", strategy.id
        )

    def _send(self, strategy: Strategy, episode: Episode, line: PlanLine) -> Order:
        ref = line.instrument.ref
        attempt = episode.attempts.get(ref, 0) + 1
        episode.attempts[ref] = attempt
        name = _episode_name(strategy, episode)
        order_id = client_order_id(strategy.account, strategy.id, name, ref, attempt)
        self._floor.place(
            PlaceOrder(
                client_order_id=order_id,
                venue=strategy.definition.venue,
                account=strategy.account,
                instrument=line.instrument,
                side=line.side,
                quantity=line.quantity,
                purpose=line.purpose,
                strategy_id=strategy.id,
                episode=name,
                reason=f"{episode.reason}; {line.reason}",
                pricing=self._tending.pricing(strategy.definition.venue, episode, line.instrument),
            )
        )
        return self._floor.orders[order_id]

    def _drop_unfit(
        self,
        strategy: Strategy,
        book: Book,
        orders: list[Order],
        lines: tuple[PlanLine, ...],
    ) -> None:
        """Closes larger than what is left to close are taken back: somebody else closed too.

        One that has not gone out is made anew; one that works is cancelled, unless a row just came
        whose execution may still show that it was our own fill.
        """
        ready: dict[str, Decimal] = {}
        wanted: dict[str, Decimal] = {}
        for line in lines:
            ref = line.instrument.ref
            wanted[ref] = wanted.get(ref, ZERO) + line.quantity
            if not line.waits:
                ready[ref] = ready.get(ref, ZERO) + line.quantity
        for order in orders:
            ref = order.intent.instrument.ref
            if order.state is OrderState.HELD and order.intent.quantity != ready.get(ref, ZERO):
                order.end(
                    OrderState.CANCELLED, "the position changed before it went out", self._floor.now
                )
                self._roster.stir(strategy.account, ref)
            held = book.holding(strategy.account, order.intent.instrument)
            if order.state is not OrderState.WORKING or order.cancel_asked or held.row_surplus:
                continue
            left = wanted.get(ref, ZERO)
            if order.remaining > left:
                order.cancel_asked = True
                self._floor.outbox.append(
                    CancelOrder(
                        client_order_id=order.intent.client_order_id,
                        venue=order.intent.venue,
                        reason=f"only {left:f} left to close",
                    )
                )

    def _orders_of(self, strategy: Strategy) -> list[Order]:
        orders = self._floor.live.values()
        return [order for order in orders if order.intent.strategy_id == strategy.id]


def _is_questioned(strategy: Strategy, book: Book) -> bool:
    """Whether something it holds, or held, changed and nothing explains it yet: that may be its own
    to close still."""
    instruments = [leg.contract for leg in strategy.legs if leg.contract is not None]
    keys = [
        (strategy.account, one.ref) for one in (*instruments, strategy.stock) if one is not None
    ]
    return any(key in book.unsettled and book.unsettled[key].row_surplus for key in keys)


def _episode_name(strategy: Strategy, episode: Episode) -> str:
    return f"{strategy.id}/{episode.number}"


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two instants, either of which may not be known."""
    if one is None or other is None:
        return one or other
    return min(one, other)
