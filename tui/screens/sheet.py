"""A sheet over a screen: a title, rows that may scroll, a closing line, and two buttons.

Cancel has the focus, always; a sheet that may not act says why in place of its closing line.
"""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.actions import Where
from tui.rows.cells import Row
from tui.rows.text import clean
from tui.screens.base import Keyed, bindings, row_list
from tui.view import View
from tui.widgets.row_list import RowList


class Sheet(Keyed[None], ModalScreen[None]):
    """Override title_text(), rows(), foot() and act(); act() runs at most once, and the sheet is
    gone by then."""

    WHERE = Where.SHEET
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"
    LINES_AROUND = 12
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.SHEET)

    def __init__(self, yes: str) -> None:
        super().__init__()
        self._yes = yes
        self._done = False

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
            yield from self.compose_entry()
            yield Static(id="sheet-foot")
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
        fixed, scrolling = self.rows(view, self.hands.row_width)
        reason = self.why_not(view)
        self.set_class(reason is not None, "-refused")
        self.query_one("#sheet-title", Static).update(Text(clean(self.title_text(view))))
        foot = self.foot(view) if reason is None else f"! {reason}"
        closing = self.query_one("#sheet-foot", Static)
        closing.display = bool(foot)
        closing.update(Text(clean(foot)))
        self.query_one("#yes", Button).disabled = reason is not None
        self.hands.show(scrolling, fixed=fixed)

    @property
    def hands(self) -> RowList:
        return self.query_one("#sheet-body", RowList)

    def on_resize(self, event: Resize) -> None:
        """The body scrolls before it pushes the buttons out of the picture."""
        self.hands.styles.max_height = max(2, event.size.height - self.LINES_AROUND)

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        self.show_view(self.terminal.view)

    def confirm(self) -> None:
        """Act once, however often it is asked for."""
        if self._done:
            return
        if self.why_not(self.terminal.view) is not None:
            self.app.bell()
            return
        self._done = True
        self.dismiss()
        self.act()

    def do_confirm(self) -> None:
        self.confirm()

    def do_confirm_again(self) -> None:
        """Only the sheet that x opened takes an x as a yes."""

    def do_cancel(self) -> None:
        if not self._done:
            self._done = True
            self.dismiss()

    def do_other_button(self) -> None:
        self.app.action_focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.confirm()
        else:
            self.do_cancel()
