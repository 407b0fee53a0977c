"""The streams of a loopback OKX, as the unmodified ccxt.pro hears them."""

from decimal import Decimal
from typing import Any

import pytest
from ccxt.base import errors

from tests.fakes.exchange import Side, client_of
from tests.fakes.okx import Okx
from tests.fakes.perp_harness import BTC, ETH, PRO, heard, okx

SWAP = "BTC-USDT-SWAP"


async def test_tickers_and_best_prices_come_at_once_and_on_every_quote() -> None:
    async with okx() as (venue, client):
        first = await client.watch_ticker(BTC)
        assert (first["bid"], first["ask"]) == (60000, 60000.1)
        async with (
            heard(venue, "bbo-tbt", lambda: client.watch_bids_asks([BTC, ETH])) as best,
            heard(venue, "tickers", lambda: client.watch_tickers([BTC, ETH])) as tickers,
        ):
            await best.until(lambda told: {BTC, ETH} <= {name for one in told for name in one})
            await tickers.until(lambda told: {BTC, ETH} <= {name for one in told for name in one})
            venue.set_quote(SWAP, Decimal(59990), Decimal(59991), bid_size=Decimal(7))
            await best.until(lambda told: any(one.get(BTC, {}).get("bid") == 59990 for one in told))
            await tickers.until(
                lambda told: any(one.get(BTC, {}).get("bidVolume") == 7 for one in told)
            )


async def test_own_order_is_told_when_taken_and_when_filled() -> None:
    async with okx() as (venue, client):
        watches = client.watch_orders, client.watch_my_trades
        async with heard(venue, "orders", *watches) as (orders, trades):
            await client.create_order(BTC, "limit", "buy", 2, 59990, {"clientOrderId": "one"})
            venue.set_quote(SWAP, Decimal(59980), Decimal(59990), ask_size=Decimal("0.5"))
            venue.set_quote(SWAP, Decimal(59980), Decimal(59990))
            told = await orders.until(lambda all: bool(all) and all[-1]["status"] == "closed")
            assert {one["clientOrderId"] for one in told} == {"one"}
            assert told[-1]["info"]["accFillSz"] == "2"
            assert told[-1]["info"]["category"] == "normal"
            fills = await trades.until(lambda all: len(all) == 2)
            assert [fill["amount"] for fill in fills] == [0.5, 1.5]
            assert [fill["id"] for fill in fills] == [fill.id for fill in venue.fills()]
            assert {fill["takerOrMaker"] for fill in fills} == {"maker"}


async def test_fee_keeps_the_sign_of_okx_on_the_stream_and_loses_it_over_rest() -> None:
    async with okx() as (venue, client):
        async with heard(venue, "orders", client.watch_my_trades) as trades:
            await client.create_order(BTC, "market", "buy", 1)
            (fill,) = await trades.until(bool)
            assert fill["fee"]["cost"] == pytest.approx(-0.3000005)
        (again,) = await client.fetch_my_trades(BTC)
        assert (again["id"], again["fee"]["cost"]) == (fill["id"], pytest.approx(0.3000005))


async def test_orders_are_not_told_of_at_the_start_positions_and_balance_are() -> None:
    async with okx() as (venue, client):
        await client.create_order(BTC, "market", "buy", 1)
        (position,) = await client.watch_positions()
        assert (position["side"], position["contracts"]) == ("long", 1)
        balance = await client.watch_balance()
        assert balance["USDT"]["total"] == pytest.approx(float(venue.balance("USDT")))
        async with heard(venue, "orders", client.watch_orders) as orders:
            await client.create_order(ETH, "market", "buy", 1)
            told = await orders.until(bool)
            assert {one["symbol"] for one in told} == {ETH}


async def test_amendment_is_told_as_one() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "orders", client.watch_orders) as orders,
    ):
        placed = await client.create_order(BTC, "limit", "buy", 1, 59000)
        await orders.until(bool)
        await client.edit_order(placed["id"], BTC, "limit", "buy", 2, 59000)
        told = await orders.until(lambda all: len(all) == 2)
        assert (told[-1]["amount"], told[-1]["info"]["amendResult"]) == (2, "0")


async def test_flat_account_is_told_of_as_no_positions() -> None:
    async with okx() as (_, client):
        assert await client.watch_positions() == []


async def test_closed_position_is_told_of_as_nothing_on_both_sides() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(1), Decimal(60000))
        async with heard(venue, "positions", client.watch_positions) as positions:
            await positions.until(bool)
            await client.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
            told = await positions.until(lambda all: len(all) == 3)
            assert [(one["side"], one["contracts"]) for one in told] == [
                ("long", 1),
                ("short", 0),
                ("long", 0),
            ]
            assert told[-1]["info"]["pos"] == "0"


async def test_positions_can_be_watched_by_symbol() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "positions", lambda: client.watch_positions([ETH])) as positions,
    ):
        venue.set_position(SWAP, Decimal(1), Decimal(60000))
        venue.set_position("ETH-USDT-SWAP", Decimal(-2), Decimal(3000))
        (told,) = await positions.until(bool)
        assert (told["symbol"], told["side"], told["contracts"]) == (ETH, "short", 2)


