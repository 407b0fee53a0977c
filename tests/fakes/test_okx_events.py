"""What a loopback OKX does to an account unasked, and the markers ccxt leaves in `info`."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.channel.commands import commands_of
from tests.fakes.channel.control import perform
from tests.fakes.exchange import Side, Why
from tests.fakes.exchange.process import exchange_process
from tests.fakes.okx import Okx
from tests.fakes.perp_harness import BTC, heard, okx

SWAP = "BTC-USDT-SWAP"
ONE = Decimal(1)
PRICE = Decimal(59000)


async def bills(client: Any, kind: str) -> list[dict[str, Any]]:
    """The bills of a type; fetch_ledger takes `type` for an instrument's and cannot ask for it."""
    answer = await client.private_get_account_bills({"type": kind})
    return list(answer["data"])


FORCED = [
    ("adl", {"quantity": ONE, "price": PRICE}, "adl", ("9", "128"), 2),
    ("liquidate", {"quantity": ONE, "price": PRICE}, "partial_liquidation", ("5", "103"), 2),
    ("liquidate", {"price": PRICE}, "full_liquidation", ("5", "107"), 0),
    ("deliver", {"price": PRICE}, "delivery", ("3", "112"), 0),
]


@pytest.mark.parametrize(("command", "args", "category", "bill", "left"), FORCED)
async def test_forced_event_shrinks_the_position_under_an_order_of_its_category(
    command: str, args: dict[str, Any], category: str, bill: tuple[str, str], left: int
) -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(3), Decimal(60000))
        watches = client.watch_orders, client.watch_my_trades
        async with (
            heard(venue, "orders", *watches) as (orders, trades),
            heard(venue, "positions", client.watch_positions) as positions,
        ):
            await positions.until(bool)
            fill = getattr(venue, command)(SWAP, **args)
            (trade,) = await trades.until(bool)
            assert trade["info"]["category"] == category
            assert (trade["id"], trade["side"]) == (fill.id, "sell")
            told = await orders.until(lambda all: bool(all) and all[-1]["status"] == "closed")
            assert {one["info"]["category"] for one in told} == {category}
            assert {one["clientOrderId"] for one in told} == {None}
            rows = await positions.until(lambda all: len(all) > 1)
            assert rows[-1]["contracts"] == left
        (entry,) = await bills(client, bill[0])
        assert (entry["type"], entry["subType"]) == bill
        assert Decimal(entry["balChg"]) == fill.realised - fill.fee
        (read,) = await client.fetch_ledger()
        assert (read["info"]["billId"], read["type"]) == (entry["billId"], "trade")
        (again,) = await client.fetch_my_trades(BTC)
        assert (again["id"], again["info"]["subType"]) == (fill.id, bill[1])
        (order,) = await client.fetch_closed_orders(BTC, params={"category": category})
        assert order["id"] == fill.order_id


async def test_short_is_deleveraged_by_a_purchase() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(-3), Decimal(60000))
        assert venue.adl(SWAP, ONE, PRICE).side is Side.BUY
        (entry,) = await bills(client, "9")
        assert entry["subType"] == "127"
        assert venue.held(SWAP) == -2


async def test_liquidation_cancels_open_orders_first() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(3), Decimal(60000))
        await client.create_order(BTC, "limit", "sell", 1, 61000)
        venue.liquidate(SWAP, PRICE)
        assert venue.orders(open_only=True) == ()
        (gone,) = await client.fetch_canceled_orders(BTC)
        assert gone["info"]["cancelSource"] == "3"


async def test_nothing_is_forced_off_a_position_that_is_not_there() -> None:
    async with Okx() as venue:
        with pytest.raises(ValueError, match="cannot take 1"):
            venue.adl(SWAP, ONE, PRICE)


async def test_hand_trade_has_an_order_without_a_client_id() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "orders", client.watch_orders) as orders,
    ):
        fill = venue.hand_trade(SWAP, Side.BUY, Decimal(2), PRICE)
        told = await orders.until(lambda all: bool(all) and all[-1]["status"] == "closed")
        assert (told[-1]["id"], told[-1]["clientOrderId"]) == (fill.order_id, None)
        assert told[-1]["info"]["category"] == "normal"


async def test_block_trade_moves_the_position_with_a_bill_and_nothing_else() -> None:
    async with okx() as (venue, client):
        async with (
            heard(venue, "orders", client.watch_orders) as orders,
            heard(venue, "positions", client.watch_positions) as positions,
        ):
            venue.block_trade(SWAP, Side.BUY, Decimal(2), PRICE)
            (position,) = await positions.until(bool)
            assert position["contracts"] == 2
            assert orders.all == []
        assert await client.fetch_my_trades(BTC) == []
        assert await client.fetch_closed_orders(BTC) == []
        (entry,) = await bills(client, "14")
        assert (entry["subType"], entry["ordId"]) == ("204", "")


async def test_funding_is_a_bill_and_a_balance_and_no_fill() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(100), Decimal(60000))
        assert venue.fund(SWAP, Decimal("0.0001")) == -6
        (entry,) = await bills(client, "8")
        assert (entry["balChg"], entry["bal"], entry["subType"]) == ("-6", "99994", "173")
        assert await client.fetch_my_trades(BTC) == []
        assert venue.held(SWAP) == 100


async def test_commands_cross_the_control_channel() -> None:
    async with Okx() as venue:
        venue.set_position(SWAP, Decimal(3), Decimal(60000))
        result = await perform(venue, "adl", {"market": SWAP, "quantity": "1", "price": "59000"})
        assert isinstance(result, dict)
        assert (result["marker"], result["quantity"]) == ("adl", "1")
        for name, method in commands_of(Okx).items():
            assert "return" in method.__annotations__, name


def test_a_process_of_its_own_obeys_its_control() -> None:
    with exchange_process(Okx) as running:
        running.control.set_position(SWAP, Decimal(3), Decimal(60000))
        fill = running.control.adl(SWAP, ONE, PRICE)
        assert (fill.marker, running.control.held(SWAP)) == ("adl", Decimal(2))
        running.control.refuse_next(Why.INSUFFICIENT_FUNDS)
