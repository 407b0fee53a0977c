"""Streams of the loopback Binance spot through the unmodified ccxt.pro, and the raw user events."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.binance_spot import Bar, oco_request, open_spot
from tests.fakes.binance_spot.overheard import user_sockets, user_stream

BTC = "BTC/USDT"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def kinds(heard: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(event, execution type or list status) in order, holdings left out."""
    return [
        (event["e"], event.get("x") or event.get("L", ""))
        for event in events(heard)
        if event["e"] != "outboundAccountPosition"
    ]


def events(heard: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message["event"] for message in heard]


async def test_orders_trades_and_balances_are_watched() -> None:
    async with open_spot() as (venue, client):
        watched = [
            asyncio.create_task(client.watch_orders()),
            asyncio.create_task(client.watch_my_trades()),
            asyncio.create_task(client.watch_balance()),
        ]
        await venue.until(lambda: user_sockets(venue) != [])
        await client.create_order(BTC, "market", "buy", "0.01")
        orders, trades, balance = await asyncio.gather(*watched)
        assert (orders[-1]["status"], orders[-1]["filled"]) == ("closed", 0.01)
        assert (trades[-1]["price"], trades[-1]["fee"]["currency"]) == (50000.01, "BTC")
        assert balance["BTC"]["free"] == 0.00999
        assert len(venue.messages("userDataStream.subscribe.signature")) == 1


async def test_a_wrong_key_is_not_given_the_user_stream() -> None:
    async with open_spot() as (venue, client):
        venue.refuse_logins()
        # ccxt forgets the subscription twice: the refusal comes out as a KeyError of its own
        with pytest.raises(KeyError, match="spot"):
            await client.watch_orders()
        assert user_sockets(venue) == []


async def test_a_market_order_is_told_as_new_then_as_a_trade() -> None:
    async with open_spot() as (venue, client):
        heard = await user_stream(venue, client)
        await client.create_order(BTC, "market", "buy", "0.01", None, {"newClientOrderId": "m1"})
        assert kinds(heard) == [("executionReport", "NEW"), ("executionReport", "TRADE")]
        trade, holdings = events(heard)[-2:]
        assert (trade["c"], trade["X"], trade["n"], trade["N"]) == (
            "m1",
            "FILLED",
            "0.00001000",
            "BTC",
        )
        assert {row["a"]: row["f"] for row in holdings["B"]}["BTC"] == "0.00999000"


async def test_a_filled_target_is_told_after_its_stop_expired() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", Decimal("0.01"))
        heard = await user_stream(venue, client)
        await client.privatePostOrderListOco(oco_request())
        assert kinds(heard) == [
            ("executionReport", "NEW"),
            ("executionReport", "NEW"),
            ("listStatus", "EXECUTING"),
        ]
        stop, target = events(heard)[0], events(heard)[1]
        assert (stop["o"], stop["w"], target["o"], target["w"]) == (
            "STOP_LOSS",
            False,
            "LIMIT_MAKER",
            True,
        )
        heard.clear()
        venue.fill_leg("list1", stop=False)
        assert kinds(heard) == [
            ("executionReport", "EXPIRED"),
            ("executionReport", "TRADE"),
            ("listStatus", "ALL_DONE"),
        ]
        assert (events(heard)[0]["c"], events(heard)[0]["g"]) == ("below1", 1)


async def test_a_triggered_stop_is_told_as_expiry_of_the_target_then_as_its_own_fill() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", Decimal("0.01"))
        heard = await user_stream(venue, client)
        await client.privatePostOrderListOco(oco_request())
        heard.clear()
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48901))
        told = [(event["c"], event["x"]) for event in events(heard) if "x" in event]
        assert told == [("above1", "EXPIRED"), ("below1", "NEW"), ("below1", "TRADE")]
        assert kinds(heard)[-1] == ("listStatus", "ALL_DONE")


async def test_a_cancel_is_told_with_its_own_id_and_the_orders() -> None:
    async with open_spot() as (venue, client):
        heard = await user_stream(venue, client)
        params = {"newClientOrderId": "rest1"}
        order = await client.create_order(BTC, "limit", "buy", "0.01", 40000, params)
        await client.cancel_order(order["id"], BTC)
        (gone,) = [event for event in events(heard) if event.get("x") == "CANCELED"]
        assert gone["C"] == "rest1"
        assert gone["c"] not in ("", "rest1")


async def test_a_deposit_is_a_balance_update() -> None:
    async with open_spot() as (venue, client):
        heard = await user_stream(venue, client)
        venue.set_balance("USDT", Decimal(1250))
        assert [event["e"] for event in events(heard)] == [
            "balanceUpdate",
            "outboundAccountPosition",
        ]
        assert events(heard)[0]["d"] == "250.00000000"


async def test_candles_are_watched_as_they_form_and_close() -> None:
    async with open_spot() as (venue, client):
        waiting = asyncio.create_task(client.watch_ohlcv(BTC, "1m"))
        await venue.until(lambda: any(one.subscriptions for one in venue.clients))
        venue.push_bar("BTCUSDT", "1m", Bar.flat(BEGIN, Decimal(50000), closed=False))
        assert [row[4] for row in await waiting] == [50000.0]
        waiting = asyncio.create_task(client.watch_ohlcv(BTC, "1m"))
        await asyncio.sleep(0)
        venue.push_bar("BTCUSDT", "1m", Bar.flat(BEGIN, Decimal(50100)))
        assert [row[4] for row in await waiting] == [50100.0]
        waiting = asyncio.create_task(client.watch_ohlcv(BTC, "1m"))
        await asyncio.sleep(0)
        next_bar = Bar.flat(BEGIN + timedelta(minutes=1), Decimal(50200), closed=False)
        venue.push_bar("BTCUSDT", "1m", next_bar)
        assert (await waiting)[-1][4] == 50200.0
        assert [row[4] for row in await client.fetch_ohlcv(BTC, "1m")] == [50100.0, 50200.0]


async def test_quotes_are_watched_for_several_symbols() -> None:
    async with open_spot() as (venue, client):
        await client.watch_bids_asks([BTC, "ETH/USDT"])
        venue.set_quote("BTCUSDT", Decimal(50500), Decimal(50501), last=Decimal(50500))
        async with asyncio.timeout(5):
            while client.bidsasks[BTC]["bid"] != 50500.0:
                await client.watch_bids_asks([BTC, "ETH/USDT"])
        # ccxt watches the mini ticker here: the last price, no bid and no ask
        ticker = await client.watch_ticker(BTC)
        assert (ticker["last"], ticker["bid"]) == (50500.0, None)
