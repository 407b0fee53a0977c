"""A whole screen: header, what it is about, bottom line and a footer of keys; and one line to type
into, which takes the bottom line's place while it is used.
"""

from collections.abc import Callable, Container
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize
from textual.widgets import Input, Static

from tui.actions import Where
from tui.rows.bottom import bottom_row
from tui.rows.cells import BLANK
from tui.rows.chrome import banner_row, footer_row, header_row
from tui.screens.base import Keyed, R, engine_time, row_list
from tui.view import View
from tui.widgets.entry import Entry
from tui.widgets.row_list import RowList

LONGEST_ENTRY = 200


class Frame(Keyed[R]):
    """Override compose_body() and show_body()."""

    LINES: ClassVar[tuple[str, ...]] = ("header", "banner", "bottom", "footer")

    def __init__(self) -> None:
        super().__init__()
        self._typed: Callable[[str], None] | None = None
        self._entered: Callable[[str], None] | None = None

    def compose(self) -> ComposeResult:
        yield row_list(self.terminal, "header")
        yield row_list(self.terminal, "banner")
        yield from self.compose_body()
        with Horizontal(id="prompt"):
            yield Static(id="prompt-label")
            entry = Entry(id="entry", compact=True, max_length=LONGEST_ENTRY)
            entry.cursor_blink = False
            yield entry
        yield row_list(self.terminal, "bottom")
        yield row_list(self.terminal, "footer")

    def compose_body(self) -> ComposeResult:
        raise NotImplementedError

    def show_body(self, view: View) -> None:
        raise NotImplementedError

    def idle(self) -> Container[str]:
        """Ids of actions that have no meaning for what is shown."""
        return ()

    # --- drawing ---------------------------------------------------------------------------------

    def show_view(self, view: View) -> None:
        banner = banner_row(view, width=self.rows_of("banner").row_width)
        self.rows_of("banner").display = banner is not None
        for widget_id in self.LINES:
            widget = self.rows_of(widget_id)
            width = widget.row_width
            if widget_id == "header":
                row = header_row(view, width=width, clock=_clock(view, width))
            elif widget_id == "banner":
                row = banner or BLANK
            elif widget_id == "bottom":
                row = bottom_row(view, width=width, hints=self.WHERE is Where.DESK)
            else:
                row = footer_row(view, width=width, where=self.WHERE, idle=self.idle())
            widget.show((), fixed=[row])
        self.show_body(view)

    def on_mount(self) -> None:
        self.show_view(self.terminal.view)

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        self.show_view(self.terminal.view)

    def on_resize(self, event: Resize) -> None:
        self.show_view(self.terminal.view)

    def rows_of(self, widget_id: str) -> RowList:
        return self.query_one(f"#{widget_id}", RowList)

    # --- the line to type into -------------------------------------------------------------------

    def prompt(
        self,
        label: str,
        value: str,
        *,
        typed: Callable[[str], None],
        entered: Callable[[str], None],
    ) -> None:
        """Ask for a text; typed hears every change, entered the text that enter was pressed on."""
        self._typed = self._entered = None
        entry = self.query_one("#entry", Input)
        self.query_one("#prompt-label", Static).update(Text(label))
        entry.value = value
        self._show_prompt(True)
        self.set_focus(entry)
        self._typed, self._entered = typed, entered

    def _show_prompt(self, shown: bool) -> None:
        """Set at once, not by a style: the next key must find the entry there to take it."""
        self.query_one("#prompt").display = shown
        self.rows_of("bottom").display = not shown

    @property
    def is_prompting(self) -> bool:
        return self.query_one("#prompt").display

    def end_prompt(self) -> None:
        self._typed = self._entered = None
        self._show_prompt(False)
        self.set_focus(None)
        self.show_view(self.terminal.view)

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "entry" and self._typed is not None:
            self._typed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "entry":
            entered = self._entered
            self.end_prompt()
            if entered is not None:
                entered(event.value)

    # --- keys of every frame ---------------------------------------------------------------------

    def do_back(self) -> None:
        if self.is_prompting:
            self.end_prompt()
        else:
            self.dismiss()

    def do_help(self) -> None:
        from tui.screens.help import Help

        self.app.push_screen(Help(self.WHERE))


def _clock(view: View, width: int) -> str:
    now = engine_time(view)
    if now is None:
        return ""
    return f"{now:%H:%M:%S} UTC" if width >= 100 else f"{now:%H:%M:%S}"
