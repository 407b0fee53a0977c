"""The feeds of the Kraken Futures stand-in, as the unmodified ccxt.pro sees them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.fakes.exchange import Side
from tests.fakes.kraken_harness import BTC, ETH, kraken
from tests.fakes.krakenfutures import FillType, KrakenFutures

SHORTLY = 0.05


@asynccontextmanager
async def waiting(what: Awaitable[Any]) -> AsyncIterator["asyncio.Task[Any]"]:
    """Something watched in the background, given up in the end."""
    task = asyncio.ensure_future(what)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def never(what: Awaitable[Any]) -> None:
    """It does not resolve, not shortly at least."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(what, SHORTLY)


def markers(trades: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(trade["id"], trade["info"]["fill_type"]) for trade in trades]


async def test_fills_come_in_a_snapshot_and_then_one_by_one() -> None:
    async with kraken() as (venue, client):
        await client.create_order(BTC, "market", "buy", 0.5, None, {"cliOrdId": "one"})
        (first,) = await client.watch_my_trades()
        assert first["info"]["cli_ord_id"] == "one"
        assert (first["amount"], first["price"], first["side"]) == (0.5, 64402, "buy")
        await client.create_order(BTC, "market", "sell", 0.2)
        (second,) = await client.watch_my_trades()
        assert (second["amount"], second["side"], second["info"]["seq"]) == (0.2, "sell", 1)
        assert "cli_ord_id" not in second["info"]
        assert second["id"] == venue.fills()[1].id


async def test_assignment_is_pushed_as_a_fill_and_as_a_position() -> None:
    async with kraken() as (venue, client):
        assert await client.watch_my_trades() == []
        assert await client.watch_positions() == []
        fill = venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
        (trade,) = await client.watch_my_trades()
        assert (trade["id"], trade["side"], trade["amount"]) == (fill.id, "buy", 2)
        # ccxt lets the fill type through where maker or taker belongs
        assert trade["takerOrMaker"] == trade["info"]["fill_type"] == "assignee"
        assert trade["info"]["order_type"] == "assignment"
        assert "cli_ord_id" not in trade["info"]
        (position,) = await client.watch_positions()
        assert (position["symbol"], position["contracts"], position["side"]) == (BTC, 2, "long")
        assert position["entryPrice"] == 64000


@pytest.mark.parametrize("late", ["fills", "open_positions"])
async def test_fill_and_position_come_in_either_order_as_far_apart_as_wanted(late: str) -> None:
    async with kraken() as (venue, client):
        await client.watch_my_trades()
        await client.watch_positions()
        watch = {"fills": client.watch_my_trades, "open_positions": client.watch_positions}
        (early,) = watch.keys() - {late}
        venue.hold(late)
        venue.assign("PF_XBTUSD", Decimal(-2), Decimal(64000))
        assert len(await watch[early]()) == 1
        async with waiting(watch[late]()) as held_back:
            await client.fetch_positions()
            assert not held_back.done()
            assert venue.release(late) == 1
            assert len(await held_back) == 1


@pytest.mark.parametrize("fill_type", list(FillType))
async def test_every_fill_type_is_pushed_with_its_marker(fill_type: FillType) -> None:
    async with kraken() as (venue, client):
        await client.watch_my_trades()
        fill = venue.happen(fill_type, "PF_XBTUSD", Decimal(1), Decimal(64000))
        assert markers(await client.watch_my_trades()) == [(fill.id, fill_type.value)]


async def test_reconnecting_replays_the_fills_and_tells_what_happened_meanwhile() -> None:
    async with kraken() as (venue, client):
        seen = venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
        assert markers(await client.watch_my_trades()) == [(seen.id, "assignee")]
        async with waiting(client.watch_my_trades()) as watched:
            venue.drop_sockets()
            with pytest.raises(ccxt.NetworkError):
                await watched
        unseen = venue.assign("PF_ETHUSD", Decimal(3), Decimal(3000))
        replayed = await client.watch_my_trades()
        assert {fill for fill, _ in markers(replayed)} == {seen.id, unseen.id}
        assert len(venue.messages('"challenge"')) >= 2


