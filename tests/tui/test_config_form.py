"""The config form by keyboard: edit, see faults while typing, see what changes, save or leave."""

import copy
from typing import Any

import pytest
from textual.widgets import Button, Input

from tests.tui import samples
from tests.tui.config_sample import CONFIG, judge
from tests.tui.conftest import Desk, OpenDesk
from tui.link import Answer, Change
from tui.screens.config import CHECK_AFTER_SECONDS, ConfigForm
from tui.screens.dashboard import Dashboard
from tui.screens.save_sheet import LeaveSheet, SaveSheet


async def checked(desk: Desk) -> None:
    """Let the pause pass after which what was typed is checked."""
    await desk.pilot.pause(CHECK_AFTER_SECONDS * 1.5)
    await desk.pilot.pause()


async def to_form(desk: Desk) -> None:
    desk.engine.judge = judge
    await desk.press("c")
    assert isinstance(desk.app.screen, ConfigForm)


async def find(desk: Desk, text: str) -> None:
    """Filter for a text and go to the first field that has it."""
    await desk.press("slash", *text, "enter", "g")
    while text not in _under_cursor(desk).lower():
        before = _under_cursor(desk)
        await desk.press("j")
        assert _under_cursor(desk) != before, f"{text} is nowhere"


def _under_cursor(desk: Desk) -> str:
    rows = desk.app.screen.query_one("#page-body").rows  # type: ignore[attr-defined]
    cursor = desk.app.screen.query_one("#page-body").cursor  # type: ignore[attr-defined]
    return "\n".join(row.text for row in rows if row.key == cursor)


async def test_the_demo_has_no_config_and_says_so(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("c")
        assert "it runs the demo" in desk.text("page-body")
        await desk.press("escape")
        assert isinstance(desk.app.screen, Dashboard)


async def test_every_section_is_there_with_values_defaults_and_help(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        shown = desk.text("page-body")
        for part in ("General", "Venues 3", "Options", "Assignment managers 1", "Parameter sets 3"):
            assert part in shown
        assert "paper simulates fills" in desk.text("form-help")
        assert "set (env)" in shown
        assert "KRAKEN_KEY" not in shown


async def test_a_field_is_edited_and_saved_after_its_summary(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "close at dte")
        await desk.press("enter", "backspace", "3", "enter", "s")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, SaveSheet)
        assert "1 → 3 days" in desk.text("sheet-body")
        assert "hold at once, for closes under way too" in desk.text("sheet-body")
        assert isinstance(desk.app.focused, Button)
        assert desk.app.focused.id == "cancel"
        assert desk.engine.requests == []
        await desk.press("y")
        change = Change(path="options.close_at_dte", value=3)
        assert desk.engine.requests == [("save", (change,), "f1")]


async def test_a_fault_shows_at_its_field_while_it_is_typed(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "close at dte")
        await desk.press("enter", "backspace", *"so")
        await checked(desk)
        assert '"so" is not a number of days; allowed: 0 to 365' in desk.text("page-body")
        assert "1 fault" in desk.text("page-title")
        await desk.press("backspace", "backspace", "5")
        await checked(desk)
        assert "is not a number" not in desk.text("page-body")


async def test_typing_is_checked_once_it_pauses(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "close at dte")
        await desk.press("enter", "backspace", *"123")
        await checked(desk)
        assert len(desk.engine.checked) == 1


async def test_what_has_faults_is_not_offered_for_saving(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "close at dte")
        await desk.press("enter", "backspace", *"soon", "enter", "s")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, ConfigForm)
        assert "options.close_at_dte" in desk.text("bottom")


async def test_escape_takes_back_what_was_typed(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "close at dte")
        await desk.press("enter", *"99", "escape")
        assert "1 days" in _under_cursor(desk)
        await desk.press("s")
        assert "Nothing has changed" in desk.text("bottom")


