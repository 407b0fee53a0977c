"""The log: the journal as it grows, with what this terminal said, to follow, filter and search."""

import json
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.actions import Where
from tui.journal import About, JournalEntry, about_of
from tui.messages import JournalRead
from tui.rows.cells import BLANK, Row, Span, Tone, blocks_of, line
from tui.rows.chrome import page_title_row
from tui.rows.fields import field, heading
from tui.rows.log import Kinds, key_of, log_blocks, searched, shown_entries
from tui.rows.text import wrap
from tui.screens.base import bindings, row_list
from tui.screens.frame import Frame
from tui.screens.page import Page
from tui.view import View
from tui.widgets.row_list import RowList

_FIRST, _MOST = 500, 10_000
_FOLLOW_SECONDS = 1.0
_ALL, _NEWS = "log", "news"


class Log(Frame[None]):
    """With `of`, only the story of one strategy, position or allocation."""

    WHERE = Where.LOG
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.LOG)

    def __init__(self, of: str | None = None) -> None:
        super().__init__()
        self._of = of
        self._entries: tuple[JournalEntry, ...] = ()
        self._limit = _FIRST
        self._reached_start = False
        self._follows = True
        self._kinds = Kinds.ALL
        self._filter = ""
        self._search = ""
        self._failed = ""

    def compose_body(self) -> ComposeResult:
        yield row_list(self.terminal, "page-title")
        body = row_list(self.terminal, "page-body")
        body.add_class("-active")
        yield body

    @property
    def hands(self) -> RowList:
        return self.rows_of("page-body")

    # --- reading ---------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._read_all()
        self.set_interval(_FOLLOW_SECONDS, self._read_news)

    def _read_all(self) -> None:
        self.terminal.requests.read_journal(self, _ALL, strategy_id=self._of, limit=self._limit)

    def _read_news(self) -> None:
        if not self._entries:
            self._read_all()
        elif self._follows:
            self.terminal.requests.read_journal(
                self, _NEWS, strategy_id=self._of, since=self._entries[-1].at, limit=_FIRST
            )

    def on_journal_read(self, message: JournalRead) -> None:
        if message.failed is not None:
            self._failed = message.failed
        elif message.tag == _ALL:
            self._failed = ""
            self._reached_start = len(message.entries) < self._limit
            self._entries = message.entries
        else:
            self._failed = ""
            self._add(message.entries)
        self.show_view(self.terminal.view)
        if self._follows:
            self.hands.to_end(1)

    def _add(self, news: tuple[JournalEntry, ...]) -> None:
        known = self._entries[-1].seq if self._entries else 0
        newer = tuple(entry for entry in news if entry.seq > known)
        if newer:
            self._entries = (*self._entries, *newer)[-_MOST:]

    # --- drawing ---------------------------------------------------------------------------------

    def _all(self) -> list[JournalEntry]:
        """The journal and this terminal's own sayings, in order of time."""
        if self._of is not None or not self._entries:
            return list(self._entries)
        since = self._entries[0].at
        own = [said for said in self.terminal.sayings if said.at >= since]
        return sorted((*self._entries, *own), key=lambda entry: entry.at)

    def _shown(self) -> list[JournalEntry]:
        return shown_entries(self._all(), self._kinds, self._filter)

    def show_body(self, view: View) -> None:
        entries = self._shown()
        heading = self.rows_of("page-title")
        title = page_title_row(self._title(), self._note(len(entries)), width=heading.row_width)
        heading.show((), fixed=[title])
        width = self.hands.row_width
        if entries:
            self.hands.show_blocks(log_blocks(entries, width=width, search=self._search))
        else:
            self.hands.show_blocks(blocks_of(self._nothing(width)))

    def _title(self) -> str:
        return "Log" if self._of is None else f"Log of {self._of}"

    def _note(self, count: int) -> str:
        words = [str(count)]
        if self._kinds is not Kinds.ALL:
            words.append(self._kinds)
        if self._filter:
            words.append(f"with “{self._filter}”")
        words.append("following" if self._follows else "not following")
        if self._failed:
            words.append(f"cannot be read: {self._failed}")
        return ", ".join(words)

    def _nothing(self, width: int) -> tuple[Row, ...]:
        text = "Being read." if not self._entries else "No entry fits."
        if self._failed:
            text = self._failed
        rows = [line(Span(f" {part}", Tone.MUTED), width=width) for part in wrap(text, width - 2)]
        return (BLANK, *rows)

    # --- moving ----------------------------------------------------------------------------------

    def do_up(self) -> None:
        self._go_back()
        super().do_up()

    def do_page_up(self) -> None:
        self._go_back()
        super().do_page_up()

    def do_top(self) -> None:
        self._go_back()
        super().do_top()

    def do_bottom(self) -> None:
        self._follows = True
        super().do_bottom()
        self.show_view(self.terminal.view)

    def _go_back(self) -> None:
        """Looking back ends the following; beyond the first entry more of the journal is read."""
        self._follows = False
        if self.hands.at_top and not self._reached_start and self._limit < _MOST:
            self._limit = min(self._limit * 4, _MOST)
            self._read_all()
        self.show_view(self.terminal.view)

    # --- keys ------------------------------------------------------------------------------------

    def do_follow(self) -> None:
        self._follows = not self._follows
        self.show_view(self.terminal.view)
        if self._follows:
            self.hands.to_end(1)

    def do_kinds(self) -> None:
        steps = list(Kinds)
        self._kinds = steps[(steps.index(self._kinds) + 1) % len(steps)]
        self.show_view(self.terminal.view)

    def do_filter(self) -> None:
        def typed(text: str) -> None:
            self._filter = text
            self.show_view(self.terminal.view)

        self.prompt("filter", self._filter, typed=typed, entered=typed)

    def do_search(self) -> None:
        def typed(text: str) -> None:
            self._search = text
            self.show_view(self.terminal.view)

        def entered(text: str) -> None:
            self._search = text
            self._find(-1, here=True)

        self.prompt("search", self._search, typed=typed, entered=entered)

    def do_match(self) -> None:
        self._find(-1)

    def do_match_back(self) -> None:
        self._find(1)

    def _find(self, direction: int, *, here: bool = False) -> None:
        """Stand on the next entry with the text: back in time with n, forward with N."""
        entries = self._shown()
        keys = [key_of(entry) for entry in entries]
        if not self._search or self.hands.cursor not in keys:
            self.terminal.say("Search for a text first: s.")
            return
        at = keys.index(self.hands.cursor)
        if here and self._search.lower() in searched(entries[at]):
            return
        while 0 <= (at := at + direction) < len(entries):
            if self._search.lower() in searched(entries[at]):
                self._follows = False
                self.hands.select(keys[at])
                self.show_view(self.terminal.view)
                return
        side = "before" if direction < 0 else "after"
        self.terminal.say(f"No entry {side} this one contains “{self._search}”.")

    def do_back(self) -> None:
        if self.is_prompting or self._filter or self._search:
            self._filter = self._search = ""
            self.end_prompt()
        else:
            self.dismiss()

    # --- the entry under the cursor --------------------------------------------------------------

    def _entry(self) -> JournalEntry | None:
        wanted = self.hands.cursor
        return next((entry for entry in self._shown() if key_of(entry) == wanted), None)

    def do_details(self) -> None:
        """Jump to what the entry is about."""
        entry, picture = self._entry(), self.terminal.view.picture
        about: About | None = None
        if entry is not None and picture is not None:
            about = about_of(entry, picture)
        if about is None:
            self.terminal.say("What this entry is about is not on the screen any more: v shows it.")
        else:
            self.terminal.open_details(about)

    def do_whole(self) -> None:
        entry = self._entry()
        if entry is not None:
            self.app.push_screen(WholeEntry(entry))

    def do_copy(self) -> None:
        entry = self._entry()
        if entry is not None:
            self.terminal.copy(f"{entry.at.isoformat()}  {entry.text}")


class WholeEntry(Page):
    """One entry as the journal holds it."""

    def __init__(self, entry: JournalEntry) -> None:
        super().__init__()
        self._entry = entry

    def content(self, view: View, width: int, height: int) -> tuple[str, str, tuple[Row, ...]]:
        entry = self._entry
        rows = [
            *field("number", str(entry.seq) if entry.seq else "said by this terminal", width),
            *field("at", entry.at.isoformat(), width),
            *field("kind", f"{entry.kind} {entry.name}", width),
            *field("belongs to", entry.strategy_id or "-", width),
            *field("in words", entry.text, width),
            *heading("As it stands in the journal", width),
        ]
        body = json.dumps(entry.body, indent=2, ensure_ascii=False, default=str)
        for text in body.splitlines():
            # Indentation is part of what JSON says; wrapping would eat it.
            indent = len(text) - len(text.lstrip())
            for part in wrap(text, max(10, width - indent)):
                rows.append(line(Span(" " * indent), Span(part, Tone.MUTED), width=width))
        return f"Entry {entry.seq}", "", tuple(rows)
