"""What a loopback Bybit does to an account unasked, and the markers ccxt leaves in `info`."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.bybit import Bybit
from tests.fakes.channel.commands import commands_of
from tests.fakes.channel.control import perform
from tests.fakes.exchange import Side, Why
from tests.fakes.exchange.process import exchange_process
from tests.fakes.perp_harness import BTC, bybit, heard

PERP = "BTCUSDT"
ONE = Decimal(1)
PRICE = Decimal(59000)
EVERY = ["Trade", "AdlTrade", "BustTrade", "Settle", "Delivery", "BlockTrade", "MovePosition"]
BY_DEFAULT = ["Trade", "AdlTrade", "BustTrade", "Settle"]

FORCED: list[tuple[str, dict[str, Any], str, str, int]] = [
    ("adl", {"quantity": ONE, "price": PRICE}, "AdlTrade", "CreateByAdl_PassThrough", 2),
    ("liquidate", {"price": PRICE}, "BustTrade", "CreateByTakeOver_PassThrough", 0),
    ("liquidate", {"quantity": ONE, "price": PRICE}, "BustTrade", "CreateByLiq", 2),
    ("settle", {"price": PRICE}, "Settle", "CreateBySettle", 0),
    ("deliver", {"price": PRICE}, "Delivery", "CreateBySettle", 0),
    (
        "block_trade",
        {"side": Side.SELL, "quantity": ONE, "price": PRICE},
        "BlockTrade",
        "CreateByBlock_PassThrough",
        2,
    ),
    (
        "move_position",
        {"side": Side.SELL, "quantity": ONE, "price": PRICE},
        "MovePosition",
        "CreateByBlockTradeMovePosition_PassThrough",
        2,
    ),
]


@pytest.mark.parametrize(("command", "args", "kind", "created", "left"), FORCED)
async def test_forced_event_is_an_execution_of_its_kind(
    command: str, args: dict[str, Any], kind: str, created: str, left: int
) -> None:
    async with bybit(options={"watchMyTrades": {"execType": EVERY}}) as (venue, client):
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        await client.watch_positions()
        async with (
            heard(venue, "order", client.watch_orders) as orders,
            heard(venue, "execution", client.watch_my_trades) as trades,
            heard(venue, "position", client.watch_positions) as positions,
        ):
            fill = getattr(venue, command)(PERP, **args)
            (trade,) = await trades.until(bool)
            assert (trade["info"]["execType"], trade["info"]["createType"]) == (kind, created)
            assert (trade["id"], trade["side"]) == (fill.id, "sell")
            assert Decimal(trade["info"]["closedSize"]) == fill.quantity
            told = await orders.until(lambda all: bool(all) and all[-1]["status"] == "closed")
            assert {(one["info"]["createType"], one["clientOrderId"]) for one in told} == {
                (created, None)
            }
            (row,) = await positions.until(bool)
            assert row["contracts"] == left
        assert await client.fetch_my_trades(BTC) == []
        (again,) = await client.fetch_my_trades(BTC, params={"execType": kind})
        assert again["id"] == fill.id


async def test_ccxt_hears_of_some_kinds_only_unless_told_otherwise() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, "execution", client.watch_my_trades) as trades,
    ):
        venue.move_position(PERP, Side.BUY, Decimal(4), PRICE)
        venue.block_trade(PERP, Side.BUY, ONE, PRICE)
        venue.adl(PERP, ONE, PRICE)
        venue.liquidate(PERP, PRICE, ONE)
        venue.hand_trade(PERP, Side.SELL, ONE, PRICE)
        venue.settle(PERP, PRICE)
        told = await trades.until(lambda all: len(all) >= len(BY_DEFAULT))
        assert {one["info"]["execType"] for one in told} == set(BY_DEFAULT)


async def test_liquidations_have_a_method_of_their_own() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        venue.liquidate(PERP, PRICE)
        (found,) = await client.fetch_my_liquidations(BTC)
        assert (found["price"], found["info"]["execType"]) == (59000, "BustTrade")


async def test_liquidation_cancels_open_orders_first() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        await client.create_order(BTC, "limit", "sell", 1, 61000)
        venue.liquidate(PERP, PRICE)
        assert venue.orders(open_only=True) == ()
        (gone,) = await client.fetch_canceled_orders(BTC)
        assert gone["info"]["cancelType"] == "CancelAllBeforeLiq"


async def test_nothing_is_forced_off_a_position_that_is_not_there() -> None:
    async with Bybit() as venue:
        with pytest.raises(ValueError, match="cannot take 1"):
            venue.adl(PERP, ONE, PRICE)
        with pytest.raises(ValueError, match="no funding"):
            venue.fund(PERP, ONE)


async def test_moved_position_can_also_arrive() -> None:
    async with bybit() as (venue, client):
        venue.move_position(PERP, Side.BUY, Decimal(2), PRICE)
        (trade,) = await client.fetch_my_trades(BTC, params={"execType": "MovePosition"})
        assert (trade["side"], trade["info"]["closedSize"]) == ("buy", "0")
        assert venue.held(PERP) == 2


async def test_hand_trade_has_an_order_without_a_client_id() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, "order", client.watch_orders) as orders,
    ):
        fill = venue.hand_trade(PERP, Side.BUY, Decimal(2), PRICE)
        told = await orders.until(lambda all: bool(all) and all[-1]["status"] == "closed")
        assert (told[-1]["id"], told[-1]["clientOrderId"]) == (fill.order_id, None)
        assert told[-1]["info"]["createType"] == "CreateByUser"


async def test_funding_is_an_execution_that_moves_no_position() -> None:
    async with bybit(options={"watchMyTrades": {"execType": ["Funding"]}}) as (venue, client):
        venue.set_position(PERP, Decimal(-2), Decimal(60000))
        async with heard(venue, "execution", client.watch_my_trades) as trades:
            fill = venue.fund(PERP, Decimal("0.0001"))
            (trade,) = await trades.until(bool)
            assert (trade["amount"], trade["fee"]["cost"], trade["side"]) == (2, -12, "sell")
        (again,) = await client.fetch_my_trades(BTC, params={"execType": "Funding"})
        assert again["id"] == fill.id
        assert venue.held(PERP) == -2
        assert venue.balance("USDT") == 100_012


async def test_commands_cross_the_control_channel() -> None:
    async with Bybit() as venue:
        venue.set_position(PERP, Decimal(3), Decimal(60000))
        result = await perform(venue, "adl", {"market": PERP, "quantity": "1", "price": "59000"})
        assert isinstance(result, dict)
        assert (result["marker"], result["quantity"]) == ("AdlTrade", "1")
        for name, method in commands_of(Bybit).items():
            assert "return" in method.__annotations__, name


def test_a_process_of_its_own_obeys_its_control() -> None:
    with exchange_process(Bybit) as running:
        running.control.set_position(PERP, Decimal(3), Decimal(60000))
        fill = running.control.settle(PERP, PRICE)
        assert (fill.marker, running.control.held(PERP)) == ("Settle", Decimal(0))
        running.control.refuse_next(Why.INSUFFICIENT_FUNDS)
