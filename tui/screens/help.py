"""The help page."""

from tui.rows.cells import Row
from tui.rows.help import help_rows
from tui.screens.page import Page
from tui.view import View


class Help(Page):
    def content(self, view: View, width: int) -> tuple[str, tuple[Row, ...]]:
        return "Bulkhead: keys and marks", help_rows(width)
