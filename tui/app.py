"""The app: keeps the link to the engine, holds the last picture, hands views to the screens.

It decides nothing about positions. Losing the engine shows at once and is mended by itself; losing
the terminal ends the app cleanly, and the engine does not notice.
"""

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer

from engine.desk.intents import Severity
from tui import palettes
from tui.actions import of
from tui.driver import LastingDriver
from tui.journal import About, JournalEntry
from tui.link import LinkFactory, LinkFailed
from tui.messages import LinkLost, LinkUp, PictureArrived, RequestAnswered
from tui.pacing import LineBudget, something_happened
from tui.requests import Requests
from tui.rows.alerts import unacknowledged
from tui.rows.cells import Tone
from tui.rows.worst import window_title
from tui.screens.base import Keyed, ShowsView, engine_time
from tui.screens.dashboard import Dashboard
from tui.screens.too_small import TooSmall, too_small
from tui.settings import Settings
from tui.tracks import Tracks
from tui.view import LinkState, Said, View

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 5.0
_SAID_FOR_SECONDS, _BAD_SAID_FOR_SECONDS = 8.0, 30.0
_MOST_SAYINGS = 500
_SETTLED_AFTER_SECONDS = 2.0


class BulkheadApp(App[int]):
    """Attach with link_factory; monotonic and pause are the only clock, so tests can hold it."""

    TITLE = "bulkhead"
    CSS_PATH = palettes.LAYOUT
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+c",
            "quit",
            "detach",
            show=False,
            priority=True,
            id="interrupt",
            tooltip="Leave this screen; the engine goes on guarding",
        ),
    ]

    def __init__(
        self,
        link_factory: LinkFactory,
        *,
        read_only: bool = False,
        settings: Settings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # Without colour at all, the terminal's own reverse and bold carry what is selected: greys
        # would make the loud tones the quiet ones.
        super().__init__(
            driver_class=LastingDriver, ansi_color=True if "NO_COLOR" in os.environ else None
        )
        settings = settings or Settings()
        self.plain_marks = settings.plain_marks
        self.set_class(self.plain_marks, "-plain")
        self.monotonic = monotonic
        self.requests = Requests(self)
        self.tracks = Tracks()
        self._budget = LineBudget(monotonic, self._bytes_sent)
        self._waiting: Timer | None = None
        self._pause = pause
        self._link_factory = link_factory
        self._view = View(read_only=read_only, muted=not settings.bell, keymap=settings.keymap)
        self._picture_at = 0.0
        self._said_until = 0.0
        self._sayings: deque[JournalEntry] = deque(maxlen=_MOST_SAYINGS)
        self._rung: set[str] = set()
        self._window_title = ""
        self._settings = settings
        self._palettes = [*palettes.palettes(), *settings.palettes]
        for theme in self._palettes:
            self.register_theme(theme)
        known = settings.palette in self.palette_names
        self.theme = settings.palette if known else palettes.DEFAULT
        self.set_keymap(dict(settings.keymap.own))

    # --- life ------------------------------------------------------------------------------------

    def get_default_screen(self) -> Dashboard:
        """The dashboard is the bottom of the stack: no sheet that goes can take it along."""
        return Dashboard()

    def on_mount(self) -> None:
        self.set_interval(1.0, self.redraw)
        self.set_timer(_SETTLED_AFTER_SECONDS, _collect_garbage_again)
        self.run_worker(self._keep_link(), group="link", exit_on_error=True)
        if not self.is_headless:
            self._leave_on_signals()
        if self._settings.faults:
            self.say("; ".join(self._settings.faults), bad=True)

    def _leave_on_signals(self) -> None:
        """A lost SSH session must end the app, not kill it in the middle of its clean-up."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave_on, number)

    def _leave_on(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    async def on_unmount(self) -> None:
        if self.requests.link is not None:
            await self.requests.link.aclose()

    async def _keep_link(self) -> None:
        """Attach, pass pictures on, and attach again when the engine was lost; never gives up."""
        wait = _FIRST_PAUSE_SECONDS
        while True:
            try:
                link = await self._link_factory()
                self.post_message(LinkUp(link))
                async with contextlib.aclosing(link.snapshots()) as pictures:
                    async for picture in pictures:
                        wait = _FIRST_PAUSE_SECONDS
                        self.post_message(PictureArrived(picture))
                self.post_message(LinkLost("the engine ended"))
            except LinkFailed as failed:
                self.post_message(LinkLost(str(failed)))
            await self._pause(wait)
            wait = min(wait * 2, _LONGEST_PAUSE_SECONDS)

    # --- news ------------------------------------------------------------------------------------

    def on_link_up(self, message: LinkUp) -> None:
        """Only the next picture proves that the engine is there: until then nothing is fresh."""
        self.requests.link = message.link

    async def on_link_lost(self, message: LinkLost) -> None:
        link, self.requests.link = self.requests.link, None
        self._view = replace(
            self._view,
            link=LinkState.LOST,
            detail=message.detail,
            attempt=self._view.attempt + 1,
        )
        self.redraw()
        if link is not None:
            await link.aclose()

    def on_picture_arrived(self, message: PictureArrived) -> None:
        before = self._view.picture if self._view.link is LinkState.UP else None
        self._view = replace(
            self._view, picture=message.picture, link=LinkState.UP, detail="", attempt=0
        )
        self._picture_at = self.monotonic()
        self.tracks.add(message.picture)
        self._ring_for_new_alerts()
        wait = self._budget.wait_seconds()
        if wait <= 0 or something_happened(before, message.picture):
            self._draw_picture()
        elif self._waiting is None:
            self._waiting = self.set_timer(wait, self._draw_picture)

    def _draw_picture(self) -> None:
        """Draw the newest picture; whatever waited to be drawn is drawn with it."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        self._budget.drawn()
        self.redraw()

    def _bytes_sent(self) -> int:
        return self._driver.bytes_sent if isinstance(self._driver, LastingDriver) else 0

    def on_request_answered(self, message: RequestAnswered) -> None:
        self.requests.answered(message)

    def _ring_for_new_alerts(self) -> None:
        assert self._view.picture is not None
        critical = {
            alert.id
            for alert in unacknowledged(self._view.picture)
            if alert.severity is Severity.CRITICAL
        }
        if critical - self._rung and not self._view.muted:
            self.bell()
        self._rung = critical

    # --- what the screens show -------------------------------------------------------------------

    @property
    def view(self) -> View:
        return self._view

    @property
    def palette_names(self) -> tuple[str, ...]:
        """Those that come along first, in the order `t` goes through them."""
        return tuple(theme.name for theme in self._palettes)

    @property
    def sayings(self) -> Iterable[JournalEntry]:
        return tuple(self._sayings)

    def redraw(self) -> None:
        """Bring ages up to date and show the view on every screen that can be seen."""
        now = self.monotonic()
        said = self._view.said if now < self._said_until else None
        old = now - self._picture_at if self._view.picture is not None else 0.0
        self._view = replace(self._view, picture_age_seconds=old, said=said)
        for screen in self._seen_screens():
            if isinstance(screen, ShowsView) and screen.is_mounted:
                # A screen on its way out may have lost its widgets already.
                with contextlib.suppress(NoMatches):
                    screen.show_view(self._view)
        title = window_title(self._view)
        if title != self._window_title:
            self._window_title = title
            self._write_terminal(f"\x1b]0;{title}\x07")

    def _seen_screens(self) -> list[Screen[object]]:
        """The screen in front, and below a sheet the one that shows through."""
        seen: list[Screen[object]] = []
        for screen in reversed(self.screen_stack):
            seen.append(screen)
            if not screen.is_modal:
                break
        return seen

    def say(self, text: str, *, bad: bool = False) -> None:
        seconds = _BAD_SAID_FOR_SECONDS if bad else _SAID_FOR_SECONDS
        self._said_until = self.monotonic() + seconds
        tone = Tone.BAD if bad else Tone.NOTICE
        self._view = replace(self._view, said=Said(text=text, tone=tone))
        at = engine_time(self._view) or datetime.min.replace(tzinfo=UTC)
        self._sayings.append(JournalEntry(seq=0, at=at, name="Terminal", text=text))
        self.redraw()

    def open_details(self, about: About) -> None:
        from tui.screens.details import Details

        self.push_screen(Details(about))

    def copy(self, text: str) -> None:
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.say("Copied." if lines == 1 else f"Copied {lines} lines.")

    def toggle_bell(self) -> None:
        self._view = replace(self._view, muted=not self._view.muted)
        self.say("The bell is silent." if self._view.muted else "The bell rings again.")

    def draw_anew(self) -> None:
        if isinstance(self._driver, LastingDriver):
            self._driver.redraw()
        self.refresh()

    def next_palette(self) -> None:
        names = self.palette_names
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self.say(f"Palette: {self.theme}")

    def _write_terminal(self, sequence: str) -> None:
        if not self.is_headless and self._driver is not None:
            self._driver.write(sequence)

    def on_resize(self, event: Resize) -> None:
        if isinstance(self._driver, LastingDriver):
            self._driver.forget()
        small = too_small(event.size.width, event.size.height)
        if small and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette offers what the keys of this screen do, and the demo's drill."""
        if not isinstance(screen, Keyed):
            return
        for action in of(screen.WHERE):
            run = partial(screen.action_run_key, action.id)
            keys = self._view.keymap.shown(action)
            yield SystemCommand(f"{action.label} ({keys})", action.tooltip, run)
        picture = self._view.picture
        if picture is not None and picture.mode != "live":
            help_text = "Assign a leg of the paper account, to practise"
            yield SystemCommand("drill", help_text, self.requests.drill)


def _collect_garbage_again() -> None:
    """What was made while starting stays for ever and is never looked through again. Pictures come
    and go by the thousand and hold no circles: looking through them is rare, for keys wait."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(50_000, 50, 1000)
        gc.enable()
