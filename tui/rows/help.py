"""The help page: every key, and what every mark means."""

from collections.abc import Iterable

from engine.desk.snapshot import StrategyStatus
from tui.keys import ACTIONS
from tui.rows.cells import BLANK, Row, Span, Tone, cell, line
from tui.rows.marks import strategy_mark
from tui.rows.text import wrap

_KEY = 8
_MEANING = {
    StrategyStatus.INTACT: "every leg is held as declared",
    StrategyStatus.SUSPECT: "something changed; the engine is finding out what",
    StrategyStatus.BROKEN: "a leg is gone or wrong: the rest must be closed",
    StrategyStatus.CLOSING: "closing orders are at the venue",
    StrategyStatus.CLOSED: "nothing of it is held any more",
    StrategyStatus.ATTENTION: "the engine cannot go on by itself: look at it",
}
_NOTES = (
    "ctrl+p finds a key by its name. A key that does nothing now says why in the bottom line.",
    "The engine works without this screen: leaving it, losing the connection or a frozen terminal "
    "changes nothing about your positions.",
    "Dim rows are old: their venue is not ready, or the engine is out of reach. How old is in the "
    "header.",
)


def help_rows(width: int) -> tuple[Row, ...]:
    rows: list[Row] = [line(Span("Keys", Tone.TITLE), width=width, band=True)]
    for action in ACTIONS:
        tone = Tone.DANGER_KEY if action.dangerous else Tone.KEY
        texts = wrap(action.tooltip, max(10, width - _KEY - 2))
        rows.append(
            line(cell(f" {action.shown}", _KEY, tone), Span("  "), Span(texts[0]), width=width)
        )
        rows += [line(Span(" " * (_KEY + 2)), Span(text), width=width) for text in texts[1:]]
    rows += [BLANK, line(Span("Marks", Tone.TITLE), width=width, band=True)]
    for status, meaning in _MEANING.items():
        mark = strategy_mark(status)
        rows.append(
            line(cell(f" {mark.sign} {mark.word}", 14, mark.tone), Span(meaning), width=width)
        )
    rows.append(BLANK)
    rows += _notes(width)
    return tuple(rows)


def _notes(width: int) -> Iterable[Row]:
    for note in _NOTES:
        for text in wrap(note, width):
            yield line(Span(text, Tone.MUTED), width=width)
