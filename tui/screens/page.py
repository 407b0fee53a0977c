"""A whole screen that is read: a title, rows that scroll, and the way back."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.actions import Where
from tui.rows.cells import Row
from tui.rows.chrome import page_title_row
from tui.screens.base import bindings, row_list
from tui.screens.frame import Frame
from tui.view import View
from tui.widgets.row_list import RowList


class Page(Frame[None]):
    """Override content()."""

    WHERE = Where.READING
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.READING)

    def compose_body(self) -> ComposeResult:
        yield row_list(self.terminal, "page-title")
        yield row_list(self.terminal, "page-body")

    def content(self, view: View, width: int, height: int) -> tuple[str, str, tuple[Row, ...]]:
        """Title, a note beside it, and rows."""
        raise NotImplementedError

    @property
    def hands(self) -> RowList:
        return self.rows_of("page-body")

    def show_body(self, view: View) -> None:
        title, note, rows = self.content(view, self.hands.row_width, self.hands.size.height)
        heading = self.rows_of("page-title")
        heading.show((), fixed=[page_title_row(title, note, width=heading.row_width)])
        self.hands.show([Row(row.spans, "", row.band, row.stale) for row in rows])
