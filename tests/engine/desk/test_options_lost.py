"""A close that was filled while nobody looked, and of which no execution is told any more."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.desk.facts import EngineStarted, OrderReport, VenueChanged, VenueState
from engine.desk.snapshot import AssignmentKind, StrategyStatus
from tests.engine.desk.world import C460, CONDOR, MORNING, NIGHT, P440, SPY, VENUE, World

K = AssignmentKind
OWN = 150


def assigned_beside_own_shares() -> World:
    """150 shares of the owner's own; 200 came by assignment, and their sale is out."""
    world = World(held={**CONDOR, SPY: Decimal(OWN)})
    world.row(P440, 0)
    world.row(SPY, OWN + 200)
    assert world.sent() == ["SELL 200 SPY"]
    return world


def away(world: World, hours: float, *, killed: bool) -> None:
    """The engine or its link is gone for a while; then all is asked for again."""
    if killed:
        world.tell(EngineStarted(version="test", mode="paper"))
    else:
        world.tell(VenueChanged(venue=VENUE, state=VenueState.DOWN))
    world.now += timedelta(hours=hours)
    world.connect()


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("answered", [True, False])
def test_a_sale_filled_unseen_over_midnight_is_not_made_again_from_the_owners_shares(
    killed: bool, answered: bool
) -> None:
    world = assigned_beside_own_shares()
    if answered:
        world.report(world.orders[0], OrderReport.WORKING)
    world.book[world.accounts[0], SPY] = Decimal(OWN)
    away(world, 26, killed=killed)
    world.later(3600)
    world.tell(world.snapshot())
    assert [one for one in world.sent() if one.endswith(" SPY")] == ["SELL 200 SPY"]
    assert world.picture().strategies[0].shares == 0
    assert [a.kind for a in world.picture().assignments] == [K.ASSIGNED]
    assert any("filled while nobody looked" in alert.title for alert in world.alerts)


def test_a_sale_filled_in_part_unseen_is_made_again_for_the_rest_only() -> None:
    world = assigned_beside_own_shares()
    world.report(world.orders[0], OrderReport.WORKING)
    world.book[world.accounts[0], SPY] = Decimal(OWN + 80)
    away(world, 26, killed=True)
    world.later(61)
    assert [one for one in world.sent() if one.endswith(" SPY")] == ["SELL 200 SPY", "SELL 80 SPY"]


def test_a_sale_that_was_not_filled_is_made_again_whole() -> None:
    world = assigned_beside_own_shares()
    world.report(world.orders[0], OrderReport.WORKING)
    away(world, 26, killed=True)
    world.later(61)
    assert [one for one in world.sent() if one.endswith(" SPY")] == ["SELL 200 SPY"] * 2


def test_call_bought_back_and_shares_sold_unseen_are_no_assignment_of_the_call() -> None:
    world = World(now=MORNING + timedelta(hours=6))
    world.row(P440, 0)
    world.row(SPY, 200)
    world.tell(world.snapshot())
    assert world.sent() == ["SELL 200 SPY", "BUY 2 SPY 18Dec26 460 C"]
    world.book[world.accounts[0], SPY] = Decimal(0)
    world.book[world.accounts[0], C460] = Decimal(0)
    away(world, 19, killed=True)
    world.fill_all()
    assert [a.kind for a in world.picture().assignments] == [K.ASSIGNED]
    assert world.picture().strategies[0].status is StrategyStatus.CLOSED
    assert world.sent()[2:] == ["SELL 2 SPY 18Dec26 465 C", "SELL 2 SPY 18Dec26 435 P"]


def test_on_the_same_day_executions_alone_tell_what_was_filled() -> None:
    world = assigned_beside_own_shares()
    assert world.now == NIGHT
    away(world, 1, killed=True)
    assert world.sent() == ["SELL 200 SPY"] * 2
    assert len({order.client_order_id for order in world.orders}) == 1
