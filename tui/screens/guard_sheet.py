"""The sheets of `b` and `u`: put a held perpetual between barriers, or release it from them."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from engine.desk.snapshot import BarrierView, PositionView, Snapshot
from tui.actions import by_id
from tui.journal import About, Topic
from tui.rows.barriers import position_id
from tui.rows.cells import BLANK, Row, Span, Tone, line
from tui.rows.figures import price, quantity
from tui.rows.guarding import FIELDS, Wish, as_typed, preview_rows, read, wish_for
from tui.rows.text import clean, wrap
from tui.screens.sheet import Sheet
from tui.selection import barrier_of, position_of
from tui.view import View
from tui.why_not import why_not
from tui.widgets.entry import Entry

_PREFIX = "guard-"
NO_POSITION = "Select a perpetual first: 3, then j and k."


def guard_sheet(picture: Snapshot, about: About | None) -> Sheet | str:
    """The sheet for what is selected, or why there is none."""
    if about is None or about.topic not in (Topic.BARRIER, Topic.POSITION):
        return NO_POSITION
    position = position_of(about, picture)
    if position is None:
        return "The engine does not show this position among those held: nothing to guard."
    return GuardSheet(position, barrier_of(about, picture))


def release_sheet(picture: Snapshot, about: About | None) -> Sheet | str:
    barrier = None if about is None else barrier_of(about, picture)
    if barrier is None:
        return "Select a position between barriers first: 3, then j and k."
    return ReleaseSheet(barrier)


class GuardSheet(Sheet):
    """Percents and times are typed in; the prices they come to are shown above."""

    AUTO_FOCUS = f"#{_PREFIX}stop"
    LINES_AROUND = 18

    def __init__(self, position: PositionView, barrier: BarrierView | None) -> None:
        super().__init__("Set barriers")
        self._id = position_id(position)
        self._last = position
        self._start = as_typed(barrier) if barrier is not None else {}
        self._moves = barrier is not None

    def compose_entry(self) -> ComposeResult:
        for name, (label, hint) in FIELDS.items():
            with Horizontal(classes="field"):
                yield Static(Text(label), classes="field-label")
                entry = Entry(
                    self._start.get(name, ""),
                    id=_PREFIX + name,
                    classes="field-entry",
                    compact=True,
                    max_length=12,
                )
                entry.cursor_blink = False
                yield entry
                yield Static(Text(hint), classes="field-hint")

    def _position(self, view: View) -> PositionView:
        for position in view.picture.positions if view.picture else ():
            if position_id(position) == self._id:
                self._last = position
        return self._last

    def _wish(self) -> Wish:
        return read({name: self.query_one(f"#{_PREFIX}{name}", Input).value for name in FIELDS})

    def title_text(self, view: View) -> str:
        what = self._position(view).instrument
        return f"Move the barriers of {what}" if self._moves else f"Put {what} between barriers"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        return (), (*preview_rows(self._position(view), self._wish(), width=width), BLANK)

    def foot(self, view: View) -> str:
        return "What is left empty is not set. Exits only ever reduce the position."

    def why_not(self, view: View) -> str | None:
        return why_not(by_id("guard"), view) or self._wish().fault or None

    def act(self) -> None:
        position = self._position(self.terminal.view)
        self.terminal.requests.guard(wish_for(position, self._wish()))

    def on_input_changed(self) -> None:
        self.show_view(self.terminal.view)

    def on_input_submitted(self) -> None:
        self.app.action_focus_next()

    def do_down(self) -> None:
        self.app.action_focus_next()

    def do_up(self) -> None:
        self.app.action_focus_previous()


class ReleaseSheet(Sheet):
    def __init__(self, barrier: BarrierView) -> None:
        super().__init__("Release  y")
        self._barrier = barrier

    def title_text(self, view: View) -> str:
        return f"Release {self._barrier.instrument} from its barriers"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        barrier = self._barrier
        text = (
            f"{quantity(barrier.quantity)} {clean(barrier.instrument)} stays held, and nothing "
            "closes it any more: no stop, no target, no time limit."
        )
        if barrier.resident_stop is not None:
            text += f" The stop resting at {price(barrier.resident_stop)} is cancelled."
        return (), tuple(line(Span(part, Tone.PLAIN), width=width) for part in wrap(text, width))

    def why_not(self, view: View) -> str | None:
        held = {one.id for one in view.picture.barriers} if view.picture else set()
        if self._barrier.id not in held:
            return "The position is not between barriers any more."
        return why_not(by_id("release"), view)

    def act(self) -> None:
        self.terminal.requests.release(self._barrier.id)
