"""The journal: append-only facts and intents in SQLite, the truth a restart begins from."""

from engine.journal.crash import CrashPoint, CrashWhen
from engine.journal.errors import JournalError
from engine.journal.records import Batch, Entry, Record, Verdict
from engine.journal.store import Journal
from engine.journal.story import as_document, as_row, tell, tell_all
from engine.journal.writer import Append

__all__ = [
    "Append",
    "Batch",
    "CrashPoint",
    "CrashWhen",
    "Entry",
    "Journal",
    "JournalError",
    "Record",
    "Verdict",
    "as_document",
    "as_row",
    "tell",
    "tell_all",
]
