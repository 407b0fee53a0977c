"""Whatever is written is read back equal, and what is not known is refused by name."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk.facts import (
    DeadlinePassed,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    Fact,
    PositionReported,
    PositionRow,
    Side,
    SignalKind,
    SignalRaised,
)
from engine.desk.intents import Intent
from engine.desk.options.definitions import OptionSettings
from engine.journal import Entry, JournalError, as_document, as_row, tell
from engine.journal.codec import FACTS, INTENTS, decode, encode
from tests.engine.journal.samples import AT, PUT, SPY, anything, order, position


def signal(symbol: str, z_score: float) -> SignalRaised:
    return SignalRaised(
        venue="binance",
        symbol=symbol,
        kind=SignalKind.ENTRY,
        z_score=z_score,
        price=Decimal("67000.10"),
        bar_at=AT,
    )


# As the journals out there hold them.
WRITTEN: list[tuple[str, str, Fact | Intent]] = [
    (
        "PositionReported",
        '{"venue":"ibkr","row":{"account":"DU1234567","instrument":{"is":"OptionContract",'
        '"ref":"1001","underlying":"SPY","right":"P","strike":"440","expiry":"2026-12-18",'
        '"multiplier":"100","currency":"USD","trading_class":""},"quantity":"-2",'
        '"average_cost":null}}',
        position(),
    ),
    (
        "ExecutionReported",
        '{"venue":"ibkr","execution":{"execution_id":"0000e0d5.01","revision":1,'
        '"account":"DU1234567","instrument":{"is":"Stock","ref":"756733","symbol":"SPY",'
        '"currency":"USD"},"side":"SELL","quantity":"200","price":"439.50",'
        '"at":"2026-12-18T02:30:14.213000+00:00","origin":"OURS","client_order_id":"bh3k2q7x9",'
        '"fee":"1E+1","fee_currency":"USD","exit_leg":null}}',
        ExecutionReported(
            venue="ibkr",
            execution=Execution(
                execution_id="0000e0d5.01",
                account="DU1234567",
                instrument=SPY,
                side=Side.SELL,
                quantity=Decimal(200),
                price=Decimal("439.50"),
                at=AT,
                origin=ExecutionOrigin.OURS,
                client_order_id="bh3k2q7x9",
                fee=Decimal("1E+1"),
                fee_currency="USD",
            ),
        ),
    ),
    (
        "SignalRaised",
        '{"venue":"binance","symbol":"\\u20bf \\ud800","kind":"ENTRY","z_score":-5.0,'
        '"price":"67000.10","bar_at":"2026-12-18T02:30:14.213000+00:00"}',
        signal("₿ \ud800", -5.0),
    ),
    (
        "PlaceOrder",
        '{"client_order_id":"bh3k2q7x9","venue":"ibkr","account":"DU1234567","instrument":'
        '{"is":"Stock","ref":"756733","symbol":"SPY","currency":"USD"},"side":"SELL",'
        '"quantity":"200","purpose":"FLATTEN_SHARES","strategy_id":"SPY-IC-1","episode":"e1",'
        '"reason":"200 shares delivered by the assigned short put SPY 440","pricing":'
        '{"is":"Marketable","max_slippage":"0"},"reduce_only":false}',
        order(),
    ),
]


@pytest.mark.parametrize(("name", "body", "item"), WRITTEN)
def test_the_journal_keeps_its_form(name: str, body: str, item: Fact | Intent) -> None:
    assert decode(name, body) == item
    # An instant in UTC may end in either.
    assert encode(item)[2] == body.replace("+00:00", "Z")


@pytest.mark.parametrize("cls", [*FACTS, *INTENTS], ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_every_fact_and_intent_comes_back_equal_and_is_told_on_one_line(
    cls: type, data: st.DataObject
) -> None:
    item = data.draw(anything(cls))
    kind, name, body = encode(item)
    assert decode(name, body) == item
    assert name == cls.__name__
    assert body.isascii()
    assert kind == ("fact" if cls in FACTS else "intent")
    entry = Entry(
        seq=1,
        batch=1,
        at=datetime(2026, 12, 18, tzinfo=UTC),
        kind=kind,
        name=name,
        strategy_id=None,
        item=item,
        body=body,
    )
    assert len(tell(entry).splitlines()) == 1
    assert json.dumps(as_document(entry))
    assert all(isinstance(value, str) for value in as_row(entry).values())


@pytest.mark.parametrize("text", ["", "'; DROP TABLE entries", "\x1b]52;c;x\x07", "\ud800", "🚢\0"])
def test_hostile_text_comes_back_as_it_was(text: str) -> None:
    item = PositionReported(
        venue=text, row=PositionRow(account=text, instrument=PUT, quantity=Decimal(1))
    )
    _, name, body = encode(item)
    assert decode(name, body) == item


def test_decimals_keep_their_digits() -> None:
    item = PositionReported(
        venue="v",
        row=PositionRow(
            account="a", instrument=PUT, quantity=Decimal("-0.10000000000000000000001")
        ),
    )
    again = decode("PositionReported", encode(item)[2])
    assert isinstance(again, PositionReported)
    assert str(again.row.quantity) == "-0.10000000000000000000001"


@pytest.mark.parametrize("account", ["DU1234567", "₿"])
def test_an_empty_sum_comes_back_as_the_decimal_it_stands_for(account: str) -> None:
    row = PositionRow(account=account, instrument=PUT, quantity=sum([]))  # type: ignore[arg-type]
    _, name, body = encode(PositionReported(venue="ibkr", row=row))
    again = decode(name, body)
    assert isinstance(again, PositionReported)
    assert again.row.quantity == 0
    assert type(again.row.quantity) is Decimal


def test_a_fact_without_fields_is_an_empty_object() -> None:
    assert encode(DeadlinePassed()) == ("fact", "DeadlinePassed", "{}")


def test_a_fact_an_older_version_wrote_gets_the_defaults_of_new_fields() -> None:
    body = json.loads(encode(position())[2])
    del body["row"]["average_cost"]
    assert decode("PositionReported", json.dumps(body)) == position()


def _change(path: list[str], value: object) -> str:
    body: Any = json.loads(encode(order())[2])
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(body)


@pytest.mark.parametrize(
    ("name", "body", "named"),
    [
        ("OrderTeleported", "{}", "OrderTeleported"),
        ("PlaceOrder", _change(["iceberg"], "1"), "PlaceOrder.iceberg"),
        ("PlaceOrder", _change(["instrument", "is"], "Warrant"), "Warrant"),
        ("PlaceOrder", _change(["instrument", "isin"], "US"), "Stock.isin"),
        ("PlaceOrder", _change(["side"], "SHORT"), "Side 'SHORT'"),
    ],
)
def test_what_a_newer_version_wrote_is_refused_by_name(name: str, body: str, named: str) -> None:
    with pytest.raises(JournalError, match="newer version") as refused:
        decode(name, body)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "null", "{}", _change(["quantity"], [2]), _change(["quantity"], "two")],
)
def test_a_damaged_body_is_refused(body: str) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        decode("PlaceOrder", body)


@pytest.mark.parametrize(
    "item",
    [
        order(strategy_id=17),  # type: ignore[arg-type]
        replace(order(), instrument=object()),
        replace(order("\ud800"), strategy_id=17),
        *(signal(symbol, score) for symbol in ("BTCUSDT", "₿") for score in (nan, inf, -inf)),
    ],
    ids=repr,
)
def test_what_could_not_be_read_back_is_not_written(item: Fact | Intent) -> None:
    with pytest.raises(JournalError, match=f"A {type(item).__name__} cannot be written"):
        encode(item)


def test_what_is_no_fact_and_no_intent_is_not_written() -> None:
    with pytest.raises(JournalError, match="OptionSettings"):
        encode(OptionSettings(venue="v"))  # type: ignore[arg-type]
