"""Journal entries as the terminal reads them, and what in the picture an entry is about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from engine.desk.snapshot import Snapshot

_TIME_LENGTH = len("15:04:21.123  ")
_AT_NOWHERE = datetime.min.replace(tzinfo=UTC)


class Sort(StrEnum):
    """What an entry is, as the log screen sorts them."""

    SEEN = "seen"
    DECIDED = "decided"
    ORDER = "order"
    ALERT = "alert"
    ASKED = "asked"
    HERE = "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One row of the journal, or (seq 0) something this terminal said itself.

    text is the journal's own sentence without its time; body the whole of it as plain JSON.
    """

    seq: int
    at: datetime
    name: str
    text: str
    batch: int = 0
    kind: str = "fact"
    strategy_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sort(self) -> Sort:
        if not self.seq:
            return Sort.HERE
        if "Alert" in self.name:
            return Sort.ALERT
        if "Order" in self.name or self.name.startswith("Execution"):
            return Sort.ORDER
        if self.name.endswith("Requested") or self.name in ("ArmedChanged", "GuardReleased"):
            return Sort.ASKED
        return Sort.DECIDED if self.kind == "intent" else Sort.SEEN


def entries_of(data: Any) -> tuple[JournalEntry, ...]:
    """Read what ReadJournal answers; what is no entry is left out.

    The answer is {"entries": [...], "story": [...]}: the story has a line for each entry and one
    more for each day, and says of positions what they were before.
    """
    rows: Sequence[Any] = []
    story: Sequence[Any] = []
    if isinstance(data, Mapping):
        rows, story = data.get("entries") or [], data.get("story") or []
    elif isinstance(data, list):
        rows = data
    known = [entry for row in rows if isinstance(row, Mapping) and (entry := _entry(row))]
    return tuple(_with_story(known, story))


def _entry(row: Mapping[str, Any]) -> JournalEntry | None:
    try:
        at = datetime.fromisoformat(str(row.get("at", "")))
    except ValueError:
        at = _AT_NOWHERE
    body = row.get("body")
    strategy_id = row.get("strategy_id")
    try:
        return JournalEntry(
            seq=int(row.get("seq", 0)),
            batch=int(row.get("batch", 0)),
            at=at if at.tzinfo is not None else at.replace(tzinfo=UTC),
            kind=str(row.get("kind", "fact")),
            name=str(row.get("name", "")),
            text=_without_time(str(row.get("text", ""))),
            strategy_id=None if strategy_id is None else str(strategy_id),
            body=body if isinstance(body, Mapping) else {},
        )
    except (TypeError, ValueError):
        return None


def _with_story(entries: list[JournalEntry], story: Sequence[Any]) -> Iterator[JournalEntry]:
    lines = iter(story)
    days: set[date] = {entry.at.astimezone(UTC).date() for entry in entries}
    fits = len(story) == len(entries) + len(days)
    day: date | None = None
    for entry in entries:
        if not fits:
            yield entry
            continue
        today = entry.at.astimezone(UTC).date()
        if today != day:
            day = today
            next(lines)
        text = _without_time(str(next(lines)))
        yield JournalEntry(
            seq=entry.seq,
            batch=entry.batch,
            at=entry.at,
            kind=entry.kind,
            name=entry.name,
            text=text,
            strategy_id=entry.strategy_id,
            body=entry.body,
        )


def _without_time(line: str) -> str:
    stamped = len(line) > _TIME_LENGTH and line[2:3] == line[5:6] == ":"
    return line[_TIME_LENGTH:] if stamped and line[8:9] == "." else line


class Topic(StrEnum):
    """What a details screen can be about."""

    STRATEGY = "strategy"
    CANDIDATE = "candidate"
    DIFFERENCE = "difference"
    ALERT = "alert"
    ASSIGNMENT = "assignment"
    ORDER = "order"
    BARRIER = "barrier"
    POSITION = "position"
    SET = "set"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Something of the picture that has a details screen."""

    topic: Topic
    id: str


def about_of(entry: JournalEntry, picture: Snapshot) -> About | None:
    """What of the picture an entry is about, the closest thing first; None when nothing is left."""
    named = set(_names_in(entry.body))
    if entry.strategy_id is not None:
        named.add(entry.strategy_id)
    if entry.sort is Sort.ORDER:
        for order in picture.orders:
            if order.id in named:
                return About(topic=Topic.ORDER, id=order.id)
    for alert in picture.alerts:
        if alert.id in named or (entry.name == "RaiseAlert" and alert.title in named):
            return About(topic=Topic.ALERT, id=alert.id)
    for strategy in picture.strategies:
        if strategy.id in named:
            return About(topic=Topic.STRATEGY, id=strategy.id)
    for barrier in picture.barriers:
        if barrier.id in named:
            return About(topic=Topic.BARRIER, id=barrier.id)
    for one in picture.allocation.sets if picture.allocation else ():
        if one.symbol in named:
            return About(topic=Topic.SET, id=one.symbol)
    return _by_instrument(named, picture)


def _by_instrument(named: set[str], picture: Snapshot) -> About | None:
    for position in picture.positions:
        if position.ref in named:
            if position.barrier_id is not None:
                return About(topic=Topic.BARRIER, id=position.barrier_id)
            place = f"{position.venue}/{position.account}/{position.ref}"
            return About(topic=Topic.POSITION, id=place)
    for assignment in picture.assignments:
        if assignment.instrument in named:
            return About(topic=Topic.ASSIGNMENT, id=assignment.id)
    return None


def _names_in(value: Any) -> Iterator[str]:
    """Every text in an entry's body: ids, symbols, titles."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _names_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _names_in(one)
