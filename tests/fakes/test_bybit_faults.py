"""What goes wrong at a loopback Bybit, and what the unmodified ccxt makes of it."""

from decimal import Decimal

import pytest
from ccxt.base import errors

from tests.fakes.exchange import Fault
from tests.fakes.perp_harness import BTC, bybit, impatient

PERP = "BTCUSDT"
CREATE = "/order/create"
ASKED = {"acknowledged": True, "orderLinkId": "one"}

LOST = [
    (Fault.SILENT_AFTER, errors.RequestTimeout),
    (Fault.DROPPED_AFTER, errors.ExchangeNotAvailable),
    (Fault.SERVER_ERROR_AFTER, errors.ExchangeError),
]
REFUSED = [
    (Fault.SERVER_ERROR, errors.ExchangeError),
    (Fault.RATE_LIMITED, errors.RateLimitExceeded),
    (Fault.SILENT, errors.RequestTimeout),
    (Fault.DROPPED, errors.ExchangeNotAvailable),
]


@pytest.mark.parametrize(("fault", "error"), LOST)
async def test_order_whose_answer_is_lost_was_taken(fault: Fault, error: type[Exception]) -> None:
    async with bybit() as (venue, client):
        await client.fetch_balance()
        venue.fault(fault, CREATE)
        with impatient(client, fault), pytest.raises(error) as lost:
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        assert type(lost.value) is error
        found = await client.fetch_order("", BTC, ASKED)
        assert (found["status"], found["filled"]) == ("closed", 1)
        with pytest.raises(errors.InvalidOrder, match="110072"):
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        assert venue.held(PERP) == 1


@pytest.mark.parametrize(("fault", "error"), REFUSED)
async def test_order_that_was_not_taken_is_nowhere(fault: Fault, error: type[Exception]) -> None:
    async with bybit() as (venue, client):
        venue.fault(fault, CREATE)
        with impatient(client, fault), pytest.raises(error):
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order("", BTC, ASKED)
        assert (venue.orders(), venue.held(PERP)) == ((), Decimal(0))
        assert len(venue.requests(CREATE)) == 1


async def test_reads_fail_for_as_long_as_told() -> None:
    async with bybit() as (venue, client):
        venue.fault(Fault.RATE_LIMITED, "/position/list", times=2)
        for _ in range(2):
            with pytest.raises(errors.RateLimitExceeded):
                await client.fetch_positions()
        assert await client.fetch_positions() == []


async def test_cancel_whose_answer_is_lost_was_done() -> None:
    async with bybit() as (venue, client):
        placed = await client.create_order(BTC, "limit", "buy", 1, 59000)
        venue.fault(Fault.SILENT_AFTER, "/order/cancel")
        with impatient(client, Fault.SILENT_AFTER), pytest.raises(errors.RequestTimeout):
            await client.cancel_order(placed["id"], BTC)
        found = await client.fetch_order(placed["id"], BTC, {"acknowledged": True})
        assert found["status"] == "canceled"


async def test_order_left_unfilled_while_matching_is_paused_fills_later() -> None:
    async with bybit() as (venue, client):
        venue.pause_matching()
        placed = await client.create_order(BTC, "market", "buy", 1)
        assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [placed["id"]]
        venue.resume_matching()
        assert await client.fetch_open_orders(BTC) == []


async def test_sockets_can_be_refused() -> None:
    async with bybit() as (venue, client):
        venue.accept_sockets(False)
        with pytest.raises(errors.NetworkError):
            await client.watch_ticker(BTC)
