"""Pane 4: how much of the account is reserved, as bars that always carry their figures."""

from engine.desk.snapshot import AllocationView, Snapshot
from tui.rows.cells import Row, Span, Tone, cell, line
from tui.rows.figures import clock, money
from tui.rows.text import clean

EMPTY = (
    "No allocation desk is configured yet.",
    "Add an [allocation] table to bulkhead.toml.",
)
_NAME, _AMOUNT, _SHARE = 12, 12, 8


def allocation_rows(snapshot: Snapshot, *, width: int, filter_text: str = "") -> tuple[Row, ...]:
    """The account's bar, then one for each reservation under the key of its symbol."""
    allocation = snapshot.allocation
    if allocation is None:
        return ()
    rows = [
        _bar("reserved", allocation.totalReserved, allocation, width=width, key="", total=True),
        line(
            cell("available", _NAME, Tone.MUTED),
            cell(money(allocation.availableBalance), _AMOUNT, right=True),
            Span(f"  of {money(allocation.totalBalance)}", Tone.MUTED),
            width=width,
        ),
    ]
    for held in allocation.reservations:
        if filter_text.lower() in clean(held.symbol).lower():
            order = f"order {clean(held.orderId)}" if held.orderId else "no order yet"
            note = f"{clock(held.timestamp, snapshot.at)}, {order}"
            rows += [
                _bar(held.symbol, held.reservedAmount, allocation, width=width, key=held.symbol),
                line(
                    Span("  since ", Tone.MUTED),
                    Span(note, Tone.MUTED),
                    width=width,
                    key=held.symbol,
                ),
            ]
    return tuple(rows)


def _bar(
    name: str,
    amount: float,
    allocation: AllocationView,
    *,
    width: int,
    key: str,
    total: bool = False,
) -> Row:
    share = amount / allocation.totalBalance if allocation.totalBalance > 0 else 0.0
    room = width - _NAME - _AMOUNT - _SHARE - 2
    length = max(4, min(room, 40))
    full = min(max(round(share * length), 0), length)
    over = Tone.BAD if share > 1 else Tone.NOTICE
    return line(
        cell(name, _NAME, Tone.STRONG if not total else Tone.MUTED),
        cell(money(amount), _AMOUNT, right=True),
        cell(f"{share:.1%}", _SHARE, over if share > 1 else Tone.PLAIN, right=True),
        Span("  "),
        Span("█" * full, over),
        Span("░" * (length - full), Tone.RULE),
        width=width,
        key=key,
        band=total,
    )
