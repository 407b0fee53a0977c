"""OCO order lists at the loopback Binance spot: one leg ends the other, and both lock once."""

import json
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.fakes.binance_spot import (
    ListStatus,
    SpotSymbol,
    oco_request,
    open_spot,
)

BTC = "BTC/USDT"
HELD = Decimal("0.01")


def statuses(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["clientOrderId"]: row["info"]["status"] for row in rows}


async def test_both_legs_rest_and_the_quantity_is_locked_once() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        made = await client.privatePostOrderListOco(oco_request())
        assert (made["listStatusType"], made["listOrderStatus"]) == ("EXEC_STARTED", "EXECUTING")
        kinds = {row["clientOrderId"]: row["type"] for row in made["orderReports"]}
        assert kinds == {"above1": "LIMIT_MAKER", "below1": "STOP_LOSS"}
        assert venue.free("BTC") == 0
        assert venue.locked("BTC") == HELD
        assert len(await client.fetch_open_orders(BTC)) == 2
        (running,) = await client.privateGetOpenOrderList()
        assert running["listClientOrderId"] == "list1"


async def test_the_price_reaching_the_target_fills_it_and_expires_the_stop() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        await client.privatePostOrderListOco(oco_request())
        venue.set_quote("BTCUSDT", Decimal(57600), Decimal(57601))
        orders = await client.fetch_orders(BTC)
        assert statuses(orders) == {"above1": "FILLED", "below1": "EXPIRED"}
        assert {row["clientOrderId"]: row["average"] for row in orders}["above1"] == 57500.0
        found = await client.privateGetOrderList({"origClientOrderId": "list1"})
        assert found["listOrderStatus"] == "ALL_DONE"
        assert await client.privateGetOpenOrderList() == []
        assert venue.locked("BTC") == 0


async def test_the_price_falling_to_the_stop_sells_at_the_bid_and_expires_the_target() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        await client.privatePostOrderListOco(oco_request())
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48950), last=Decimal(48950))
        orders = await client.fetch_orders(BTC)
        assert statuses(orders) == {"above1": "EXPIRED", "below1": "FILLED"}
        assert venue.fills()[-1].price == 48900
        assert venue.order_lists()[0].status is ListStatus.ALL_DONE


async def test_a_target_filled_in_part_loses_its_stop_and_keeps_its_rest() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        await client.privatePostOrderListOco(oco_request())
        venue.fill_leg("list1", stop=False, quantity=Decimal("0.004"))
        orders = await client.fetch_orders(BTC)
        assert statuses(orders) == {"above1": "PARTIALLY_FILLED", "below1": "EXPIRED"}
        assert venue.locked("BTC") == Decimal("0.006")
        assert venue.order_lists()[0].live
        await client.cancel_order("", BTC, {"origClientOrderId": "above1"})
        assert not venue.order_lists()[0].live
        assert venue.free("BTC") == Decimal("0.006")


async def test_a_stop_filled_in_part_expires_with_the_rest_unsold() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        await client.privatePostOrderListOco(oco_request())
        venue.fill_leg("list1", stop=True, quantity=Decimal("0.004"), price=Decimal(48000))
        orders = await client.fetch_orders(BTC)
        assert statuses(orders) == {"above1": "EXPIRED", "below1": "EXPIRED"}
        assert {row["clientOrderId"]: row["filled"] for row in orders}["below1"] == 0.004
        assert not venue.order_lists()[0].live
        assert venue.free("BTC") == Decimal("0.006")


async def test_cancelling_the_list_or_one_leg_cancels_both() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        await client.privatePostOrderListOco(oco_request())
        gone = await client.privateDeleteOrderList(
            {"symbol": "BTCUSDT", "listClientOrderId": "list1"}
        )
        assert [row["status"] for row in gone["orderReports"]] == ["CANCELED", "CANCELED"]
        await client.privatePostOrderListOco(oco_request())
        await client.cancel_order("", BTC, {"origClientOrderId": "below1"})
        assert venue.orders(open_only=True) == ()
        assert venue.free("BTC") == HELD