async def test_sockets_are_refused_until_accepted_again() -> None:
    async with kraken() as (venue, client):
        fill = venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
        await client.watch_my_trades()
        venue.accept_sockets(False)
        venue.drop_sockets()
        failures = 0
        async with asyncio.timeout(5):
            while True:
                try:
                    trades = await client.watch_my_trades()
                    break
                except ccxt.NetworkError as error:
                    failures += 1
                    venue.accept_sockets("503" in str(error))
        assert failures
        assert markers(trades) == [(fill.id, "assignee")]


async def test_same_fill_can_be_pushed_twice() -> None:
    async with kraken() as (venue, client):
        await client.watch_my_trades()
        fill = venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
        await client.watch_my_trades()
        venue.repeat_fill(fill.id)
        (again,) = await client.watch_my_trades()
        assert again["id"] == fill.id


async def test_closed_position_is_missing_from_the_positions_and_a_symbol_never_hears_of_it() -> (
    None
):
    async with kraken() as (venue, client):
        venue.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        assert len(await client.watch_positions()) == 1
        assert len(await client.watch_positions([BTC])) == 1
        venue.hand_trade("PF_XBTUSD", Side.SELL, Decimal(2), Decimal(64000))
        assert await client.watch_positions() == []
        await never(client.watch_positions([BTC]))


async def test_positions_are_marked_to_the_market() -> None:
    async with kraken() as (venue, client):
        venue.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        await client.watch_positions()
        venue.set_quote("PF_XBTUSD", Decimal(64999), Decimal(65001))
        (position,) = await client.watch_positions()
        assert (position["markPrice"], position["unrealizedPnl"]) == (65000, 2000)


async def test_open_orders_come_in_a_snapshot() -> None:
    async with kraken() as (_, client):
        await client.create_order(BTC, "limit", "buy", 0.5, 60000, {"cliOrdId": "one"})
        await client.create_order(BTC, "market", "sell", 0.5, None, {"stopLossPrice": 50000})
        limit, stop = await client.watch_orders()
        assert (limit["info"]["cli_ord_id"], limit["info"]["type"]) == ("one", "limit")
        assert (stop["triggerPrice"], stop["info"]["type"]) == (50000, "stop")
        assert stop["info"]["triggerSignal"] == "last"


async def orders_heard(client: Any, venue: KrakenFutures) -> None:
    """The order feed is subscribed; with no orders its snapshot resolves nothing."""
    await venue.until(lambda: venue.subscribers("open_orders") == 1)


async def test_resting_order_is_told_until_it_is_filled() -> None:
    async with kraken() as (venue, client), waiting(client.watch_orders()) as placed:
        await orders_heard(client, venue)
        order = await client.create_order(BTC, "limit", "buy", 1, 60000)
        assert (await placed)[0]["remaining"] == 1
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001), ask_size=Decimal("0.25"))
        (partial,) = await client.watch_orders()
        assert (partial["id"], partial["filled"]) == (order["id"], 0.25)
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001))
        (filled,) = await client.watch_orders()
        assert (filled["status"], filled["info"]["reason"]) == ("closed", "full_fill")


async def test_cancelled_order_is_told_with_its_reason() -> None:
    async with kraken() as (venue, client), waiting(client.watch_orders()) as placed:
        await orders_heard(client, venue)
        order = await client.create_order(BTC, "limit", "buy", 1, 60000)
        await placed
        async with waiting(client.watch_orders()) as gone:
            await client.cancel_order(order["id"])
            (cancelled,) = await gone
            assert (cancelled["status"], cancelled["info"]["reason"]) == (
                "canceled",
                "cancelled_by_user",
            )


async def test_order_that_fills_at_once_is_never_among_the_open_ones() -> None:
    async with kraken() as (venue, client), waiting(client.watch_orders()) as placed:
        await orders_heard(client, venue)
        await client.create_order(BTC, "market", "buy", 1)
        await client.create_order(BTC, "limit", "sell", 1, 60000)
        assert not placed.done()
        await client.create_order(BTC, "limit", "buy", 1, 60000)
        assert [order["info"]["order_id"] for order in await placed] == [venue.orders()[2].id]


