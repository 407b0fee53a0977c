"""Carries a guard's way out: takes its resident stop back, then closes what is left of it.

One close is out at a time an instrument, reduce-only, never more than the guard's own quantity nor
than what is held. A close that fails is tried again for as long as anything is left.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.floor import Floor
from engine.desk.intents import AtTouch, Pricing, Purpose, Severity, Sweep
from engine.desk.orders import Order
from engine.desk.perps.definitions import CloseOrderType
from engine.desk.perps.errands import Errands
from engine.desk.perps.guards import Guard, Guards, GuardState
from engine.desk.snapshot import OrderState

_ALARM_AFTER = timedelta(seconds=10)
_LOUD = (1, 6)
"""The failures in a row that raise an alarm: the first, and the one after which the longest wait
begins. The trouble itself stays shown until a close goes well."""


class Exits:
    def __init__(self, floor: Floor, guards: Guards, errands: Errands) -> None:
        self._floor = floor
        self._guards = guards
        self._errands = errands
        self._stuck: dict[str, datetime] = {}

    def advance(self, guard: Guard) -> None:
        """Do what may be done now to close what is left of a guard."""
        guard.waits = ""
        order = self._errands.out(guard.exit)
        if order is not None:
            self._tend(guard, order)
            return
        if not guard.left:
            self._finish(guard)
            return
        stop = self._errands.out(guard.stop)
        if stop is not None:
            guard.waits = "its resident stop is being taken back first"
            self._errands.take_back(guard.stop, stop, "the position is being closed")
            if self._errands.out(guard.stop) is not None:
                self._bare(guard, stop)
                return
        while self._send(guard):
            # An order that an earlier life sent and that has ended is adopted in one step.
            if self._errands.out(guard.exit) is not None:
                return

    def ended(self, guard: Guard, order: Order) -> None:
        """Take the end of a close: what to try next, and how soon."""
        errand = guard.exit
        filled = max(order.executed, order.reported_filled)
        if order.state is OrderState.FILLED or order.cancel_asked or filled:
            errand.well()
            return
        word = "refused" if order.state is OrderState.REJECTED else "not filled"
        why = f": {order.reason}" if order.reason else ""
        trouble = f"close {word}{why}"
        delay = self._errands.fail(errand, trouble)
        self._floor.ask(guard.venue, f"{guard.id}: {trouble}")
        if errand.failures in _LOUD:
            self._floor.alert(
                Severity.CRITICAL,
                f"{guard.id}: {trouble}",
                f"{guard.left:f} {guard.instrument.name} is still held. The position is read "
                f"again; next try in {delay.seconds} s, and so on until it is closed.",
                guard.id,
            )

    def absent(self, guard: Guard, order: Order) -> None:
        """The venue proved that a close never reached it: the same id may go out again."""
        errand = guard.exit
        if errand.order_id != order.intent.client_order_id:
            return
        self._errands.unsend(errand, "close did not reach the venue")

    def deadlines(self, guard: Guard) -> Iterator[datetime]:
        yield from self._errands.deadlines(guard.exit)
        order = self._errands.out(guard.exit)
        if order is not None and _rests(order):
            yield order.at + timedelta(seconds=guard.settings.max_order_age_seconds)
        if guard.id in self._stuck:
            yield self._stuck[guard.id] + _ALARM_AFTER

    # --- one order -------------------------------------------------------------------------------

    def _tend(self, guard: Guard, order: Order) -> None:
        """Look after the close that is out."""
        errand, now = guard.exit, self._floor.now
        quantity = self._errands.sendable(guard)
        if order.state is OrderState.HELD and order.intent.quantity != quantity:
            self._errands.take_back(errand, order, "the position changed before it went out")
            self.advance(guard)
            return
        if order.state is OrderState.HELD:
            guard.waits = order.reason
        self._errands.ask_after(errand, order)
        unexplained = self._errands.unexplained(guard)
        if order.state is OrderState.WORKING and order.remaining > quantity and not unexplained:
            self._errands.take_back(errand, order, f"only {quantity:f} is left to close")
        elif _rests(order):
            age = timedelta(seconds=guard.settings.max_order_age_seconds)
            if guard.urgent:
                self._errands.take_back(errand, order, "closed at market instead")
            elif now - order.at >= age:
                self._errands.take_back(errand, order, f"older than {age.seconds} s: priced anew")

    def _send(self, guard: Guard) -> bool:
        """Send the next close if one may go; True when one was sent."""
        unexplained = self._errands.unexplained(guard)
        quantity = self._errands.sendable(guard)
        if not guard.left or (not quantity and not unexplained):
            self._finish(guard)
            return False
        guard.waits = self._obstacle(guard, unexplained and not quantity)
        if guard.waits:
            self._alarm_if_stuck(guard)
            return False
        spec = self._floor.spec(guard.venue, guard.instrument)
        smallest = spec.minimum_quantity if spec is not None else Decimal(0)
        if quantity < smallest:
            guard.waits = f"{quantity:f} is below the venue's smallest order of {smallest:f}"
            self._alarm_if_stuck(guard)
            return False
        self._stuck.pop(guard.id, None)
        if not guard.exit.failures:
            guard.exit.trouble = ""
        purpose = Purpose.BARRIER_EXIT if guard.close_type else Purpose.CLOSE_ASSIGNED
        self._errands.send(
            guard,
            guard.exit,
            word="exit",
            purpose=purpose,
            quantity=quantity,
            pricing=_pricing(guard),
            reason=guard.reason + self._open_window(guard),
        )
        return True

    def _obstacle(self, guard: Guard, unexplained: bool) -> str:
        obstacle = self._errands.obstacle(guard)
        if obstacle:
            return obstacle
        blocking = self._floor.blocking(*guard.spot)
        if blocking is not None:
            return f"another order of {guard.instrument.name} is out"
        retry = guard.exit.retry_at
        if retry is not None and retry > self._floor.now:
            return f"tried again at {retry:%H:%M:%S} UTC"
        return "the position changed and is being read again" if unexplained else ""

    def _finish(self, guard: Guard) -> None:
        """End a guard of which nothing is left that could be closed."""
        self._stuck.pop(guard.id, None)
        rest = guard.left
        why = guard.reason
        if not guard.sold:
            why = f"{why}; nothing of it was held any more"
        elif rest:
            why = f"{why}; {rest:f} is below the venue's step"
        guard.left = Decimal(0)
        guard.exit.well()
        guard.stop.well()
        self._guards.end(guard, GuardState.CLOSED, why)
        net = guard.realized - guard.fees - guard.fees_out
        result = f", net {net:+.2f} {guard.instrument.quote}" if guard.entry else ""
        self._floor.alert(
            Severity.INFO,
            f"{guard.id}: closed",
            f"After: {why}. {guard.sold:f} {guard.instrument.name} closed{result}.",
            guard.id,
        )

    def _bare(self, guard: Guard, stop: Order) -> None:
        """Note since when the position has no stop at the venue, while its close waits."""
        if guard.bare_since is None and stop.cancel_asked:
            guard.bare_since = self._floor.now

    def _open_window(self, guard: Guard) -> str:
        if guard.bare_since is None:
            return ""
        seconds = (self._floor.now - guard.bare_since).total_seconds()
        guard.bare_since = None
        return f"; its resident stop was taken back {seconds:.3f} s before"

    def _alarm_if_stuck(self, guard: Guard) -> None:
        """Raise an alarm once for a close that something keeps from going out."""
        now = self._floor.now
        since = self._stuck.setdefault(guard.id, now)
        behind_another = self._floor.blocking(*guard.spot) is not None
        if now - since < _ALARM_AFTER or guard.exit.trouble or behind_another:
            return
        guard.exit.trouble = f"close waits: {guard.waits}"
        self._floor.alert(
            Severity.CRITICAL,
            f"{guard.id}: close waits",
            f"{guard.left:f} {guard.instrument.name} is still held: {guard.waits}.",
            guard.id,
        )


def _pricing(guard: Guard) -> Pricing:
    """A person's emergency close never rests, whatever the manager's order type."""
    rests = guard.settings.order_type is CloseOrderType.LIMIT
    if rests and not guard.urgent:
        return AtTouch()
    return Sweep(buffer=guard.settings.slippage_buffer)


def _rests(order: Order) -> bool:
    return isinstance(order.intent.pricing, AtTouch) and order.state is OrderState.WORKING
