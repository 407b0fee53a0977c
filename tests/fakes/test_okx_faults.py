"""What goes wrong at a loopback OKX, and what the unmodified ccxt makes of it."""

from decimal import Decimal

import pytest
from ccxt.base import errors

from tests.fakes.exchange import Fault
from tests.fakes.perp_harness import BTC, impatient, okx

SWAP = "BTC-USDT-SWAP"
ORDERS = "/trade/batch-orders"

LOST = [
    (Fault.SILENT_AFTER, errors.RequestTimeout),
    (Fault.DROPPED_AFTER, errors.ExchangeNotAvailable),
    (Fault.SERVER_ERROR_AFTER, errors.ExchangeError),
]
REFUSED = [
    (Fault.SERVER_ERROR, errors.ExchangeNotAvailable),
    (Fault.RATE_LIMITED, errors.RateLimitExceeded),
    (Fault.SILENT, errors.RequestTimeout),
    (Fault.DROPPED, errors.ExchangeNotAvailable),
]


@pytest.mark.parametrize(("fault", "error"), LOST)
async def test_order_whose_answer_is_lost_was_taken(fault: Fault, error: type[Exception]) -> None:
    async with okx() as (venue, client):
        venue.fault(fault, ORDERS)
        with impatient(client, fault), pytest.raises(error) as lost:
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        assert type(lost.value) is error
        found = await client.fetch_order(None, BTC, {"clientOrderId": "one"})
        assert (found["status"], found["filled"]) == ("closed", 1)
        with pytest.raises(errors.InvalidOrder, match="51016"):
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        assert venue.held(SWAP) == 1


@pytest.mark.parametrize(("fault", "error"), REFUSED)
async def test_order_that_was_not_taken_is_nowhere(fault: Fault, error: type[Exception]) -> None:
    async with okx() as (venue, client):
        venue.fault(fault, ORDERS)
        with impatient(client, fault), pytest.raises(error):
            await client.create_order(BTC, "market", "buy", 1, None, {"clientOrderId": "one"})
        with pytest.raises(errors.OrderNotFound):
            await client.fetch_order(None, BTC, {"clientOrderId": "one"})
        assert (venue.orders(), venue.held(SWAP)) == ((), Decimal(0))
        assert len(venue.requests(ORDERS)) == 1


async def test_reads_fail_for_as_long_as_told() -> None:
    async with okx() as (venue, client):
        venue.fault(Fault.RATE_LIMITED, "/account/positions", times=2)
        for _ in range(2):
            with pytest.raises(errors.RateLimitExceeded):
                await client.fetch_positions()
        assert await client.fetch_positions() == []


async def test_cancel_whose_answer_is_lost_was_done() -> None:
    async with okx() as (venue, client):
        placed = await client.create_order(BTC, "limit", "buy", 1, 59000)
        venue.fault(Fault.SILENT_AFTER, "/trade/cancel-order")
        with impatient(client, Fault.SILENT_AFTER), pytest.raises(errors.RequestTimeout):
            await client.cancel_order(placed["id"], BTC)
        assert (await client.fetch_order(placed["id"], BTC))["status"] == "canceled"


async def test_order_left_unfilled_while_matching_is_paused_fills_later() -> None:
    async with okx() as (venue, client):
        venue.pause_matching()
        placed = await client.create_order(BTC, "market", "buy", 1)
        assert (await client.fetch_order(placed["id"], BTC))["status"] == "open"
        venue.resume_matching()
        assert (await client.fetch_order(placed["id"], BTC))["status"] == "closed"


async def test_sockets_can_be_refused() -> None:
    async with okx() as (venue, client):
        venue.accept_sockets(False)
        with pytest.raises(errors.NetworkError):
            await client.watch_ticker(BTC)
