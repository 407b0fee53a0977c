"""Writes appends to the database, as many as wait in one transaction. Runs on the worker thread."""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from engine.journal.chain import BrokenChainError, Head, Row, link
from engine.journal.codec import Kind
from engine.journal.crash import CrashPoint
from engine.journal.errors import JournalError

Line = tuple[int, str, Kind, str, str | None, str]
"""A record made ready: batch within its append, at, kind, name, strategy_id, body."""

_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_HEAD = "UPDATE head SET count = ?, batch = ?, hash = ?"
# What a transaction adds to the log besides its text: the pages of the table's end and of the head.
_TRANSACTION_BYTES = 8192
_FOLD_AFTER_BYTES = 8 * 2**20


@dataclass(slots=True)
class Append:
    """One append on its way. settled is held until it is committed or has failed."""

    lines: Sequence[Line]
    settled: Lock = field(default_factory=Lock)
    failure: JournalError | None = field(
        default_factory=lambda: JournalError("The journal did not get to write this.")
    )

    def __post_init__(self) -> None:
        self.settled.acquire()


class Writer:
    """Holds the end of the chain, and moves it when a transaction is through."""

    def __init__(self, crash: CrashPoint | None) -> None:
        self.waiting: deque[Append] = deque()
        self.transactions = 0
        self._unfolded_bytes = 0
        self._crash = crash
        self._end: Head | None = None

    def write_waiting(self, connection: sqlite3.Connection) -> None:
        """Commit every append that waits, all of them or none.

        Each append gives this job once, so an append that was taken along by an earlier job finds
        nothing left to do, and is settled in any case when its own job ends.
        """
        group: list[Append] = []
        while self.waiting:
            group.append(self.waiting.popleft())
        if not group:
            return
        try:
            self._write(connection, group)
        except (sqlite3.Error, BrokenChainError, ValueError) as error:
            for append in group:
                append.failure = _explained(error)
        else:
            for append in group:
                append.failure = None
        finally:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            for append in group:
                append.settled.release()

    def _write(self, connection: sqlite3.Connection, group: Sequence[Append]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        # Forgotten until the commit: after a failure what is on disk is asked, not guessed.
        end, self._end = self._end or Head.of(connection), None
        seq, batch, previous = end.count, end.batch, end.hash
        rows: list[Row] = []
        for append in group:
            within: int | None = None
            for number, at, kind, name, strategy_id, body in append.lines:
                if number != within:
                    within, batch = number, batch + 1
                seq += 1
                previous = link(previous, seq, batch, at, kind, name, strategy_id, body)
                rows.append((seq, batch, at, kind, name, strategy_id, body, previous))
                self._unfolded_bytes += len(body)
        connection.executemany(_INSERT, rows)
        connection.execute(_HEAD, (seq, batch, previous))
        if self._crash:
            self._crash.before_commit()
        connection.execute("COMMIT")
        if self._crash:
            self._crash.after_commit()
        self._end = Head(count=seq, batch=batch, hash=previous, last=seq)
        self.transactions += 1
        self._unfolded_bytes += _TRANSACTION_BYTES

    def fold_soon(self) -> None:
        """Have the next tidy() move the log into the database."""
        self._unfolded_bytes = _FOLD_AFTER_BYTES

    def tidy(self, connection: sqlite3.Connection) -> int:
        """Move the log into the database when it is long; return how many transactions there were.

        A checkpoint that fails loses nothing: the log keeps it all, and the next one tries again.
        """
        if self._unfolded_bytes >= _FOLD_AFTER_BYTES:
            self._unfolded_bytes = 0
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return self.transactions


def _explained(error: Exception) -> JournalError:
    name = getattr(error, "sqlite_errorname", "")
    advice = "Look at the disk and at the system's log."
    if name.startswith("SQLITE_FULL"):
        advice = "The disk is full: make room."
    elif name.startswith("SQLITE_READONLY"):
        advice = "It became read-only: make it and its folder writable."
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        advice = "Another program holds it: close that one."
    return JournalError(f"The journal could not be written: {error}. {advice} Nothing was written.")
