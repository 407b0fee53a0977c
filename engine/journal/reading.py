"""Reads the journal back: for people, for a replay, for a check. Runs on the worker thread.

Everything goes in small bites, so that a commit waits behind one bite and not behind a long trail.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from engine.desk.facts import Fact
from engine.journal.chain import Head, Row, Walk
from engine.journal.codec import decode
from engine.journal.errors import JournalError
from engine.journal.records import Batch, Entry

BITE_ROWS = 250
REPLAY_ROWS = 2000

_COLUMNS = "seq, batch, at, kind, name, strategy_id, body, hash"


def instant_text(at: datetime) -> str:
    """Write an instant so that the order of the texts is the order of the instants."""
    if at.tzinfo is None:
        raise JournalError(f"{at} names no time zone: the journal holds instants only.")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which entries a person asked for; limit keeps the newest of them."""

    since: datetime | None
    strategy_id: str | None
    limit: int | None

    def start(self, connection: sqlite3.Connection) -> int:
        """Return the seq the wanted entries come after."""
        if self.limit is None:
            return 0
        where, values = self._condition()
        newest = f"SELECT seq FROM entries WHERE {where} ORDER BY seq DESC LIMIT ?"
        first = connection.execute(
            f"SELECT min(seq) FROM ({newest})", (*values, max(self.limit, 0))
        ).fetchone()[0]
        return int(first) - 1 if first is not None else _last(connection)

    def bite(self, connection: sqlite3.Connection, after: int) -> list[Entry]:
        where, values = self._condition()
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM entries WHERE seq > ? AND {where} ORDER BY seq LIMIT ?",
            (after, *values, BITE_ROWS),
        )
        return [_entry(row) for row in rows.fetchall()]

    def _condition(self) -> tuple[str, list[str]]:
        parts, values = ["seq > 0"], []
        if self.since is not None:
            parts.append("at >= ?")
            values.append(instant_text(self.since))
        if self.strategy_id is not None:
            parts.append("strategy_id = ?")
            values.append(self.strategy_id)
        return " AND ".join(parts), values


def rows_after(connection: sqlite3.Connection, after: int, limit: int) -> list[Row]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
    )
    return cast("list[Row]", rows.fetchall())


class Replay:
    """Gathers facts into the batches they were applied in, walking the chain on the way."""

    def __init__(self) -> None:
        self.walk = Walk()
        self._number = 0
        self._at = ""
        self._facts: list[Fact] = []

    def bite(self, connection: sqlite3.Connection, until: Head) -> list[Batch]:
        """Return the batches that are complete; the last is so once until is reached."""
        rows = rows_after(connection, self.walk.seq, min(REPLAY_ROWS, until.count - self.walk.seq))
        if not rows:
            self.walk.end(until)
        self.walk.over(rows)
        batches: list[Batch] = []
        for _, number, at, kind, name, _, body, _ in rows:
            if kind != "fact":
                continue
            if number != self._number:
                batches += self._complete()
                self._number, self._at = number, at
            self._facts.append(cast(Fact, decode(name, body)))
        if self.walk.seq == until.count:
            self.walk.end(until)
            batches += self._complete()
        return batches

    def _complete(self) -> list[Batch]:
        if not self._facts:
            return []
        facts, self._facts = tuple(self._facts), []
        return [Batch(number=self._number, at=datetime.fromisoformat(self._at), facts=facts)]


def _entry(row: Row) -> Entry:
    seq, batch, at, kind, name, strategy_id, body, _ = row
    return Entry(
        seq=seq,
        batch=batch,
        at=datetime.fromisoformat(at),
        kind=kind,
        name=name,
        strategy_id=strategy_id,
        item=decode(name, body),
        body=body,
    )


def _last(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0])
