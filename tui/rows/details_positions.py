"""Details of what is held at exchanges: a perpetual between its barriers or without, an allocation;
each with a chart of the prices this terminal has seen.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.snapshot import (
    AllocationSetView,
    AllocationView,
    BarrierView,
    PositionView,
    Snapshot,
)
from tui.rows.allocation import in_order, price_line, result, shares_of, signal
from tui.rows.barriers import bar, distance, gain, money_tone, position_id, time_left
from tui.rows.cells import BLANK, Row, Span, Tone
from tui.rows.chart import Level, chart_rows
from tui.rows.fields import (
    LABEL,
    field,
    heading,
    journal_lines,
    order_lines,
    spans_field,
    state,
    when,
)
from tui.rows.figures import money, percent, price, quantity, score, short_money
from tui.rows.marks import barrier_mark, set_mark
from tui.rows.scene import Scene
from tui.tracks import BARRIER, POSITION, SCORE, SET

_FIELDS_ROWS = 12
_LEAST_CHART, _MOST_CHART = 9, 18


def _chart_height(height: int) -> int:
    return max(_LEAST_CHART, min(_MOST_CHART, height - _FIELDS_ROWS))


def _level(value: Decimal | None, word: str, tone: Tone, sign: str = "╌") -> list[Level]:
    if value is None:
        return []
    return [Level(value=float(value), label=f"{price(value)} {word}", tone=tone, sign=sign)]


def barrier_rows(barrier: BarrierView, scene: Scene) -> Iterator[Row]:
    picture, width = scene.picture, scene.width
    yield from state("state", barrier_mark(barrier), width)
    if barrier.reason:
        yield from field("reason", barrier.reason, width, Tone.WARN)
    side = "long" if barrier.side is Side.BUY else "short"
    held = f"{side} {quantity(barrier.quantity)} at {barrier.venue}"
    yield from field(
        "held", f"{held}, account {barrier.account}" if barrier.account else held, width
    )
    entry = f"{price(barrier.entry_price)}, now {price(barrier.mark_price)}"
    yield from field("entry", entry, width)
    yield spans_field("result", _result(barrier), width)
    yield spans_field("", bar(barrier, min(60, width - LABEL)), width)
    yield from _barrier_lines(picture, barrier, width)
    yield BLANK
    trailing = barrier.trailing
    levels = [
        *_level(barrier.take_profit, "target", Tone.GOOD, "═"),
        *_level(barrier.entry_price, "entry", Tone.MUTED, "┄"),
        *_level(barrier.stop_loss, "stop", Tone.BAD, "╌"),
    ]
    if trailing is not None and trailing.active:
        levels += _level(trailing.trigger, "trailing", Tone.WARN, "▲")
    elif trailing is not None:
        levels += _level(trailing.activation, "trails from", Tone.WARN, "┄")
    points = scene.tracks.points(BARRIER, barrier.id)
    yield from chart_rows(
        points, levels, width=width, height=_chart_height(scene.height), zoom=scene.zoom
    )
    orders = [order for order in picture.orders if order.strategy_id == barrier.id]
    yield from order_lines(orders, width)
    yield from journal_lines("History, newest last", scene.journal, width, today=scene.picture.at)


def _result(barrier: BarrierView) -> list[Span]:
    net = barrier.net
    return [
        Span(f"{short_money(net)} net, {percent(gain(barrier))}", money_tone(net)),
        Span(f"   gross {short_money(barrier.gross)}, fees {money(barrier.fees)}", Tone.MUTED),
    ]


def _barrier_lines(picture: Snapshot, barrier: BarrierView, width: int) -> Iterator[Row]:
    for label, value, tone in (
        ("stop", barrier.stop_loss, Tone.BAD),
        ("target", barrier.take_profit, Tone.GOOD),
    ):
        way = distance(barrier, value)
        if value is None:
            yield from field(label, "none", width, Tone.MUTED)
            continue
        away = f"   {percent(way.share)} from here, {short_money(way.money)}" if way else ""
        yield spans_field(label, [Span(price(value), tone), Span(away, Tone.MUTED)], width)
    trailing = barrier.trailing
    if trailing is not None:
        text = f"turns on beyond {price(trailing.activation)}"
        if trailing.active:
            text = f"on, closes at {price(trailing.trigger)}"
        yield from field("trailing stop", text, width)
    if barrier.time_limit_at is not None:
        text = f"{time_left(barrier, picture.at)}, until {when(barrier.time_limit_at)}"
        yield from field("time left", text, width)
    rests = "at the venue, at " + price(barrier.resident_stop)
    yield from field("resting stop", rests if barrier.resident_stop is not None else "none", width)
    since = f"{when(barrier.since)}" if barrier.since else "-"
    by = f", by {barrier.set_by}" if barrier.set_by else ""
    yield from field("guarded since", since + by, width)


def position_rows(position: PositionView, scene: Scene) -> Iterator[Row]:
    width = scene.width
    side = "long" if position.quantity > 0 else "short"
    yield from field("state", "○ no barriers: b sets them", width, Tone.WARN)
    held = f"{side} {quantity(abs(position.quantity))} at {position.venue}"
    yield from field("held", f"{held}, account {position.account}", width)
    text = f"{price(position.entry_price)}, now {price(position.mark_price)}"
    yield from field("entry", text, width)
    yield BLANK
    levels = _level(position.entry_price, "entry", Tone.MUTED, "┄")
    points = scene.tracks.points(POSITION, position_id(position))
    yield from chart_rows(
        points, levels, width=width, height=_chart_height(scene.height), zoom=scene.zoom
    )
    yield from journal_lines("History, newest last", scene.journal, width, today=scene.picture.at)


def set_rows(allocation: AllocationView, symbol: str, scene: Scene) -> Iterator[Row]:
    """Funds, signal and bracket of a set, with its price and its z-score over time."""
    picture, width = scene.picture, scene.width
    reserved = [r for r in allocation.reservations if r.symbol == symbol]
    one = next((s for s in in_order(allocation) if s.symbol == symbol), None)
    if one is None:
        for held in reserved:
            yield from field("state", "? no set of this symbol is configured", width, Tone.WARN)
            yield from field("reserved", money(held.reservedAmount), width)
            yield from field("since", when(held.timestamp), width)
        return
    yield from state("state", set_mark(one.state), width)
    if one.reason:
        yield from field("reason", one.reason, width, Tone.WARN)
    shares = shares_of(one, allocation)
    share = f"{quantity(one.percent)}% of the account"
    funds = f"{money(shares.held)} in position, {money(shares.reserved)} reserved"
    yield from field("funds", f"{funds}, {money(shares.promised)} promised; {share}", width)
    for held in reserved:
        order = f", order {held.orderId}" if held.orderId else ", no order yet"
        yield from field("reserved since", when(held.timestamp) + order, width)
    if one.would_keep:
        yield from field("a reset", f"keeps it: {one.would_keep}", width)
    yield spans_field("signal", signal(one, min(60, width - LABEL)), width)
    yield from _position_of(one, width)
    yield BLANK
    levels = [
        *_level(one.take_profit, "take profit", Tone.GOOD, "═"),
        *_level(one.entry_price, "bought", Tone.MUTED, "┄"),
        *_level(one.stop_loss, "stop", Tone.BAD, "╌"),
    ]
    tall = _chart_height(scene.height)
    yield from chart_rows(
        scene.tracks.points(SET, symbol), levels, width=width, height=tall, zoom=scene.zoom
    )
    yield from heading("z-score", width)
    scores = [
        Level(
            value=float(one.threshold),
            label=f"{score(one.threshold)} buys",
            tone=Tone.GOOD,
        ),
        Level(
            value=float(one.exit_z_score),
            label=f"{score(one.exit_z_score)} sells",
            tone=Tone.BAD,
        ),
    ]
    yield from chart_rows(
        scene.tracks.points(SCORE, symbol),
        scores,
        width=width,
        height=max(7, tall * 2 // 3),
        zoom=scene.zoom,
        written=score,
    )
    yield from order_lines([o for o in picture.orders if o.strategy_id == symbol], width)
    yield from journal_lines("History, newest last", scene.journal, width, today=scene.picture.at)


def _position_of(one: AllocationSetView, width: int) -> Iterator[Row]:
    if not one.quantity:
        return
    share, gained = result(one)
    yield spans_field(
        "position",
        [
            Span(price_line(one)),
            Span(f"   {short_money(gained)}, {percent(share)}", money_tone(gained)),
        ],
        width,
    )
    mark = one.mark_price
    for label, value, tone in (
        ("take profit", one.take_profit, Tone.GOOD),
        ("stop", one.stop_loss, Tone.BAD),
    ):
        if value is None:
            yield from field(label, "none", width, Tone.WARN)
            continue
        away = ""
        if mark:
            way = value - mark
            away = f"   {percent(way / mark)} from here, {short_money(way * one.quantity)}"
        yield spans_field(label, [Span(price(value), tone), Span(away, Tone.MUTED)], width)
