"""Assignments that are not the plain one, from the broker's socket to the broker's socket: parts,
both shorts, other accounts, other sizes, shared contracts, expiry, corporate actions."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from engine.desk.instruments import OptionContract
from engine.desk.options.definitions import OptionSettings, PartialAssignmentPolicy
from engine.desk.snapshot import AssignmentKind, AssignmentTiming, StrategyStatus
from engine.venues.ib.settings import IbSettings
from tests.engine.desk.world import (
    C460,
    CONDOR,
    P435,
    P440,
    VENUE,
    definition,
)
from tests.engine.desk.world import option as contract
from tests.engine.service.house import ACCOUNT, MORNING, House
from tests.engine.service.stage import (
    PUT_430,
    SPLIT,
    doubled,
    holding,
    in_two_accounts,
    on_days,
    put,
    with_contract,
    with_multiplier,
)
from tests.fakes.tws import condor_scene
from tests.fakes.tws.hours import week
from tests.fakes.tws.policy import rest
from tests.fakes.tws.records import ExecutionTiming, Position, Rows, Side
from tests.fakes.tws.scenes import CALL_460, CALL_465, PUT_435, PUT_440, SPY

K = AssignmentKind
UNITS = OptionSettings(venue=VENUE, on_partial_assignment=PartialAssignmentPolicy.UNITS)
THREE: dict[OptionContract, Decimal] = {leg: q / 2 * 3 for leg, q in CONDOR.items()}
AFTER_EXPIRY = MORNING.replace(month=12, day=19)


def three_each(**more: object) -> dict[str, object]:
    scene = condor_scene(now=MORNING)
    held = {row.con_id: int(row.quantity) // 2 * 3 for row in scene.positions}
    return {
        "now": MORNING,
        "scene": holding(scene, held),
        "strategies": (definition(legs=THREE),),
        **more,
    }


async def test_06_part_assigned_closes_the_whole_strategy(tmp_path: Path) -> None:
    async with House(tmp_path, **three_each()) as house:  # type: ignore[arg-type]
        house.tws.assign(PUT_440, Decimal(2))
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert [(a.kind, a.quantity) for a in snapshot.assignments] == [(K.ASSIGNED, 2)]
        assert house.sent()[:3] == ["SELL 200 SPY", "BUY 1 P440", "BUY 3 C460"]
        assert house.held() == {}


async def test_06_part_assigned_closes_only_its_units_when_told_so(tmp_path: Path) -> None:
    async with House(tmp_path, **three_each(settings=UNITS)) as house:  # type: ignore[arg-type]
        house.tws.assign(PUT_440, Decimal(2))
        await house.until(lambda s: bool(s.assignments) and s.strategies[0].status == "INTACT")
        assert sorted(house.sent()) == ["BUY 2 C460", "SELL 2 C465", "SELL 2 P435", "SELL 200 SPY"]
        assert house.held() == {"P440": -1, "P435": 1, "C460": -1, "C465": 1}


async def test_07_second_part_is_another_event_and_nothing_is_closed_twice(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.assign(PUT_440, Decimal(1))
        await house.kind_is(K.ASSIGNED)
        await house.tws.flat(SPY, ACCOUNT)
        house.clock.advance(3 * 3600)
        await house.reconciled()
        house.tws.assign(PUT_440, Decimal(1))
        await house.kind_is(K.ASSIGNED, K.ASSIGNED)
        await house.tws.flat(SPY, ACCOUNT)
        assert house.sent() == ["SELL 100 SPY", "SELL 100 SPY"]
        house.clock.advance(4 * 3600)
        house.tws.open_markets(at=MORNING)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.held() == {}
        assert "BUY 2 P440" not in house.sent()
        assert "BUY 1 P440" not in house.sent()


async def test_both_shorts_at_once_sell_what_is_left_of_the_shares(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(CALL_460, Decimal(1), rows=Rows.UNSAID)
        house.tws.assign(PUT_440, rows=Rows.UNSAID)
        await house.reconciled()
        await house.status_is(StrategyStatus.CLOSED)
        await house.kind_is(K.ASSIGNED, K.ASSIGNED)
        assert house.sent()[0] == "SELL 100 SPY"
        assert house.held() == {}


async def test_both_shorts_whose_shares_cancel_out_need_no_order_for_shares(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(CALL_460, rows=Rows.UNSAID)
        house.tws.assign(PUT_440, rows=Rows.UNSAID)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        await house.status_is(StrategyStatus.CLOSED)
        await house.kind_is(K.ASSIGNED, K.ASSIGNED)
        assert sorted(house.sent()) == ["SELL 2 C465", "SELL 2 P435"]
        assert house.held() == {}


async def test_shares_that_net_against_a_short_position_need_no_order(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.trade_by_hand(SPY, Side.SELL, Decimal(200), Decimal(450))
        await house.reconciled()
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == ["BUY 2 C460", "SELL 2 C465", "SELL 2 P435"]
        assert house.held() == {}


async def test_16_pin_sells_the_shares_only(tmp_path: Path) -> None:
    scene = on_days(condor_scene(now=AFTER_EXPIRY), MORNING.replace(month=12, day=17).date())
    scene = holding(scene, {PUT_440: -2, PUT_435: 2})
    spread = definition("V", "vertical", {P440: Decimal(-2), P435: Decimal(2)})
    monday = MORNING.replace(month=12, day=21)
    async with House(tmp_path, now=AFTER_EXPIRY, scene=scene, strategies=(spread,)) as house:
        house.tws.assign(PUT_440)
        house.tws.expire(PUT_435)
        await house.reconciled()
        house.clock.advance(2)
        await house.until(lambda s: s.assignments[0].kind is K.ASSIGNED)
        house.clock.advance(44)
        await house.reconciled()
        await house.kind_is(K.ASSIGNED, K.EXPIRED)
        assert house.sent() == []
        house.clock.advance((monday - house.clock.now()).total_seconds())
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert snapshot.assignments[0].type is AssignmentTiming.EXPIRATION
        assert house.sent() == ["SELL 200 SPY"]


async def test_vertical_through_expiry_is_settled_and_sells_nothing(tmp_path: Path) -> None:
    scene = on_days(condor_scene(now=AFTER_EXPIRY), MORNING.replace(month=12, day=17).date())
    scene = holding(scene, {PUT_440: -2, PUT_435: 2})
    spread = definition("V", "vertical", {P440: Decimal(-2), P435: Decimal(2)})
    async with House(tmp_path, now=AFTER_EXPIRY, scene=scene, strategies=(spread,)) as house:
        house.tws.assign(PUT_440)
        house.tws.exercise(PUT_435)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert {a.kind for a in snapshot.assignments} <= {K.ASSIGNED, K.EXERCISED, K.EXPIRED}
        assert house.sent() == []


async def test_17_long_leg_exercised_is_judged_and_the_rest_closed(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.exercise(CALL_465)
        await house.reconciled()
        house.clock.advance(2)
        await house.kind_is(K.EXERCISED)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent()[0] == "SELL 200 SPY"
        assert house.held() == {}


async def test_18_same_contracts_in_two_accounts_act_in_the_assigned_one_only(
    tmp_path: Path,
) -> None:
    strategies = (definition("A", account=ACCOUNT), definition("B", account="DU7654321"))
    ib = IbSettings(host="127.0.0.1", port=0, client_id=17, settle_seconds=0.05)
    async with House(
        tmp_path, now=MORNING, scene=in_two_accounts(MORNING), strategies=strategies, ib=ib
    ) as house:
        house.tws.assign(PUT_440, account="DU7654321")
        await house.until(lambda s: s.strategies[1].status is StrategyStatus.CLOSED)
        assert house.strategy.status is StrategyStatus.INTACT
        ours = [o for o in house.tws.order_records() if not o.what_if]
        assert {o.account for o in ours} == {"DU7654321"}
        assert {p.account for p in house.tws.positions()} == {ACCOUNT}


async def test_19_contract_of_ten_delivers_ten_each(tmp_path: Path) -> None:
    scene = with_multiplier(condor_scene(now=MORNING), PUT_440, "10")
    async with House(tmp_path, now=MORNING, scene=scene) as house:
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent()[0] == "SELL 20 SPY"
        assert house.held() == {}


async def test_19_adjusted_contract_delivers_what_appeared(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(PUT_440, shares=Decimal(24))
        await house.kind_is(K.SUSPECT)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent()[0] == "SELL 24 SPY"
        assert house.held() == {}


async def test_19_more_shares_than_promised_ask_for_attention(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(PUT_440, shares=Decimal(250))
        await house.kind_is(K.SUSPECT)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        await house.status_is(StrategyStatus.ATTENTION)
        assert house.sent() == []


async def test_contract_shared_by_two_strategies_closes_the_one_it_fits(tmp_path: Path) -> None:
    p430 = contract("P", 430, str(PUT_430))
    scene = with_contract(condor_scene(now=MORNING), put(PUT_430, "430"))
    held = {row.con_id: int(row.quantity) for row in scene.positions}
    scene = holding(scene, {**held, PUT_440: -5, PUT_430: 3})
    strategies = (
        definition(),
        definition("V", "vertical", {P440: Decimal(-3), p430: Decimal(3)}),
    )
    async with House(tmp_path, now=MORNING, scene=scene, strategies=strategies) as house:
        house.tws.assign(PUT_440, Decimal(3))
        await house.until(lambda s: s.strategies[1].status is StrategyStatus.CLOSED)
        assert house.strategy.status is StrategyStatus.INTACT
        assert house.held() == {"P440": -2, "P435": 2, "C460": -2, "C465": 2}


async def test_broker_says_by_execution_that_it_assigned(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(PUT_440, executions=ExecutionTiming.BEFORE)
        await house.status_is(StrategyStatus.CLOSED)
        await house.kind_is(K.ASSIGNED)
        assert house.held() == {}


async def test_liquidator_beside_us_takes_nothing_twice(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(rest(), SPY)
        house.tws.assign(PUT_440)
        await house.until(lambda s: any(o.instrument == "SPY" and o.type for o in s.orders))
        house.tws.liquidate(SPY, Decimal(150), Decimal(449))
        await house.tws.cancels_reached(1)
        house.tws.clear_order_policies()
        await house.status_is(StrategyStatus.CLOSED)
        assert [o for o in house.sent() if "SPY" in o] == ["SELL 200 SPY", "SELL 50 SPY"]
        assert house.held() == {}


async def test_liquidated_leg_is_named_and_nothing_is_sent_beside_the_broker(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.liquidate(PUT_435, Decimal(2), Decimal("3.05"))
        await house.kind_is(K.LIQUIDATED)
        await house.status_is(StrategyStatus.ATTENTION)
        await house.reconciled()
        assert house.sent() == []


async def test_split_is_followed_and_nothing_is_closed_blindly(tmp_path: Path) -> None:
    async with House(tmp_path, scene=doubled(condor_scene())) as house:
        rows = {row.con_id: row for row in house.tws.positions()}
        await house.end()
        for con_id, row in rows.items():
            gone = replace(row, quantity=Decimal(0))
            new = Position(account=ACCOUNT, con_id=SPLIT[con_id], quantity=row.quantity * 2)
            house.tws.set_position(gone)
            house.tws.set_position(new)
        await house.start()
        snapshot = await house.until(lambda s: len(s.assignments) == 4)
        assert {a.kind for a in snapshot.assignments} == {K.CORPORATE_ACTION}
        house.clock.advance(60)
        await house.reconciled()
        view = await house.status_is(StrategyStatus.ATTENTION)
        assert [leg.held for leg in view.strategies[0].legs] == [-4, 4, -4, 4]
        assert house.sent() == []


async def test_early_close_is_honoured(tmp_path: Path) -> None:
    friday = MORNING.replace(day=27) + timedelta(hours=4)
    scene = on_days(condor_scene(now=friday), friday.date())
    hours = week(friday.date(), days=5, early_closes={friday.date(): "1300"})
    options = tuple(
        one if one.con_id == SPY else replace(one, trading_hours=hours, liquid_hours=hours)
        for one in scene.instruments
    )
    scene = replace(scene, instruments=options)
    async with House(tmp_path, now=friday, scene=scene) as house:
        house.tws.assign(PUT_440)
        await house.tws.flat(SPY, ACCOUNT)
        assert house.sent() == ["SELL 200 SPY"]
        await house.until(lambda s: "opens Mon 09:30 ET" in str(s.strategies[0].plan))
        assert C460.name in {line.instrument for line in house.strategy.plan}
