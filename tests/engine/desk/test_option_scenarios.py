"""The scenarios of an assigned leg, told to the desk alone."""

from datetime import timedelta
from decimal import Decimal

from engine.desk.facts import CloseRequested, ExecutionOrigin, OrderReport
from engine.desk.snapshot import AssignmentKind, StrategyStatus
from tests.engine.desk.world import (
    C460,
    CONDOR,
    EXPIRY,
    MORNING,
    P435,
    P440,
    SPY,
    World,
    definition,
)

CLOSES = [
    "SELL 200 SPY",
    "BUY 2 SPY 18Dec26 460 C",
    "SELL 2 SPY 18Dec26 435 P",
    "SELL 2 SPY 18Dec26 465 C",
]


def kinds(world: World) -> list[AssignmentKind]:
    return [event.kind for event in world.picture().assignments]


def status(world: World) -> StrategyStatus:
    return world.picture().strategies[0].status


def test_option_row_then_stock_row_is_one_assignment_closed_in_order() -> None:
    world = World(now=MORNING - timedelta(minutes=1))
    world.row(P440, 0)
    world.row(SPY, 200)
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert world.sent() == ["SELL 200 SPY"]
    world.report(world.orders[0], OrderReport.WORKING)
    world.later(61)
    assert sorted(world.sent()) == ["BUY 2 SPY 18Dec26 460 C", "SELL 200 SPY"]
    assert status(world) is StrategyStatus.CLOSING
    assert world.fill_all() == CLOSES
    assert status(world) is StrategyStatus.CLOSED
    assert not any(world.book.values())


def test_stock_row_before_option_row_is_one_assignment() -> None:
    world = World()
    world.row(SPY, 200)
    assert kinds(world) == []
    world.row(P440, 0)
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert world.sent() == ["SELL 200 SPY"]


def test_gone_leg_with_late_stock_is_suspect_then_assigned() -> None:
    world = World()
    world.row(P440, 0)
    assert kinds(world) == [AssignmentKind.SUSPECT]
    assert status(world) is StrategyStatus.SUSPECT
    world.later(1)
    assert world.asked == 1
    assert [a.severity for a in world.alerts] == ["WARNING"]
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=False, by="me"))
    assert world.orders == []
    world.tell(world.snapshot())
    world.later(30)
    world.row(SPY, 200)
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert world.sent() == ["SELL 200 SPY"]


def test_leg_missing_in_two_fresh_snapshots_breaks_the_strategy() -> None:
    world = World()
    world.row(P440, 0)
    world.tell(world.snapshot())
    world.later(44)
    assert status(world) is StrategyStatus.SUSPECT
    world.later(2)
    assert world.asked == 2
    world.tell(world.snapshot())
    assert status(world) is StrategyStatus.BROKEN
    world.now = MORNING
    world.later(1)
    assert world.fill_all() == [CLOSES[1], CLOSES[2], CLOSES[3]]


def test_short_call_assigned_buys_the_short_shares_back() -> None:
    world = World(now=MORNING - timedelta(hours=1))
    world.row(C460, 0)
    world.row(SPY, -200)
    assert world.sent() == ["BUY 200 SPY"]
    world.later(3601)
    assert world.fill_all()[0] == "BUY 200 SPY"
    assert not any(world.book.values())


def test_shares_held_before_are_kept() -> None:
    world = World(held={**CONDOR, SPY: Decimal(150)})
    world.row(P440, 0)
    world.row(SPY, 350)
    assert world.sent() == ["SELL 200 SPY"]


def test_covered_call_assigned_is_closed_as_designed() -> None:
    call = {C460: Decimal(-1)}
    world = World(
        held={**call, SPY: Decimal(100)},
        strategies=(definition("CC", "covered_call", call, shares=100),),
    )
    world.row(C460, 0)
    world.row(SPY, 0)
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert status(world) is StrategyStatus.CLOSED
    assert world.orders == []


def test_short_leg_bought_back_by_hand_is_manual() -> None:
    world = World(now=MORNING)
    world.trade(P440, 2)
    world.row(P440, 0)
    assert kinds(world) == [AssignmentKind.MANUAL]
    assert world.orders == []
    assert world.picture().strategies[0].legs[0].held == 0


def test_hand_trades_whose_rows_come_first_are_no_assignment() -> None:
    world = World(now=MORNING)
    world.row(P440, 0)
    world.row(SPY, 200)
    assert world.orders == []
    world.trade(P440, 2, told=False)
    world.trade(SPY, 200, told=False)
    world.tell(world.snapshot())
    assert kinds(world) == [AssignmentKind.MANUAL]
    assert world.orders == []


