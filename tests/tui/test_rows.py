"""Rows are what the snapshot says: marks, words, widths and order, without any widget."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len

from engine.desk.facts import VenueState
from engine.desk.snapshot import Snapshot, StrategyStatus
from tests.tui import samples
from tui.rows.alerts import alert_rows
from tui.rows.allocation import allocation_rows
from tui.rows.barriers import barrier_rows, gauge
from tui.rows.bottom import bottom_row
from tui.rows.cells import Row, Tone
from tui.rows.chrome import banner_row, footer_row, header_row, tabs_row
from tui.rows.details import detail_rows
from tui.rows.figures import age, clock, price, quantity
from tui.rows.help import help_rows
from tui.rows.sheets import plan_rows, sum_text, why_not_send
from tui.rows.strategies import strategy_head, strategy_rows
from tui.rows.worst import window_title
from tui.view import LinkState, View


def texts(rows: tuple[Row, ...]) -> list[str]:
    return [row.text for row in rows]


def up(snapshot: Snapshot) -> View:
    return View(picture=snapshot, link=LinkState.UP)


# --- strategies ----------------------------------------------------------------------------------


def test_trouble_stands_above_what_is_intact() -> None:
    keys = list(dict.fromkeys(row.key for row in strategy_rows(samples.TROUBLE, width=78)))
    assert keys == ["SPY-IC-1", "IWM-IC-4", "QQQ-PCS-2", "AAPL-CC"]


def test_a_broken_leg_says_so_in_a_word_and_shows_what_is_held() -> None:
    rows = strategy_rows(samples.TROUBLE, width=78)
    missing = next(row for row in rows if "missing" in row.text)
    assert missing.text.split() == [
        "×", "missing", "P", "440", "18Dec26", "-2", "0", "6.35", "6.41",
    ]  # fmt: skip
    assert Tone.BAD in {span.tone for span in missing.spans}


def test_strategy_line_carries_status_days_shares_and_price() -> None:
    head = strategy_rows(samples.TROUBLE, width=78)[0].text
    assert head.split() == [
        "▲", "BROKEN", "SPY-IC-1", "iron", "condor", "28", "+200", "sh", "SPY", "439.10",
    ]  # fmt: skip


def test_an_intact_strategy_shows_no_reason_line() -> None:
    intact = replace(samples.CALM, strategies=(replace(samples.INTACT, reason="all well"),))
    assert not any("all well" in text for text in texts(strategy_rows(intact, width=78)))


def test_working_and_held_orders_stand_under_their_strategy() -> None:
    shown = texts(strategy_rows(samples.TROUBLE, width=78))
    assert any("► WORKING" in text and "1/3" in text for text in shown)
    assert any("! HELD" in text and "waits for the short leg" in text for text in shown)


def test_rows_of_a_venue_that_is_not_ready_are_stale() -> None:
    down = replace(samples.IBKR, state=VenueState.DOWN)
    rows = strategy_rows(replace(samples.CALM, venues=(down,)), width=78)
    assert rows[0].stale


@pytest.mark.parametrize("width", [40, 58, 66, 78, 118, 200])
@pytest.mark.parametrize("snapshot", [samples.EVERYTHING, samples.HOSTILE])
def test_every_row_is_exactly_as_wide_as_its_pane(width: int, snapshot: Snapshot) -> None:
    for rows_of in (strategy_rows, alert_rows, barrier_rows, allocation_rows):
        for row in rows_of(snapshot, width=width):
            assert cell_len(row.text) == width, row.text
            assert row.text.isprintable()
    assert cell_len(strategy_head(width).text) == width


def test_a_filter_keeps_what_contains_it_in_any_case() -> None:
    keys = {row.key for row in strategy_rows(samples.TROUBLE, width=78, filter_text="qqq")}
    assert keys == {"QQQ-PCS-2"}


# --- alerts, barriers, allocation ----------------------------------------------------------------


def test_alerts_and_assignments_are_one_list_newest_first() -> None:
    keys = [row.key for row in alert_rows(samples.TROUBLE, width=78)]
    assert keys == ["alert:al-1", "assignment:as-1", "alert:al-2", "alert:al-3", "assignment:as-0"]


def test_an_alert_of_another_day_shows_the_day() -> None:
    assert "19 Nov" in alert_rows(samples.TROUBLE, width=78)[-1].text


def test_alerts_take_two_lines_where_the_pane_is_narrow() -> None:
    rows = alert_rows(samples.TROUBLE, width=44)
    assert rows[0].key == rows[1].key == "alert:al-1"


def test_the_price_stands_between_stop_and_profit() -> None:
    assert gauge(samples.BARRIERS[0], 12) == "├────●─────┤"
    beyond = replace(samples.BARRIERS[0], mark_price=Decimal("80000"))
    assert gauge(beyond, 12) == "├●─────────┤"


def test_a_short_gains_when_the_price_falls() -> None:
    assert "-2.85%" in barrier_rows(samples.EVERYTHING, width=78)[2].text


def test_bars_carry_their_figures() -> None:
    rows = texts(allocation_rows(samples.EVERYTHING, width=60))
    assert rows[0].split()[:3] == ["reserved", "666.60", "66.7%"]
    assert any("order 12345" in text for text in rows)


def test_no_allocation_desk_has_no_rows() -> None:
    assert allocation_rows(samples.TROUBLE, width=60) == ()


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


def test_disarmed_is_a_word() -> None:
    row = header_row(up(replace(samples.CALM, armed=False)), width=100, clock="")
    assert "○ DISARMED" in row.text


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


def test_a_calm_desk_says_it_is_intact() -> None:
    assert "2 of 2 strategies intact" in bottom_row(up(samples.CALM), width=118).text


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
    ],
)
def test_the_window_title_is_the_worst_state_in_closed_words(view: View, title: str) -> None:
    assert window_title(view) == title


# --- sheets and details --------------------------------------------------------------------------


def test_the_sheet_lists_every_order_of_the_plan_in_order() -> None:
    rows = texts(plan_rows((samples.BROKEN,), width=90))
    assert [row.split()[:3] for row in rows[::2]] == [
        ["1", "SELL", "200"],
        ["2", "BUY", "2"],
        ["3", "SELL", "2"],
        ["4", "SELL", "2"],
    ]
    assert "assigned shares" in rows[1]


def test_the_sum_says_what_all_orders_do_together() -> None:
    assert sum_text((samples.BROKEN,)) == (
        "4 orders: buys 2 contracts, sells 4 contracts and 200 shares. "
        "Together they bring about 88,598.00 at these prices."
    )


def test_an_unknown_multiplier_is_not_guessed() -> None:
    plan = tuple(replace(planned, multiplier=None) for planned in samples.BROKEN_PLAN)
    text = sum_text((replace(samples.BROKEN, plan=plan),))
    assert text.endswith("There is no price to estimate it by.")


def test_a_sheet_that_may_not_send_says_why() -> None:
    broken = (samples.BROKEN,)
    view = up(samples.TROUBLE)
    assert why_not_send(view, broken) is None
    refusals = (
        replace(view, read_only=True),
        replace(view, link=LinkState.LOST),
        up(replace(samples.TROUBLE, armed=False)),
    )
    reasons = [why_not_send(refusal, broken) or "" for refusal in refusals]
    assert ["read-only" in reasons[0], "LOST" in reasons[1], "DISARMED" in reasons[2]] == [True] * 3
    assert "nothing to close" in (why_not_send(view, (samples.COVERED_CALL,)) or "")


def test_details_of_a_strategy_hold_legs_plan_orders_and_history() -> None:
    found = detail_rows(samples.TROUBLE, 1, "IWM-IC-4", width=80, history=("15:00 seen",))
    assert found is not None
    text = "\n".join(texts(found[1]))
    for part in ("► CLOSING", "DU1234567 at ibkr", "WORKING", "waits for the short leg", "15:00"):
        assert part in text


def test_details_of_what_is_gone_are_none() -> None:
    assert detail_rows(samples.CALM, 1, "SPY-IC-1", width=80) is None


@pytest.mark.parametrize("width", [30, 54, 90])
def test_details_and_help_keep_their_width_even_with_hostile_text(width: int) -> None:
    strategy, alert = samples.HOSTILE.strategies[0], samples.HOSTILE.alerts[0]
    assignment = samples.HOSTILE.assignments[0]
    keys = ((1, strategy.id), (2, f"alert:{alert.id}"), (2, f"assignment:{assignment.id}"))
    pages = [detail_rows(samples.HOSTILE, pane, key, width=width) for pane, key in keys]
    for row in (*(row for page in pages if page for row in page[1]), *help_rows(width)):
        assert row.text == "" or cell_len(row.text) == width
        assert row.text.isprintable()


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
    ],
)
def test_figures_are_written_in_fixed_forms(
    write: Callable[[object], str], value: object, text: str
) -> None:
    assert write(value) == text


def test_times_of_today_are_times_and_others_are_days() -> None:
    assert clock(samples.NOW, samples.NOW) == "15:04:31"


def test_closed_strategies_fold_their_legs() -> None:
    closed = replace(samples.BROKEN, status=StrategyStatus.CLOSED)
    rows = strategy_rows(replace(samples.CALM, strategies=(closed,)), width=78)
    assert not any("18Dec26" in text for text in texts(rows))
