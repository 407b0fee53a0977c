"""Barriers and allocations as bars: where the price stands can be read off without any colour."""

from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len

from engine.desk.facts import OrderType
from engine.desk.snapshot import AssignmentKind, SetState
from tests.tui import samples
from tests.tui.test_rows import drawn, texts
from tui.rows.alerts import alert_blocks
from tui.rows.allocation import HELD, PROMISED, RESERVED, allocation_blocks, shares_of
from tui.rows.barriers import Density, bar, barrier_blocks, distance, gain, short_head
from tui.rows.cells import Tone
from tui.rows.chart import Level, chart_rows
from tui.rows.figures import score
from tui.rows.gauge import parts
from tui.rows.orders import order_blocks

LONG, SHORT, TRAILING = samples.BARRIERS


def drawn_bar(barrier: object, width: int) -> str:
    return "".join(span.text for span in bar(barrier, width))  # type: ignore[arg-type]


# --- a barrier's bar -----------------------------------------------------------------------------


def test_stop_entry_mark_and_target_stand_where_their_prices_are() -> None:
    plain = replace(LONG, trailing=None)
    assert drawn_bar(plain, 22) == "├──────┼══●══════════┤"


def test_a_price_beyond_its_stop_stands_on_it() -> None:
    beyond = replace(LONG, trailing=None, mark_price=Decimal("80000"))
    assert drawn_bar(beyond, 12) == "├●──┼══════┤"


def test_the_stop_of_a_short_stands_at_the_left_too() -> None:
    assert drawn_bar(SHORT, 22) == "├───●──┼═════════════┤"


def test_a_trailing_stop_is_an_open_mark_until_it_is_on() -> None:
    assert "◊" in drawn_bar(LONG, 40)
    assert "▲" in drawn_bar(TRAILING, 40)


def test_an_end_without_a_barrier_is_open() -> None:
    assert drawn_bar(TRAILING, 30).endswith("·")
    free = replace(LONG, stop_loss=None, take_profit=None, trailing=None)
    assert drawn_bar(free, 30)[0] == drawn_bar(free, 30)[-1] == "·"


def test_a_bar_without_a_mark_or_without_room_does_no_harm() -> None:
    assert "●" not in drawn_bar(replace(LONG, mark_price=None), 30)
    assert cell_len(drawn_bar(LONG, 3)) == 3
    assert drawn_bar(LONG, 0) == ""


# --- figures -------------------------------------------------------------------------------------


def test_distances_are_of_the_mark_and_in_money() -> None:
    to_stop = distance(LONG, LONG.stop_loss)
    assert to_stop is not None
    assert round(to_stop.share, 4) == -0.0725
    assert to_stop.money == Decimal("-846.9375")
    to_target = distance(SHORT, SHORT.take_profit)
    assert to_target is not None
    assert to_target.money == Decimal("1393.70")


def test_the_gain_is_net_of_fees() -> None:
    assert round(gain(LONG) or 0, 5) == 0.02379
    assert round(gain(replace(LONG, net=None)) or 0, 5) == 0.02429
    assert round(gain(replace(SHORT, net=None)) or 0, 5) == -0.02845


def test_a_long_row_tells_gain_distances_and_time_left() -> None:
    rows = texts(barrier_blocks(samples.EVERYTHING, width=90))
    assert rows[0].split() == [
        "●", "HOLDING", "BTC-USD", "LONG", "0.125", "@", "91,200.00",
        "93,415.50", "+2.38%", "+271.24",
    ]  # fmt: skip
    assert rows[1].split()[0] == "86,640.00"
    assert rows[1].split()[-1] == "100,320.00"
    for part in ("-7.25%", "-846.94", "trails from 93,936.00", "3h12m left", "+7.39%"):
        assert part in rows[2]


def test_without_room_each_position_is_one_line_under_heads() -> None:
    blocks = barrier_blocks(samples.EVERYTHING, width=118, height=5)
    assert [block.height for block in blocks] == [1, 1, 1, 1]
    row = texts(blocks)[0]
    for part in ("BTC-USD", "L 0.125", "93,415.50", "+2.38%", "-7.25%", "+7.39%", "3h12m"):
        assert part in row
    assert cell_len(short_head(118).text) == 118