def test_assignment_in_session_is_concluded_when_the_executions_are_in() -> None:
    world = World(now=MORNING)
    world.row(P440, 0)
    world.row(SPY, 200)
    world.tell(world.snapshot())
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert world.sent() == ["SELL 200 SPY", "BUY 2 SPY 18Dec26 460 C"]


def test_own_closing_fill_whose_row_comes_first_is_nothing() -> None:
    world = World(now=MORNING)
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    buy = next(o for o in world.orders if o.instrument == P440)
    alerts = len(world.alerts)
    world.row(P440, 0)
    world.trade(P440, 2, origin=ExecutionOrigin.OURS, client_order_id=buy.client_order_id)
    assert kinds(world) == []
    assert len(world.alerts) == alerts
    assert world.sent().count("BUY 2 SPY 18Dec26 440 P") == 1


def test_stock_bought_by_hand_is_nothing() -> None:
    world = World(now=MORNING)
    world.trade(SPY, 300)
    world.row(SPY, 300)
    assert kinds(world) == []
    assert world.alerts == []


def test_short_legs_gone_after_expiry_are_expired() -> None:
    world = World()
    world.now = MORNING.replace(year=EXPIRY.year, month=EXPIRY.month, day=EXPIRY.day + 1)
    for contract in CONDOR:
        world.row(contract, 0)
    world.tell(world.snapshot())
    world.later(50)
    world.tell(world.snapshot())
    world.tell(world.snapshot())
    assert set(kinds(world)) == {AssignmentKind.EXPIRED}
    assert world.orders == []
    assert status(world) is StrategyStatus.CLOSED


def test_rows_repeated_five_times_are_one_event() -> None:
    world = World()
    for _ in range(5):
        world.tell(world.row_fact(P440, 0), world.row_fact(SPY, 200))
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert world.sent() == ["SELL 200 SPY"]


def test_partly_filled_buy_back_frees_only_as_many_longs() -> None:
    world = World(now=MORNING)
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    buy = next(o for o in world.orders if o.instrument == C460)
    world.fill(buy, Decimal(1))
    assert "SELL 1 SPY 18Dec26 465 C" in world.sent()
    assert "SELL 2 SPY 18Dec26 465 C" not in world.sent()


def test_rejected_leg_leaves_the_others_going_and_raises_an_alarm() -> None:
    world = World(now=MORNING)
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    put = next(o for o in world.orders if o.instrument == P440)
    call = next(o for o in world.orders if o.instrument == C460)
    world.report(put, OrderReport.REJECTED, reason="201")
    world.fill(call)
    assert "SELL 2 SPY 18Dec26 465 C" in world.sent()
    assert "SELL 2 SPY 18Dec26 435 P" not in world.sent()
    assert status(world) is StrategyStatus.ATTENTION
    world.later(61)
    assert world.sent().count("BUY 2 SPY 18Dec26 440 P") == 2


def test_person_closing_beside_us_stops_our_close() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    world.trade(SPY, -200)
    world.row(SPY, 0)
    world.report(world.orders[0], OrderReport.CANCELLED)
    world.later(600)
    assert world.sent() == ["SELL 200 SPY"]


def test_normal_close_of_a_broken_strategy_is_refused() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    outcome = world.tell(
        CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=False, by="me")
    )
    assert [a.message for a in outcome.answers] == [
        "Cannot close broken strategy. Legs may be assigned. Manual review required."
    ]


def test_disarmed_detects_and_shows_but_sends_nothing() -> None:
    world = World(armed=False)
    world.row(P440, 0)
    world.row(SPY, 200)
    assert kinds(world) == [AssignmentKind.ASSIGNED]
    assert world.orders == []
    view = world.picture().strategies[0]
    assert view.status is StrategyStatus.BROKEN
    assert [line.instrument for line in view.plan][:1] == ["SPY"]


def test_nothing_is_closed_that_was_never_held() -> None:
    world = World(held={P435: Decimal(2)})
    world.later(600)
    world.tell(world.snapshot())
    assert status(world) is StrategyStatus.ATTENTION
    assert world.orders == []


def test_an_account_that_looks_empty_is_asked_a_second_time() -> None:
    world = World()
    world.book.clear()
    world.tell(world.snapshot())
    assert kinds(world) == []
    assert world.asked == 1
    world.now += timedelta(seconds=1)
    world.tell(world.snapshot())
    assert set(kinds(world)) == {AssignmentKind.SUSPECT}


def test_correction_of_an_execution_replaces_it() -> None:
    world = World(now=MORNING)
    world.trade(SPY, 300, execution_id="a", revision=1)
    world.trade(SPY, 200, execution_id="a", revision=2)
    world.trade(SPY, 200, execution_id="a", revision=2)
    world.row(SPY, 200)
    world.later(600)
    assert kinds(world) == []
