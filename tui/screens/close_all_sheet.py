"""The sheet of `X`: every order of every strategy, and the word `close` to be typed."""

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from engine.desk.snapshot import StrategyView
from tui.rows.cells import Row
from tui.rows.sheets import plan_head, sheet_rows, sum_text, why_not_send
from tui.screens.sheet import Sheet
from tui.view import View

WORD = "close"


class CloseAllSheet(Sheet):
    AUTO_FOCUS = "#typed"
    LINES_AROUND = 15

    def __init__(self) -> None:
        super().__init__("Send all")

    def compose_entry(self) -> ComposeResult:
        yield Static(Text(f"Type the word {WORD} and press enter to send all of it:"), id="ask")
        entry = Input(id="typed", compact=True, max_length=12)
        entry.cursor_blink = False
        yield entry

    def _strategies(self, view: View) -> tuple[StrategyView, ...]:
        return () if view.picture is None else view.picture.strategies

    def title_text(self, view: View) -> str:
        return "Emergency close of EVERYTHING"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        strategies = self._strategies(view)
        fixed = (plan_head(width),) if any(strategy.plan for strategy in strategies) else ()
        return fixed, sheet_rows(strategies, width=width)

    def foot(self, view: View) -> str:
        return sum_text(self._strategies(view))

    def why_not(self, view: View) -> str | None:
        return why_not_send(view, self._strategies(view))

    def show_view(self, view: View) -> None:
        super().show_view(view)
        self._allow_button()

    def on_input_changed(self) -> None:
        self._allow_button()

    def _allow_button(self) -> None:
        refused = self.why_not(self.terminal.view) is not None
        self.query_one("#yes").disabled = refused or not self._typed

    @property
    def _typed(self) -> bool:
        return self.query_one("#typed", Input).value.strip() == WORD

    def on_input_submitted(self) -> None:
        if self._typed:
            self.confirm()
        else:
            self.app.bell()

    def act(self) -> None:
        self.terminal.close_strategies(None)
