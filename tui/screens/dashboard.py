"""The dashboard: four panes, two by two where there is room, one at a time where there is not.

The screens behind its keys are imported when they are asked for: a terminal must be there at once.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.events import Resize

from engine.desk.snapshot import Snapshot
from tui.actions import MOVES, PANES, Where, by_id
from tui.journal import About
from tui.rows import alerts, allocation, barriers, strategies
from tui.rows.alerts import ALERT, unacknowledged
from tui.rows.barriers import Density
from tui.rows.cells import BLANK, Block, Row, Span, Tone, blocks_of, line, stale_block
from tui.rows.chrome import tabs_row, title_row
from tui.rows.closing import Target
from tui.rows.text import wrap
from tui.screens.base import bindings, row_list
from tui.screens.frame import Frame
from tui.selection import about_at, target_at
from tui.view import View
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from tui.screens.sheet import Sheet

WIDE = (112, 28)
_EMPTY = (strategies.EMPTY, alerts.EMPTY, barriers.EMPTY, allocation.EMPTY)
_QUIET_ROWS, _FEWEST_ROWS = 5, 7
_NEXT_DENSITY = {
    Density.AUTO: Density.FULL,
    Density.FULL: Density.DENSE,
    Density.DENSE: Density.AUTO,
}


class Dashboard(Frame[None]):
    WHERE = Where.DESK
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.DESK)

    def __init__(self) -> None:
        super().__init__()
        self._pane = 1
        self._filters = ["", "", "", ""]
        self._densities = [Density.AUTO] * 4
        self._lower_rows = 0

    def compose_body(self) -> ComposeResult:
        yield row_list(self.terminal, "tabs")
        with Container(id="panes"):
            for number in range(1, 5):
                pane = row_list(self.terminal, f"pane-{number}")
                pane.add_class("pane")
                yield pane

    def on_mount(self) -> None:
        self._go_to(1)

    # --- drawing ---------------------------------------------------------------------------------

    def show_body(self, view: View) -> None:
        tabs = self.rows_of("tabs")
        if tabs.size.width:
            width = tabs.row_width
            tabs.show((), fixed=[tabs_row(view.picture, self._pane, width=width), _rule(width)])
        if self.has_class("-wide"):
            self._share_rows(view.picture)
        for number in range(1, 5):
            if self.rows_of(f"pane-{number}").size.width:
                self._draw_pane(number, view)

    def _draw_pane(self, number: int, view: View) -> None:
        pane = self.rows_of(f"pane-{number}")
        width = pane.row_width
        filter_text = self._filters[number - 1]
        fixed: list[Row] = []
        height = pane.size.height - self.has_class("-wide") - bool(filter_text) - (number == 1)
        body = self._blocks(number, view.picture, width, max(1, height))
        shown = sum(bool(block.key) for block in body)
        if self.has_class("-wide") or filter_text:
            fixed.append(
                title_row(
                    number,
                    view.picture,
                    active=number == self._pane,
                    width=width,
                    filter_text=filter_text,
                    shown=shown,
                )
            )
        if not body or (not shown and (number != 4 or filter_text)):
            body = blocks_of(_nothing(number, view, width, filter_text))
        elif number == 1:
            fixed.append(strategies.strategy_head(width))
        elif number == 3 and sum(block.height == 1 for block in body) > len(body) // 2:
            fixed.append(barriers.short_head(width))
        if view.picture is not None and not view.fresh:
            body = [stale_block(block) for block in body]
        pane.show_blocks(body, fixed=fixed)

    def _blocks(
        self, number: int, picture: Snapshot | None, width: int, height: int
    ) -> Sequence[Block]:
        if picture is None:
            return ()
        text, density = self._filters[number - 1], self._densities[number - 1]
        if number == 2:
            return alerts.alert_blocks(picture, width=width, filter_text=text)
        blocks_for = (
            strategies.strategy_blocks,
            None,
            barriers.barrier_blocks,
            allocation.allocation_blocks,
        )[number - 1]
        assert blocks_for is not None
        opened = self.rows_of(f"pane-{number}").cursor if height and number == self._pane else ""
        return blocks_for(
            picture,
            width=width,
            height=height,
            filter_text=text,
            density=density,
            opened=opened,
        )

    def _share_rows(self, picture: Snapshot | None) -> None:
        """Give the lower panes what they need, within reason; the upper ones have the rest."""
        room = max(0, self.size.height - 4)
        wanted = _QUIET_ROWS
        if picture is not None and (picture.barriers or picture.positions or picture.allocation):
            wide = max(20, self.size.width // 2)
            lower = [self._rows_wanted(3, picture, wide), self._rows_wanted(4, picture, wide)]
            upper = [self._rows_wanted(1, picture, wide), 6]
            wanted = min(max(*lower, _FEWEST_ROWS) + 1, max(room // 2, room - max(upper) - 3))
        wanted = max(_QUIET_ROWS, min(wanted, room * 2 // 3))
        if wanted != self._lower_rows:
            self._lower_rows = wanted
            self.query_one("#panes").styles.grid_rows = f"1fr {wanted}"

    def _rows_wanted(self, number: int, picture: Snapshot, width: int) -> int:
        return sum(block.height for block in self._blocks(number, picture, width, 0))

    def on_resize(self, event: Resize) -> None:
        wide = event.size.width >= WIDE[0] and event.size.height >= WIDE[1]
        self.set_class(wide, "-wide")
        if not wide:
            self._lower_rows = 0

    @property
    def hands(self) -> RowList:
        return self.rows_of(f"pane-{self._pane}")

    def _go_to(self, number: int) -> None:
        if self.is_prompting:
            self.end_prompt()
        self._pane = number
        for other in range(1, 5):
            self.rows_of(f"pane-{other}").set_class(other == number, "-active")
            self.rows_of(f"pane-{other}").refresh()
        self.show_view(self.terminal.view)

    def action_run_key(self, action_id: str) -> None:
        super().action_run_key(action_id)
        if action_id in MOVES:
            # Where rows are short, the one under the cursor is long.
            self._draw_pane(self._pane, self.terminal.view)

    # --- moving about ----------------------------------------------------------------------------

    def do_argument(self, argument: str) -> None:
        self._go_to(int(argument))

    def do_next_pane(self) -> None:
        self._go_to(self._pane % 4 + 1)

    def do_previous_pane(self) -> None:
        self._go_to((self._pane - 2) % 4 + 1)

    def do_density(self) -> None:
        density = _NEXT_DENSITY[self._densities[self._pane - 1]]
        self._densities[self._pane - 1] = density
        words = {
            Density.AUTO: "as much as there is room for",
            Density.FULL: "everything in each row",
            Density.DENSE: "short rows",
        }
        self.terminal.say(f"{PANES[self._pane - 1]}: {words[density]}.")

    def do_filter(self) -> None:
        place = self._pane - 1

        def typed(text: str) -> None:
            self._filters[place] = text
            self.show_view(self.terminal.view)

        name = PANES[place].lower()
        self.prompt(f"filter {name}", self._filters[place], typed=typed, entered=typed)

    def do_clear_filter(self) -> None:
        self._filters[self._pane - 1] = ""
        self.end_prompt()

    def do_detach(self) -> None:
        self.app.exit(0)

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        widget_id = message.source.id or ""
        if widget_id.startswith("pane-"):
            self._go_to(int(widget_id.removeprefix("pane-")))
            if message.opened:
                self.do_details()

    # --- what is selected ------------------------------------------------------------------------

    def _target(self) -> Target | None:
        picture = self.terminal.view.picture
        return target_at(self._pane, self.hands.cursor, picture) if picture else None

    def do_close_selected(self) -> None:
        from tui.screens.order_sheet import OrderSheet

        target = self._target()
        if target is None:
            what = "a strategy, a position between barriers or an allocation"
            self.terminal.say(f"Select {what} first: 1, 3 or 4, then j and k.", bad=True)
            return
        self.app.push_screen(OrderSheet(target))

    def do_close_all(self) -> None:
        from tui.screens.close_all_sheet import CloseAllSheet

        self.app.push_screen(CloseAllSheet())

    def do_acknowledge(self) -> None:
        picture = self.terminal.view.picture
        new = unacknowledged(picture) if picture is not None else ()
        key = self.hands.cursor if self._pane == 2 else ""
        chosen = next((alert for alert in new if ALERT + alert.id == key), None)
        if chosen is None and not new:
            self.terminal.say("Every alert is acknowledged already.")
            return
        self.terminal.requests.acknowledge((chosen or new[0]).id)

    def do_arm(self) -> None:
        from tui.screens.arm_sheet import ArmSheet

        picture = self.terminal.view.picture
        if picture is not None:
            self.app.push_screen(ArmSheet(armed_now=picture.armed))

    def do_reset_allocations(self) -> None:
        from tui.screens.reset_sheet import ResetSheet

        self.app.push_screen(ResetSheet())

    def do_guard(self) -> None:
        from tui.screens.guard_sheet import guard_sheet

        self.open_or_say(guard_sheet)

    def do_release(self) -> None:
        from tui.screens.guard_sheet import release_sheet

        self.open_or_say(release_sheet)

    def open_or_say(self, make: "Callable[[Snapshot, About | None], Sheet | str]") -> None:
        picture = self.terminal.view.picture
        if picture is None:
            return
        found = make(picture, about_at(self._pane, self.hands.cursor, picture))
        if isinstance(found, str):
            self.terminal.say(found, bad=True)
        else:
            self.app.push_screen(found)

    def do_adopt(self) -> None:
        from tui.screens.found import FoundList

        self.app.push_screen(FoundList())

    # --- other screens ---------------------------------------------------------------------------

    def do_details(self) -> None:
        picture = self.terminal.view.picture
        about = about_at(self._pane, self.hands.cursor, picture) if picture else None
        if about is None:
            self.terminal.say("There is nothing selected that has details.")
        else:
            self.terminal.open_details(about)

    def do_orders(self) -> None:
        from tui.screens.orders import OrderList

        self.app.push_screen(OrderList())

    def do_log(self) -> None:
        from tui.screens.log import Log

        self.app.push_screen(Log())

    def do_config(self) -> None:
        from tui.screens.config import ConfigForm

        self.app.push_screen(ConfigForm())


def _nothing(number: int, view: View, width: int, filter_text: str) -> tuple[Row, ...]:
    """What an empty pane says: why it is empty, and what to do about it."""
    if view.picture is None:
        said = "Waiting for the engine's first picture.", view.detail
    elif filter_text:
        clears = view.keymap.shown(by_id("clear-filter"), most=1)
        said = "No row contains this text.", f"{clears} shows all again."
    else:
        said = _EMPTY[number - 1]
    rows = [
        line(Span(f" {text}", tone), width=width)
        for part, tone in zip(said, (Tone.PLAIN, Tone.MUTED), strict=True)
        for text in wrap(part, max(10, width - 2))
    ]
    return (BLANK, *rows) if not view.picture or number < 3 else tuple(rows)


def _rule(width: int) -> Row:
    return line(Span("─" * width, Tone.RULE), width=width)
