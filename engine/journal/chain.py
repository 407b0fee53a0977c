"""The hash chain: each row's hash covers the row and the hash before it.

It shows damage and careless edits. It is no signature: whoever can rewrite the whole file can
rewrite the chain with it.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from engine.journal.codec import Kind

GENESIS = bytes(32)

Row = tuple[int, int, str, Kind, str, str | None, str, bytes]
"""seq, batch, at, kind, name, strategy_id, body, hash: the columns of entries in their order."""

Line = tuple[int, str, Kind, str, str | None, str]
"""A record made ready: batch within its append, at, kind, name, strategy_id, body."""


def link(
    previous: bytes,
    seq: int,
    batch: int,
    at: str,
    kind: str,
    name: str,
    strategy_id: str | None,
    body: str,
) -> bytes:
    """Return the hash of a row. Only strategy_id and body may hold any text, so the first carries
    its length and the second comes last: no two rows read alike."""
    owner = "" if strategy_id is None else f"{len(strategy_id)}:{strategy_id}"
    text = f"{seq}|{batch}|{at}|{kind}|{name}|{owner}|{body}"
    return sha256(previous + text.encode("utf-8", "surrogatepass")).digest()


class BrokenChainError(Exception):
    """A row does not follow from the one before it. seq is the row, the text what is wrong."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.seq = seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the journal says of itself, and last: the newest row there really is."""

    count: int
    batch: int
    hash: bytes
    last: int

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> "Head":
        row = connection.execute(
            "SELECT count, batch, hash, (SELECT coalesce(max(seq), 0) FROM entries) FROM head"
        ).fetchone()
        if row is None:
            raise BrokenChainError(1, "the head, which counts the entries, is missing")
        return cls(count=row[0], batch=row[1], hash=row[2], last=row[3])


class Walk:
    """A walk along the chain, from its beginning, that stops at the first row out of order."""

    def __init__(self) -> None:
        self.seq = 0
        self.hash = GENESIS

    def over(self, rows: Iterable[Row]) -> None:
        """Take the next rows. Raises BrokenChainError."""
        for seq, batch, at, kind, name, strategy_id, body, stored in rows:
            if seq != self.seq + 1:
                raise BrokenChainError(self.seq + 1, f"entry {self.seq + 1} is missing")
            expected = link(self.hash, seq, batch, at, kind, name, strategy_id, body)
            if expected != stored:
                raise BrokenChainError(seq, f"entry {seq} was changed, or one before it replaced")
            self.seq, self.hash = seq, stored

    def end(self, head: Head) -> None:
        """Compare with the head, which is written with the last row. Raises BrokenChainError."""
        if self.seq < head.count:
            raise BrokenChainError(
                self.seq + 1, f"entries {self.seq + 1} to {head.count} are missing at the end"
            )
        if head.last > head.count:
            raise BrokenChainError(head.count + 1, f"entry {head.count + 1} was put in by others")
        if self.hash != head.hash:
            raise BrokenChainError(self.seq, "the last entry is not the one that was written last")
