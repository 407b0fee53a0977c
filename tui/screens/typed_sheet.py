"""A sheet that wants a word typed before it acts; nothing else confirms it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from tui.screens.sheet import Sheet
from tui.view import View
from tui.widgets.entry import Entry


class TypedSheet(Sheet):
    """Override question() besides what a sheet needs."""

    WORD: ClassVar[str]
    AUTO_FOCUS: ClassVar[str | None] = "#typed"
    LINES_AROUND = 15

    def question(self) -> str:
        raise NotImplementedError

    def compose_entry(self) -> ComposeResult:
        yield Static(Text(self.question()), id="ask")
        entry = Entry(id="typed", compact=True, max_length=12)
        entry.cursor_blink = False
        yield entry

    def show_view(self, view: View) -> None:
        super().show_view(view)
        self._allow_button()

    def on_input_changed(self) -> None:
        self._allow_button()

    def _allow_button(self) -> None:
        refused = self.why_not(self.terminal.view) is not None
        self.query_one("#yes").disabled = refused or not self._typed

    @property
    def _typed(self) -> bool:
        return self.query_one("#typed", Input).value.strip() == self.WORD

    def on_input_submitted(self) -> None:
        if self._typed:
            self.confirm()
        else:
            self.app.bell()

    def do_confirm(self) -> None:
        """A y is a letter of a word here, and no yes."""
