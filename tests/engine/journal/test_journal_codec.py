"""Whatever is written is read back equal, and what is not known is refused by name."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.facts import DeadlinePassed, PositionReported, PositionRow
from engine.desk.options.definitions import OptionSettings
from engine.journal import Entry, JournalError, as_document, as_row, tell
from engine.journal.codec import FACTS, INTENTS, decode, encode
from tests.engine.journal.samples import PUT, anything, order, position


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
    ["{", "[]", "null", "{}", _change(["quantity"], 2), _change(["quantity"], "two")],
)
def test_a_damaged_body_is_refused(body: str) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        decode("PlaceOrder", body)


def test_what_could_not_be_read_back_is_not_written() -> None:
    with pytest.raises(JournalError, match="cannot be written"):
        encode(order(strategy_id=17))  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="OptionSettings"):
        encode(OptionSettings(venue="v"))  # type: ignore[arg-type]
