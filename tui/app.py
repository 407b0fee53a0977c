"""The app: keeps the link to the engine, holds the last picture, hands views to the screens.

It decides nothing about positions. Losing the engine shows at once and is mended by itself; losing
the terminal ends the app cleanly, and the engine does not notice.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Resize
from textual.screen import Screen

from engine.desk.intents import Severity
from tui import palettes
from tui.driver import LastingDriver
from tui.keys import ACTIONS, by_id, why_not
from tui.link import Answer, EngineLink, LinkFactory, LinkFailed
from tui.messages import HistoryRead, LinkLost, LinkUp, PictureArrived, RequestAnswered
from tui.rows.alerts import unacknowledged
from tui.rows.cells import Tone
from tui.rows.worst import window_title
from tui.screens.base import ShowsView
from tui.screens.dashboard import Dashboard
from tui.screens.details import Details
from tui.screens.too_small import TooSmall, too_small
from tui.view import LinkState, Said, View

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 5.0
_SAID_FOR_SECONDS, _BAD_SAID_FOR_SECONDS = 8.0, 30.0
_HISTORY_LINES = 20
NOT_SENT = "The engine is out of reach: nothing was sent."


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
        palette: str = palettes.DEFAULT,
        plain_marks: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # Without colour at all, the terminal's own reverse and bold carry what is selected: greys
        # would make the loud tones the quiet ones.
        super().__init__(
            driver_class=LastingDriver, ansi_color=True if "NO_COLOR" in os.environ else None
        )
        self.plain_marks = plain_marks
        self.monotonic = monotonic
        self._pause = pause
        self._link_factory = link_factory
        self._link: EngineLink | None = None
        self._view = View(read_only=read_only)
        self._picture_at = 0.0
        self._said_until = 0.0
        self._in_flight: set[str] = set()
        self._rung: set[str] = set()
        self._window_title = ""
        for theme in palettes.palettes():
            self.register_theme(theme)
        self.theme = palette

    # --- life ------------------------------------------------------------------------------------

    def get_default_screen(self) -> Dashboard:
        """The dashboard is the bottom of the stack: no sheet that goes can take it along."""
        return Dashboard()

    def on_mount(self) -> None:
        self.set_interval(1.0, self.redraw)
        self.run_worker(self._keep_link(), group="link", exit_on_error=True)
        if not self.is_headless:
            self._leave_on_signals()

    def _leave_on_signals(self) -> None:
        """A lost SSH session must end the app, not kill it in the middle of its clean-up."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave_on, number)
        self._write_terminal("\x1b[22;0t")

    def _leave_on(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    async def on_unmount(self) -> None:
        self._write_terminal("\x1b[23;0t")
        if self._link is not None:
            await self._link.aclose()

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
        self._link = message.link

    async def on_link_lost(self, message: LinkLost) -> None:
        link, self._link = self._link, None
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
        self._view = replace(
            self._view, picture=message.picture, link=LinkState.UP, detail="", attempt=0
        )
        self._picture_at = self.monotonic()
        self._ring_for_new_alerts()
        self.redraw()

    def on_request_answered(self, message: RequestAnswered) -> None:
        self._in_flight.discard(message.request)
        if message.answer is None:
            self.say(
                "No answer came: whether it was done is not known. Look at the orders.", bad=True
            )
        else:
            fallback = "Done." if message.answer.done else "Refused."
            self.say(message.answer.message or fallback, bad=not message.answer.done)

    def on_history_read(self, message: HistoryRead) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Details):
                screen.show_history(message.strategy_id, message.lines)

    def _ring_for_new_alerts(self) -> None:
        assert self._view.picture is not None
        critical = {
            alert.id
            for alert in unacknowledged(self._view.picture)
            if alert.severity is Severity.CRITICAL
        }
        if critical - self._rung:
            self.bell()
        self._rung = critical

    # --- what the screens show -------------------------------------------------------------------

    @property
    def view(self) -> View:
        return self._view

    def redraw(self) -> None:
        """Bring ages up to date and show the view on every screen."""
        now = self.monotonic()
        said = self._view.said if now < self._said_until else None
        old = now - self._picture_at if self._view.picture is not None else 0.0
        self._view = replace(self._view, picture_age_seconds=old, said=said)
        for screen in self.screen_stack:
            if isinstance(screen, ShowsView) and screen.is_mounted:
                # A screen on its way out may have lost its widgets already.
                with contextlib.suppress(NoMatches):
                    screen.show_view(self._view)
        title = window_title(self._view)
        if title != self._window_title:
            self._window_title = title
            self._write_terminal(f"\x1b]0;{title}\x07")

    def say(self, text: str, *, bad: bool = False) -> None:
        seconds = _BAD_SAID_FOR_SECONDS if bad else _SAID_FOR_SECONDS
        self._said_until = self.monotonic() + seconds
        tone = Tone.BAD if bad else Tone.NOTICE
        self._view = replace(self._view, said=Said(text=text, tone=tone))
        self.redraw()

    def _write_terminal(self, sequence: str) -> None:
        if not self.is_headless and self._driver is not None:
            self._driver.write(sequence)

    def on_resize(self, event: Resize) -> None:
        small = too_small(event.size.width, event.size.height)
        if small and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())

    def next_palette(self) -> None:
        self.theme = palettes.after(self.theme)
        self.say(f"Palette: {self.theme}")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette offers what the keys do, and nothing of its own."""
        if isinstance(screen, Dashboard):
            for action in ACTIONS:
                run = partial(screen.action_run_key, action.id)
                yield SystemCommand(f"{action.label} ({action.shown})", action.tooltip, run)

    # --- requests --------------------------------------------------------------------------------

    def close_strategies(self, strategy_id: str | None) -> None:
        name = "everything" if strategy_id is None else strategy_id
        self._request(
            "close",
            f"Closing {name}: sent.",
            lambda link: link.close_strategies(strategy_id, emergency=True),
        )

    def set_armed(self, armed: bool) -> None:
        self._request("arm", "Sent.", lambda link: link.set_armed(armed))

    def acknowledge(self, alert_id: str) -> None:
        self._request(f"ack {alert_id}", "Sent.", lambda link: link.acknowledge(alert_id))

    def _request(
        self, name: str, saying: str, ask: Callable[[EngineLink], Awaitable[Answer]]
    ) -> None:
        """Send one request unless the same is still under way: a double key is one action."""
        if name in self._in_flight:
            self.say("The request before is still under way.")
            return
        if self._view.read_only or self._link is None:
            self.say(why_not(by_id("close-all"), self._view) or NOT_SENT, bad=True)
            return
        self._in_flight.add(name)
        self.say(saying)
        self.run_worker(self._send(self._link, name, ask), group="requests")

    async def _send(
        self, link: EngineLink, name: str, ask: Callable[[EngineLink], Awaitable[Answer]]
    ) -> None:
        try:
            answer: Answer | None = await ask(link)
        except LinkFailed:
            answer = None
        self.post_message(RequestAnswered(name, answer))

    def read_history(self, strategy_id: str) -> None:
        if self._link is not None:
            self.run_worker(
                self._read_history(self._link, strategy_id), group="history", exclusive=True
            )

    async def _read_history(self, link: EngineLink, strategy_id: str) -> None:
        with contextlib.suppress(LinkFailed):
            lines = await link.read_journal(strategy_id, limit=_HISTORY_LINES)
            self.post_message(HistoryRead(strategy_id, lines))
