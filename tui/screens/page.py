"""A page over the dashboard that is only read: rows that scroll, and any way back."""

from typing import ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.rows.cells import Row
from tui.rows.text import clean
from tui.screens.base import Terminal, row_list
from tui.view import View
from tui.widgets.row_list import RowList


class Page(ModalScreen[str]):
    """Override content(). Dismissed with the id of an action to run next, or ""."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,enter,q,question_mark",
            "leave('')",
            "back",
            show=False,
            id="page-back",
            tooltip="Back to the dashboard",
        ),
        Binding(
            "j,down", "scroll(1)", "down", show=False, id="page-line-down", tooltip="Scroll down"
        ),
        Binding("k,up", "scroll(-1)", "up", show=False, id="page-line-up", tooltip="Scroll up"),
        Binding(
            "pagedown,space",
            "page(1)",
            "page down",
            show=False,
            id="page-screen-down",
            tooltip="A screenful down",
        ),
        Binding(
            "pageup",
            "page(-1)",
            "page up",
            show=False,
            id="page-screen-up",
            tooltip="A screenful up",
        ),
    ]
    HINT = "esc back    j k scroll"

    @property
    def terminal(self) -> Terminal:
        return cast(Terminal, self.app)

    def content(self, view: View, width: int) -> tuple[str, tuple[Row, ...]]:
        """Title and rows."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet page"):
            yield Static(id="sheet-title")
            yield row_list(self.terminal, "sheet-body")
            yield Static(Text(self.HINT), id="sheet-hint")

    def on_mount(self) -> None:
        self.show_view(self.terminal.view)

    def show_view(self, view: View) -> None:
        body = self.query_one("#sheet-body", RowList)
        title, rows = self.content(view, body.row_width)
        self.query_one("#sheet-title", Static).update(Text(clean(title)))
        body.show([Row(row.spans, "", row.band, row.stale) for row in rows])

    def on_resize(self, event: Resize) -> None:
        room = max(2, event.size.height - 8)
        self.query_one("#sheet-body", RowList).styles.max_height = room

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        self.show_view(self.terminal.view)

    def action_leave(self, action_id: str) -> None:
        self.dismiss(action_id)

    def action_scroll(self, step: int) -> None:
        self.query_one("#sheet-body", RowList).move(step)

    def action_page(self, direction: int) -> None:
        self.query_one("#sheet-body", RowList).page(direction)
