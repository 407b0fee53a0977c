"""Pane 4: the account as one bar, and each parameter set: its funds, its z-score, its bracket.

Four kinds of money, each with its own sign: █ in a position, ▓ reserved, ░ promised to a set and
not reserved, · free for nobody in particular.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

from engine.desk.facts import VenueState
from engine.desk.snapshot import (
    AllocationSetView,
    AllocationView,
    ReservationView,
    SetState,
    Snapshot,
)
from tui.rows import gauge
from tui.rows.barriers import Density, is_dense, money_tone
from tui.rows.cells import Block, Row, Span, Tone, block, line, spread, width_of
from tui.rows.figures import clock, money, percent, price, quantity, score, short_money
from tui.rows.gauge import Pin, filled, ladder, parts
from tui.rows.marks import set_mark
from tui.rows.text import clean, fit, wrap

EMPTY = (
    "No allocation desk is configured.",
    "c opens the config: add an [allocation] table, or start with --parameter-sets.",
)
HELD, RESERVED, PROMISED, FREE = "█", "▓", "░", "·"
_FIRST = (SetState.ATTENTION, SetState.PROTECTING, SetState.BUYING, SetState.SELLING)
_INDENT = 2
_LABEL = 4


class Shares(NamedTuple):
    """A set's money: in a position, reserved for one, promised to it and not reserved."""

    held: float
    reserved: float
    promised: float


def allocation_blocks(
    snapshot: Snapshot,
    *,
    width: int,
    filter_text: str = "",
    height: int = 0,
    density: Density = Density.AUTO,
    opened: str = "",
) -> tuple[Block, ...]:
    """The account first, then each set under the key of its symbol; of short rows the one with the
    key opened is long all the same."""
    allocation = snapshot.allocation
    if allocation is None:
        return ()
    ready = {venue.name: venue.state is VenueState.READY for venue in snapshot.venues}
    stale = not ready.get(allocation.venue, True)
    wanted = filter_text.lower()
    account = tuple(account_rows(allocation, width=width))
    blocks = [block("", account)] if not wanted else []
    shown = [one for one in in_order(allocation) if wanted in clean(_words(one)).lower()]
    rows = sum(_height(one) for one in shown)
    dense = is_dense(rows + len(account), height, density)
    for one in shown:
        short = dense and one.symbol != opened
        blocks.append(_block(one, allocation, width=width, stale=stale, dense=short))
    known = {one.symbol for one in allocation.sets}
    blocks += [
        block(held.symbol, [_reservation(held, snapshot, width=width)])
        for held in allocation.reservations
        if held.symbol not in known and wanted in clean(held.symbol).lower()
    ]
    return tuple(blocks)


def in_order(allocation: AllocationView) -> list[AllocationSetView]:
    """Trouble and what is under way first; among equals the order of the config."""
    return sorted(
        allocation.sets,
        key=lambda one: _FIRST.index(one.state) if one.state in _FIRST else len(_FIRST),
    )


def shares_of(one: AllocationSetView, allocation: AllocationView) -> Shares:
    share = float(one.percent) / 100 * allocation.totalBalance
    reserved = float(one.reserved)
    held = reserved if one.quantity > 0 else 0.0
    return Shares(held, reserved - held, max(0.0, share - reserved))


def _words(one: AllocationSetView) -> str:
    return f"{one.symbol} {set_mark(one.state).word}"


# --- the account ---------------------------------------------------------------------------------


def account_rows(allocation: AllocationView, *, width: int) -> Iterator[Row]:
    """Totals as the status document has them, the account as one bar, and what its signs mean."""
    currency = clean(allocation.currency)
    over = allocation.totalReserved > allocation.totalBalance
    tone = Tone.BAD if over else Tone.STRONG
    yield spread(
        [
            Span(money(allocation.totalReserved), tone),
            Span(f" reserved of {money(allocation.totalBalance)} {currency}", Tone.MUTED),
        ],
        [Span(f"{allocation.allocationPercentage:.2f}%", tone)],
        width=width,
    )
    if not allocation.sets:
        share = allocation.totalReserved / allocation.totalBalance if allocation.totalBalance else 0
        yield line(*filled(width, share, sign=RESERVED, tone=Tone.RESERVED), width=width)
        yield _available(allocation, width)
        return
    shares = [shares_of(one, allocation) for one in allocation.sets]
    named = sum(sum(share) for share in shares)
    free = max(0.0, allocation.totalBalance - named)
    yield line(*_account_bar(allocation, shares, free, width), width=width)
    yield _available(allocation, width)
    totals = [sum(kind) for kind in zip(*shares, strict=True)]
    yield from _legend([*totals, free], width)


