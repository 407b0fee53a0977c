"""The order sheet of one strategy: what `x` would send, before anything is sent."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from engine.desk.snapshot import StrategyView
from tui.rows.cells import Row
from tui.rows.sheets import plan_head, sheet_rows, sum_text, why_not_send
from tui.screens.sheet import Sheet
from tui.view import View

REPEAT_SECONDS = 0.7


class OrderSheet(Sheet):
    """`y` sends at once. `x` sends only as a press of its own: a key that is held down repeats
    faster than REPEAT_SECONDS, and must not open the sheet and send in one go."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "y",
            "confirm",
            "send",
            show=False,
            id="sheet-send",
            tooltip="Send the orders on this sheet",
        ),
        Binding(
            "x",
            "confirm_again",
            "send",
            show=False,
            id="sheet-send-again",
            tooltip="Send the orders on this sheet",
        ),
    ]

    def __init__(self, strategy_id: str) -> None:
        super().__init__("Send  y")
        self._strategy_id = strategy_id
        self._last_press = 0.0
        self._first_plan: object = None

    def on_mount(self) -> None:
        self._last_press = self.terminal.monotonic()
        strategy = self._strategy(self.terminal.view)
        self._first_plan = _orders(strategy)

    def _strategy(self, view: View) -> StrategyView | None:
        if view.picture is None:
            return None
        found = (s for s in view.picture.strategies if s.id == self._strategy_id)
        return next(found, None)

    def title_text(self, view: View) -> str:
        return f"Emergency close of {self._strategy_id}"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        strategy = self._strategy(view)
        strategies = () if strategy is None else (strategy,)
        fixed = (plan_head(width),) if strategy is not None and strategy.plan else ()
        return fixed, sheet_rows(strategies, width=width)

    def foot(self, view: View) -> str:
        strategy = self._strategy(view)
        if strategy is None:
            return ""
        changed = "The orders changed while you read. " if self._changed(strategy) else ""
        return changed + sum_text((strategy,))

    def _changed(self, strategy: StrategyView) -> bool:
        return self._first_plan is not None and _orders(strategy) != self._first_plan

    def why_not(self, view: View) -> str | None:
        strategy = self._strategy(view)
        return why_not_send(view, () if strategy is None else (strategy,))

    def act(self) -> None:
        self.terminal.close_strategies(self._strategy_id)

    def action_confirm(self) -> None:
        self.confirm()

    def action_confirm_again(self) -> None:
        now = self.terminal.monotonic()
        own_press = now - self._last_press >= REPEAT_SECONDS
        self._last_press = now
        if own_press:
            self.confirm()


def _orders(strategy: StrategyView | None) -> object:
    """What of a plan matters to the reader: prices move all the time and do not count."""
    if strategy is None:
        return None
    return tuple((line.instrument, line.side, line.quantity) for line in strategy.plan)
