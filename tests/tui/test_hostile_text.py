"""A venue's strings are inert on every screen: no markup, no escape sequence, no bidi override."""

from dataclasses import replace

import pytest
from textual.widgets import Static

from tests.tui import samples
from tests.tui.conftest import Desk, OpenDesk
from tui.picture import draw_picture
from tui.widgets.row_list import RowList

SCREENS = {
    "strategies": ("1",),
    "alerts": ("2",),
    "barriers": ("3",),
    "allocation": ("4",),
    "order sheet": ("1", "x"),
    "close all": ("1", "X"),
    "arm sheet": ("d",),
    "strategy details": ("1", "enter"),
    "alert details": ("2", "enter"),
    "assignment details": ("2", "j", "enter"),
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


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", SCREENS)
async def test_hostile_text_is_inert(name: str, size: tuple[int, int], open_desk: OpenDesk) -> None:
    armed = name != "arm sheet"  # only arming names the strategies it is about
    async with open_desk(replace(samples.HOSTILE, armed=armed), size=size) as desk:
        await desk.press(*SCREENS[name])
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
