"""The scenarios of an assigned leg, from the broker's socket to the broker's socket."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from msgspec import structs

from engine.desk.instruments import OptionContract
from engine.desk.options.definitions import OptionSettings
from engine.desk.snapshot import AssignmentKind, AssignmentState, OrderState, StrategyStatus
from tests.engine.desk.world import C460, VENUE, definition, option
from tests.engine.service.house import MORNING, House
from tests.fakes.tws import cash_settled_scene, condor_scene
from tests.fakes.tws.hours import week
from tests.fakes.tws.policy import POSITION_FIRST, fill, lose, partial, reject, rest, silent, warn
from tests.fakes.tws.records import EndMark, ExecutionTiming, Position, Quote, Rows, Scene, Side
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import (
    ACCOUNT,
    CALL_460,
    CALL_465,
    PUT_435,
    PUT_440,
    SPX_PUT_4350,
    SPX_PUT_4400,
    SPY,
)

ASSIGNED = AssignmentKind.ASSIGNED
ASKED_ONLY = OptionSettings(venue=VENUE, auto_close_on_assignment=False)
ALL_FOUR = ["SELL 200 SPY", "BUY 2 C460", "SELL 2 P435", "SELL 2 C465"]


def spx(strike: int) -> OptionContract:
    return structs.replace(option("P", strike, str(strike)), underlying="SPX")


def hours_of(scene: Scene, day: datetime) -> Scene:
    """The scene with the regular hours of a day, for all that is in it."""
    regular = week(day.date(), days=5)
    return replace(
        scene,
        instruments=tuple(
            replace(one, trading_hours=regular, liquid_hours=regular) for one in scene.instruments
        ),
    )


async def test_01_short_put_assigned_shares_sold_and_three_legs_closed(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(PUT_440)
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert [a.kind for a in snapshot.assignments] == [ASSIGNED]
        assert snapshot.assignments[0].quantity == 2
        assert snapshot.assignments[0].state is AssignmentState.CLOSED
        assert house.sent()[:2] == ALL_FOUR[:2]
        assert sorted(house.sent()) == sorted(ALL_FOUR)
        assert house.held() == {}
        assert {o.account for o in house.tws.order_records()} == {ACCOUNT}
        assert any(a.severity == "CRITICAL" for a in snapshot.alerts)


async def test_01_at_night_the_shares_go_at_once_and_options_wait_for_their_session(
    tmp_path: Path,
) -> None:
    async with House(tmp_path) as house:
        house.tws.assign(PUT_440)
        await house.until(lambda s: s.strategies[0].shares == 0 and bool(s.orders))
        assert house.sent() == ["SELL 200 SPY"]
        record = house.tws.order_records()[-1]
        assert record.outside_rth
        assert record.order_type == "LMT"
        assert "opens Tue 09:30 ET" in str(house.strategy.plan)
        house.clock.advance(7 * 3600)
        house.tws.open_markets(at=MORNING)
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == sorted(ALL_FOUR)


async def test_02_stock_row_first_is_the_same_one_event(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.assign(PUT_440, rows=Rows.STOCK_FIRST)
        await house.kind_is(ASSIGNED)
        await house.tws.flat(SPY)
        assert house.sent() == ["SELL 200 SPY"]
        house.clock.advance(7 * 3600)
        house.tws.open_markets(at=MORNING)
        await house.status_is(StrategyStatus.CLOSED)
        await house.kind_is(ASSIGNED)
        assert sorted(house.sent()) == sorted(ALL_FOUR)
        assert house.held() == {}


async def test_03_late_stock_is_suspect_at_once_and_assigned_when_it_comes(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        asked = {ask: house.tws.requests_of(ask) for ask in (Ask.POSITIONS, Ask.EXECUTIONS)}
        event = house.tws.assign(PUT_440, rows=Rows.OPTION_ONLY)
        snapshot = await house.kind_is(AssignmentKind.SUSPECT)
        assert snapshot.strategies[0].status is StrategyStatus.SUSPECT
        assert snapshot.alerts
        house.clock.advance(0.25)
        for ask, before in asked.items():
            await house.tws.requests_reached(ask, before + 1)
        refusal = await house.close(emergency=False)
        assert refusal.startswith("Cannot close broken strategy.")
        await house.reconciled()
        house.clock.advance(30)
        house.tws.deliver(event.event_id)
        await house.kind_is(ASSIGNED)
        await house.until(lambda s: s.strategies[0].shares == 0)
        assert house.sent() == ["SELL 200 SPY"]


async def test_04_leg_missing_in_two_fresh_snapshots_is_broken_and_closed(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_position(Position(account=ACCOUNT, con_id=PUT_440, quantity=Decimal(0)))
        await house.status_is(StrategyStatus.SUSPECT)
        await house.reconciled()
        assert house.strategy.status is StrategyStatus.SUSPECT
        house.clock.advance(46)
        await house.reconciled()
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert any("NAKED_POSITION" in a.title for a in snapshot.alerts)
        assert sorted(house.sent()) == sorted(ALL_FOUR[1:])
        assert house.held() == {}


async def test_04_leg_missing_waits_for_its_owner_where_nothing_is_closed_unasked(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING, settings=ASKED_ONLY) as house:
        house.tws.set_position(Position(account=ACCOUNT, con_id=PUT_440, quantity=Decimal(0)))
        await house.status_is(StrategyStatus.SUSPECT)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        snapshot = await house.status_is(StrategyStatus.ATTENTION)
        (critical,) = [a for a in snapshot.alerts if a.severity == "CRITICAL"]
        assert "NAKED_POSITION" in critical.title
        assert house.sent() == []


async def test_05_short_call_assigned_is_bought_to_cover(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.assign(CALL_460)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent()[0] == "BUY 200 SPY"
        assert sorted(house.sent()[1:]) == ["BUY 2 P440", "SELL 2 C465", "SELL 2 P435"]
        assert house.held() == {}


async def test_08_shares_held_before_are_kept(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.trade_by_hand(SPY, Side.BUY, Decimal(150), Decimal(450))
        await house.reconciled()
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent()[0] == "SELL 200 SPY"
        assert house.held() == {"SPY": 150}


async def test_09_covered_call_assigned_is_closed_as_designed(tmp_path: Path) -> None:
    call = definition("CC-1", "covered_call", {C460: Decimal(-2)}, shares=200)
    scene = condor_scene(now=MORNING)
    kept = tuple(p for p in scene.positions if p.con_id == CALL_460)
    shares = Position(account=ACCOUNT, con_id=SPY, quantity=Decimal(200))
    scene = type(scene)(
        accounts=scene.accounts,
        instruments=scene.instruments,
        positions=(*kept, shares),
        quotes=scene.quotes,
        market_rules=scene.market_rules,
    )
    async with House(tmp_path, scene=scene, strategies=(call,)) as house:
        house.tws.assign(CALL_460)
        await house.status_is(StrategyStatus.CLOSED)
        await house.kind_is(ASSIGNED)
        assert house.sent() == []


async def test_10_short_leg_bought_back_by_hand_is_manual(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.trade_by_hand(PUT_440, Side.BUY, Decimal(2), Decimal("4.15"))
        snapshot = await house.kind_is(AssignmentKind.MANUAL)
        assert snapshot.strategies[0].legs[0].held == 0
        await house.reconciled()
        assert house.sent() == []


async def test_11_leg_and_stock_bought_by_hand_are_two_trades(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.trade_by_hand(
            PUT_440, Side.BUY, Decimal(2), Decimal("4.15"), executions=ExecutionTiming.UNPUSHED
        )
        house.tws.trade_by_hand(
            SPY, Side.BUY, Decimal(200), Decimal(450), executions=ExecutionTiming.UNPUSHED
        )
        await house.kind_is(AssignmentKind.MANUAL)
        await house.reconciled()
        assert house.sent() == []


async def test_12_own_fill_whose_row_comes_before_the_execution_is_nothing(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(fill(rows=POSITION_FIRST))
        await house.close()
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert snapshot.assignments == ()
        assert house.held() == {}
        assert len(house.sent()) == 4


async def test_13_stock_bought_by_hand_is_nothing(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.trade_by_hand(SPY, Side.BUY, Decimal(300), Decimal(450))
        await house.reconciled()
        snapshot = await house.status_is(StrategyStatus.INTACT)
        assert snapshot.assignments == ()
        assert house.sent() == []


async def test_14_legs_gone_after_expiry_are_expired(tmp_path: Path) -> None:
    after = MORNING.replace(month=12, day=18) + timedelta(hours=8)
    async with House(tmp_path, now=after, scene=hours_of(condor_scene(now=after), after)) as house:
        for con_id in (PUT_440, PUT_435, CALL_460, CALL_465):
            house.tws.expire(con_id)
        await house.until(lambda s: len(s.assignments) == 4)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert {a.kind for a in snapshot.assignments} == {AssignmentKind.EXPIRED}
        assert house.sent() == []


async def test_15_cash_settled_option_asks_for_no_shares(tmp_path: Path) -> None:
    after = MORNING.replace(month=12, day=19)
    spread = definition(
        "SPX-V-1", "vertical", {spx(4400): Decimal(-1), spx(4350): Decimal(1)}, underlying="SPX"
    )
    scene = cash_settled_scene(now=after)
    async with House(tmp_path, now=after, scene=scene, strategies=(spread,)) as house:
        await house.status_is(StrategyStatus.INTACT)
        # In the money by far more than the last print said, and told like an assignment.
        for con_id in (SPX_PUT_4400, SPX_PUT_4350):
            house.tws.cash_settle(
                con_id, settlement_value=Decimal("87.31"), executions=ExecutionTiming.AFTER
            )
        await house.kind_is(AssignmentKind.SUSPECT, AssignmentKind.SUSPECT)
        await house.reconciled()
        house.clock.advance(46)
        await house.reconciled()
        await house.kind_is(AssignmentKind.CASH_SETTLED, AssignmentKind.CASH_SETTLED)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent() == []


async def test_20_rows_repeated_and_zero_rows_are_one_event(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.show_zero_rows()
        house.tws.repeat_rows(5)
        house.tws.assign(PUT_440)
        await house.kind_is(ASSIGNED)
        await house.reconciled()
        house.tws.resend_positions()
        await house.reconciled()
        assert house.sent() == ["SELL 200 SPY"]
        await house.kind_is(ASSIGNED)


async def test_21_assigned_while_the_engine_was_down_is_found_on_connect(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.end()
        house.tws.assign(PUT_440)
        await house.start()
        await house.kind_is(ASSIGNED)
        await house.until(lambda s: s.strategies[0].shares == 0)
        assert house.sent() == ["SELL 200 SPY"]


async def test_21_assigned_while_the_link_was_lost_is_found_on_reconnect(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.stop_accepting()
        house.tws.drop_link()
        await house.until(lambda s: s.venues[0].state == "down")
        house.tws.assign(PUT_440)
        await house.tws.resume_accepting()
        await house.kind_is(ASSIGNED)
        await house.until(lambda s: s.strategies[0].shares == 0)
        assert house.sent() == ["SELL 200 SPY"]


async def test_22_without_the_snapshots_end_nothing_is_concluded(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.withhold_end(EndMark.POSITIONS)
        house.tws.stop_accepting()
        house.tws.drop_link()
        await house.until(lambda s: s.venues[0].state == "down")
        house.tws.assign(PUT_440)
        asked = house.tws.requests_of(Ask.EXECUTIONS)
        await house.tws.resume_accepting()
        await house.tws.requests_reached(Ask.EXECUTIONS, asked + 1)
        snapshot = await house.until(lambda s: "positions" in s.venues[0].detail)
        assert snapshot.venues[0].state == "syncing"
        assert snapshot.strategies[0].status is StrategyStatus.INTACT
        assert snapshot.assignments == ()
        assert house.sent() == []
        house.tws.restore_end(EndMark.POSITIONS)
        await house.kind_is(ASSIGNED)
        await house.tws.flat(SPY)
        assert house.sent() == ["SELL 200 SPY"]


async def test_22_rows_missing_from_a_cut_off_snapshot_are_not_legs_gone(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.cut_snapshot(1, drop_link=True)
        asked = house.tws.requests_of(Ask.POSITIONS)
        house.tws.drop_link()
        await house.tws.requests_reached(Ask.POSITIONS, asked + 3)
        snapshot = house.engine.snapshot()
        assert snapshot.venues[0].state != "ready"
        assert [leg.held for leg in snapshot.strategies[0].legs] == [-2, 2, -2, 2]
        house.tws.cut_snapshot(None)
        snapshot = await house.until(lambda s: s.venues[0].state == "ready")
        assert snapshot.strategies[0].status is StrategyStatus.INTACT
        assert snapshot.assignments == ()
        assert house.sent() == []


async def test_23_link_lost_while_closing_freezes_and_goes_on(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(rest())
        house.tws.assign(PUT_440)
        await house.until(lambda s: sum(o.state is OrderState.WORKING for o in s.orders) == 2)
        kinds = (Ask.POSITIONS, Ask.EXECUTIONS, Ask.OPEN_ORDERS, Ask.ALL_OPEN_ORDERS)
        asked = {ask: house.tws.requests_of(ask) for ask in kinds}
        house.tws.send_error(1100)
        await house.until(lambda s: s.venues[0].state == "down")
        sent = house.sent()
        house.clock.advance(300)
        assert house.sent() == sent
        house.tws.clear_order_policies()
        house.tws.send_error(1102)
        await house.until(lambda s: s.venues[0].state == "ready")
        assert all(house.tws.requests_of(ask) > before for ask, before in asked.items())
        for view in house.tws.order_views():
            house.tws.fill_order(view.order_id)
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == sorted(ALL_FOUR)
        assert house.held() == {}


async def test_24_order_accepted_in_silence_is_found_by_its_reference(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(silent(), SPY)
        house.tws.assign(PUT_440)
        await house.until(lambda s: any(o.state is OrderState.FILLED for o in s.orders))
        await house.restart()
        await house.until(lambda s: any(o.state is OrderState.WORKING for o in s.orders))
        house.tws.clear_order_policies()
        (order,) = [v for v in house.tws.order_views() if v.con_id == SPY]
        house.tws.fill_order(order.order_id)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent().count("SELL 200 SPY") == 1
        assert house.held() == {}


async def test_24_order_lost_while_the_link_holds_is_sent_once_more_with_the_same_id(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(lose(times=1), SPY)
        house.tws.assign(PUT_440)
        await house.tws.orders_reached(3)
        house.clock.advance(11)
        await house.status_is(StrategyStatus.CLOSED)
        references = [o.order_ref for o in house.tws.order_records() if o.con_id == SPY]
        assert len(references) == 2
        assert len(set(references)) == 1
        assert house.held() == {}


async def test_24_order_filled_while_the_engine_was_gone_is_found_in_executions(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(silent(), SPY)
        house.tws.assign(PUT_440)
        await house.until(lambda s: any(o.state is OrderState.FILLED for o in s.orders))
        await house.end()
        (order,) = [v for v in house.tws.order_views() if v.con_id == SPY]
        house.tws.fill_order(order.order_id)
        await house.start()
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent().count("SELL 200 SPY") == 1
        assert house.held() == {}


async def test_24_order_filled_over_midnight_is_not_sent_again(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.trade_by_hand(SPY, Side.BUY, Decimal(150), Decimal(450))
        await house.reconciled()
        house.tws.set_order_policy(rest(), SPY)
        house.tws.assign(PUT_440)
        await house.until(lambda s: any(o.state is OrderState.WORKING for o in s.orders))
        await house.end()
        (order,) = house.tws.order_views()
        house.tws.fill_order(order.order_id)
        house.tws.midnight()
        house.clock.advance(24 * 3600)
        house.tws.open_markets(con_id=SPY)
        await house.start()
        await house.until(lambda s: s.venues[0].state == "ready" and s.strategies[0].shares == 0)
        house.clock.advance(300)
        await house.reconciled()
        assert house.sent() == ["SELL 200 SPY"]
        assert house.held()["SPY"] == 150


async def test_24_order_lost_on_the_way_is_sent_once_more_with_the_same_id(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(lose(times=1), SPY)
        house.tws.assign(PUT_440)
        await house.tws.orders_reached(3)
        await house.restart()
        await house.status_is(StrategyStatus.CLOSED)
        references = [o.order_ref for o in house.tws.order_records() if o.con_id == SPY]
        assert len(references) == 2
        assert len(set(references)) == 1
        assert house.held() == {}


async def test_26_rejected_leg_leaves_the_others_going(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(reject(201), CALL_460)
        house.tws.assign(PUT_440)
        snapshot = await house.status_is(StrategyStatus.ATTENTION)
        assert "201" in snapshot.strategies[0].reason
        assert any("201" in a.title and a.severity == "CRITICAL" for a in snapshot.alerts)
        await house.until(lambda s: house.held() == {"C460": -2, "C465": 2})
        house.tws.clear_order_policies()
        house.clock.advance(61)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.held() == {}


async def test_26_information_10349_is_one_order(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(warn(10349))
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == sorted(ALL_FOUR)


async def test_28_partly_filled_buy_back_frees_only_as_many_longs(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(partial(Decimal(1)), CALL_460)
        house.tws.assign(PUT_440)
        await house.until(lambda s: house.held() == {"C460": -1, "C465": 1})
        assert "SELL 1 C465" in house.sent()
        (order,) = [v for v in house.tws.order_views() if v.con_id == CALL_460]
        house.tws.fill_order(order.order_id)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.held() == {}


async def test_29_no_quote_is_no_blind_price_and_an_alarm(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_quote(CALL_460, Quote(bid=Decimal(-1), ask=Decimal(-1)))
        await house.until(
            lambda s: any(leg.strike == 460 and leg.ask is None for leg in s.strategies[0].legs)
        )
        house.tws.assign(PUT_440)
        snapshot = await house.until(
            lambda s: any(o.state is OrderState.HELD and "no ask" in o.reason for o in s.orders)
        )
        assert any("held" in a.title for a in snapshot.alerts)
        assert "BUY 2 C460" not in house.sent()
        house.tws.set_quote(CALL_460, Quote(bid=Decimal("4.20"), ask=Decimal("4.25")))
        await house.status_is(StrategyStatus.CLOSED)
        assert house.held() == {}


async def test_30_read_only_api_cannot_act_and_says_so(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_read_only()
        house.tws.drop_link()
        snapshot = await house.until(lambda s: s.venues[0].can_trade is False)
        assert any("cannot act" in a.title for a in snapshot.alerts)
        house.tws.assign(PUT_440)
        snapshot = await house.status_is(StrategyStatus.BROKEN)
        shares, short, *longs = snapshot.strategies[0].plan
        assert "cannot act" in shares.reason
        assert "cannot act" in short.reason
        assert len(longs) == 2
        assert "cannot act" in snapshot.venues[0].detail
        assert snapshot.orders == ()
        assert house.sent() == []


async def test_30_order_refused_by_321_means_cannot_act_and_is_not_shown_as_working(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(reject(321))
        house.tws.assign(PUT_440)
        snapshot = await house.until(lambda s: s.venues[0].can_trade is False)
        assert any("cannot act" in a.title for a in snapshot.alerts)
        snapshot = await house.until(lambda s: all(o.state == "REJECTED" for o in s.orders))
        assert len(snapshot.orders) == 2


async def test_31_correction_and_repeated_executions_count_once(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        ids = house.tws.trade_by_hand(SPY, Side.BUY, Decimal(300), Decimal(450))
        house.tws.repeat_execution(ids)
        house.tws.correct_execution(ids, price=Decimal(451))
        await house.reconciled()
        house.clock.advance(100)
        await house.reconciled()
        snapshot = await house.status_is(StrategyStatus.INTACT)
        assert snapshot.assignments == ()


async def test_31_correction_of_a_legs_trade_replaces_it(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        name = house.tws.trade_by_hand(PUT_440, Side.BUY, Decimal(2), Decimal("4.15"))
        house.tws.repeat_execution(name)
        await house.until(lambda s: s.strategies[0].legs[0].held == 0)
        house.tws.correct_execution(name, shares=Decimal(1))
        await house.until(lambda s: s.strategies[0].legs[0].held == -1)
        await house.reconciled()
        house.clock.advance(100)
        await house.reconciled()
        snapshot = await house.kind_is(AssignmentKind.MANUAL)
        assert snapshot.strategies[0].status is StrategyStatus.INTACT
        assert house.sent() == []


async def test_34_normal_close_of_a_broken_strategy_is_refused_emergency_closes_what_is_held(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING, settings=ASKED_ONLY) as house:
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.ATTENTION)
        assert await house.close(emergency=False) == (
            "Cannot close broken strategy. Legs may be assigned. Manual review required."
        )
        assert house.sent() == []
        assert await house.close(emergency=True) == "Closing SPY-IC-1."
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == sorted(ALL_FOUR)
        assert house.held() == {}


async def test_disarmed_refuses_every_close_and_armed_goes_on_by_itself(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING, armed=False) as house:
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.BROKEN)
        assert house.sent() == []
        assert "Disarmed" in await house.close()
        await house.arm(True)
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == sorted(ALL_FOUR)
