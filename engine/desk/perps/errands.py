"""Carries one order of a guard at a time: sends it, asks after it, takes it back, tries again.

What it never does: send a second order while the fate of the first is open, or give up.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from engine.desk.facts import Side
from engine.desk.floor import Floor
from engine.desk.intents import CancelOrder, PlaceOrder, Pricing, Purpose
from engine.desk.orders import Order, client_order_id
from engine.desk.perps.guards import ZERO, Errand, Guard
from engine.desk.snapshot import OrderState
from engine.desk.text import amount

RETRY_FIRST = timedelta(seconds=1)
RETRY_LAST = timedelta(seconds=30)
ASK_FIRST = timedelta(seconds=2)
CANCEL_AGAIN = timedelta(seconds=5)


class Errands:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def out(self, errand: Errand) -> Order | None:
        """The errand's order that may still fill, or whose fills are not all known."""
        if errand.order_id is None:
            return None
        order = self._floor.live.get(errand.order_id)
        if order is None or not order.blocks:
            errand.order_id = errand.cancel_at = errand.ask_at = None
            return None
        return order

    def send(
        self,
        guard: Guard,
        errand: Errand,
        *,
        word: str,
        purpose: Purpose,
        quantity: Decimal,
        pricing: Pricing,
        reason: str,
    ) -> None:
        """Send the errand's next order, always reduce-only and against the position."""
        errand.attempts += 1
        errand.asked, errand.ask_at, errand.cancel_at = 0, None, None
        episode = f"{guard.source}/{word}"
        errand.order_id = client_order_id(
            guard.account, guard.id, episode, guard.instrument.ref, errand.attempts
        )
        self._floor.place(
            PlaceOrder(
                client_order_id=errand.order_id,
                venue=guard.venue,
                account=guard.account,
                instrument=guard.instrument,
                side=Side.SELL if guard.side is Side.BUY else Side.BUY,
                quantity=quantity,
                purpose=purpose,
                strategy_id=guard.id,
                episode=episode,
                reason=reason,
                pricing=pricing,
                reduce_only=True,
            )
        )

    def take_back(self, errand: Errand, order: Order, reason: str) -> None:
        """Cancel an order, again and again until the venue says what became of it."""
        now = self._floor.now
        if order.state is OrderState.HELD:
            order.end(OrderState.CANCELLED, reason, now)
            self._floor.track(order)
            self.out(errand)
            return
        self.ask_after(errand, order)
        if order.state is not OrderState.WORKING or not self.may_act(order.intent.venue):
            return
        if errand.cancel_at is not None and now < errand.cancel_at:
            return
        again = errand.cancel_at is not None
        errand.cancel_at = now + CANCEL_AGAIN
        order.cancel_asked = True
        self._floor.outbox.append(
            CancelOrder(
                client_order_id=order.intent.client_order_id,
                venue=order.intent.venue,
                reason=reason,
            )
        )
        if again:
            self._floor.ask(order.intent.venue, "a cancel was not answered")

    def ask_after(self, errand: Errand, order: Order) -> None:
        """Ask for an order whose fate or fills are open, less and less often."""
        if not _is_open_question(order):
            errand.ask_at, errand.asked = None, 0
            return
        now = self._floor.now
        if errand.ask_at is None:
            errand.ask_at = now + ASK_FIRST
        elif now >= errand.ask_at:
            errand.asked += 1
            errand.ask_at = now + _doubling(ASK_FIRST, errand.asked)
            self._floor.ask(order.intent.venue, f"what became of {order.intent.client_order_id}")

    def fail(self, errand: Errand, trouble: str) -> timedelta:
        """Remember a failure; answer how long the next try waits: 1 s, doubling to 30 s."""
        errand.failures += 1
        errand.trouble = trouble
        delay = _doubling(RETRY_FIRST, errand.failures - 1)
        errand.retry_at = self._floor.now + delay
        return delay

    def unsend(self, errand: Errand, trouble: str) -> None:
        """Forget an order that never reached the venue: its id goes out again, the first time at
        once. A venue that loses one after the other is not hammered."""
        errand.attempts -= 1
        errand.order_id = errand.cancel_at = errand.ask_at = None
        self.fail(errand, trouble)
        if errand.failures == 1:
            errand.retry_at = None

    def waits(self, errand: Errand) -> bool:
        return errand.retry_at is not None and errand.retry_at > self._floor.now

    def may_act(self, venue: str) -> bool:
        return self._floor.armed and self._floor.standing(venue).may_act

    def obstacle(self, guard: Guard) -> str:
        """Why nothing can be sent for a guard now, empty when it can."""
        if not self._floor.armed:
            return "disarmed: nothing is sent"
        standing = self._floor.standing(guard.venue)
        if not standing.may_act:
            return f"{guard.venue} cannot act: {standing.detail or standing.state.value}"
        if self._floor.spec(guard.venue, guard.instrument) is None:
            return "its price and quantity steps are not known yet"
        return ""

    def sendable(self, guard: Guard) -> Decimal:
        """What is left of a guard and really held, rounded down to the venue's step."""
        held = self._floor.book(guard.venue).effective(guard.account, guard.instrument.ref)
        quantity = min(guard.left, max(ZERO, held * guard.side.sign))
        spec = self._floor.spec(guard.venue, guard.instrument)
        return quantity if spec is None else round_down(quantity, spec.quantity_step)

    def unexplained(self, guard: Guard) -> bool:
        """Whether the guard's position changed and nothing told why yet."""
        held = self._floor.book(guard.venue).unsettled.get((guard.account, guard.instrument.ref))
        return held is not None and held.row_surplus != 0

    def deadlines(self, errand: Errand) -> Iterator[datetime]:
        for at in (errand.retry_at, errand.cancel_at, errand.ask_at):
            if at is not None:
                yield at


def round_down(quantity: Decimal, step: Decimal) -> Decimal:
    """Round to whole steps, without the zeros at its end that a step's own would leave."""
    return Decimal(amount((quantity / step).to_integral_value(ROUND_FLOOR) * step))


def _is_open_question(order: Order) -> bool:
    """Whether only the venue can tell: it is lost, or it ended and fills are missing."""
    return order.state is OrderState.UNKNOWN or (order.is_terminal and order.blocks)


def _doubling(first: timedelta, times: int) -> timedelta:
    # Past 2 ** 6 the longest wait is reached from either start.
    return min(first * (1 << min(times, 6)), RETRY_LAST)
