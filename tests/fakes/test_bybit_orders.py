"""Orders at a loopback Bybit, as the unmodified ccxt places, finds, amends and cancels them."""

from decimal import Decimal

import pytest
from ccxt.base import errors

from tests.fakes.exchange import Side, State, Why
from tests.fakes.perp_harness import BTC, ETH, SOL, bybit

PERP = "BTCUSDT"


async def test_market_order_fills_and_is_found_by_client_id() -> None:
    async with bybit() as (venue, client):
        placed = await client.create_order(
            BTC, "market", "buy", 0.5, None, {"clientOrderId": "bulk1"}
        )
        assert (placed["clientOrderId"], placed["status"]) == ("bulk1", None)
        named = {"acknowledged": True, "orderLinkId": "bulk1"}
        found = await client.fetch_order("", BTC, named)
        assert (found["id"], found["status"], found["filled"]) == (placed["id"], "closed", 0.5)
        assert (found["average"], found["fee"]["cost"]) == (60000.1, 16.5000275)
        (again,) = await client.fetch_open_orders(BTC, params={"orderLinkId": "bulk1"})
        assert (again["id"], again["status"]) == (placed["id"], "closed")
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["order"], trade["amount"], trade["side"]) == (placed["id"], 0.5, "buy")
        assert (trade["fee"]["cost"], trade["takerOrMaker"]) == (16.5000275, "taker")
        assert trade["info"]["orderLinkId"] == "bulk1"
        assert venue.held(PERP) == Decimal("0.5")


async def test_none_for_an_order_id_is_sent_as_a_word_and_finds_nothing() -> None:
    async with bybit() as (_, client):
        await client.create_order(BTC, "market", "buy", 0.5, None, {"clientOrderId": "bulk1"})
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order(None, BTC, {"acknowledged": True, "orderLinkId": "bulk1"})


async def test_limit_order_rests_fills_as_maker_and_leaves_the_open_orders() -> None:
    async with bybit() as (venue, client):
        placed = await client.create_order(BTC, "limit", "buy", 1, 59990)
        (resting,) = await client.fetch_open_orders()
        assert (resting["id"], resting["status"], resting["price"]) == (placed["id"], "open", 59990)
        venue.set_quote(PERP, Decimal(59980), Decimal(59990), ask_size=Decimal("0.4"))
        (part,) = await client.fetch_open_orders(BTC)
        assert (part["filled"], part["remaining"]) == (0.4, 0.6)
        assert part["info"]["orderStatus"] == "PartiallyFilled"
        venue.set_quote(PERP, Decimal(59980), Decimal(59990))
        assert await client.fetch_open_orders() == []
        (done,) = await client.fetch_closed_orders(BTC)
        assert (done["id"], done["average"], done["filled"]) == (placed["id"], 59990, 1)
        assert {trade["takerOrMaker"] for trade in await client.fetch_my_trades()} == {"maker"}


async def test_immediate_or_cancel_fills_what_there_is() -> None:
    async with bybit() as (venue, client):
        venue.set_quote(PERP, Decimal(60000), Decimal(60001), ask_size=Decimal("1.2"))
        placed = await client.create_order(BTC, "limit", "buy", 2, 60001, {"timeInForce": "IOC"})
        order = await client.fetch_order(placed["id"], BTC, {"acknowledged": True})
        assert (order["status"], order["filled"], order["timeInForce"]) == ("canceled", 1.2, "IOC")
        assert order["info"]["rejectReason"] == "EC_NoImmediateQtyToFill"


async def test_post_only_that_would_take_is_accepted_then_cancelled() -> None:
    async with bybit() as (_, client):
        placed = await client.create_order(BTC, "limit", "buy", 1, 60001, {"postOnly": True})
        order = await client.fetch_closed_order(placed["id"], BTC, {"orderStatus": "Cancelled"})
        assert (order["status"], order["filled"]) == ("canceled", 0)
        assert order["info"]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"


async def test_order_is_amended_and_cancelled_by_client_id() -> None:
    async with bybit() as (venue, client):
        await client.create_order(ETH, "limit", "sell", 1, 3100, {"clientOrderId": "one"})
        await client.edit_order(None, ETH, "limit", "sell", 2, 3050, {"orderLinkId": "one"})
        (order,) = venue.orders(open_only=True)
        assert (order.quantity, order.limit_price) == (Decimal(2), Decimal(3050))
        cancelled = await client.cancel_order(None, ETH, {"orderLinkId": "one"})
        assert cancelled["id"] == order.id
        assert venue.orders()[0].state is State.CANCELLED
        with pytest.raises(errors.OrderNotFound):
            await client.cancel_order(order.id, ETH)
        with pytest.raises(errors.OrderNotFound):
            await client.edit_order(order.id, ETH, "limit", "sell", 3, 3050)
        assert [one["id"] for one in await client.fetch_canceled_orders(ETH)] == [order.id]


