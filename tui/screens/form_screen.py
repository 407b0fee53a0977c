"""The config form as it is drawn and walked through: one list of rows, entries of lists one level
deeper on the same screen. What changes a value stands in `tui.screens.config`.
"""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.actions import Where
from tui.config_draft import (
    Draft,
    FieldDraft,
    ListDraft,
    TableDraft,
    differences,
    entry_name,
    faults_by_place,
)
from tui.config_form import Fault, Verdict
from tui.rows.cells import BLANK, Block, Row, Span, Tone, blocks_of, line
from tui.rows.chrome import page_title_row
from tui.rows.config import ENTRY, FIELD, LIST, TABLE, entry_blocks, help_lines, root_blocks
from tui.rows.text import wrap
from tui.screens.base import bindings, row_list
from tui.screens.frame import Frame
from tui.view import View
from tui.widgets.entry import Entry
from tui.widgets.row_list import RowList

_HELP_ROWS = 3


@dataclass(slots=True)
class Level:
    """An opened entry, and where the cursor stood above it."""

    entry: TableDraft
    of: ListDraft
    came_from: str


class FormScreen(Frame[None]):
    WHERE = Where.FORM
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.FORM)

    def __init__(self) -> None:
        super().__init__()
        self._draft: Draft | None = None
        self._levels: list[Level] = []
        self._failed = ""
        self._filter = ""
        self._verdict = Verdict()
        self._faults: dict[int, list[Fault]] = {}
        self._loose: list[Fault] = []

    def compose_body(self) -> ComposeResult:
        yield row_list(self.terminal, "page-title")
        body = row_list(self.terminal, "page-body")
        body.add_class("-active")
        yield body
        yield row_list(self.terminal, "form-help")
        entry = Entry(id="field", compact=True, max_length=2000, select_on_focus=False)
        entry.cursor_blink = False
        yield entry

    @property
    def hands(self) -> RowList:
        return self.rows_of("page-body")

    def _sort_faults(self) -> None:
        self._faults, self._loose = {}, []
        if self._draft is not None:
            self._faults, self._loose = faults_by_place(self._draft, self._verdict.faults)

    # --- drawing ---------------------------------------------------------------------------------

    def show_body(self, view: View) -> None:
        width = self.hands.row_width
        heading = self.rows_of("page-title")
        title = page_title_row(self._title(), self._note(), width=heading.row_width)
        heading.show((), fixed=[title])
        if self._draft is None:
            text = self._failed or "The engine is asked for its config."
            rows = [
                line(Span(f" {part}", Tone.MUTED), width=width) for part in wrap(text, width - 2)
            ]
            self.hands.show_blocks(blocks_of((BLANK, *rows)))
        else:
            self.hands.show_blocks(
                self._blocks(self._draft, width) or blocks_of(self._nothing(width))
            )
        self._show_help()

    def _blocks(self, draft: Draft, width: int) -> list[Block]:
        if self._levels:
            level = self._levels[-1]
            key = level.of.form.key
            return entry_blocks(
                level.entry, key, self._faults, width=width, filter_text=self._filter
            )
        return root_blocks(
            draft.sections, self._faults, self._loose, width=width, filter_text=self._filter
        )

    def _nothing(self, width: int) -> tuple[Row, ...]:
        return (
            BLANK,
            line(Span(" No row contains this text: esc shows all.", Tone.MUTED), width=width),
        )

    def _title(self) -> str:
        names = ["Config"]
        for level in self._levels:
            names += [level.of.form.title, entry_name(level.entry) or level.of.form.noun]
        return " › ".join(names)

    def _note(self) -> str:
        if self._draft is None:
            return ""
        words = []
        if self._filter:
            words.append(f"with “{self._filter}”")
        count = len(differences(self._draft))
        if count:
            words.append("1 change" if count == 1 else f"{count} changes")
        faults = len(self._verdict.faults)
        if faults:
            words.append("1 fault" if faults == 1 else f"{faults} faults")
        return ", ".join(words) or self._draft.form.path

    def _show_help(self) -> None:
        widget = self.rows_of("form-help")
        width = widget.row_width
        field = self._field()
        rows: tuple[Row, ...] = ()
        if field is not None:
            rows = help_lines(field, width)
        else:
            found = self._list_at(self.hands.cursor)
            if found is not None:
                rows = tuple(line(Span(text), width=width) for text in wrap(found.form.help, width))
        padded = [*rows, *([BLANK] * _HELP_ROWS)][:_HELP_ROWS]
        widget.show((), fixed=padded)

    # --- what is under the cursor ----------------------------------------------------------------

    def _tables(self) -> list[TableDraft]:
        """The tables whose rows are on the screen."""
        if self._levels:
            return [self._levels[-1].entry]
        return self._draft.sections if self._draft is not None else []

    def _field(self) -> FieldDraft | None:
        for table in self._tables():
            for field in table.fields:
                if FIELD + field.path == self.hands.cursor:
                    return field
        return None

    def _list_at(self, key: str) -> ListDraft | None:
        for table in self._tables():
            for below in table.lists:
                if LIST + below.path == key:
                    return below
                if any(ENTRY + entry.path == key for entry in below.entries):
                    return below
        return None

    def _entry_at(self, key: str) -> TableDraft | None:
        below = self._list_at(key)
        entries = below.entries if below is not None else []
        return next((entry for entry in entries if ENTRY + entry.path == key), None)

    def _section_at(self, key: str) -> TableDraft | None:
        return next((one for one in self._tables() if TABLE + one.form.key == key), None)

    # --- moving ----------------------------------------------------------------------------------

    def _open(self, entry: TableDraft) -> None:
        below = self._list_at(ENTRY + entry.path)
        if below is None or entry.removed:
            return
        self._levels.append(Level(entry, below, self.hands.cursor))
        self._filter = ""
        self.show_view(self.terminal.view)
        self.hands.to_end(-1)
        self._show_help()

    def _close_level(self) -> None:
        level = self._levels.pop()
        self.show_view(self.terminal.view)
        self.hands.select(level.came_from)
        self._show_help()

    def do_filter(self) -> None:
        def typed(text: str) -> None:
            self._filter = text
            self.show_view(self.terminal.view)

        self.prompt("filter", self._filter, typed=typed, entered=typed)
