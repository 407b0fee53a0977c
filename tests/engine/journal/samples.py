"""Facts and intents for the journal's tests: a few told by hand, and all of them by the dice."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from engine.desk.facts import OrderReport, OrderReported, OrderRow, PositionReported, PositionRow
from engine.desk.facts import Side as OrderSide
from engine.desk.instruments import OptionContract, Right, Stock
from engine.desk.intents import PlaceOrder, Purpose
from engine.journal import Record

AT = datetime(2026, 12, 18, 2, 30, 14, 213000, tzinfo=UTC)
SPY = Stock(ref="756733", symbol="SPY")
PUT = OptionContract(
    ref="1001", underlying="SPY", right=Right.PUT, strike=Decimal(440), expiry=date(2026, 12, 18)
)


def position(quantity: int = -2) -> PositionReported:
    row = PositionRow(account="DU1234567", instrument=PUT, quantity=Decimal(quantity))
    return PositionReported(venue="ibkr", row=row)


def order(order_id: str = "bh3k2q7x9", strategy_id: str | None = "SPY-IC-1") -> PlaceOrder:
    return PlaceOrder(
        client_order_id=order_id,
        venue="ibkr",
        account="DU1234567",
        instrument=SPY,
        side=OrderSide.SELL,
        quantity=Decimal(200),
        purpose=Purpose.FLATTEN_SHARES,
        strategy_id=strategy_id,
        episode="e1",
        reason="200 shares delivered by the assigned short put SPY 440",
    )


def report(order_id: str = "bh3k2q7x9") -> OrderReported:
    row = OrderRow(
        client_order_id=order_id,
        venue_order_id="17",
        report=OrderReport.FILLED,
        filled=Decimal(200),
    )
    return OrderReported(venue="ibkr", row=row)


def records(count: int, *, start: int = 0) -> list[Record]:
    """Positions that count up, each a batch and a second of its own."""
    return [
        Record(at=AT + timedelta(seconds=number), item=position(number), batch=number)
        for number in range(start, start + count)
    ]


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that stands in a fact or an intent."""
    origin = get_origin(hint)
    if origin is Union or origin is UnionType:
        return st.one_of([anything(member) for member in get_args(hint)])
    if origin is tuple:
        return st.lists(anything(get_args(hint)[0]), max_size=3).map(tuple)
    if hint is type(None):
        return st.none()
    if isinstance(hint, type) and issubclass(hint, Struct):
        hints = get_type_hints(hint)
        return st.builds(
            hint, **{field.name: anything(hints[field.name]) for field in fields(hint)}
        )
    if issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    return _PLAIN[hint]


_PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(), max_size=12),
    bool: st.booleans(),
    int: st.integers(-(10**20), 10**20),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15
    ),
    datetime: st.datetimes(timezones=st.just(UTC)),
    date: st.dates(),
}
