"""Orders at a loopback OKX, as the unmodified ccxt places, finds, amends and cancels them."""

from decimal import Decimal
from typing import Any

import pytest
from ccxt.base import errors

from tests.fakes.exchange import Side, State, Why
from tests.fakes.perp_harness import BTC, ETH, okx

SWAP = "BTC-USDT-SWAP"
ALGO = {"trigger": True, "ordType": "conditional"}


def stop(client_id: str) -> dict[str, Any]:
    """A stop's parameters: OKX knows algo orders by algoClOrdId, which ccxt leaves to us."""
    return {"stopLossPrice": 59000, "reduceOnly": True, "algoClOrdId": client_id}


async def test_market_order_fills_in_contracts_and_is_found_by_client_id() -> None:
    async with okx() as (venue, client):
        placed = await client.create_order(
            BTC, "market", "buy", 2.5, None, {"clientOrderId": "bulk1"}
        )
        assert (placed["clientOrderId"], placed["status"]) == ("bulk1", None)
        found = await client.fetch_order(None, BTC, {"clientOrderId": "bulk1"})
        assert (found["id"], found["status"], found["filled"]) == (placed["id"], "closed", 2.5)
        assert (found["average"], found["fee"]["cost"]) == (60000.1, 0.75000125)
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["order"], trade["amount"], trade["side"]) == (placed["id"], 2.5, "buy")
        assert (trade["fee"]["cost"], trade["takerOrMaker"]) == (0.75000125, "taker")
        assert trade["info"]["clOrdId"] == "bulk1"
        assert venue.held(SWAP) == Decimal("2.5")


async def test_limit_order_rests_fills_as_maker_and_leaves_the_open_orders() -> None:
    async with okx() as (venue, client):
        placed = await client.create_order(BTC, "limit", "buy", 1, 59990)
        (resting,) = await client.fetch_open_orders()
        assert (resting["id"], resting["status"], resting["price"]) == (placed["id"], "open", 59990)
        venue.set_quote(SWAP, Decimal(59980), Decimal(59990), ask_size=Decimal("0.4"))
        (part,) = await client.fetch_open_orders(BTC)
        assert (part["filled"], part["remaining"]) == (0.4, 0.6)
        venue.set_quote(SWAP, Decimal(59980), Decimal(59990))
        assert await client.fetch_open_orders() == []
        (done,) = await client.fetch_closed_orders(BTC)
        assert (done["id"], done["average"], done["filled"]) == (placed["id"], 59990, 1)
        assert {trade["takerOrMaker"] for trade in await client.fetch_my_trades()} == {"maker"}


async def test_immediate_or_cancel_fills_what_there_is() -> None:
    async with okx() as (venue, client):
        venue.set_quote(SWAP, Decimal(60000), Decimal(60001), ask_size=Decimal("1.2"))
        await client.create_order(
            BTC, "limit", "buy", 2, 60001, {"timeInForce": "IOC", "clientOrderId": "part"}
        )
        order = await client.fetch_order(None, BTC, {"clientOrderId": "part"})
        assert (order["status"], order["filled"], order["timeInForce"]) == ("canceled", 1.2, "IOC")
        assert order["info"]["cancelSource"] == "14"


async def test_post_only_that_would_take_is_accepted_then_cancelled() -> None:
    async with okx() as (_, client):
        placed = await client.create_order(BTC, "limit", "buy", 1, 60001, {"postOnly": True})
        order = await client.fetch_order(placed["id"], BTC)
        assert (order["status"], order["filled"]) == ("canceled", 0)
        assert order["info"]["cancelSource"] == "31"


async def test_order_is_amended_and_cancelled_by_client_id() -> None:
    async with okx() as (venue, client):
        await client.create_order(ETH, "limit", "sell", 1, 3100, {"clientOrderId": "one"})
        await client.edit_order(None, ETH, "limit", "sell", 2, 3050, {"clientOrderId": "one"})
        (order,) = venue.orders(open_only=True)
        assert (order.quantity, order.limit_price) == (Decimal(2), Decimal(3050))
        cancelled = await client.cancel_order(None, ETH, {"clientOrderId": "one"})
        assert cancelled["id"] == order.id
        assert venue.orders()[0].state is State.CANCELLED
        with pytest.raises(errors.OrderNotFound):
            await client.cancel_order(order.id, ETH)
        with pytest.raises(errors.ExchangeError, match="51510"):
            await client.edit_order(order.id, ETH, "limit", "sell", 3, 3050)
        assert [one["id"] for one in await client.fetch_canceled_orders(ETH)] == [order.id]


