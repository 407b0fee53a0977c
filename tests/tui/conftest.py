"""An app on a scripted engine, with a clock that a test moves by hand."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from textual._context import active_app
from textual.app import ScreenStackError
from textual.pilot import Pilot

from engine.desk.snapshot import Snapshot
from tests.tui import journal
from tests.tui.scripted import ScriptedEngine
from tui.app import BulkheadApp
from tui.settings import Settings
from tui.widgets.row_list import RowList

_MOST_ROUNDS = 2000


async def _until_all_is_done(*_: float) -> None:
    """Wait until every widget has done what it was told, and what followed from it."""
    app = active_app.get()
    quiet = 0
    for _ in range(_MOST_ROUNDS):
        if quiet == 3 or app._exception_event.is_set():
            return
        await asyncio.sleep(0)
        if app._resize_event is not None:
            app._check_resize()
        with suppress(ScreenStackError):
            await Pilot(app)._wait_for_screen()
            app.screen._on_timer_update()
        pumps = [app, *app.screen_stack]
        pumps += [widget for screen in app.screen_stack for widget in screen.walk_children()]
        waiting = any(pump._message_queue.qsize() or pump._next_callbacks for pump in pumps)
        quiet = 0 if waiting else quiet + 1


@pytest.fixture(autouse=True)
def no_waiting_for_an_idle_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot takes a process that used no CPU for 20 ms as one that has done its work,
    twice a key: slow where nothing else runs, and wrong where much does."""
    monkeypatch.setattr("textual.app.wait_for_idle", _until_all_is_done)
    monkeypatch.setattr("textual.pilot.wait_for_idle", _until_all_is_done)


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Desk:
    app: BulkheadApp
    engine: ScriptedEngine
    clock: Clock
    pilot: Pilot[int]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def show(self, snapshot: Snapshot) -> None:
        self.engine.show(snapshot)
        await self.pilot.pause()
        await self.pilot.pause()

    def text(self, widget_id: str) -> str:
        """What a list on the screen in front says, line by line."""
        rows = self.app.screen.query_one(f"#{widget_id}", RowList).rows
        return "\n".join(row.text for row in rows)


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk() -> OpenDesk:
    @asynccontextmanager
    async def open_it(
        snapshot: Snapshot,
        *,
        size: tuple[int, int] = (120, 40),
        read_only: bool = False,
        settings: Settings | None = None,
        config: Any = None,
    ) -> AsyncGenerator[Desk, None]:
        engine, clock = ScriptedEngine(), Clock()
        engine.journal = list(journal.ENTRIES)
        engine.config = config
        engine.show(snapshot)
        app = BulkheadApp(
            engine.attach,
            read_only=read_only,
            settings=settings,
            monotonic=clock,
            pause=engine.pause,
        )
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Desk(app, engine, clock, pilot)

    return open_it
