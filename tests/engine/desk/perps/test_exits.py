"""The way out of a guarded position: sweeps, resting limits, stops, and everything that fails."""

from datetime import timedelta
from typing import Any

import pytest

from engine.desk.facts import (
    ArmedChanged,
    CloseType,
    DeadlinePassed,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderType,
    TimeInForce,
)
from engine.desk.intents import Purpose, Severity
from engine.desk.perps.definitions import CloseOrderType
from engine.desk.snapshot import AssignmentState
from tests.engine.desk.perps.perps_world import BTC, ETH, VENUE, D, World, manager

AT_ONCE = manager(at_once=True)
STOPPED = manager(stop_loss=D("0.05"), take_profit=D("0.1"))
LIMIT = CloseOrderType.LIMIT


def bare(**barriers: Any) -> World:
    """Two assigned at 100 behind a stop of 5% that only the engine knows."""
    world = World(manager(**{"stop_loss": D("0.05"), "resident_stop": False, **barriers}))
    world.assigned(2)
    return world


def stopped() -> World:
    """Two assigned at 100, with a stop at 95 resting at the venue."""
    world = World(STOPPED)
    world.assigned(2)
    assert [o.intent.purpose for o in world.exchange.working()] == [Purpose.RESIDENT_STOP]
    return world


# --- at market ---------------------------------------------------------------------------------


def test_a_market_close_is_an_immediate_limit_at_the_worst_price_accepted() -> None:
    world = bare(slippage_buffer=D("0.01"))
    world.quote(95, 95.02)
    (order,) = world.exchange.all()
    assert order.terms.time_in_force is TimeInForce.IOC
    assert order.terms.order_type is OrderType.LIMIT
    assert order.terms.limit_price == D("94.05")
    assert order.intent.purpose is Purpose.BARRIER_EXIT
    assert order.intent.reason == "STOP_LOSS at 95"


def test_the_remainder_is_swept_until_nothing_is_left() -> None:
    world = bare()
    world.exchange.depth = D("1.2")
    world.quote(95)
    assert world.closes() == ["SELL 2 BTC-USD", "SELL 0.8 BTC-USD"]
    assert world.held() == 0
    view = world.barrier()
    assert (view.state, view.quantity, view.gross) == ("CLOSED", D(0), D(-10))


def test_a_close_that_finds_no_buyer_is_tried_again_less_and_less_often_and_for_ever() -> None:
    world = bare()
    world.exchange.depth = D(0)
    world.quote(95)
    assert len(world.closes()) == 1
    world.later(0.9)
    assert len(world.closes()) == 1
    for total, seconds in ((2, 0.2), (3, 2.1), (4, 4.1), (5, 8.1), (6, 16.1), (7, 30.1)):
        world.later(seconds)
        assert len(world.closes()) == total
    world.later(3600)
    assert 7 + 118 <= len(world.closes()) <= 7 + 120
    assert len(world.asked) == len(world.closes())
    assert world.barrier().state == "ATTENTION"
    loud = [a for a in world.alerts if a.severity is Severity.CRITICAL and "close" in a.title]
    assert len(loud) == 2
    world.exchange.depth = None
    world.later(30)
    assert world.held() == 0
    assert world.barrier().state == "CLOSED"


def test_a_refused_close_reads_the_position_and_finds_it_flat() -> None:
    world = bare()
    world.exchange.positions[BTC] = D(0)
    world.quote(95)
    assert world.closes() == ["SELL 2 BTC-USD"]
    world.later(10)
    assert world.closes() == ["SELL 2 BTC-USD"]
    view = world.barrier()
    assert (view.state, view.quantity) == ("CLOSED", D(0))
    assert "nothing of it was held" in view.reason


def test_a_close_that_is_out_is_not_joined_by_another() -> None:
    world = World(AT_ONCE)
    world.exchange.answers = "silent"
    world.assigned(2)
    world.assigned(1)
    world.later(9)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.events()[1].state is AssignmentState.CLOSING


def test_a_part_below_the_step_is_left_and_said() -> None:
    world = World(AT_ONCE)
    world.assigned(2.25)
    assert world.closes() == ["SELL 2.2 BTC-USD"]
    world.later(60)
    assert world.closes() == ["SELL 2.2 BTC-USD"]
    assert world.events()[0].state is AssignmentState.CLOSED


def test_a_person_who_closes_meanwhile_takes_the_close_back() -> None:
    world = World(manager(at_once=True, order_type=CloseOrderType.LIMIT))
    world.exchange.depth = D(0)
    world.assigned(2)
    assert len(world.exchange.working()) == 1
    world.happens(ExecutionOrigin.HAND, -2)
    assert world.exchange.working() == []
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.events()[0].state is AssignmentState.CLOSED