def _account_bar(
    allocation: AllocationView, shares: list[Shares], free: float, width: int
) -> list[Span]:
    """Set after set, each led by its name, so that a set is found without its colour."""
    sizes = parts(
        width, [*((sum(share), "x", Tone.PLAIN) for share in shares), (free, "f", Tone.FREE)]
    )
    lengths = iter([len(span.text) for span in sizes])
    spans: list[Span] = []
    for one, share in zip(allocation.sets, shares, strict=True):
        if sum(share) <= 0:
            continue
        size = next(lengths, 0)
        if not size:
            break
        name = clean(one.symbol).removesuffix(clean(allocation.currency) or " ")
        label = name[: max(1, min(_LABEL, size - _LABEL))] or "?"
        spans.append(Span(label, Tone.STRONG))
        spans += parts(
            size - cell_len(label),
            [
                (share.held, HELD, Tone.HELD),
                (share.reserved, RESERVED, Tone.RESERVED),
                (share.promised, PROMISED, Tone.PROMISED),
            ],
        )
    rest = width - width_of(spans)
    return [*spans, Span(FREE * max(0, rest), Tone.FREE)]


def _available(allocation: AllocationView, width: int) -> Row:
    return spread(
        [Span("available ", Tone.MUTED), Span(money(allocation.availableBalance))],
        [Span(f"{clean(allocation.venue)}", Tone.MUTED)],
        width=width,
    )


def _legend(totals: list[float], width: int) -> Iterator[Row]:
    kinds = (
        (HELD, "in position", Tone.HELD),
        (RESERVED, "reserved", Tone.RESERVED),
        (PROMISED, "promised", Tone.PROMISED),
        (FREE, "free", Tone.FREE),
    )
    items = [
        (Span(f"{sign} ", tone), Span(f"{word} {money(amount)}", Tone.MUTED))
        for (sign, word, tone), amount in zip(kinds, totals, strict=True)
    ]
    if width >= 84:
        yield line(*(span for item in items for span in (*item, Span("   "))), width=width)
        return
    column = width // 2
    for first, second in (items[:2], items[2:]):
        padded = line(*first, width=column).spans
        yield line(*padded, *second, width=width)


# --- a set ---------------------------------------------------------------------------------------


def _height(one: AllocationSetView) -> int:
    return 2 + (one.quantity > 0) + bool(one.reason)


def _block(
    one: AllocationSetView,
    allocation: AllocationView,
    *,
    width: int,
    stale: bool,
    dense: bool,
) -> Block:
    if dense:
        return Block(one.symbol, 1, lambda: [_short(one, width=width, stale=stale)])
    return Block(
        one.symbol, _height(one), lambda: list(_long(one, allocation, width=width, stale=stale))
    )


def result(one: AllocationSetView) -> tuple[float | None, float | None]:
    """What the position gains as a fraction and in money, before fees; None without a mark."""
    if not one.quantity or one.mark_price is None or not one.entry_price:
        return None, None
    way = one.mark_price - one.entry_price
    return float(way / one.entry_price), float(way * one.quantity)


def _long(
    one: AllocationSetView, allocation: AllocationView, *, width: int, stale: bool
) -> Iterator[Row]:
    yield _head(one, width=width, stale=stale)
    if one.quantity > 0:
        yield _bracket(one, width=width, stale=stale)
    yield line(Span(" " * _INDENT), *signal(one, width - _INDENT), width=width, stale=stale)
    if one.reason:
        text = fit(wrap(one.reason, width - _INDENT, most=1)[0], width - _INDENT)
        tone = Tone.BAD if one.state is SetState.ATTENTION else Tone.WARN
        yield line(Span(" " * _INDENT), Span(text, tone), width=width, stale=stale)


