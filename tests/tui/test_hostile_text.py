"""A venue's strings are inert on every screen: no markup, no escape sequence, no bidi override."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Static

from tests.tui import journal, samples
from tests.tui.config_sample import CONFIG
from tests.tui.conftest import Desk, OpenDesk
from tui.picture import draw_picture
from tui.widgets.row_list import RowList

SCREENS = {
    "strategies": ("1",),
    "alerts": ("2",),
    "barriers": ("3",),
    "short rows": ("3", "z", "z"),
    "allocation": ("4",),
    "order sheet": ("1", "x"),
    "position sheet": ("3", "x"),
    "allocation sheet": ("4", "x"),
    "close all": ("1", "X"),
    "reset": ("r",),
    "guard": ("3", "G", "b"),
    "release": ("3", "u"),
    "arm sheet": ("d",),
    "strategy details": ("1", "enter"),
    "candidate details": ("1", "j", "enter"),
    "difference details": ("1", "G", "enter"),
    "order details": ("2", "enter"),
    "alert details": ("2", "j", "enter"),
    "assignment details": ("2", "j", "j", "enter"),
    "position details": ("3", "enter"),
    "unguarded details": ("3", "G", "enter"),
    "allocation details": ("4", "enter"),
    "orders": ("o",),
    "found": ("A",),
    "adopt": ("A", "A"),
    "log": ("l",),
    "log entry": ("l", "v"),
    "config": ("c",),
    "config save": ("c", "space", "s"),
    "help": ("question_mark",),
}


def drawn(desk: Desk) -> str:
    """Every character the screen in front would send, and what its sheets say."""
    screen = desk.app.screen
    lines = [
        "".join(segment.text for segment in widget.render_line(y))
        for widget in screen.query(RowList)
        for y in range(widget.size.height)
    ]
    lines += [str(static.render()) for static in screen.query(Static)]
    return "".join(lines)


def hostile_config() -> Any:
    config: Any = copy.deepcopy(CONFIG)
    config["path"] = samples.HOSTILE_TEXT
    for field in config["sections"][0]["fields"]:
        field["label"] = field["help"] = field["value"] = samples.HOSTILE_TEXT
    return config


@pytest.mark.parametrize(
    ("name", "size"),
    [*((name, (80, 24)) for name in SCREENS), ("strategies", (120, 40)), ("short rows", (120, 40))],
)
async def test_hostile_text_is_inert(name: str, size: tuple[int, int], open_desk: OpenDesk) -> None:
    armed = name != "arm sheet"  # only arming names the strategies it is about
    snapshot = replace(samples.HOSTILE, armed=armed)
    async with open_desk(snapshot, size=size, config=hostile_config()) as desk:
        desk.engine.journal = [
            replace(
                journal.ENTRIES[0],
                text=samples.HOSTILE_TEXT,
                strategy_id=samples.HOSTILE_TEXT,
                body={samples.HOSTILE_TEXT: samples.HOSTILE_TEXT},
            )
        ]
        for key in SCREENS[name]:
            await desk.press(key)
        await desk.pilot.pause()
        text = drawn(desk)
        assert text.isprintable()
        assert "[@click" in text


async def test_clicking_hostile_text_fires_nothing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.HOSTILE, size=(80, 24)) as desk:
        for x in (2, 14, 20, 30, 40):
            await desk.pilot.click("#pane-1", offset=(x, 1))
        assert desk.engine.requests == []
        assert desk.app.is_running


async def test_an_answer_from_the_engine_is_inert_too(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.app.say(samples.HOSTILE_TEXT)
        assert desk.text("bottom").isprintable()


async def test_a_drawn_picture_holds_the_text_and_no_control(open_desk: OpenDesk) -> None:
    svg = await draw_picture(samples.HOSTILE, size=(80, 24))
    assert svg.startswith("<svg")
    assert not {"\x1b", "\x07", "\u202e", "\u2066", "\x9b"} & set(svg)