async def test_verbose_feed_tells_of_post_only_orders_that_would_have_taken() -> None:
    async with (
        kraken() as (venue, client),
        waiting(client.watch_orders(params={"verbose": True})) as told,
    ):
        await venue.until(lambda: venue.subscribers("open_orders_verbose") == 1)
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            await client.create_order(BTC, "limit", "buy", 1, 65000, {"postOnly": True})
        assert (await told)[0]["price"] == 65000


async def test_triggered_stop_leaves_the_open_orders_and_its_fill_is_told() -> None:
    async with kraken() as (venue, client):
        venue.set_position("PF_XBTUSD", Decimal(1), Decimal(64000))
        stop = await client.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 60000})
        await client.watch_my_trades()
        await client.watch_orders()
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001))
        (gone,) = await client.watch_orders()
        assert gone["info"]["reason"] == "stop_order_triggered"
        (trade,) = await client.watch_my_trades()
        assert (trade["order"], trade["amount"], trade["price"]) == (stop["id"], 1, 59000)


async def test_balance_is_told_for_its_wallet() -> None:
    async with kraken() as (venue, client):
        async with waiting(client.watch_balance({"account": "flex_futures"})) as watched:
            await watched
        venue.set_balance("USD", Decimal(5000))
        balance = await client.watch_balance({"account": "flex_futures"})
        assert balance["USD"]["total"] == 5000


async def test_tickers_follow_the_quotes() -> None:
    async with kraken() as (venue, client):
        assert (await client.watch_ticker(BTC))["bid"] == 64401
        venue.set_quote("PF_XBTUSD", Decimal(1), Decimal(2), Decimal(3), last=Decimal(4))
        ticker = await client.watch_ticker(BTC)
        assert (ticker["bid"], ticker["bidVolume"], ticker["last"]) == (1, 3, 4)
        assert (await client.watch_tickers([BTC, ETH]))[ETH]["ask"] == 3162
        lite = await client.watch_bids_asks([ETH])
        assert (lite[ETH]["ask"], lite[ETH]["askVolume"]) == (3162, None)


async def test_mute_socket_stays_open_and_says_nothing() -> None:
    async with kraken() as (venue, client):
        await client.watch_my_trades()
        venue.mute_sockets()
        venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
        await never(client.watch_my_trades())
        assert venue.connections() == 1
        assert len(await client.fetch_my_trades()) == 1


async def test_socket_without_pongs_is_given_up_by_ccxt() -> None:
    async with kraken(streaming={"keepAlive": 20}) as (venue, client):
        await client.watch_my_trades()
        async with waiting(client.watch_my_trades()) as watched:
            venue.mute_sockets(pongs=False)
            with pytest.raises(ccxt.RequestTimeout):
                async with asyncio.timeout(5):
                    await watched


async def test_wrong_secret_is_refused_by_alert() -> None:
    async with kraken(secret="b3RoZXI=") as (_, client):
        with pytest.raises(ccxt.ExchangeError, match="Failed to subscribe"):
            await client.watch_my_trades()


async def test_challenge_signed_for_another_socket_is_refused() -> None:
    async with kraken() as (venue, client):
        await client.watch_my_trades()
        (text,) = venue.messages('"fills"')
        (socket,) = venue.clients
        socket.memory["challenge"] = "another"
        socket.subscriptions.clear()
        venue.on_text(socket, text)
        assert json.loads(text)["original_challenge"] != "another"
        assert not venue.subscribers("fills")


async def test_second_subscription_is_answered_with_a_benign_alert_and_a_new_snapshot() -> None:
    async with kraken() as (venue, client):
        fill = venue.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
        await client.watch_my_trades()
        async with waiting(client.watch_my_trades(BTC)) as again:
            assert markers(await again) == [(fill.id, "assignee")]
        assert len(venue.messages('"fills"')) == 2
