"""Assignments, exercises, expiries and trades by hand, as an API client sees them."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.tws import LoopbackTws, condor_scene
from tests.fakes.tws.happenings import TWS_UNSET_ORDER_ID
from tests.fakes.tws.listener import Listener, connected_ib, listening
from tests.fakes.tws.records import ExecutionTiming, Position, Right, Rows, Side, option, stock
from tests.fakes.tws.scenes import (
    ACCOUNT,
    CALL_460,
    EXPIRY,
    PUT_435,
    PUT_440,
    SPX_PUT_4400,
    SPY,
    cash_settled_scene,
)


async def subscribed(listener: Listener) -> None:
    listener.client.reqPositions()
    await listener.heard("positionEnd")
    listener.calls.clear()


def rows(listener: Listener) -> list[tuple[int, float, float]]:
    """(conId, quantity, average cost) of each position row."""
    return [(args[1].conId, args[2], args[3]) for args in listener.of("position")]


async def test_an_assignment_is_two_rows_option_first() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        before = time.monotonic_ns()
        event = tws.assign(PUT_440)
        await listener.settled()
        assert rows(listener) == [(PUT_440, 0, 0), (SPY, 200, 440)]
        assert (event.contracts, event.shares) == (Decimal(2), Decimal(200))
        assert event.first_row_ns is not None
        assert event.second_row_ns is not None
        assert before < event.first_row_ns < event.second_row_ns < time.monotonic_ns()
        assert listener.of("execDetails") == []


async def test_the_stock_row_can_come_first() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        tws.assign(PUT_440, rows=Rows.STOCK_FIRST)
        await listener.settled()
        assert [con_id for con_id, _, _ in rows(listener)] == [SPY, PUT_440]


@pytest.mark.parametrize(
    ("first", "said", "later"),
    [(Rows.OPTION_ONLY, PUT_440, SPY), (Rows.STOCK_ONLY, SPY, PUT_440)],
)
async def test_the_other_half_happens_on_delivery_and_not_before(
    first: Rows, said: int, later: int
) -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        event = tws.assign(PUT_440, rows=first)
        await listener.settled()
        assert event.pending
        assert [con_id for con_id, _, _ in rows(listener)] == [said]
        assert (SPY in {held.con_id for held in tws.positions()}) is (said == SPY)
        done = tws.deliver(event.event_id)
        await listener.settled()
        assert not done.pending
        assert done.second_row_ns is not None
        assert [con_id for con_id, _, _ in rows(listener)] == [said, later]


async def test_an_assigned_call_leaves_short_shares() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        tws.assign(CALL_460)
        await listener.settled()
        assert rows(listener) == [(CALL_460, 0, 0), (SPY, -200, 460)]


async def test_a_covered_call_takes_the_held_shares() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        held = Position(
            account=ACCOUNT, con_id=SPY, quantity=Decimal(200), average_cost=Decimal(430)
        )
        tws.set_position(held)
        await subscribed(listener)
        tws.assign(CALL_460)
        await listener.settled()
        assert rows(listener) == [(CALL_460, 0, 0), (SPY, 0, 0)]


async def test_part_of_a_leg_and_then_the_rest() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        tws.assign(PUT_440, Decimal(1))
        tws.assign(PUT_440, Decimal(1), stock_cost=Decimal(435))
        await listener.settled()
        assert rows(listener) == [
            (PUT_440, -1, 310),
            (SPY, 100, 440),
            (PUT_440, 0, 0),
            (SPY, 200, 437.5),
        ]
        with pytest.raises(ValueError, match="short contracts"):
            tws.assign(PUT_440)


async def test_an_adjusted_contract_delivers_what_it_is_told_to() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_instrument(replace(stock(900001, "SPY1"), long_name="SPY ADJUSTED"))
        await subscribed(listener)
        tws.assign(PUT_440, Decimal(1), shares=Decimal(12), under_con_id=900001)
        await listener.settled()
        assert rows(listener) == [(PUT_440, -1, 310), (900001, 12, 440)]


async def test_two_accounts_with_the_same_contract_are_kept_apart() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.add_account("DU2")
        tws.set_position(Position(account="DU2", con_id=PUT_440, quantity=Decimal(-1)))
        await subscribed(listener)
        with pytest.raises(LookupError):
            tws.assign(PUT_440)
        tws.assign(PUT_440, account="DU2")
        await listener.settled()
        assert {args[0] for args in listener.of("position")} == {"DU2"}
        assert tws.book.held(ACCOUNT, PUT_440).quantity == -2


@pytest.mark.parametrize(
    ("timing", "told"),
    [
        (ExecutionTiming.BEFORE, ["execDetails", "execDetails", "position", "position"]),
        (ExecutionTiming.AFTER, ["position", "position", "execDetails", "execDetails"]),
        (ExecutionTiming.UNPUSHED, ["position", "position"]),
    ],
)
async def test_orphan_executions_come_when_told_to(
    timing: ExecutionTiming, told: list[str]
) -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        event = tws.assign(PUT_440, executions=timing, execution_price=Decimal(0))
        await listener.settled()
        assert listener.names("position", "execDetails") == told
        assert [row.exec_id for row in tws.book.executions] == list(event.exec_ids)
        for _, _, execution in listener.of("execDetails"):
            assert (execution.orderId, execution.permId, execution.price) == (0, 0, 0.0)


async def test_what_happened_while_nobody_was_connected_is_in_the_snapshot() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        tws.assign(PUT_440, rows=Rows.UNSAID, executions=ExecutionTiming.UNPUSHED)
        async with connected_ib(tws) as ib:
            held = {row.contract.conId: row.position for row in ib.positions()}
            assert held[SPY] == 200
            assert PUT_440 not in held
            assert {fill.execution.orderId for fill in ib.fills()} == {0}


async def test_an_exercised_long_put_delivers_shares_away() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        tws.exercise(PUT_435, Decimal(1))
        await listener.settled()
        assert rows(listener) == [(PUT_435, 1, 245), (SPY, -100, 435)]


async def test_an_expired_leg_goes_alone() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        event = tws.expire(PUT_440)
        await listener.settled()
        assert rows(listener) == [(PUT_440, 0, 0)]
        assert not event.pending


async def test_cash_settlement_moves_cash_and_no_shares() -> None:
    async with LoopbackTws(cash_settled_scene()) as tws, connected_ib(tws) as ib:
        tws.cash_settle(SPX_PUT_4400, settlement_value=Decimal("25.5"))
        await ib.reqCurrentTimeAsync()
        values = {one.tag: one.value for one in ib.accountValues()}
        assert values["TotalCashValue"] == "97450.00"
        assert len(ib.positions()) == 1
        assert {held.con_id for held in tws.positions()} == {SPX_PUT_4400 - 50}


async def test_a_hand_trade_has_a_perm_id_and_nothing_else_of_an_order() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        tws.trade_by_hand(PUT_440, Side.BUY, Decimal(2), Decimal("4.15"))
        await listener.settled()
        assert listener.names("position", "execDetails") == ["execDetails", "position"]
        ((_, _, execution),) = listener.of("execDetails")
        assert (execution.orderId, execution.orderRef, execution.clientId) == (0, "", 0)
        assert execution.permId > 0
        assert rows(listener) == [(PUT_440, 0, 0)]


async def test_a_hand_trade_can_be_found_only_by_asking() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.trade_by_hand(
            PUT_440,
            Side.BUY,
            Decimal(2),
            Decimal("4.15"),
            executions=ExecutionTiming.UNPUSHED,
            order_id=TWS_UNSET_ORDER_ID,
        )
        (fill,) = await ib.reqExecutionsAsync()
        assert (fill.execution.orderId, fill.execution.side) == (0, "BOT")


async def test_a_liquidation_is_announced_and_marked() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        tws.liquidate(PUT_435, Decimal(2), Decimal("3.05"))
        await listener.settled()
        assert listener.errors() == [(-1, 2148)]
        ((_, _, execution),) = listener.of("execDetails")
        assert (execution.liquidation, execution.orderId, execution.side) == (1, -1, "SLD")


async def test_a_correction_raises_the_last_segment_and_replaces() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await subscribed(listener)
        first = tws.trade_by_hand(SPY, Side.BUY, Decimal(100), Decimal(450))
        second = tws.correct_execution(first, shares=Decimal(90))
        tws.repeat_execution(second)
        await listener.settled()
        told = [args[2].execId for args in listener.of("execDetails")]
        assert told == [first, second, second]
        assert first[:-2] == second[:-2]
        assert (first[-2:], second[-2:]) == ("01", "02")
        assert rows(listener)[-1] == (SPY, 90, 450)


async def test_a_working_order_of_somebody_else_shows_on_enquiry() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.work_by_hand(PUT_440, Side.BUY, Decimal(1), Decimal("4.00"))
        assert await ib.reqOpenOrdersAsync() == []
        (seen,) = await ib.reqAllOpenOrdersAsync()
        assert (seen.order.orderId, seen.order.totalQuantity) == (0, 1)


async def test_portfolio_rows_close_with_zeros() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqAccountUpdates(True, ACCOUNT)
        await listener.heard("accountDownloadEnd")
        assert len(listener.of("updatePortfolio")) == 4
        tws.assign(PUT_440)
        await listener.settled()
        gone, shares = listener.of("updatePortfolio")[-2:]
        assert gone[0].conId == PUT_440
        assert (gone[1], gone[3], gone[4]) == (0, 0, 0)
        assert (shares[0].conId, shares[1]) == (SPY, 200)


async def test_another_multiplier_delivers_by_it() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        spy = tws.book.instrument(SPY)
        mini = option(77, spy, Right.PUT, Decimal(440), EXPIRY, multiplier="10")
        tws.set_instrument(mini)
        tws.set_position(Position(account=ACCOUNT, con_id=77, quantity=Decimal(-3)))
        await subscribed(listener)
        tws.assign(77, Decimal(2))
        await listener.settled()
        assert rows(listener) == [(77, -1, 0), (SPY, 20, 440)]