def test_a_position_that_needs_its_owner_stands_first_with_its_reason() -> None:
    stuck = replace(SHORT, state="ATTENTION", reason="the venue refuses the close")
    snapshot = replace(samples.EVERYTHING, barriers=(LONG, stuck, TRAILING))
    blocks = barrier_blocks(snapshot, width=90)
    assert blocks[0].key == "kraken-2"
    assert "the venue refuses the close" in texts(blocks)[3]


def test_what_fired_stands_in_place_of_the_state() -> None:
    fired = replace(LONG, state="CLOSING", close_type="TRAILING_STOP")
    rows = texts(barrier_blocks(replace(samples.EVERYTHING, barriers=(fired,)), width=90))
    assert "► TRAILING " in rows[0]


def test_perpetuals_without_barriers_stand_last() -> None:
    last = texts(barrier_blocks(samples.EVERYTHING, width=78))[-1]
    assert last.split()[:4] == ["○", "unguarded", "LTC-USD", "SHORT"]
    assert last.split()[-1] == "+15.00"


# --- the account ---------------------------------------------------------------------------------


def test_totals_are_those_of_the_status_document() -> None:
    rows = texts(allocation_blocks(samples.EVERYTHING, width=60))
    assert rows[0].split() == [
        "666.60", "reserved", "of", "1,000.00", "USDT", "66.66%",
    ]  # fmt: skip
    assert rows[2].split()[:2] == ["available", "333.40"]


def test_each_kind_of_money_has_its_own_sign_and_figure() -> None:
    rows = texts(allocation_blocks(samples.EVERYTHING, width=100))
    account = rows[1]
    assert [account.count(sign) > 20 for sign in (HELD, RESERVED, PROMISED)] == [True] * 3
    assert account.index("BTC") < account.index("ETH") < account.index("BNB")
    legend = rows[3]
    for part in ("in position 333.30", "reserved 333.30", "promised 333.00", "free 0.40"):
        assert part in legend


def test_the_parts_of_a_bar_fill_it_and_none_that_is_there_is_lost() -> None:
    spans = parts(10, [(0.98, "a", Tone.PLAIN), (0.01, "b", Tone.PLAIN), (0.01, "c", Tone.PLAIN)])
    assert "".join(span.text for span in spans) == "aaaaaaaabc"


