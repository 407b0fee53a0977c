"""What the Kraken Futures stand-in charges for requests, and how they fail when told to."""

import asyncio
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro
import pytest

from tests.fakes.channel.commands import commands_of
from tests.fakes.channel.control import Refused, perform
from tests.fakes.exchange import Fault, Side, client_of
from tests.fakes.exchange.process import exchange_process
from tests.fakes.kraken_harness import BTC, kraken
from tests.fakes.krakenfutures import FillType, KrakenFutures

ORDER = (BTC, "limit", "buy", 0.1, 60000)
# ccxt's own names of what left an order's fate open
UNKNOWN = (ccxt.OperationFailed, ccxt.ExchangeError)


async def spent(venue: KrakenFutures, what: Any) -> float:
    before = venue.budget_used()
    await what
    return venue.budget_used() - before


async def test_requests_cost_what_the_documents_say() -> None:
    async with kraken() as (venue, client):
        assert venue.budget_used() == 0
        assert await spent(venue, client.fetch_tickers()) == 0
        assert await spent(venue, client.create_order(*ORDER)) == 10
        order_id = venue.orders()[0].id
        assert await spent(venue, client.edit_order(order_id, *ORDER)) == 10
        assert await spent(venue, client.fetch_order(order_id)) == 1
        assert await spent(venue, client.cancel_order(order_id)) == 10
        assert await spent(venue, client.fetch_positions()) == 2
        assert await spent(venue, client.fetch_open_orders()) == 2
        assert await spent(venue, client.fetch_balance()) == 2
        assert await spent(venue, client.fetch_my_trades()) == 2
        before = {"lastFillTime": "2026-01-01T00:00:00.000Z"}
        assert await spent(venue, client.fetch_my_trades(params=before)) == 25
        assert await spent(venue, client.cancel_all_orders()) == 25
        assert await spent(venue, client.cancel_orders(["1" * 32, "2" * 32, "3" * 32])) == 12
        assert await spent(venue, client.fetch_closed_orders()) == 0


async def test_over_the_budget_nothing_is_done_until_time_passes() -> None:
    async with kraken() as (venue, client):
        for _ in range(50):
            await client.create_order(*ORDER)
        with pytest.raises(ccxt.RateLimitExceeded):
            await client.create_order(*ORDER)
        with pytest.raises(ccxt.RateLimitExceeded):
            await client.fetch_order("1" * 32)
        await client.fetch_tickers()
        assert (len(venue.orders()), venue.budget_refusals()) == (50, 2)
        venue.let_budget_recover()
        await client.create_order(*ORDER)


async def test_history_has_a_budget_of_its_own() -> None:
    async with kraken() as (venue, client):
        for _ in range(100):
            await client.fetch_closed_orders()
        with pytest.raises(ccxt.RateLimitExceeded):
            await client.fetch_closed_orders()
        await client.create_order(*ORDER)
        venue.let_budget_recover(600)
        assert await client.fetch_closed_orders() == []


async def test_ten_closes_of_ten_assignments_fit_beside_polls() -> None:
    async with kraken() as (venue, client):
        await client.watch_my_trades()
        for number in range(10):
            venue.assign("PF_XBTUSD", Decimal(1 + number) / 10, Decimal(64000))
        sells = [
            client.create_order(
                BTC, "market", "sell", (1 + number) / 10, None, {"reduceOnly": True}
            )
            for number in range(10)
        ]
        await asyncio.gather(*sells, *(client.fetch_positions() for _ in range(20)))
        assert venue.held("PF_XBTUSD") == 0
        assert venue.budget_used() == 140


