"""What every screen shares: it is handed a view, and shows it."""

from typing import Protocol, runtime_checkable

from tui.view import View
from tui.widgets.row_list import RowList


@runtime_checkable
class ShowsView(Protocol):
    def show_view(self, view: View) -> None:
        """Draw this view; called for every news and once a second."""


class Terminal(Protocol):
    """What screens ask of the app, and all they know of it."""

    plain_marks: bool

    @property
    def view(self) -> View: ...

    def say(self, text: str, *, bad: bool = False) -> None:
        """Put a sentence into the bottom line for some seconds."""

    def monotonic(self) -> float: ...

    def close_strategies(self, strategy_id: str | None) -> None:
        """Ask the engine for an emergency close, once; the answer comes to the bottom line."""

    def set_armed(self, armed: bool) -> None: ...

    def acknowledge(self, alert_id: str) -> None: ...

    def read_history(self, strategy_id: str) -> None: ...

    def next_palette(self) -> None: ...


def row_list(terminal: Terminal, widget_id: str) -> RowList:
    return RowList(id=widget_id, plain_marks=terminal.plain_marks)
