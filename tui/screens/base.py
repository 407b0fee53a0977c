"""What every screen shares: it is handed a view and shows it, and its keys come from one list."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, TypeVar, cast, runtime_checkable

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.actions import Where, by_id, of
from tui.journal import About, JournalEntry
from tui.requests import Requests
from tui.tracks import Tracks
from tui.view import View
from tui.why_not import why_not
from tui.widgets.row_list import RowList

R = TypeVar("R")


@runtime_checkable
class ShowsView(Protocol):
    def show_view(self, view: View) -> None:
        """Draw this view; called for every news and once a second."""


class Terminal(Protocol):
    """What screens ask of the app, and all they know of it."""

    plain_marks: bool
    requests: Requests
    tracks: Tracks

    @property
    def view(self) -> View: ...

    @property
    def sayings(self) -> Iterable[JournalEntry]: ...

    @property
    def palette_names(self) -> tuple[str, ...]: ...

    def say(self, text: str, *, bad: bool = False) -> None:
        """Put a sentence into the bottom line for some seconds."""

    def monotonic(self) -> float: ...

    def next_palette(self) -> None: ...

    def toggle_bell(self) -> None: ...

    def draw_anew(self) -> None: ...

    def copy(self, text: str) -> None:
        """Put text on the person's clipboard, also over SSH."""

    def open_details(self, about: About) -> None:
        """Show everything about one thing, over the screen in front."""


def bindings(where: Where) -> list[BindingType]:
    """The bindings of every key that works on this kind of screen."""
    return [
        Binding(
            action.keys,
            f"run_key('{action.id}')",
            action.label,
            show=False,
            tooltip=action.tooltip,
            id=action.id,
        )
        for action in of(where)
    ]


class Keyed(Screen[R]):
    """A screen whose method do_ID carries out the action ID; WHERE says which actions it has."""

    WHERE: ClassVar[Where]
    AUTO_FOCUS: ClassVar[str | None] = ""

    @property
    def terminal(self) -> Terminal:
        return cast(Terminal, self.app)

    def action_run_key(self, action_id: str) -> None:
        """Every key comes through here: what may not be done says why in the bottom line."""
        action = by_id(action_id)
        reason = why_not(action, self.terminal.view)
        if reason is not None:
            self.terminal.say(reason, bad=True)
            return
        method = f"do_{action_id.replace('-', '_')}" if not action.argument else "do_argument"
        doing: Callable[..., None] = getattr(self, method)
        doing(*([action.argument] if action.argument else []))

    @property
    def hands(self) -> RowList:
        """The list that the keys for moving move."""
        raise NotImplementedError

    def do_down(self) -> None:
        self.hands.move(1)

    def do_up(self) -> None:
        self.hands.move(-1)

    def do_page_down(self) -> None:
        self.hands.page(1)

    def do_page_up(self) -> None:
        self.hands.page(-1)

    def do_top(self) -> None:
        self.hands.to_end(-1)

    def do_bottom(self) -> None:
        self.hands.to_end(1)

    def do_theme(self) -> None:
        self.terminal.next_palette()

    def do_mute(self) -> None:
        self.terminal.toggle_bell()

    def do_redraw(self) -> None:
        self.terminal.draw_anew()


def row_list(terminal: Terminal, widget_id: str) -> RowList:
    return RowList(id=widget_id, plain_marks=terminal.plain_marks)


def engine_time(view: View) -> datetime | None:
    """The engine's time: the picture's own, and what has passed since."""
    if view.picture is None:
        return None
    return view.picture.at + timedelta(seconds=view.picture_age_seconds)
