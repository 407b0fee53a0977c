"""The sheet that makes a strategy of what was found: its legs, and the id it shall have."""

import re

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input, Static

from engine.desk.snapshot import CandidateView
from tui.rows.candidates import candidate_rows
from tui.rows.cells import Row
from tui.screens.sheet import Sheet
from tui.view import LinkState, View
from tui.widgets.entry import Entry

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class AdoptSheet(Sheet):
    """Cancel has the focus; tab leads to the id, enter there or `y` adopts."""

    LINES_AROUND = 15

    def __init__(self, candidate: CandidateView) -> None:
        super().__init__("Adopt  y")
        self._candidate = candidate

    def compose_entry(self) -> ComposeResult:
        yield Static(Text("Its id, here and in the journal (tab to change it):"), id="ask")
        start = self._candidate.id if _ID.fullmatch(self._candidate.id) else ""
        entry = Entry(start, id="typed", compact=True, max_length=64, classes="long")
        entry.cursor_blink = False
        yield entry

    def title_text(self, view: View) -> str:
        return f"Adopt {self._candidate.underlying} {self._candidate.kind.replace('_', ' ')}"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        return (), tuple(candidate_rows(self._candidate, width))

    def foot(self, view: View) -> str:
        return "Written to the config and guarded from then on. Nothing is sent now."

    def why_not(self, view: View) -> str | None:
        if view.read_only:
            return "This terminal is read-only: nothing is adopted from here."
        if view.link is not LinkState.UP or view.picture is None:
            return "ENGINE LOST: nothing can be sent from here."
        if self._candidate.id not in {one.id for one in view.picture.candidates}:
            return "It is no longer held as it was."
        if any(one.id == self._wanted for one in view.picture.strategies):
            return f"There is a strategy {self._wanted} already."
        if not _ID.fullmatch(self._wanted):
            return "An id has 1 to 64 letters, digits, ., _ or -, a letter or digit first."
        return None

    @property
    def _wanted(self) -> str:
        return self.query_one("#typed", Input).value.strip()

    def on_input_changed(self) -> None:
        self.show_view(self.terminal.view)

    def on_input_submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        self._chosen = self._wanted
        super().confirm()

    def act(self) -> None:
        self.terminal.requests.adopt(self._candidate.id, self._chosen)