async def test_switches_and_choices_change_without_typing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await desk.press("space", "j", "enter", "s")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, SaveSheet)
        shown = desk.text("sheet-body")
        assert "paper → live  (after a restart)" in shown
        assert "yes → no" in shown


async def test_u_takes_a_change_back_and_delete_a_value_out(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await desk.press("space")
        assert "live" in _under_cursor(desk)
        await desk.press("u")
        assert "paper" in _under_cursor(desk)
        await find(desk, "close at dte")
        await desk.press("delete", "s")
        await desk.pilot.pause()
        await desk.press("y")
        change = Change(path="options.close_at_dte", remove=True)
        assert desk.engine.requests == [("save", (change,), "f1")]


async def test_a_pasted_secret_is_never_seen(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "kraken")
        await desk.press("escape")
        await find(desk, "kraken")
        await desk.press("enter")
        await find(desk, "api key")
        await desk.press("enter", *"sk-12345")
        entry = desk.app.screen.query_one("#field", Input)
        assert entry.password
        assert "12345" not in desk.text("page-body")
        await desk.press(*["backspace"] * 8, *"env:K")
        assert not entry.password
        await desk.press("enter")
        assert "set (env)" in desk.text("page-body")


async def test_a_secret_opened_and_left_empty_stays_set(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "alert urls")
        await desk.press("enter", "enter", "s")
        assert "Nothing has changed" in desk.text("bottom")


async def test_the_managers_page_has_its_three_sections_and_a_summary(
    open_desk: OpenDesk,
) -> None:
    async with open_desk(samples.TROUBLE, size=(80, 24), config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "barriers")
        await desk.press("enter")
        shown = desk.text("page-body")
        for part in ("Trading pairs", "Slippage buffer", "Time limit", "Summary", "Watches kraken"):
            assert part in shown
        await find(desk, "time limit")
        await desk.press("enter", *["backspace"] * 5, "0", "enter", "escape")
        await desk.pilot.pause()
        assert "Immediate close (time limit 0)" in desk.text("page-body")


async def test_entries_are_added_edited_and_removed(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "btcusdt")
        await desk.press("delete", "escape")
        await find(desk, "parameter sets")
        await desk.press("n")
        assert "Config › Parameter sets › parameter set" in desk.text("page-title")
        for text in ("SOLUSDT", "20", "6", "15", "2"):
            await desk.press("enter", *text, "enter")
        await desk.press("escape", "s")
        await desk.pilot.pause()
        await desk.press("y")
        ((_, changes, _),) = desk.engine.requests
        assert changes == (
            Change(
                path="allocation.parameter_sets[3]",
                value={
                    "symbol": "SOLUSDT",
                    "allocation_percent": "20",
                    "z_score_threshold": "6",
                    "profit_percent": "15",
                    "stop_loss_percent": "2",
                },
            ),
            Change(path="allocation.parameter_sets[0]", remove=True),
        )


async def test_a_leg_is_changed_two_levels_down(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "spy-ic-1")
        await desk.press("enter")
        await find(desk, "p 440")
        await desk.press("enter")
        assert "Strategies › SPY-IC-1 › Legs" in desk.text("page-title")
        await find(desk, "strike")
        await desk.press("enter", *["backspace"] * 3, *"445", "enter", "s")
        await desk.pilot.pause()
        await desk.press("y")
        ((_, changes, _),) = desk.engine.requests
        assert changes[0].path == "options.strategies[0].legs"
        assert changes[0].value[0]["strike"] == "445"


async def test_a_venue_is_added_under_a_name_of_its_own(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "venues")
        await desk.press("n", "2", "enter", *"okx", "enter")
        assert "Config › Venues › okx" in desk.text("page-title")
        await desk.press("escape", "s")
        await desk.pilot.pause()
        await desk.press("y")
        change = Change(path="venues.okx", value={"kind": "ccxt"})
        assert desk.engine.requests == [("save", (change,), "f1")]


async def test_every_action_has_its_keys_in_the_form(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "key: log")
        assert _under_cursor(desk).split() == ["Key:", "log", "L"]
        await find(desk, "key: close all")
        assert _under_cursor(desk).split() == ["Key:", "close", "all", "X", "default"]
        await desk.press("enter", *"ctrl+p", "enter", "s")
        await desk.pilot.pause()
        assert "ctrl+p always opens the command palette" in desk.text("bottom")
        await find(desk, "key: close all")
        await desk.press("enter", *["backspace"] * 6, *"x", "enter", "s")
        await desk.pilot.pause()
        assert "takes a key of close-selected" in desk.text("bottom")
        await find(desk, "key: close all")
        await desk.press("enter", "backspace", *"f9", "enter", "s")
        await desk.pilot.pause()
        assert "Key: close all  X → f9  (when a terminal attaches)" in desk.text("sheet-body")
        await desk.press("y")
        change = Change(path="terminal.keys.close-all", value="f9")
        assert desk.engine.requests == [("save", (change,), "f1")]


async def test_a_palette_there_is_none_of_is_a_fault_at_its_field(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "palette")
        await desk.press("enter", *"neon", "enter")
        await checked(desk)
        assert "there is no palette neon; allowed: night, day" in desk.text("page-body")


async def test_a_name_that_is_taken_adds_nothing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "venues")
        await desk.press("n", "2", "enter", *"kraken", "enter")
        assert "needs a name that no other has" in desk.text("bottom")


