"""Rows are what the snapshot says: marks, words, widths and order, without any widget."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len

from engine.desk.facts import VenueState
from engine.desk.snapshot import Snapshot, StrategyStatus
from tests.tui import samples
from tui.rows.alerts import alert_blocks
from tui.rows.allocation import allocation_blocks
from tui.rows.barriers import Density, barrier_blocks
from tui.rows.bottom import bottom_row
from tui.rows.cells import Block, Row, Tone
from tui.rows.chrome import banner_row, footer_row, header_row, tabs_row
from tui.rows.figures import age, clock, left, percent, price, quantity, short_money
from tui.rows.orders import in_order, order_blocks, order_head
from tui.rows.strategies import strategy_blocks, strategy_head
from tui.rows.worst import window_title
from tui.view import LinkState, View


def drawn(blocks: Iterable[Block]) -> list[Row]:
    """Every row; each item draws as many as it said."""
    rows: list[Row] = []
    for block in blocks:
        own = block.draw()
        assert len(own) == block.height
        rows += own
    return rows


def texts(blocks: Iterable[Block]) -> list[str]:
    return [row.text for row in drawn(blocks)]


def up(snapshot: Snapshot) -> View:
    return View(picture=snapshot, link=LinkState.UP)


# --- strategies ----------------------------------------------------------------------------------


def test_trouble_stands_above_what_is_intact() -> None:
    keys = [block.key for block in strategy_blocks(samples.TROUBLE, width=78)]
    assert keys == ["SPY-IC-1", "IWM-IC-4", "QQQ-PCS-2", "AAPL-CC"]


def test_a_broken_leg_says_so_in_a_word_and_shows_what_is_held() -> None:
    rows = drawn(strategy_blocks(samples.TROUBLE, width=78))
    missing = next(row for row in rows if "missing" in row.text)
    assert missing.text.split() == [
        "×", "missing", "P", "440", "18Dec26", "-2", "0", "6.35", "6.41",
    ]  # fmt: skip
    assert Tone.BAD in {span.tone for span in missing.spans}


def test_strategy_line_carries_status_days_shares_and_price() -> None:
    head = texts(strategy_blocks(samples.TROUBLE, width=78))[0]
    assert head.split() == [
        "▲", "BROKEN", "SPY-IC-1", "iron", "condor", "28", "+200", "sh", "SPY", "439.10",
    ]  # fmt: skip


def test_an_intact_strategy_shows_no_reason_line() -> None:
    intact = replace(samples.CALM, strategies=(replace(samples.INTACT, reason="all well"),))
    assert not any("all well" in text for text in texts(strategy_blocks(intact, width=78)))


def test_working_and_held_orders_stand_under_their_strategy() -> None:
    shown = texts(strategy_blocks(samples.TROUBLE, width=78))
    assert any("► WORKING" in text and "1/3" in text for text in shown)
    assert any("! HELD" in text and "waits for the short leg" in text for text in shown)


def test_rows_of_a_venue_that_is_not_ready_are_stale() -> None:
    down = replace(samples.IBKR, state=VenueState.DOWN)
    rows = drawn(strategy_blocks(replace(samples.CALM, venues=(down,)), width=78))
    assert rows[0].stale


def test_closed_strategies_fold_their_legs() -> None:
    closed = replace(samples.BROKEN, status=StrategyStatus.CLOSED)
    rows = texts(strategy_blocks(replace(samples.CALM, strategies=(closed,)), width=78))
    assert not any("18Dec26" in text for text in rows)


def test_without_room_only_trouble_keeps_its_legs() -> None:
    blocks = strategy_blocks(samples.TROUBLE, width=78, height=6)
    heights = {block.key: block.height for block in blocks}
    assert heights["QQQ-PCS-2"] == heights["AAPL-CC"] == 1
    assert heights["SPY-IC-1"] == 6


def test_a_person_may_have_every_leg_or_short_rows() -> None:
    full = strategy_blocks(samples.CALM, width=78, height=2, density=Density.FULL)
    dense = strategy_blocks(samples.CALM, width=78, height=99, density=Density.DENSE)
    assert [block.height for block in full] == [3, 2]
    assert [block.height for block in dense] == [1, 1]


def test_what_is_declared_nowhere_stands_last_with_the_key_that_helps() -> None:
    rows = texts(strategy_blocks(samples.EVERYTHING, width=90))
    assert "? FOUND" in rows[-2]
    assert "A adopts it" in rows[-2]
    assert "≠ DIFFERS" in rows[-1]
    assert "want 0 held +100" in rows[-1]


def test_a_filter_keeps_what_contains_it_in_any_case() -> None:
    keys = {b.key for b in strategy_blocks(samples.TROUBLE, width=78, filter_text="qQq")}
    assert keys == {"QQQ-PCS-2"}


@pytest.mark.parametrize("density", Density)
@pytest.mark.parametrize("width", [40, 58, 66, 78, 118, 200])
@pytest.mark.parametrize(
    "snapshot", [samples.EVERYTHING, samples.HOSTILE], ids=["everything", "hostile"]
)
def test_every_row_is_exactly_as_wide_as_its_pane(
    width: int, snapshot: Snapshot, density: Density
) -> None:
    panes = [
        strategy_blocks(snapshot, width=width, density=density),
        alert_blocks(snapshot, width=width),
        barrier_blocks(snapshot, width=width, density=density),
        allocation_blocks(snapshot, width=width, density=density),
        order_blocks(snapshot, width=width),
    ]
    for pane in panes:
        for row in drawn(pane):
            assert cell_len(row.text) == width, row.text
            assert row.text.isprintable()
    assert cell_len(strategy_head(width).text) == cell_len(order_head(width).text) == width


# --- alerts and orders ---------------------------------------------------------------------------


def test_orders_under_way_stand_above_alerts_and_assignments_newest_first() -> None:
    keys = [block.key for block in alert_blocks(samples.TROUBLE, width=78)]
    assert keys == [
        "order:o-3", "order:o-1",
        "alert:al-1", "assignment:as-1", "alert:al-2", "alert:al-3", "assignment:as-0",
    ]  # fmt: skip


def test_an_alert_of_another_day_shows_the_day() -> None:
    assert "19 Nov" in texts(alert_blocks(samples.TROUBLE, width=78))[-1]


def test_alerts_take_more_lines_where_the_pane_is_narrow() -> None:
    alert = next(b for b in alert_blocks(samples.TROUBLE, width=44) if b.key == "alert:al-1")
    assert alert.height == 3
    assert "early" in alert.draw()[2].text


def test_open_orders_come_before_those_that_are_over() -> None:
    states = [order.state.value for order in in_order(samples.TROUBLE)]
    assert states == ["WORKING", "HELD", "FILLED"]


# --- chrome --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "shown"), [("demo", "◊ DEMO"), ("paper", "□ PAPER"), ("live", "■ LIVE")]
)
def test_the_mode_is_a_marked_word_in_its_own_tone(mode: str, shown: str) -> None:
    row = header_row(up(replace(samples.CALM, mode=mode)), width=100, clock="15:04:31")
    block = next(span for span in row.spans if shown in span.text)
    assert block.tone is Tone(mode)


def test_an_unknown_mode_is_treated_as_live() -> None:
    row = header_row(up(replace(samples.CALM, mode="real")), width=100, clock="")
    assert any(span.tone is Tone.LIVE and "? REAL" in span.text for span in row.spans)


def test_venues_that_do_not_fit_are_counted_and_the_worst_is_shown() -> None:
    venues = tuple(
        replace(samples.IBKR, name=f"venue{n}", state=state)
        for n, state in enumerate([VenueState.READY] * 5 + [VenueState.DOWN])
    )
    row = header_row(up(replace(samples.CALM, venues=venues)), width=78, clock="15:04:31")
    assert "venue5 × down" in row.text
    assert "+5 ● ready" in row.text or "+4 ● ready" in row.text


def test_a_venue_that_refuses_orders_is_not_simply_ready() -> None:
    venue = replace(samples.IBKR, can_trade=False)
    row = header_row(up(replace(samples.CALM, venues=(venue,))), width=100, clock="")
    assert "ibkr ● read-only" in row.text


def test_disarmed_and_a_silent_bell_are_words() -> None:
    view = replace(up(replace(samples.CALM, armed=False)), muted=True)
    row = header_row(view, width=100, clock="")
    assert "○ DISARMED" in row.text
    assert "muted" in row.text


def test_ages_grow_while_no_picture_comes() -> None:
    view = replace(up(samples.CALM), picture_age_seconds=7.0)
    assert "ready 7s" in header_row(view, width=100, clock="").text


def test_a_lost_engine_is_a_banner_with_the_age_of_the_picture() -> None:
    view = replace(up(samples.CALM), link=LinkState.LOST, picture_age_seconds=12.0, attempt=3)
    row = banner_row(view, width=100)
    assert row is not None
    assert "ENGINE LOST - reconnecting (attempt 3). This picture is 12s old." in row.text
    assert {span.tone for span in row.spans if span.text.strip()} == {Tone.ALARM}


def test_an_engine_that_sends_nothing_for_long_is_no_fresh_news() -> None:
    row = banner_row(replace(up(samples.CALM), picture_age_seconds=16.0), width=100)
    assert row is not None
    assert "NO NEWS" in row.text


@pytest.mark.parametrize("width", [58, 78, 98])
def test_tabs_show_counts_and_trouble_and_fit(width: int) -> None:
    row = tabs_row(samples.TROUBLE, 1, width=width)
    assert cell_len(row.text) == width
    assert "▲1" in row.text
    assert "4 Allocation" in row.text
    assert "…" not in row.text


@pytest.mark.parametrize("width", [58, 78, 118])
def test_the_footer_has_six_keys_and_fits(width: int) -> None:
    row = footer_row(up(samples.CALM), width=width)
    assert " ".join(row.text.split()) == "x close X close all a ack d disarm ? help q detach"


def test_keys_that_do_nothing_now_are_dim_in_the_footer() -> None:
    row = footer_row(replace(up(samples.CALM), read_only=True), width=78)
    assert next(span for span in row.spans if span.text == " x ").tone is Tone.MUTED


# --- the bottom line and the title ---------------------------------------------------------------


def test_a_new_critical_alert_comes_first_with_the_keys_that_help() -> None:
    text = bottom_row(up(samples.TROUBLE), width=118).text
    assert "▲ 15:04:22 SPY-IC-1 is broken" in text
    assert text.rstrip().endswith("x closes, a acknowledges")


def test_a_disarmed_engine_says_so_when_nothing_is_worse() -> None:
    assert "d arms" in bottom_row(up(replace(samples.CALM, armed=False)), width=118).text


def test_a_calm_desk_says_what_is_well_and_what_happened_last() -> None:
    calm = replace(samples.CALM, barriers=samples.BARRIERS, allocation=samples.ALLOCATION)
    text = bottom_row(up(calm), width=178).text
    assert "2 of 2 strategies intact, 3 positions between barriers, 1 of 3 sets in" in text
    assert "Last: 14:52:31 IWM-IC-4 expires in one day: closing" in text


def test_a_position_without_barriers_is_said_when_nothing_is_worse() -> None:
    text = bottom_row(up(replace(samples.CALM, positions=samples.POSITIONS)), width=118).text
    assert "1 perpetual held without barriers." in text
    assert "b guards it" in text


def test_a_barrier_that_needs_its_owner_comes_before_a_venue_that_is_down() -> None:
    stuck = replace(samples.BARRIERS[0], state="ATTENTION", reason="the venue refuses the close")
    down = replace(samples.IBKR, state=VenueState.DOWN)
    text = bottom_row(up(replace(samples.CALM, barriers=(stuck,), venues=(down,))), width=118).text
    assert "! BTC-USD ATTENTION: the venue refuses the close" in text


def test_read_only_offers_no_keys_that_act() -> None:
    row = bottom_row(replace(up(samples.TROUBLE), read_only=True), width=118)
    assert "closes" not in row.text


@pytest.mark.parametrize(
    ("view", "title"),
    [
        (View(), "bulkhead: no picture yet"),
        (up(samples.TROUBLE), "1 BROKEN | bulkhead DEMO"),
        (up(samples.CALM), "all intact | bulkhead PAPER"),
        (up(replace(samples.CALM, mode="\x1b]0;x\x07")), "all intact | bulkhead ?"),
        (replace(up(samples.CALM), link=LinkState.LOST), "ENGINE LOST | bulkhead PAPER"),
        (
            up(replace(samples.CALM, barriers=(replace(samples.BARRIERS[0], state="ATTENTION"),))),
            "1 ATTENTION | bulkhead PAPER",
        ),
    ],
)
def test_the_window_title_is_the_worst_state_in_closed_words(view: View, title: str) -> None:
    assert window_title(view) == title


# --- figures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (price, 6.4, "6.40"),
        (price, 0.0125, "0.0125"),
        (price, Decimal("93415.5"), "93,415.50"),
        (price, None, "-"),
        (price, float("nan"), "-"),
        (quantity, Decimal("2E+2"), "200"),
        (quantity, Decimal("0.125"), "0.125"),
        (age, None, "never"),
        (age, 59.9, "59s"),
        (age, 3600, "1h"),
        (left, 45, "45s"),
        (left, 11_520, "3h12m"),
        (left, 200_000, "2d07h"),
        (left, -3, "0s"),
        (percent, Decimal("0.0243"), "+2.43%"),
        (short_money, Decimal("-1204.4"), "-1,204"),
        (short_money, 276.94, "+276.94"),
        (short_money, 12_300_000, "+12.3M"),
    ],
)
def test_figures_are_written_in_fixed_forms(
    write: Callable[[object], str], value: object, text: str
) -> None:
    assert write(value) == text


def test_times_of_today_are_times_and_others_are_days() -> None:
    assert clock(samples.NOW, samples.NOW) == "15:04:31"


@pytest.mark.parametrize("width", [58, 78])
def test_every_tab_is_named_also_when_the_counts_are_large(width: int) -> None:
    text = tabs_row(samples.many(1000), 1, width=width).text
    for name in ("Strategies", "Alerts", "Barriers", "Allocation"):
        assert name in text
    assert "▲1" in text
