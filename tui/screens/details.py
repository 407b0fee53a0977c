"""The details of one strategy, assignment or alert, kept up to date while they are open."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.rows.cells import Row, Span, Tone, line
from tui.rows.details import detail_rows
from tui.screens.page import Page
from tui.view import View


class Details(Page):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "leave('close-selected')",
            "close",
            show=False,
            id="details-close",
            tooltip="Emergency close of it: lists the orders first",
        ),
        Binding(
            "a",
            "leave('acknowledge')",
            "ack",
            show=False,
            id="details-acknowledge",
            tooltip="Acknowledge it",
        ),
    ]
    HINT = "esc back    j k scroll    x closing orders    a acknowledge"

    def __init__(self, pane: int, key: str) -> None:
        super().__init__()
        self._pane = pane
        self._key = key
        self._history: tuple[str, ...] = ()

    def on_mount(self) -> None:
        if self._pane == 1:
            self.terminal.read_history(self._key)

    def content(self, view: View, width: int) -> tuple[str, tuple[Row, ...]]:
        found = None
        if view.picture is not None:
            found = detail_rows(
                view.picture, self._pane, self._key, width=width, history=self._history
            )
        if found is None:
            return "Gone", (line(Span("It is no longer shown.", Tone.MUTED), width=width),)
        return found

    def show_history(self, strategy_id: str, lines: tuple[str, ...]) -> None:
        if self._pane == 1 and strategy_id == self._key:
            self._history = lines
            self.show_view(self.terminal.view)
