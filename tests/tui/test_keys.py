"""Every key does what the key table says, and never more."""

import asyncio
from dataclasses import replace

import pytest
from textual.widgets import Button, Input, Static

from tests.tui import samples
from tests.tui.conftest import OpenDesk
from tui.actions import ACTIONS, CONTRACT, Where, by_id, of
from tui.keys import STANDARD, key_table_markdown
from tui.link import Answer, GuardWish
from tui.screens.arm_sheet import ArmSheet
from tui.screens.base import Keyed
from tui.screens.close_all_sheet import CloseAllSheet
from tui.screens.dashboard import Dashboard
from tui.screens.details import Details
from tui.screens.found import FoundList
from tui.screens.guard_sheet import GuardSheet, ReleaseSheet
from tui.screens.help import Help
from tui.screens.log import Log
from tui.screens.order_sheet import REPEAT_SECONDS, OrderSheet
from tui.screens.orders import OrderList
from tui.screens.reset_sheet import ResetSheet
from tui.screens.too_small import TooSmall
from tui.view import LinkState, View
from tui.why_not import why_not

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
        await desk.press("2", "j", "j", "j", "x", "y")
        assert desk.engine.requests == [CLOSE_SPY]


async def test_the_cursor_stays_on_its_strategy_when_rows_move(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        await desk.press("j")
        await desk.show(
            replace(samples.CALM, strategies=(samples.BROKEN, *samples.CALM.strategies))
        )
        await desk.press("enter")
        assert isinstance(desk.app.screen, Details)
        assert "covered call" in desk.text("page-body")


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
        await desk.press("2", "j", "j", "a")
        assert desk.engine.requests == [("acknowledge", "al-1")]


async def test_nothing_to_acknowledge_is_said(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        await desk.press("a")
        assert "acknowledged already" in desk.text("bottom")


# --- what may not be done ------------------------------------------------------------------------


async def test_read_only_sends_nothing_and_says_why(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, read_only=True) as desk:
        for key in "xXadrbu":
            await desk.press(key)
            assert isinstance(desk.app.screen, Dashboard)
        await desk.press("x")
        assert "read-only" in desk.text("bottom")
        assert desk.engine.requests == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("r", "No allocation desk is configured"),
        ("b", "Select a perpetual first"),
        ("u", "Select a position between barriers first"),
    ],
)
async def test_a_disabled_key_says_why(open_desk: OpenDesk, key: str, said: str) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press(key)
        assert said in desk.text("bottom")


