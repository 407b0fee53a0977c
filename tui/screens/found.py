"""What is held and declared nowhere: legs that look like a strategy, and quantities that differ."""

from collections.abc import Sequence

from engine.desk.snapshot import CandidateView
from tui.rows.cells import Block
from tui.rows.strategies import CANDIDATE, found_blocks
from tui.screens.adopt_sheet import AdoptSheet
from tui.screens.list_page import ListPage
from tui.selection import about_at
from tui.view import View


class FoundList(ListPage):
    def heading(self, view: View) -> str:
        return "Held and declared nowhere"

    def blocks(self, view: View, width: int) -> Sequence[Block]:
        if view.picture is None:
            return ()
        return found_blocks(view.picture, self.filter_text.lower(), width)

    def empty(self, view: View) -> tuple[str, str]:
        return (
            "Everything that is held is declared.",
            "Legs that look like a strategy nobody registered appear here.",
        )

    def do_details(self) -> None:
        picture = self.terminal.view.picture
        about = about_at(0, self.hands.cursor, picture) if picture is not None else None
        if about is not None:
            self.terminal.open_details(about)

    def do_adopt(self) -> None:
        candidate = self._candidate()
        if candidate is None:
            self.terminal.say("Only what looks like a strategy can be adopted.", bad=True)
        else:
            self.app.push_screen(AdoptSheet(candidate))

    def _candidate(self) -> CandidateView | None:
        picture = self.terminal.view.picture
        for candidate in picture.candidates if picture is not None else ():
            if CANDIDATE + candidate.id == self.hands.cursor:
                return candidate
        return None
