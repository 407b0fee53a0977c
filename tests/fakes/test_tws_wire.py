"""The encoded messages, held against messages recorded from a real TWS."""

import os
import struct
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.tws import messages, requests, wire
from tests.fakes.tws.book import ExecutionRow, WorkingOrder
from tests.fakes.tws.records import (
    Instrument,
    OrderRecord,
    Position,
    Right,
    Side,
    Status,
    option,
    stock,
)
from tests.fakes.tws.scenes import MARKET_RULES

AAPL = replace(stock(265598, "AAPL", "NASDAQ"), trading_class="NMS", market_name="NMS")
TSLA = replace(stock(76792991, "TSLA", "NASDAQ"), trading_class="NMS", market_name="NMS")


def recorded(start: str) -> tuple[str, ...]:
    """The recorded message that begins so, without the recorder's own last delimiter."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("BULKHEAD_DATA", beside)) / "tws_recorded.txt"
    if not path.exists():
        pytest.skip(f"no recorded messages at {path}")
    line = next(line for line in path.read_text().splitlines() if line.startswith(start))
    return tuple(line.split("|")[:-1])


def sent(fields: messages.Fields) -> tuple[str, ...]:
    return wire.split(wire.frame(fields)[4:])


def kind(field: str) -> str:
    if field in (wire.UNSET_DOUBLE, wire.UNSET_INTEGER, wire.UNSET_LONG):
        return "unset"
    if not field:
        return "empty"
    try:
        Decimal(field)
    except ArithmeticError:
        return "text"
    return "number"


def order_of(one: Instrument, order_id: int, perm_id: int, client_id: int) -> WorkingOrder:
    record = OrderRecord(
        arrived_ns=0,
        client_id=client_id,
        order_id=order_id,
        con_id=one.con_id,
        symbol=one.symbol,
        sec_type=one.sec_type,
        exchange="SMART",
        action=Side.BUY,
        quantity=Decimal(100),
        order_type="MKT",
        limit_price=None,
        aux_price=None,
        tif="DAY",
        oca_group="",
        account="DU1234567",
        order_ref="",
        transmit=True,
        parent_id=0,
        outside_rth=False,
        what_if=False,
        modifies=False,
        fields=(),
    )
    return WorkingOrder(
        record=record,
        client_id=client_id,
        order_id=order_id,
        perm_id=perm_id,
        status=Status.PRE_SUBMITTED,
    )


def filled(order: WorkingOrder, price: str) -> WorkingOrder:
    order.status = Status.FILLED
    order.filled = Decimal(100)
    order.average_price = order.last_price = Decimal(price)
    order.completed_at = datetime(2023, 3, 6, 20, 28, 30, tzinfo=UTC)
    return order


def test_open_order_is_the_recorded_one_field_for_field() -> None:
    order = order_of(AAPL, 5, 600745656, 100)
    filled_row = recorded("5|5|265598|AAPL")
    assert sent(messages.open_order(AAPL, filled(order, "201.94"))) == filled_row
    waiting = (*filled_row[:94], "PreSubmitted", *filled_row[95:])
    assert sent(messages.open_order(AAPL, order, Status.PRE_SUBMITTED)) == waiting


def test_order_status_is_the_recorded_one() -> None:
    order = order_of(AAPL, 5, 600745656, 100)
    assert sent(messages.order_status(order)) == recorded("3|5|PreSubmitted")
    assert sent(messages.order_status(filled(order, "201.94"))) == recorded("3|5|Filled")


def test_execution_is_the_recorded_one() -> None:
    row = ExecutionRow(
        exec_id="0000e0d5.67fe667b.01.01",
        con_id=AAPL.con_id,
        account="DU1234567",
        side=Side.BUY,
        shares=Decimal(100),
        price=Decimal("201.94"),
        at=datetime(2025, 4, 15, 23, 38, 31, tzinfo=UTC),
        perm_id=600745656,
        client_id=100,
        order_id=5,
        exchange="IEX",
        cum_quantity=Decimal(100),
        average_price=Decimal("201.94"),
    )
    assert sent(messages.execution(-1, AAPL, row, "")) == recorded("11|-1|5|")
    assert sent(messages.commission(row, "USD"))[3:7] == recorded("59|")[3:7]
    assert len(sent(messages.commission(row, "USD"))) == 8


def test_position_row_is_the_recorded_one() -> None:
    held = Position(
        account="DU1234567",
        con_id=TSLA.con_id,
        quantity=Decimal(500),
        average_cost=Decimal("196.77"),
    )
    assert sent(messages.position(TSLA, held)) == recorded("61|")


def test_account_errors_and_market_rule_are_the_recorded_ones() -> None:
    assert sent(messages.managed_accounts(["DU1234567"])) == recorded("15|1|DU1234567|")
    assert sent(messages.error(41, 202, "Order Canceled - reason:")) == recorded("4|2|41|202")
    farm = "Market data farm connection is OK:usfarm"
    assert sent(messages.error(-1, 2104, farm)) == recorded("4|2|-1|2104")
    assert sent(messages.market_rule(MARKET_RULES[0])) == recorded("93|26|1|")


def test_completed_order_has_the_recorded_kinds_and_the_five_fields_of_version_170() -> None:
    order = filled(order_of(AAPL, 5, 1824933227, 100), "201.94")
    ours = sent(messages.completed_order(AAPL, order, "America/Los_Angeles"))
    theirs = recorded("101|265598")
    assert ours[: len(theirs)] == theirs
    assert len(ours) == len(theirs) + 5


def test_contract_details_have_the_recorded_fields() -> None:
    theirs = recorded("10|9001|TSLA|STK||0||SMART")
    ours = sent(messages.contract_details(9001, TSLA))
    # One identifier, which ours leaves out, and the delimiter this recording ends with.
    assert len(ours) == len(theirs) - 2 - 1
    assert [kind(field) for field in ours[:16]] == [kind(field) for field in theirs[:16]]
    assert [kind(field) for field in ours[-3:]] == ["number"] * 3


def test_an_option_row_spells_strike_expiry_and_multiplier() -> None:
    put = option(718236440, stock(756733, "SPY"), Right.PUT, Decimal(440), date(2026, 12, 18))
    held = Position(
        account="DU1",
        con_id=put.con_id,
        quantity=Decimal(-2),
        average_cost=Decimal(310),
    )
    row = sent(messages.position(put, held))
    assert row[5:12] == ("OPT", "20261218", "440.0", "P", "100", "", "USD")
    assert row[12:] == ("SPY   261218P00440000", "SPY", "-2", "310")


def test_frames_cut_anywhere_come_out_whole() -> None:
    stream = b"".join(wire.frame((n, "x" * n)) for n in range(20))
    reader = wire.FrameReader()
    bodies = [body for n in range(len(stream)) for body in reader.feed(stream[n : n + 1])]
    assert [wire.split(body) for body in bodies] == [(str(n), "x" * n) for n in range(20)]


def test_hostile_frames_are_refused() -> None:
    with pytest.raises(wire.BadFrame):
        wire.FrameReader().feed(struct.pack(">I", 2**31))
    with pytest.raises(wire.BadFrame):
        wire.frame(("a\0b",))
    with pytest.raises(wire.BadFrame):
        wire.frame((Decimal("NaN"),))
    assert wire.frame(("\udcff",))[4:] == b"\xff\x00"


def test_numbers_never_have_exponents() -> None:
    spelt = [wire.number(Decimal(text)) for text in ("1E+3", "0.00", "-0", "4.150", "1E-7")]
    assert spelt == ["1000", "0", "0", "4.15", "0.0000001"]
    assert wire.double(Decimal("1E+2")) == "100.0"


def test_an_order_of_another_shape_is_refused_not_misread() -> None:
    with pytest.raises(requests.BadRequest):
        requests.order(("3", "1", "0"), 7, 0, modifies=False)
