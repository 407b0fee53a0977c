"""The status document: its public keys, its forms, and that nothing is lost on the way."""

import dataclasses
import json
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.attach.document import (
    DocumentWriter,
    encode_snapshot,
    snapshot_from_document,
    status_document,
    to_json,
)
from engine.attach.protocol import BadFrame, is_picture, picture_frame, read_picture, unpacked
from engine.desk import snapshot as pictures
from engine.desk.snapshot import (
    AlertView,
    AllocationView,
    AssignmentView,
    BarrierView,
    LegView,
    OrderView,
    ReservationView,
    Snapshot,
    StrategyView,
    TrailingView,
    VenueView,
)
from tests.engine.attach.attach_support import empty, full, large, strategy

PUBLIC = {
    Snapshot: "mode armed started_at venues strategies assignments barriers allocation orders "
    "alerts",
    VenueView: "name kind state detail age_seconds",
    StrategyView: "id kind underlying status reason dte legs shares",
    LegView: "right strike expiry expected held",
    AssignmentView: "id venue account instrument kind type quantity strategy_id detected_at state",
    BarrierView: "id venue instrument side quantity entry_price mark_price stop_loss take_profit "
    "trailing time_limit_at state close_type",
    TrailingView: "activation active trigger",
    AllocationView: "totalBalance totalReserved availableBalance allocationPercentage reservations",
    ReservationView: "symbol reservedAmount timestamp orderId",
    OrderView: "id venue account instrument side quantity filled type limit_price state purpose "
    "strategy_id",
    AlertView: "id severity title at acknowledged",
}


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_public_key_is_a_field(kind: type) -> None:
    assert set(PUBLIC[kind].split()) <= {field.name for field in fields(kind)}


def test_the_document_has_every_field_of_every_record() -> None:
    document = status_document(full())

    assert list(document) == [field.name for field in fields(Snapshot)]
    strategy_row = document["strategies"][0]
    assert list(strategy_row) == [field.name for field in fields(StrategyView)]
    assert list(strategy_row["legs"][0]) == [field.name for field in fields(LegView)]
    assert list(document["barriers"][0]["trailing"]) == ["activation", "active", "trigger"]
    assert list(document["orders"][0]) == [field.name for field in fields(OrderView)]


def test_decimals_are_plain_strings_and_instants_utc() -> None:
    document = status_document(full())

    assert document["started_at"] == "2026-11-20T12:00:00.250000Z"
    assert document["strategies"][0]["shares"] == "100"
    assert document["strategies"][0]["legs"][0]["strike"] == "440"
    assert document["strategies"][0]["legs"][0]["expiry"] == "2026-12-18"
    assert document["barriers"][0]["quantity"] == "0.001"
    assert document["barriers"][0]["mark_price"] is None
    assert document["orders"][0]["state"] == "UNKNOWN"


def test_allocation_is_numbers_or_null() -> None:
    allocation = status_document(full())["allocation"]

    assert allocation["totalBalance"] == 1000.0
    assert isinstance(allocation["reservations"][0]["reservedAmount"], float)
    assert status_document(empty())["allocation"] is None


def test_a_full_picture_comes_back_as_it_was() -> None:
    assert snapshot_from_document(status_document(full())) == full()


def test_a_key_of_a_later_version_is_passed_over() -> None:
    document = status_document(full())
    document["weather"] = "fine"
    document["orders"][0]["mood"] = "good"

    assert snapshot_from_document(document) == full()


def test_what_is_no_document_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="armed"):
        snapshot_from_document({"mode": "live"})


def test_broken_unicode_is_mended() -> None:
    broken = replace(empty(), strategies=(replace(strategy(), reason="bad \ud800 text"),))

    assert status_document(broken)["strategies"][0]["reason"] == "bad ? text"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_becomes_null(number: float) -> None:
    broken = replace(empty(), strategies=(replace(strategy(), underlying_price=number),))

    assert json.loads(encode_snapshot(broken))["strategies"][0]["underlying_price"] is None
    assert snapshot_from_document(status_document(broken)).strategies[0].underlying_price is None


def test_records_in_a_reply_are_written_like_the_document() -> None:
    assert json.loads(to_json({"a": [large(2).strategies[1]], "b": Decimal("1E+3")})) == {
        "a": [status_document(large(2))["strategies"][1]],
        "b": "1000",
    }


def test_what_has_no_form_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="object"):
        to_json({"a": object()})


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
instants = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)
for simple, values in (
    (str, text),
    (Decimal, decimals),
    (float, numbers),
    (datetime, instants),
):
    st.register_type_strategy(simple, values)
records = [
    kind
    for kind in vars(pictures).values()
    if dataclasses.is_dataclass(kind) and kind.__module__ == pictures.__name__
]


@settings(max_examples=60, deadline=None)
@given(st.builds(Snapshot))
def test_any_picture_comes_back_as_it_was(snapshot: Snapshot) -> None:
    assert snapshot_from_document(json.loads(encode_snapshot(snapshot))) == snapshot


@pytest.mark.parametrize("kind", records)
def test_any_record_is_written_with_all_its_fields(kind: type) -> None:
    @settings(max_examples=10, deadline=None)
    @given(st.builds(kind))
    def check(record: object) -> None:
        assert list(json.loads(to_json(record))) == [field.name for field in fields(kind)]

    check()


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer slows this many times over")
def test_five_hundred_strategies_are_written_quickly() -> None:
    snapshot = large(500)
    encode_snapshot(snapshot)
    took = []
    for _ in range(7):
        began = process_time()
        encode_snapshot(snapshot)
        took.append(process_time() - began)

    assert min(took) < 0.03


def test_a_writer_gives_the_same_document_and_writes_only_what_changed() -> None:
    writer, snapshot = DocumentWriter(), large(20)
    assert json.loads(writer.write(snapshot)) == json.loads(encode_snapshot(snapshot))
    first = snapshot.strategies[0]
    changed = replace(
        snapshot, strategies=(replace(first, reason="another"), *snapshot.strategies[1:])
    )
    assert json.loads(writer.write(changed)) == json.loads(encode_snapshot(changed))


def test_a_long_frame_travels_packed_and_a_cut_one_is_refused() -> None:
    document = encode_snapshot(large(200))
    packed = picture_frame(7, document)[4:]
    assert len(packed) < len(document)
    body = unpacked(packed)
    assert is_picture(body)
    assert encode_snapshot(read_picture(body).snapshot) == document
    with pytest.raises(BadFrame):
        unpacked(packed[:-20])


def test_a_picture_of_a_newer_engine_is_read_without_what_is_new() -> None:
    document = json.loads(encode_snapshot(large(2)))
    document["new"] = document["strategies"][0]["new"] = {"a": 1}
    document["strategies"][0]["legs"][0]["new"] = 1
    body = unpacked(picture_frame(7, json.dumps(document).encode())[4:])
    assert read_picture(body).snapshot == large(2)


def test_a_picture_that_cannot_be_read_is_refused() -> None:
    for document in (b"{}", b"[]", b'{"mode":3}', b"{"):
        with pytest.raises(BadFrame):
            read_picture(unpacked(picture_frame(7, document)[4:]))
