"""Orders at the loopback Binance USD-M, through the unmodified ccxt: plain and conditional ones."""

import json
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.fakes.binanceusdm import BinanceUsdm, open_usdm
from tests.fakes.exchange import Side

BTC = "BTC/USDT:USDT"
REDUCE = {"reduceOnly": True}


async def test_a_market_order_opens_a_position_and_pays_commission() -> None:
    async with open_usdm() as (venue, client):
        order = await client.create_order(
            BTC, "market", "buy", 2, None, {"newClientOrderId": "open1"}
        )
        assert (order["status"], order["filled"], order["average"]) == ("closed", 2.0, 50000.1)
        (position,) = await client.fetch_positions()
        assert (position["side"], position["contracts"]) == ("long", 2.0)
        assert venue.balance("USDT") == 100_000 - Decimal("100000.2") * Decimal("0.0005")
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["order"], trade["amount"]) == (order["id"], 2.0)
        found = await client.fetch_order("", BTC, {"origClientOrderId": "open1"})
        assert found["id"] == order["id"]


async def test_flat_is_seen_as_no_position_and_version_two_says_zero() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        await client.create_order(BTC, "market", "sell", 1, None, REDUCE)
        assert await client.fetch_positions() == []
        (row,) = await client.fapiPrivateV2GetPositionRisk({"symbol": "BTCUSDT"})
        assert (row["positionAmt"], row["entryPrice"]) == ("0.000", "0")


async def test_a_reduce_only_order_is_cut_to_the_position() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(-1), Decimal(50000))
        order = await client.create_order(BTC, "market", "buy", 3, None, REDUCE)
        assert (order["amount"], order["filled"]) == (1.0, 1.0)
        assert venue.held("BTCUSDT") == 0


@pytest.mark.parametrize(("held", "side"), [("0", "sell"), ("1", "buy"), ("-1", "sell")])
async def test_a_reduce_only_order_that_would_add_is_refused(held: str, side: str) -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(held), Decimal(50000))
        assert await refused(client, BTC, "market", side, 1, None, REDUCE) == -2022


async def test_resting_reduce_only_orders_count_against_the_position() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(2), Decimal(50000))
        target = await client.create_order(BTC, "limit", "sell", 2, 55000, REDUCE)
        assert await refused(client, BTC, "market", "sell", 2, None, REDUCE) == -4118
        await client.cancel_order(target["id"], BTC)
        await client.create_order(BTC, "limit", "sell", 1, 55000, REDUCE)
        assert await refused(client, BTC, "market", "sell", 2, None, REDUCE) == -4118
        await client.create_order(BTC, "market", "sell", 1, None, REDUCE)
        assert venue.held("BTCUSDT") == 1


async def test_a_resting_target_expires_when_the_position_is_gone() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        order = await client.create_order(BTC, "limit", "sell", 1, 55000, REDUCE)
        venue.hand_trade("BTCUSDT", Side.SELL, Decimal(1), Decimal(50000))
        assert (await client.fetch_order(order["id"], BTC))["status"] == "expired"
        (_, by_hand) = await client.fetch_orders(BTC)
        assert by_hand["clientOrderId"].startswith("web_")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (("limit", "buy", "0.0001", "50000", {}), -1111),
        (("limit", "buy", "1000.001", "50000", {}), -4005),
        (("limit", "buy", "1", "50000.05", {}), -4014),
        (("limit", "buy", "1", "60000", {}), -4016),
        (("limit", "buy", "0.001", "4000", {}), -4164),
        (("limit", "buy", "100", "50000", {}), -2019),
        (("limit", "buy", "1", "50001", {"timeInForce": "GTX"}), -5022),
        (("market", "buy", "1", None, {"positionSide": "LONG"}), -4061),
        (("stop_market", "buy", "1", None, {"stopPrice": "51000"}), -4120),
    ],
)
async def test_what_binance_does_not_take(
    order: tuple[str, str, str, str | None, dict[str, Any]], code: int
) -> None:
    kind, side, quantity, price, params = order
    async with open_usdm() as (venue, client):
        asked = {
            "symbol": "BTCUSDT",
            "type": kind.upper(),
            "side": side.upper(),
            "quantity": quantity,
            **params,
        }
        if price is not None:
            asked = {"timeInForce": "GTC", **asked, "price": price}
        with pytest.raises(ccxt.ExchangeError):
            await client.fapiPrivatePostOrder(asked)
        assert json.loads(client.last_http_response)["code"] == code
        assert venue.orders() == ()


async def test_at_a_host_of_its_own_ccxt_knows_no_futures_errors() -> None:
    """Its table of futures codes hangs on Binance's host names; elsewhere such a refusal is a
    bare ExchangeError, which alone is no proof of a refusal: the code in the text is."""
    async with open_usdm() as (_, client):
        with pytest.raises(ccxt.ExchangeError) as found:
            await client.create_order(BTC, "market", "sell", 1, None, REDUCE)
        assert type(found.value) is ccxt.ExchangeError
        assert '"code": -2022' in str(found.value)


async def test_a_client_id_is_refused_while_its_order_lives() -> None:
    async with open_usdm() as (_, client):
        params = {"newClientOrderId": "twice"}
        order = await client.create_order(BTC, "limit", "buy", 1, 49000, params)
        assert await refused(client, BTC, "limit", "buy", 1, 49000, params) == -4116
        await client.cancel_order(order["id"], BTC)
        await client.create_order(BTC, "limit", "buy", 1, 49000, params)


