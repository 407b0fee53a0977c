"""What goes wrong at the loopback Binance spot, and what of it the unmodified ccxt lets through."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_type_hints

import ccxt
import pytest

from tests.fakes.binance_spot import Bar, BinanceSpot, oco_request, open_spot, spot_client
from tests.fakes.binance_spot.overheard import user_sockets
from tests.fakes.binanceusdm import BinanceUsdm
from tests.fakes.channel import codec
from tests.fakes.channel.commands import commands_of
from tests.fakes.exchange import Fault
from tests.fakes.exchange.process import exchange_process

BTC = "BTC/USDT"
PARAMS = {"newClientOrderId": "lost1", "quoteOrderQty": "100"}


async def test_an_answer_that_never_comes_leaves_an_order_to_be_found() -> None:
    async with open_spot() as (venue, client):
        venue.fault(Fault.SILENT_AFTER, path="/api/v3/order", method="POST")
        client.timeout = 200
        with pytest.raises(ccxt.RequestTimeout):
            await client.create_order(BTC, "market", "buy", 0, None, PARAMS)
        client.timeout = 5000
        found = await client.fetch_order("", BTC, {"origClientOrderId": "lost1"})
        assert found["status"] == "closed"


async def test_a_request_that_was_lost_leaves_nothing() -> None:
    async with open_spot() as (venue, client):
        venue.fault(Fault.DROPPED, path="/api/v3/order", method="POST")
        with pytest.raises(ccxt.NetworkError):
            await client.create_order(BTC, "market", "buy", 0, None, PARAMS)
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order("", BTC, {"origClientOrderId": "lost1"})


async def test_an_oco_whose_answer_is_lost_runs_and_is_found_by_its_list_id() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", Decimal("0.01"))
        venue.fault(Fault.SERVER_ERROR_AFTER, path="orderList/oco")
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.privatePostOrderListOco(oco_request())
        found = await client.privateGetOrderList({"origClientOrderId": "list1"})
        assert found["listOrderStatus"] == "EXECUTING"


async def test_a_timeout_inside_binance_is_said_as_1007() -> None:
    async with open_spot() as (venue, client):
        venue.server_error_says(
            -1007,
            "Timeout waiting for response from backend server. Send status unknown;"
            " execution status unknown.",
        )
        venue.fault(Fault.SERVER_ERROR_AFTER, path="/api/v3/order", method="POST")
        with pytest.raises(ccxt.RequestTimeout, match="-1007"):
            await client.create_order(BTC, "market", "buy", 0, None, PARAMS)
        assert len(venue.fills()) == 1


async def test_too_many_requests_then_a_ban() -> None:
    async with open_spot() as (venue, client):
        venue.fault(Fault.RATE_LIMITED, times=1, retry_after_seconds=3)
        with pytest.raises(ccxt.DDoSProtection, match="429"):
            await client.fetch_balance()
        assert client.last_response_headers["Retry-After"] == "3"
        venue.ban(60)
        with pytest.raises(ccxt.DDoSProtection, match="418"):
            await client.fetch_balance()
        venue.lift_ban()
        assert (await client.fetch_balance())["USDT"]["free"] == 1000.0


async def test_ccxt_takes_a_refused_key_for_a_rate_limit_once_it_has_worked() -> None:
    async with open_spot() as (venue, client):
        await client.fetch_balance()
        venue.refuse_logins()
        with pytest.raises(ccxt.DDoSProtection, match="-2015"):
            await client.fetch_balance()


async def test_the_next_order_may_be_refused_with_any_answer() -> None:
    async with open_spot() as (venue, client):
        venue.refuse_next_order(-1013, "Market is closed.")
        with pytest.raises(ccxt.MarketClosed):
            await client.create_order(BTC, "market", "buy", "0.01")
        await client.create_order(BTC, "market", "buy", "0.01")


async def test_a_dropped_stream_is_an_error_and_what_happened_meanwhile_is_in_the_history() -> None:
    async with open_spot() as (venue, client):
        waiting = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.drop_sockets()
        with pytest.raises(ccxt.NetworkError):
            await waiting
        await client.create_order(BTC, "market", "buy", "0.01")
        waiting = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        await client.create_order(BTC, "limit", "buy", "0.001", 40000)
        assert [order["type"] for order in await waiting] == ["limit"]
        assert len(await client.fetch_orders(BTC)) == 2


async def test_a_terminated_user_stream_is_subscribed_to_anew() -> None:
    async with open_spot() as (venue, client):
        waiting = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.end_user_stream()
        # ccxt fails the subscription, not the call that waits on it: that one waits for ever
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        again = asyncio.create_task(client.watch_orders(BTC))
        await venue.until(lambda: user_sockets(venue) != [])
        await client.create_order(BTC, "limit", "buy", "0.001", 40000)
        assert [order["status"] for order in await again] == ["open"]
        assert [order["status"] for order in await waiting] == ["open"]


async def test_a_held_stream_says_later_what_happened() -> None:
    async with open_spot() as (venue, client):
        waiting = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.hold("user")
        await client.create_order(BTC, "market", "buy", "0.01")
        assert not waiting.done()
        assert venue.release("user") > 0
        assert (await waiting)[-1]["status"] == "closed"


@pytest.mark.parametrize("kind", [BinanceSpot, BinanceUsdm])
def test_every_command_has_types_the_control_channel_can_carry(kind: type[object]) -> None:
    for name, method in commands_of(kind).items():
        assert "return" in get_type_hints(method), name
    bar = Bar.flat(datetime(2026, 1, 1, tzinfo=UTC), Decimal(50000), closed=False)
    assert codec.from_json(tuple[Bar, ...], codec.to_json((bar,))) == (bar,)


async def test_a_process_serves_ccxt_and_obeys_commands() -> None:
    with exchange_process(BinanceSpot) as remote:
        control = remote.control
        control.set_balance("USDT", Decimal(1000))
        control.set_quote("BTCUSDT", Decimal(50000), Decimal(50000))
        control.set_commission(taker=Decimal(0))
        now = control.set_quote("ETHUSDT", Decimal(2500), Decimal(2501)).at
        control.seed_bars("BTCUSDT", "1m", (Bar.flat(now, Decimal(50000)),))
        venue = BinanceSpot(port=remote.port)
        client = spot_client(venue)
        try:
            await client.create_order(BTC, "market", "buy", "0.01")
            await client.privatePostOrderListOco(oco_request())
            fill = control.fill_leg("list1", stop=False)
            assert (fill.price, control.free("BTC")) == (57500, 0)
            assert [one.live for one in control.order_lists()] == [False]
            assert len(await client.fetch_ohlcv(BTC, "1m")) == 1
        finally:
            await client.close()
