"""Pane 3: every position held between barriers, and where its price stands between them."""

from datetime import datetime
from decimal import Decimal

from engine.desk.facts import VenueState
from engine.desk.snapshot import BarrierView, Snapshot
from tui.rows.cells import Row, Span, Tone, cell, line, spread
from tui.rows.figures import age, price, quantity
from tui.rows.text import clean

EMPTY = (
    "No crypto venue is configured for barriers yet.",
    "Add one under [[assignment_managers]] in bulkhead.toml.",
)


def barrier_rows(snapshot: Snapshot, *, width: int, filter_text: str = "") -> tuple[Row, ...]:
    """Two lines for each position, under the key of its barrier id."""
    ready = {venue.name: venue.state is VenueState.READY for venue in snapshot.venues}
    rows: list[Row] = []
    for barrier in snapshot.barriers:
        shown = f"{barrier.instrument} {barrier.venue} {barrier.state} {barrier.side}"
        if filter_text.lower() in clean(shown).lower():
            stale = not ready.get(barrier.venue, True)
            rows += [
                _head_row(barrier, width=width, stale=stale),
                _ladder_row(barrier, now=snapshot.at, width=width, stale=stale),
            ]
    return tuple(rows)


def gauge(barrier: BarrierView, width: int) -> str:
    """Draw the price between stop loss and take profit; the stop is always at the left."""
    if width < 7:
        return ""
    inner = width - 2
    where = _position(barrier)
    if where is None:
        return f"├{'─' * inner}┤"
    at = min(max(round(where * (inner - 1)), 0), inner - 1)
    return f"├{'─' * at}●{'─' * (inner - 1 - at)}┤"


def _position(barrier: BarrierView) -> Decimal | None:
    stop, target, mark = barrier.stop_loss, barrier.take_profit, barrier.mark_price
    if stop is None or target is None or mark is None or stop == target:
        return None
    return (mark - stop) / (target - stop)


def _head_row(barrier: BarrierView, *, width: int, stale: bool) -> Row:
    state = clean(barrier.close_type or barrier.state)
    gain = _gain(barrier)
    gained = Span(
        f"{gain:+.2f}%" if gain is not None else "",
        Tone.MUTED if not gain else Tone.GOOD if gain > 0 else Tone.BAD,
    )
    left = (
        cell(f"● {state}", 13, Tone.NOTICE if barrier.close_type is None else Tone.MUTED),
        Span(clean(barrier.instrument), Tone.STRONG),
        Span(f"  {barrier.side} {quantity(barrier.quantity)}"),
    )
    right = (Span(f"{price(barrier.mark_price)} "), gained)
    row = spread(left, right, width=width)
    return Row(row.spans, barrier.id, True, stale)


def _gain(barrier: BarrierView) -> Decimal | None:
    if barrier.mark_price is None or not barrier.entry_price:
        return None
    return (barrier.mark_price / barrier.entry_price - 1) * 100 * barrier.side.sign


def _ladder_row(barrier: BarrierView, *, now: datetime, width: int, stale: bool) -> Row:
    stop = f"stop {price(barrier.stop_loss)} " if barrier.stop_loss is not None else "no stop "
    target = f" {price(barrier.take_profit)} profit" if barrier.take_profit is not None else ""
    extra = ""
    if barrier.trailing is not None:
        trigger = barrier.trailing.trigger
        extra = f"  trail {price(trigger)}" if trigger is not None else "  trail waits"
    if barrier.time_limit_at is not None:
        left = (barrier.time_limit_at - now).total_seconds()
        extra += f"  time {age(left)}"
    room = width - 2 - len(stop) - len(target) - len(extra)
    return line(
        Span("  "),
        Span(stop, Tone.BAD if barrier.stop_loss is not None else Tone.WARN),
        Span(gauge(barrier, min(room, 40)), Tone.NOTICE),
        Span(target, Tone.GOOD),
        Span(extra, Tone.MUTED),
        width=width,
        key=barrier.id,
        stale=stale,
    )
