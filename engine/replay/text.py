"""Draws a report as plain text for a terminal: the equity curve, and a table of the symbols."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from engine.replay.report import Report, SymbolReport

_ROWS = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_MOST_TRADES = 12
_AXIS = 11


def as_text(report: Report, width: int = 80) -> str:
    """Return the report as lines of at most width characters (at least 60 are used)."""
    width = max(width, 60)
    lines = [*_head(report), "", *_curve(report, width), "", *_table(report.symbols)]
    if report.trades:
        lines += ["", *_trades(report)]
    lines += ["", *report.notes] if report.notes else []
    return "\n".join(line[:width].rstrip() for line in _folded(lines, width))


def _head(report: Report) -> Iterator[str]:
    start, end = report.started_at, report.ended_at
    bought = sum(1 for signal in report.signals if signal.taken and signal.kind == "ENTRY")
    buys = sum(1 for signal in report.signals if signal.kind == "ENTRY")
    yield f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {report.bars:,} bars"
    yield (
        f"{_money(report.initial_equity)} -> {_money(report.final_equity)} {report.currency} "
        f"({report.return_percent:+.2f}%), fees {_money(report.fees)}, "
        f"deepest fall {report.max_drawdown_percent:.2f}%"
    )
    yield f"{buys} buy signals, {bought} taken, {len(report.fills)} fills"


def _curve(report: Report, width: int) -> Iterator[str]:
    """Each column is the last equity of its stretch of time; eight rows of eight steps."""
    points = [value for _, value in report.curve(width - _AXIS)]
    low, high = min(points), max(points)
    span = high - low
    if not span:
        yield f"{high:>{_AXIS - 1},.2f} {'▁' * len(points)}"
        return
    heights = [round((value - low) / span * (_ROWS * 8 - 1)) + 1 for value in points]
    for row in range(_ROWS - 1, -1, -1):
        label = high - span * (_ROWS - 1 - row) / (_ROWS - 1)
        marks = "".join(_EIGHTHS[min(max(height - row * 8, 0), 8)] for height in heights)
        yield f"{label:>{_AXIS - 1},.2f} {marks}"


def _table(symbols: Sequence[SymbolReport]) -> Iterator[str]:
    head = ("symbol", "buy at z", "reached", "highest", "trades", "profit", "held", "used")
    rows = [head]
    for one in symbols:
        highest = "none" if one.highest_z is None else f"{one.highest_z:.2f}"
        rows.append(
            (
                one.symbol,
                f"{one.threshold.normalize():f}",
                f"{one.reached}x",
                highest,
                str(one.entries),
                f"{one.profit:+,.2f}",
                f"{one.in_position_percent:.1f}%",
                f"{one.utilisation_percent:.1f}%",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        first = row[0].ljust(widths[0])
        yield "  ".join([first, *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
    for one in symbols:
        ends = [f"{count} {name.lower().replace('_', ' ')}" for name, count in one.exits.items()]
        if one.open_value > 0:
            ends.append(f"1 still open, worth {_money(one.open_value)}")
        if ends:
            yield f"{one.symbol}: {', '.join(ends)}"


def _trades(report: Report) -> Iterator[str]:
    shown = report.trades[-_MOST_TRADES:]
    if len(shown) < len(report.trades):
        yield f"the last {len(shown)} of {len(report.trades)} trades"
    for trade in shown:
        how = (trade.close_type or "nothing bought").lower().replace("_", " ")
        entry = "-" if trade.entry_price is None else f"{trade.entry_price:.8g}"
        leave = "-" if trade.exit_price is None else f"{trade.exit_price:.8g}"
        yield (
            f"{trade.opened_at:%m-%d %H:%M}  {trade.symbol:<9} {entry} -> {leave}  {how}  "
            f"{trade.earned - trade.spent:+.2f}"
        )


def _folded(lines: Sequence[str], width: int) -> Iterator[str]:
    """Break a sentence that is too long between its words."""
    for line in lines:
        while len(line) > width and " " in line[1:width]:
            cut = line.rindex(" ", 1, width)
            yield line[:cut]
            line = line[cut + 1 :]
        yield line


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"
