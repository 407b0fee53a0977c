"""What goes wrong at the loopback Binance USD-M, and what the unmodified ccxt makes of it."""

import asyncio
from decimal import Decimal

import ccxt
import pytest

from tests.fakes.binance_spot.overheard import user_sockets, user_stream
from tests.fakes.binanceusdm import BinanceUsdm, open_usdm, usdm_client
from tests.fakes.exchange import Fault
from tests.fakes.exchange.process import exchange_process

BTC = "BTC/USDT:USDT"
CLOSE = {"reduceOnly": True, "newClientOrderId": "close1"}


async def test_a_close_whose_answer_never_comes_is_found_by_its_client_id() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(2), Decimal(50000))
        venue.fault(Fault.SILENT_AFTER, path="/fapi/v1/order", method="POST")
        client.timeout = 200
        with pytest.raises(ccxt.RequestTimeout):
            await client.create_order(BTC, "market", "sell", 2, None, CLOSE)
        client.timeout = 5000
        found = await client.fetch_order("", BTC, {"origClientOrderId": "close1"})
        assert (found["status"], found["filled"]) == ("closed", 2.0)


async def test_a_server_error_says_nothing_of_what_was_done() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(2), Decimal(50000))
        for fault, held in ((Fault.SERVER_ERROR, 2), (Fault.SERVER_ERROR_AFTER, 0)):
            venue.fault(fault, path="/fapi/v1/order", method="POST")
            with pytest.raises(ccxt.ExchangeNotAvailable):
                await client.create_order(BTC, "market", "sell", 2, None, CLOSE)
            assert venue.held("BTCUSDT") == held


async def test_rate_limits_bans_and_refusals_are_said_as_binance_does() -> None:
    async with open_usdm() as (venue, client):
        venue.fault(Fault.RATE_LIMITED)
        with pytest.raises(ccxt.DDoSProtection, match="429"):
            await client.fetch_positions()
        venue.ban(60)
        with pytest.raises(ccxt.DDoSProtection, match="418"):
            await client.fetch_positions()
        venue.lift_ban()
        venue.refuse_next_order(-1008, "Server is currently overloaded with other requests.", 503)
        with pytest.raises(ccxt.ExchangeError, match="-1008"):
            await client.create_order(BTC, "market", "buy", 1)
        venue.refuse_logins()
        with pytest.raises(ccxt.AuthenticationError, match="-2015"):
            await client.fetch_balance()


async def test_after_its_listen_key_expired_the_stream_is_open_and_silent() -> None:
    async with open_usdm() as (venue, client):
        heard = await user_stream(venue, client)
        venue.expire_listen_key()
        assert heard[-1]["e"] == "listenKeyExpired"
        waiting = asyncio.create_task(client.watch_orders())
        await client.create_order(BTC, "market", "buy", 1)
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        with pytest.raises(ccxt.AuthenticationError, match="-1125"):
            await client.fapiPrivatePutListenKey()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert venue.connections() == 1


async def test_what_happened_while_the_stream_was_down_is_asked_over_rest() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(2), Decimal(50000))
        waiting = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.drop_sockets()
        with pytest.raises(ccxt.NetworkError):
            await waiting
        venue.adl("BTCUSDT")
        assert len(await client.fetch_my_trades(BTC)) == 1
        again = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        await client.create_order(BTC, "limit", "buy", 1, 49000)
        assert [order["status"] for order in await again] == ["open"]


async def test_a_process_serves_ccxt_and_obeys_commands() -> None:
    with exchange_process(BinanceUsdm) as remote:
        control = remote.control
        control.set_quote("BTCUSDT", Decimal(50000), Decimal(50001))
        client = usdm_client(BinanceUsdm(port=remote.port))
        try:
            await client.create_order(BTC, "market", "buy", 2)
            fill = control.adl("BTCUSDT", Decimal(1))
            assert (fill.marker, control.held("BTCUSDT")) == ("CALCULATED", Decimal(1))
            (position,) = await client.fetch_positions()
            assert position["contracts"] == 1.0
        finally:
            await client.close()