async def test_order_nobody_placed_is_not_found() -> None:
    async with bybit() as (_, client):
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order("", BTC, {"acknowledged": True, "orderLinkId": "never"})
        assert await client.fetch_open_orders(BTC, params={"orderLinkId": "never"}) == []


async def test_stop_waits_triggers_and_fills_under_one_id() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        params = {"stopLossPrice": 59000, "clientOrderId": "stop1"}
        placed = await client.create_order(BTC, "market", "sell", 3, None, params)
        (waiting,) = await client.fetch_open_orders(BTC, params={"trigger": True})
        assert (waiting["id"], waiting["stopLossPrice"]) == (placed["id"], 59000)
        assert (waiting["reduceOnly"], waiting["info"]["orderStatus"]) == (True, "Untriggered")
        assert (waiting["info"]["triggerDirection"], waiting["clientOrderId"]) == (2, "stop1")
        plain = {"orderFilter": "Order"}
        assert await client.fetch_open_orders(BTC, params=plain) == []
        venue.set_quote(PERP, Decimal(58999), Decimal(59001))
        assert venue.held(PERP) == 0
        done = await client.fetch_order(placed["id"], BTC, {"acknowledged": True})
        assert (done["status"], done["filled"], done["clientOrderId"]) == ("closed", 3, "stop1")


async def test_stop_is_moved_and_cancelled() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        placed = await client.create_order(BTC, "market", "sell", 3, None, {"stopLossPrice": 59000})
        await client.edit_order(
            placed["id"], BTC, "market", "sell", 2, None, {"stopLossPrice": 59500}
        )
        (order,) = venue.orders(open_only=True)
        assert (order.quantity, order.stop_price) == (Decimal(2), Decimal(59500))
        await client.cancel_order(placed["id"], BTC)
        gone = await client.fetch_order(placed["id"], BTC, {"acknowledged": True})
        assert (gone["status"], gone["info"]["orderStatus"]) == ("canceled", "Deactivated")


async def test_stop_stays_when_its_position_is_gone_and_is_rejected_at_its_price() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        stop = await client.create_order(BTC, "market", "sell", 3, None, {"stopLossPrice": 59000})
        await client.create_order(BTC, "limit", "sell", 3, 61000, {"reduceOnly": True})
        venue.hand_trade(PERP, Side.SELL, Decimal(3), Decimal(60000))
        assert [order.id for order in venue.orders(open_only=True)] == [stop["id"]]
        (gone,) = await client.fetch_canceled_orders(BTC)
        assert gone["info"]["cancelType"] == "CancelByReduceOnly"
        venue.set_quote(PERP, Decimal(58999), Decimal(59001))
        failed = await client.fetch_order(stop["id"], BTC, {"acknowledged": True})
        assert (failed["status"], failed["filled"]) == ("rejected", 0)
        assert venue.held(PERP) == 0


async def test_trigger_orders_need_and_keep_a_direction() -> None:
    async with bybit() as (venue, client):
        falls = {"triggerPrice": 59000, "triggerDirection": "descending"}
        with pytest.raises(errors.InvalidOrder, match="110093"):
            await client.create_order(
                BTC, "market", "buy", 1, None, {**falls, "triggerPrice": 60500}
            )
        with pytest.raises(errors.InvalidOrder, match="110092"):
            await client.create_order(
                BTC, "market", "buy", 1, None, {**falls, "triggerDirection": "ascending"}
            )
        await client.create_order(BTC, "market", "buy", 1, None, falls)
        venue.set_quote(PERP, Decimal(58990), Decimal(58991))
        assert venue.held(PERP) == 1


async def test_client_id_is_taken_once() -> None:
    async with bybit() as (venue, client):
        await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        with pytest.raises(errors.InvalidOrder, match="110072"):
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        assert venue.held(PERP) == 1


