"""A sheet over the dashboard: a title, rows that may scroll, a closing line, and two buttons.

Cancel has the focus, always; a sheet that may not act says why in place of its second button.
"""

from typing import ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.rows.cells import Row
from tui.rows.text import clean
from tui.screens.base import Terminal, row_list
from tui.view import View
from tui.widgets.row_list import RowList


class Sheet(ModalScreen[None]):
    """Override rows(), foot() and act(); act() runs at most once and the sheet goes with it."""

    AUTO_FOCUS = "#cancel"
    LINES_AROUND = 12
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,n",
            "cancel",
            "cancel",
            show=False,
            id="sheet-cancel",
            tooltip="Send nothing and go back",
        ),
        Binding("j,down", "scroll(1)", "down", show=False, id="sheet-down", tooltip="Scroll down"),
        Binding("k,up", "scroll(-1)", "up", show=False, id="sheet-up", tooltip="Scroll up"),
        Binding(
            "left,right",
            "app.focus_next",
            "other button",
            show=False,
            id="sheet-other",
            tooltip="Go to the other button",
        ),
    ]

    def __init__(self, yes: str) -> None:
        super().__init__()
        self._yes = yes
        self._done = False

    @property
    def terminal(self) -> Terminal:
        return cast(Terminal, self.app)

    def title_text(self, view: View) -> str:
        raise NotImplementedError

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """Fixed rows and the rows below them that may scroll."""
        raise NotImplementedError

    def foot(self, view: View) -> str:
        """The closing line when the sheet may act."""
        return ""

    def why_not(self, view: View) -> str | None:
        """Why the sheet may not act now, or None."""
        return None

    def act(self) -> None:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield Static(id="sheet-title")
            yield row_list(self.terminal, "sheet-body")
            yield Static(id="sheet-foot")
            yield from self.compose_entry()
            with Horizontal(id="sheet-buttons"):
                yield Button(Text("Cancel  esc"), id="cancel", compact=True)
                yield Button(Text(self._yes), id="yes", compact=True)

    def compose_entry(self) -> ComposeResult:
        """What a person must type, for sheets that ask for it."""
        yield from ()

    def on_mount(self) -> None:
        self.show_view(self.terminal.view)

    def show_view(self, view: View) -> None:
        if self._done:
            return
        body = self.query_one("#sheet-body", RowList)
        fixed, scrolling = self.rows(view, body.row_width)
        reason = self.why_not(view)
        self.set_class(reason is not None, "-refused")
        self.query_one("#sheet-title", Static).update(Text(clean(self.title_text(view))))
        foot = self.foot(view) if reason is None else f"! {reason}"
        closing = self.query_one("#sheet-foot", Static)
        closing.display = bool(foot)
        closing.update(Text(clean(foot)))
        self.query_one("#yes", Button).disabled = reason is not None
        body.show(scrolling, fixed=fixed)

    def on_resize(self, event: Resize) -> None:
        """The body scrolls before it pushes the buttons out of the picture."""
        room = max(2, event.size.height - self.LINES_AROUND)
        self.query_one("#sheet-body", RowList).styles.max_height = room

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        self.show_view(self.terminal.view)

    def confirm(self) -> None:
        """Act once, however often it is asked for."""
        if self._done:
            return
        reason = self.why_not(self.terminal.view)
        if reason is not None:
            self.app.bell()
            return
        self._done = True
        self.dismiss()
        self.act()

    def action_cancel(self) -> None:
        if not self._done:
            self._done = True
            self.dismiss()

    def action_scroll(self, step: int) -> None:
        self.query_one("#sheet-body", RowList).move(step)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.confirm()
        else:
            self.action_cancel()