async def test_leaving_with_changes_asks_first(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await desk.press("space", "escape")
        assert isinstance(desk.app.screen, LeaveSheet)
        await desk.press("escape")
        assert isinstance(desk.app.screen, ConfigForm)
        await desk.press("escape", "y")
        assert isinstance(desk.app.screen, Dashboard)
        assert desk.engine.requests == []


async def test_after_a_save_the_form_is_read_anew(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await desk.press("space", "s")
        await desk.pilot.pause()
        newer: Any = copy.deepcopy(CONFIG)
        newer["sections"][0]["fields"][0]["value"] = "live"
        desk.engine.config = newer
        await desk.press("y")
        await desk.pilot.pause()
        assert "4 orders go." in desk.text("bottom")
        assert "live" in _under_cursor(desk)
        await desk.press("s")
        assert "Nothing has changed" in desk.text("bottom")


async def test_a_file_that_changed_meanwhile_is_said_in_the_engines_words(
    open_desk: OpenDesk,
) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG) as desk:
        await to_form(desk)
        await desk.press("space", "s")
        await desk.pilot.pause()
        desk.engine.answer = Answer(done=False, message="The file changed on disk: read it again.")
        await desk.press("y")
        await desk.pilot.pause()
        assert "changed on disk" in desk.text("bottom")
        assert "live" in _under_cursor(desk)


async def test_a_read_only_terminal_shows_the_form_and_saves_nothing(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE, config=CONFIG, read_only=True) as desk:
        await to_form(desk)
        await desk.press("space", "s")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, ConfigForm)
        assert "read-only" in desk.text("bottom")


@pytest.mark.parametrize("size", [(80, 24), (60, 16)], ids=["80x24", "60x16"])
async def test_the_entry_lies_over_its_value_also_on_a_small_screen(
    open_desk: OpenDesk, size: tuple[int, int]
) -> None:
    async with open_desk(samples.TROUBLE, size=size, config=CONFIG) as desk:
        await to_form(desk)
        await find(desk, "close at dte")
        await desk.press("enter")
        entry = desk.app.screen.query_one("#field", Input)
        body = desk.app.screen.query_one("#page-body")
        assert entry.region.y == body.region.y + (body.cursor_y or 0)  # type: ignore[attr-defined]
        assert 20 <= entry.region.x <= 30
        assert entry.region.right <= size[0]