async def test_order_nobody_placed_is_not_found() -> None:
    async with okx() as (_, client):
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order(None, BTC, {"clientOrderId": "never"})
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order("1", BTC, {"trigger": True})
        with pytest.raises(errors.OrderNotFound):
            await client.edit_order("1", BTC, "limit", "buy", 1, 60000)


async def test_stop_waits_among_the_algo_orders_and_spawns_an_order() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(3), Decimal(60000))
        placed = await client.create_order(BTC, "market", "sell", 3, None, stop("stop1"))
        assert await client.fetch_open_orders(BTC) == []
        (waiting,) = await client.fetch_open_orders(BTC, params=ALGO)
        assert (waiting["id"], waiting["stopLossPrice"]) == (placed["id"], 59000)
        assert (waiting["reduceOnly"], waiting["info"]["slOrdPx"]) == (True, "-1")
        found = await client.fetch_order(None, BTC, {"trigger": True, "clientOrderId": "stop1"})
        assert (found["id"], found["status"]) == (placed["id"], "open")
        venue.set_quote(SWAP, Decimal(58999), Decimal(59001))
        assert venue.held(SWAP) == 0
        done = await client.fetch_order(placed["id"], BTC, {"trigger": True})
        assert (done["status"], done["info"]["actualSz"]) == ("closed", "3")
        (spawned,) = await client.fetch_closed_orders(BTC)
        assert spawned["info"]["ordId"] == done["info"]["ordId"] != placed["id"]
        assert spawned["id"] == placed["id"]  # ccxt prefers algoId
        assert (spawned["clientOrderId"], spawned["info"]["algoClOrdId"]) == (None, "stop1")


async def test_stop_is_moved_and_cancelled() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(3), Decimal(60000))
        placed = await client.create_order(BTC, "market", "sell", 3, None, stop("stop1"))
        await client.edit_order(
            placed["id"],
            BTC,
            "conditional",
            "sell",
            2,
            None,
            {"stopLossPrice": 59500, "newSlOrdPx": -1},
        )
        (order,) = venue.orders(open_only=True)
        assert (order.quantity, order.stop_price) == (Decimal(2), Decimal(59500))
        await client.cancel_order(placed["id"], BTC, {"trigger": True})
        assert venue.orders(open_only=True) == ()
        cancelled = await client.fetch_order(placed["id"], BTC, {"trigger": True})
        assert cancelled["status"] == "canceled"
        with pytest.raises(errors.OrderNotFound):
            await client.cancel_order(placed["id"], BTC, {"trigger": True})


async def test_client_id_sent_the_unified_way_does_not_name_a_stop() -> None:
    async with okx() as (_, client):
        params = {"stopLossPrice": 59000, "clientOrderId": "stop1"}
        await client.create_order(BTC, "market", "sell", 3, None, params)
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order(None, BTC, {"trigger": True, "clientOrderId": "stop1"})


async def test_stop_stays_when_its_position_is_gone_and_a_resting_reduce_only_does_not() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(3), Decimal(60000))
        await client.create_order(BTC, "market", "sell", 3, None, stop("stop1"))
        await client.create_order(BTC, "limit", "sell", 3, 61000, {"reduceOnly": True})
        venue.hand_trade(SWAP, Side.SELL, Decimal(3), Decimal(60000))
        assert [order.client_id for order in venue.orders(open_only=True)] == ["stop1"]
        (gone,) = await client.fetch_canceled_orders(BTC)
        assert gone["info"]["cancelSource"] == "2"


