"""What the screens look like, kept as pictures: a fixed desk, a clock that stands still.

After a wanted change: pytest tests/tui/test_pictures.py --snapshot-update, and look at each one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.desk.snapshot import Snapshot
from tests.tui import journal, samples
from tests.tui.config_sample import CONFIG, judge
from tests.tui.scripted import ScriptedEngine
from tui.app import BulkheadApp
from tui.settings import Settings

Compare = Callable[..., bool]
NARROW, WIDE = (80, 24), (120, 40)
SIZES = {"80x24": NARROW, "120x40": WIDE}


def app_on(
    snapshot: Snapshot | None, *, palette: str = "night", **options: Any
) -> tuple[BulkheadApp, ScriptedEngine]:
    engine = ScriptedEngine(journal=list(journal.ENTRIES), config=CONFIG, judge=judge)
    if snapshot is not None:
        engine.show(snapshot)
    app = BulkheadApp(
        engine.attach,
        settings=Settings(palette=palette, plain_marks=options.pop("plain_marks", False)),
        monotonic=options.pop("monotonic", lambda: 0.0),
        pause=engine.pause,
        **options,
    )
    return app, engine


async def settle(pilot: Pilot[int]) -> None:
    await pilot.pause()


def pressing(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Press keys one by one, each after what the one before led to; "=abc" types abc."""

    async def press(pilot: Pilot[int]) -> None:
        await pilot.pause()
        for key in keys:
            await pilot.press(*(key[1:] if key.startswith("=") else [key]))
            await pilot.pause()
            busy = [worker for worker in pilot.app.workers if worker.group != "link"]
            if busy:
                await pilot.app.workers.wait_for_complete(busy)
            await pilot.pause()

    return press


def moving(snapshot: Snapshot) -> list[Snapshot]:
    """The same desk over five minutes, its prices going up and down."""
    assert snapshot.allocation is not None
    shown = []
    for second in range(300):
        way = Decimal((second * 7) % 40 - (second * 3) % 31) / 2000
        shown.append(
            replace(
                snapshot,
                at=snapshot.at + timedelta(seconds=second),
                barriers=tuple(
                    replace(
                        one, mark_price=round((one.mark_price or one.entry_price) * (1 + way), 2)
                    )
                    for one in snapshot.barriers
                ),
                allocation=replace(
                    snapshot.allocation,
                    sets=tuple(
                        replace(one, z_score=None if one.z_score is None else float(way * 100) + 3)
                        for one in snapshot.allocation.sets
                    ),
                ),
            )
        )
    return shown


SCREENS: dict[str, tuple[Snapshot, tuple[str, ...]]] = {
    "dashboard": (samples.TROUBLE, ()),
    "everything": (samples.EVERYTHING, ()),
    "alerts": (samples.EVERYTHING, ("2",)),
    "barriers": (samples.EVERYTHING, ("3",)),
    "allocation": (samples.EVERYTHING, ("4",)),
    "short_rows": (samples.EVERYTHING, ("3", "z", "z", "4", "z", "z", "1", "z", "z")),
    "filter": (samples.TROUBLE, ("slash", "=qq")),
    "order_sheet": (samples.TROUBLE, ("x",)),
    "position_sheet": (samples.EVERYTHING, ("3", "x")),
    "allocation_sheet": (samples.EVERYTHING, ("4", "j", "x")),
    "close_all_sheet": (samples.EVERYTHING, ("X",)),
    "reset_sheet": (samples.EVERYTHING, ("r",)),
    "guard_sheet": (samples.EVERYTHING, ("3", "G", "b", "=5", "tab", "=10")),
    "release_sheet": (samples.EVERYTHING, ("3", "u")),
    "adopt_sheet": (samples.EVERYTHING, ("A", "A")),
    "arm_sheet": (replace(samples.TROUBLE, armed=False), ("d",)),
    "strategy": (samples.TROUBLE, ("enter",)),
    "alert": (samples.TROUBLE, ("2", "j", "j", "enter")),
    "assignment": (samples.TROUBLE, ("2", "j", "j", "j", "enter")),
    "order": (samples.TROUBLE, ("2", "enter")),
    "candidate": (samples.EVERYTHING, ("A", "enter")),
    "unguarded": (samples.EVERYTHING, ("3", "G", "enter")),
    "difference": (samples.EVERYTHING, ("1", "G", "enter")),
    "command_palette": (samples.EVERYTHING, ("ctrl+p", "=clo")),
    "found": (samples.EVERYTHING, ("A",)),
    "orders": (samples.TROUBLE, ("o",)),
    "log": (samples.TROUBLE, ("l",)),
    "log_search": (samples.TROUBLE, ("l", "s", "=spy", "enter", "n")),
    "log_entry": (samples.TROUBLE, ("l", "v")),
    "help": (samples.TROUBLE, ("question_mark",)),
    "config": (samples.EVERYTHING, ("c",)),
    "config_manager": (samples.EVERYTHING, ("c", "slash", "=pairs", "enter", "j", "enter")),
    "config_save": (
        samples.EVERYTHING,
        ("c", "space", "slash", "=dte", "enter", "j", "enter", "backspace", "=3", "enter", "s"),
    ),
    "config_leave": (samples.EVERYTHING, ("c", "space", "escape")),
    "empty": (samples.EMPTY, ()),
    "stale": (samples.STALE, ()),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCREENS)
