"""Other hands in the account while we close, several shorts, other names: scenarios of the sheet's
kind that it does not list, from the broker's socket to the broker's socket."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.snapshot import AssignmentKind, AssignmentState, OrderState, StrategyStatus
from tests.engine.desk.world import C460, P435, P440, definition
from tests.engine.desk.world import option as contract
from tests.engine.service.house import ACCOUNT, MORNING, House
from tests.engine.service.stage import PUT_430, SPY_STOCK, holding, put, with_contract
from tests.fakes.tws import condor_scene
from tests.fakes.tws.policy import CancelAnswer, rest
from tests.fakes.tws.records import ExecutionTiming, Position, Right, Rows, Scene, Side, option
from tests.fakes.tws.records import stock as listed_stock
from tests.fakes.tws.scenes import CALL_460, CALL_465, EXPIRY, PUT_435, PUT_440, SPY, quote

K = AssignmentKind
S = StrategyStatus
P430 = contract("P", 430, str(PUT_430))


def closes_of(house: House, name: str) -> list[str]:
    return [one for one in house.sent() if one.endswith(f" {name}")]


# --- a person, while we close --------------------------------------------------------------------


async def test_person_buys_part_of_the_leg_we_buy_back_and_we_buy_the_rest(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(rest(), CALL_460)
        house.tws.assign(PUT_440)
        await house.until(lambda s: house.held() == {"C460": -2, "C465": 2})
        await house.until(lambda s: any(o.state is OrderState.WORKING for o in s.orders))
        house.tws.trade_by_hand(CALL_460, Side.BUY, Decimal(1), Decimal("4.20"))
        await house.tws.cancels_reached(1)
        house.tws.clear_order_policies()
        await house.status_is(S.CLOSED)
        assert closes_of(house, "C460") == ["BUY 2 C460", "BUY 1 C460"]
        assert house.held() == {}


async def test_person_and_we_both_buy_back_the_leg_and_the_surplus_is_sold_again(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(rest(), CALL_460)
        house.tws.set_cancel_answer(CancelAnswer.FILL_FIRST)
        house.tws.assign(PUT_440)
        await house.until(lambda s: house.held() == {"C460": -2, "C465": 2})
        await house.until(lambda s: any(o.state is OrderState.WORKING for o in s.orders))
        house.tws.clear_order_policies()
        house.tws.set_cancel_answer(CancelAnswer.FILL_FIRST)
        house.tws.trade_by_hand(CALL_460, Side.BUY, Decimal(2), Decimal("4.20"))
        await house.tws.cancels_reached(1)
        await house.status_is(S.CLOSED)
        assert closes_of(house, "C460") == ["BUY 2 C460", "SELL 2 C460"]
        assert house.held() == {}


async def test_person_sells_the_delivered_shares_before_we_can(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING, armed=False) as house:
        house.tws.assign(PUT_440)
        await house.kind_is(K.ASSIGNED)
        house.tws.trade_by_hand(SPY, Side.SELL, Decimal(200), Decimal(449))
        await house.until(lambda s: s.strategies[0].shares == 0)
        await house.arm(True)
        await house.status_is(S.CLOSED)
        assert closes_of(house, "SPY") == []
        assert sorted(house.sent()) == ["BUY 2 C460", "SELL 2 C465", "SELL 2 P435"]
        assert house.held() == {}


async def test_trades_by_hand_told_late_stop_the_close_that_took_them_for_an_assignment(
    tmp_path: Path,
) -> None:
    async with House(tmp_path) as house:
        house.tws.set_order_policy(rest(), SPY)
        house.tws.mute_live_rows()
        for con_id, quantity in ((PUT_440, 2), (SPY, 200)):
            house.tws.trade_by_hand(
                con_id, Side.BUY, Decimal(quantity), Decimal(4), executions=ExecutionTiming.UNPUSHED
            )
        late = list(house.tws.book.executions)
        house.tws.book.executions.clear()
        house.tws.mute_live_rows(False)
        house.tws.resend_positions()
        await house.kind_is(K.ASSIGNED)
        await house.until(lambda s: any(o.state is OrderState.WORKING for o in s.orders))
        house.tws.book.executions.extend(late)
        await house.reconciled()
        await house.tws.cancels_reached(1)
        await house.reconciled()
        snapshot = await house.kind_is(K.MANUAL)
        assert any("it was not ASSIGNED" in a.title for a in snapshot.alerts)
        house.clock.advance(3600)
        await house.reconciled()
        assert house.sent() == ["SELL 200 SPY"]
        assert house.held()["SPY"] == 200
        assert house.strategy.status is S.INTACT


async def test_leg_sold_and_bought_again_by_hand_is_clear_again(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.trade_by_hand(PUT_435, Side.SELL, Decimal(2), Decimal(3))
        snapshot = await house.status_is(S.ATTENTION)
        assert "no longer covered" in snapshot.strategies[0].reason
        house.tws.trade_by_hand(PUT_435, Side.BUY, Decimal(2), Decimal(3))
        await house.status_is(S.INTACT)
        assert house.sent() == []


# --- several shorts, shared contracts ------------------------------------------------------------


async def test_two_short_puts_of_one_strategy_assigned_in_one_night(tmp_path: Path) -> None:
    scene = with_contract(condor_scene(now=MORNING), put(PUT_430, "430"))
    scene = holding(scene, {PUT_440: -2, PUT_435: -1, PUT_430: 3})
    ladder = definition("L", "custom", {P440: Decimal(-2), P435: Decimal(-1), P430: Decimal(3)})
    async with House(tmp_path, now=MORNING, scene=scene, strategies=(ladder,)) as house:
        house.tws.assign(PUT_440, rows=Rows.UNSAID)
        house.tws.assign(PUT_435, rows=Rows.UNSAID)
        await house.reconciled()
        await house.status_is(S.CLOSED)
        await house.kind_is(K.ASSIGNED, K.ASSIGNED)
        assert house.sent() == ["SELL 300 SPY", f"SELL 3 {PUT_430}"]
        assert house.held() == {}


async def test_delivery_beside_long_shares_of_others_sells_its_own_only(tmp_path: Path) -> None:
    scene = condor_scene(now=MORNING)
    held = {row.con_id: int(row.quantity) for row in scene.positions}
    scene = holding(scene, {**held, CALL_460: -3, SPY: 100})
    strategies = (
        definition(),
        definition("CC", "covered_call", {C460: Decimal(-1)}, shares=100),
    )
    async with House(tmp_path, now=MORNING, scene=scene, strategies=strategies) as house:
        house.tws.assign(PUT_440)
        # 100 shares that become 300 might be a split: the rows are given time to be complete.
        await house.kind_is(K.SUSPECT)
        await house.reconciled()
        house.clock.advance(2)
        await house.status_is(S.CLOSED)
        covered = house.engine.snapshot().strategies[1]
        assert (covered.status, covered.shares) == (S.INTACT, 100)
        assert house.held() == {"SPY": 100, "C460": -1}
        assert closes_of(house, "SPY") == ["SELL 200 SPY"]


async def test_shared_contract_that_fits_nobody_exactly_names_the_others(tmp_path: Path) -> None:
    scene = with_contract(condor_scene(now=MORNING), put(PUT_430, "430"))
    held = {row.con_id: int(row.quantity) for row in scene.positions}
    scene = holding(scene, {**held, PUT_440: -5, PUT_430: 3})
    strategies = (
        definition(),
        definition("V", "vertical", {P440: Decimal(-3), P430: Decimal(3)}),
    )
    async with House(tmp_path, now=MORNING, scene=scene, strategies=strategies) as house:
        house.tws.assign(PUT_440, Decimal(1))
        await house.until(lambda s: s.strategies[0].status is S.CLOSED)
        (event,) = house.engine.snapshot().assignments
        assert (event.strategy_id, event.state) == ("SPY-IC-1", AssignmentState.CLOSED)
        assert "shared with V" in event.evidence
        assert house.engine.snapshot().strategies[1].status is S.INTACT
        assert house.held() == {"P440": -3, str(PUT_430): 3}


# --- other names ---------------------------------------------------------------------------------


async def test_symbol_change_is_followed_and_moves_nothing(tmp_path: Path) -> None:
    renamed = listed_stock(990_001, "SPYX")
    call = option(990_002, renamed, Right.CALL, Decimal(460), EXPIRY)
    scene = holding(condor_scene(), {CALL_460: -1, SPY: 100})
    for one in (renamed, call):
        scene = with_contract(scene, one)
    covered = definition("CC", "covered_call", {C460: Decimal(-1)}, shares=100)
    async with House(tmp_path, scene=scene, strategies=(covered,)) as house:
        await house.end()
        for con_id, quantity in ((SPY, 0), (CALL_460, 0), (990_001, 100), (990_002, -1)):
            row = Position(account=ACCOUNT, con_id=con_id, quantity=Decimal(quantity))
            house.tws.set_position(row)
        await house.start()
        snapshot = await house.status_is(S.ATTENTION)
        assert {a.kind for a in snapshot.assignments} == {K.CORPORATE_ACTION}
        house.clock.advance(60)
        await house.reconciled()
        (view,) = house.engine.snapshot().strategies
        assert (view.shares, view.legs[0].held) == (100, -1)
        assert house.sent() == []


# --- 35, every shape -----------------------------------------------------------------------------

LATER = date(2027, 1, 15)
OTHERS = {
    940_001: option(940_001, SPY_STOCK, Right.CALL, Decimal(440), EXPIRY),
    940_002: option(940_002, SPY_STOCK, Right.CALL, Decimal(445), EXPIRY),
    940_003: option(940_003, SPY_STOCK, Right.CALL, Decimal(460), LATER),
}
SHAPES: dict[str, dict[int, int]] = {
    "iron_condor": {PUT_440: -2, PUT_435: 2, CALL_460: -2, CALL_465: 2},
    "iron_butterfly": {PUT_440: -1, PUT_435: 1, 940_001: -1, 940_002: 1},
    "vertical": {PUT_440: -2, PUT_435: 2},
    "strangle": {PUT_440: -1, CALL_460: -1},
    "straddle": {PUT_440: -1, 940_001: -1},
    "calendar": {CALL_460: -1, 940_003: 1},
    "covered_call": {CALL_460: -1, SPY: 100},
    "cash_secured_put": {PUT_440: -3},
    "single": {PUT_435: 2},
}


def scene_of(held: dict[int, int]) -> Scene:
    scene = condor_scene(now=MORNING)
    model = scene.instruments[1]
    others = tuple(
        replace(one, trading_hours=model.trading_hours, liquid_hours=model.liquid_hours)
        for one in OTHERS.values()
    )
    quotes = tuple((con_id, quote("1.00", "1.05")) for con_id in OTHERS)
    scene = replace(
        scene, instruments=(*scene.instruments, *others), quotes=(*scene.quotes, *quotes)
    )
    return holding(scene, held)


@pytest.mark.parametrize("kind", SHAPES)
async def test_35_every_shape_nobody_registered_is_recognised(tmp_path: Path, kind: str) -> None:
    async with House(tmp_path, now=MORNING, scene=scene_of(SHAPES[kind]), strategies=()) as house:
        snapshot = await house.until(lambda s: bool(s.candidates))
        (offer,) = snapshot.candidates
        assert offer.kind == kind
        assert {leg.held for leg in offer.legs} == {
            Decimal(q) for con_id, q in SHAPES[kind].items() if con_id != SPY
        }
        assert house.sent() == []
