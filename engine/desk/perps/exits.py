"""Carries a guard's way out: closes what is left of it, and takes its resident stop back.

One close is out at a time an instrument, reduce-only, never more than the guard's own quantity nor
than what is held. A close that fails is tried again for as long as anything is left. Where all that
is held is being closed, stop and close cannot sell more than that, and the stop protects until
nothing is left; beside other holdings both could sell, and the stop is taken back first.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from engine.desk.floor import Floor
from engine.desk.intents import AtTouch, Pricing, Purpose, Severity, Sweep
from engine.desk.orders import Order
from engine.desk.perps.definitions import CloseOrderType
from engine.desk.perps.errands import Errands
from engine.desk.perps.guards import ZERO, Guard, Guards, GuardState
from engine.desk.snapshot import OrderState
from engine.desk.text import amount

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
            if guard.stop.order_id is not None and not self._is_all_closing(guard):
                self._is_stop_out(guard, "the position is being closed")
        elif guard.left and not self._is_bared_first(guard):
            self._send_all(guard)
        is_done = not guard.left and self._errands.out(guard.exit) is None
        if is_done and guard.state is GuardState.CLOSING:
            self._conclude(guard)

    def _send_all(self, guard: Guard) -> None:
        """Send the next close; one that an earlier life sent and that has ended is adopted in one
        step, and the next follows."""
        while self._send(guard):
            if self._errands.out(guard.exit) is not None:
                return

    def _is_bared_first(self, guard: Guard) -> bool:
        """Whether the close waits until the venue has given the resident stop back."""
        stop = self._errands.out(guard.stop)
        if stop is None or (self._is_all_closing(guard) and not guard.stop_first):
            return False
        if not self._is_stop_out(guard, "the position is being closed"):
            return False
        guard.waits = "its resident stop is being taken back first"
        if guard.bare_since is None and stop.cancel_asked:
            guard.bare_since = self._floor.now
        self._alarm_if_stuck(guard)
        return True

    def _is_stop_out(self, guard: Guard, reason: str) -> bool:
        """Take the resident stop back; True until the venue says that it is gone."""
        stop = self._errands.out(guard.stop)
        if stop is not None:
            self._errands.take_back(guard.stop, stop, reason)
        return self._errands.out(guard.stop) is not None

    def _is_all_closing(self, guard: Guard) -> bool:
        """Whether everything held is on its way out, so that a stop beside a close takes nothing
        that was to stay."""
        book, side = self._floor.book(guard.venue), guard.side
        held = book.effective(guard.account, guard.instrument.ref) * side.sign
        if held <= guard.left:
            return True
        peers = self._guards.open_at(guard.spot)
        closing = (g.left for g in peers if g.state is GuardState.CLOSING and g.side is side)
        return held <= sum(closing)

    def _conclude(self, guard: Guard) -> None:
        """End a guard of which nothing is left, once its stop is gone from the venue too."""
        if self._is_stop_out(guard, "nothing is left for it to protect"):
            guard.waits = "nothing is left of it; its resident stop is being taken back"
            self._alarm_if_stuck(guard)
        else:
            self._finish(guard)

    def ended(self, guard: Guard, order: Order) -> None:
        """Take the end of a close: what to try next, and how soon."""
        errand = guard.exit
        filled = max(order.executed, order.reported_filled)
        is_over = order.state is OrderState.FILLED or not guard.left
        if is_over or order.cancel_asked or filled:
            errand.well()
            return
        refused = order.state is OrderState.REJECTED
        stop_is_out = self._errands.out(guard.stop) is not None
        if stop_is_out and refused:
            # The stop may have taken what this was to take, or the venue counts it against a close.
            guard.stop_first = True
            self._floor.ask(guard.venue, f"{guard.id}: its close took nothing, its stop may have")
            return
        word = "refused" if refused else "not filled"
        why = f": {order.reason}" if order.reason else ""
        trouble = f"close {word}{why}"
        delay = self._errands.fail(errand, trouble)
        self._floor.ask(guard.venue, f"{guard.id}: {trouble}")
        # Where the stop may have taken it, the next try tells.
        if errand.failures in ((2, _LOUD[1]) if stop_is_out else _LOUD):
            self._floor.alert(
                Severity.CRITICAL,
                f"{guard.id}: {trouble}",
                f"{amount(guard.left)} {guard.instrument.name} is still held. The position is read "
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
            self._errands.take_back(errand, order, f"only {amount(quantity)} is left to close")
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
            self._give_up_rest(guard)
            return False
        guard.waits = self._obstacle(guard, unexplained and not quantity)
        if guard.waits:
            self._alarm_if_stuck(guard)
            return False
        spec = self._floor.spec(guard.venue, guard.instrument)
        smallest = spec.minimum_quantity if spec is not None else ZERO
        if quantity < smallest:
            guard.waits = (
                f"{amount(quantity)} is below the venue's smallest order of {amount(smallest)}"
            )
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

    def _give_up_rest(self, guard: Guard) -> None:
        """Take it that what is left of a guard cannot be closed: it is not held, or too small."""
        if guard.sold and guard.left:
            guard.reason += f"; {amount(guard.left)} is below the venue's step"
        guard.left = ZERO

    def _finish(self, guard: Guard) -> None:
        self._stuck.pop(guard.id, None)
        guard.exit.well()
        guard.stop.well()
        why = guard.reason if guard.sold else f"{guard.reason}; nothing of it was held any more"
        self._guards.end(guard, GuardState.CLOSED, why)
        net = guard.realized - guard.fees - guard.fees_out
        result = f", net {net:+.2f} {guard.instrument.quote}" if guard.entry else ""
        self._floor.alert(
            Severity.INFO,
            f"{guard.id}: closed",
            f"After: {why}. {amount(guard.sold)} {guard.instrument.name} closed{result}.",
            guard.id,
        )

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
        held = f"{amount(guard.left)} {guard.instrument.name} is still held: {guard.waits}."
        rests = "Nothing of it is held, but its stop still rests at the venue: look at it there."
        self._floor.alert(
            Severity.CRITICAL, f"{guard.id}: close waits", held if guard.left else rests, guard.id
        )


def _pricing(guard: Guard) -> Pricing:
    """A person's emergency close never rests, whatever the manager's order type."""
    rests = guard.settings.order_type is CloseOrderType.LIMIT
    if rests and not guard.urgent:
        return AtTouch()
    return Sweep(buffer=guard.settings.slippage_buffer)


def _rests(order: Order) -> bool:
    return isinstance(order.intent.pricing, AtTouch) and order.state is OrderState.WORKING