@pytest.mark.parametrize("fault", list(Fault))
async def test_fault_leaves_an_order_done_or_not_and_its_client_id_tells(fault: Fault) -> None:
    async with kraken(timeout=150) as (venue, client):
        venue.fault(fault, path="sendorder")
        with pytest.raises(UNKNOWN) as failed:
            await client.create_order(BTC, "market", "buy", 0.5, None, {"cliOrdId": "one"})
        assert not isinstance(failed.value, ccxt.InvalidOrder)
        done = venue.held("PF_XBTUSD") == Decimal("0.5")
        assert done is fault.done
        if done:
            with pytest.raises(ccxt.DuplicateOrderId):
                await client.create_order(BTC, "market", "buy", 0.5, None, {"cliOrdId": "one"})
            (trade,) = await client.fetch_my_trades()
            assert trade["info"]["cliOrdId"] == "one"
        else:
            await client.create_order(BTC, "market", "buy", 0.5, None, {"cliOrdId": "one"})
        assert len(venue.requests("sendorder", "POST")) == 2
        assert venue.held("PF_XBTUSD") == Decimal("0.5")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.SERVER_ERROR, ccxt.ExchangeError),
        (Fault.RATE_LIMITED, ccxt.RateLimitExceeded),
        (Fault.SILENT, ccxt.RequestTimeout),
    ],
)
async def test_faults_are_the_errors_ccxt_makes_of_them(
    fault: Fault, error: type[Exception]
) -> None:
    async with kraken(timeout=150) as (venue, client):
        venue.fault(fault, path="openpositions")
        with pytest.raises(error) as failed:
            await client.fetch_positions()
        assert type(failed.value) is error
        assert await client.fetch_positions() == []


async def test_dropped_question_is_asked_again_but_a_dropped_order_is_not() -> None:
    async with kraken() as (venue, client):
        venue.fault(Fault.DROPPED, path="openpositions")
        assert await client.fetch_positions() == []
        assert len(venue.requests("openpositions")) == 2
        venue.fault(Fault.DROPPED, path="openpositions", times=2)
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.fetch_positions()
        venue.fault(Fault.DROPPED, path="sendorder")
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.create_order(*ORDER)
        assert len(venue.requests("sendorder")) == 1


async def test_order_can_fill_after_its_answer_was_lost() -> None:
    async with kraken(timeout=150) as (venue, client):
        venue.pause_matching()
        venue.fault(Fault.SILENT_AFTER, path="sendorder")
        with pytest.raises(ccxt.RequestTimeout):
            await client.create_order(BTC, "market", "buy", 0.5, None, {"cliOrdId": "one"})
        (found,) = await client.fetch_orders(params={"cliOrdIds": "one"})
        assert found["status"] == "open"
        assert await client.fetch_my_trades() == []
        venue.resume_matching()
        (trade,) = await client.fetch_my_trades()
        assert trade["info"]["cliOrdId"] == "one"


async def test_requests_are_kept_for_the_test_to_read() -> None:
    async with kraken() as (venue, client):
        venue.forget_requests()
        await client.create_order(BTC, "market", "sell", 0.5, None, {"cliOrdId": "one"})
        (request,) = venue.requests("sendorder")
        assert request.params == {
            "symbol": "PF_XBTUSD",
            "side": "sell",
            "size": "0.5",
            "cliOrdId": "one",
            "orderType": "mkt",
        }


async def test_commands_go_over_the_channel_as_they_are_called() -> None:
    async with KrakenFutures() as venue:
        args = {"fill_type": "assignee", "market": "PF_XBTUSD", "quantity": "2", "price": "64000"}
        fill = await perform(venue, "happen", args)
        assert isinstance(fill, dict)
        assert (fill["marker"], fill["quantity"]) == ("assignee", "2")
        with pytest.raises(LookupError):
            await perform(venue, "stop", {})
    for name, method in commands_of(KrakenFutures).items():
        assert "return" in method.__annotations__, name


async def test_a_process_serves_ccxt_and_obeys_control() -> None:
    with exchange_process(KrakenFutures) as remote:
        control, here = remote.control, KrakenFutures(port=remote.port)
        async with client_of(ccxt.pro.krakenfutures, here) as client:
            assert await client.watch_my_trades() == []
            fill = control.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
            (trade,) = await client.watch_my_trades()
            assert (trade["id"], trade["info"]["fill_type"]) == (fill.id, "assignee")
            await client.create_order(BTC, "market", "sell", 2, None, {"reduceOnly": True})
            assert control.held("PF_XBTUSD") == 0
            assert control.positions() == ()
            assert [order.side for order in control.orders()] == [Side.SELL]
            assert [one.marker for one in control.fills()] == ["assignee", "taker"]
            control.fault(Fault.SERVER_ERROR, path="openpositions")
            with pytest.raises(ccxt.ExchangeError):
                await client.fetch_positions()
            assert [one.path[-9:] for one in control.requests("sendorder")] == ["sendorder"]
            control.happen(FillType.LIQUIDATION, "PF_ETHUSD", Decimal(-1), Decimal(3000))
            with pytest.raises(Refused):
                control.assign("NOWHERE", Decimal(1), Decimal(1))
            with pytest.raises(AttributeError):
                control.stop()
