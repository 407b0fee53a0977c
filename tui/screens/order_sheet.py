"""The order sheet of one strategy, position or allocation: what `x` would send, before it is."""

from tui.rows.cells import Row
from tui.rows.closing import Closing, Kind, Target, closing_of
from tui.rows.sheets import plan_head, sheet_rows, sum_text, why_not_send
from tui.screens.sheet import Sheet
from tui.view import View

REPEAT_SECONDS = 0.7


class OrderSheet(Sheet):
    """`y` sends at once. `x` sends only as a press of its own: a key that is held down repeats
    faster than REPEAT_SECONDS, and must not open the sheet and send in one go."""

    def __init__(self, target: Target) -> None:
        super().__init__("Send  y")
        self._target = target
        self._last_press = 0.0
        self._first_plan: object = None

    def on_mount(self) -> None:
        self._last_press = self.terminal.monotonic()
        self._first_plan = _orders(self._planned(self.terminal.view))

    def _planned(self, view: View) -> Closing | None:
        return closing_of(view.picture, self._target) if view.picture is not None else None

    def _closings(self, view: View) -> tuple[Closing, ...]:
        closing = self._planned(view)
        return () if closing is None else (closing,)

    def _named(self, view: View) -> str:
        closing = self._planned(view)
        if closing is None or self._target.kind is Kind.STRATEGY:
            return self._target.id
        return f"{closing.name}, {closing.detail}"

    def title_text(self, view: View) -> str:
        return f"Emergency close of {self._named(view)}"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        closings = self._closings(view)
        fixed = (plan_head(width),) if any(closing.lines for closing in closings) else ()
        now = view.picture.at if view.picture is not None else None
        return fixed, sheet_rows(closings, width=width, now=now)

    def foot(self, view: View) -> str:
        closing = self._planned(view)
        if closing is None:
            return ""
        changed = "The orders changed while you read. " if self._changed(closing) else ""
        return changed + sum_text((closing,))

    def _changed(self, closing: Closing) -> bool:
        return self._first_plan is not None and _orders(closing) != self._first_plan

    def why_not(self, view: View) -> str | None:
        return why_not_send(view, self._closings(view))

    def act(self) -> None:
        name = self._named(self.terminal.view)
        self.terminal.requests.close(self._target.id, name)

    def do_confirm_again(self) -> None:
        now = self.terminal.monotonic()
        own_press = now - self._last_press >= REPEAT_SECONDS
        self._last_press = now
        if own_press:
            self.confirm()


def _orders(closing: Closing | None) -> object:
    """What of a plan matters to the reader: prices move all the time and do not count."""
    if closing is None:
        return None
    return tuple((line.instrument, line.side, line.quantity) for line in closing.lines)
