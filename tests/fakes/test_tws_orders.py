"""What becomes of orders at the loopback TWS: each policy, through ib_insync's own decoder."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from ib_insync import Contract, LimitOrder, MarketOrder, Order

from tests.fakes.tws import LoopbackTws, condor_scene, policy
from tests.fakes.tws.listener import Listener, connected_ib, listening
from tests.fakes.tws.policy import CancelAnswer, Row
from tests.fakes.tws.records import Side, Status
from tests.fakes.tws.scenes import CALL_460, PUT_435, PUT_440, SPY, quote

TELLING = ("openOrder", "orderStatus", "execDetails", "commissionReport", "position")


def contract(con_id: int, exchange: str = "SMART") -> Contract:
    return Contract(conId=con_id, exchange=exchange)


def buy(quantity: int = 2, limit: float | None = None, **more: Any) -> Order:
    more = {"tif": "DAY", **more}
    if limit is None:
        return MarketOrder("BUY", quantity, **more)
    return LimitOrder("BUY", quantity, limit, **more)


async def place(listener: Listener, order_id: int, order: Order, con_id: int = PUT_440) -> None:
    listener.client.placeOrder(order_id, contract(con_id), order)
    await listener.settled()


def statuses(listener: Listener) -> list[tuple[str, float, float]]:
    return [(args[1], args[2], args[3]) for args in listener.of("orderStatus")]


async def test_a_fill_is_told_in_the_order_tws_tells_it() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqPositions()
        await listener.heard("positionEnd")
        listener.calls.clear()
        await place(listener, 10, buy(2, 4.15))
        assert listener.names(*TELLING) == ["openOrder", "orderStatus", *TELLING]
        assert statuses(listener) == [("PreSubmitted", 0, 2), ("Filled", 2, 0)]


async def test_the_position_row_can_come_before_the_execution() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqPositions()
        await listener.heard("positionEnd")
        tws.set_order_policy(policy.fill(rows=policy.POSITION_FIRST))
        listener.calls.clear()
        await place(listener, 10, buy())
        told = listener.names("position", "execDetails")
        assert told == ["position", "execDetails"]


async def test_a_limit_away_from_the_quote_rests_until_the_quote_comes() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(2, 4.00))
        assert statuses(listener) == [("Submitted", 0, 2)]
        tws.set_quote(PUT_440, quote("3.90", "3.95"))
        await listener.settled()
        assert statuses(listener)[-1] == ("Filled", 2, 0)
        (row,) = tws.book.executions
        assert row.price == Decimal("3.95")


async def test_a_market_order_without_a_quote_rests() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_quote(PUT_440, quote("-1", "-1"))
        await place(listener, 10, buy())
        assert statuses(listener) == [("Submitted", 0, 2)]


async def test_repricing_a_working_order_keeps_one_order() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(2, 4.00))
        await place(listener, 10, buy(2, 4.15))
        assert [record.modifies for record in tws.orders] == [False, True]
        (view,) = tws.order_views()
        assert (view.status, view.filled) == (Status.FILLED, Decimal(2))
        assert len(tws.book.executions) == 1


async def test_a_change_that_is_refused_leaves_the_order_as_it_was() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(2, 4.00))
        tws.set_order_policy(policy.reject(201))
        await place(listener, 10, buy(2, 4.15))
        await place(listener, 10, buy(2, 4.17))
        assert listener.errors() == [(10, 201), (10, 110)]
        (view,) = tws.order_views()
        assert (view.status, view.limit_price) == (Status.SUBMITTED, Decimal(4))


async def test_partial_fills_each_have_an_execution_and_the_rest_works_on() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.set_order_policy(policy.partial(Decimal(1), Decimal(2)), PUT_440)
        trade = ib.placeOrder(contract(PUT_440), buy(5, 4.15))
        while len(trade.fills) < 2:
            await trade.fillEvent
        assert [fill.execution.shares for fill in trade.fills] == [1, 2]
        assert [fill.execution.cumQty for fill in trade.fills] == [1, 3]
        assert (trade.orderStatus.status, trade.remaining()) == ("Submitted", 2)
        tws.fill_order(trade.order.orderId)
        await trade.filledEvent


async def test_201_leaves_the_order_inactive() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.reject(201), PUT_440)
        await place(listener, 10, buy())
        await place(listener, 11, buy(), CALL_460)
        assert listener.errors() == [(10, 201)]
        assert [view.status for view in tws.order_views()] == [Status.INACTIVE, Status.FILLED]


@pytest.mark.parametrize("code", [110, 200, 203, 321, 460])
async def test_other_refusals_leave_no_order(code: int) -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.reject(code))
        await place(listener, 10, buy())
        assert listener.errors() == [(10, code)]
        assert tws.order_views() == ()
        assert statuses(listener) == []


async def test_a_price_off_the_market_rule_is_110_and_on_it_is_taken() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        stuck = ib.placeOrder(contract(PUT_440), buy(2, 4.17))
        good = ib.placeOrder(contract(PUT_440), buy(2, 4.20))
        await good.filledEvent
        assert stuck.orderStatus.status == "PendingSubmit"
        assert [view.order_id for view in tws.order_views()] == [good.order.orderId]


async def test_10349_is_information_and_the_order_fills() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.warn(10349, policy.Answer.FILL))
        await place(listener, 10, buy(tif=""))
        assert listener.errors() == [(10, 10349)]
        assert statuses(listener)[-1] == ("Filled", 2, 0)


async def test_399_warns_and_the_order_waits() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.warn(399))
        await place(listener, 10, buy())
        assert listener.errors() == [(10, 399)]
        assert statuses(listener) == [("PreSubmitted", 0, 2)]
        tws.fill_order(10)
        await listener.settled()
        assert statuses(listener)[-1] == ("Filled", 2, 0)


async def test_a_silent_order_works_and_only_an_enquiry_shows_it() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.silent())
        await place(listener, 10, buy(orderRef="quiet"))
        assert listener.names(*TELLING) == []
        listener.client.reqOpenOrders()
        await listener.heard("openOrderEnd")
        ((_, _, order, _),) = listener.of("openOrder")
        assert order.orderRef == "quiet"


async def test_an_unsaid_fill_is_found_in_executions_and_positions() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.set_order_policy(policy.fill_unsaid())
        trade = ib.placeOrder(contract(PUT_440), buy(orderRef="unsaid"))
        await tws.orders_reached(1)
        (fill,) = await ib.reqExecutionsAsync()
        assert fill.execution.orderRef == "unsaid"
        assert trade.orderStatus.status == "PendingSubmit"
        assert PUT_440 not in {row.contract.conId for row in await ib.reqPositionsAsync()}


async def test_a_fill_can_show_as_a_position_row_only() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqPositions()
        await listener.heard("positionEnd")
        listener.calls.clear()
        tws.set_order_policy(policy.fill_unsaid(rows=(Row.POSITION,)))
        await place(listener, 10, buy())
        assert listener.names(*TELLING) == ["position"]


async def test_a_late_answer_comes_on_release() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.fill_late())
        await place(listener, 10, buy())
        assert statuses(listener) == []
        tws.release_answers()
        await listener.settled()
        assert statuses(listener)[-1] == ("Filled", 2, 0)


async def test_a_lost_order_is_nowhere() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.lose())
        await place(listener, 10, buy())
        assert len(tws.orders) == 1
        assert tws.order_views() == ()
        assert listener.names(*TELLING) == []


async def test_every_row_twice_is_one_fill() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.set_order_policy(policy.fill(copies=2))
        trade = ib.placeOrder(contract(PUT_440), buy())
        await trade.filledEvent
        await ib.reqCurrentTimeAsync()
        assert len(trade.fills) == 1
        assert len(tws.book.executions) == 1


async def test_a_counted_policy_gives_way_to_the_one_under_it() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_order_policy(policy.rest())
        tws.set_order_policy(policy.reject(201, times=1), PUT_440)
        await place(listener, 10, buy())
        await place(listener, 11, buy())
        tws.clear_order_policies()
        await place(listener, 12, buy())
        shown = [view.status for view in tws.order_views()]
        assert shown == [Status.INACTIVE, Status.SUBMITTED, Status.FILLED]


async def test_a_blank_exchange_is_refused_with_321() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.placeOrder(10, contract(PUT_440, ""), buy())
        await listener.settled()
        assert listener.errors() == [(10, 321)]
        assert len(tws.orders) == 1


async def test_a_used_order_id_is_103() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy())
        await place(listener, 10, buy())
        await place(listener, 9, buy())
        assert listener.errors() == [(10, 103), (9, 103)]


async def test_an_order_that_cannot_be_read_is_320() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.send(3, 10, "short")
        listener.client.placeOrder(11, contract(PUT_440), Order(action="HOLD", totalQuantity=1))
        await listener.settled()
        assert listener.errors() == [(10, 320), (11, 320)]
        assert tws.orders == []


async def test_a_read_only_api_refuses_orders_and_order_enquiries() -> None:
    async with (
        LoopbackTws(condor_scene(), read_only=True) as tws,
        connected_ib(tws, read_only=True) as ib,
    ):
        codes: list[int] = []
        ib.errorEvent += lambda _req, code, _text, _contract: codes.append(code)
        trade = ib.placeOrder(contract(PUT_440), buy())
        await trade.cancelledEvent
        ib.client.reqAllOpenOrders()
        await ib.reqCurrentTimeAsync()
        assert codes == [321, 321]
        assert len(ib.positions()) == 4


async def test_cancel_is_202_and_again_is_10148_and_unknown_is_10147() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(2, 1.00))
        for order_id in (10, 10, 99):
            listener.client.cancelOrder(order_id)
        await listener.settled()
        assert listener.errors() == [(10, 202), (10, 10148), (99, 10147)]
        assert statuses(listener)[-1] == ("Cancelled", 0, 2)
        assert [record.order_id for record in tws.cancels] == [10, 10, 99]


async def test_a_cancel_that_comes_too_late_meets_a_fill() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_cancel_answer(CancelAnswer.FILL_FIRST)
        await place(listener, 10, buy(2, 1.00))
        listener.client.cancelOrder(10)
        await listener.settled()
        assert listener.errors() == [(10, 10148)]
        assert statuses(listener)[-1] == ("Filled", 2, 0)


@pytest.mark.parametrize(
    ("answer", "codes"), [(CancelAnswer.IGNORE, []), (CancelAnswer.NOT_FOUND, [(10, 10147)])]
)
async def test_a_cancel_can_be_ignored_or_denied(
    answer: CancelAnswer, codes: list[tuple[int, int]]
) -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_cancel_answer(answer, PUT_440)
        await place(listener, 10, buy(2, 1.00))
        listener.client.cancelOrder(10)
        await tws.cancels_reached(1)
        await listener.settled()
        assert listener.errors() == codes
        assert tws.order_views()[0].status is Status.SUBMITTED


async def test_global_cancel_cancels_everything() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(2, 1.00))
        tws.work_by_hand(PUT_435, Side.BUY, Decimal(1), Decimal(1))
        listener.client.reqGlobalCancel()
        await listener.settled()
        assert {view.status for view in tws.order_views()} == {Status.CANCELLED}


async def test_the_first_fill_of_an_oca_group_cancels_the_rest() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(2, 1.00, ocaGroup="g"))
        await place(listener, 11, buy(2, 1.00, ocaGroup="g"), CALL_460)
        tws.fill_order(11, Decimal(1))
        await listener.settled()
        assert [view.status for view in tws.order_views()] == [Status.CANCELLED, Status.SUBMITTED]


async def test_an_untransmitted_order_waits_in_tws() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await place(listener, 10, buy(transmit=False))
        assert statuses(listener) == [("PreSubmitted", 0, 2)]
        assert tws.book.executions == []


async def test_fills_while_the_client_is_away_are_told_when_it_asks() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        async with listening(tws) as listener:
            await place(listener, 10, buy(2, 1.00, orderRef="ref"))
        await tws.clients_reached(0)
        tws.fill_order(10, price=Decimal("1.00"))
        async with connected_ib(tws) as ib:
            assert ib.openTrades() == []
            (fill,) = ib.fills()
            assert (fill.execution.orderRef, fill.execution.price) == ("ref", 1.0)


async def test_completed_orders_name_their_reference() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        await ib.placeOrder(contract(SPY), buy(100, orderRef="one")).filledEvent
        rest = ib.placeOrder(contract(SPY), buy(100, 1.00, orderRef="two"))
        ib.cancelOrder(rest.order)
        await rest.cancelledEvent
        done = await ib.reqCompletedOrdersAsync(False)
        found = [(one.order.orderRef, one.orderStatus.status) for one in done]
        assert found == [("one", "Filled"), ("two", "Cancelled")]
        assert done[0].order.filledQuantity == 100
        tws.midnight()
        assert await ib.reqCompletedOrdersAsync(False) == []
        assert await ib.reqExecutionsAsync() == []


async def test_waiting_gives_up_in_bounded_time_and_hands_on_mistakes() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        with pytest.raises(TimeoutError):
            await tws.orders_reached(1, within_seconds=0.01)
        waiting = asyncio.ensure_future(
            tws.wait_for(lambda: bool(tws.clients()) and 1 / 0 > 0, within_seconds=5)
        )
        async with listening(tws) as listener:
            await listener.settled()
            with pytest.raises(ZeroDivisionError):
                await waiting
