"""The streams of a loopback Bybit, as the unmodified ccxt.pro hears them."""

from decimal import Decimal
from typing import Any

import pytest
from ccxt.base import errors

from tests.fakes.bybit import Bybit
from tests.fakes.exchange import Side, client_of
from tests.fakes.perp_harness import BTC, ETH, PRO, bybit, heard

PERP = "BTCUSDT"


async def test_tickers_come_whole_and_then_as_changes() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, f"tickers.{PERP}", lambda: client.watch_ticker(BTC)) as tickers,
    ):
        (first,) = await tickers.until(bool)
        assert (first["bid"], first["ask"], first["symbol"]) == (60000, 60000.1, BTC)
        venue.set_quote(PERP, Decimal(59990), Decimal("60000.1"), last=Decimal(60000))
        told = await tickers.until(lambda all: len(all) == 2)
        assert (told[-1]["bid"], told[-1]["ask"], told[-1]["last"]) == (59990, 60000.1, 60000)


async def test_best_prices_follow_the_quote() -> None:
    async with bybit() as (venue, client):
        topic = f"orderbook.1.{PERP}"
        async with heard(venue, topic, lambda: client.watch_bids_asks([BTC, ETH])) as best:
            await best.until(lambda told: {BTC, ETH} <= {name for one in told for name in one})
            venue.set_quote(PERP, Decimal(59990), Decimal(59991), bid_size=Decimal(7))
            told = await best.until(
                lambda told: any(one.get(BTC, {}).get("bid") == 59990 for one in told)
            )
            assert (told[-1][BTC]["ask"], told[-1][BTC]["bidVolume"]) == (59991, 7)


async def test_own_order_is_told_when_taken_and_when_filled() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, "order", client.watch_orders) as orders,
        heard(venue, "execution", client.watch_my_trades) as trades,
    ):
        await client.create_order(BTC, "limit", "buy", 2, 59990, {"clientOrderId": "one"})
        venue.set_quote(PERP, Decimal(59980), Decimal(59990), ask_size=Decimal("0.5"))
        venue.set_quote(PERP, Decimal(59980), Decimal(59990))
        told = await orders.until(_closed)
        assert {one["clientOrderId"] for one in told} == {"one"}
        assert told[-1]["filled"] == 2
        fills = await trades.until(lambda all: len(all) == 2)
        assert [fill["amount"] for fill in fills] == [0.5, 1.5]
        assert [fill["id"] for fill in fills] == [fill.id for fill in venue.fills()]
        assert {fill["takerOrMaker"] for fill in fills} == {"maker"}
        assert {fill["info"]["execType"] for fill in fills} == {"Trade"}
        assert all(fill["fee"]["cost"] > 0 for fill in fills)


def _closed(told: list[Any]) -> bool:
    return any(one["status"] == "closed" for one in told)


async def test_stop_passes_through_its_states_on_the_order_stream() -> None:
    async with bybit() as (venue, client):
        venue.set_position(PERP, Decimal(1), Decimal(60000))
        venue.hold("order")
        async with heard(venue, "order", client.watch_orders) as orders:
            placed = await client.create_order(
                BTC, "market", "sell", 1, None, {"stopLossPrice": 59000}
            )
            venue.release("order")
            await orders.until(bool)
            venue.set_quote(PERP, Decimal(58999), Decimal(59000))
            told = await orders.until(_closed)
            assert told[0]["info"]["orderStatus"] == "Untriggered"
            assert told[-1]["info"]["orderStatus"] == "Filled"
            assert {one["id"] for one in told} == {placed["id"]}


async def test_first_positions_come_over_rest_and_the_rest_by_stream() -> None:
    async with bybit() as (venue, client):
        venue.set_position("ETHUSDT", Decimal(-2), Decimal(3000))
        (first,) = await client.watch_positions()
        assert (first["symbol"], first["side"]) == (ETH, "short")
        async with heard(venue, "position", client.watch_positions) as positions:
            await client.create_order(BTC, "market", "buy", 1)
            (position,) = await positions.until(bool)
            assert (position["symbol"], position["entryPrice"]) == (BTC, 60000.1)
            await client.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
            told = await positions.until(lambda all: len(all) == 2)
            assert (told[-1]["side"], told[-1]["contracts"]) == (None, 0)


