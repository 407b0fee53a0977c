"""The dashboard: four panes, two by two where there is room, one at a time where there is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input

from engine.desk.snapshot import Snapshot
from tui.keys import ACTIONS, by_id, why_not
from tui.rows import alerts, allocation, barriers, strategies
from tui.rows.alerts import ALERT, unacknowledged
from tui.rows.bottom import bottom_row
from tui.rows.cells import BLANK, Row, Span, Tone, line
from tui.rows.chrome import banner_row, footer_row, header_row, tabs_row, title_row
from tui.rows.text import wrap
from tui.screens.arm_sheet import ArmSheet
from tui.screens.base import Terminal, row_list
from tui.screens.close_all_sheet import CloseAllSheet
from tui.screens.details import Details
from tui.screens.help import Help
from tui.screens.order_sheet import OrderSheet
from tui.view import View
from tui.widgets.row_list import RowList

WIDE = (112, 28)
_EMPTY = (strategies.EMPTY, alerts.EMPTY, barriers.EMPTY, allocation.EMPTY)


class Dashboard(Screen[None]):
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            action.keys,
            f"run_key('{action.id}')",
            action.label,
            show=False,
            tooltip=action.tooltip,
            id=action.id,
        )
        for action in ACTIONS
    ]

    def __init__(self) -> None:
        super().__init__()
        self._pane = 1
        self._filters = ["", "", "", ""]

    @property
    def terminal(self) -> Terminal:
        return cast(Terminal, self.app)

    def compose(self) -> ComposeResult:
        yield row_list(self.terminal, "header")
        yield row_list(self.terminal, "banner")
        yield row_list(self.terminal, "tabs")
        with Container(id="panes"):
            for number in range(1, 5):
                pane = row_list(self.terminal, f"pane-{number}")
                pane.add_class("pane")
                yield pane
        entry = Input(id="filter", placeholder="text to look for", compact=True, max_length=40)
        entry.cursor_blink = False
        yield entry
        yield row_list(self.terminal, "bottom")
        yield row_list(self.terminal, "footer")

    def on_mount(self) -> None:
        self._go_to(1)

    # --- drawing ---------------------------------------------------------------------------------

    def show_view(self, view: View) -> None:
        banner = banner_row(view, width=self._list("banner").row_width)
        self._list("banner").display = banner is not None
        quiet = view.picture is None or not (view.picture.barriers or view.picture.allocation)
        self.set_class(quiet, "-quiet")
        for widget_id in ("header", "banner", "tabs", "bottom", "footer"):
            self._draw_line(widget_id, view)
        for number in range(1, 5):
            if self._list(f"pane-{number}").size.width:
                self._draw_pane(number, view)

    def _draw_line(self, widget_id: str, view: View) -> None:
        widget = self._list(widget_id)
        width = widget.row_width
        if widget_id == "header":
            rows = [header_row(view, width=width, clock=_clock(view, width))]
        elif widget_id == "banner":
            rows = [banner_row(view, width=width) or BLANK]
        elif widget_id == "tabs":
            rows = [tabs_row(view.picture, self._pane, width=width), _rule(width)]
        elif widget_id == "bottom":
            rows = [bottom_row(view, width=width)]
        else:
            rows = [footer_row(view, width=width)]
        widget.show((), fixed=rows)

    def _draw_pane(self, number: int, view: View) -> None:
        pane = self._list(f"pane-{number}")
        width = pane.row_width
        filter_text = self._filters[number - 1]
        body = _body(number, view.picture, width, filter_text)
        shown = len({row.key for row in body if row.key})
        fixed: list[Row] = []
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
        if not body or (not shown and number != 4):
            body = _nothing(number, view, width, filter_text)
        elif number == 1:
            fixed.append(strategies.strategy_head(width))
        if view.picture is not None and not view.fresh:
            body = tuple(Row(row.spans, row.key, row.band, True) for row in body)
        pane.show(body, fixed=fixed)

    def on_row_list_resized(self, message: RowList.Resized) -> None:
        self.show_view(self.terminal.view)

    def on_resize(self, event: Resize) -> None:
        wide = event.size.width >= WIDE[0] and event.size.height >= WIDE[1]
        self.set_class(wide, "-wide")
        self.show_view(self.terminal.view)

    def _list(self, widget_id: str) -> RowList:
        return self.query_one(f"#{widget_id}", RowList)

    @property
    def _active(self) -> RowList:
        return self._list(f"pane-{self._pane}")

    def _go_to(self, number: int) -> None:
        self._pane = number
        for other in range(1, 5):
            self._list(f"pane-{other}").set_class(other == number, "-active")
            self._list(f"pane-{other}").refresh()
        self.show_view(self.terminal.view)

    # --- keys ------------------------------------------------------------------------------------

    def action_run_key(self, action_id: str) -> None:
        """Every key comes through here: what may not be done says why in the bottom line."""
        action = by_id(action_id)
        reason = why_not(action, self.terminal.view)
        if reason is not None:
            self.terminal.say(reason, bad=True)
            return
        if action.argument:
            self._go_to(int(action.argument))
            return
        doing: dict[str, Callable[[], object]] = {
            "close-selected": self._close_selected,
            "close-all": self._close_all,
            "acknowledge": self._acknowledge,
            "arm": self._arm,
            "details": self._details,
            "filter": self._ask_filter,
            "clear-filter": self._clear_filter,
            "theme": self.terminal.next_palette,
            "next-pane": lambda: self._go_to(self._pane % 4 + 1),
            "down": lambda: self._active.move(1),
            "up": lambda: self._active.move(-1),
            "page-down": lambda: self._active.page(1),
            "page-up": lambda: self._active.page(-1),
            "help": lambda: self.app.push_screen(Help()),
            "detach": lambda: self.app.exit(0),
        }
        doing[action_id]()

    def _close_selected(self) -> None:
        strategy_id = self._selected_strategy()
        if strategy_id is None:
            self.terminal.say("Select a strategy first: 1, then j and k.", bad=True)
            return
        self.app.push_screen(OrderSheet(strategy_id))

    def _selected_strategy(self) -> str | None:
        """The strategy under the cursor, or the one the assignment under the cursor broke."""
        picture = self.terminal.view.picture
        if picture is None:
            return None
        key = self._active.cursor
        if self._pane == 1:
            return key or None
        if self._pane == 2:
            for assignment in picture.assignments:
                if alerts.ASSIGNMENT + assignment.id == key:
                    return assignment.strategy_id
        return None

    def _close_all(self) -> None:
        self.app.push_screen(CloseAllSheet())

    def _acknowledge(self) -> None:
        picture = self.terminal.view.picture
        new = unacknowledged(picture) if picture is not None else ()
        key = self._active.cursor if self._pane == 2 else ""
        chosen = next((alert for alert in new if ALERT + alert.id == key), None)
        if chosen is None and not new:
            self.terminal.say("Every alert is acknowledged already.")
            return
        self.terminal.acknowledge((chosen or new[0]).id)

    def _arm(self) -> None:
        picture = self.terminal.view.picture
        if picture is not None:
            self.app.push_screen(ArmSheet(armed_now=picture.armed))

    def _details(self) -> None:
        key = self._active.cursor
        if self._pane > 2 or not key:
            self.terminal.say("There is nothing selected that has details.")
            return
        self.app.push_screen(Details(self._pane, key), self._after_details)

    def _after_details(self, action_id: str | None) -> None:
        if action_id:
            self.action_run_key(action_id)

    def _ask_filter(self) -> None:
        entry = self.query_one("#filter", Input)
        entry.value = self._filters[self._pane - 1]
        self.add_class("-filtering")
        entry.focus()

    def _clear_filter(self) -> None:
        self._filters[self._pane - 1] = ""
        self.query_one("#filter", Input).value = ""
        self._end_filtering()

    def _end_filtering(self) -> None:
        self.remove_class("-filtering")
        self.set_focus(None)
        self.show_view(self.terminal.view)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self.has_class("-filtering"):
            self._filters[self._pane - 1] = event.value
            self.show_view(self.terminal.view)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._end_filtering()

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        widget_id = message.source.id or ""
        if widget_id.startswith("pane-"):
            self._go_to(int(widget_id.removeprefix("pane-")))
            if message.opened:
                self._details()


def _body(number: int, picture: Snapshot | None, width: int, filter_text: str) -> tuple[Row, ...]:
    if picture is None:
        return ()
    rows_of = (
        strategies.strategy_rows,
        alerts.alert_rows,
        barriers.barrier_rows,
        allocation.allocation_rows,
    )[number - 1]
    return rows_of(picture, width=width, filter_text=filter_text)


def _nothing(number: int, view: View, width: int, filter_text: str) -> tuple[Row, ...]:
    """What an empty pane says: why it is empty, and what to do about it."""
    if view.picture is None:
        said = "Waiting for the engine's first picture.", view.detail
    elif filter_text:
        said = "No row contains this text.", "esc shows all again."
    else:
        said = _EMPTY[number - 1]
    rows = [
        line(Span(f" {text}", tone), width=width)
        for part, tone in zip(said, (Tone.PLAIN, Tone.MUTED), strict=True)
        for text in wrap(part, max(10, width - 2))
    ]
    return (BLANK, *rows) if not view.picture or number < 3 else tuple(rows)


def _clock(view: View, width: int) -> str:
    """The engine's time: the picture's own, and what has passed since."""
    if view.picture is None:
        return ""
    now = view.picture.at + timedelta(seconds=view.picture_age_seconds)
    return f"{now:%H:%M:%S} UTC" if width >= 100 else f"{now:%H:%M:%S}"


def _rule(width: int) -> Row:
    return line(Span("─" * width, Tone.RULE), width=width)