async def test_a_list_nobody_placed_is_unknown_in_two_different_ways() -> None:
    async with open_spot() as (_, client):
        # ccxt has no class of its own for -2018: absence comes as a bare ExchangeError
        with pytest.raises(ccxt.ExchangeError) as absent:
            await client.privateGetOrderList({"origClientOrderId": "nobody"})
        assert type(absent.value) is ccxt.ExchangeError
        assert "-2018" in str(absent.value)
        with pytest.raises(ccxt.OrderNotFound, match="Unknown order list sent"):
            await client.privateDeleteOrderList(
                {"symbol": "BTCUSDT", "listClientOrderId": "nobody"}
            )


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"abovePrice": "48000"}, -2010, "The relationship of the prices"),
        ({"abovePrice": "50000"}, -2010, "Order would immediately match and take."),
        ({"belowStopPrice": "50000"}, -2010, "Stop price would trigger immediately."),
        ({"quantity": "0.02"}, -2010, "Account has insufficient balance"),
        ({"aboveClientOrderId": "below1"}, -2010, "Duplicate order sent."),
        ({"quantity": "0.010001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"belowStopPrice": "49000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"abovePrice": "250001"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
        ({"belowType": "LIMIT_MAKER"}, -1168, "At least one OCO order must be contingent."),
        ({"belowPrice": "48900"}, -1106, "Parameter 'belowPrice' sent when not required."),
        ({"abovePrice": None}, -1102, "Mandatory parameter 'abovePrice'"),
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
    ],
)
async def test_an_oco_is_refused_whole_in_the_words_of_binance(
    changes: dict[str, Any], code: int, text: str
) -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        with pytest.raises(ccxt.ExchangeError):
            await client.privatePostOrderListOco(oco_request(**changes))
        answer = json.loads(client.last_http_response)
        assert answer["code"] == code
        assert answer["msg"].startswith(text)
        assert venue.orders() == ()


async def test_selling_what_the_commission_took_is_refused() -> None:
    async with open_spot() as (venue, client):
        await client.create_order(BTC, "market", "buy", "0.01")
        with pytest.raises(ccxt.InsufficientFunds):
            await client.privatePostOrderListOco(oco_request())
        await client.privatePostOrderListOco(oco_request(quantity="0.00999"))
        assert venue.free("BTC") == 0


async def test_a_test_may_have_the_next_oco_refused_and_only_that() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        venue.refuse_next_oco()
        with pytest.raises(ccxt.InvalidOrder, match="relationship of the prices"):
            await client.privatePostOrderListOco(oco_request())
        await client.privatePostOrderListOco(oco_request())


async def test_a_running_list_keeps_its_client_ids_to_itself() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", Decimal("0.02"))
        await client.privatePostOrderListOco(oco_request())
        with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
            await client.privatePostOrderListOco(
                oco_request(aboveClientOrderId="a2", belowClientOrderId="b2")
            )
        with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
            await client.privatePostOrderListOco(oco_request(listClientOrderId="list2"))


async def test_a_symbol_has_room_for_so_many_lists() -> None:
    only_one = SpotSymbol(base="BTC", quote="USDT", max_order_lists=1)
    async with open_spot((only_one,)) as (venue, client):
        venue.set_balance("BTC", Decimal("0.02"))
        await client.privatePostOrderListOco(oco_request())
        with pytest.raises(ccxt.BadRequest, match="MAX_NUM_ORDER_LISTS"):
            await client.privatePostOrderListOco(
                oco_request(
                    listClientOrderId="list2", aboveClientOrderId="a2", belowClientOrderId="b2"
                )
            )


async def test_a_stop_limit_leg_rests_at_its_price_once_triggered() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", HELD)
        await client.privatePostOrderListOco(
            oco_request(belowType="STOP_LOSS_LIMIT", belowPrice="48950", belowTimeInForce="GTC")
        )
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48901), last=Decimal(48990))
        orders = await client.fetch_orders(BTC)
        assert statuses(orders) == {"above1": "EXPIRED", "below1": "NEW"}
        assert venue.locked("BTC") == HELD
        venue.set_quote("BTCUSDT", Decimal(48960), Decimal(48961))
        (_, stop) = sorted(await client.fetch_orders(BTC), key=lambda row: row["clientOrderId"])
        assert (stop["status"], stop["average"]) == ("closed", 48950.0)


async def test_a_buying_oco_locks_the_dearer_leg() -> None:
    async with open_spot() as (venue, client):
        await client.privatePostOrderListOco(
            oco_request(
                side="BUY",
                aboveType="STOP_LOSS",
                abovePrice=None,
                aboveStopPrice="51000",
                belowType="LIMIT_MAKER",
                belowPrice="49000",
                belowStopPrice=None,
            )
        )
        assert venue.locked("USDT") == 510
        venue.set_quote("BTCUSDT", Decimal(51000), Decimal(51001), last=Decimal(51000))
        assert statuses(await client.fetch_orders(BTC)) == {
            "above1": "FILLED",
            "below1": "EXPIRED",
        }
