"""What goes into the journal and what comes out of it."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from engine.desk.facts import Fact
from engine.desk.intents import Intent
from engine.journal.codec import Kind


class Record(Struct, frozen=True, kw_only=True):
    """A fact or an intent to be written.

    at is the instant the desk applied it at (aware). batch tells apart, within one append, what was
    applied together: records that follow each other with the same number are one batch, and a
    replay hands them back as one. The journal numbers batches on its own.
    """

    at: datetime
    item: Fact | Intent
    batch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the journal. body is the item as the JSON text that was hashed."""

    seq: int
    batch: int
    at: datetime
    kind: Kind
    name: str
    strategy_id: str | None
    item: Fact | Intent
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The facts the desk applied together, at the instant it applied them."""

    number: int
    at: datetime
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of the whole chain found. entries counts the rows found in order.

    broken_at is the first row that is missing, was changed or was put in, None while ok; what says
    in words which of these.
    """

    ok: bool
    entries: int
    broken_at: int | None
    what: str
