"""What a late execution takes back, and what makes an unclear strategy clear again."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.facts import ExecutionOrigin, ExecutionReported, OrderReport, OrderRow
from engine.desk.options.definitions import OptionSettings
from engine.desk.snapshot import AssignmentKind, AssignmentState, StrategyStatus
from tests.engine.desk.world import (
    C460,
    C465,
    CONDOR,
    MORNING,
    P435,
    P440,
    SPY,
    VENUE,
    World,
    definition,
)

K = AssignmentKind
S = StrategyStatus


def taken_for_assigned(settings: OptionSettings | None = None) -> World:
    """Two puts and 200 shares were bought by hand; the executions are not told in time, not even
    when asked for."""
    world = World(now=MORNING, settings=settings)
    world.row(P440, 0)
    world.row(SPY, 200)
    world.connect()
    assert [a.kind for a in world.picture().assignments] == [K.ASSIGNED]
    world.now += timedelta(seconds=5)
    return world


def late(world: World, instrument: object, signed: int) -> None:
    """An execution of before, told now."""
    execution = world.trade(instrument, signed, told=False)  # type: ignore[arg-type]
    earlier = replace(execution, at=world.now - timedelta(seconds=10))
    world._executions[-1] = earlier
    world.tell(ExecutionReported(venue=VENUE, execution=earlier))


def told_again(world: World) -> None:
    """A fresh book, with the orders that work."""
    working = [o for o in world.desk.floor.orders.values() if not o.is_terminal]
    rows = tuple(
        OrderRow(
            client_order_id=order.intent.client_order_id,
            venue_order_id="1",
            report=OrderReport.WORKING,
            filled=Decimal(0),
        )
        for order in working
    )
    world.tell(world.snapshot(rows))


def test_late_executions_by_hand_stop_the_close_that_works() -> None:
    world = taken_for_assigned()
    for order in world.orders:
        world.report(order, OrderReport.WORKING)
    sent = len(world.orders)
    late(world, P440, 2)
    late(world, SPY, 200)
    assert world.asked
    told_again(world)
    view = world.picture()
    assert [a.kind for a in view.assignments] == [K.MANUAL]
    assert {c.client_order_id for c in world.cancels} == {o.client_order_id for o in world.orders}
    for order in world.orders:
        world.report(order, OrderReport.CANCELLED)
    world.later(3600)
    world.tell(world.snapshot())
    assert len(world.orders) == sent
    (strategy,) = world.picture().strategies
    assert (strategy.status, strategy.shares) == (S.INTACT, 0)
    assert [leg.held for leg in strategy.legs] == [0, 2, -2, 2]
    assert [a.kind for a in world.picture().assignments] == [K.MANUAL]


def test_what_was_closed_before_the_execution_came_is_said_and_not_traded_back() -> None:
    world = taken_for_assigned()
    world.fill(world.orders[0])
    sent = world.sent()
    late(world, P440, 2)
    late(world, SPY, 200)
    world.tell(world.snapshot())
    assert "200 shares that were not its own are closed already" in world.alerts[-1].body
    assert world.alerts[-1].severity == "CRITICAL"
    (event,) = world.picture().assignments
    assert (event.kind, event.state) == (K.MANUAL, AssignmentState.ATTENTION)
    world.later(3600)
    assert world.sent() == sent
    assert world.picture().strategies[0].shares == 0


def test_one_that_waited_for_its_owner_is_whole_again_but_for_the_leg() -> None:
    world = taken_for_assigned(OptionSettings(venue=VENUE, auto_close_on_assignment=False))
    assert world.picture().strategies[0].status is S.ATTENTION
    late(world, P440, 2)
    late(world, SPY, 200)
    world.tell(world.snapshot())
    assert world.picture().strategies[0].status is S.INTACT
    assert world.orders == []


def test_option_bought_back_late_leaves_shares_that_are_a_question_again() -> None:
    world = taken_for_assigned()
    late(world, P440, 2)
    told_again(world)
    for _ in range(2):
        world.later(46)
        told_again(world)
    assert [a.kind for a in world.picture().assignments] == [K.MANUAL, K.EXTERNAL]


def test_a_trade_after_a_true_assignment_takes_nothing_back() -> None:
    world = taken_for_assigned()
    world.later(60)
    world.trade(P440, 2)
    world.row(P440, 2)
    world.tell(world.snapshot())
    assert [a.kind for a in world.picture().assignments] == [K.ASSIGNED]
    assert world.picture().strategies[0].status is not S.INTACT


def test_a_leg_bought_again_by_hand_makes_the_strategy_clear_again() -> None:
    world = World(now=MORNING)
    world.trade(P435, -2)
    world.row(P435, 0)
    assert world.picture().strategies[0].status is S.ATTENTION
    world.trade(P435, 2)
    world.row(P435, 2)
    (strategy,) = world.picture().strategies
    assert (strategy.status, strategy.reason) == (S.INTACT, "")
    assert strategy.legs[1].held == 2
    assert world.alerts[-1].title.endswith("clear again")
    assert world.picture().differences == ()


def test_a_bare_short_that_is_bought_back_too_is_clear_again() -> None:
    world = World(now=MORNING)
    world.trade(P435, -2)
    world.row(P435, 0)
    world.trade(P440, 2)
    world.row(P440, 0)
    (strategy,) = world.picture().strategies
    assert strategy.status is S.INTACT
    assert [leg.held for leg in strategy.legs] == [0, 0, -2, 2]
    assert world.orders == []


def test_a_shared_contract_stays_unclear_until_it_cannot_be_the_others() -> None:
    held = {**CONDOR, P440: Decimal(-4)}
    single = definition("S", "single", {P440: Decimal(-2)})
    world = World(now=MORNING, held=held, strategies=(definition(), single))
    world.trade(P440, 2)
    world.row(P440, -2)
    assert world.picture().strategies[0].status is S.ATTENTION
    world.later(600)
    assert world.picture().strategies[0].status is S.ATTENTION
    world.trade(P440, 2)
    world.row(P440, 0)
    first, second = world.picture().strategies
    assert (first.status, second.status) == (S.INTACT, S.CLOSED)


def test_buying_more_of_what_is_gone_belongs_to_nobody() -> None:
    world = World(now=MORNING)
    world.trade(P440, 2)
    world.row(P440, 0)
    world.trade(P440, 2)
    world.row(P440, 2)
    assert world.picture().strategies[0].legs[0].held == 0
    world.trade(C465, 1)
    world.row(C465, 3)
    assert world.picture().strategies[0].legs[3].held == 2
    world.trade(C460, 1, origin=ExecutionOrigin.LIQUIDATION)
    world.row(C460, -1)
    assert world.picture().strategies[0].status is S.ATTENTION
