"""The help page: the keys that work here first, then all others, and what every mark means."""

from collections.abc import Iterator

from engine.desk.snapshot import OrderState, SetState, StrategyStatus
from tui.actions import Action, Where, of
from tui.keys import Keymap
from tui.rows import allocation, gauge
from tui.rows.cells import BLANK, Row, Span, Tone, cell, line
from tui.rows.marks import Mark, order_mark, set_mark, strategy_mark
from tui.rows.text import wrap

_KEY, _MARK = 12, 16
_STRATEGIES = {
    StrategyStatus.INTACT: "every leg is held as declared",
    StrategyStatus.SUSPECT: "something changed; the engine is finding out what",
    StrategyStatus.BROKEN: "a leg is gone or wrong: the rest must be closed",
    StrategyStatus.CLOSING: "closing orders are at the venue",
    StrategyStatus.CLOSED: "nothing of it is held any more",
    StrategyStatus.ATTENTION: "the engine cannot go on by itself: look at it",
}
_ORDERS = {
    OrderState.HELD: "decided, and waits for what its row says",
    OrderState.SENDING: "in the journal, and on its way",
    OrderState.UNKNOWN: "may or may not be at the venue; the engine asks",
    OrderState.WORKING: "at the venue",
}
_SETS = {
    SetState.WAITING: "no position: waits for its z-score",
    SetState.BUYING: "the buy is out",
    SetState.PROTECTING: "bought; its OCO is not at the venue yet",
    SetState.IN_POSITION: "held between its take-profit and its stop",
    SetState.SELLING: "being sold",
    SetState.ATTENTION: "the engine cannot go on by itself: look at it",
}
_ON_BARS = (
    (Mark(gauge.MARK, "mark", Tone.STRONG), "the price now, or the z-score now"),
    (Mark(gauge.ENTRY, "entry", Tone.PLAIN), "what was paid: ─ before it loses, ═ beyond it gains"),
    (Mark(gauge.ARMED, "trails from", Tone.WARN), "a gain that turns the trailing stop on"),
    (Mark(gauge.TRIGGER, "trailing stop", Tone.WARN), "where the trailing stop is now"),
    (Mark("├ ┤", "stop, target", Tone.PLAIN), "the ends of the bar; · is an open end"),
)
_MONEY = (
    (Mark(allocation.HELD, "in position", Tone.HELD), "reserved, and bought with"),
    (Mark(allocation.RESERVED, "reserved", Tone.RESERVED), "set aside for a buy"),
    (Mark(allocation.PROMISED, "promised", Tone.PROMISED), "a set's share, not reserved"),
    (Mark(allocation.FREE, "free", Tone.FREE), "nobody's share"),
)
_NOTES = (
    "ctrl+p finds a key by its name. A key that does nothing now says why in the bottom line.",
    "The engine works without this screen: leaving it, losing the connection or a frozen terminal "
    "changes nothing about your positions.",
    "Dim rows are old: their venue is not ready, or the engine is out of reach. How old is in the "
    "header.",
    "With the mouse in use, most terminals select text while shift is held.",
)


def help_rows(width: int, where: Where, keymap: Keymap) -> tuple[Row, ...]:
    rows = list(_keys(f"Keys here: {where.lower()}", of(where), keymap, width))
    rows += [BLANK, *_marks(where, width), BLANK]
    for other in Where:
        more = [action for action in of(other) if where not in action.where]
        if other is not where and more:
            rows += [*_keys(f"Keys elsewhere: {other.lower()}", tuple(more), keymap, width), BLANK]
    for note in _NOTES:
        rows += [line(Span(text, Tone.MUTED), width=width) for text in wrap(note, width)]
    return tuple(rows)


def _keys(title: str, actions: tuple[Action, ...], keymap: Keymap, width: int) -> Iterator[Row]:
    yield line(Span(title, Tone.TITLE), width=width, band=True)
    for action in actions:
        tone = Tone.DANGER_KEY if action.dangerous else Tone.KEY
        texts = wrap(action.tooltip, max(10, width - _KEY - 2))
        shown = keymap.shown(action)
        yield line(cell(f" {shown}", _KEY, tone), Span("  "), Span(texts[0]), width=width)
        for text in texts[1:]:
            yield line(Span(" " * (_KEY + 2)), Span(text), width=width)


def _marks(where: Where, width: int) -> Iterator[Row]:
    """The marks one meets where help was asked for."""
    if where not in (Where.DESK, Where.DETAILS, Where.LIST):
        return
    yield line(Span("Marks", Tone.TITLE), width=width, band=True)
    told = [(strategy_mark(status), text) for status, text in _STRATEGIES.items()]
    told += [(order_mark(state), text) for state, text in _ORDERS.items()]
    told += [*_ON_BARS, *((set_mark(state), text) for state, text in _SETS.items()), *_MONEY]
    for mark, meaning in told:
        words = f" {mark.sign} {mark.word}"
        yield line(cell(words, _MARK, mark.tone), Span(f" {meaning}"), width=width)