async def test_balance_is_told_when_it_changes() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, "wallet", client.watch_balance) as balances,
    ):
        venue.set_balance("USDT", Decimal(5))
        told = await balances.until(bool)
        assert told[-1]["USDT"]["total"] == 5


async def test_private_streams_are_closed_to_strangers() -> None:
    async with bybit() as (_, client):
        await client.fetch_balance()
        client.secret = "another"
        with pytest.raises(errors.ExchangeError, match="Error sign"):
            await client.watch_orders()


async def test_refused_logins_are_refused_on_the_stream_too() -> None:
    async with Bybit() as venue, client_of(PRO.bybit, venue) as client:
        await client.fetch_balance()
        venue.refuse_logins()
        with pytest.raises(errors.ExchangeError, match="API key is invalid"):
            await client.watch_my_trades()


async def test_dropped_stream_fails_and_can_be_watched_anew() -> None:
    async with bybit() as (venue, client):
        async with heard(venue, "execution", client.watch_my_trades) as trades:
            venue.drop_sockets()
            assert isinstance(await trades.failed(), errors.NetworkError)
        await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "missed"})
        async with heard(venue, "execution", client.watch_my_trades) as trades:
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "seen"})
            told = await trades.until(bool)
            assert {one["info"]["orderLinkId"] for one in told} == {"seen"}


async def test_mute_stream_tells_nothing_more_and_does_not_fail() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, "order", client.watch_orders) as orders,
    ):
        venue.mute_sockets()
        await client.create_order(BTC, "market", "buy", 1)
        venue.mute_sockets(False)
        await client.create_order(ETH, "market", "buy", 1)
        told = await orders.until(bool)
        assert {one["symbol"] for one in told} == {ETH}


async def test_position_can_come_before_the_fill_that_made_it() -> None:
    async with bybit() as (venue, client):
        await client.watch_positions()
        async with (
            heard(venue, "execution", client.watch_my_trades) as trades,
            heard(venue, "position", client.watch_positions) as positions,
        ):
            venue.hold("execution")
            venue.hand_trade(PERP, Side.BUY, Decimal(1), Decimal(60000))
            await positions.until(bool)
            assert trades.all == []
            venue.release("execution")
            (fill,) = await trades.until(bool)
            assert fill["amount"] == 1


async def test_replayed_executions_carry_the_same_ids() -> None:
    async with (
        bybit() as (venue, client),
        heard(venue, "execution", client.watch_my_trades) as trades,
    ):
        await client.create_order(BTC, "market", "buy", 1)
        (first,) = await trades.until(bool)
        venue.replay("execution")
        told = await trades.until(lambda all: len(all) == 2)
        assert told[1]["id"] == first["id"]


@pytest.mark.parametrize("topic", ["order", "position", "wallet"])
async def test_every_private_topic_can_be_replayed(topic: str) -> None:
    async with bybit() as (venue, client):
        await client.create_order(BTC, "market", "buy", 1)
        await client.watch_positions()
        watch = {
            "order": client.watch_orders,
            "position": client.watch_positions,
            "wallet": client.watch_balance,
        }[topic]
        async with heard(venue, topic, watch) as told:
            venue.replay(topic)
            (once,) = await told.until(bool)
            venue.replay(topic)
            _, again = await told.until(lambda all: len(all) == 2)
            assert once["info"] == again["info"]


OFTEN = {"streaming": {"keepAlive": 50, "maxPingPongMisses": 40}}
QUICK = {"streaming": {"keepAlive": 100}}


async def test_pings_keep_a_silent_stream_alive() -> None:
    async with (
        bybit(**OFTEN) as (venue, client),
        heard(venue, "order", client.watch_orders) as orders,
    ):
        await venue.until(lambda: len(venue.messages("ping")) > 5)
        await client.create_order(BTC, "market", "buy", 1)
        assert await orders.until(bool)


async def test_stream_whose_pings_go_unanswered_fails() -> None:
    async with (
        bybit(**QUICK) as (venue, client),
        heard(venue, "order", client.watch_orders) as orders,
    ):
        venue.mute_sockets(pongs=False)
        assert isinstance(await orders.failed(), errors.RequestTimeout)
