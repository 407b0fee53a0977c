"""Rows of the log screen: entries of the journal and what this terminal said, in order of time."""

from collections.abc import Sequence
from datetime import UTC
from enum import StrEnum
from functools import partial

from tui.journal import JournalEntry, Sort
from tui.rows.cells import Block, Row, Span, Tone, line
from tui.rows.fields import SORT_SIGNS, SORT_TONES
from tui.rows.text import clean, wrap

_TIME = 14
_MOST_LINES = 3


class Kinds(StrEnum):
    """Which entries are shown; each is a step of `e`."""

    ALL = "everything"
    DECISIONS = "decisions and requests"
    ORDERS = "orders and fills"
    ALERTS = "alerts"


_SORTS = {
    Kinds.DECISIONS: (Sort.DECIDED, Sort.ASKED, Sort.ALERT, Sort.HERE),
    Kinds.ORDERS: (Sort.ORDER,),
    Kinds.ALERTS: (Sort.ALERT,),
}


def shown_entries(
    entries: Sequence[JournalEntry], kinds: Kinds, filter_text: str
) -> list[JournalEntry]:
    wanted = filter_text.lower()
    sorts = _SORTS.get(kinds)
    return [
        entry
        for entry in entries
        if (sorts is None or entry.sort in sorts) and (not wanted or wanted in searched(entry))
    ]


def searched(entry: JournalEntry) -> str:
    """The text an entry is found by."""
    return f"{clean(entry.text)} {entry.name} {clean(entry.strategy_id or '')}".lower()


def log_blocks(
    entries: Sequence[JournalEntry], *, width: int, search: str = ""
) -> tuple[Block, ...]:
    """One item for each entry under its key, and a line without a key for each day."""
    blocks: list[Block] = []
    day = ""
    for entry in entries:
        today = f"{entry.at.astimezone(UTC):%A %d %B %Y}"
        if today != day:
            day = today
            blocks.append(Block("", 1, partial(_day_rows, day, width)))
        blocks.append(_block(entry, width, search))
    return tuple(blocks)


def key_of(entry: JournalEntry) -> str:
    return f"{entry.seq}/{entry.at.timestamp()}"


def _day_rows(day: str, width: int) -> list[Row]:
    return [line(Span(f"{day}, UTC", Tone.MUTED), width=width, band=True)]


def _block(entry: JournalEntry, width: int, search: str) -> Block:
    texts = wrap(entry.text, max(10, width - _TIME - 2), most=_MOST_LINES) or ("",)
    return Block(key_of(entry), len(texts), partial(_rows, entry, texts, width, search))


def _rows(entry: JournalEntry, texts: tuple[str, ...], width: int, search: str) -> list[Row]:
    tone = SORT_TONES[entry.sort]
    key = key_of(entry)
    moment = entry.at.astimezone(UTC)
    stamp = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    rows = []
    for index, text in enumerate(texts):
        head = Span(f"{stamp if index == 0 else '':<{_TIME}}", Tone.MUTED)
        sign = Span(f"{SORT_SIGNS[entry.sort] if index == 0 else ' '} ", tone)
        rows.append(line(head, sign, *marked(text, search, tone), width=width, key=key))
    return rows


def marked(text: str, search: str, tone: Tone) -> list[Span]:
    """The text with every place found in it set apart."""
    if not search:
        return [Span(text, tone)]
    spans, at, lower, wanted = [], 0, text.lower(), search.lower()
    while (found := lower.find(wanted, at)) >= 0:
        spans += [Span(text[at:found], tone), Span(text[found : found + len(wanted)], Tone.MATCH)]
        at = found + len(wanted)
    return [span for span in (*spans, Span(text[at:], tone)) if span.text]
