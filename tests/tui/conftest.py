"""An app on a scripted engine, with a clock that a test moves by hand."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.desk.snapshot import Snapshot
from tests.tui import journal
from tests.tui.scripted import ScriptedEngine
from tui.app import BulkheadApp
from tui.settings import Settings
from tui.widgets.row_list import RowList


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
