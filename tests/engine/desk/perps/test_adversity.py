"""What goes wrong between a guarded position and its venue, at the worst moment."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk.facts import (
    ContractDescribed,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    VenueChanged,
    VenueState,
)
from engine.desk.intents import Purpose, Severity
from engine.desk.perps.definitions import CloseOrderType
from engine.desk.snapshot import AssignmentState
from tests.engine.desk.perps.perps_world import BTC, VENUE, D, World, manager

STOPPED = manager(stop_loss=D("0.05"), take_profit=D("0.1"))
AT_ONCE = manager(at_once=True)


def bare(**barriers: Any) -> World:
    """Two assigned at 100 behind a target of 10% and no stop."""
    world = World(manager(take_profit=D("0.1"), **barriers))
    world.assigned(2)
    return world


def critical(world: World) -> list[str]:
    return [alert.title for alert in world.alerts if alert.severity is Severity.CRITICAL]


def smallest(world: World, quantity: str) -> None:
    """Have the venue take no order below a quantity."""
    spec = world.desk.floor.specs[VENUE, BTC.ref]
    world.tell(ContractDescribed(venue=VENUE, spec=replace(spec, minimum_quantity=D(quantity))))


# --- the link ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", ["timeout", "silent"])
def test_a_link_lost_in_the_middle_of_a_close_leads_to_no_second_one(answers: str) -> None:
    world = bare()
    world.exchange.answers = answers
    world.asks_answered = False
    world.quote(110)
    if answers == "silent":
        (order,) = world.exchange.all()
        world.exchange.fill(order, D(2), D(110), world.now)
    world.disconnect()
    world.later(30)
    assert world.closes() == ["SELL 2 BTC-USD"]
    world.exchange.answers = "told"
    world.asks_answered = True
    world.connect()
    world.later(60)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.barrier().state == "CLOSED"
    assert world.held() == 0


def test_a_link_lost_before_the_close_arrived_sends_the_same_id_again() -> None:
    world = bare()
    world.exchange.answers = "lost"
    world.asks_answered = False
    world.quote(110)
    world.disconnect()
    world.exchange.answers = "told"
    world.asks_answered = True
    world.later(5)
    world.connect()
    world.later(5)
    first, second = world.orders
    assert first.client_order_id == second.client_order_id
    assert world.held() == 0


def test_a_price_beyond_the_barrier_fires_though_the_link_counts_as_stale() -> None:
    """While streams are silent, what is asked over REST is shown all the same."""
    world = bare()
    world.tell(VenueChanged(venue=VENUE, state=VenueState.STALE, detail="streams are silent"))
    assert critical(world)[-1] == f"{VENUE}: quotes are stale, barriers are blind"
    world.quote(110)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.held() == 0


# --- the position ------------------------------------------------------------------------------


def test_a_position_that_flips_ends_its_guard_and_takes_its_stop_back() -> None:
    world = World(STOPPED)
    world.assigned(2)
    world.happens(ExecutionOrigin.HAND, -5)
    assert world.held() == -3
    assert world.barrier().state == "CLOSED"
    assert world.exchange.working() == []
    world.quote(50)
    world.quote(200)
    world.later(60)
    assert world.closes() == []
    assert world.held() == -3


def test_a_position_that_flips_under_a_resting_close_has_it_taken_back() -> None:
    world = World(manager(at_once=True, order_type=CloseOrderType.LIMIT))
    world.exchange.depth = D(0)
    world.assigned(2)
    assert len(world.exchange.working()) == 1
    world.happens(ExecutionOrigin.HAND, -5)
    assert world.exchange.working() == []
    world.later(600)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.events()[0].state is AssignmentState.CLOSED
    assert world.held() == -3


def test_a_position_that_flips_while_its_close_is_of_unknown_fate_is_read_again() -> None:
    world = bare()
    world.exchange.answers = "lost"
    world.asks_answered = False
    world.quote(110)
    world.exchange.answers = "told"
    world.happens(ExecutionOrigin.HAND, -5)
    world.asks_answered = True
    world.later(60)
    assert len(world.orders) == 1
    assert world.barrier().state == "CLOSED"
    assert world.held() == -3


# --- fills -------------------------------------------------------------------------------------


def test_a_fill_of_our_close_that_is_told_twice_counts_once() -> None:
    world = bare()
    world.exchange.depth = D("1.2")
    world.exchange.answers = "told"
    world.quote(110)
    for execution in world.exchange.executions:
        world.tell(ExecutionReported(venue=VENUE, execution=execution))
    world.tell(world.exchange.snapshot(world.now))
    assert world.closes() == ["SELL 2 BTC-USD", "SELL 0.8 BTC-USD"]
    view = world.barrier()
    assert (view.state, view.gross, view.quantity) == ("CLOSED", D(20), D(0))
    assert [event.kind for event in world.events()] == ["ASSIGNEE"]


def test_a_close_cancelled_by_the_venue_after_a_part_leaves_the_rest_to_the_next() -> None:
    world = World(manager(at_once=True, order_type=CloseOrderType.LIMIT))
    world.exchange.depth = D("0.5")
    world.assigned(2)
    world.exchange.depth = D(0)
    (order,) = world.exchange.working()
    order.report = OrderReport.CANCELLED
    world.tell(OrderReported(venue=VENUE, row=order.row))
    first, second = world.exchange.all()
    assert (first.filled, second.intent.quantity) == (D("0.5"), D("1.5"))
    world.exchange.depth = None
    world.quote(100)
    assert world.held() == 0
    assert critical(world) == [f"{VENUE}: +2 BTC-USD assigned to us"]


def test_a_remainder_below_the_smallest_order_stays_alarmed_until_it_is_gone() -> None:
    world = World(AT_ONCE)
    smallest(world, "1")
    world.exchange.depth = D("1.5")
    world.assigned(2)
    assert world.held() == D("0.5")
    world.later(3600)
    assert len(world.orders) == 1
    assert world.events()[0].state is AssignmentState.ATTENTION
    (_, alarm) = critical(world)
    assert "close waits" in alarm
    assert "0.5 is below the venue's smallest order of 1" in world.alerts[-1].body
    world.happens(ExecutionOrigin.HAND, D("-0.5"))
    assert world.events()[0].state is AssignmentState.CLOSED


# --- the stop beside the close -----------------------------------------------------------------


@pytest.mark.parametrize("first", ["stop", "close"])
def test_stop_and_close_in_flight_together_sell_only_what_is_held(first: str) -> None:
    """Both are reduce-only: whichever comes second finds nothing left."""
    world = World(STOPPED)
    world.assigned(2)
    (stop,) = world.exchange.working(Purpose.RESIDENT_STOP)
    world.exchange.answers = "silent"
    world.quote(110)
    (close,) = [o for o in world.exchange.all() if o is not stop]
    world.exchange.answers = "told"
    winner, loser = (stop, close) if first == "stop" else (close, stop)
    world.exchange.fill(winner, D(2), D(100), world.now)
    loser.report = OrderReport.CANCELLED
    world.exchange.tell(OrderReported(venue=VENUE, row=loser.row))
    world.pump()
    world.later(60)
    assert len(world.orders) == 2
    assert world.held() == 0
    assert world.barrier().state == "CLOSED"
    assert critical(world) == [f"{VENUE}: +2 BTC-USD assigned to us"]


def test_stop_and_close_that_share_a_position_leave_nothing_and_count_all() -> None:
    world = World(STOPPED)
    world.assigned(2)
    (stop,) = world.exchange.working(Purpose.RESIDENT_STOP)
    world.exchange.answers = "silent"
    world.quote(110)
    (close,) = [o for o in world.exchange.all() if o is not stop]
    world.exchange.answers = "told"
    world.exchange.fill(stop, D("0.7"), D(95), world.now)
    world.exchange.fill(close, D("1.3"), D(110), world.now)
    for order in (stop, close):
        order.report = OrderReport.CANCELLED
        world.exchange.tell(OrderReported(venue=VENUE, row=order.row))
    world.pump()
    view = world.barrier()
    assert (view.state, view.gross) == ("CLOSED", D("-3.5") + D(13))
    assert "reached at the venue" in view.reason
    assert len(world.orders) == 2


def test_a_close_that_finds_no_buyer_leaves_its_stop_protecting() -> None:
    world = World(STOPPED)
    world.assigned(2)
    world.exchange.depth = D(0)
    before = len(world.alerts)
    world.quote(110)
    world.later(0.5)
    assert [alert.severity for alert in world.alerts[before:]] == [Severity.INFO]
    world.later(60)
    assert len(critical(world)) == 3
    assert world.barrier().resident_stop == 95
    assert world.exchange.cancels == []
    world.exchange.depth = None
    world.later(30)
    assert world.held() == 0
    assert world.exchange.working() == []


def test_two_guards_that_close_together_need_no_stop_taken_back_first() -> None:
    world = World(STOPPED)
    world.assigned(2)
    world.assigned(1)
    assert len(world.exchange.working()) == 2
    world.quote(110)
    assert sorted(world.closes()) == ["SELL 1 BTC-USD", "SELL 2 BTC-USD"]
    assert world.held() == 0
    assert world.exchange.working() == []
    assert {b.state for b in world.picture().barriers} == {"CLOSED"}
