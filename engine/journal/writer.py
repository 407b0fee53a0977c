"""Writes appends to the database, as many as wait in one transaction. Runs on the worker thread."""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from engine.journal.chain import GENESIS, BrokenChainError, Head, Line, Row, link
from engine.journal.crash import CrashPoint
from engine.journal.errors import JournalError
from engine.journal.lines import Lines
from engine.journal.records import Record
from engine.journal.spare import ForeignSpareError, Spare

_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_HEAD = "UPDATE head SET count = ?, batch = ?, hash = ?"
# What a transaction adds to the log besides its text: the pages of the table's end and of the head.
_TRANSACTION_BYTES = 8192
_FOLD_AFTER_BYTES = 8 * 2**20


@dataclass(slots=True)
class Append:
    """One append on its way. settled is held until it is committed or has failed. is_ahead: a
    restart finds it already. lines: the records spelled out, once its turn came."""

    records: Sequence[Record]
    lines: Sequence[Line] = ()
    is_ahead: bool = False
    settled: Lock = field(default_factory=Lock)
    failure: JournalError | None = field(
        default_factory=lambda: JournalError("The journal did not get to write this.")
    )

    def __post_init__(self) -> None:
        self.settled.acquire()

    @property
    def is_settled(self) -> bool:
        return not self.settled.locked()


class Writer:
    """Holds the end of the chain, and moves it when a transaction is through.

    spare takes what the database does not, and what cannot wait for it; trouble says in words why
    it does not, empty while it does. Without a spare log an append that fails is lost.
    """

    def __init__(self, crash: CrashPoint | None) -> None:
        self.waiting: deque[Append] = deque()
        self.lines = Lines()
        self.transactions = 0
        self.spare: Spare | None = None
        self.trouble = ""
        self._last = Head(count=0, batch=0, hash=GENESIS, last=0)
        self._unfolded_bytes = 0
        self._crash = crash
        self._end: Head | None = None

    def put_ahead(self, connection: sqlite3.Connection) -> None:
        """Put every append that waits where a restart finds it, for less than a commit costs. Where
        that cannot be done it is committed at once."""
        if self.spare is None or self.trouble:
            self.write_waiting(connection)
            return
        for append in self.waiting:
            if append.is_ahead or not append.records:
                continue
            if self._crash:
                self._crash.before()
            append.is_ahead = self.spare.take_ahead(append.records, self._last)
            if not append.is_ahead:
                self.write_waiting(connection)
                return
            if self._crash:
                self._crash.after()

    def write_waiting(self, connection: sqlite3.Connection) -> None:
        """Commit every append that waits, all of them or none.

        Each append gives this job once, so an append that was taken along by an earlier job finds
        nothing left to do, and is settled in any case when its own job ends.
        """
        group: list[Append] = []
        while self.waiting:
            append = self.waiting.popleft()
            try:
                append.lines = self.lines.of(append.records)
            except JournalError as error:
                append.failure = error
                append.settled.release()
                continue
            if append.lines:
                group.append(append)
            else:
                append.failure = None
                append.settled.release()
        if not group:
            return
        try:
            if self.spare is not None and self.trouble:
                # Nothing may overtake what waits there.
                self._put_aside(group, self.spare)
                return
            self._write(connection, group)
        except (sqlite3.Error, BrokenChainError, ValueError) as error:
            if self.spare is not None and not isinstance(error, ValueError):
                self.trouble = _explained(error)
                self._put_aside(group, self.spare)
                return
            for append in group:
                append.failure = JournalError(f"{_explained(error)} Nothing was written.")
        else:
            for append in group:
                append.failure = None
            if self.spare is not None:
                self.spare.forget()
        finally:
            _rolled_back(connection)
            for append in group:
                append.settled.release()

    def _put_aside(self, group: Sequence[Append], spare: Spare) -> None:
        for append in group:
            problem = "" if append.is_ahead else spare.take(append.records, self._last)
            failure = f"{self.trouble} It could not be put aside either: {problem}."
            append.failure = JournalError(failure) if problem else None
        self.transactions += 1

    def recover(self, connection: sqlite3.Connection, sync: Callable[[], None]) -> None:
        """Try to write what was put aside; trouble tells whether it is all in the journal now.

        sync has the journal's log on disk: only then may the spare log forget.
        """
        if self.spare is None or not self.trouble:
            return
        try:
            self._take_back(connection, self.spare, sync)
        except (sqlite3.Error, BrokenChainError, ForeignSpareError, OSError) as error:
            self.trouble = _explained(error)
        else:
            self.trouble = ""
        finally:
            _rolled_back(connection)

    def use(self, spare: Spare, connection: sqlite3.Connection, sync: Callable[[], None]) -> None:
        """Take what a life before put aside into the journal, and put things aside from now on.

        Raises sqlite3.Error or OSError where it cannot be written, ForeignSpareError where it does
        not belong to this journal.
        """
        self._last = Head.of(connection)
        if not spare.is_empty:
            try:
                self._take_back(connection, spare, sync)
            finally:
                _rolled_back(connection)
        self.spare = spare

    def _take_back(
        self, connection: sqlite3.Connection, spare: Spare, sync: Callable[[], None]
    ) -> None:
        self._last = Head.of(connection)
        held = [Append(records, self.lines.of(records)) for records in spare.appends]
        left = spare.missing_from(connection, self._last, [append.lines for append in held])
        if left:
            self._write(connection, held[-left:])
        sync()
        spare.forget()
        spare.wipe()

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
            self._crash.before()
        connection.execute("COMMIT")
        if self._crash:
            self._crash.after()
        self._end = self._last = Head(count=seq, batch=batch, hash=previous, last=seq)
        self.transactions += 1
        self._unfolded_bytes += _TRANSACTION_BYTES

    def fold_soon(self) -> None:
        """Have the next tidy() move the log into the database."""
        self._unfolded_bytes = _FOLD_AFTER_BYTES

    def tidy(self, connection: sqlite3.Connection) -> int:
        """Clear up behind the commits, and move the log into the database when it is long; return
        how many transactions there were.

        A checkpoint that fails loses nothing: the log keeps it all, and the next one tries again.
        """
        if self.spare is not None:
            self.spare.wipe()
        if self._unfolded_bytes >= _FOLD_AFTER_BYTES:
            self._unfolded_bytes = 0
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return self.transactions


def _rolled_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _explained(error: Exception) -> str:
    name = getattr(error, "sqlite_errorname", "")
    advice = "Look at the disk and at the system's log."
    if name.startswith("SQLITE_FULL"):
        advice = "The disk is full: make room."
    elif name.startswith("SQLITE_READONLY"):
        advice = "It became read-only: make it and its folder writable."
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        advice = "Another program holds it: close that one."
    return f"The journal could not be written: {error}. {advice}"