async def test_of_two_position_messages_in_one_breath_ccxt_tells_one() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "positions", client.watch_positions) as positions,
    ):
        venue.hold("positions")
        for market in (SWAP, "ETH-USDT-SWAP", "SOL-USDT-SWAP"):
            venue.set_position(market, Decimal(1), Decimal(100))
        assert venue.release("positions") == 3
        told = await positions.until(bool)
        assert len(told) < 3
        assert {one["symbol"] for one in client.positions} >= {BTC, ETH}


async def test_balance_is_told_when_it_changes() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "account", client.watch_balance) as balances,
    ):
        venue.set_balance("USDT", Decimal(5))
        told = await balances.until(lambda all: bool(all) and all[-1]["USDT"]["total"] == 5)
        assert told[-1]["USDT"]["free"] == 5


async def test_stop_is_told_of_on_the_business_stream() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(1), Decimal(60000))
        watch = {"trigger": True}
        async with (
            heard(venue, "orders-algo", lambda: client.watch_orders(params=watch)) as algos,
            heard(venue, "orders", client.watch_orders) as orders,
        ):
            params = {"stopLossPrice": 59000, "algoClOrdId": "stop1", "reduceOnly": True}
            placed = await client.create_order(BTC, "market", "sell", 1, None, params)
            await algos.until(bool)
            venue.set_quote(SWAP, Decimal(58999), Decimal(59000))
            told = await algos.until(lambda all: all[-1]["status"] == "closed")
            assert {one["id"] for one in told} == {placed["id"]}
            assert {one["info"]["algoClOrdId"] for one in told} == {"stop1"}
            (done,) = [one for one in await orders.until(_closed) if one["status"] == "closed"]
            assert done["info"]["algoId"] == placed["id"]


def _closed(told: list[Any]) -> bool:
    return any(one["status"] == "closed" for one in told)


async def test_wrong_passphrase_is_not_let_in() -> None:
    async with Okx() as venue, client_of(PRO.okx, venue, password="another") as client:
        client.has["fetchCurrencies"] = False
        with pytest.raises(errors.AuthenticationError):
            await client.watch_orders()


async def test_private_streams_are_closed_to_strangers() -> None:
    async with okx() as (venue, client):
        client.secret = "another"
        with pytest.raises(errors.ExchangeError):
            await client.watch_positions()
        assert venue.connections() >= 1


async def test_dropped_stream_fails_and_can_be_watched_anew() -> None:
    async with okx() as (venue, client):
        async with heard(venue, "orders", client.watch_orders) as orders:
            venue.drop_sockets()
            assert isinstance(await orders.failed(), errors.NetworkError)
        await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "missed"})
        async with heard(venue, "orders", client.watch_orders) as orders:
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "seen"})
            told = await orders.until(bool)
            assert {one["clientOrderId"] for one in told} == {"seen"}


async def test_mute_stream_tells_nothing_more_and_does_not_fail() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "orders", client.watch_orders) as orders,
    ):
        venue.mute_sockets()
        await client.create_order(BTC, "market", "buy", 1)
        venue.mute_sockets(False)
        await client.create_order(ETH, "market", "buy", 1)
        told = await orders.until(bool)
        assert {one["symbol"] for one in told} == {ETH}


async def test_position_can_come_before_the_fill_that_made_it() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "orders", client.watch_my_trades) as trades,
        heard(venue, "positions", client.watch_positions) as positions,
    ):
        venue.hold("orders")
        venue.hand_trade(SWAP, Side.BUY, Decimal(1), Decimal(60000))
        await positions.until(bool)
        assert trades.all == []
        venue.release("orders")
        (fill,) = await trades.until(bool)
        assert fill["amount"] == 1


async def test_replayed_orders_carry_the_fills_they_carried() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "orders", client.watch_my_trades) as trades,
    ):
        await client.create_order(BTC, "market", "buy", 1)
        (first,) = await trades.until(bool)
        venue.replay("orders")
        told = await trades.until(lambda all: len(all) == 2)
        assert told[1]["id"] == first["id"]


async def test_replayed_positions_are_whole() -> None:
    async with okx() as (venue, client):
        venue.set_position(SWAP, Decimal(1), Decimal(60000))
        async with heard(venue, "positions", client.watch_positions) as positions:
            await positions.until(bool)
            venue.replay("positions")
            told = await positions.until(lambda all: len(all) == 2)
            assert told[0]["contracts"] == told[1]["contracts"] == 1


OFTEN = {"streaming": {"keepAlive": 50, "maxPingPongMisses": 40}}
QUICK = {"streaming": {"keepAlive": 100}}


async def test_pings_keep_a_silent_stream_alive() -> None:
    async with (
        okx(**OFTEN) as (venue, client),
        heard(venue, "orders", client.watch_orders) as orders,
    ):
        await venue.until(lambda: len(venue.messages("ping")) > 5)
        await client.create_order(BTC, "market", "buy", 1)
        assert await orders.until(bool)


async def test_stream_whose_pings_go_unanswered_fails() -> None:
    async with (
        okx(**QUICK) as (venue, client),
        heard(venue, "orders", client.watch_orders) as orders,
    ):
        venue.mute_sockets(pongs=False)
        assert isinstance(await orders.failed(), errors.RequestTimeout)
