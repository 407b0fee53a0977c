"""The help page: the keys of the screen it was asked on, all other keys, and what marks mean."""

from tui.actions import Where
from tui.rows.cells import Row
from tui.rows.help import help_rows
from tui.screens.page import Page
from tui.view import View


class Help(Page):
    def __init__(self, where: Where) -> None:
        super().__init__()
        self._where = where

    def content(self, view: View, width: int, height: int) -> tuple[str, str, tuple[Row, ...]]:
        title = f"Help: {self._where.lower()}"
        return title, "keys and marks", help_rows(width, self._where, view.keymap)

    def do_help(self) -> None:
        self.do_back()
