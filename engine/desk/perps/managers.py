"""Gives what a venue put on our book to the assignment managers: closed at once, or put between
barriers. Only the assigned quantity is touched, never the rest of the position.
"""

from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.floor import Floor
from engine.desk.intents import Severity
from engine.desk.perps.definitions import ManagerSettings
from engine.desk.perps.errands import round_down
from engine.desk.perps.events import Event, EventLog
from engine.desk.perps.guards import ZERO, Guard, Guards, GuardState
from engine.desk.perps.takeover import Taken
from engine.desk.snapshot import AssignmentKind
from engine.desk.text import amount

_HUNDRED = Decimal(100)


class Managers:
    """settings: the managers in force, in the order of the config."""

    def __init__(self, floor: Floor, guards: Guards, log: EventLog) -> None:
        self._floor = floor
        self._guards = guards
        self._log = log
        self.settings: tuple[ManagerSettings, ...] = ()

    def give(self, taken: Taken) -> None:
        """Have every manager that watches the pair take its percent, the first in the config first,
        as long as anything of the assigned quantity is left."""
        event = Event(
            id=self._log.next_id(),
            venue=taken.venue,
            account=taken.account,
            instrument=taken.instrument,
            kind=AssignmentKind.ASSIGNEE,
            quantity=taken.quantity,
            sign=taken.sign,
            detected_at=self._floor.now,
            evidence=_evidence(taken),
        )
        left, watched = taken.quantity, False
        for number, manager in enumerate(self.settings, start=1):
            if not manager.watches(taken.venue, taken.instrument.symbol):
                continue
            watched = True
            quantity = self._share(taken, manager, left)
            if quantity > 0:
                left -= quantity
                guard = self._guard(taken, manager, number, quantity)
                self._guards.add(guard)
                event.guards.append(guard)
        event.unmanaged = not event.guards
        self._log.add(event)
        self._tell(taken, event, watched)

    def _share(self, taken: Taken, manager: ManagerSettings, left: Decimal) -> Decimal:
        wanted = min(left, taken.quantity * manager.close_percent / _HUNDRED)
        spec = self._floor.spec(taken.venue, taken.instrument)
        return wanted if spec is None else round_down(wanted, spec.quantity_step)

    def _guard(
        self, taken: Taken, manager: ManagerSettings, number: int, quantity: Decimal
    ) -> Guard:
        # The first manager's orders keep their names when another is added behind it.
        source = taken.source if number == 1 else f"{taken.source}/{number}"
        return Guard(
            id=self._guards.name(taken.instrument.symbol, source),
            source=source,
            venue=taken.venue,
            account=taken.account,
            instrument=taken.instrument,
            side=Side.BUY if taken.sign > 0 else Side.SELL,
            entry=taken.price,
            opened=quantity,
            left=quantity,
            settings=manager.barriers,
            set_by=f"assignment manager {number}",
            since=taken.at,
            at_once=manager.at_once,
            fees=taken.fees * quantity / taken.quantity,
            state=GuardState.CLOSING if manager.at_once else GuardState.HOLDING,
            reason=f"assigned at {amount(taken.price)}" if manager.at_once else "",
        )

    def _tell(self, taken: Taken, event: Event, watched: bool) -> None:
        held = self._floor.book(taken.venue).effective(taken.account, taken.instrument.ref)
        parts = []
        for guard in event.guards:
            if guard.at_once:
                parts.append(f"Closing {amount(guard.left)} of it now as {guard.id}.")
            else:
                parts.append(f"{amount(guard.left)} of it is held between barriers as {guard.id}.")
        if not watched:
            parts.append("No assignment manager watches it: nothing is sent. Close it or guard it.")
        elif not event.guards:
            parts.append("The part to close rounds down to nothing: nothing is sent.")
        if held * taken.sign < taken.quantity:
            parts.append(f"It met a position of our own: {amount(held, signed=True)} is held now.")
        if not self._floor.armed:
            parts.append("Disarmed: nothing is sent. Arm to close it.")
        put = f"{amount(taken.quantity * taken.sign, signed=True)} {taken.instrument.name}"
        self._floor.alert(
            Severity.CRITICAL,
            f"{taken.venue}: {put} assigned to us",
            f"At {amount(taken.price)}. {' '.join(parts)}",
            event.guards[0].id if event.guards else None,
        )


def _evidence(taken: Taken) -> str:
    fills = ", ".join(taken.ids[:5]) + (", …" if len(taken.ids) > 5 else "")
    word = "fill" if len(taken.ids) == 1 else f"{len(taken.ids)} fills"
    fees = "" if taken.fees == ZERO else f", fees {amount(taken.fees)}"
    return f"{word} {fills} marked as an assignment, at {amount(taken.price)}{fees}"
