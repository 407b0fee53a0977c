"""A hot pane: finished rows drawn line by line, and only the changed lines drawn again.

The first rows may be fixed (title, column heads); the rest are items that scroll under a cursor. It
stands on an item by its key, so rows that move do not carry it to something else. Items out of
sight are never drawn.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.rows.cells import BLANK, Block, Row, Tone, blocks_of, width_of
from tui.rows.marks import PLAIN_MARKS
from tui.widgets.tones import BAND, CURSOR, tone_style

_GUTTER = 1


class _Line(NamedTuple):
    """All that decides how a line looks, apart from the palette."""

    row: Row
    under_cursor: bool
    thumb: int | None


class RowList(Widget):
    """Rows of exactly `row_width` cells, with one cell at the left for the cursor and one at the
    right for the scroll mark."""

    class Chosen(Message):
        """A person clicked on an item; twice quickly if opened is true."""

        def __init__(self, source: "RowList", opened: bool) -> None:
            super().__init__()
            self.source = source
            self.opened = opened

    class Resized(Message):
        """The width changed, so rows of the new width are wanted."""

    def __init__(self, *, id: str | None = None, plain_marks: bool = False) -> None:
        super().__init__(id=id)
        self._fixed: tuple[Row, ...] = ()
        self._blocks: tuple[Block, ...] = ()
        self._starts: list[int] = [0]
        self._drawn: dict[int, Sequence[Row]] = {}
        self._items: dict[str, int] = {}
        self._places: list[int] = []
        self._cursor = ""
        self._cursor_at = 0
        self._top = 0
        self._height_wanted = 0
        self._tone_styles: dict[tuple[Tone, bool, bool, bool], Style] = {}
        self.plain_marks = plain_marks

    @property
    def row_width(self) -> int:
        return max(1, self.size.width - 2 * _GUTTER)

    @property
    def cursor(self) -> str:
        """The key of the item under the cursor, or "" where there is none."""
        return self._cursor

    @property
    def at_top(self) -> bool:
        return self._cursor_at == 0 if self._items else self._top == 0

    @property
    def at_bottom(self) -> bool:
        if self._items:
            return self._cursor_at == len(self._items) - 1
        return self._top >= self._total - self._view_height

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row, also those out of sight."""
        return (*self._fixed, *(self._body_row(index) for index in range(self._total)))

    @property
    def cursor_y(self) -> int | None:
        """The line of the widget on which the item under the cursor begins, if it is in sight."""
        if not self._items:
            return None
        y = self._starts[self._places[self._cursor_at]] - self._top + len(self._fixed)
        return y if len(self._fixed) <= y < self.size.height else None

    def show(self, body: Sequence[Row], *, fixed: Sequence[Row] = ()) -> None:
        """Draw these rows; lines that did not change are left alone."""
        self.show_blocks(blocks_of(body), fixed=fixed)

    def show_blocks(self, blocks: Sequence[Block], *, fixed: Sequence[Row] = ()) -> None:
        """Draw these items; lines that did not change are left alone."""
        before = self._window()
        self._fixed, self._blocks = tuple(fixed), tuple(blocks)
        self._starts = [0, *accumulate(block.height for block in self._blocks)]
        self._drawn = {}
        self._places = [index for index, block in enumerate(self._blocks) if block.key]
        self._items = {self._blocks[place].key: at for at, place in enumerate(self._places)}
        self._place_cursor()
        wanted = len(self._fixed) + self._total
        if self._height_wanted != wanted and self.styles.auto_dimensions:
            self._height_wanted = wanted
            self.refresh(layout=True)
        self._draw_changes(before)

    def move(self, step: int) -> None:
        """Move the cursor by items; at the ends it stays. Without items, scroll by lines."""
        if self._items:
            self._stand_on(self._cursor_at + step)
        else:
            self._roll_to(self._top + step)

    def select(self, key: str) -> None:
        if key in self._items:
            self._stand_on(self._items[key])

    def page(self, direction: int) -> None:
        """Move by about a screenful."""
        if not self._items:
            self._roll_to(self._top + direction * self._view_height)
            return
        first = self._starts[self._places[self._cursor_at]]
        target = min(max(first + direction * self._view_height, 0), self._total - 1)
        place = bisect_right(self._starts, target) - 1
        at = bisect_right(self._places, place) - 1
        # Something tall fills the screen alone: go on to its neighbour all the same.
        self._stand_on(at if at != self._cursor_at else at + direction)

    def to_end(self, direction: int) -> None:
        """Go to the first (-1) or last (1) item or line."""
        if self._items:
            self._stand_on(0 if direction < 0 else len(self._items) - 1)
        else:
            self._roll_to(0 if direction < 0 else self._total)

    def _stand_on(self, at: int) -> None:
        before = self._window()
        self._cursor_at = min(max(at, 0), len(self._items) - 1)
        self._cursor = self._blocks[self._places[self._cursor_at]].key
        self._bring_into_view()
        self._draw_changes(before)

    def _roll_to(self, top: int) -> None:
        before = self._window()
        self._show_from(top)
        self._draw_changes(before)

    # --- drawing ---------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        row = self._row_at(y)
        index = y - len(self._fixed)
        under_cursor = index >= 0 and self.has_class("-active") and self._is_under_cursor(y)
        base = self._style(Tone.PLAIN, row.stale, row.band, under_cursor)
        gutter = "▌" if under_cursor else " "
        at = self._style(Tone.ACTIVE, False, row.band, True) if under_cursor else base
        segments = [Segment(self._marks(gutter), at)]
        segments += [
            Segment(self._marks(text), self._style(tone, row.stale, row.band, under_cursor))
            for text, tone in row.spans
        ]
        strip = Strip(segments).adjust_cell_length(max(0, self.size.width - _GUTTER), base)
        mark = self._scroll_mark(y)
        tail = Segment(self._marks(mark), self._style(Tone.RULE, False, row.band, under_cursor))
        # Neighbours of one style become one segment: each costs time on its way to the terminal.
        return Strip([*strip, tail], self.size.width).simplify()

    def notify_style_update(self) -> None:
        self._tone_styles.clear()
        super().notify_style_update()

    def _style(self, tone: Tone, stale: bool, band: bool, cursor: bool) -> Style:
        """Never None: a filter that takes colour away needs a style on every segment."""
        key = (tone, stale, band, cursor)
        if key not in self._tone_styles:
            self._tone_styles[key] = tone_style(
                tone,
                self.app.theme_variables,
                ground=self.rich_style,
                band=CURSOR if cursor else BAND if band else "",
                stale=stale,
                no_color=self.app.no_color,
                dims=self.app.native_ansi_color,
            )
        return self._tone_styles[key]

    def _marks(self, text: str) -> str:
        return text.translate(PLAIN_MARKS) if self.plain_marks else text

    def _row_at(self, y: int) -> Row:
        if y < len(self._fixed):
            return self._fixed[y]
        return self._body_row(y - len(self._fixed) + self._top)

    def _body_row(self, index: int) -> Row:
        if not 0 <= index < self._total:
            return BLANK
        place = bisect_right(self._starts, index) - 1
        if place not in self._drawn:
            self._drawn[place] = self._blocks[place].draw()
        rows, line = self._drawn[place], index - self._starts[place]
        return rows[line] if line < len(rows) else BLANK

    def _is_under_cursor(self, y: int) -> bool:
        if not self._items:
            return False
        place = self._places[self._cursor_at]
        index = y - len(self._fixed) + self._top
        return self._starts[place] <= index < self._starts[place + 1]

    def _scroll_mark(self, y: int) -> str:
        """A thumb in the last column, only where there is more than fits."""
        height, total = self._view_height, self._total
        line = y - len(self._fixed)
        if line < 0 or total <= height or not height:
            return " "
        length = max(1, height * height // total)
        start = round(self._top * (height - length) / (total - height))
        return "┃" if start <= line < start + length else "│"

    def _window(self) -> tuple[_Line, ...]:
        """What each line of the widget shows now, cheap to compare."""
        thumb = self._top if self._total > self._view_height else None
        return tuple(
            _Line(self._row_at(y), self._is_under_cursor(y), thumb) for y in range(self.size.height)
        )

    def _draw_changes(self, before: tuple[_Line, ...]) -> None:
        changed = [
            _changed_region(y, old, new, self.size.width)
            for y, (old, new) in enumerate(zip(before, self._window(), strict=True))
            if old != new
        ]
        if changed:
            self.refresh(*changed)

    # --- cursor and scrolling --------------------------------------------------------------------

    @property
    def _total(self) -> int:
        return self._starts[-1]

    @property
    def _view_height(self) -> int:
        return max(0, self.size.height - len(self._fixed))

    def _place_cursor(self) -> None:
        """Keep the cursor on its item; if the item is gone, on what took its place."""
        if not self._items:
            self._cursor, self._cursor_at = "", 0
            self._show_from(self._top)
            return
        self._cursor_at = self._items.get(self._cursor, min(self._cursor_at, len(self._items) - 1))
        self._cursor = self._blocks[self._places[self._cursor_at]].key
        self._bring_into_view()

    def _bring_into_view(self) -> None:
        place = self._places[self._cursor_at]
        first, last = self._starts[place], self._starts[place + 1] - 1
        if self._cursor_at == 0:
            first = 0
        if first < self._top or last - first >= self._view_height:
            self._show_from(first)
        elif last >= self._top + self._view_height:
            self._show_from(last - self._view_height + 1)
        else:
            self._show_from(self._top)

    def _show_from(self, top: int) -> None:
        self._top = min(max(top, 0), max(0, self._total - self._view_height))

    def on_resize(self) -> None:
        self._place_cursor()
        self.post_message(self.Resized())
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._fixed) + self._total)

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)

    def on_click(self, event: events.Click) -> None:
        index = event.y - len(self._fixed) + self._top
        key = ""
        if event.y >= len(self._fixed) and 0 <= index < self._total:
            key = self._blocks[bisect_right(self._starts, index) - 1].key
        if key:
            self.select(key)
        self.post_message(self.Chosen(self, bool(key) and event.chain == 2))


def _changed_region(y: int, old: _Line, new: _Line, width: int) -> Region:
    """The cells of a line that differ: a price that moved is a few bytes, not a whole line."""
    before, after = old.row.spans, new.row.spans
    same_frame = (
        old._replace(row=BLANK) == new._replace(row=BLANK)
        and (old.row.band, old.row.stale) == (new.row.band, new.row.stale)
        and width_of(before) == width_of(after)
    )
    if not same_frame:
        return Region(0, y, width, 1)
    pairs = list(zip(before, after, strict=False))
    head = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
    rest = zip(reversed(before[head:]), reversed(after[head:]), strict=False)
    tail = next((i for i, (a, b) in enumerate(rest) if a != b), 0)
    left = _GUTTER + width_of(after[:head])
    return Region(left, y, width_of(after[head : len(after) - tail]), 1)