def test_a_close_that_has_not_gone_out_follows_the_position() -> None:
    world = World(AT_ONCE)
    world.quote(None)
    world.assigned(2)
    world.happens(ExecutionOrigin.HAND, -0.5)
    assert world.closes() == []
    guard = next(iter(world.desk.perps.guards.open))
    assert guard.waits == "no bid for BTC-USD: no price is put on it blind"
    world.quote(100)
    assert world.closes() == ["SELL 1.5 BTC-USD"]


def test_two_instruments_are_closed_at_the_same_time() -> None:
    world = World(AT_ONCE)
    world.exchange.answers = "silent"
    world.assigned(2)
    world.assigned(3, instrument=ETH)
    assert world.closes() == ["SELL 2 BTC-USD", "SELL 3 ETH-USD"]


def test_a_link_that_comes_back_is_used_at_once() -> None:
    world = bare()
    world.exchange.depth = D(0)
    world.quote(95)
    world.later(40)
    before = len(world.closes())
    world.exchange.depth = None
    world.disconnect()
    world.connect()
    assert len(world.closes()) == before + 1
    assert world.held() == 0


def test_our_own_fill_whose_row_comes_first_shrinks_nothing() -> None:
    world = bare()
    world.exchange.answers = "silent"
    world.quote(95)
    (order,) = world.exchange.all()
    world.exchange.fill(order, D(2), D(95), world.now)
    world.row()
    assert world.barrier().quantity == 2
    world.tell(ExecutionReported(venue=VENUE, execution=world.exchange.executions[-1]))
    view = world.barrier()
    assert (view.state, view.quantity, view.gross) == ("CLOSED", D(0), D(-10))
    assert world.lines == []


def test_a_fill_that_history_tells_late_is_not_taken_for_somebody_elses() -> None:
    world = bare()
    world.exchange.answers = "silent"
    world.quote(95)
    (order,) = world.exchange.all()
    world.exchange.fill(order, D(2), D(95), world.now)
    late = world.exchange.executions.pop()
    world.row()
    world.exchange.answers = "told"
    world.later(3)
    assert len(world.asked) == 1
    world.exchange.executions.append(late)
    world.later(60)
    assert [event.kind for event in world.events()] == ["ASSIGNEE"]
    assert world.barrier().state == "CLOSED"
    assert world.barrier().gross == -10


# --- resting limits ----------------------------------------------------------------------------


def test_a_limit_close_rests_at_the_touch_and_is_priced_anew_when_it_is_old() -> None:
    world = World(manager(at_once=True, order_type=CloseOrderType.LIMIT, max_order_age_seconds=20))
    world.exchange.depth = D("0.5")
    world.quote(100, 100.5)
    world.assigned(2)
    world.exchange.depth = D(0)
    (order,) = world.exchange.all()
    assert (order.terms.limit_price, order.terms.time_in_force) == (D(100), TimeInForce.GTC)
    world.quote(99, 99.5)
    world.later(19.9)
    assert len(world.exchange.all()) == 1
    world.later(0.2)
    first, second = world.exchange.all()
    assert first.report is OrderReport.CANCELLED
    assert (second.intent.quantity, second.terms.limit_price) == (D("1.5"), D(99))
    assert world.barrier_count() == 0
    world.exchange.depth = None
    world.quote(99)
    assert world.held() == 0
    assert not [a for a in world.alerts if "close" in a.title and a.severity is Severity.CRITICAL]


def test_an_emergency_close_does_not_wait_at_the_touch() -> None:
    world = World(manager(at_once=True, order_type=CloseOrderType.LIMIT))
    world.exchange.depth = D(0)
    world.assigned(2)
    world.exchange.depth = None
    world.quote(99, 101)
    assert world.held() == 2
    name = world.events()[0].strategy_id
    assert name is not None
    assert world.close(name).ok
    assert world.held() == 0
    assert world.exchange.all()[-1].terms.time_in_force is TimeInForce.IOC


# --- unknown outcomes --------------------------------------------------------------------------


def test_a_close_that_timed_out_but_was_filled_is_found_and_not_repeated() -> None:
    world = bare()
    world.exchange.answers = "timeout"
    world.quote(95)
    world.exchange.answers = "told"
    world.later(60)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.held() == 0
    assert world.barrier().state == "CLOSED"


