"""The record of position changes that were not of our making, as the owner sees them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.desk.instruments import Instrument
from engine.desk.snapshot import AssignmentKind, AssignmentTiming


@dataclass(slots=True)
class Event:
    """quantity is positive. episode: the strategy's episode that answers this event, if any."""

    id: str
    venue: str
    account: str
    instrument: Instrument
    kind: AssignmentKind
    timing: AssignmentTiming | None
    quantity: Decimal
    strategy_id: str | None
    detected_at: datetime
    evidence: str
    episode: int | None = None
    needs_owner: bool = False
    open_question: bool = False


class EventLog:
    """Events by id, oldest first; bounded. A suspicion keeps its id when it becomes certain."""

    LIMIT = 500

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self._count = 0

    def suspicion(self, venue: str, account: str, ref: str) -> Event | None:
        return next(
            (
                event
                for event in self.events.values()
                if event.open_question
                and (event.venue, event.account, event.instrument.ref) == (venue, account, ref)
            ),
            None,
        )

    def next_id(self) -> str:
        self._count += 1
        return f"E{self._count}"

    def add(self, event: Event) -> Event:
        self.events[event.id] = event
        while len(self.events) > self.LIMIT:
            del self.events[next(iter(self.events))]
        return event

    def drop(self, event: Event) -> None:
        self.events.pop(event.id, None)
