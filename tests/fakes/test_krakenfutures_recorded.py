"""What the Kraken Futures stand-in sends has the fields and types of recorded messages."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.fakes.kraken_harness import BTC, INVERSE, kraken
from tests.fakes.krakenfutures import KrakenFutures
from tests.fakes.krakenfutures.signing import signed
from tests.recorded import TWS_RECORDED

FOLDER = TWS_RECORDED.parent / "venues" / "krakenfutures"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded messages here")

Wire = aiohttp.ClientWebSocketResponse

# The recording spells the client id of REST answers as the feeds do, and gives fills a fee; the
# venue's documents do neither, and the stand-in keeps to them.
SPELLING = {"cli_ord_id": "cliOrdId"}
RECORDED_ONLY = {"fee_paid", "fee_currency"}


def recorded(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def form(value: Any) -> str:
    """The type of a JSON value; numbers are numbers."""
    return (
        "number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else (type(value).__name__)
    )


def fields(row: dict[str, Any]) -> dict[str, str]:
    return {key: form(value) for key, value in row.items()}


def rest(row: dict[str, Any]) -> dict[str, str]:
    found = {SPELLING.get(key, key): value for key, value in row.items()}
    return {key: one for key, one in fields(found).items() if key not in RECORDED_ONLY}


@asynccontextmanager
async def subscribed(venue: KrakenFutures, feed: str) -> AsyncIterator[Wire]:
    """A plain socket that has subscribed to a private feed and read the acknowledgement."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{venue.url}/ws/v1") as wire,
    ):
        assert (await wire.receive_json())["event"] == "info"
        await wire.send_json({"event": "challenge", "api_key": venue.api_key})
        challenge = (await wire.receive_json())["message"]
        await wire.send_json(
            {
                "event": "subscribe",
                "feed": feed,
                "api_key": venue.api_key,
                "original_challenge": challenge,
                "signed_challenge": signed(challenge, venue.secret),
            }
        )
        assert (await wire.receive_json())["event"] == "subscribed"
        yield wire


async def test_fills_snapshot() -> None:
    async with kraken() as (venue, client):
        await client.create_order(BTC, "limit", "buy", 1, 65000)
        async with subscribed(venue, "fills") as wire:
            sent, real = await wire.receive_json(), recorded("ws_futures_fills_snapshot")
    assert fields(sent) == fields(real)
    assert fields(sent["fills"][0]) == fields(real["fills"][0])


async def test_fill() -> None:
    async with kraken() as (venue, client), subscribed(venue, "fills") as wire:
        await wire.receive_json()
        await client.create_order(BTC, "market", "buy", 1, None, {"cliOrdId": "one"})
        sent, real = await wire.receive_json(), recorded("ws_futures_fills_delta")
    assert fields(sent) == fields(real)
    assert fields(sent["fills"][0]) == fields(real["fills"][0])
    words = ("fill_type", "taker_order_type", "order_type", "fee_currency")
    assert [sent["fills"][0][word] for word in words] == [real["fills"][0][word] for word in words]


async def test_open_orders_snapshot() -> None:
    async with kraken() as (venue, client):
        stop = {"triggerPrice": 50000, "limitPrice": 49000}
        await client.create_order(BTC, "limit", "sell", 1, 49000, stop)
        async with subscribed(venue, "open_orders") as wire:
            sent, real = await wire.receive_json(), recorded("ws_futures_open_orders_snapshot")
    assert fields(sent) == fields(real)
    assert fields(sent["orders"][0]) == fields(real["orders"][0])
    assert sent["orders"][0]["type"] == real["orders"][0]["type"]


async def test_open_order() -> None:
    async with kraken() as (venue, client), subscribed(venue, "open_orders") as wire:
        await wire.receive_json()
        await client.create_order(BTC, "limit", "sell", 1, 66000)
        sent, real = await wire.receive_json(), recorded("ws_futures_open_orders_delta")
    assert fields(sent) == fields(real)
    assert fields(sent["order"]) == fields(real["order"])
    assert (sent["reason"], sent["is_cancel"]) == (real["reason"], real["is_cancel"])


async def test_sent_and_cancelled_orders() -> None:
    async with kraken() as (_, client):
        order = await client.create_order(BTC, "limit", "buy", 1, 60000, {"cliOrdId": "one"})
        sent, real = order["info"], recorded("http_send_order_futures")["sendStatus"]
        assert rest(real).items() <= rest(sent).items()
        assert sent["status"] == real["status"]
        gone = await client.private_post_cancelorder({"order_id": order["id"]})
        real = recorded("http_cancel_order_futures")
        assert fields(real) == fields(gone)
        assert rest(real["cancelStatus"]).items() <= rest(gone["cancelStatus"]).items()
        assert gone["cancelStatus"]["status"] == real["cancelStatus"]["status"]


def _rows(name: str, part: str) -> list[dict[str, Any]]:
    found = recorded(name)
    assert found["result"] == "success"
    return list(found[part])


@pytest.mark.parametrize(
    ("name", "part", "ask"),
    [
        ("http_futures_fills", "fills", lambda client: client.private_get_fills()),
        ("http_futures_open_orders", "openOrders", lambda one: one.private_get_openorders()),
        ("http_futures_open_positions", "openPositions", lambda a: a.private_get_openpositions()),
    ],
)
async def test_lists(name: str, part: str, ask: Callable[[Any], Any]) -> None:
    async with kraken() as (_, client):
        await client.create_order(INVERSE, "market", "buy", 1000, None, {"cliOrdId": "one"})
        await client.create_order(INVERSE, "market", "buy", 1000)
        await client.create_order(INVERSE, "limit", "buy", 1000, 60000, {"cliOrdId": "two"})
        profit = {"takeProfitPrice": 70000, "limitPrice": 69000}
        await client.create_order(INVERSE, "limit", "sell", 1000, 69000, profit)
        answer = await ask(client)
    assert fields(answer) == fields(recorded(name))
    real = [rest(row) for row in _rows(name, part)]
    sent = [rest(row) for row in answer[part]]
    for row in sent:
        without_client = {key: kind for key, kind in row.items() if key != "cliOrdId"}
        with_client = without_client | {"cliOrdId": "str"}
        assert row in (without_client, with_client)
        assert without_client in real or with_client in real


async def test_inverse_fill_pays_its_fee_in_coin() -> None:
    async with kraken() as (venue, client), subscribed(venue, "fills") as wire:
        await wire.receive_json()
        await client.create_order(INVERSE, "market", "buy", 5000)
        (fill,) = (await wire.receive_json())["fills"]
        (real, _) = recorded("ws_futures_fills_snapshot")["fills"]
        assert fill["fee_currency"] == real["fee_currency"]
        assert fill["fee_paid"] == float(5000 / Decimal("64402.5") * Decimal("0.0005"))