def test_a_close_that_timed_out_part_filled_leaves_the_remainder_to_the_next() -> None:
    world = bare()
    world.exchange.depth = D("1.2")
    world.exchange.answers = "timeout"
    world.quote(95)
    world.exchange.answers, world.exchange.depth = "told", None
    world.later(60)
    assert world.closes() == ["SELL 2 BTC-USD", "SELL 0.8 BTC-USD"]
    assert world.held() == 0


def test_a_close_that_never_arrived_goes_out_again_under_the_same_id() -> None:
    world = bare()
    world.exchange.answers = "lost"
    world.asks_answered = False
    world.quote(95)
    assert world.barrier().state == "CLOSING"
    world.later(1)
    world.exchange.answers = "told"
    world.asks_answered = True
    world.later(5)
    first, second = world.orders
    assert first.client_order_id == second.client_order_id
    assert world.held() == 0


def test_a_venue_that_loses_order_after_order_is_not_hammered() -> None:
    world = bare()
    world.exchange.answers = "lost"
    world.quote(95)
    world.later(60)
    assert len({order.client_order_id for order in world.orders}) == 1
    assert 4 <= len(world.orders) <= 8


def test_a_lost_close_is_not_sent_again_when_nobody_proves_it_absent() -> None:
    world = bare()
    world.exchange.answers = "silent"
    world.asks_answered = False
    world.quote(95)
    world.later(600)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert len(world.asked) > 10


# --- the resident stop -------------------------------------------------------------------------


def test_a_stop_rests_at_the_venue_while_the_position_is_guarded() -> None:
    world = stopped()
    (stop,) = world.exchange.working()
    assert (stop.terms.order_type, stop.terms.stop_price) == (OrderType.STOP, D(95))
    assert stop.intent.quantity == 2
    assert world.barrier().resident_stop == 95
    world.later(86_400 / 48)
    assert len(world.orders) == 1


def test_the_stop_protects_until_the_close_took_all_and_then_goes() -> None:
    world = stopped()
    world.exchange.depth = D("0.5")
    world.quote(110)
    stop, *closes = world.exchange.all()
    assert [close.filled for close in closes] == [D("0.5")] * 4
    assert world.exchange.cancels == [stop.intent.client_order_id]
    assert stop.report is OrderReport.CANCELLED
    assert {close.intent.reason for close in closes} == {"TAKE_PROFIT at 110"}
    assert world.barrier().state == "CLOSED"


def test_a_close_that_fails_leaves_its_stop_protecting() -> None:
    world = stopped()
    world.exchange.answers = "lost"
    world.asks_answered = False
    world.quote(110)
    world.later(30)
    assert world.exchange.cancels == []
    assert world.barrier().resident_stop == 95
    world.exchange.answers = "told"
    world.asks_answered = True
    world.later(30)
    assert world.held() == 0
    assert world.exchange.working() == []


def test_beside_what_is_to_stay_the_stop_is_taken_back_before_the_close_goes_out() -> None:
    """Both together could sell four of the five."""
    world = World(STOPPED, held={BTC: D(3)})
    world.assigned(2)
    world.quote(110)
    assert world.closes() == ["SELL 2 BTC-USD"]
    stop, close = world.exchange.all()
    assert (stop.report, stop.filled) == (OrderReport.CANCELLED, D(0))
    assert close.intent.reason.startswith("TAKE_PROFIT at 110")
    assert "resident stop was taken back 0.0" in close.intent.reason
    assert world.barrier().state == "CLOSED"
    assert world.held() == 3


def test_what_is_assigned_beside_a_close_that_is_out_has_the_old_stop_taken_back() -> None:
    world = World(manager(take_profit=D("0.1"), stop_loss=D("0.05"), order_type=LIMIT))
    world.assigned(2)
    world.exchange.depth = D(0)
    world.quote(110, 112)
    assert len(world.exchange.working(Purpose.RESIDENT_STOP)) == 1
    world.assigned(1, at=110)
    (stop,) = world.exchange.working(Purpose.RESIDENT_STOP)
    assert (stop.left, stop.terms.stop_price) == (D(1), D("104.5"))


def test_a_venue_that_counts_the_stop_against_the_close_gets_it_taken_back_first() -> None:
    world = stopped()
    world.exchange.resting_blocks = True
    before = len(world.alerts)
    world.quote(110)
    stop, refused, close = world.exchange.all()
    assert (stop.report, refused.report) == (OrderReport.CANCELLED, OrderReport.REJECTED)
    assert close.filled == 2
    assert world.barrier().state == "CLOSED"
    assert [alert.severity for alert in world.alerts[before:]] == [Severity.INFO] * 2


