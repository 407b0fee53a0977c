"""Pane 3: every position held between barriers, where its price stands between them, and the
perpetuals nobody guards.

Three lines each where there is room for all of them, one line each where there is not.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from engine.desk.facts import Side, VenueState
from engine.desk.snapshot import BarrierView, PositionView, Snapshot
from tui.rows import gauge
from tui.rows.cells import Block, Row, Span, Tone, cell, line, spread, width_of
from tui.rows.figures import left, percent, price, quantity, short_money
from tui.rows.gauge import Pin, ladder
from tui.rows.marks import barrier_mark
from tui.rows.text import clean, fit, wrap

EMPTY = (
    "No perpetual is held.",
    "Positions a venue assigns appear here between their barriers; b guards any other.",
)
POSITION = "position:"
_FULL_ROWS = 3
_FIRST = ("ATTENTION", "WAITING", "CLOSING")
_INDENT = 2


class Density(StrEnum):
    AUTO = "auto"
    FULL = "full"
    DENSE = "dense"


def barrier_blocks(
    snapshot: Snapshot,
    *,
    width: int,
    filter_text: str = "",
    height: int = 0,
    density: Density = Density.AUTO,
    opened: str = "",
) -> tuple[Block, ...]:
    """Items under their barrier ids, then under position:REF what is held without barriers; of
    short rows the one with the key opened is long all the same."""
    ready = {venue.name: venue.state is VenueState.READY for venue in snapshot.venues}
    wanted = filter_text.lower()
    shown = [barrier for barrier in snapshot.barriers if _matches(barrier, wanted)]
    shown.sort(key=_rank)
    loose = [p for p in unguarded(snapshot) if _position_matches(p, wanted)]
    dense = is_dense(len(shown) * _FULL_ROWS + len(loose), height, density)
    blocks = []
    for barrier in shown:
        stale = not ready.get(barrier.venue, True)
        short = dense and barrier.id != opened
        blocks.append(_block(barrier, snapshot.at, width=width, stale=stale, dense=short))
    for position in loose:
        stale = not ready.get(position.venue, True)
        key = POSITION + position_id(position)
        draw = partial(_short_loose if dense else _loose, position, width=width, stale=stale)
        blocks.append(Block(key, 1, draw))
    return tuple(blocks)


def is_dense(rows_wanted: int, height: int, density: Density) -> bool:
    """Whether rows must be short ones: told so, or there is no room for long ones."""
    if density is Density.AUTO:
        return 0 < height < rows_wanted
    return density is Density.DENSE


def position_id(position: PositionView) -> str:
    """What tells a held perpetual from all others: the same name may trade at several venues."""
    return f"{position.venue}/{position.account}/{position.ref}"


def unguarded(snapshot: Snapshot) -> tuple[PositionView, ...]:
    return tuple(p for p in snapshot.positions if p.barrier_id is None and p.quantity)


def net_total(snapshot: Snapshot) -> Decimal | None:
    """What all guarded positions together gain after fees; None where nothing is known."""
    known = [barrier.net for barrier in snapshot.barriers if barrier.net is not None]
    return sum(known, Decimal(0)) if known else None


def _rank(barrier: BarrierView) -> int:
    """Trouble first; among equals the engine's own order holds, so that rows stay in place."""
    state = barrier.state.upper()
    if state in _FIRST:
        return _FIRST.index(state)
    return len(_FIRST) + (state == "CLOSED")


def _matches(barrier: BarrierView, wanted: str) -> bool:
    shown = f"{barrier.instrument} {barrier.venue} {barrier.state} {_side(barrier.side)}"
    return not wanted or wanted in clean(shown).lower()


def _position_matches(position: PositionView, wanted: str) -> bool:
    shown = f"{position.instrument} {position.venue} unguarded"
    return not wanted or wanted in clean(shown).lower()


def _side(side: Side) -> str:
    return "long" if side is Side.BUY else "short"


# --- figures -------------------------------------------------------------------------------------


class Distance(NamedTuple):
    """How far the mark is from a price: as a fraction of the mark, and what the way would bring."""

    share: float
    money: Decimal


def distance(barrier: BarrierView, to: Decimal | None) -> Distance | None:
    mark = barrier.mark_price
    if to is None or mark is None or not mark:
        return None
    way = to - mark
    return Distance(float(way / mark), way * barrier.quantity * barrier.side.sign)


def gain(barrier: BarrierView) -> float | None:
    """Net gain as a fraction of what was paid; of the price alone where no net is known."""
    if not barrier.entry_price:
        return None
    if barrier.net is not None and barrier.quantity:
        return float(barrier.net / (barrier.entry_price * barrier.quantity))
    if barrier.mark_price is None:
        return None
    return float((barrier.mark_price / barrier.entry_price - 1) * barrier.side.sign)


