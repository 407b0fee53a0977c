"""The exit rules: the time exit closes once, in its time, and only what nothing else happens to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.desk.facts import ArmedChanged, CloseRequested
from engine.desk.options.definitions import OptionSettings
from engine.desk.options.rules import RULES, Action, Decision, TimeExit, Urgency, decide
from engine.desk.options.strategies import Strategy
from engine.desk.snapshot import StrategyStatus
from tests.engine.desk.world import CONDOR, MORNING, P440, SPY, VENUE, World, definition

DAY_BEFORE = datetime(2026, 12, 17, 5, 0, tzinfo=UTC)
"""Midnight in New York, one day before the expiry."""
SETTINGS = OptionSettings(venue=VENUE)


def status(world: World) -> StrategyStatus:
    return world.picture().strategies[0].status


def world_at(now: datetime, **more: object) -> World:
    return World(now=now, **more)  # type: ignore[arg-type]


def test_strategy_is_closed_when_close_at_dte_days_are_left() -> None:
    world = world_at(DAY_BEFORE - timedelta(hours=1))
    assert status(world) is StrategyStatus.INTACT
    world.later(3601)
    assert status(world) is StrategyStatus.CLOSING
    assert "TimeExit: 1 day to expiry" in world.picture().strategies[0].reason
    assert world.orders == []
    world.later(9.5 * 3600)
    assert sorted(world.fill_all())[:1] == ["BUY 2 SPY 18Dec26 440 P"]
    assert status(world) is StrategyStatus.CLOSED
    assert sum("TimeExit" in a.title for a in world.alerts) == 1


def test_decision_says_what_why_by_which_rule_and_how_urgently() -> None:
    strategy = Strategy.declared(definition(), "A")
    for leg in strategy.legs:
        leg.held = leg.expected
    decision = decide(strategy, SETTINGS, DAY_BEFORE)
    assert decision == Decision(
        action=Action.CLOSE,
        reason="1 day to expiry, close_at_dte is 1",
        rule="TimeExit",
        urgency=Urgency.NORMAL,
        priority=8,
        metadata={"dte": "1", "expiry": "2026-12-18"},
    )
    assert decide(strategy, SETTINGS, DAY_BEFORE - timedelta(seconds=1)) is None


def test_the_most_important_rule_decides_first() -> None:
    class First(TimeExit):
        name = "First"
        priority = 1

    strategy = Strategy.declared(definition(), "A")
    strategy.legs[0].held = Decimal(-2)
    decision = decide(strategy, SETTINGS, DAY_BEFORE, (*RULES, First()))
    assert decision is not None
    assert (decision.rule, decision.priority) == ("First", 1)


def test_broken_strategy_is_not_closed_by_the_rule() -> None:
    settings = OptionSettings(venue=VENUE, auto_close_on_assignment=False)
    world = world_at(DAY_BEFORE - timedelta(hours=1), settings=settings)
    world.row(P440, 0)
    world.row(SPY, 200)
    assert status(world) is StrategyStatus.ATTENTION
    world.later(12 * 3600)
    assert status(world) is StrategyStatus.ATTENTION
    assert world.orders == []


def test_suspect_strategy_is_closed_by_the_rule_only_once_it_is_clear() -> None:
    world = world_at(DAY_BEFORE - timedelta(seconds=10))
    world.row(P440, -1)
    world.later(20)
    assert status(world) is StrategyStatus.SUSPECT
    world.row(P440, -2)
    assert status(world) is StrategyStatus.CLOSING


def test_disarmed_the_rule_says_so_once_and_closes_when_armed() -> None:
    world = world_at(MORNING.replace(month=12, day=17), armed=False)
    assert status(world) is StrategyStatus.INTACT
    assert sum("TimeExit" in a.title for a in world.alerts) == 1
    world.tell(world.snapshot())
    assert sum("TimeExit" in a.title for a in world.alerts) == 1
    world.tell(ArmedChanged(request_id="a", armed=True, by="me"))
    assert status(world) is StrategyStatus.CLOSING
    assert len(world.orders) == 2


def test_what_has_expired_is_not_closed_by_the_rule() -> None:
    world = world_at(MORNING.replace(month=12, day=18) + timedelta(hours=8))
    assert status(world) is StrategyStatus.INTACT
    assert world.orders == []


def test_zero_means_the_last_day_itself() -> None:
    settings = OptionSettings(venue=VENUE, close_at_dte=0)
    world = world_at(DAY_BEFORE, settings=settings)
    assert status(world) is StrategyStatus.INTACT
    world.later(24 * 3600 + 1)
    assert status(world) is StrategyStatus.CLOSING


def test_a_persons_close_goes_before_the_rule() -> None:
    world = world_at(DAY_BEFORE - timedelta(seconds=5), held=dict(CONDOR))
    world.tell(CloseRequested(request_id="r", strategy_id=None, emergency=False, by="me"))
    world.later(10)
    assert world.picture().strategies[0].reason == "close by me"
    assert not any("TimeExit" in a.title for a in world.alerts)
