"""The record of perpetual position changes that were not of our making, as the owner sees them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.desk.instruments import Perpetual
from engine.desk.perps.guards import Guard, GuardState, Spot
from engine.desk.snapshot import AssignmentKind, AssignmentState


@dataclass(slots=True)
class Event:
    """quantity is positive, sign the direction the position moved. guards answer the event.

    unmanaged: it was put on our book and nobody was told to close it. by_row: no execution ever
    told of it. hand_at: when a person last traded what this event sums up.
    """

    id: str
    venue: str
    account: str
    instrument: Perpetual
    kind: AssignmentKind
    quantity: Decimal
    sign: int
    detected_at: datetime
    evidence: str
    guards: list[Guard] = field(default_factory=list)
    unmanaged: bool = False
    by_row: bool = False
    hand_at: datetime | None = None

    @property
    def spot(self) -> Spot:
        return self.venue, self.account, self.instrument.ref

    @property
    def state(self) -> AssignmentState:
        """How far it is dealt with. What is held between barriers is WAITING."""
        if self.unmanaged:
            return AssignmentState.ATTENTION
        states = {guard.state for guard in self.guards}
        if any(guard.state.is_open and guard.trouble for guard in self.guards):
            return AssignmentState.ATTENTION
        if GuardState.CLOSING in states:
            return AssignmentState.CLOSING
        if GuardState.HOLDING in states:
            return AssignmentState.WAITING
        return AssignmentState.CLOSED if GuardState.CLOSED in states else AssignmentState.NOTED


class EventLog:
    """Events by id, oldest first; bounded. Those concluded from a row, and those nobody
    manages, are found by their position."""

    LIMIT = 500

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self._doubtful: dict[Spot, dict[str, Event]] = {}
        self._count = 0

    def next_id(self) -> str:
        self._count += 1
        return f"P{self._count}"

    def add(self, event: Event) -> Event:
        self.events[event.id] = event
        if event.unmanaged or event.by_row:
            self._doubtful.setdefault(event.spot, {})[event.id] = event
        while len(self.events) > self.LIMIT:
            self.drop(next(iter(self.events.values())))
        return event

    def drop(self, event: Event) -> None:
        self.events.pop(event.id, None)
        peers = self._doubtful.get(event.spot, {})
        peers.pop(event.id, None)
        if not peers:
            self._doubtful.pop(event.spot, None)

    def unmanaged_at(self, spot: Spot) -> tuple[Event, ...]:
        return tuple(e for e in self._doubtful.get(spot, {}).values() if e.unmanaged)

    def by_row_at(self, spot: Spot) -> tuple[Event, ...]:
        return tuple(e for e in self._doubtful.get(spot, {}).values() if e.by_row)
