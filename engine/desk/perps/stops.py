"""Keeps a reduce-only stop resting at the venue for each guard with a stop loss, so that protection
outlives the engine. It follows the guard's quantity, and nothing of it is left behind.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.facts import CloseType
from engine.desk.floor import Floor
from engine.desk.intents import Purpose, Severity, StopAt
from engine.desk.orders import Order
from engine.desk.perps.errands import Errands
from engine.desk.perps.guards import Guard, Guards, GuardState
from engine.desk.snapshot import OrderState
from engine.desk.text import amount

_THROUGH = re.compile(
    r"through the market|immediately trigger|trigger immediately|would trigger|would_trigger"
    r"|-2021\b|\b1100(?:92|93)\b|\b5127[79]\b|\b51280\b",
    re.IGNORECASE,
)
"""How venues say that a stop's price is already passed. Source: Binance -2021, Bybit 110092 and
110093, OKX 51277, 51279 and 51280; an adapter may say "through the market"."""
_RESTED_WELL = timedelta(seconds=60)
_REACHED = "its resident stop was reached at the venue"


class Stops:
    def __init__(self, floor: Floor, guards: Guards, errands: Errands) -> None:
        self._floor = floor
        self._guards = guards
        self._errands = errands
        self._gone: set[str] = set()

    def keep(self, guard: Guard) -> bool:
        """Have the stop rest as the guard needs it; True while there is something to wait for."""
        errand = guard.stop
        order = self._errands.out(errand)
        if order is None:
            if guard.wants_stop:
                self._place(guard)
            return guard.wants_stop
        if not guard.wants_stop:
            self._errands.take_back(errand, order, "nothing is left for it to protect")
            return self._errands.out(errand) is not None
        self._errands.ask_after(errand, order)
        if order.state is not OrderState.WORKING:
            return True
        if not self._fits(guard, order):
            # While a position change is unexplained, nothing is moved for it.
            if order.cancel_asked or not self._errands.unexplained(guard):
                self._errands.take_back(errand, order, "it is resized to what is left")
            return True
        errand.trouble = ""
        return False

    def ended(self, guard: Guard, order: Order) -> None:
        """Take the end of a stop: it closed the position, was refused, or is gone."""
        errand = guard.stop
        if order.state is OrderState.FILLED or max(order.executed, order.reported_filled):
            errand.well()
            self.filled(guard)
        elif order.cancel_asked or guard.state is not GuardState.HOLDING:
            errand.well()
        elif order.state is OrderState.REJECTED and _THROUGH.search(order.reason):
            errand.well()
            self._guards.fire(
                guard, CloseType.STOP_LOSS, "its stop was refused as through the market"
            )
            self._floor.alert(
                Severity.CRITICAL,
                f"{guard.id}: the market is past its stop",
                f"{order.reason}. Closing {amount(guard.left)} {guard.instrument.name} at once.",
                guard.id,
            )
        else:
            self._lost(guard, order)

    def filled(self, guard: Guard) -> None:
        """The venue's stop was reached: what it does not close is closed like any other stop."""
        if guard.state is GuardState.CLOSING and _REACHED not in guard.reason:
            guard.reason += f"; {_REACHED}"
        self._guards.fire(guard, CloseType.STOP_LOSS, _REACHED)

    def absent(self, guard: Guard, order: Order) -> None:
        """The venue proved that a stop never reached it: the same id may go out again."""
        if guard.stop.order_id == order.intent.client_order_id:
            self._errands.unsend(guard.stop, "its stop did not reach the venue")

    def resting(self, guard: Guard) -> Decimal | None:
        """The price of the stop that rests at the venue, None where none does."""
        order = self._errands.out(guard.stop)
        if order is None or order.state is not OrderState.WORKING or order.terms is None:
            return None
        return order.terms.stop_price

    def deadlines(self, guard: Guard) -> Iterator[datetime]:
        return self._errands.deadlines(guard.stop)

    def _place(self, guard: Guard) -> None:
        """Send the stop if it may go."""
        trigger = guard.levels.stop
        quantity = self._errands.sendable(guard)
        if trigger is None or not quantity or self._errands.waits(guard.stop):
            return
        self._tell_gone(guard)
        if self._errands.obstacle(guard):
            return
        self._errands.send(
            guard,
            guard.stop,
            word="stop",
            purpose=Purpose.RESIDENT_STOP,
            quantity=quantity,
            pricing=StopAt(trigger=trigger),
            reason=f"stop loss of {guard.id}, resting at the venue",
        )

    def _fits(self, guard: Guard, order: Order) -> bool:
        """Whether a resting stop covers what is left, at today's price."""
        pricing = order.intent.pricing
        same_price = isinstance(pricing, StopAt) and pricing.trigger == guard.levels.stop
        fits = same_price and order.remaining == self._errands.sendable(guard)
        return fits and not order.cancel_asked

    def _lost(self, guard: Guard, order: Order) -> None:
        """A stop is gone or refused while it is needed: the engine watches, and tries again."""
        if self._floor.now - order.at >= _RESTED_WELL:
            guard.stop.failures = 0
        refused = order.state is OrderState.REJECTED
        word = "its stop was refused" if refused else "its resident stop is gone"
        why = f": {order.reason}" if order.reason else ""
        delay = self._errands.fail(guard.stop, word + why)
        self._floor.ask(guard.venue, f"{guard.id}: {word}")
        if guard.stop.failures != 1:
            return
        if not refused:
            # A venue takes stops back before it liquidates: that it did is what is told then.
            self._gone.add(guard.id)
        elif self._errands.sendable(guard):
            self._floor.alert(
                Severity.CRITICAL,
                f"{guard.id}: {guard.stop.trouble}",
                "The engine itself goes on watching the price. The stop is placed again in "
                f"{delay.seconds} s, and so on until it rests.",
                guard.id,
            )

    def _tell_gone(self, guard: Guard) -> None:
        """Tell of a stop that went while what it protected stayed."""
        if guard.id in self._gone:
            self._gone.discard(guard.id)
            self._floor.alert(
                Severity.WARNING,
                f"{guard.id}: {guard.stop.trouble}",
                "The engine itself goes on watching the price, and places the stop again.",
                guard.id,
            )
