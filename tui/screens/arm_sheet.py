"""The sheet of `d`: says what arming or disarming means now, before it is done."""

from engine.desk.snapshot import Snapshot, StrategyStatus
from tui.actions import by_id
from tui.rows.cells import BLANK, Row, Span, Tone, line
from tui.rows.text import clean, wrap
from tui.screens.sheet import Sheet
from tui.view import View
from tui.why_not import why_not

_WAITING = (StrategyStatus.BROKEN, StrategyStatus.ATTENTION)


class ArmSheet(Sheet):
    """Decides on the way in whether it arms or disarms, so that news cannot turn it round."""

    def __init__(self, *, armed_now: bool) -> None:
        super().__init__("Disarm  y" if armed_now else "Arm  y")
        self._arm = not armed_now

    def title_text(self, view: View) -> str:
        return "Arm the engine" if self._arm else "Disarm the engine"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        return (), arm_rows(self._arm, view.picture, width=width)

    def why_not(self, view: View) -> str | None:
        if view.picture is not None and view.picture.armed is self._arm:
            return f"The engine is {'armed' if self._arm else 'disarmed'} already."
        return why_not(by_id("arm"), view)

    def act(self) -> None:
        self.terminal.requests.set_armed(self._arm)


def arm_rows(arm: bool, picture: Snapshot | None, *, width: int) -> tuple[Row, ...]:
    if not arm:
        text = (
            "Disarmed, the engine still watches, warns and shows the orders it would send, "
            "but it sends none. A broken strategy stays broken until you act, and a barrier "
            "that is reached closes nothing."
        )
        return tuple(line(Span(part), width=width) for part in wrap(text, width))
    text = "Armed, the engine closes by itself, at once: what is broken, and what is at a barrier."
    rows = [line(Span(part), width=width) for part in wrap(text, width)]
    waiting = [s for s in picture.strategies if s.status in _WAITING] if picture else []
    if waiting:
        rows += [BLANK, line(Span("It may send orders right away for:", Tone.WARN), width=width)]
        rows += [
            line(
                Span(f"  {clean(s.id)}", Tone.STRONG),
                Span(f"  {s.status}, {len(s.plan)} orders", Tone.BAD),
                width=width,
            )
            for s in waiting
        ]
    return tuple(rows)