def money_tone(value: Decimal | float | None) -> Tone:
    if not value:
        return Tone.MUTED
    return Tone.GOOD if value > 0 else Tone.BAD


def bar(barrier: BarrierView, width: int) -> tuple[Span, ...]:
    """The stop at the left, the target at the right, between them entry, trailing stop, mark."""
    pins = []
    trailing = barrier.trailing
    if trailing is not None:
        at = trailing.trigger if trailing.active and trailing.trigger else trailing.activation
        sign = gauge.TRIGGER if trailing.active else gauge.ARMED
        pins.append(Pin(float(at), sign, Tone.WARN))
    if barrier.mark_price is not None:
        pins.append(Pin(float(barrier.mark_price), gauge.MARK, Tone.STRONG))
    stop = barrier.stop_loss
    if stop is None and trailing is not None and trailing.active:
        stop = trailing.trigger
    return ladder(
        width,
        start=None if stop is None else float(stop),
        end=None if barrier.take_profit is None else float(barrier.take_profit),
        entry=float(barrier.entry_price) if barrier.entry_price else None,
        pins=pins,
    )


def time_left(barrier: BarrierView, now: datetime) -> str:
    if barrier.time_limit_at is None:
        return ""
    return left((barrier.time_limit_at - now).total_seconds())


# --- long rows -----------------------------------------------------------------------------------


def _block(barrier: BarrierView, now: datetime, *, width: int, stale: bool, dense: bool) -> Block:
    if dense:
        return Block(barrier.id, 1, lambda: [_short(barrier, now, width=width, stale=stale)])
    height = _FULL_ROWS + bool(barrier.reason)
    return Block(barrier.id, height, lambda: list(_long(barrier, now, width=width, stale=stale)))


def _long(barrier: BarrierView, now: datetime, *, width: int, stale: bool) -> Iterator[Row]:
    key = barrier.id
    yield _head(barrier, width=width, stale=stale)
    stop, target = price(barrier.stop_loss), price(barrier.take_profit)
    room = width - _INDENT - 26
    yield line(
        Span(" " * _INDENT),
        cell(stop if barrier.stop_loss is not None else "no stop", 12, Tone.BAD, right=True),
        Span(" "),
        *bar(barrier, room),
        Span(" "),
        cell(target if barrier.take_profit is not None else "no target", 12, Tone.GOOD),
        width=width,
        key=key,
        stale=stale,
    )
    yield _distances(barrier, now, width=width, stale=stale)
    if barrier.reason:
        text = fit(wrap(barrier.reason, width - _INDENT, most=1)[0], width - _INDENT)
        yield line(Span(" " * _INDENT), Span(text, Tone.WARN), width=width, key=key, stale=stale)


def _head(barrier: BarrierView, *, width: int, stale: bool) -> Row:
    mark = barrier_mark(barrier)
    side = _side(barrier.side).upper()
    net, share = barrier.net, gain(barrier)
    figures = (
        cell(price(barrier.mark_price), 11, Tone.STRONG, right=True),
        cell(percent(share), 8, money_tone(share), right=True),
        cell(short_money(net), 9, money_tone(net), right=True),
    )
    entry = f" {side} {quantity(barrier.quantity)} @ {price(barrier.entry_price)}"
    room = width - width_of(figures)
    names = line(
        cell(f"{mark.sign} {mark.word}", 14 if room >= 50 else 12, mark.tone),
        Span(clean(barrier.instrument), Tone.STRONG),
        Span(entry),
        width=room,
    )
    return line(*names.spans, *figures, width=width, key=barrier.id, band=True, stale=stale)


def _distances(barrier: BarrierView, now: datetime, *, width: int, stale: bool) -> Row:
    stop, target = distance(barrier, barrier.stop_loss), distance(barrier, barrier.take_profit)
    left_side = _way(stop, Tone.LOSS) if stop else []
    right_side = _way(target, Tone.GAIN) if target else []
    room = max(0, width - _INDENT - width_of(left_side) - width_of(right_side) - 2)
    centred = [Span(_between(barrier, now, room).center(room), Tone.MUTED)]
    return line(
        Span(" " * _INDENT),
        *left_side,
        Span(" "),
        *centred,
        Span(" "),
        *right_side,
        width=width,
        key=barrier.id,
        stale=stale,
    )


def _way(way: Distance, tone: Tone) -> list[Span]:
    return [
        Span(f"{percent(way.share):>8}", tone),
        Span(f" {short_money(way.money):>8}", Tone.MUTED),
    ]


def _between(barrier: BarrierView, now: datetime, room: int) -> str:
    """Trailing stop, time limit and resident stop in a few words, as many as there is room for."""
    words = []
    trailing = barrier.trailing
    if trailing is not None and trailing.active:
        words.append(f"trails at {price(trailing.trigger)}")
    elif trailing is not None:
        words.append(f"trails from {price(trailing.activation)}")
    if barrier.time_limit_at is not None:
        words.append(f"{time_left(barrier, now)} left")
    if barrier.resident_stop is not None:
        words.append("stop rests")
    while words and len(", ".join(words)) > room:
        words.pop()
    return ", ".join(words)


