"""A price chart in text: the marks this terminal has seen, and the lines that matter to them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tui.rows.cells import Row, Span, Tone, line
from tui.rows.figures import left as time_left
from tui.rows.figures import price
from tui.rows.gauge import spans_of
from tui.rows.text import fit

_LABEL = 28
_SMALLEST = (24, 5)
_ROOM = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line across the chart; label is written at its right end, sign along it."""

    value: float
    label: str
    tone: Tone
    sign: str = "╌"


def chart_rows(
    points: Sequence[tuple[float, float]],
    levels: Sequence[Level],
    *,
    width: int,
    height: int,
    zoom: bool = False,
    written: Callable[[float], str] = price,
) -> tuple[Row, ...]:
    """Draw points (instant, value) over time with the levels across; zoomed, the points alone
    decide the scale, and levels beyond it stand at the edge with an arrow. written: a value in
    words."""
    if width < _SMALLEST[0] + _LABEL or height < _SMALLEST[1]:
        return ()
    plot, lines = width - _LABEL - 1, height - 1
    values = [value for _, value in points]
    scale = values if zoom and values else [*values, *(level.value for level in levels)]
    if not scale:
        return (line(Span("No price has been seen yet.", Tone.MUTED), width=width),)
    low, high = _range(scale)

    def place(value: float) -> int:
        share = (value - low) / (high - low)
        return min(max(round((1 - share) * (lines - 1)), 0), lines - 1)

    grid = [[(" ", Tone.PLAIN)] * plot for _ in range(lines)]
    labels: list[list[tuple[str, Tone]]] = [[] for _ in range(lines)]
    for level in sorted(levels, key=lambda one: -one.value):
        y = place(level.value)
        beyond = "↑" if level.value > high else "↓" if level.value < low else ""
        if not beyond:
            grid[y] = [(level.sign, level.tone)] * plot
        labels[y].append((f"{beyond}{level.label}", level.tone))
    _curve(grid, [place(value) for value in _columns(points, plot)])
    if values:
        labels[place(values[-1])].append((f"● {written(values[-1])}", Tone.STRONG))
    for y, value in ((0, high), (lines - 1, low)):
        if not labels[y]:
            labels[y].append((written(value), Tone.MUTED))
    rows = [
        line(*spans_of(cells), Span(" "), *_label(labels[y]), width=width)
        for y, cells in enumerate(grid)
    ]
    return (*rows, _foot(points, plot, width))


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * _ROOM or abs(high) * 0.001 or 1.0
    return low - room, high + room


def _columns(points: Sequence[tuple[float, float]], plot: int) -> Iterator[float]:
    """One value for each column in use: the last one seen by then."""
    if not points:
        return
    begin, end = points[0][0], points[-1][0]
    used = min(plot, len(points)) if len(points) < plot else plot
    at = 0
    for column in range(used):
        until = begin + (end - begin) * (column + 1) / used
        while at + 1 < len(points) and points[at + 1][0] <= until:
            at += 1
        yield points[at][1] if column < used - 1 else points[-1][1]


def _curve(grid: list[list[tuple[str, Tone]]], ys: Sequence[int]) -> None:
    before: int | None = None
    for x, y in enumerate(ys):
        if before is None or before == y:
            grid[y][x] = ("─", Tone.STRONG)
        elif y < before:
            grid[y][x], grid[before][x] = ("╭", Tone.STRONG), ("╯", Tone.STRONG)
        else:
            grid[y][x], grid[before][x] = ("╰", Tone.STRONG), ("╮", Tone.STRONG)
        if before is not None:
            for between in range(min(before, y) + 1, max(before, y)):
                grid[between][x] = ("│", Tone.STRONG)
        before = y
    if ys:
        grid[ys[-1]][len(ys) - 1] = ("●", Tone.STRONG)


def _label(labels: Sequence[tuple[str, Tone]]) -> Iterator[Span]:
    room = _LABEL
    if sum(len(text) + 2 for text, _ in labels) - 2 > room:
        # What does not fit is cut at its end: not where the price stands now.
        labels = labels[::-1]
    for index, (text, tone) in enumerate(labels):
        words = text if index == 0 else f", {text}"
        yield Span(fit(words, min(room, len(words))), tone)
        room -= len(words)
        if room <= 0:
            return


def _foot(points: Sequence[tuple[float, float]], plot: int, width: int) -> Row:
    if len(points) < 2:
        return line(Span("the line begins as prices arrive".center(plot), Tone.MUTED), width=width)
    span = time_left(points[-1][0] - points[0][0])
    start, end = f"{span} ago", "now"
    used = min(plot, len(points))
    gap = max(1, used - len(start) - len(end))
    return line(Span(start, Tone.MUTED), Span(" " * gap), Span(end, Tone.MUTED), width=width)