def test_a_stop_that_fires_while_the_close_is_on_its_way_is_no_trouble() -> None:
    world = stopped()
    before = len(world.alerts)
    # The exchange works the stop on this very price, and what it tells comes after the close left.
    world.quote(95)
    assert world.closes() == ["SELL 2 BTC-USD"]
    stop, close = world.exchange.all()
    assert (stop.filled, close.filled, close.report) == (D(2), D(0), OrderReport.REJECTED)
    assert not [a for a in world.alerts[before:] if a.severity is Severity.CRITICAL]
    view = world.barrier()
    assert (view.state, view.close_type, view.gross) == ("CLOSED", "STOP_LOSS", D(-10))
    assert "its resident stop was reached at the venue" in view.reason
    world.later(60)
    assert len(world.orders) == 2
    assert world.held() == 0


def test_a_stop_that_cannot_be_taken_back_keeps_its_guard_open_and_raises_an_alarm() -> None:
    world = stopped()
    (stop,) = world.exchange.working()
    world.exchange.deaf_to_cancels = True
    world.quote(110)
    assert world.held() == 0
    view = world.barrier()
    assert (view.state, view.quantity) == ("CLOSING", D(0))
    assert "being taken back" in view.reason
    world.later(11)
    assert len(world.exchange.cancels) == 3
    assert world.barrier().state == "ATTENTION"
    assert "still rests at the venue" in world.alerts[-1].body
    world.exchange.deaf_to_cancels = False
    world.later(5)
    assert stop.report is OrderReport.CANCELLED
    assert world.barrier().state == "CLOSED"
    assert world.closes() == ["SELL 2 BTC-USD"]


def test_beside_what_is_to_stay_a_silent_cancel_keeps_the_close_waiting_and_is_asked_for() -> None:
    world = World(STOPPED, held={BTC: D(3)})
    world.assigned(2)
    world.exchange.answers = "silent"
    world.quote(110)
    assert world.closes() == []
    assert "taken back" in world.barrier().reason
    world.later(11)
    assert len(world.exchange.cancels) == 3
    assert world.closes() == []
    assert "close waits" in world.alerts[-1].title
    world.exchange.answers = "told"
    world.later(5)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.exchange.working() == []


def test_a_stop_that_fills_at_the_venue_closes_the_guard() -> None:
    world = stopped()
    (stop,) = world.exchange.working()
    world.exchange.fill(stop, D(2), D("94.9"), world.now)
    world.pump()
    view = world.barrier()
    assert (view.state, view.close_type) == ("CLOSED", CloseType.STOP_LOSS)
    assert (view.gross, view.quantity) == (D("-10.2"), D(0))
    assert world.closes() == []


def test_a_stop_whose_row_comes_first_is_still_a_stop_loss() -> None:
    world = stopped()
    (stop,) = world.exchange.working()
    world.exchange.answers = "silent"
    world.exchange.fill(stop, D(2), D(95), world.now)
    world.row()
    world.tell(OrderReported(venue=VENUE, row=stop.row))
    assert world.barrier().close_type == CloseType.STOP_LOSS
    world.tell(ExecutionReported(venue=VENUE, execution=world.exchange.executions[-1]))
    view = world.barrier()
    assert (view.state, view.close_type) == ("CLOSED", CloseType.STOP_LOSS)
    assert world.closes() == []


def test_what_a_stop_left_over_is_closed_by_the_engine() -> None:
    world = stopped()
    (stop,) = world.exchange.working()
    world.exchange.fill(stop, D("0.5"), D(95), world.now)
    world.pump()
    assert world.closes() == ["SELL 1.5 BTC-USD"]
    assert world.held() == 0
    assert world.exchange.working() == []


def test_stop_and_engine_at_the_same_price_sell_no_more_than_is_guarded() -> None:
    world = World(STOPPED, held={BTC: D(5)})
    world.assigned(2)
    world.quote(94)
    world.later(10)
    assert world.held() == 5
    assert world.exchange.working() == []


@pytest.mark.parametrize(
    "reason",
    [
        "Order would immediately trigger. (-2021)",
        "retCode 110093: expect Falling, but trigger_price[950000] >= current[940000]",
        "51280 SL trigger price must be less than the last price",
        "stop is through the market",
    ],
)
def test_a_stop_refused_as_through_the_market_is_a_close_at_once(reason: str) -> None:
    world = World(STOPPED)
    world.exchange.refuse_stops = reason
    world.assigned(2)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.barrier().close_type == CloseType.STOP_LOSS
    assert world.held() == 0


