"""Pane 2: assignments and alerts in one list, newest first; one line each where there is room."""

from dataclasses import dataclass
from datetime import datetime

from engine.desk.snapshot import AlertView, AssignmentState, AssignmentView, Snapshot
from tui.rows.cells import Row, Span, Tone, cell, line
from tui.rows.figures import clock, quantity
from tui.rows.marks import (
    Mark,
    assignment_state_mark,
    assignment_word,
    severity_mark,
)
from tui.rows.text import clean, fit, wrap

ONE_LINE_FROM = 72
_KIND, _TIME, _STATE = 14, 10, 11
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


def alert_rows(snapshot: Snapshot, *, width: int, filter_text: str = "") -> tuple[Row, ...]:
    """Rows of all entries that match the filter, under the keys alert:ID and assignment:ID."""
    rows: list[Row] = []
    for entry in _entries(snapshot):
        if filter_text.lower() in f"{entry.mark.word} {clean(entry.text)}".lower():
            rows.extend(_rows_of(entry, today=snapshot.at, width=width))
    return tuple(rows)


def unacknowledged(snapshot: Snapshot) -> tuple[AlertView, ...]:
    """Alerts nobody acknowledged, oldest first."""
    return tuple(
        sorted((a for a in snapshot.alerts if not a.acknowledged), key=lambda alert: alert.at)
    )


def _entries(snapshot: Snapshot) -> list[_Entry]:
    entries = [_of_assignment(assignment) for assignment in snapshot.assignments]
    entries += [_of_alert(alert) for alert in snapshot.alerts]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)


def _of_alert(alert: AlertView) -> _Entry:
    mark = severity_mark(alert.severity)
    if alert.acknowledged:
        mark = mark._replace(tone=Tone.MUTED)
        state = Span("seen", Tone.MUTED)
    else:
        state = Span("new", mark.tone)
    return _Entry(ALERT + alert.id, alert.at, mark, state, alert.title, alert.acknowledged)


def _of_assignment(assignment: AssignmentView) -> _Entry:
    state = assignment_state_mark(assignment.state)
    timing = f" {assignment.type.lower()}" if assignment.type else ""
    strategy = f" in {assignment.strategy_id}" if assignment.strategy_id else ""
    text = f"{quantity(assignment.quantity)} x {assignment.instrument}{timing}{strategy}"
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


def _rows_of(entry: _Entry, *, today: datetime, width: int) -> list[Row]:
    tone = Tone.MUTED if entry.quiet else Tone.PLAIN
    label = cell(f"{entry.mark.sign} {entry.mark.word}", _KIND, entry.mark.tone)
    time = cell(clock(entry.at, today), _TIME, Tone.MUTED)
    if width >= ONE_LINE_FROM:
        state = cell(entry.state.text, _STATE, entry.state.tone)
        text = cell(entry.text, width - _KIND - _TIME - _STATE, tone)
        return [line(label, time, state, text, width=width, key=entry.key)]
    state = cell(entry.state.text, width - _KIND - _TIME, entry.state.tone, right=True)
    rows = [line(label, time, state, width=width, key=entry.key)]
    rows += [
        line(Span("  "), Span(fit(text, width - 2), tone), width=width, key=entry.key)
        for text in wrap(entry.text, width - 2, most=2)
    ]
    return rows
