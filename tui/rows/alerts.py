"""Pane 2: assignments, alerts and the orders under way in one list, newest first; one line each
where there is room.

Orders that rest by design (a resident stop, a bracket) stand with their position, not here.
"""

from dataclasses import dataclass
from datetime import datetime

from engine.desk.facts import Side
from engine.desk.snapshot import (
    AlertView,
    AssignmentState,
    AssignmentView,
    BarrierView,
    OrderView,
    Snapshot,
)
from tui.rows.cells import Block, Row, Span, Tone, cell, line
from tui.rows.figures import clock, quantity
from tui.rows.marks import (
    Mark,
    assignment_state_mark,
    assignment_word,
    order_mark,
    severity_mark,
)
from tui.rows.orders import ORDER, purpose, terms
from tui.rows.strategies import OPEN_ORDERS
from tui.rows.text import clean, fit, wrap

ONE_LINE_FROM = 72
_KIND, _TIME, _STATE = 14, 10, 11
_MOST_LINES = 2
EMPTY = ("No assignment and no alert so far.", "They appear here, newest first.")
ALERT, ASSIGNMENT = "alert:", "assignment:"


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    at: datetime
    mark: Mark
    state: Span
    text: str
    quiet: bool
    urgent: bool = False


def alert_blocks(snapshot: Snapshot, *, width: int, filter_text: str = "") -> tuple[Block, ...]:
    """Items that match the filter under the keys alert:ID, assignment:ID and order:ID."""
    wanted = filter_text.lower()
    return tuple(
        _block(entry, snapshot.at, width)
        for entry in _entries(snapshot)
        if not wanted or wanted in f"{entry.mark.word} {clean(entry.text)}".lower()
    )


def unacknowledged(snapshot: Snapshot) -> tuple[AlertView, ...]:
    """Alerts nobody acknowledged, oldest first."""
    return tuple(
        sorted((a for a in snapshot.alerts if not a.acknowledged), key=lambda alert: alert.at)
    )


def under_way(snapshot: Snapshot) -> tuple[OrderView, ...]:
    """Orders that should fill and have not."""
    return tuple(
        order
        for order in snapshot.orders
        if order.state in OPEN_ORDERS and not order.purpose.is_resting
    )


def _entries(snapshot: Snapshot) -> list[_Entry]:
    entries = [_of_assignment(assignment, snapshot) for assignment in snapshot.assignments]
    entries += [_of_alert(alert) for alert in snapshot.alerts]
    entries += [_of_order(order, snapshot.at) for order in under_way(snapshot)]
    return sorted(entries, key=lambda entry: (entry.urgent, entry.at, entry.key), reverse=True)


def _of_alert(alert: AlertView) -> _Entry:
    mark = severity_mark(alert.severity)
    if alert.acknowledged:
        mark = mark._replace(tone=Tone.MUTED)
        state = Span("seen", Tone.MUTED)
    else:
        state = Span("new", mark.tone)
    return _Entry(ALERT + alert.id, alert.at, mark, state, alert.title, alert.acknowledged)


def guarding(assignment: AssignmentView, snapshot: Snapshot) -> BarrierView | None:
    """The position between barriers that an assigned position became, while it is one."""
    return next((one for one in snapshot.barriers if one.id == assignment.strategy_id), None)


def state_of(assignment: AssignmentView, snapshot: Snapshot) -> Mark:
    """How far its handling is; what stands between barriers waits for nobody."""
    if assignment.state is AssignmentState.WAITING and guarding(assignment, snapshot) is not None:
        return Mark("●", "guarded", Tone.GOOD)
    return assignment_state_mark(assignment.state)


def _of_assignment(assignment: AssignmentView, snapshot: Snapshot) -> _Entry:
    state = state_of(assignment, snapshot)
    barrier = guarding(assignment, snapshot)
    side = "" if barrier is None else " long" if barrier.side is Side.BUY else " short"
    timing = f" {assignment.type.lower()}" if assignment.type else ""
    strategy = f" in {assignment.strategy_id}" if assignment.strategy_id else ""
    text = f"{quantity(assignment.quantity)} x {assignment.instrument}{side}{timing}{strategy}"
    settled = assignment.state in (AssignmentState.CLOSED, AssignmentState.NOTED)
    tone = Tone.STRONG if not settled else Tone.MUTED
    mark = Mark(state.sign, assignment_word(assignment.kind), tone)
    return _Entry(
        ASSIGNMENT + assignment.id,
        assignment.detected_at,
        mark,
        Span(state.word, state.tone),
        text,
        settled,
    )


def _of_order(order: OrderView, now: datetime) -> _Entry:
    mark = order_mark(order.state)
    filled = f"{quantity(order.filled)}/{quantity(order.quantity)}"
    whose = f" for {order.strategy_id}" if order.strategy_id else ""
    price = f" {terms(order)}" if terms(order) else ""
    why = order.reason or purpose(order.purpose)
    text = f"{order.side} {filled} {order.instrument}{price}{whose}: {why}"
    state = Span("order", mark.tone)
    return _Entry(ORDER + order.id, order.at or now, mark, state, text, False, True)


def _block(entry: _Entry, today: datetime, width: int) -> Block:
    if width >= ONE_LINE_FROM:
        return Block(entry.key, 1, lambda: [_one_line(entry, today, width)])
    texts = wrap(entry.text, width - 2, most=_MOST_LINES)
    return Block(entry.key, 1 + len(texts), lambda: _lines(entry, texts, today, width))


def _one_line(entry: _Entry, today: datetime, width: int) -> Row:
    tone = Tone.MUTED if entry.quiet else Tone.PLAIN
    return line(
        cell(f"{entry.mark.sign} {entry.mark.word}", _KIND, entry.mark.tone),
        cell(clock(entry.at, today), _TIME, Tone.MUTED),
        cell(entry.state.text, _STATE, entry.state.tone),
        cell(entry.text, width - _KIND - _TIME - _STATE, tone),
        width=width,
        key=entry.key,
    )


def _lines(entry: _Entry, texts: tuple[str, ...], today: datetime, width: int) -> list[Row]:
    tone = Tone.MUTED if entry.quiet else Tone.PLAIN
    head = line(
        cell(f"{entry.mark.sign} {entry.mark.word}", _KIND, entry.mark.tone),
        cell(clock(entry.at, today), _TIME, Tone.MUTED),
        cell(entry.state.text, width - _KIND - _TIME, entry.state.tone, right=True),
        width=width,
        key=entry.key,
    )
    rest = [
        line(Span("  "), Span(fit(text, width - 2), tone), width=width, key=entry.key)
        for text in texts
    ]
    return [head, *rest]