def _head(one: AllocationSetView, *, width: int, stale: bool) -> Row:
    mark = set_mark(one.state)
    share, gained = result(one)
    figures: list[Span] = []
    if gained is not None:
        figures = [
            Span(f"{percent(share):>8}", money_tone(share)),
            Span(f" {short_money(gained):>8}", money_tone(gained)),
        ]
    elif one.reserved:
        figures = [Span(f"{money(one.reserved)} reserved", Tone.PLAIN)]
    else:
        figures = [Span(f"{quantity(one.percent)}% promised", Tone.MUTED)]
    row = spread(
        [
            Span(f"{mark.sign} ", mark.tone),
            Span(clean(one.symbol), Tone.STRONG),
            Span(f"  {mark.word}", mark.tone),
        ],
        figures,
        width=width,
    )
    return Row(row.spans, one.symbol, True, stale)


def _bracket(one: AllocationSetView, *, width: int, stale: bool) -> Row:
    """The position between its OCO: distances at the ends, entry and mark on the bar."""
    stop, target, mark = one.stop_loss, one.take_profit, one.mark_price
    to_stop = float((stop - mark) / mark) if stop is not None and mark else None
    to_target = float((target - mark) / mark) if target is not None and mark else None
    pins = [] if mark is None else [Pin(float(mark), gauge.MARK, Tone.STRONG)]
    start = Span(f"{percent(to_stop) if to_stop is not None else 'no stop':>8} ", Tone.LOSS)
    end = Span(f" {percent(to_target) if to_target is not None else 'no target':<8}", Tone.GAIN)
    bar = ladder(
        width - _INDENT - width_of((start, end)),
        start=None if stop is None else float(stop),
        end=None if target is None else float(target),
        entry=None if one.entry_price is None else float(one.entry_price),
        pins=pins,
    )
    return line(Span(" " * _INDENT), start, *bar, end, width=width, stale=stale)


def signal(one: AllocationSetView, width: int) -> list[Span]:
    """The z-score on its way to what it triggers, or the bars that are still missing."""
    if one.z_score is None:
        needed = max(1, one.bars_needed)
        words = f"bar {one.bars_seen} of {one.bars_needed} before its first z-score"
        room = width - len(words) - 2
        drawn = filled(room, one.bars_seen / needed, sign="▒") if room >= 6 else ()
        return [Span(words, Tone.MUTED), Span("  "), *drawn]
    holding = one.quantity > 0
    aim, word = (one.exit_z_score, "sells") if holding else (one.threshold, "buys")
    label = f"z {score(one.z_score):>6} "
    end = f" {word} at {score(aim)}"
    pins = [Pin(one.z_score, gauge.MARK, Tone.STRONG)]
    room = width - len(label) - len(end)
    bar = ladder(
        room,
        start=float(one.exit_z_score),
        end=float(one.threshold),
        entry=None,
        pins=pins,
    )
    reached = not holding and one.z_score >= float(one.threshold)
    return [Span(label, Tone.NOTICE if reached else Tone.PLAIN), *bar, Span(end, Tone.MUTED)]


def _short(one: AllocationSetView, *, width: int, stale: bool) -> Row:
    mark = set_mark(one.state)
    share, gained = result(one)
    z = score(one.z_score) if one.z_score is not None else f"{one.bars_seen}/{one.bars_needed}"
    figures = [
        Span(f"{money(one.reserved):>10}" if one.reserved else f"{'-':>10}"),
        Span(f"{percent(share) if share is not None else '':>9}", money_tone(gained)),
        Span(f"  z {z:>6}"),
        Span(f"/{score(one.threshold)}", Tone.MUTED),
    ]
    name = f"{clean(one.symbol)}"
    row = spread([Span(f"{mark.sign} ", mark.tone), Span(name, Tone.STRONG)], figures, width=width)
    return Row(row.spans, one.symbol, False, stale)


def _reservation(held: ReservationView, snapshot: Snapshot, *, width: int) -> Row:
    """A reservation whose set is no longer configured."""
    order = f"order {clean(held.orderId)}" if held.orderId else "no order yet"
    since = f"since {clock(held.timestamp, snapshot.at)}, {order}"
    row = spread(
        [
            Span("? ", Tone.WARN),
            Span(clean(held.symbol), Tone.STRONG),
            Span(f"  {since}", Tone.MUTED),
        ],
        [Span(f"{money(held.reservedAmount)} reserved")],
        width=width,
    )
    return Row(row.spans, held.symbol, False, False)


def price_line(one: AllocationSetView) -> str:
    """Quantity, entry and mark in words, for details and sheets."""
    if not one.quantity:
        return "no position"
    entry, mark = price(one.entry_price), price(one.mark_price)
    return f"{quantity(one.quantity)} bought at {entry}, now {mark}"
