"""The loopback OKX's rows hold every field of the recorded ones, of the same type."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.perp_harness import BTC, heard, lacking, okx
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED.parent / "venues" / "okx"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded messages here")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["long", "flat"])
async def test_positions_answer(name: str) -> None:
    async with okx() as (venue, client):
        venue.set_position("BTC-USDT-SWAP", Decimal(1), Decimal(60000))
        if name == "flat":
            venue.set_position("BTC-USDT-SWAP", Decimal(0), Decimal(0))
        answer = await client.private_get_account_positions()
        assert lacking(answer, recorded("http_get_positions")) == []


async def test_filled_order_push() -> None:
    async with (
        okx() as (venue, client),
        heard(venue, "orders", client.watch_orders) as orders,
    ):
        await client.create_order(BTC, "market", "buy", 1)
        told = await orders.until(lambda all: bool(all) and all[-1]["status"] == "closed")
        (row,) = recorded("ws_orders")["data"]
        assert [lacking(one["info"], row) for one in told] == [[]] * len(told)


async def test_lacking_sees_what_is_lacking() -> None:
    theirs = {"data": [{"a": "1", "b": [{"c": 1}]}]}
    assert lacking({"data": [{"a": "2", "b": []}]}, theirs) == []
    assert lacking({"data": [{"a": 2, "b": [{}]}]}, theirs) == [
        ".data[].a is int, recorded as str",
        ".data[].b[].c",
    ]
