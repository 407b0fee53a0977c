"""The loopback Binance USD-M's rows hold every field of the recorded ones, of the same type."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.binance_spot.overheard import lacks, shape, user_stream
from tests.fakes.binanceusdm import open_usdm
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED.parent / "venues" / "binanceusdm"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded messages here")
BTC = "BTC/USDT:USDT"

# Binance pushes these with trailing stops alone, and a commission with executions alone; the
# recordings, made from its documents' example of a trailing stop, have them everywhere.
EXCUSED = {
    "order_update_new": {".o.AP", ".o.cr", ".o.N", ".o.n"},
    "order_update_trade": {".o.AP", ".o.cr"},
    "order_update_trade_partial": {".o.AP", ".o.cr"},
}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


@pytest.fixture
async def said() -> dict[str, Any]:
    """One run that brings about every recorded message; by the recorded file's name."""
    async with open_usdm() as (venue, client):
        heard = await user_stream(venue, client)
        order = await client.create_order(BTC, "limit", "buy", 2, 49000)
        found = {"order_response": as_sent(client)}
        venue.fill_order(order["id"], Decimal(1))
        venue.fill_order(order["id"])
        await client.fapiPrivateV2GetPositionRisk({"symbol": "BTCUSDT"})
        found["position_risk"] = as_sent(client)
        updates = [one for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
        new, partial, trade = updates
        return {
            **found,
            "order_update_new": new,
            "order_update_trade_partial": partial,
            "order_update_trade": trade,
            "account_update": next(one for one in heard if one["e"] == "ACCOUNT_UPDATE"),
        }


def as_sent(client: Any) -> Any:
    return json.loads(client.last_http_response)


async def test_every_recorded_message_is_said_with_the_same_fields(said: dict[str, Any]) -> None:
    names = {path.stem for path in RECORDED.glob("*.json")}
    assert names == set(said)
    faults = {}
    for name in names:
        excused = {f"{field} is missing" for field in EXCUSED.get(name, ())}
        wrong = set(lacks(shape(said[name]), shape(recorded(name)))) - excused
        if wrong:
            faults[name] = wrong
    assert faults == {}