async def test_without_an_engine_what_it_holds_cannot_be_read(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.engine.die()
        await desk.pilot.pause()
        for key, said in (("c", "Edit bulkhead.toml by hand"), ("l", "out of reach")):
            await desk.press(key)
            assert isinstance(desk.app.screen, Dashboard)
            assert said in desk.text("bottom")


def test_every_control_key_is_refused_without_the_engine() -> None:
    lost = View(picture=samples.TROUBLE, link=LinkState.LOST)
    assert all(why_not(action, lost) for action in ACTIONS if action.control)
    free = [a for a in ACTIONS if not a.control and a.id not in ("config", "log", "save")]
    assert not any(why_not(action, replace(lost, picture=samples.EVERYTHING)) for action in free)


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
        assert desk.app.screen.query_one("#entry", Input).value == "xydqX"
        assert desk.engine.requests == []


async def test_escape_leaves_the_filter_line(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("slash", "z", "escape")
        assert "SPY-IC-1" in desk.text("pane-1")
        assert desk.app.focused is None


async def test_details_show_the_journal_and_lead_to_the_sheet(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("enter")
        assert "SPY 18Dec26 440 P in DU1234567: -2 -> 0" in desk.text("page-body")
        await desk.press("x")
        assert isinstance(desk.app.screen, OrderSheet)


async def test_help_lists_the_keys_of_its_screen_first_and_then_all_others(
    open_desk: OpenDesk,
) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("question_mark")
        assert isinstance(desk.app.screen, Help)
        here, elsewhere = desk.text("page-body").split("Keys elsewhere", 1)
        for action in ACTIONS:
            place = here if Where.DESK in action.where else elsewhere
            assert f" {STANDARD.shown(action)} " in place
        await desk.press("q")
        assert isinstance(desk.app.screen, Dashboard)


async def test_help_is_about_the_screen_it_was_asked_on(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("l", "question_mark")
        assert "Help: log and journal" in desk.text("page-title")
        assert desk.text("page-body").index("follow") < desk.text("page-body").index("Arm or")
        await desk.press("question_mark")
        assert isinstance(desk.app.screen, Log)


async def test_the_command_palette_offers_what_the_keys_of_the_screen_do(
    open_desk: OpenDesk,
) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        commands = {c.title: c for c in desk.app.get_system_commands(desk.app.screen)}
        assert len(commands) == len(of(Where.DESK)) + 1
        commands["drill"].callback()
        await desk.pilot.pause()
        assert desk.engine.requests == [("drill", None)]
        commands["arm/disarm (d)"].callback()
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, ArmSheet)


async def test_a_live_engine_offers_no_drill(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        titles = [c.title for c in desk.app.get_system_commands(desk.app.screen)]
        assert "drill" not in titles


async def test_t_goes_through_the_palettes_and_round(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        seen = []
        for _ in range(7):
            seen.append(desk.app.theme)
            await desk.press("t")
        assert seen == ["night", "day", "contrast", "colourblind", "ansi", "phosphor", "night"]


# --- positions and allocations -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "closed"),
    [(("3",), "kraken-1"), (("3", "j"), "kraken-2"), (("4", "j"), "BTCUSDT")],
)
async def test_x_closes_a_position_or_an_allocation_by_its_id(
    open_desk: OpenDesk, keys: tuple[str, ...], closed: str
) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press(*keys, "x")
        assert isinstance(desk.app.screen, OrderSheet)
        assert desk.app.focused is not None
        assert desk.app.focused.id == "cancel"
        await desk.press("y")
        assert desk.engine.requests == [("close", closed, True)]


async def test_x_on_a_set_without_a_position_may_not_send(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("4", "x", "y")
        foot = str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert "nothing to close" in foot
        assert desk.engine.requests == []


async def test_close_all_is_every_desk(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("X")
        shown = desk.text("sheet-body")
        for name in ("SPY-IC-1", "BTC-USD", "BTCUSDT", "LTC-USD at kraken stays"):
            assert name in shown


async def test_r_lists_what_goes_and_stays_and_y_resets(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("r")
        assert isinstance(desk.app.screen, ResetSheet)
        assert desk.app.focused is not None
        assert desk.app.focused.id == "cancel"
        assert "is held between its OCO" in desk.text("sheet-body")
        await desk.press("y")
        assert desk.engine.requests == [("reset", False)]


async def test_force_wants_its_word(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("r", "shift+tab", *"forc", "enter")
        assert desk.engine.requests == []
        await desk.press("e")
        foot = str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert foot.startswith("All 666.60 reserved is released.")
        await desk.press("enter")
        assert desk.engine.requests == [("reset", True)]


async def test_a_reset_of_nothing_is_refused_with_the_reason(open_desk: OpenDesk) -> None:
    kept = replace(samples.ALLOCATION, reservations=samples.ALLOCATION.reservations[:1])
    async with open_desk(replace(samples.EVERYTHING, allocation=kept)) as desk:
        await desk.press("r", "y")
        foot = str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert "Only force releases what is kept" in foot
        assert desk.engine.requests == []


async def test_b_puts_a_position_between_barriers(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("3", "G", "b")
        assert isinstance(desk.app.screen, GuardSheet)
        await desk.press("5", "enter", "1", "0", "enter", "enter", "enter", "4", "h", "enter")
        assert "closes at 103.32" in desk.text("sheet-body")
        await desk.press("tab", "enter")
        wish = GuardWish(
            venue="kraken",
            account="main",
            ref="PF_LTCUSD",
            stop_loss="0.05",
            take_profit="0.1",
            time_limit_seconds=14_400,
        )
        assert desk.engine.requests == [("guard", wish)]


async def test_barriers_that_make_no_sense_are_not_sent(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("3", "G", "b", "x")
        assert desk.app.screen.query_one("#yes", Button).disabled
        foot = str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert "Stop loss" in foot
        await desk.press("escape")
        assert desk.engine.requests == []


async def test_moving_barriers_begins_with_those_it_has(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("3", "j", "b")
        assert desk.app.screen.query_one("#guard-stop", Input).value == "5.00"
        assert desk.app.screen.query_one("#guard-target", Input).value == "10.00"


async def test_u_releases_a_position_after_asking(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("3", "u")
        assert isinstance(desk.app.screen, ReleaseSheet)
        assert "nothing closes it any more" in " ".join(desk.text("sheet-body").split())
        await desk.press("y")
        assert desk.engine.requests == [("release", "kraken-1")]


async def test_a_candidate_is_adopted_under_an_id_of_ones_own(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("A")
        assert isinstance(desk.app.screen, FoundList)
        await desk.press("A", "shift+tab", *["backspace"] * 8, *"TLT-2", "enter")
        assert desk.engine.requests == [("adopt", "TLT-VS-1", "TLT-2")]


async def test_an_id_that_is_taken_adopts_nothing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("A", "A", "shift+tab", *["backspace"] * 8, *"SPY-IC-1", "enter")
        foot = str(desk.app.screen.query_one("#sheet-foot", Static).content)
        assert "There is a strategy SPY-IC-1 already" in foot
        assert desk.engine.requests == []


async def test_o_lists_orders_and_enter_shows_one(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("o")
        assert isinstance(desk.app.screen, OrderList)
        await desk.press("slash", *"205", "enter", "enter")
        assert isinstance(desk.app.screen, Details)
        assert "waits for the short leg" in desk.text("page-body")
        await desk.press("escape", "escape", "escape")
        assert isinstance(desk.app.screen, Dashboard)


async def test_m_silences_the_bell_and_says_so(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        await desk.press("m")
        assert "silent" in desk.text("bottom")
        assert "muted" in desk.text("header")


async def test_z_makes_rows_short_and_long_again(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING, size=(120, 40)) as desk:
        await desk.press("3", "z", "z")
        assert "TO STOP" in desk.text("pane-3")
        await desk.press("z")
        assert "TO STOP" not in desk.text("pane-3")


# --- leaving -------------------------------------------------------------------------------------


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


def test_every_binding_has_an_id_and_a_tooltip_and_comes_from_the_list() -> None:
    known = {action.id for action in ACTIONS} | {"interrupt", "small-detach"}
    bindings = [
        binding
        for screen in _screens()
        for source in screen.__mro__
        if source.__module__.startswith("tui.")
        for binding in source.__dict__.get("BINDINGS", ())
    ]
    assert len(bindings) > len(ACTIONS)
    assert all(binding.id in known and binding.tooltip for binding in bindings)


def _screens() -> set[type]:
    found, todo = set(), [Keyed, TooSmall]
    while todo:
        screen = todo.pop()
        found.add(screen)
        todo += screen.__subclasses__()
    return found


def test_every_action_is_carried_out_on_every_screen_it_is_for() -> None:
    """A key that is bound and does nothing would be found by pressing it only."""
    for screen in _screens():
        where = getattr(screen, "WHERE", None)
        if where is None or screen.__module__ in _UNFINISHED:
            continue
        for action in of(where):
            method = "do_argument" if action.argument else f"do_{action.id.replace('-', '_')}"
            assert hasattr(screen, method), (screen, action.id)


_UNFINISHED = ("tui.screens.base", "tui.screens.form_screen", "tui.screens.frame")


def test_the_footer_has_six_keys() -> None:
    keys = [STANDARD.shown(a) for a in ACTIONS if Where.DESK in a.footer]
    assert keys == list("xXad?q")


def test_the_keys_of_the_contract_are_those_it_fixes() -> None:
    keys = {action_id: by_id(action_id).keys for action_id in CONTRACT}
    assert keys == {
        "close-selected": "x",
        "close-all": "X",
        "reset-allocations": "r",
        "config": "c",
        "acknowledge": "a",
        "arm": "d",
        "details": "enter",
        "filter": "slash",
        "theme": "t",
        "pane-1": "1",
        "pane-2": "2",
        "pane-3": "3",
        "pane-4": "4",
        "help": "question_mark",
        "detach": "q",
    }


def test_no_key_stands_for_two_things_on_one_screen() -> None:
    for where in Where:
        keys = [key for action in of(where) for key in STANDARD.keys(action)]
        assert len(keys) == len(set(keys)), where


def test_the_key_table_has_a_row_for_every_key() -> None:
    table = key_table_markdown()
    assert all(action.tooltip in table for action in ACTIONS)
    assert table.splitlines()[2].startswith("| `x` | Emergency close of what is selected")
