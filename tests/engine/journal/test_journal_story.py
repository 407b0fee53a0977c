"""The trail reads as a trader would tell it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.desk.facts import (
    BookSnapshot,
    CloseRequested,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    Fact,
    OrderPriced,
    OrderType,
    OrderUnpriced,
    PositionRow,
    Side,
    VenueChanged,
    VenueState,
)
from engine.desk.intents import Intent, RaiseAlert, Severity
from engine.journal import Entry, as_document, as_row, tell, tell_all
from engine.journal.codec import encode
from tests.engine.journal.samples import AT, PUT, SPY, order, position, report


def _entry(item: Fact | Intent, seconds: int = 0) -> Entry:
    kind, name, body = encode(item)
    return Entry(
        seq=1,
        batch=1,
        at=AT + timedelta(seconds=seconds),
        kind=kind,
        name=name,
        strategy_id=None,
        item=item,
        body=body,
    )


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (
            order(),
            "order bh3k2q7x9 SELL 200 SPY (FLATTEN_SHARES): "
            "200 shares delivered by the assigned short put SPY 440",
        ),
        (order("bh3k2q7x9aaaa"), None),
        (report(), "order bh3k2q7x9 FILLED, 200 filled"),
        (
            OrderPriced(
                client_order_id="bh1",
                order_type=OrderType.LIMIT,
                limit_price=Decimal("439.90"),
                outside_rth=True,
                bid=Decimal("439.90"),
                ask=Decimal("440.00"),
            ),
            "order bh1 goes out with limit 439.90 (bid 439.90, ask 440.00), "
            "also outside regular hours",
        ),
        (
            OrderUnpriced(client_order_id="bh1", reason="no quote"),
            "order bh1 held, not sent: no quote",
        ),
        (
            ExecutionReported(
                venue="ibkr",
                execution=Execution(
                    execution_id="1",
                    account="DU1",
                    instrument=SPY,
                    side=Side.BUY,
                    quantity=Decimal("200.0"),
                    price=Decimal(440),
                    at=AT,
                    origin=ExecutionOrigin.BROKER,
                ),
            ),
            "bought 200 SPY at 440 in DU1, by the broker",
        ),
        (
            VenueChanged(venue="ibkr", state=VenueState.DOWN, detail="no route", can_trade=False),
            "ibkr is down: no route; it takes no orders",
        ),
        (
            CloseRequested(request_id="1", strategy_id=None, emergency=True, by="anna"),
            "anna asked to close everything (emergency)",
        ),
        (
            RaiseAlert(
                alert_id="1", severity=Severity.CRITICAL, title="Assigned", body="2\nputs", at=AT
            ),
            "alert CRITICAL: Assigned. 2 puts",
        ),
    ],
)
def test_an_entry_is_told_in_words(item: Fact | Intent, line: str | None) -> None:
    told = tell(_entry(item))
    assert told.startswith("02:30:14.213  ")
    if line is None:
        assert "order bh3k2q7x9a… SELL" in told
    else:
        assert told == f"02:30:14.213  {line}"


def test_a_story_says_what_a_position_was_before() -> None:
    book = BookSnapshot(
        venue="ibkr",
        asked_at=AT,
        accounts=("DU1234567",),
        positions=(PositionRow(account="DU1234567", instrument=PUT, quantity=Decimal(-2)),),
    )
    lines = list(
        tell_all(
            [
                _entry(position(5)),
                _entry(book),
                _entry(position(0)),
                _entry(position(100), seconds=86400),
            ]
        )
    )
    assert lines == [
        "Friday 2026-12-18 (UTC)",
        f"02:30:14.213  {PUT.name} in DU1234567: now 5",
        "02:30:14.213  ibkr showed its book of DU1234567: 1 position, 0 executions, 0 orders: "
        f"{PUT.name} -2",
        f"02:30:14.213  {PUT.name} in DU1234567: -2 -> 0",
        "Saturday 2026-12-19 (UTC)",
        f"02:30:14.213  {PUT.name} in DU1234567: 0 -> 100",
    ]


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    told = tell(_entry(VenueChanged(venue="x", state=VenueState.DOWN, detail="\x1b[2J\u202egone")))
    assert told.isprintable()


def test_rows_for_a_table_and_documents_for_a_program() -> None:
    row = as_row(_entry(report()))
    assert row["at"] == "2026-12-18T02:30:14.213000+00:00"
    assert row["strategy_id"] == ""
    document = as_document(_entry(report()))
    assert document["body"]["row"]["filled"] == "200"
    assert document["seq"] == 1
