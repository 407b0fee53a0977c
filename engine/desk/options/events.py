"""The record of position changes that were not of our making, as the owner sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.desk.hours import days_to_expiry
from engine.desk.instruments import Instrument, OptionContract, Stock
from engine.desk.options.strategies import Strategy
from engine.desk.snapshot import AssignmentKind, AssignmentTiming

ZERO = Decimal(0)

Key = tuple[str, str, str]
"""(venue, account, ref)."""


@dataclass(slots=True, eq=False)
class Event:
    """quantity is positive. episode: the strategy's episode that answers this event, if any.

    open_question: nothing explains it yet; it will become what it was, or go away. moved: the
    signed change of the option it explained for its strategy, with delivered shares of stock.
    """

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
    moved: Decimal = ZERO
    delivered: Decimal = ZERO
    stock: Stock | None = None

    @property
    def key(self) -> Key:
        return self.venue, self.account, self.instrument.ref


class EventLog:
    """Events by id, oldest first; bounded. A suspicion keeps its id when it becomes certain.
    version: counts what changed."""

    LIMIT = 500

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self._questions: dict[Key, Event] = {}
        self.version = 0
        self._count = 0

    def suspicion(self, venue: str, account: str, ref: str) -> Event | None:
        return self._questions.get((venue, account, ref))

    @property
    def has_questions(self) -> bool:
        return bool(self._questions)

    def questions(self) -> Iterable[Event]:
        """The changes that nothing explains yet."""
        return tuple(self._questions.values())

    def suspect(
        self,
        venue: str,
        account: str,
        contract: OptionContract,
        quantity: Decimal,
        strategy: Strategy | None,
        evidence: str,
        now: datetime,
    ) -> Event:
        """Record a change that nothing explains yet."""
        event = self._add(
            venue, account, contract, AssignmentKind.SUSPECT, quantity, strategy, evidence, now
        )
        event.open_question = True
        self._questions[event.key] = event
        return event

    def settle(
        self,
        venue: str,
        account: str,
        instrument: Instrument,
        kind: AssignmentKind,
        quantity: Decimal,
        strategy: Strategy | None,
        evidence: str,
        now: datetime,
    ) -> Event:
        """Record what a change was; the suspicion it answers, if there is one, becomes it."""
        event = self._questions.pop((venue, account, instrument.ref), None)
        if event is None:
            return self._add(venue, account, instrument, kind, quantity, strategy, evidence, now)
        self.version += 1
        event.kind, event.quantity, event.evidence = kind, quantity, evidence
        event.strategy_id = strategy.id if strategy else None
        event.open_question = False
        return event

    def explained(self, venue: str, account: str, ref: str, fills: Decimal) -> Event | None:
        """The newest event that explained a change of that instrument's which executions of this
        signed quantity tell to have been a trade."""
        for event in reversed(self.events.values()):
            if event.key == (venue, account, ref) and event.moved * fills > 0:
                return event
        return None

    def correct(self, event: Event, kind: AssignmentKind, evidence: str) -> None:
        """Let an event be what it was after all."""
        self.version += 1
        event.kind, event.evidence = kind, evidence
        event.moved = event.delivered = ZERO
        event.needs_owner, event.episode = False, None

    def drop(self, event: Event) -> None:
        """Forget an event: a suspicion whose change went away again, or the oldest of too many."""
        self.version += 1
        self.events.pop(event.id, None)
        if event.open_question:
            self._questions.pop(event.key, None)

    def _add(
        self,
        venue: str,
        account: str,
        instrument: Instrument,
        kind: AssignmentKind,
        quantity: Decimal,
        strategy: Strategy | None,
        evidence: str,
        now: datetime,
    ) -> Event:
        self._count += 1
        self.version += 1
        event = Event(
            id=f"E{self._count}",
            venue=venue,
            account=account,
            instrument=instrument,
            kind=kind,
            timing=timing(instrument, now),
            quantity=quantity,
            strategy_id=strategy.id if strategy else None,
            detected_at=now,
            evidence=evidence,
        )
        self.events[event.id] = event
        while len(self.events) > self.LIMIT:
            self.drop(next(iter(self.events.values())))
        return event


def timing(instrument: Instrument, now: datetime) -> AssignmentTiming | None:
    """EARLY or EXPIRATION by the days left at the event; None for what does not expire."""
    if not isinstance(instrument, OptionContract):
        return None
    early = days_to_expiry(instrument.expiry, now) > 1
    return AssignmentTiming.EARLY if early else AssignmentTiming.EXPIRATION
