"""The bottom line: the last important thing that happened, and what to press next."""

from engine.desk.intents import Severity
from engine.desk.snapshot import AlertView, SetState, Snapshot, StrategyStatus
from tui.actions import by_id
from tui.rows.alerts import unacknowledged
from tui.rows.barriers import unguarded
from tui.rows.cells import Row, Span, Tone, spread
from tui.rows.figures import clock
from tui.rows.marks import barrier_mark, set_mark, severity_mark, strategy_mark
from tui.rows.strategies import in_order
from tui.rows.text import clean
from tui.rows.worst import worst_venue
from tui.view import LinkState, View

_LOOK = (StrategyStatus.ATTENTION, StrategyStatus.BROKEN)
Said = tuple[str, Tone, str]


def bottom_row(view: View, *, width: int, hints: bool = True) -> Row:
    """What the terminal just said goes first; else the picture speaks for itself. hints: whether
    the keys it would name work on this screen."""
    leaves = _press(view, "detach", "leaves")
    if view.said is not None:
        return _row(view.said.text, view.said.tone, "", width)
    if view.picture is None:
        if view.link is LinkState.LOST:
            return _row("No engine in reach yet.", Tone.WARN, leaves, width)
        return _row("Waiting for the first picture.", Tone.MUTED, leaves, width)
    if view.link is not LinkState.UP:
        return _row("The engine is out of reach: what stands here is old.", Tone.BAD, leaves, width)
    text, tone, hint = _trouble(view, view.picture) or _calm(view, view.picture)
    return _row(text, tone, hint if hints and not view.read_only else "", width)


def _row(text: str, tone: Tone, hint: str, width: int) -> Row:
    hinted = [Span(f"  {hint} ", Tone.KEY_HINT)] if hint else []
    return spread([Span(f" {clean(text)}", tone)], hinted, width=width)


def _press(view: View, action_id: str, does: str) -> str:
    return f"{view.keymap.shown(by_id(action_id), most=1)} {does}"


def _trouble(view: View, picture: Snapshot) -> Said | None:
    new = unacknowledged(picture)
    critical = [alert for alert in new if alert.severity is Severity.CRITICAL]
    acknowledges = _press(view, "acknowledge", "acknowledges")
    if critical:
        broken = any(strategy.status in _LOOK for strategy in picture.strategies)
        closes = _press(view, "close-selected", "closes")
        hint = f"{closes}, {acknowledges}" if broken else acknowledges
        return _alert_text(critical[-1], picture), Tone.BAD, hint
    needs = _needs_owner(view, picture)
    if needs is not None:
        return needs
    venue = worst_venue(picture)
    if venue is not None:
        text = f"{venue[0].sign} {venue[1]} venue {venue[0].word}"
        return text, venue[0].tone, "bulkhead doctor says why"
    if not picture.armed:
        text = "○ Disarmed: the engine sends no order."
        return text, Tone.WARN, _press(view, "arm", "arms")
    if new:
        return _alert_text(new[-1], picture), severity_mark(new[-1].severity).tone, acknowledges
    closing = [s for s in picture.strategies if s.status is StrategyStatus.CLOSING]
    if closing:
        hint = _press(view, "details", "shows its orders")
        return f"► {closing[0].id} is closing.", Tone.NOTICE, hint
    return None


def _needs_owner(view: View, picture: Snapshot) -> Said | None:
    closes = _press(view, "close-selected", "shows the closing orders")
    for strategy in in_order(picture.strategies):
        if strategy.status in _LOOK:
            mark = strategy_mark(strategy.status)
            return f"{mark.sign} {strategy.id} {mark.word}: {strategy.reason}", mark.tone, closes
    for barrier in picture.barriers:
        if barrier.state.upper() == "ATTENTION":
            mark = barrier_mark(barrier)
            text = f"{mark.sign} {barrier.instrument} {mark.word}: {barrier.reason}"
            return text, mark.tone, closes
    for one in picture.allocation.sets if picture.allocation else ():
        if one.state is SetState.ATTENTION:
            mark = set_mark(one.state)
            return f"{mark.sign} {one.symbol} {mark.word}: {one.reason}", mark.tone, closes
    return None


def _calm(view: View, picture: Snapshot) -> Said:
    loose = unguarded(picture)
    if loose:
        text = f"○ {_count(len(loose), 'perpetual')} held without barriers."
        return text, Tone.NOTICE, "3, then " + _press(view, "guard", "guards it")
    if picture.candidates:
        text = f"? {_count(len(picture.candidates), 'position')} declared nowhere."
        return text, Tone.NOTICE, _press(view, "adopt", "adopts")
    parts = _what_is_well(picture)
    helps = _press(view, "help", "helps")
    if not parts:
        return "• Nothing to guard yet.", Tone.MUTED, _press(view, "config", "configures")
    last = max(picture.alerts, key=lambda alert: alert.at, default=None)
    text = f"● {', '.join(parts)}."
    if last is not None:
        text += f"  Last: {clock(last.at, picture.at)} {last.title}"
    return text, Tone.GOOD, helps


def _what_is_well(picture: Snapshot) -> list[str]:
    parts = []
    if picture.strategies:
        intact = sum(s.status is StrategyStatus.INTACT for s in picture.strategies)
        parts.append(f"{intact} of {len(picture.strategies)} strategies intact")
    if picture.barriers:
        parts.append(f"{_count(len(picture.barriers), 'position')} between barriers")
    sets = picture.allocation.sets if picture.allocation else ()
    held = sum(one.quantity > 0 for one in sets)
    if sets:
        parts.append(f"{held} of {len(sets)} sets in position")
    return parts


def _alert_text(alert: AlertView, picture: Snapshot) -> str:
    sign = severity_mark(alert.severity).sign
    return f"{sign} {clock(alert.at, picture.at)} {alert.title}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
