"""A whole screen with one list: it can be filtered, and what is under the cursor opened."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.actions import Where
from tui.rows.cells import BLANK, Block, Row, Span, Tone, blocks_of, line, stale_block
from tui.rows.chrome import page_title_row
from tui.rows.text import wrap
from tui.screens.base import bindings, row_list
from tui.screens.frame import Frame
from tui.view import View
from tui.widgets.row_list import RowList


class ListPage(Frame[None]):
    """Override heading(), blocks(), empty() and do_details()."""

    WHERE = Where.LIST
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.LIST)

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""

    def heading(self, view: View) -> str:
        raise NotImplementedError

    def blocks(self, view: View, width: int) -> Sequence[Block]:
        raise NotImplementedError

    def head(self, width: int) -> tuple[Row, ...]:
        return ()

    def empty(self, view: View) -> tuple[str, str]:
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        yield row_list(self.terminal, "page-title")
        body = row_list(self.terminal, "page-body")
        body.add_class("-active")
        yield body

    @property
    def hands(self) -> RowList:
        return self.rows_of("page-body")

    def show_body(self, view: View) -> None:
        width = self.hands.row_width
        blocks = self.blocks(view, width)
        count = sum(bool(block.key) for block in blocks)
        note = f"{count} with “{self.filter_text}”" if self.filter_text else str(count)
        top = self.rows_of("page-title")
        top.show((), fixed=[page_title_row(self.heading(view), note, width=top.row_width)])
        if not blocks:
            self.hands.show_blocks(blocks_of(self._nothing(view, width)))
            return
        if view.picture is not None and not view.fresh:
            blocks = [stale_block(block) for block in blocks]
        self.hands.show_blocks(blocks, fixed=self.head(width))

    def _nothing(self, view: View, width: int) -> tuple[Row, ...]:
        said = self.empty(view)
        if self.filter_text:
            said = ("No row contains this text.", "esc shows all again.")
        rows = [
            line(Span(f" {text}", tone), width=width)
            for part, tone in zip(said, (Tone.PLAIN, Tone.MUTED), strict=True)
            for text in wrap(part, max(10, width - 2))
        ]
        return (BLANK, *rows)

    def do_filter(self) -> None:
        def typed(text: str) -> None:
            self.filter_text = text
            self.show_view(self.terminal.view)

        self.prompt("filter", self.filter_text, typed=typed, entered=typed)

    def do_back(self) -> None:
        """Out of the prompt, then out of the filter, then out of the screen."""
        if not self.is_prompting and not self.filter_text:
            self.dismiss()
            return
        self.filter_text = ""
        self.end_prompt()

    def do_copy(self) -> None:
        lines = [row.text.rstrip() for row in self.hands.rows if row.key == self.hands.cursor]
        self.terminal.copy("\n".join(lines))

    def do_adopt(self) -> None:
        self.terminal.say("This is no candidate for a strategy.", bad=True)

    def do_details(self) -> None:
        raise NotImplementedError

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        if message.opened:
            self.do_details()