def test_a_stop_refused_for_another_reason_is_placed_again_and_the_engine_watches() -> None:
    world = World(STOPPED)
    world.exchange.refuse_stops = "trigger price has too many decimals"
    world.assigned(2)
    assert world.closes() == []
    assert world.barrier().state == "ATTENTION"
    assert "too many decimals" in world.barrier().reason
    world.later(16)
    assert len(world.orders) == 5
    world.quote(95)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.held() == 0


def test_a_refused_stop_that_rests_at_last_needs_its_owner_no_more() -> None:
    world = World(STOPPED)
    world.exchange.refuse_stops = "try later"
    world.assigned(2)
    world.exchange.refuse_stops = ""
    world.later(1.1)
    assert len(world.exchange.working()) == 1
    assert world.barrier().state == "HOLDING"


def test_a_stop_that_timed_out_is_asked_for_before_a_second_one() -> None:
    world = World(STOPPED)
    world.exchange.answers = "timeout"
    world.asks_answered = False
    world.assigned(2)
    world.later(5)
    assert len(world.orders) == 1
    world.exchange.answers = "told"
    world.asks_answered = True
    world.later(10)
    assert len(world.orders) == 1
    assert world.barrier().resident_stop == 95


def test_a_stop_that_never_arrived_goes_out_again_under_the_same_id() -> None:
    world = World(STOPPED)
    world.exchange.answers = "lost"
    world.asks_answered = False
    world.assigned(2)
    world.exchange.answers = "told"
    world.asks_answered = True
    world.later(10)
    assert len(world.orders) == 2
    assert len({order.client_order_id for order in world.orders}) == 1
    assert len(world.exchange.working()) == 1


def test_a_stop_that_somebody_cancelled_is_placed_again() -> None:
    world = stopped()
    (stop,) = world.exchange.working()
    before = len(world.alerts)
    world.exchange.cancel(stop.intent.client_order_id)
    world.pump()
    assert world.exchange.working() == []
    assert world.barrier().state == "ATTENTION"
    assert world.alerts[before:] == []
    world.later(1.1)
    assert len(world.exchange.working()) == 1
    assert [(a.severity, a.title) for a in world.alerts[before:]] == [
        (Severity.WARNING, f"{world.barrier().id}: its resident stop is gone")
    ]
    assert world.barrier().state == "HOLDING"
    assert world.orders[0].client_order_id != world.orders[1].client_order_id


def test_a_stop_taken_back_before_a_liquidation_is_not_told_of() -> None:
    """OKX cancels what rests, and then liquidates: its owner reads of the liquidation."""
    world = stopped()
    (stop,) = world.exchange.working()
    before = len(world.alerts)
    world.exchange.cancel(stop.intent.client_order_id)
    world.pump()
    world.later(0.5)
    world.happens(ExecutionOrigin.LIQUIDATION, -2)
    world.later(60)
    assert [alert.title.partition(": ")[2] for alert in world.alerts[before:]] == [
        "2 BTC-USD were liquidated by the venue",
        "over",
    ]
    assert len(world.orders) == 1


def test_without_a_stop_loss_or_when_told_so_no_stop_rests() -> None:
    world = World(manager(take_profit=D("0.1")))
    world.assigned(2)
    other = bare()
    assert world.orders == other.orders == []


def test_disarmed_no_stop_is_placed_and_none_is_taken_back() -> None:
    world = World(STOPPED, armed=False)
    world.assigned(2)
    assert world.orders == []
    world.tell(ArmedChanged(request_id="a", armed=True, by="me"))
    assert len(world.exchange.working()) == 1
    world.tell(ArmedChanged(request_id="b", armed=False, by="me"))
    world.quote(110)
    world.later(60)
    assert world.closes() == []
    assert len(world.exchange.working()) == 1
    world.tell(ArmedChanged(request_id="c", armed=True, by="me"))
    assert world.closes() == ["SELL 2 BTC-USD"]


def test_a_fired_barrier_does_not_go_back_when_the_price_does() -> None:
    world = bare()
    world.disconnect()
    world.quote(94)
    world.quote(100)
    assert world.closes() == []
    world.connect()
    assert world.closes() == ["SELL 2 BTC-USD"]


def test_a_deadline_in_the_past_wakes_nobody() -> None:
    world = bare()
    world.exchange.depth = D(0)
    world.quote(95)
    world.now += timedelta(seconds=10)
    world.tell(DeadlinePassed())
    due = world.desk.next_deadline()
    assert due is None or due > world.now
