"""What the screens look like, kept as pictures: a fixed desk, a clock that stands still.

After a wanted change: pytest tests/tui/test_pictures.py --snapshot-update, and look at each one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.desk.snapshot import Snapshot
from tests.tui import samples
from tests.tui.scripted import ScriptedEngine
from tui.app import BulkheadApp

Compare = Callable[..., bool]


def app_on(snapshot: Snapshot | None, **options: Any) -> tuple[BulkheadApp, ScriptedEngine]:
    engine = ScriptedEngine()
    if snapshot is not None:
        engine.show(snapshot)
    app = BulkheadApp(
        engine.attach,
        monotonic=options.pop("monotonic", lambda: 0.0),
        pause=engine.pause,
        **options,
    )
    return app, engine


async def settle(pilot: Pilot[int]) -> None:
    await pilot.pause()


PICTURES = {
    "dashboard_80x24": (samples.TROUBLE, (80, 24), ()),
    "dashboard_120x40": (samples.TROUBLE, (120, 40), ()),
    "everything_live_160x45": (samples.EVERYTHING, (160, 45), ()),
    "alerts_80x24": (samples.TROUBLE, (80, 24), ("2",)),
    "barriers_80x24": (samples.EVERYTHING, (80, 24), ("3",)),
    "allocation_60x16": (samples.EVERYTHING, (60, 16), ("4",)),
    "order_sheet_80x24": (samples.TROUBLE, (80, 24), ("x",)),
    "order_sheet_120x40": (samples.TROUBLE, (120, 40), ("x",)),
    "close_all_sheet_80x24": (samples.TROUBLE, (80, 24), ("X",)),
    "disarmed_order_sheet_80x24": (replace(samples.TROUBLE, armed=False), (80, 24), ("x",)),
    "arm_sheet_80x24": (replace(samples.TROUBLE, armed=False), (80, 24), ("d",)),
    "details_80x24": (samples.TROUBLE, (80, 24), ("enter",)),
    "help_80x24": (samples.TROUBLE, (80, 24), ("question_mark",)),
    "filter_80x24": (samples.TROUBLE, (80, 24), ("slash", "q", "q")),
    "empty_120x40": (samples.EMPTY, (120, 40), ()),
    "too_small_50x12": (samples.TROUBLE, (50, 12), ()),
    "hostile_120x40": (samples.HOSTILE, (120, 40), ()),
    "hostile_sheet_80x24": (samples.HOSTILE, (80, 24), ("x",)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_screen_looks_as_before(name: str, snap_compare: Compare) -> None:
    snapshot, size, keys = PICTURES[name]
    app, _ = app_on(snapshot)
    assert snap_compare(app, press=keys, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("palette", ["day", "contrast", "phosphor"])
def test_palette_looks_as_before(palette: str, snap_compare: Compare) -> None:
    app, _ = app_on(samples.EVERYTHING, palette=palette)
    assert snap_compare(app, terminal_size=(120, 40), run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_lost_engine_looks_as_before(size: tuple[int, int], snap_compare: Compare) -> None:
    now = [0.0]
    app, engine = app_on(samples.TROUBLE, monotonic=lambda: now[0])

    async def lose(pilot: Pilot[int]) -> None:
        await pilot.pause()
        now[0] = 12.0
        engine.die()
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=lose)


def test_no_engine_yet_looks_as_before(snap_compare: Compare) -> None:
    app, engine = app_on(None)
    engine.reachable = False
    assert snap_compare(app, terminal_size=(80, 24), run_before=settle)


@pytest.mark.parametrize(
    "keys",
    [(), ("x",), ("X",), ("question_mark",)],
    ids=["dashboard", "order_sheet", "close_all", "help"],
)
def test_without_colour_everything_is_still_said(
    keys: tuple[str, ...], snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = app_on(samples.EVERYTHING)
    assert snap_compare(app, press=keys, terminal_size=(80, 24), run_before=settle)


def test_a_bare_console_gets_plain_marks(snap_compare: Compare) -> None:
    app, _ = app_on(samples.TROUBLE, palette="contrast", plain_marks=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=settle)
