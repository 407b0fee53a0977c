"""The spare log: holds what the journal does not have yet, until it has it.

That is what stands ahead of a commit, because an order goes out first, and what the journal could
not take. A file beside the journal whose space is taken in advance, so that a full disk still has
room for it, and a copy in memory for this life. It decides nothing: the writer puts what is held
here into the journal, in order, before anything newer.
"""

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from zlib import crc32

import msgspec

from engine.journal.chain import GENESIS, Head, Line
from engine.journal.codec import decode
from engine.journal.errors import JournalError
from engine.journal.records import Record

SPACE_BYTES = 4 * 2**20
MOST_HELD_BYTES = 64 * 2**20


class ForeignSpareError(Exception):
    """What the spare log holds does not follow from this journal; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the journal the spare log goes on: the last entry before it, and its hash."""

    count: int
    hash: bytes

    @classmethod
    def of(cls, head: Head) -> "Place":
        return cls(count=head.count, hash=head.hash)


class Spare:
    """What waits for the journal. Used on the database thread, or with its turn held.

    appends all follow after; what was held before them is in the journal, and stays in the file
    until wiped. only_ahead: none of them is there because the journal failed.
    """

    def __init__(self, path: Path, space_bytes: int = SPACE_BYTES) -> None:
        self.path = path
        self.appends: list[tuple[Record, ...]] = []
        self.after = Place(count=0, hash=GENESIS)
        self.only_ahead = True
        self._fd = -1
        self._space_bytes = space_bytes
        self._used_bytes = 0
        self._held_bytes = 0
        self._refused = ""

    @classmethod
    def open(cls, path: Path, *, space_bytes: int = SPACE_BYTES) -> Self:
        """Open or create the file at path, take its space, and read what it holds.

        A disk without that much room is no reason to refuse: what is there is used. Raises
        JournalError when the file is damaged, or cannot be opened at all.
        """
        spare = cls(path, space_bytes)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            spare._fd = os.open(path, flags, 0o600)
            if os.fstat(spare._fd).st_size < space_bytes:
                with contextlib.suppress(OSError):
                    os.posix_fallocate(spare._fd, 0, space_bytes)
            spare._read()
        except OSError as error:
            spare.close()
            raise JournalError(f"{path} cannot be opened: {error.strerror or error}.") from error
        except JournalError:
            spare.close()
            raise
        return spare

    @property
    def is_empty(self) -> bool:
        return not self.appends

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def sync(self) -> None:
        """Have on disk what the file holds. Raises OSError."""
        os.fdatasync(self._fd)

    # --- taking ----------------------------------------------------------------------------------

    def take(self, records: Sequence[Record], last: Head) -> str:
        """Hold one append, all of it or none; last is the journal's end. Say what is wrong where
        the file has it not, and so the next life will not have it."""
        self._begin(last)
        self.only_ahead = False
        try:
            text = self._written(records)
        except _UNWRITABLE as error:
            return f"it cannot be written: {error}"
        if self._held_bytes + len(text) > MOST_HELD_BYTES:
            return "nothing more can be held back"
        # After a gap nothing may follow: a replay would stand on a wrong book.
        self._refused = self._refused or self._put(text)
        self._hold(records, text)
        return self._refused

    def take_ahead(self, records: Sequence[Record], last: Head) -> bool:
        """Hold one append that is about to be committed. False where the file has it not: nothing
        is held then."""
        self._begin(last)
        try:
            text = self._written(records)
        except _UNWRITABLE:
            return False
        if self._refused or self._put(text):
            return False
        self._hold(records, text)
        return True

    def _begin(self, last: Head) -> None:
        if not self.appends:
            self.after, self.only_ahead = Place.of(last), True

    def _written(self, records: Sequence[Record]) -> bytes:
        """One append as one line: so a torn line is an append that never was."""
        body = _encode(
            {
                "number": len(self.appends) + 1,
                "after": self.after.count,
                "hash": self.after.hash.hex(),
                "ahead": self.only_ahead,
                "records": [(r.batch, r.at, type(r.item).__name__, r.item) for r in records],
            }
        )
        return _checksum(body) + b" " + body + b"\n"

    def _hold(self, records: Sequence[Record], text: bytes) -> None:
        self.appends.append(tuple(records))
        self._held_bytes += len(text)

    def _put(self, text: bytes) -> str:
        if self._used_bytes + len(text) >= self._space_bytes:
            return f"{self.path} is full"
        try:
            done = os.pwrite(self._fd, text, self._used_bytes)
        except OSError as error:
            return f"{self.path}: {error.strerror or error}"
        if done < len(text):
            return f"{self.path}: no space left"
        self._used_bytes += done
        return ""

    # --- giving back -----------------------------------------------------------------------------

    def missing_from(
        self, connection: sqlite3.Connection, head: Head, held: Sequence[Sequence[Line]]
    ) -> int:
        """Return how many of the appends, at their end, the journal does not have yet; held is what
        they are when spelled out.

        The first of them may be there: a commit that failed may have come through, and a process
        may die between the commit and the wiping. Raises ForeignSpareError.
        """
        if self.only_ahead and head.count < self.after.count:
            # A power cut took the journal's last entries with it, and nothing can follow a gap. The
            # venues tell the same again, and know whether an order reached them.
            return 0
        self._check_place(connection, head)
        rows = connection.execute(
            "SELECT at, kind, name, strategy_id, body FROM entries WHERE seq > ? ORDER BY seq",
            (self.after.count,),
        )
        there = 0
        with contextlib.closing(rows):
            for lines in held:
                found = rows.fetchmany(len(lines))
                if found and found != [line[1:] for line in lines]:
                    raise ForeignSpareError(f"what follows entry {self.after.count} differs")
                there += bool(found)
        return len(held) - there

    def _check_place(self, connection: sqlite3.Connection, head: Head) -> None:
        after = self.after
        if head.count < after.count:
            raise ForeignSpareError(f"it follows entry {after.count}, and there are {head.count}")
        found = connection.execute(
            "SELECT hash FROM entries WHERE seq = ?", (after.count,)
        ).fetchone()
        if after.count and (found is None or found[0] != after.hash):
            raise ForeignSpareError(f"it follows another entry {after.count}")

    def forget(self) -> None:
        """Hold nothing any more: the journal has it all."""
        self.appends.clear()
        self._held_bytes, self._refused = 0, ""

    def wipe(self) -> None:
        """Take out of the file what is not held any more. What it cannot give up does no harm: it
        is found in the journal the next time."""
        if self.appends or not self._used_bytes:
            return
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, bytes(self._used_bytes), 0)
            self._used_bytes = 0

    # --- the file --------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read what a life before left. A last line that is torn was never told to be there."""
        text = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        lines = _lines(text)
        for place, (start, line) in enumerate(lines):
            found = self._parsed(start, line)
            if found is None or found.number not in (1, len(self.appends) + 1):
                if any(self._parsed(*other) for other in lines[place + 1 :]):
                    raise self._damaged(start)
                # Torn: nothing of it may be left behind what is written next.
                self._used_bytes = start
                os.pwrite(self._fd, bytes(len(line)), start)
                return
            if found.number == 1:
                self.forget()
            self.after = Place(count=found.after, hash=bytes.fromhex(found.hash))
            self.only_ahead = found.ahead
            self._hold([_record(*kept) for kept in found.records], line)
            self._used_bytes = start + len(line)

    def _parsed(self, start: int, line: bytes) -> "_Kept | None":
        """The content of a whole line, None of any other."""
        stated, _, body = line.removesuffix(b"\n").partition(b" ")
        if not line.endswith(b"\n") or stated != _checksum(body):
            return None
        try:
            return _decode(body)
        except msgspec.MsgspecError as error:
            raise self._damaged(start) from error

    def _damaged(self, start: int) -> JournalError:
        return JournalError(
            f"{self.path} is damaged at byte {start}. It holds what the journal could not take: "
            "put a copy back, or move it away and start again."
        )


class _Kept(msgspec.Struct):
    """A line of the file as it is read back. A record is (batch, at, class, item)."""

    number: int
    after: int
    hash: str
    ahead: bool
    records: list[tuple[int, datetime, str, msgspec.Raw]]


def _record(batch: int, at: datetime, name: str, item: msgspec.Raw) -> Record:
    return Record(batch=batch, at=at, item=decode(name, bytes(item).decode()))


def _lines(text: bytes) -> list[tuple[int, bytes]]:
    """Every line with its newline, and where it begins."""
    found, start = [], 0
    for line in text.split(b"\0", 1)[0].splitlines(keepends=True):
        found.append((start, line))
        start += len(line)
    return found


def _checksum(body: bytes) -> bytes:
    return b"%08x" % crc32(body)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Kept).decode
_UNWRITABLE = (TypeError, ValueError)