async def test_a_resting_order_fills_in_part_and_is_changed_and_cancelled() -> None:
    async with open_usdm() as (venue, client):
        order = await client.create_order(BTC, "limit", "buy", 2, 49000)
        venue.fill_order(order["id"], Decimal("1.2"))
        found = await client.fetch_order(order["id"], BTC)
        assert (found["status"], found["remaining"]) == ("open", 0.8)
        changed = await client.edit_order(order["id"], BTC, "limit", "buy", 2, 48000)
        assert changed["price"] == 48000.0
        gone = await client.cancel_order(order["id"], BTC)
        assert (gone["status"], gone["filled"]) == ("canceled", 1.2)
        with pytest.raises(ccxt.OrderNotFound, match="-2011"):
            await client.cancel_order(order["id"], BTC)
        with pytest.raises(ccxt.OrderNotFound, match="-2013"):
            await client.fetch_order("1", BTC)


async def test_an_immediate_order_leaves_no_rest() -> None:
    async with open_usdm() as (venue, client):
        venue.set_quote("BTCUSDT", Decimal(50000), Decimal(50001), ask_size=Decimal("0.5"))
        order = await client.create_order(BTC, "limit", "buy", 2, 50001, {"timeInForce": "IOC"})
        assert (order["status"], order["filled"]) == ("expired", 0.5)


# Conditional orders


async def stop(client: Any, **params: Any) -> Any:
    asked = {"stopLossPrice": 49000, "reduceOnly": True, "clientAlgoId": "stop1", **params}
    return await client.create_order(BTC, "market", "sell", 1, None, asked)


async def test_a_stop_is_with_the_algo_service_and_not_among_the_orders() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        order = await stop(client)
        assert len(venue.requests("/fapi/v1/algoOrder", "POST")) == 1
        assert (order["status"], order["info"]["algoStatus"]) == ("open", "NEW")
        assert await client.fetch_open_orders(BTC) == []
        (resting,) = await client.fetch_open_orders(BTC, params={"trigger": True})
        assert (resting["clientOrderId"], resting["triggerPrice"]) == ("stop1", 49000.0)
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order(order["id"], BTC)


async def test_a_triggered_stop_becomes_an_order_of_its_own() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        order = await stop(client)
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48901))
        found = await client.fetch_order(order["id"], BTC, {"trigger": True})
        assert found["info"]["algoStatus"] == "FINISHED"
        child = await client.fetch_order(found["info"]["actualOrderId"], BTC)
        assert (child["type"], child["average"], child["clientOrderId"]) == (
            "market",
            48900.0,
            "stop1",
        )
        assert venue.held("BTCUSDT") == 0


async def test_a_stop_may_watch_the_mark() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        await stop(client, workingType="MARK_PRICE")
        low, high = Decimal(48900), Decimal(49100)
        venue.set_quote("BTCUSDT", low, low + 1, last=low, mark=high)
        assert venue.held("BTCUSDT") == 1
        venue.set_quote("BTCUSDT", low, low + 1, last=high, mark=low)
        assert venue.held("BTCUSDT") == 0


async def test_a_stop_beyond_the_price_is_refused_and_a_cancelled_one_is_unknown() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        params = {"stopLossPrice": 51000, "reduceOnly": True}
        assert await refused(client, BTC, "market", "sell", 1, None, params) == -2021
        order = await stop(client)
        assert await refused(client, BTC, "market", "sell", 1, None, again()) == -4116
        await client.cancel_order(order["id"], BTC, {"trigger": True})
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(order["id"], BTC, {"trigger": True})
        found = await client.fetch_order("", BTC, {"trigger": True, "clientAlgoId": "stop1"})
        assert found["status"] == "canceled"


async def test_a_reduce_only_stop_does_not_block_a_close_and_is_rejected_once_flat() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        order = await stop(client)
        await client.create_order(BTC, "market", "sell", 1, None, REDUCE)
        assert len(await client.fetch_open_orders(BTC, params={"trigger": True})) == 1
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48901))
        found = await client.fetch_order(order["id"], BTC, {"trigger": True})
        assert found["status"] == "rejected"
        assert venue.held("BTCUSDT") == 0


async def test_a_stop_that_closes_everything_expires_with_the_position() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        params = {"stopLossPrice": 49000, "closePosition": True}
        order = await client.create_order(BTC, "market", "sell", None, None, params)
        await client.create_order(BTC, "market", "sell", 1, None, REDUCE)
        found = await client.fetch_order(order["id"], BTC, {"trigger": True})
        assert found["status"] == "expired"


async def test_all_open_orders_of_a_symbol_are_cancelled_by_kind() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(50000))
        await client.create_order(BTC, "limit", "buy", 1, 49000)
        await stop(client)
        await client.cancel_all_orders(BTC)
        assert open_kinds(venue) == ["stop_market"]
        await client.cancel_all_orders(BTC, {"trigger": True})
        assert open_kinds(venue) == []


def again() -> dict[str, Any]:
    return {"stopLossPrice": 48000, "reduceOnly": True, "clientAlgoId": "stop1"}


def open_kinds(venue: BinanceUsdm) -> list[str]:
    return [order.kind.value for order in venue.orders(open_only=True)]


async def refused(client: Any, *order: Any) -> int:
    """The code an order is refused with."""
    with pytest.raises(ccxt.ExchangeError):
        await client.create_order(*order)
    code: int = json.loads(client.last_http_response)["code"]
    return code
