"""The loopback Bybit's rows hold every field of the recorded ones, of the same type."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.perp_harness import BTC, bybit, heard, lacking
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED.parent / "venues" / "bybit"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded messages here")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


@pytest.fixture
async def said() -> AsyncIterator[dict[str, Any]]:
    """The rows of one filled order and of the position it made, by topic."""
    async with bybit() as (venue, client):
        await client.watch_positions()
        async with (
            heard(venue, "order", client.watch_orders) as orders,
            heard(venue, "execution", client.watch_my_trades) as trades,
            heard(venue, "position", client.watch_positions) as positions,
        ):
            await client.create_order(BTC, "market", "buy", 1)
            told = {
                "order": await orders.until(lambda all: bool(all) and all[-1]["filled"] == 1),
                "execution": await trades.until(bool),
                "position": await positions.until(bool),
            }
        yield {topic: [row["info"] for row in rows] for topic, rows in told.items()}


@pytest.mark.parametrize("topic", ["order", "execution", "position"])
async def test_private_topics(said: dict[str, Any], topic: str) -> None:
    (row,) = recorded(f"ws_account_{topic}")["data"]
    assert [lacking(one, row) for one in said[topic]] == [[]] * len(said[topic])


async def test_positions_answer() -> None:
    async with bybit() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(60000))
        asked = {"category": "linear", "symbol": "BTCUSDT"}
        held = await client.private_get_v5_position_list(asked)
        flat = await client.private_get_v5_position_list({**asked, "symbol": "ETHUSDT"})
        for answer in (held, flat):
            assert lacking(answer, recorded("http_get_positions")) == []