def test_a_set_that_waits_shows_how_far_its_score_is_from_its_threshold() -> None:
    waiting = replace(samples.SETS[1], state=SetState.WAITING, z_score=3.0, reserved=Decimal(0))
    snapshot = replace(samples.EVERYTHING, allocation=replace(samples.ALLOCATION, sets=(waiting,)))
    row = next(text for text in texts(allocation_blocks(snapshot, width=44)) if "buys at" in text)
    assert row.split()[:2] == ["z", "3.00"]
    assert row.rstrip().endswith("buys at 6.00")
    bar_text = row[row.index("├") : row.index("┤") + 1]
    assert abs(bar_text.index("●") - len(bar_text) // 2) <= 1


def test_a_set_in_position_shows_its_bracket_and_when_it_reverses() -> None:
    rows = texts(allocation_blocks(samples.EVERYTHING, width=60))
    at = next(n for n, text in enumerate(rows) if "BTCUSDT" in text)
    assert "+2.37%" in rows[at]
    assert rows[at + 1].split()[0] == "-4.27%"
    assert rows[at + 1].split()[-1] == "+12.34%"
    assert "sells at 0.00" in rows[at + 2]


def test_missing_bars_are_counted_before_the_first_score() -> None:
    assert any(
        "bar 43 of 100" in text for text in texts(allocation_blocks(samples.EVERYTHING, width=60))
    )


def test_a_reservation_whose_set_is_gone_is_still_shown() -> None:
    orphan = replace(samples.ALLOCATION, sets=samples.SETS[1:])
    blocks = allocation_blocks(replace(samples.EVERYTHING, allocation=orphan), width=60)
    assert blocks[-1].key == "BTCUSDT"
    assert "order 12345" in texts(blocks)[-1]


def test_shares_never_count_money_twice() -> None:
    for one in samples.SETS:
        share = shares_of(one, samples.ALLOCATION)
        assert round(sum(share), 2) in (333.0, 333.3)


def test_no_allocation_desk_has_no_rows() -> None:
    assert allocation_blocks(samples.TROUBLE, width=60) == ()


def test_dense_sets_are_one_line_each() -> None:
    blocks = allocation_blocks(samples.EVERYTHING, width=60, density=Density.DENSE)
    assert [block.height for block in blocks if block.key] == [1, 1, 1]
    assert "z   2.41/5.00" in "\n".join(texts(blocks))


# --- charts --------------------------------------------------------------------------------------

LEVELS = (
    Level(value=110, label="110 target", tone=Tone.GOOD),
    Level(value=90, label="90 stop", tone=Tone.BAD),
)


def test_a_chart_draws_the_line_between_its_levels() -> None:
    rows = chart_rows([(n, 100 + n % 2) for n in range(30)], LEVELS, width=80, height=10)
    assert len(rows) == 10
    assert rows[0].text.rstrip().endswith("110 target")
    assert rows[8].text.rstrip().endswith("90 stop")
    middle = "".join(row.text for row in rows[3:6])
    assert "●" in middle
    assert "29s ago" in rows[-1].text


def test_zoomed_the_price_alone_makes_the_scale() -> None:
    rows = chart_rows(
        [(n, 100 + n / 10) for n in range(30)], LEVELS, width=80, height=10, zoom=True
    )
    assert "↑110 target" in rows[0].text
    assert "↓90 stop" in rows[8].text
    assert "●" in rows[0].text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_chart_is_as_wide_as_asked_or_not_there(width: int) -> None:
    rows = chart_rows([(0, 1.0), (1, 1.0)], LEVELS, width=width, height=9)
    assert all(cell_len(row.text) == width for row in rows)
    assert bool(rows) is (width >= 60)


def test_where_labels_do_not_fit_the_price_of_now_is_not_the_one_that_is_cut() -> None:
    levels = [
        Level(value=64_309.32, label="64,309.32 take profit", tone=Tone.GOOD),
        Level(value=60_000, label="60,000.00 stop", tone=Tone.BAD),
    ]
    rows = chart_rows([(0.0, 64_309.1), (9.0, 64_309.2)], levels, width=80, height=9)
    (text,) = [row.text for row in rows if "take" in row.text]
    assert "● 64,309.20, 64,309.32 take" in text


def test_a_chart_of_scores_is_written_as_scores_are() -> None:
    rows = chart_rows([(0.0, 0.1), (9.0, 0.698677)], [], width=80, height=9, written=score)
    assert any("● 0.70" in row.text for row in rows)


def test_an_assigned_position_between_barriers_is_guarded_and_no_longer_waits() -> None:
    barrier = samples.BARRIERS[1]
    taken = replace(
        samples.ASSIGNMENTS[0],
        kind=AssignmentKind.ASSIGNEE,
        type=None,
        instrument=barrier.instrument,
        strategy_id=barrier.id,
    )
    snapshot = replace(samples.EVERYTHING, assignments=(taken,))
    (shown,) = [one for one in texts(alert_blocks(snapshot, width=78)) if "ASSIGNEE" in one]
    assert "● ASSIGNEE" in shown
    assert "guarded" in shown
    assert f"{barrier.instrument} short" in shown
    gone = replace(snapshot, barriers=())
    (shown,) = [one for one in texts(alert_blocks(gone, width=78)) if "ASSIGNEE" in one]
    assert "waiting" in shown


def test_orders_show_what_is_filled_and_the_whole_price_also_when_long() -> None:
    order = replace(
        samples.ORDERS[0],
        instrument="BTC-USD",
        quantity=Decimal("0.0052947"),
        filled=Decimal("0.0052947"),
        type=OrderType.STOP,
        stop_price=Decimal("159485.10"),
    )
    snapshot = replace(samples.EMPTY, orders=(order,))
    (text,) = texts(order_blocks(snapshot, width=78))
    assert text.split()[-3:] == ["0.0052947", "stop", "159,485.10"]


def test_a_chart_without_any_price_says_so() -> None:
    assert "No price" in chart_rows([], (), width=80, height=9)[0].text


def test_rows_are_drawn_only_when_they_are_asked_for() -> None:
    blocks = barrier_blocks(samples.many(50), width=118)
    assert len(blocks) == 50
    assert len(drawn(blocks[:1])) == 3
