"""Every key does what the key table says, and never more."""

import asyncio
from dataclasses import replace

import pytest
from textual.widgets import Button, Input, Static

from tests.tui import samples
from tests.tui.conftest import OpenDesk
from tui.keys import ACTIONS, key_table_markdown, why_not
from tui.link import Answer
from tui.screens.arm_sheet import ArmSheet
from tui.screens.close_all_sheet import CloseAllSheet
from tui.screens.dashboard import Dashboard
from tui.screens.details import Details
from tui.screens.help import Help
from tui.screens.order_sheet import REPEAT_SECONDS, OrderSheet
from tui.screens.too_small import TooSmall
from tui.view import LinkState, View

CLOSE_SPY = ("close", "SPY-IC-1", True)


# --- x -------------------------------------------------------------------------------------------


async def test_x_opens_a_sheet_with_cancel_focused_and_sends_nothing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x")
        assert isinstance(desk.app.screen, OrderSheet)
        assert isinstance(desk.app.focused, Button)
        assert desk.app.focused.id == "cancel"
        assert "SPY 18Dec26 460 C" in desk.text("sheet-body")
        await desk.press("enter")
        assert isinstance(desk.app.screen, Dashboard)
        assert desk.engine.requests == []


async def test_y_sends_and_the_answer_is_shown(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x", "y")
        assert desk.engine.requests == [CLOSE_SPY]
        assert "4 orders go." in desk.text("bottom")


async def test_a_second_x_of_its_own_sends(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x")
        desk.clock.now += REPEAT_SECONDS
        await desk.press("x")
        assert desk.engine.requests == [CLOSE_SPY]


async def test_a_held_down_x_sends_nothing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x")
        for _ in range(12):
            desk.clock.now += 0.03
            await desk.press("x")
        assert isinstance(desk.app.screen, OrderSheet)
        assert desk.engine.requests == []


async def test_pressing_twice_sends_once(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.engine.gate = asyncio.Event()
        await desk.press("x", "y", "y", "x", "y")
        assert desk.engine.requests == [CLOSE_SPY]
        assert "still under way" in desk.text("bottom")
        desk.engine.gate.set()
        await desk.pilot.pause()
        assert desk.engine.requests == [CLOSE_SPY]


@pytest.mark.parametrize("key", ["escape", "n"])
async def test_leaving_the_sheet_sends_nothing(open_desk: OpenDesk, key: str) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x", key, "y")
        assert isinstance(desk.app.screen, Dashboard)
        assert desk.engine.requests == []


async def test_a_disarmed_engine_is_named_and_nothing_is_sent(open_desk: OpenDesk) -> None:
    async with open_desk(replace(samples.TROUBLE, armed=False)) as desk:
        await desk.press("x", "y")
        assert isinstance(desk.app.screen, OrderSheet)
        assert "DISARMED" in str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert desk.app.screen.query_one("#yes", Button).disabled
        assert desk.engine.requests == []


async def test_a_link_lost_while_the_sheet_is_open_refuses_to_send(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x")
        desk.engine.die()
        await desk.pilot.pause()
        await desk.press("y")
        assert "ENGINE LOST" in str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert desk.engine.requests == []


async def test_a_plan_that_changes_under_the_reader_is_said(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("x")
        shorter = replace(samples.BROKEN, plan=samples.BROKEN_PLAN[:2])
        await desk.show(replace(samples.TROUBLE, strategies=(shorter,)))
        foot = str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert foot.startswith("The orders changed while you read. 2 orders:")


async def test_a_request_without_an_answer_is_not_called_a_failure(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.engine.answer = None
        await desk.press("x", "y")
        assert "whether it was done is not known" in desk.text("bottom")


async def test_a_refusal_is_shown_in_the_engines_words(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.engine.answer = Answer(done=False, message="SPY-IC-1 is closing already.")
        await desk.press("x", "y")
        assert "SPY-IC-1 is closing already." in desk.text("bottom")


async def test_x_on_an_assignment_closes_the_strategy_it_broke(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("2", "j", "x", "y")
        assert desk.engine.requests == [CLOSE_SPY]


async def test_the_cursor_stays_on_its_strategy_when_rows_move(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        await desk.press("j")
        await desk.show(
            replace(samples.CALM, strategies=(samples.BROKEN, *samples.CALM.strategies))
        )
        await desk.press("enter")
        assert isinstance(desk.app.screen, Details)
        assert "covered call" in desk.text("sheet-body")


# --- X, d, a -------------------------------------------------------------------------------------


async def test_close_all_wants_the_word(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("X")
        assert isinstance(desk.app.screen, CloseAllSheet)
        await desk.press(*"clos", "enter")
        assert desk.engine.requests == []
        assert desk.app.screen.query_one("#yes", Button).disabled
        await desk.press("e", "enter")
        assert desk.engine.requests == [("close", None, True)]
        assert isinstance(desk.app.screen, Dashboard)


async def test_disarming_asks_first_with_cancel_focused(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("d")
        assert isinstance(desk.app.screen, ArmSheet)
        assert desk.app.focused is not None
        assert desk.app.focused.id == "cancel"
        await desk.press("y")
        assert desk.engine.requests == [("arm", False)]


async def test_arming_names_what_would_be_closed_at_once(open_desk: OpenDesk) -> None:
    async with open_desk(replace(samples.TROUBLE, armed=False)) as desk:
        await desk.press("d")
        assert "SPY-IC-1  BROKEN, 4 orders" in desk.text("sheet-body")
        await desk.press("tab", "enter")
        assert desk.engine.requests == [("arm", True)]


async def test_a_acknowledges_the_oldest_new_alert(open_desk: OpenDesk) -> None:
    older = replace(samples.ALERTS[1], acknowledged=False)
    async with open_desk(replace(samples.TROUBLE, alerts=(samples.ALERTS[0], older))) as desk:
        await desk.press("a")
        assert desk.engine.requests == [("acknowledge", "al-2")]


async def test_a_acknowledges_the_selected_alert(open_desk: OpenDesk) -> None:
    older = replace(samples.ALERTS[1], acknowledged=False)
    async with open_desk(replace(samples.TROUBLE, alerts=(samples.ALERTS[0], older))) as desk:
        await desk.press("2", "a")
        assert desk.engine.requests == [("acknowledge", "al-1")]


async def test_nothing_to_acknowledge_is_said(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        await desk.press("a")
        assert "acknowledged already" in desk.text("bottom")


# --- what may not be done ------------------------------------------------------------------------


async def test_read_only_sends_nothing_and_says_why(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, read_only=True) as desk:
        for key in "xXadrc":
            await desk.press(key)
            assert isinstance(desk.app.screen, Dashboard)
        await desk.press("x")
        assert "read-only" in desk.text("bottom")
        assert desk.engine.requests == []


@pytest.mark.parametrize(
    ("key", "said"), [("c", "edit bulkhead.toml"), ("r", "No allocation desk is configured")]
)
async def test_a_disabled_key_says_why(open_desk: OpenDesk, key: str, said: str) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press(key)
        assert said in desk.text("bottom")


def test_every_control_key_is_refused_without_the_engine() -> None:
    lost = View(picture=samples.TROUBLE, link=LinkState.LOST)
    assert all(why_not(action, lost) for action in ACTIONS if action.control)
    assert not any(why_not(action, lost) for action in ACTIONS if not action.control)


# --- moving about --------------------------------------------------------------------------------


async def test_panes_are_reached_by_number_and_tab(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, size=(80, 24)) as desk:
        visible = []
        for key in ("1", "2", "3", "4", "tab"):
            await desk.press(key)
            visible.append([pane.id for pane in desk.app.screen.query(".pane") if pane.size.width])
        assert visible == [["pane-1"], ["pane-2"], ["pane-3"], ["pane-4"], ["pane-1"]]


async def test_all_panes_are_seen_at_120_by_40(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        assert all(pane.size.width > 40 for pane in desk.app.screen.query(".pane"))


async def test_the_filter_narrows_the_pane_and_escape_clears_it(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("slash", *"xqqx", "backspace", "home", "delete", "enter")
        assert "1 of 4 with “qq”" in desk.text("pane-1")
        assert "SPY-IC-1" not in desk.text("pane-1")
        await desk.press("escape")
        assert "SPY-IC-1" in desk.text("pane-1")


async def test_a_filter_is_never_silent(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, size=(80, 24)) as desk:
        await desk.press("slash", *"qq", "enter")
        assert "1 of 4 with “qq”" in desk.text("pane-1")
        assert "▲ 1 BROKEN" in desk.text("pane-1")


async def test_typing_a_filter_presses_no_keys(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("slash", "x", "y", "d", "q", "X")
        assert desk.app.screen.query_one("#filter", Input).value == "xydqX"
        assert desk.engine.requests == []


async def test_escape_leaves_the_filter_line(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("slash", "z", "escape")
        assert "SPY-IC-1" in desk.text("pane-1")
        assert desk.app.focused is None


async def test_details_show_the_journal_and_lead_to_the_sheet(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("enter")
        assert "position of SPY 18Dec26 440 P is 0" in desk.text("sheet-body")
        await desk.press("x")
        assert isinstance(desk.app.screen, OrderSheet)


async def test_help_lists_every_key(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("question_mark")
        assert isinstance(desk.app.screen, Help)
        shown = desk.text("sheet-body")
        assert all(f" {action.shown} " in shown for action in ACTIONS)
        await desk.press("q")
        assert isinstance(desk.app.screen, Dashboard)


async def test_the_command_palette_offers_what_the_keys_do(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        commands = {c.title: c for c in desk.app.get_system_commands(desk.app.screen)}
        assert len(commands) == len(ACTIONS)
        commands["arm/disarm (d)"].callback()
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, ArmSheet)


async def test_t_goes_through_the_palettes_and_round(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        seen = []
        for _ in range(5):
            seen.append(desk.app.theme)
            await desk.press("t")
        assert seen[:3] == ["night", "day", "contrast"]
        assert seen[4] == "night"


async def test_q_detaches(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("q")
        assert desk.app.return_code == 0
        assert desk.engine.requests == []


async def test_a_shrunk_terminal_names_the_size_needed_and_comes_back(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.pilot.resize_terminal(50, 12)
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, TooSmall)
        assert "60 x 16" in str(desk.app.screen.query_one(Static).content)
        await desk.press("x")
        await desk.pilot.resize_terminal(80, 24)
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, Dashboard)


async def test_a_terminal_of_no_size_at_all_does_no_harm(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.pilot.resize_terminal(1, 1)
        await desk.show(samples.EVERYTHING)
        await desk.pilot.resize_terminal(100, 30)
        await desk.show(samples.EVERYTHING)
        assert "SPY-IC-1" in desk.text("pane-1")


async def test_every_binding_has_an_id_and_a_tooltip(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        screens = (Dashboard, OrderSheet, CloseAllSheet, ArmSheet, Details, Help, TooSmall)
        bindings = [
            binding
            for screen in screens
            for source in screen.__mro__
            if source.__module__.startswith("tui.")
            for binding in source.__dict__.get("BINDINGS", ())
        ]
        assert len(bindings) > len(ACTIONS)
        assert all(binding.id and binding.tooltip for binding in bindings)
        assert desk.app.is_running


def test_the_footer_has_six_keys() -> None:
    assert [action.shown for action in ACTIONS if action.in_footer] == list("xXad?q")


def test_the_key_table_has_a_row_for_every_key() -> None:
    table = key_table_markdown().splitlines()
    assert len(table) == len(ACTIONS) + 2
    assert table[2].startswith("| `x` | Emergency close of what is selected")
