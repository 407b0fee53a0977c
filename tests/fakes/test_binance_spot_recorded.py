"""The loopback Binance spot's rows hold every field of the recorded ones, of the same type."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.binance_spot import oco_request, open_spot
from tests.fakes.binance_spot.overheard import lacks, shape, user_stream
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED.parent / "venues" / "binance_spot"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded messages here")
BTC = "BTC/USDT"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


@pytest.fixture
async def said() -> dict[str, Any]:
    """One run that brings about every recorded message; by the recorded file's name."""
    async with open_spot() as (venue, client):
        events = await user_stream(venue, client)
        found: dict[str, Any] = {}
        market = await client.create_order(BTC, "market", "buy", "0.01")
        found["new_order_full_response"] = as_sent(client)
        assert market["status"] == "closed"
        rest = await client.create_order(BTC, "limit", "buy", "0.001", 40000)
        await client.fetch_order(rest["id"], BTC)
        found["order_response"] = as_sent(client)
        await client.cancel_order(rest["id"], BTC)
        await client.create_order(BTC, "limit", "buy", "0.001", 40000, {"timeInForce": "IOC"})
        await client.privatePostOrderListOco(oco_request(quantity="0.005"))
        found["oco_response"] = as_sent(client)
        stop_limit = {"stopPrice": 45000, "timeInForce": "GTC"}
        await client.create_order(BTC, "STOP_LOSS_LIMIT", "sell", "0.004", 44000, stop_limit)
        venue.set_balance("USDT", Decimal(5000))
        await client.publicGetExchangeInfo()
        found["exchange_info_response"] = as_sent(client)
        await client.privateGetAccount()
        found["account_response"] = as_sent(client)
        return found | by_recorded_name(events)


def as_sent(client: Any) -> Any:
    return json.loads(client.last_http_response)


def by_recorded_name(wrapped: list[dict[str, Any]]) -> dict[str, Any]:
    def first(kind: str, **fields: Any) -> Any:
        return next(
            one
            for one in wrapped
            if one["event"]["e"] == kind
            and all(one["event"][key] == value for key, value in fields.items())
        )

    report = "executionReport"
    new = first(report, x="NEW", o="LIMIT")
    position = first("outboundAccountPosition")
    update = first("balanceUpdate")
    return {
        "execution_report_wrapped": new,
        "execution_report_new": new["event"],
        "execution_report_trade": first(report, x="TRADE")["event"],
        "execution_report_canceled": first(report, x="CANCELED")["event"],
        "execution_report_expired": first(report, x="EXPIRED", f="IOC")["event"],
        "execution_report_stop_loss": first(report, o="STOP_LOSS_LIMIT")["event"],
        "list_status_wrapped": first("listStatus"),
        "account_position_wrapped": position,
        "account_position": position["event"],
        "balance_update_wrapped": update,
        "balance_update": update["event"],
    }


# The recording of a stop-loss-limit's OCO leg has an iceberg quantity, which ours never has.
EXCUSED = {".orderReports[].icebergQty is missing"}


async def test_every_recorded_message_is_said_with_the_same_fields(said: dict[str, Any]) -> None:
    names = {path.stem for path in RECORDED.glob("*.json")}
    assert names == set(said)
    faults = {
        name: wrong
        for name in sorted(names)
        if (wrong := set(lacks(shape(said[name]), shape(recorded(name)))) - EXCUSED)
    }
    assert faults == {}


def test_a_missing_or_changed_field_is_found() -> None:
    assert lacks(shape({"a": 1}), shape({"a": 1, "b": [{"c": "x"}]})) == [".b is missing"]
    assert lacks(shape({"a": [{"c": 1}]}), shape({"a": [{"c": "1"}]})) == [
        ".a[].c: int, recorded str"
    ]
