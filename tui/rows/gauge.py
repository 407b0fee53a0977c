"""Bars that carry a price between two others, or a part of a whole: always with signs of their own,
so that they can be read without any colour.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from tui.rows.cells import Span, Tone

ENTRY, MARK, ARMED, TRIGGER = "┼", "●", "◊", "▲"
_OPEN_SHARE = 0.15
_NARROWEST = 5


class Pin(NamedTuple):
    """Something that stands on a bar at a price; of two in one cell the later is seen."""

    at: float
    sign: str
    tone: Tone


def ladder(
    width: int,
    *,
    start: float | None,
    end: float | None,
    entry: float | None,
    pins: Sequence[Pin],
) -> tuple[Span, ...]:
    """Draw a bar from start (a stop, at the left) to end (a target), with entry and pins on it.

    What lies on the losing side of the entry is thin, on the winning side double. An end that is
    None is open. Prices beyond an end stand on it.
    """
    if width < _NARROWEST:
        return (Span(" " * max(0, width)),)
    known = [value for value in (start, end, entry, *(pin.at for pin in pins)) if value is not None]
    low, high = _ends(start, end, known)
    inner = width - 2

    def place(value: float) -> int:
        share = 0.5 if high == low else (value - low) / (high - low)
        return min(max(round(share * (inner - 1)), 0), inner - 1)

    middle = place(entry) if entry is not None else 0
    cells = [("─", Tone.LOSS) if x < middle else ("═", Tone.GAIN) for x in range(inner)]
    if entry is None:
        cells = [("─", Tone.RULE)] * inner
    else:
        cells[middle] = (ENTRY, Tone.PLAIN)
    for pin in pins:
        cells[place(pin.at)] = (pin.sign, pin.tone)
    left = ("├", Tone.BAD) if start is not None else ("·", Tone.MUTED)
    right = ("┤", Tone.GOOD) if end is not None else ("·", Tone.MUTED)
    return spans_of([left, *cells, right])


def _ends(start: float | None, end: float | None, known: Sequence[float]) -> tuple[float, float]:
    """The prices at both ends of the bar; beyond what is known where an end is open. Start may be
    above end: a short position loses upwards."""
    if start is not None and end is not None:
        return start, end
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    room = (high - low) * _OPEN_SHARE or abs(high) * 0.01 or 1.0
    if start is not None:
        return start, (high + room if start < high else low - room)
    if end is not None:
        return (low - room if end > low else high + room), end
    return low - room, high + room


def filled(
    width: int, share: float, *, sign: str = "█", tone: Tone = Tone.NOTICE
) -> tuple[Span, ...]:
    """Draw how much of a bar is full; share is a fraction, kept within the bar."""
    full = min(max(round(share * width), 0), width)
    return Span(sign * full, tone), Span("░" * (width - full), Tone.RULE)


def parts(width: int, weights: Sequence[tuple[float, str, Tone]]) -> tuple[Span, ...]:
    """Draw parts of a whole side by side, each with its own sign; what is not nothing is seen.

    weights are (share of the whole, sign, tone). The cells are exactly width."""
    shares = [max(0.0, share) for share, _, _ in weights]
    total = sum(shares)
    if total <= 0 or width <= 0:
        return (Span(" " * max(0, width)),)
    sizes = [int(width * share / total) for share in shares]
    for index, share in enumerate(shares):
        if share > 0 and sizes[index] == 0:
            sizes[index] = 1
    # What rounding left over goes to, or comes from, the largest part.
    largest = max(range(len(sizes)), key=lambda index: sizes[index])
    sizes[largest] = max(0, sizes[largest] + width - sum(sizes))
    spans = [Span(sign * n, tone) for n, (_, sign, tone) in zip(sizes, weights, strict=True) if n]
    return tuple(spans)


def spans_of(cells: Iterable[tuple[str, Tone]]) -> tuple[Span, ...]:
    """Join neighbours of one tone into spans."""
    return tuple(
        Span("".join(sign for sign, _ in group), tone)
        for tone, group in groupby(cells, key=lambda cell: cell[1])
    )
