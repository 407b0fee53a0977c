"""What the parts of one connection share: the client, the budget, and the way facts go out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from engine.desk.facts import VenueFact, VenueWarned
from engine.desk.text import clean_text
from engine.venues.ib.pacer import Lane, Pacer
from engine.venues.ib.wire import Client


@dataclass(slots=True)
class Link:
    """emit puts a fact into the batch at hand. Warnings of the same code and text are one."""

    venue: str
    client: Client
    pacer: Pacer
    emit: Callable[[VenueFact], None]
    now: Callable[[], datetime]
    clock: Callable[[], float]
    warned: set[tuple[str, str]] = field(default_factory=set)

    def ask(self, lane: Lane, request: Callable[[], None]) -> None:
        """Send a request within the budget; nothing is sent on a dead connection."""

        def send() -> None:
            if self.client.isConnected():
                request()

        self.pacer.send(lane, send)

    def warn(self, code: str, text: str, *, critical: bool = False) -> None:
        text = clean_text(text)
        if (code, text) in self.warned or len(self.warned) > _MOST_WARNINGS:
            return
        self.warned.add((code, text))
        self.emit(VenueWarned(venue=self.venue, code=code, text=text, critical=critical))


_MOST_WARNINGS = 500
