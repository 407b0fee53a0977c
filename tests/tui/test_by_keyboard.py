"""Everything by keyboard alone, screen by screen: nothing that can be seen cannot be reached."""

from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from tests.tui import samples
from tests.tui.config_sample import CONFIG
from tests.tui.conftest import Desk, OpenDesk
from tui.screens.dashboard import Dashboard
from tui.widgets.row_list import RowList

SMALLEST = (60, 16)
WAYS_IN = {
    "a strategy": ("1", "enter"),
    "an order under way": ("2", "enter"),
    "an alert": ("2", "j", "j", "enter"),
    "an assignment": ("2", "j", "j", "j", "enter"),
    "a position": ("3", "enter"),
    "a position without barriers": ("3", "G", "enter"),
    "an allocation": ("4", "enter"),
    "a candidate": ("1", "G", "k", "enter"),
    "a difference": ("1", "G", "enter"),
    "the orders": ("o",),
    "an order": ("o", "enter"),
    "what was found": ("A",),
    "the log": ("l",),
    "an entry of the log": ("l", "v"),
    "the config": ("c",),
    "a strategy's config": ("c", "slash", *"spy-ic", "enter", "G", "enter"),
    "the help": ("question_mark",),
    "closing a strategy": ("x",),
    "closing a position": ("3", "x"),
    "closing an allocation": ("4", "j", "x"),
    "closing everything": ("X",),
    "arming": ("d",),
    "a reset": ("r",),
    "setting barriers": ("3", "b"),
    "releasing": ("3", "u"),
    "adopting": ("A", "A"),
}


@pytest.mark.parametrize("name", WAYS_IN)
async def test_in_and_out_by_keyboard_with_nothing_sent(name: str, open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING, size=SMALLEST, config=CONFIG) as desk:
        for key in WAYS_IN[name]:
            await desk.press(key)
        assert not isinstance(desk.app.screen, Dashboard)
        for _ in range(4):
            if not isinstance(desk.app.screen, Dashboard):
                await desk.press("escape")
        assert isinstance(desk.app.screen, Dashboard)
        assert desk.engine.requests == []


def body(desk: Desk) -> RowList:
    return desk.app.screen.query_one("#page-body", RowList)


@pytest.mark.parametrize("name", ["a strategy", "a position", "the help", "the config", "the log"])
async def test_every_row_of_a_long_screen_comes_into_sight(name: str, open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING, size=(80, 24), config=CONFIG) as desk:
        for key in WAYS_IN[name]:
            await desk.press(key)
        await desk.press("g")
        seen: set[str] = set()
        for _ in range(40):
            widget: Any = body(desk)
            seen |= {widget._row_at(y).text for y in range(widget.size.height)}
            if widget.at_bottom:
                break
            await desk.press("pagedown")
        assert {row.text for row in widget.rows} <= seen


@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
async def test_every_item_of_a_pane_can_be_stood_on(pane: str, open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING, size=(80, 24)) as desk:
        await desk.press(pane)
        widget = desk.app.screen.query_one(f"#pane-{pane}", RowList)
        keys = list(dict.fromkeys(row.key for row in widget.rows if row.key))
        stood = []
        for _ in keys:
            stood.append(widget.cursor)
            assert widget.cursor_y is not None
            await desk.press("j")
        assert stood == keys


async def test_ends_and_pages_of_a_thousand(open_desk: OpenDesk) -> None:
    async with open_desk(samples.many(1000), size=(80, 24)) as desk:
        await desk.press("3", "G")
        widget = desk.app.screen.query_one("#pane-3", RowList)
        assert widget.cursor == "B-0999"
        await desk.press("g")
        assert widget.cursor == "B-0000"
        await desk.press("pagedown", "pageup")
        assert widget.cursor == "B-0000"
        await desk.press("1", "slash", *"0500", "enter")
        assert "1 of 1000 with “0500”" in desk.text("pane-1")


async def test_vim_and_arrow_keys_are_alike(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        widget = desk.app.screen.query_one("#pane-1", RowList)
        places = []
        for keys in (("j",), ("down",), ("k",), ("up",), ("G",), ("home",), ("end",), ("g",)):
            await desk.press(*keys)
            places.append(widget.cursor)
        assert places[0] == places[2]
        assert places[3] == places[5] == places[7]
        assert places[4] == places[6]


async def test_panes_go_round_both_ways(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING, size=(80, 24)) as desk:
        await desk.press("shift+tab")
        assert desk.app.screen.query_one("#pane-4").size.width
        await desk.press("tab")
        assert desk.app.screen.query_one("#pane-1").size.width


async def test_keys_that_arrive_together_act_in_the_order_they_were_typed(
    open_desk: OpenDesk,
) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("slash", *"spx")
        driver = desk.app._driver
        assert driver is not None
        for key, character in (("backspace", "\x7f"), ("y", "y"), ("left", None), ("q", "q")):
            driver.send_message(events.Key(key, character))
        await desk.pilot.pause()
        assert desk.app.screen.query_one("#entry", Input).value == "spqy"
