"""Draws the terminal without a terminal and writes the picture as SVG, for README and releases."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.desk.snapshot import Snapshot
from tui import palettes
from tui.app import BulkheadApp
from tui.journal import JournalEntry
from tui.link import Answer, Change, EngineLink, GuardWish, LinkFailed
from tui.settings import Settings

TITLE = "bulkhead"
_ONLY = "This is only a picture."


async def draw_picture(
    snapshot: Snapshot,
    *,
    size: tuple[int, int] = (120, 40),
    palette: str = palettes.DEFAULT,
    press: Sequence[str] = (),
) -> str:
    """Return the SVG of this picture of the desk after these keys; the clock stands still."""

    async def attach() -> EngineLink:
        return _OnePicture(snapshot)

    app = BulkheadApp(attach, settings=Settings(palette=palette), monotonic=lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*press)
        await pilot.pause()
        return _with_fonts_at_hand(app.export_screenshot(title=TITLE))


def write_picture(
    snapshot: Snapshot,
    path: Path,
    *,
    size: tuple[int, int] = (120, 40),
    palette: str = palettes.DEFAULT,
    press: Sequence[str] = (),
) -> None:
    """Write the SVG of this picture of the desk to path."""
    drawn = asyncio.run(draw_picture(snapshot, size=size, palette=palette, press=press))
    path.write_text(drawn, encoding="utf-8")


def _with_fonts_at_hand(svg: str) -> str:
    """A picture in a README fetches nothing: name fonts that readers have instead."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    fonts = "Fira Code, Menlo, Consolas, DejaVu Sans Mono, monospace"
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {fonts}")


class _OnePicture:
    """A link to an engine that shows one picture for ever and does nothing."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        yield self._snapshot
        await asyncio.Event().wait()

    async def close_strategies(self, strategy_id: str | None, *, emergency: bool) -> Answer:
        raise LinkFailed(_ONLY)

    async def set_armed(self, armed: bool) -> Answer:
        raise LinkFailed(_ONLY)

    async def acknowledge(self, alert_id: str) -> Answer:
        raise LinkFailed(_ONLY)

    async def reset_allocations(self, *, force: bool) -> Answer:
        raise LinkFailed(_ONLY)

    async def guard(self, wish: GuardWish) -> Answer:
        raise LinkFailed(_ONLY)

    async def release(self, barrier_id: str) -> Answer:
        raise LinkFailed(_ONLY)

    async def adopt(self, candidate_id: str, strategy_id: str | None) -> Answer:
        raise LinkFailed(_ONLY)

    async def drill(self, strategy_id: str | None) -> Answer:
        raise LinkFailed(_ONLY)

    async def read_journal(
        self, *, since: datetime | None = None, strategy_id: str | None = None, limit: int
    ) -> tuple[JournalEntry, ...]:
        return ()

    async def read_config(self) -> Any:
        raise LinkFailed(_ONLY)

    async def check_config(self, changes: Sequence[Change]) -> Any:
        raise LinkFailed(_ONLY)

    async def save_config(self, changes: Sequence[Change], base: str) -> Answer:
        raise LinkFailed(_ONLY)

    async def aclose(self) -> None:
        pass
