"""What a row is made of: spans of text, each with a tone that the palette gives a colour.

A row belongs to an item (its key); the cursor moves from item to item, over all rows of one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

from tui.rows.text import fit


class Tone(StrEnum):
    """What a span means; each is a component class `tone--NAME` of the drawing widget."""

    PLAIN = "plain"
    MUTED = "muted"
    STRONG = "strong"
    TITLE = "title"
    ACTIVE = "active"
    KEY = "key"
    KEY_HINT = "key-hint"
    DANGER_KEY = "danger-key"
    GOOD = "good"
    NOTICE = "notice"
    WARN = "warn"
    BAD = "bad"
    ALARM = "alarm"
    RULE = "rule"
    BRAND = "brand"
    DEMO = "demo"
    PAPER = "paper"
    LIVE = "live"
    LOSS = "loss"
    GAIN = "gain"
    HELD = "held"
    RESERVED = "reserved"
    PROMISED = "promised"
    FREE = "free"
    FOUND = "found"
    MATCH = "match"


class Span(NamedTuple):
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Row:
    """One line. key names the item it belongs to ("" for none), band tints its background, stale
    says that what it shows may no longer be true."""

    spans: tuple[Span, ...]
    key: str = ""
    band: bool = False
    stale: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


BLANK = Row(())


class Block(NamedTuple):
    """An item of a list before it is drawn: only what is in sight is ever drawn.

    height is the number of rows draw gives; a block without a key is passed over by the cursor."""

    key: str
    height: int
    draw: Callable[[], Sequence[Row]]


def block(key: str, rows: Sequence[Row]) -> Block:
    return Block(key, len(rows), lambda: rows)


def blocks_of(rows: Iterable[Row]) -> tuple[Block, ...]:
    """Make finished rows a list: neighbours with the same key are one item."""
    found: list[Block] = []
    for key, group in groupby(rows, key=lambda row: row.key):
        members = tuple(group)
        found += [block(key, members)] if key else [block("", (row,)) for row in members]
    return tuple(found)


def stale_block(fresh: Block) -> Block:
    """The same item, marked as no longer true."""
    return Block(fresh.key, fresh.height, lambda: [stale(row) for row in fresh.draw()])


def stale(row: Row) -> Row:
    return Row(row.spans, row.key, row.band, True)


def cell(text: str, width: int, tone: Tone = Tone.PLAIN, *, right: bool = False) -> Span:
    """Make a span of exactly width cells out of any text, ours or a venue's."""
    return Span(fit(text, width, right=right), tone)


def width_of(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def line(*spans: Span, width: int, key: str = "", band: bool = False, stale: bool = False) -> Row:
    """Make a row of exactly width cells: padded, or cut where it is too long."""
    kept: list[Span] = []
    left = width
    for span in spans:
        length = cell_len(span.text)
        if length > left:
            kept.append(Span(fit(span.text, left), span.tone))
            left = 0
            break
        kept.append(span)
        left -= length
    if left:
        kept.append(Span(" " * left))
    return Row(tuple(kept), key, band, stale)


def spread(left: Iterable[Span], right: Iterable[Span], *, width: int, fill: str = " ") -> Row:
    """Put left at the left and right at the right; the left gives way where both do not fit."""
    left, right = tuple(left), tuple(right)
    gap = width - width_of(left) - width_of(right)
    if gap >= 1:
        return line(*left, Span(fill * gap, Tone.RULE), *right, width=width)
    room = max(0, width - width_of(right) - 1)
    return line(*line(*left, width=room).spans, Span(" "), *right, width=width)
