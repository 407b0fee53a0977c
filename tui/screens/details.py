"""The details of one thing, kept up to date while they are open, with what the journal tells."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from textual.binding import BindingType

from engine.desk.snapshot import Snapshot
from tui.actions import Where
from tui.journal import About, JournalEntry, Topic
from tui.messages import JournalRead
from tui.rows.cells import Row, Span, Tone, line
from tui.rows.details import detail_rows
from tui.rows.scene import Scene
from tui.screens.adopt_sheet import AdoptSheet
from tui.screens.base import bindings
from tui.screens.guard_sheet import guard_sheet, release_sheet
from tui.screens.log import Log
from tui.screens.order_sheet import OrderSheet
from tui.screens.page import Page
from tui.screens.sheet import Sheet
from tui.selection import target_of
from tui.view import View

_HISTORY, _STORY = 40, 2000
_BEFORE, _AFTER = timedelta(minutes=2), timedelta(minutes=10)
_STORY_GROWS = _BEFORE + _AFTER
_READ_EVERY_SECONDS = 2.0


class Details(Page):
    WHERE = Where.DETAILS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.DETAILS)

    def __init__(self, about: About) -> None:
        super().__init__()
        self._about = about
        self._journal: tuple[JournalEntry, ...] | None = None
        self._zoom = False

    def on_mount(self) -> None:
        self._read()
        self.set_interval(_READ_EVERY_SECONDS, self._read)

    # --- what the journal tells ------------------------------------------------------------------

    def _read(self) -> None:
        """Ask for what belongs to it: by its owner where it has one, else by its time."""
        picture = self.terminal.view.picture
        if picture is None:
            return
        owner = self._owner(picture)
        since = self._since(picture)
        if owner is not None:
            self.terminal.requests.read_journal(
                self, self._tag, strategy_id=owner, since=since, limit=_HISTORY
            )
        elif since is not None and (self._journal is None or picture.at < since + _STORY_GROWS):
            self.terminal.requests.read_journal(self, self._tag, since=since, limit=_STORY)
        elif since is None:
            self._journal = ()

    @property
    def _tag(self) -> str:
        return f"{self._about.topic} {self._about.id}"

    def _owner(self, picture: Snapshot) -> str | None:
        if self._about.topic in (Topic.STRATEGY, Topic.BARRIER, Topic.SET):
            return self._about.id
        if self._about.topic in (Topic.ORDER, Topic.ASSIGNMENT):
            target = target_of(self._about, picture)
            return None if target is None else target.id
        return None

    def _since(self, picture: Snapshot) -> datetime | None:
        for alert in picture.alerts:
            if self._about.topic is Topic.ALERT and alert.id == self._about.id:
                return alert.at - _BEFORE
        for assignment in picture.assignments:
            if self._about.topic is Topic.ASSIGNMENT and assignment.id == self._about.id:
                return assignment.detected_at - _BEFORE
        return None

    def on_journal_read(self, message: JournalRead) -> None:
        if message.tag != self._tag:
            return
        if message.failed is None:
            self._journal = self._relevant(message.entries)
        elif self._journal is None:
            self._journal = ()
        self.show_view(self.terminal.view)

    def _relevant(self, entries: tuple[JournalEntry, ...]) -> tuple[JournalEntry, ...]:
        """Of an alert's time, what was told with it and what followed for whom it concerns."""
        picture = self.terminal.view.picture
        if picture is None or self._about.topic is not Topic.ALERT:
            return entries
        alert = next((one for one in picture.alerts if one.id == self._about.id), None)
        if alert is None:
            return entries
        raised = [
            entry
            for entry in entries
            if entry.name == "RaiseAlert" and entry.body.get("title") == alert.title
        ]
        batches = {entry.batch for entry in raised}
        owners = {entry.strategy_id for entry in raised if entry.strategy_id}
        until = alert.at + _AFTER
        return tuple(
            entry
            for entry in entries
            if entry.batch in batches
            or (entry.strategy_id in owners and entry.at <= until)
            or entry.body.get("alert_id") == alert.id
        )

    # --- drawing ---------------------------------------------------------------------------------

    def content(self, view: View, width: int, height: int) -> tuple[str, str, tuple[Row, ...]]:
        found = None
        if view.picture is not None:
            scene = Scene(
                picture=view.picture,
                tracks=self.terminal.tracks,
                width=width,
                height=height,
                journal=self._journal,
                zoom=self._zoom,
            )
            found = detail_rows(self._about, scene)
        if found is None:
            return "Gone", "", (line(Span("It is no longer shown.", Tone.MUTED), width=width),)
        return found[0], "", found[1]

    def idle(self) -> frozenset[str]:
        """Keys that mean nothing for this kind of thing are not offered."""
        topic = self._about.topic
        meant = {
            "close-selected": topic
            not in (Topic.ALERT, Topic.CANDIDATE, Topic.DIFFERENCE, Topic.POSITION),
            "acknowledge": topic is Topic.ALERT,
            "guard": topic in (Topic.BARRIER, Topic.POSITION),
            "release": topic is Topic.BARRIER,
            "adopt": topic is Topic.CANDIDATE,
            "density": topic in (Topic.BARRIER, Topic.POSITION, Topic.SET),
        }
        return frozenset(action_id for action_id, is_meant in meant.items() if not is_meant)

    # --- keys ------------------------------------------------------------------------------------

    def do_density(self) -> None:
        self._zoom = not self._zoom
        self.show_view(self.terminal.view)
        self.terminal.say("The price alone." if self._zoom else "The price between its lines.")

    def do_copy(self) -> None:
        text = "\n".join(row.text.rstrip() for row in self.hands.rows)
        self.terminal.copy(text)

    def do_close_selected(self) -> None:
        picture = self.terminal.view.picture
        target = target_of(self._about, picture) if picture is not None else None
        if target is None:
            self.terminal.say("There is nothing here that could be closed.", bad=True)
        else:
            self.app.push_screen(OrderSheet(target))

    def do_acknowledge(self) -> None:
        if self._about.topic is Topic.ALERT:
            self.terminal.requests.acknowledge(self._about.id)
        else:
            self.terminal.say("Only an alert is acknowledged.", bad=True)

    def do_guard(self) -> None:
        self._open_sheet(guard_sheet)

    def do_release(self) -> None:
        self._open_sheet(release_sheet)

    def _open_sheet(self, make: Callable[[Snapshot, About | None], Sheet | str]) -> None:
        picture = self.terminal.view.picture
        if picture is None:
            return
        found = make(picture, self._about)
        if isinstance(found, str):
            self.terminal.say(found, bad=True)
        else:
            self.app.push_screen(found)

    def do_adopt(self) -> None:
        picture = self.terminal.view.picture
        for candidate in picture.candidates if picture is not None else ():
            if self._about.topic is Topic.CANDIDATE and candidate.id == self._about.id:
                self.app.push_screen(AdoptSheet(candidate))
                return
        self.terminal.say("This is no candidate for a strategy.", bad=True)

    def do_log(self) -> None:
        self.app.push_screen(Log(of=self._owner_now()))

    def _owner_now(self) -> str | None:
        picture = self.terminal.view.picture
        return self._owner(picture) if picture is not None else None
