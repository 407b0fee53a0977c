"""The log screen: follows, filters, searches, jumps to what an entry is about, copies."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App

from tests.tui import journal, samples
from tests.tui.conftest import Desk, OpenDesk
from tui.journal import About, JournalEntry, Sort, Topic, about_of, entries_of
from tui.rows.log import Kinds, log_blocks, marked, shown_entries
from tui.screens.dashboard import Dashboard
from tui.screens.details import Details
from tui.screens.log import Log, WholeEntry


def cursor_row(desk: Desk) -> str:
    body: Any = desk.app.screen.query_one("#page-body")
    return next(row.text for row in body.rows if row.key == body.cursor)


# --- the screen ----------------------------------------------------------------------------------


async def test_it_begins_at_the_newest_entry_and_follows(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l")
        assert "following" in desk.text("page-title")
        assert "TRAILING_STOP reached" in cursor_row(desk)
        newer = journal.entry(11, 0, "WriteLine", "Reserved $333.30 (33.3%) for BTCUSDT")
        desk.engine.journal.append(newer)
        screen: Any = desk.app.screen
        screen._read_news()
        await desk.pilot.pause()
        await desk.pilot.pause()
        assert "Reserved $333.30" in cursor_row(desk)


async def test_looking_back_ends_the_following_and_f_begins_it_again(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l", "k")
        assert "not following" in desk.text("page-title")
        await desk.press("f")
        assert "not following" not in desk.text("page-title")
        assert "TRAILING_STOP reached" in cursor_row(desk)


async def test_the_same_entry_is_never_shown_twice(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l")
        screen: Any = desk.app.screen
        screen._read_news()
        await desk.pilot.pause()
        assert desk.text("page-body").count("TRAILING_STOP reached") == 1


async def test_a_filter_and_kinds_narrow_it(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l", "slash", *"iwm", "enter")
        assert "expires in one day" in desk.text("page-body")
        assert "kraken-3" not in desk.text("page-body")
        await desk.press("escape", "e", "e")
        assert "orders and fills" in desk.text("page-title")
        assert "order o-9" in desk.text("page-body")
        assert "alert" not in desk.text("page-body")


async def test_a_search_goes_back_from_match_to_match(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l", "s", *"order", "enter")
        assert "order o-9" in cursor_row(desk)
        await desk.press("n")
        assert "order o-1" in cursor_row(desk)
        await desk.press("n")
        assert "No entry before this one" in desk.text("bottom")
        await desk.press("N")
        assert "order o-9" in cursor_row(desk)


async def test_enter_jumps_to_what_an_entry_is_about(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l", "enter")
        assert isinstance(desk.app.screen, Details)
        assert "Position SOL-USD" in desk.text("page-title")
        await desk.press("escape")
        assert isinstance(desk.app.screen, Log)


async def test_what_is_gone_cannot_be_jumped_to(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l", "g", "enter")
        assert isinstance(desk.app.screen, Log)
        assert "v shows it" in desk.text("bottom")
        await desk.press("v")
        assert isinstance(desk.app.screen, WholeEntry)
        assert "fact EngineStarted" in desk.text("page-body")


async def test_y_copies_the_entry(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(App, "copy_to_clipboard", lambda self, text: copied.append(text))
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l", "y")
        assert copied == ["2026-11-20T15:04:29+00:00  barrier kraken-3: TRAILING_STOP reached"]
        assert "Copied." in desk.text("bottom")


async def test_what_this_terminal_said_stands_between_the_entries(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("m", "l")
        assert "The bell is silent." in desk.text("page-body")


async def test_the_log_of_a_strategy_is_its_own(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("enter", "l")
        assert "Log of SPY-IC-1" in desk.text("page-title")
        assert "IWM" not in desk.text("page-body")


async def test_beyond_the_first_entry_more_is_read(open_desk: OpenDesk) -> None:
    long = [journal.entry(n, 5000 - n, "WriteLine", f"line {n}") for n in range(1, 1200)]
    async with open_desk(samples.EVERYTHING) as desk:
        desk.engine.journal = long
        await desk.press("l")
        assert "500" in desk.text("page-title")
        await desk.press("g", "k")
        await desk.pilot.pause()
        assert desk.engine.journal_asked[-1][2] == 2000
        assert "1199" in desk.text("page-title")


async def test_an_engine_that_will_not_tell_is_said(open_desk: OpenDesk) -> None:
    async with open_desk(samples.EVERYTHING) as desk:
        await desk.press("l")
        desk.engine.die()
        await desk.pilot.pause()
        screen: Any = desk.app.screen
        screen._read_news()
        await desk.pilot.pause()
        assert "cannot be read" in desk.text("page-title")
        await desk.press("escape")
        assert isinstance(desk.app.screen, Dashboard)


async def test_an_alerts_details_tell_its_whole_story(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        await desk.press("2", "j", "j", "enter")
        story = desk.text("page-body").split("The whole story")[1]
        assert "-2 -> 0" in story
        assert "order o-9 SELL 200 SPY" in story
        assert "IWM" not in story


# --- what an entry is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "sort"),
    [
        ("PositionReported", "fact", Sort.SEEN),
        ("AskVenue", "intent", Sort.DECIDED),
        ("PlaceOrder", "intent", Sort.ORDER),
        ("OrderPriced", "fact", Sort.ORDER),
        ("ExecutionReported", "fact", Sort.ORDER),
        ("RaiseAlert", "intent", Sort.ALERT),
        ("CloseRequested", "fact", Sort.ASKED),
        ("ArmedChanged", "fact", Sort.ASKED),
    ],
)
def test_entries_are_sorted_by_what_they_are(name: str, kind: str, sort: Sort) -> None:
    assert JournalEntry(seq=1, at=samples.NOW, name=name, text="", kind=kind).sort is sort


@pytest.mark.parametrize(
    ("body", "of", "about"),
    [
        ({"client_order_id": "o-1"}, "IWM-IC-4", About(topic=Topic.STRATEGY, id="IWM-IC-4")),
        ({"alert_id": "al-1"}, None, About(topic=Topic.ALERT, id="al-1")),
        ({"barrier_id": "kraken-2"}, None, About(topic=Topic.BARRIER, id="kraken-2")),
        ({"symbol": "BTCUSDT"}, None, About(topic=Topic.SET, id="BTCUSDT")),
        (
            {"row": {"instrument": {"ref": "PF_ETHUSD"}}},
            None,
            About(topic=Topic.BARRIER, id="kraken-2"),
        ),
        ({"ref": "PF_LTCUSD"}, None, About(topic=Topic.POSITION, id="kraken/main/PF_LTCUSD")),
        ({"text": "nothing known"}, None, None),
    ],
)
def test_an_entry_is_about_the_closest_thing_it_names(
    body: dict[str, Any], of: str | None, about: About | None
) -> None:
    entry = JournalEntry(seq=1, at=samples.NOW, name="X", text="", body=body, strategy_id=of)
    assert about_of(entry, samples.EVERYTHING) == about


def test_an_orders_entry_is_about_the_order() -> None:
    entry = JournalEntry(
        seq=1, at=samples.NOW, name="OrderPriced", text="", body={"client_order_id": "o-1"}
    )
    assert about_of(entry, samples.EVERYTHING) == About(topic=Topic.ORDER, id="o-1")


def test_the_story_replaces_the_plain_text_where_it_fits() -> None:
    rows = [
        {"seq": n, "at": f"2026-11-{19 + n}T12:00:00+00:00", "name": "X", "text": "12:00:00.000  a"}
        for n in (1, 2)
    ]
    story = ["day one", "12:00:00.000  b", "day two", "12:00:00.000  c"]
    told = entries_of({"entries": rows, "story": story})
    assert [entry.text for entry in told] == ["b", "c"]
    untold = entries_of({"entries": rows, "story": story[:2]})
    assert [entry.text for entry in untold] == ["a", "a"]


@pytest.mark.parametrize(
    "data", [None, "x", {"entries": "x"}, {"entries": [3, {"seq": "one"}]}, {"entries": None}]
)
def test_what_is_no_journal_is_no_entries(data: object) -> None:
    assert entries_of(data) == ()


def test_matches_are_marked_in_any_case() -> None:
    spans = marked("SPY and spy", "spy", samples_tone())
    assert [span.text for span in spans] == ["SPY", " and ", "spy"]
    assert spans[0].tone == spans[2].tone != spans[1].tone


def samples_tone() -> Any:
    from tui.rows.cells import Tone

    return Tone.PLAIN


def test_each_day_has_a_line_of_its_own() -> None:
    older = replace(journal.ENTRIES[0], at=samples.NOW - timedelta(days=1))
    blocks = log_blocks((older, *journal.ENTRIES[1:3]), width=80)
    heads = [block.draw()[0].text.rstrip() for block in blocks if not block.key]
    assert heads == ["Thursday 19 November 2026, UTC", "Friday 20 November 2026, UTC"]


def test_kinds_and_filter_work_together() -> None:
    shown = shown_entries(journal.ENTRIES, Kinds.ALERTS, "spy")
    assert [entry.seq for entry in shown] == [8]