# --- short rows ----------------------------------------------------------------------------------


class _Short(NamedTuple):
    """Widths of the columns of a short row; 0 where there is no room for one."""

    name: int
    held: int
    mark: int
    share: int
    net: int
    bar: int
    stop: int
    target: int
    left: int

    @classmethod
    def of(cls, width: int) -> "_Short":
        columns = [14, 12, 12, 9, 10, 0, 9, 9, 7]
        order = ((3, 0), (1, 10), (8, 0), (0, 12), (4, 8), (6, 8), (7, 8), (2, 11), (1, 0))
        for place, smaller in order:
            if width - sum(columns) >= 10:
                break
            columns[place] = smaller
        columns[5] = max(0, width - sum(columns))
        return cls(*columns)


def short_head(width: int) -> Row:
    columns = _Short.of(width)
    return line(
        cell("POSITION", columns.name, Tone.MUTED),
        cell("HELD", columns.held, Tone.MUTED),
        cell("MARK", columns.mark, Tone.MUTED, right=True),
        cell("GAIN", columns.share, Tone.MUTED, right=True),
        cell("NET", columns.net, Tone.MUTED, right=True),
        cell(" STOP" if columns.bar >= 14 else "", columns.bar - 7, Tone.MUTED),
        cell("TARGET" if columns.bar >= 14 else "", min(7, columns.bar), Tone.MUTED),
        cell("TO STOP", columns.stop, Tone.MUTED, right=True),
        cell("TARGET", columns.target, Tone.MUTED, right=True),
        cell("LEFT", columns.left, Tone.MUTED, right=True),
        width=width,
    )


def _short(barrier: BarrierView, now: datetime, *, width: int, stale: bool) -> Row:
    columns = _Short.of(width)
    mark, net, share = barrier_mark(barrier), barrier.net, gain(barrier)
    stop, target = distance(barrier, barrier.stop_loss), distance(barrier, barrier.take_profit)
    side = "L" if barrier.side is Side.BUY else "S"
    calm = mark.sign == "●"
    ending = time_left(barrier, now) if calm else mark.word.lower()
    return line(
        Span(f"{mark.sign} ", mark.tone),
        cell(barrier.instrument, columns.name - 2, Tone.STRONG),
        cell(f"{side} {quantity(barrier.quantity)}", columns.held),
        cell(price(barrier.mark_price), columns.mark, right=True),
        cell(percent(share), columns.share, money_tone(share), right=True),
        cell(short_money(net), columns.net, money_tone(net), right=True),
        Span(" " * (columns.bar > 0)),
        *bar(barrier, columns.bar - 1),
        cell(percent(stop.share) if stop else "-", columns.stop, Tone.LOSS, right=True),
        cell(percent(target.share) if target else "-", columns.target, Tone.GAIN, right=True),
        cell(ending, columns.left, Tone.MUTED if calm else mark.tone, right=True),
        width=width,
        key=barrier.id,
        stale=stale,
    )


def _short_loose(position: PositionView, *, width: int, stale: bool) -> list[Row]:
    columns = _Short.of(width)
    moved = _moved(position)
    side = "L" if position.quantity > 0 else "S"
    row = line(
        Span("○ ", Tone.WARN),
        cell(position.instrument, columns.name - 2, Tone.STRONG),
        cell(f"{side} {quantity(abs(position.quantity))}", columns.held),
        cell(price(position.mark_price), columns.mark, right=True),
        cell("", columns.share),
        cell(short_money(moved), columns.net, money_tone(moved), right=True),
        Span(" unguarded", Tone.WARN),
        width=width,
        key=POSITION + position_id(position),
        stale=stale,
    )
    return [row]


def _loose(position: PositionView, *, width: int, stale: bool) -> list[Row]:
    moved = _moved(position)
    side = "LONG" if position.quantity > 0 else "SHORT"
    at = f" @ {price(position.entry_price)}" if position.entry_price is not None else ""
    names = (
        cell("○ unguarded", 12, Tone.WARN),
        Span(clean(position.instrument), Tone.STRONG),
        Span(f" {side} {quantity(abs(position.quantity))}{at}"),
    )
    figures = (
        Span(f" {price(position.mark_price):>12}"),
        Span(f"{short_money(moved):>10}", money_tone(moved)),
    )
    row = spread(names, figures, width=width)
    return [Row(row.spans, POSITION + position_id(position), False, stale)]


def _moved(position: PositionView) -> Decimal | None:
    """What the price has brought since the entry, before fees."""
    if position.mark_price is None or not position.entry_price:
        return None
    return (position.mark_price - position.entry_price) * position.quantity