def test_screen_looks_as_before(name: str, size: str, snap_compare: Compare) -> None:
    snapshot, keys = SCREENS[name]
    app, _ = app_on(snapshot)
    assert snap_compare(app, terminal_size=SIZES[size], run_before=pressing(*keys))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "keys"), [("position", ("3",)), ("allocation", ("4", "j"))])
def test_charts_look_as_before(
    name: str, keys: tuple[str, ...], size: str, snap_compare: Compare
) -> None:
    app, engine = app_on(None)
    for shown in moving(samples.EVERYTHING):
        engine.show(shown)
    assert snap_compare(app, terminal_size=SIZES[size], run_before=pressing(*keys, "enter"))


@pytest.mark.parametrize("palette", ["night", "day", "contrast", "colourblind", "ansi", "phosphor"])
def test_palette_looks_as_before(palette: str, snap_compare: Compare) -> None:
    app, _ = app_on(samples.EVERYTHING, palette=palette)
    assert snap_compare(app, terminal_size=WIDE, run_before=settle)


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        ("live_160x45", (160, 45), ()),
        ("allocation_60x16", (60, 16), ("4",)),
        ("too_small_50x12", (50, 12), ()),
    ],
)
def test_other_sizes_look_as_before(
    name: str, size: tuple[int, int], keys: tuple[str, ...], snap_compare: Compare
) -> None:
    app, _ = app_on(samples.EVERYTHING)
    assert snap_compare(app, terminal_size=size, run_before=pressing(*keys))


@pytest.mark.parametrize("pane", ["1", "3"])
def test_a_thousand_rows_look_as_before(pane: str, snap_compare: Compare) -> None:
    app, _ = app_on(samples.many(1000))
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing(pane, "G", "k"))


@pytest.mark.parametrize("keys", [(), ("x",), ("3", "enter"), ("A",)])
def test_hostile_text_looks_as_before(keys: tuple[str, ...], snap_compare: Compare) -> None:
    app, _ = app_on(samples.HOSTILE)
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing(*keys))


def test_a_disarmed_sheet_looks_as_before(snap_compare: Compare) -> None:
    app, _ = app_on(replace(samples.TROUBLE, armed=False))
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing("x"))


def test_a_read_only_terminal_looks_as_before(snap_compare: Compare) -> None:
    app, _ = app_on(samples.EVERYTHING, read_only=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing("x"))


@pytest.mark.parametrize("size", SIZES)
def test_lost_engine_looks_as_before(size: str, snap_compare: Compare) -> None:
    now = [0.0]
    app, engine = app_on(samples.EVERYTHING, monotonic=lambda: now[0])

    async def lose(pilot: Pilot[int]) -> None:
        await pilot.pause()
        now[0] = 12.0
        engine.die()
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=SIZES[size], run_before=lose)


def test_no_engine_yet_looks_as_before(snap_compare: Compare) -> None:
    app, engine = app_on(None)
    engine.reachable = False
    assert snap_compare(app, terminal_size=NARROW, run_before=settle)


@pytest.mark.parametrize(
    "keys",
    [(), ("3",), ("4",), ("x",), ("X",), ("3", "G", "b"), ("question_mark",), ("l",), ("c",)],
    ids=lambda keys: "_".join(keys) or "dashboard",
)
def test_without_colour_everything_is_still_said(
    keys: tuple[str, ...], snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = app_on(samples.EVERYTHING)
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing(*keys))


@pytest.mark.parametrize("pane", ["1", "3", "4"])
def test_a_bare_console_gets_plain_marks(pane: str, snap_compare: Compare) -> None:
    app, _ = app_on(samples.EVERYTHING, palette="ansi", plain_marks=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing(pane))
