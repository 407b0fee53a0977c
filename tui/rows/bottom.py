"""The bottom line: the last important thing that happened, and what to press next."""

from engine.desk.intents import Severity
from engine.desk.snapshot import Snapshot, StrategyStatus
from tui.rows.alerts import unacknowledged
from tui.rows.cells import Row, Span, Tone, spread
from tui.rows.figures import clock
from tui.rows.marks import severity_mark, strategy_mark
from tui.rows.strategies import in_order
from tui.rows.text import clean
from tui.rows.worst import worst_venue
from tui.view import LinkState, View

_LOOK = (StrategyStatus.ATTENTION, StrategyStatus.BROKEN)


def bottom_row(view: View, *, width: int) -> Row:
    """What the terminal just said goes first; else the picture speaks for itself."""
    if view.said is not None:
        return _row(view.said.text, view.said.tone, "", width)
    if view.picture is None:
        if view.link is LinkState.LOST:
            return _row("No engine in reach yet.", Tone.WARN, "q leaves", width)
        return _row("Waiting for the first picture.", Tone.MUTED, "q leaves", width)
    if view.link is not LinkState.UP:
        return _row(
            "The engine is out of reach: what stands here is old.", Tone.BAD, "q leaves", width
        )
    text, tone, hint = _from_picture(view.picture)
    return _row(text, tone, "" if view.read_only else hint, width)


def _row(text: str, tone: Tone, hint: str, width: int) -> Row:
    hinted = [Span(f"{hint} ", Tone.KEY_HINT)] if hint else []
    return spread([Span(f" {clean(text)}", tone)], hinted, width=width)


def _from_picture(picture: Snapshot) -> tuple[str, Tone, str]:
    new = unacknowledged(picture)
    critical = [alert for alert in new if alert.severity is Severity.CRITICAL]
    if critical:
        last = critical[-1]
        mark = severity_mark(last.severity)
        text = f"{mark.sign} {clock(last.at, picture.at)} {last.title}"
        broken = any(strategy.status in _LOOK for strategy in picture.strategies)
        return text, mark.tone, "x closes, a acknowledges" if broken else "a acknowledges"
    for strategy in in_order(picture.strategies):
        if strategy.status in _LOOK:
            mark = strategy_mark(strategy.status)
            text = f"{mark.sign} {strategy.id} {mark.word}: {strategy.reason}"
            return text, mark.tone, "x shows the closing orders"
    venue = worst_venue(picture)
    if venue is not None:
        text = f"{venue[0].sign} {venue[1]} venue {venue[0].word}"
        return text, venue[0].tone, "bulkhead doctor says why"
    if not picture.armed:
        return "○ Disarmed: the engine sends no order.", Tone.WARN, "d arms"
    if new:
        mark = severity_mark(new[-1].severity)
        text = f"{mark.sign} {clock(new[-1].at, picture.at)} {new[-1].title}"
        return text, mark.tone, "a acknowledges"
    closing = [s for s in picture.strategies if s.status is StrategyStatus.CLOSING]
    if closing:
        return f"► {closing[0].id} is closing.", Tone.NOTICE, "enter shows its orders"
    if not picture.strategies:
        return "• Nothing to guard yet.", Tone.MUTED, "? helps"
    count = sum(s.status is StrategyStatus.INTACT for s in picture.strategies)
    return f"● {count} of {len(picture.strategies)} strategies intact.", Tone.GOOD, "? helps"