async def test_reduce_only_that_cannot_reduce_is_refused() -> None:
    async with bybit() as (venue, client):
        with pytest.raises(errors.InvalidOrder, match=r"110017.*position is zero"):
            await client.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
        venue.set_position(PERP, Decimal(-1), Decimal(60000))
        with pytest.raises(errors.InvalidOrder, match=r"110017.*not satisfied"):
            await client.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})


async def test_reduce_only_is_cut_to_the_position() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(-1), Decimal(60000))
        await client.create_order(BTC, "market", "buy", 5, None, {"reduceOnly": True})
        assert venue.held(PERP) == 0
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["amount"], trade["info"]["closedSize"]) == (1, "1")


async def test_orders_too_small_or_off_the_step_are_refused() -> None:
    async with bybit() as (_, client):
        asked = {"category": "linear", "symbol": PERP, "side": "Buy", "orderType": "Market"}
        for quantity, text in (("0.0001", "minimum"), ("0.0015", "Qty invalid")):
            with pytest.raises(errors.BadRequest, match=text):
                await client.private_post_v5_order_create({**asked, "qty": quantity})


@pytest.mark.parametrize(
    ("code", "error"), [(110007, errors.InsufficientFunds), (10005, errors.PermissionDenied)]
)
async def test_any_refusal_can_be_told(code: int, error: type[Exception]) -> None:
    async with bybit() as (venue, client):
        venue.refuse_code_next(code, "as told")
        with pytest.raises(error, match=str(code)):
            await client.create_order(BTC, "market", "buy", 1)
        venue.refuse_next(Why.INSUFFICIENT_FUNDS)
        with pytest.raises(errors.InsufficientFunds, match="110007"):
            await client.create_order(BTC, "market", "buy", 1)
        await client.create_order(BTC, "market", "buy", 1)


async def test_all_orders_can_be_cancelled_at_once() -> None:
    async with bybit() as (venue, client):
        await client.create_order(BTC, "limit", "buy", 1, 59000)
        await client.create_order(ETH, "limit", "buy", 1, 2900)
        await client.create_order(SOL, "market", "sell", 1, None, {"stopLossPrice": 140})
        assert len(await client.cancel_all_orders(BTC)) == 1
        assert len(await client.cancel_all_orders(params={"trigger": True})) == 1
        assert [order.market for order in venue.orders(open_only=True)] == ["ETHUSDT"]


async def test_one_of_two_orders_is_refused_and_the_other_placed() -> None:
    async with bybit() as (venue, client):
        one = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 1, "price": 59000}
        two = {**one, "params": {"reduceOnly": True}}
        first, second = await client.create_orders([{**one, "params": {}}, two])
        assert (first["status"], second["status"]) == (None, "rejected")
        assert second["info"]["code"] == 110017
        (cancelled,) = await client.cancel_orders([first["id"]], BTC)
        assert cancelled["id"] == first["id"]
        assert venue.orders(open_only=True) == ()


async def test_orders_can_be_sent_on_the_stream() -> None:
    async with bybit() as (venue, client):
        placed = await client.create_order_ws(
            BTC, "limit", "buy", 1, 59000, {"clientOrderId": "one"}
        )
        await client.edit_order_ws(placed["id"], BTC, "limit", "buy", 2, 59001)
        (order,) = venue.orders(open_only=True)
        assert (order.client_id, order.quantity, order.limit_price) == (
            "one",
            Decimal(2),
            Decimal(59001),
        )
        await client.cancel_order_ws(placed["id"], BTC)
        assert venue.orders(open_only=True) == ()
        with pytest.raises(errors.InvalidOrder, match="110017"):
            await client.create_order_ws(BTC, "market", "buy", 1, None, {"reduceOnly": True})


async def test_history_comes_in_pages() -> None:
    async with bybit() as (_, client):
        for number in range(3):
            await client.create_order(BTC, "market", "buy", 1, None, {"orderLinkId": f"n{number}"})
        newest = await client.fetch_my_trades(BTC, limit=2)
        assert [trade["info"]["orderLinkId"] for trade in newest] == ["n1", "n2"]
        (cursor,) = [row for trade in newest if (row := trade["info"].get("nextPageCursor"))]
        older = await client.fetch_my_trades(BTC, limit=2, params={"cursor": cursor})
        assert [trade["info"]["orderLinkId"] for trade in older] == ["n0"]
        assert await client.fetch_my_trades(BTC, since=newest[-1]["timestamp"] + 1) == []
        everything = await client.fetch_my_trades(BTC, limit=2, params={"paginate": True})
        assert len(everything) == 2