async def test_trigger_order_fires_from_either_side() -> None:
    async with okx() as (venue, client):
        await client.create_order(BTC, "market", "buy", 1, None, {"triggerPrice": 59000})
        await client.create_order(BTC, "market", "buy", 1, None, {"triggerPrice": 61000})
        found = await client.fetch_open_orders(BTC, params={"trigger": True})
        assert sorted(one["triggerPrice"] for one in found) == [59000, 61000]
        venue.set_quote(SWAP, Decimal(58990), Decimal(58991))
        assert venue.held(SWAP) == 1
        venue.set_quote(SWAP, Decimal(61001), Decimal(61002))
        assert venue.held(SWAP) == 2


async def test_stop_already_reached_is_refused() -> None:
    async with okx() as (_, client):
        with pytest.raises(errors.InvalidOrder, match="51280"):
            await client.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 60001})


async def test_client_id_is_taken_once() -> None:
    async with okx() as (venue, client):
        await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        with pytest.raises(errors.InvalidOrder, match="51016"):
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        assert venue.held(SWAP) == 1


async def test_reduce_only_without_a_position_is_refused_in_a_code_ccxt_does_not_know() -> None:
    async with okx() as (venue, client):
        with pytest.raises(errors.ExchangeError, match="51169") as flat:
            await client.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
        assert type(flat.value) is errors.ExchangeError
        venue.set_position(SWAP, Decimal(-1), Decimal(60000))
        with pytest.raises(errors.ExchangeError, match="51170") as same:
            await client.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
        assert type(same.value) is errors.ExchangeError


async def test_reduce_only_is_cut_to_the_position() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(-1), Decimal(60000))
        placed = await client.create_order(BTC, "market", "buy", 5, None, {"reduceOnly": True})
        assert (await client.fetch_order(placed["id"], BTC))["filled"] == 1
        assert venue.held(SWAP) == 0


async def test_orders_too_small_or_off_the_lot_are_refused() -> None:
    async with okx() as (_, client):
        asked = {"instId": SWAP, "side": "buy", "ordType": "market", "tdMode": "cross"}
        with pytest.raises(errors.InvalidOrder, match="51020"):
            await client.private_post_trade_order({**asked, "sz": "0.001"})
        with pytest.raises(errors.InvalidOrder, match="51121"):
            await client.private_post_trade_order({**asked, "sz": "0.015"})


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("51008", errors.InsufficientFunds),
        ("51112", errors.InvalidOrder),
        ("51020", errors.InvalidOrder),
    ],
)
async def test_any_refusal_can_be_told(code: str, error: type[Exception]) -> None:
    async with okx() as (venue, client):
        venue.refuse_code_next(code, "as told")
        with pytest.raises(error, match=code):
            await client.create_order(BTC, "market", "buy", 1)
        await client.create_order(BTC, "market", "buy", 1)


async def test_no_funds_refuses_in_the_words_of_okx() -> None:
    async with okx() as (venue, client):
        venue.refuse_next(Why.INSUFFICIENT_FUNDS)
        with pytest.raises(errors.InsufficientFunds, match="51008"):
            await client.create_order(BTC, "market", "buy", 1)


async def test_one_of_two_orders_is_refused_and_the_other_placed() -> None:
    async with okx() as (_, client):
        one = {"symbol": BTC, "type": "market", "side": "buy", "amount": 1, "params": {}}
        two = {**one, "params": {"reduceOnly": True}}
        first, second = await client.create_orders([one, two])
        assert (first["status"], second["status"]) == (None, "rejected")
        assert second["info"]["sCode"] == "51170"


async def test_orders_can_be_sent_on_the_stream() -> None:
    async with okx() as (venue, client):
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
        with pytest.raises(errors.ExchangeError):
            await client.create_order_ws(BTC, "market", "buy", 1, None, {"reduceOnly": True})


async def test_history_is_cut_by_limit_and_time() -> None:
    async with okx() as (_, client):
        for number in range(3):
            await client.create_order(BTC, "market", "buy", 1, None, {"clOrdId": f"n{number}"})
        newest = await client.fetch_my_trades(BTC, limit=2)
        assert [trade["info"]["clOrdId"] for trade in newest] == ["n1", "n2"]
        after = newest[-1]["timestamp"] + 1
        assert await client.fetch_my_trades(BTC, since=after) == []
        older = await client.fetch_my_trades(BTC, params={"after": newest[0]["info"]["billId"]})
        assert [trade["info"]["clOrdId"] for trade in older] == ["n0"]
