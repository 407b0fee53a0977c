"""The sheet of `r`: what a reset of the allocations releases and keeps; force wants its word."""

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from engine.desk.snapshot import AllocationView
from tui.actions import by_id
from tui.rows.cells import Row
from tui.rows.reset import forced_sum, going, reset_rows, reset_sum, staying
from tui.screens.sheet import Sheet
from tui.view import View
from tui.why_not import why_not
from tui.widgets.entry import Entry

WORD = "force"


class ResetSheet(Sheet):
    """`y` resets. With the word typed, all reservations go, also those that would be kept."""

    LINES_AROUND = 15

    def __init__(self) -> None:
        super().__init__("Reset  y")

    def compose_entry(self) -> ComposeResult:
        text = f"To release what would be kept too, type {WORD} (tab) and press enter:"
        yield Static(Text(text), id="ask")
        entry = Entry(id="typed", compact=True, max_length=12)
        entry.cursor_blink = False
        yield entry

    def _allocation(self, view: View) -> AllocationView | None:
        return None if view.picture is None else view.picture.allocation

    @property
    def _forced(self) -> bool:
        return self.query_one("#typed", Input).value.strip() == WORD

    def title_text(self, view: View) -> str:
        return "Reset allocations"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        allocation = self._allocation(view)
        return (), () if allocation is None else tuple(reset_rows(allocation, width=width))

    def foot(self, view: View) -> str:
        allocation = self._allocation(view)
        if allocation is None:
            return ""
        return forced_sum(allocation) if self._forced else reset_sum(allocation)

    def show_view(self, view: View) -> None:
        super().show_view(view)
        allocation = self._allocation(view)
        forcible = allocation is not None and bool(staying(allocation))
        for widget_id in ("#ask", "#typed"):
            self.query_one(widget_id).display = forcible

    def why_not(self, view: View) -> str | None:
        allocation = self._allocation(view)
        if allocation is not None and not going(allocation) and not self._forced:
            if not staying(allocation):
                return "Nothing is reserved: there is nothing to release."
            return f"A reset would release nothing. Only {WORD} releases what is kept."
        return why_not(by_id("reset-allocations"), view)

    def on_input_changed(self) -> None:
        self.show_view(self.terminal.view)

    def on_input_submitted(self) -> None:
        if self._forced:
            self.confirm()
        else:
            self.app.bell()

    def confirm(self) -> None:
        self._force = self._forced
        super().confirm()

    def act(self) -> None:
        self.terminal.requests.reset_allocations(force=self._force)
