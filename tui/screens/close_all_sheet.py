"""The sheet of `X`: every order of everything that is guarded, and the word `close` to be typed."""

from tui.rows.cells import Row
from tui.rows.closing import Closing, closing_of_all
from tui.rows.sheets import plan_head, sheet_rows, sum_text, untouched_rows, why_not_send
from tui.screens.typed_sheet import TypedSheet
from tui.view import View


class CloseAllSheet(TypedSheet):
    WORD = "close"

    def __init__(self) -> None:
        super().__init__("Send all")

    def question(self) -> str:
        return f"Type the word {self.WORD} and press enter to send all of it:"

    def _closings(self, view: View) -> tuple[Closing, ...]:
        return () if view.picture is None else closing_of_all(view.picture)

    def title_text(self, view: View) -> str:
        return "Emergency close of EVERYTHING"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        closings = self._closings(view)
        fixed = (plan_head(width),) if closings else ()
        now = view.picture.at if view.picture is not None else None
        rows = sheet_rows(closings, width=width, now=now)
        return fixed, (*rows, *untouched_rows(view, width=width))

    def foot(self, view: View) -> str:
        return sum_text(self._closings(view))

    def why_not(self, view: View) -> str | None:
        return why_not_send(view, self._closings(view))

    def act(self) -> None:
        self.terminal.requests.close(None, "everything")
