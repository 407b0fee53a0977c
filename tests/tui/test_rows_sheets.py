"""What sheets and details say: exactly the orders, what goes and stays, and why."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len

from engine.desk.snapshot import Snapshot
from tests.tui import journal, samples
from tui.actions import Where
from tui.journal import About, JournalEntry, Topic
from tui.keys import STANDARD
from tui.rows.cells import Row
from tui.rows.closing import Closing, Kind, Target, closing_of, closing_of_all, left_alone
from tui.rows.details import detail_rows
from tui.rows.guarding import (
    STOP,
    TARGET,
    TIME,
    TRAIL_FROM,
    TRAIL_GAP,
    preview_rows,
    read,
    wish_for,
)
from tui.rows.help import help_rows
from tui.rows.reset import forced_sum, reset_rows, reset_sum
from tui.rows.scene import Scene
from tui.rows.sheets import plan_rows, sum_text, why_not_send
from tui.tracks import Tracks
from tui.view import LinkState, View

BROKEN = Target(kind=Kind.STRATEGY, id="SPY-IC-1")


def texts(rows: object) -> list[str]:
    return [row.text for row in rows]  # type: ignore[attr-defined]


def closing(target: Target, snapshot: Snapshot = samples.EVERYTHING) -> Closing:
    found = closing_of(snapshot, target)
    assert found is not None
    return found


def up(snapshot: Snapshot) -> View:
    return View(picture=snapshot, link=LinkState.UP)


# --- what would be sent --------------------------------------------------------------------------


def test_the_sheet_lists_every_order_of_the_plan_in_order() -> None:
    rows = texts(plan_rows((closing(BROKEN),), width=90))
    assert [row.split()[:3] for row in rows[::2]] == [
        ["1", "SELL", "200"],
        ["2", "BUY", "2"],
        ["3", "SELL", "2"],
        ["4", "SELL", "2"],
    ]
    assert "assigned shares" in rows[1]


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "waits until 18:04 UTC on 20.11., in 3h00m (Fri 13:04 ET)"),
        ("Europe/Berlin", "waits until 19:04 CET on 20.11., in 3h00m (Fri 13:04 ET)"),
    ],
)
def test_an_order_that_must_wait_says_until_when(
    monkeypatch: pytest.MonkeyPatch, zone: str, said: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    waits = replace(samples.BROKEN_PLAN[0], waits_until=samples.NOW.replace(hour=18))
    snapshot = replace(samples.TROUBLE, strategies=(replace(samples.BROKEN, plan=(waits,)),))
    rows = texts(plan_rows((closing(BROKEN, snapshot),), width=90, now=samples.NOW))
    monkeypatch.undo()
    time.tzset()
    assert said in rows[1]


def test_the_sum_says_what_all_orders_do_together() -> None:
    assert sum_text((closing(BROKEN),)) == (
        "4 orders: buys 2 contracts, sells 4 contracts and 200 shares. "
        "Together they bring about 88,598.00 at these prices."
    )


def test_an_unknown_multiplier_is_not_guessed() -> None:
    plan = tuple(replace(planned, multiplier=None) for planned in samples.BROKEN_PLAN)
    snapshot = replace(samples.TROUBLE, strategies=(replace(samples.BROKEN, plan=plan),))
    assert sum_text((closing(BROKEN, snapshot),)).endswith("There is no price to estimate it by.")


def test_closing_a_position_is_one_order_the_other_way() -> None:
    found = closing(Target(kind=Kind.BARRIER, id="kraken-1"))
    assert [(one.side.value, one.quantity) for one in found.lines] == [("SELL", Decimal("0.125"))]
    assert found.notes == ("The stop resting at 86,640.00 is cancelled.",)
    assert sum_text((found,)) == "1 order: sells 0.125 BTC-USD."


def test_closing_a_short_buys() -> None:
    found = closing(Target(kind=Kind.BARRIER, id="kraken-2"))
    assert found.lines[0].side.value == "BUY"


def test_closing_an_allocation_sells_and_releases() -> None:
    found = closing(Target(kind=Kind.SET, id="BTCUSDT"))
    assert found.lines[0].quantity == Decimal("0.00357")
    assert "333.30 reserved for BTCUSDT is released." in found.notes
    assert "brings about 340.62" in sum_text((found,))


def test_a_set_without_a_position_has_nothing_to_close() -> None:
    assert closing(Target(kind=Kind.SET, id="BNBUSDT")).lines == ()


def test_everything_is_every_desk_and_says_what_it_leaves() -> None:
    names = [one.name for one in closing_of_all(samples.EVERYTHING)]
    assert names == ["QQQ-PCS-2", "SPY-IC-1", "BTC-USD", "ETH-USD", "SOL-USD", "BTCUSDT"]
    assert left_alone(samples.EVERYTHING) == ("LTC-USD at kraken stays: nobody guards it",)


def test_a_sheet_that_may_not_send_says_why() -> None:
    broken = (closing(BROKEN),)
    view = up(samples.TROUBLE)
    assert why_not_send(view, broken) is None
    refusals = (
        replace(view, read_only=True),
        replace(view, link=LinkState.LOST),
        up(replace(samples.TROUBLE, armed=False)),
    )
    reasons = [why_not_send(refusal, broken) or "" for refusal in refusals]
    assert ["read-only" in reasons[0], "LOST" in reasons[1], "DISARMED" in reasons[2]] == [True] * 3
    nothing = closing(Target(kind=Kind.STRATEGY, id="AAPL-CC"))
    assert "nothing to close" in (why_not_send(view, (nothing,)) or "")


# --- reset ---------------------------------------------------------------------------------------


def test_a_reset_says_what_goes_what_stays_and_why() -> None:
    text = "\n".join(texts(reset_rows(samples.ALLOCATION, width=90)))
    released, kept = text.split("Kept")
    assert "ETHUSDT" in released
    assert "BTCUSDT" in kept
    assert "0.00357 is held between its OCO" in kept
    assert reset_sum(samples.ALLOCATION) == (
        "333.30 goes back to what is available; 333.30 stays reserved."
    )


def test_force_says_what_stays_tracked() -> None:
    assert forced_sum(samples.ALLOCATION) == (
        "All 666.60 reserved is released. Positions in BTCUSDT stay tracked and count against "
        "what is available."
    )


# --- guarding ------------------------------------------------------------------------------------


def test_percents_become_fractions_and_times_seconds() -> None:
    wish = read({STOP: "5", TARGET: "10 %", TRAIL_FROM: "3", TRAIL_GAP: "0.5", TIME: "4h"})
    sent = wish_for(samples.POSITIONS[3], wish)
    assert wish.fault == ""
    assert (sent.stop_loss, sent.take_profit) == ("0.05", "0.1")
    assert (sent.trailing_activation, sent.trailing_delta) == ("0.03", "0.005")
    assert sent.time_limit_seconds == 14_400


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({}, "at least one"),
        ({STOP: "-1"}, "Stop loss"),
        ({STOP: "abc"}, "Stop loss"),
        ({STOP: "1E+9"}, "Stop loss"),
        ({TRAIL_FROM: "3"}, "needs both"),
        ({TIME: "soon"}, "Time limit"),
        ({TIME: "400d"}, "Time limit"),
    ],
)
def test_what_cannot_be_a_barrier_is_said(typed: dict[str, str], fault: str) -> None:
    assert fault in read(typed).fault


def test_the_preview_shows_prices_on_the_right_side_of_a_short() -> None:
    position = samples.POSITIONS[3]
    rows = texts(preview_rows(position, read({STOP: "5", TARGET: "10"}), width=90))
    assert "closes at 103.32" in rows[1]
    assert "-59.04" in rows[1]
    assert "closes at 88.56" in rows[2]


def test_a_barrier_that_is_reached_already_is_said() -> None:
    position = replace(samples.POSITIONS[3], mark_price=Decimal("110"))
    rows = texts(preview_rows(position, read({STOP: "5"}), width=90))
    assert "at once" in rows[1]


# --- details -------------------------------------------------------------------------------------


def scene(
    snapshot: Snapshot,
    *,
    width: int = 90,
    entries: tuple[JournalEntry, ...] | None = journal.ENTRIES,
) -> Scene:
    tracks = Tracks()
    tracks.add(snapshot)
    return Scene(picture=snapshot, tracks=tracks, width=width, height=30, journal=entries)


def page(topic: Topic, wanted: str, snapshot: Snapshot = samples.EVERYTHING) -> str:
    found = detail_rows(About(topic=topic, id=wanted), scene(snapshot))
    assert found is not None
    return "\n".join((found[0], *texts(found[1])))


def test_details_of_a_strategy_hold_legs_plan_orders_and_history() -> None:
    text = page(Topic.STRATEGY, "IWM-IC-4")
    for part in ("► CLOSING", "DU1234567 at ibkr", "WORKING", "waits for the short leg"):
        assert part in text
    assert "engine 0.1.0 started" in text


def test_advice_is_shown_as_advice() -> None:
    advised = replace(samples.INTACT, advice=("exercising the 380 put beats selling it",))
    snapshot = replace(samples.CALM, strategies=(advised,))
    assert "exercising the 380 put" in page(Topic.STRATEGY, "QQQ-PCS-2", snapshot)


def test_details_of_a_position_hold_its_lines_and_who_set_them() -> None:
    text = page(Topic.BARRIER, "kraken-1")
    for part in (
        "+271.24 net",
        "gross +276.94, fees 5.70",
        "86,640.00   -7.25% from here, -846.94",
        "turns on beyond 93,936.00",
        "at the venue, at 86,640.00",
        "the assignment manager of kraken",
        "100,320.00 target",
    ):
        assert part in text


def test_details_of_a_set_hold_funds_signal_bracket_and_what_a_reset_does() -> None:
    text = page(Topic.SET, "BTCUSDT")
    for part in (
        "333.30 in position",
        "keeps it: 0.00357",
        "order 12345",
        "5.00 buys",
        "0.00 sells",
    ):
        assert part in text


def test_details_of_an_order_hold_its_client_id() -> None:
    text = page(Topic.ORDER, "o-1")
    assert "1 of 3" in text
    assert "o-1" in text


def test_details_exist_for_whatever_can_be_selected() -> None:
    place = "ibkr/DU1234567/QQQ"
    assert "nothing explains it" in page(Topic.DIFFERENCE, place)
    assert "Nothing is sent now." in page(Topic.CANDIDATE, "TLT-VS-1")
    assert "b sets them" in page(Topic.POSITION, "kraken/main/PF_LTCUSD")
    assert "How it is known" in page(Topic.ASSIGNMENT, "as-1")
    assert "The whole story" in page(Topic.ALERT, "al-1")


def test_details_of_what_is_gone_are_none() -> None:
    assert detail_rows(About(topic=Topic.STRATEGY, id="X"), scene(samples.CALM)) is None
    assert detail_rows(About(topic=Topic.SET, id="X"), scene(samples.EVERYTHING)) is None


def abouts(snapshot: Snapshot) -> list[About]:
    assert snapshot.allocation is not None
    return [
        *(About(topic=Topic.STRATEGY, id=one.id) for one in snapshot.strategies),
        *(About(topic=Topic.ALERT, id=one.id) for one in snapshot.alerts),
        *(About(topic=Topic.ASSIGNMENT, id=one.id) for one in snapshot.assignments),
        *(About(topic=Topic.ORDER, id=one.id) for one in snapshot.orders),
        *(About(topic=Topic.BARRIER, id=one.id) for one in snapshot.barriers),
        *(About(topic=Topic.CANDIDATE, id=one.id) for one in snapshot.candidates),
        *(About(topic=Topic.SET, id=one.symbol) for one in snapshot.allocation.sets),
    ]


@pytest.mark.parametrize("width", [30, 54, 90, 140])
@pytest.mark.parametrize(
    "snapshot", [samples.EVERYTHING, samples.HOSTILE], ids=["everything", "hostile"]
)
def test_details_and_help_keep_their_width(width: int, snapshot: Snapshot) -> None:
    hostile = (replace(journal.ENTRIES[0], text=samples.HOSTILE_TEXT),)
    rows: list[Row] = []
    for about in abouts(snapshot):
        found = detail_rows(about, scene(snapshot, width=width, entries=hostile))
        assert found is not None
        rows += found[1]
    rows += help_rows(width, Where.DESK, STANDARD)
    for row in rows:
        assert row.text == "" or cell_len(row.text) == width
        assert row.text.isprintable()
