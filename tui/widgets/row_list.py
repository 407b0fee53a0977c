"""A hot pane: finished rows drawn line by line, and only the changed lines drawn again.

The first rows may be fixed (title, column heads); the rest scrolls under a cursor that stands on an
item by its key, so rows that move do not carry the cursor to something else.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.rows.cells import BLANK, Row, Tone, width_of
from tui.rows.marks import PLAIN_MARKS

_GUTTER = 1
_STALE_BLEND = 0.5


class _Line(NamedTuple):
    """All that decides how a line looks, apart from the palette."""

    row: Row
    under_cursor: bool
    thumb: int | None


class RowList(Widget):
    """Rows of exactly `row_width` cells, with one cell at the left for the cursor and one at the
    right for the scroll mark."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"tone--{tone}" for tone in Tone),
        "row--band",
        "row--cursor",
    }

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
        self._body: tuple[Row, ...] = ()
        self._items: tuple[str, ...] = ()
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
    def rows(self) -> tuple[Row, ...]:
        return (*self._fixed, *self._body)

    def show(self, body: Sequence[Row], *, fixed: Sequence[Row] = ()) -> None:
        """Draw these rows; lines that did not change are left alone."""
        before = self._window()
        self._fixed, self._body = tuple(fixed), tuple(body)
        self._items = tuple(dict.fromkeys(row.key for row in self._body if row.key))
        self._place_cursor()
        if self._height_wanted != len(self.rows) and self.styles.auto_dimensions:
            self._height_wanted = len(self.rows)
            self.refresh(layout=True)
        self._draw_changes(before)

    def move(self, step: int) -> None:
        """Move the cursor by items; at the ends it stays. Without items, scroll by lines."""
        before = self._window()
        if self._items:
            self._cursor_at = min(max(self._cursor_at + step, 0), len(self._items) - 1)
            self._cursor = self._items[self._cursor_at]
            self._bring_into_view()
        else:
            self._show_from(self._top + step)
        self._draw_changes(before)

    def select(self, key: str) -> None:
        if key in self._items:
            self.move(self._items.index(key) - self._cursor_at)

    def page(self, direction: int) -> None:
        """Move by about a screenful."""
        before = self._window()
        if self._items:
            first = self._first_row_of(self._cursor)
            target = min(max(first + direction * self._view_height, 0), len(self._body) - 1)
            below = range(target, len(self._body)) if direction > 0 else range(target, -1, -1)
            self._cursor = next(
                (self._body[i].key for i in below if self._body[i].key),
                self._items[-1 if direction > 0 else 0],
            )
            self._cursor_at = self._items.index(self._cursor)
            self._bring_into_view()
        else:
            self._show_from(self._top + direction * self._view_height)
        self._draw_changes(before)

    # --- drawing ---------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        row = self._row_at(y)
        index = y - len(self._fixed)
        under_cursor = bool(
            row.key and index >= 0 and row.key == self._cursor and self.has_class("-active")
        )
        base = self._style(Tone.PLAIN, row.stale, row.band, under_cursor)
        gutter = "▌" if under_cursor else " "
        segments = [Segment(self._marks(gutter), self._gutter_style(under_cursor, base))]
        segments += [
            Segment(self._marks(text), self._style(tone, row.stale, row.band, under_cursor))
            for text, tone in row.spans
        ]
        strip = Strip(segments).adjust_cell_length(max(0, self.size.width - _GUTTER), base)
        mark = self._scroll_mark(y)
        tail = Segment(self._marks(mark), self._style(Tone.RULE, False, row.band, under_cursor))
        # Neighbours of one style become one segment: colour codes are most of what is sent.
        return Strip([*strip, tail], self.size.width).simplify()

    def notify_style_update(self) -> None:
        self._tone_styles.clear()
        super().notify_style_update()

    def _style(self, tone: Tone, stale: bool, band: bool, cursor: bool) -> Style:
        """Never None: a filter that takes colour away needs a style on every segment."""
        key = (tone, stale, band, cursor)
        if key not in self._tone_styles:
            background = self.rich_style
            if cursor:
                background += self.get_component_rich_style("row--cursor", partial=True)
            elif band:
                background += self.get_component_rich_style("row--band", partial=True)
            style = background + self.get_component_rich_style(f"tone--{tone}", partial=True)
            if stale:
                style = _faded(style) + Style(dim=self.app.no_color)
            self._tone_styles[key] = style
        return self._tone_styles[key]

    def _gutter_style(self, under_cursor: bool, base: Style) -> Style:
        return (
            base + self.get_component_rich_style("tone--active", partial=True)
            if under_cursor
            else base
        )

    def _marks(self, text: str) -> str:
        return text.translate(PLAIN_MARKS) if self.plain_marks else text

    def _row_at(self, y: int) -> Row:
        if y < len(self._fixed):
            return self._fixed[y]
        index = y - len(self._fixed) + self._top
        return self._body[index] if index < len(self._body) else BLANK

    def _scroll_mark(self, y: int) -> str:
        """A thumb in the last column, only where there is more than fits."""
        height, total = self._view_height, len(self._body)
        line = y - len(self._fixed)
        if line < 0 or total <= height or not height:
            return " "
        length = max(1, height * height // total)
        start = round(self._top * (height - length) / (total - height))
        return "┃" if start <= line < start + length else "│"

    def _window(self) -> tuple[_Line, ...]:
        """What each line of the widget shows now, cheap to compare."""
        long = len(self._body) > self._view_height
        thumb = self._top if long else None
        return tuple(
            _Line(row, bool(row.key) and row.key == self._cursor, thumb)
            for row in map(self._row_at, range(self.size.height))
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
    def _view_height(self) -> int:
        return max(0, self.size.height - len(self._fixed))

    def _place_cursor(self) -> None:
        """Keep the cursor on its item; if the item is gone, on what took its place."""
        if not self._items:
            self._cursor, self._cursor_at = "", 0
            self._show_from(self._top)
            return
        if self._cursor in self._items:
            self._cursor_at = self._items.index(self._cursor)
        else:
            self._cursor_at = min(self._cursor_at, len(self._items) - 1)
            self._cursor = self._items[self._cursor_at]
        self._bring_into_view()

    def _first_row_of(self, key: str) -> int:
        return next((i for i, row in enumerate(self._body) if row.key == key), 0)

    def _bring_into_view(self) -> None:
        first = self._first_row_of(self._cursor)
        last = first + sum(row.key == self._cursor for row in self._body) - 1
        if first < self._top or last - first >= self._view_height:
            self._show_from(first)
        elif last >= self._top + self._view_height:
            self._show_from(last - self._view_height + 1)
        else:
            self._show_from(self._top)

    def _show_from(self, top: int) -> None:
        self._top = min(max(top, 0), max(0, len(self._body) - self._view_height))

    def on_resize(self) -> None:
        self._place_cursor()
        self.post_message(self.Resized())
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._fixed) + len(self._body))

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)

    def on_click(self, event: events.Click) -> None:
        row = self._row_at(event.y) if event.y >= len(self._fixed) else BLANK
        if row.key:
            self.select(row.key)
        self.post_message(self.Chosen(self, bool(row.key) and event.chain == 2))


def _faded(style: Style) -> Style:
    """Halfway to the background; without colour, the terminal's own dim."""
    if style.color is None or style.bgcolor is None:
        return style + Style(dim=True)
    front, back = style.color.get_truecolor(), style.bgcolor.get_truecolor()
    mixed = tuple(round(a + (b - a) * _STALE_BLEND) for a, b in zip(front, back, strict=True))
    return style + Style(color=f"rgb({mixed[0]},{mixed[1]},{mixed[2]})", bold=False)


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
