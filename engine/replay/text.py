"""Draws a report as plain text for a terminal: the equity curve, and a table of the symbols."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from engine.desk.allocation.closing import ClosedTrade
from engine.replay.report import Report

_ROWS = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_MOST_TRADES = 12
_MOST_REASONS = 5
_AXIS = 11


def as_text(report: Report, width: int = 80) -> str:
    """Return the report as lines of at most width characters (at least 60 are used)."""
    width = max(width, 60)
    lines = [*_head(report), "", *_curve(report, width), "", *_table(report)]
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
    signals, fills = _counted(buys, "buy signal"), _counted(len(report.fills), "fill")
    yield f"{signals}, {bought} taken, {fills}"


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
    start, end = f"{report.started_at:%m-%d %H:%M}", f"{report.ended_at:%m-%d %H:%M}"
    apart = max(len(points) - len(start), len(end) + 1)
    yield f"{'':{_AXIS}}{start}{end:>{apart}}"


def _table(report: Report) -> Iterator[str]:
    """held: the part of the time there was a position; used: the part of the account that was
    reserved, over all the time."""
    symbols = report.symbols
    head = ("symbol", "buy at z", "reached", "highest", "trades", "profit", "fees", "held", "used")
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
                _money(one.fees),
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
    yield from _not_taken(report)


def _not_taken(report: Report) -> Iterator[str]:
    """Say why signals came to nothing, in the log's words, the most frequent first."""
    buys = (signal for signal in report.signals if signal.kind == "ENTRY" and not signal.taken)
    for outcome, count in Counter(signal.outcome for signal in buys).most_common(_MOST_REASONS):
        yield f"{count}x {outcome}"


def _trades(report: Report) -> Iterator[str]:
    shown = sorted(report.trades, key=lambda trade: trade.opened_at)[-_MOST_TRADES:]
    if len(shown) < len(report.trades):
        yield f"the last {len(shown)} of {len(report.trades)} trades (--json has all)"
    for trade in shown:
        how = (trade.close_type or "nothing bought").lower().replace("_", " ")
        entry = "-" if trade.entry_price is None else f"{trade.entry_price:.8g}"
        leave = "-" if trade.exit_price is None else f"{trade.exit_price:.8g}"
        yield (
            f"{trade.opened_at:%m-%d %H:%M}  {_lasted(trade):>7}  {trade.symbol:<9} "
            f"{entry} -> {leave}  {how}  {trade.earned - trade.spent:+.2f}"
        )


def _lasted(trade: ClosedTrade) -> str:
    minutes = int((trade.closed_at - trade.opened_at).total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m"


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


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
