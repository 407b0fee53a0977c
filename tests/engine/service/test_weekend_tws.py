"""A long weekend: assigned early on Saturday before a Monday holiday, the engine restarted twice
meanwhile, closed on Tuesday with one order a leg."""

from datetime import UTC, datetime
from pathlib import Path

from engine.desk.snapshot import AssignmentKind, StrategyStatus
from tests.engine.desk.world import EXPIRY
from tests.engine.service.house import ACCOUNT, House
from tests.engine.service.stage import on_days
from tests.fakes.tws import condor_scene
from tests.fakes.tws.hours import week
from tests.fakes.tws.scenes import CALL_460, CALL_465, PUT_435, PUT_440, SPY

FRIDAY = datetime(2026, 9, 4, 21, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 9, 5, 6, 30, tzinfo=UTC)
"""02:30 in New York."""
LABOR_DAY = datetime(2026, 9, 7, 13, 30, tzinfo=UTC)
STOCK_OPENS = datetime(2026, 9, 8, 8, 0, tzinfo=UTC)
"""04:00 in New York, before the regular session."""
OPTIONS_OPEN = datetime(2026, 9, 8, 13, 30, tzinfo=UTC)


def until(house: House, at: datetime) -> float:
    return (at - house.clock.now()).total_seconds()


async def test_25_assigned_on_saturday_before_a_holiday_is_closed_on_tuesday(
    tmp_path: Path,
) -> None:
    holiday = frozenset({LABOR_DAY.date()})
    scene = on_days(condor_scene(now=FRIDAY), FRIDAY.date(), holidays=holiday)
    async with House(tmp_path, now=FRIDAY, scene=scene) as house:
        await house.status_is(StrategyStatus.INTACT)
        house.clock.advance(until(house, SATURDAY))

        house.tws.assign(PUT_440)
        await house.kind_is(AssignmentKind.ASSIGNED)
        view = (await house.status_is(StrategyStatus.BROKEN)).strategies[0]
        plan = {line.instrument: line for line in view.plan}
        assert plan["SPY"].waits_until == STOCK_OPENS
        assert "opens Tue 04:00 ET" in plan["SPY"].reason
        assert plan["SPY 18Dec26 460 C"].waits_until == OPTIONS_OPEN
        assert "opens Tue 09:30 ET" in plan["SPY 18Dec26 460 C"].reason
        assert house.sent() == []

        house.tws.midnight()
        house.clock.advance(20 * 3600)
        await house.restart()
        await house.described()
        await house.kind_is(AssignmentKind.ASSIGNED)

        house.clock.advance(until(house, LABOR_DAY))
        await house.reconciled()
        assert house.sent() == []
        await house.restart()
        await house.described()
        assert house.strategy.plan[0].waits_until == STOCK_OPENS

        house.clock.advance(until(house, STOCK_OPENS))
        await house.tws.flat(SPY, ACCOUNT)
        (shares,) = [o for o in house.tws.order_records() if not o.what_if]
        assert (shares.action, shares.quantity, shares.order_type) == ("SELL", 200, "LMT")
        assert shares.outside_rth
        await house.until(lambda s: s.strategies[0].shares == 0)

        house.clock.advance(until(house, OPTIONS_OPEN))
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        orders = [o.con_id for o in house.tws.order_records() if not o.what_if]
        assert sorted(orders) == sorted([SPY, CALL_460, PUT_435, CALL_465])
        assert house.held() == {}
        assert [a.kind for a in snapshot.assignments] == [AssignmentKind.ASSIGNED]
        assert snapshot.assignments[0].type == "EARLY"


async def test_25_hours_told_for_a_few_days_only_are_asked_again_and_followed(
    tmp_path: Path,
) -> None:
    scene = on_days(condor_scene(now=FRIDAY), FRIDAY.date(), days=3)
    async with House(tmp_path, now=FRIDAY, scene=scene) as house:
        house.clock.advance(until(house, SATURDAY))
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.BROKEN)
        assert "no later session is known" in house.strategy.plan[0].reason
        later = week(SATURDAY.date(), "0400", "2000", days=5)
        house.tws.set_hours(later, week(SATURDAY.date(), days=5))
        house.clock.advance(24 * 3600)
        await house.restart()
        await house.described()
        await house.until(lambda s: s.strategies[0].plan[0].waits_until is not None)
        monday = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
        assert house.strategy.plan[0].waits_until == monday
        assert EXPIRY.year == 2026
