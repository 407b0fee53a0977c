"""Pane 1: each strategy, its legs beneath it, and the orders that are closing it.

Trouble comes first; among equals the order of the configuration holds, so rows stay where they are.
"""

from typing import NamedTuple

from engine.desk.facts import VenueState
from engine.desk.snapshot import (
    LegView,
    OrderState,
    OrderView,
    Snapshot,
    StrategyStatus,
    StrategyView,
)
from tui.rows.cells import Row, Span, Tone, cell, line
from tui.rows.figures import day, price, quantity
from tui.rows.marks import order_mark, strategy_mark
from tui.rows.text import clean, wrap

_FIRST = (
    StrategyStatus.ATTENTION,
    StrategyStatus.BROKEN,
    StrategyStatus.CLOSING,
    StrategyStatus.SUSPECT,
    StrategyStatus.INTACT,
    StrategyStatus.CLOSED,
)
OPEN_ORDERS = (OrderState.HELD, OrderState.SENDING, OrderState.UNKNOWN, OrderState.WORKING)
_STATUS, _DTE = 12, 4
EMPTY = (
    "No strategy is declared yet.",
    "Add one under [[options.strategies]] in bulkhead.toml, then run bulkhead check.",
)


def in_order(strategies: tuple[StrategyView, ...]) -> tuple[StrategyView, ...]:
    return tuple(sorted(strategies, key=lambda strategy: _FIRST.index(strategy.status)))


def strategy_head(width: int) -> Row:
    """The column heads over the rows of strategy_rows."""
    columns = _Columns.of(width)
    return line(
        cell("STATUS", _STATUS, Tone.MUTED),
        cell("STRATEGY / LEG", columns.name, Tone.MUTED),
        cell("DTE", _DTE, Tone.MUTED, right=True),
        cell("WANT", columns.want, Tone.MUTED, right=True),
        cell("HELD", columns.held, Tone.MUTED, right=True),
        cell("BID", columns.bid, Tone.MUTED, right=True),
        cell("ASK", columns.ask, Tone.MUTED, right=True),
        width=width,
    )


def strategy_rows(snapshot: Snapshot, *, width: int, filter_text: str = "") -> tuple[Row, ...]:
    """Rows of all strategies that match the filter, each under the key of its strategy id."""
    ready = {venue.name: venue.state is VenueState.READY for venue in snapshot.venues}
    rows: list[Row] = []
    for strategy in in_order(snapshot.strategies):
        if matches(strategy, filter_text):
            stale = not ready.get(strategy.venue, True)
            orders = [order for order in snapshot.orders if order.strategy_id == strategy.id]
            rows.extend(_rows_of(strategy, orders, width=width, stale=stale))
    return tuple(rows)


def matches(strategy: StrategyView, filter_text: str) -> bool:
    shown = (
        f"{strategy.id} {strategy.kind} {strategy.underlying} {strategy.status} {strategy.venue}"
    )
    return filter_text.lower() in clean(shown).lower()


class _Columns(NamedTuple):
    """Widths of the columns that are not fixed; they depend on the pane's width only."""

    name: int
    want: int
    held: int
    bid: int
    ask: int

    @classmethod
    def of(cls, width: int) -> "_Columns":
        figures = (7, 6, 8, 9) if width >= 66 else (5, 5, 7, 7)
        return cls(max(8, width - _STATUS - _DTE - sum(figures)), *figures)


def _rows_of(
    strategy: StrategyView, orders: list[OrderView], *, width: int, stale: bool
) -> list[Row]:
    rows = [_head_row(strategy, width=width, stale=stale)]
    tone = strategy_mark(strategy.status).tone
    if strategy.reason and strategy.status is not StrategyStatus.INTACT:
        for text in wrap(strategy.reason, max(10, width - _STATUS), most=2):
            rows.append(line(Span(" " * _STATUS), Span(text, tone), width=width, key=strategy.id))
    if strategy.status is not StrategyStatus.CLOSED:
        rows.extend(_leg_row(leg, strategy, width=width, stale=stale) for leg in strategy.legs)
    rows.extend(
        _order_row(order, strategy.id, width=width)
        for order in orders
        if order.state in OPEN_ORDERS or strategy.status is StrategyStatus.CLOSING
    )
    return rows


def _head_row(strategy: StrategyView, *, width: int, stale: bool) -> Row:
    mark = strategy_mark(strategy.status)
    columns = _Columns.of(width)
    room = columns.name
    name = clean(strategy.id)
    kind = clean(strategy.kind).replace("_", " ")
    shares = f"{quantity(strategy.shares, signed=True)} sh" if strategy.shares else ""
    underlying = clean(strategy.underlying)
    if strategy.underlying_price is not None:
        underlying = f"{underlying} {price(strategy.underlying_price)}"
    name_spans = line(
        Span(name, Tone.STRONG), Span(f"  {kind}", Tone.MUTED), width=max(1, room - 1)
    ).spans
    return line(
        cell(f"{mark.sign} {mark.word}", _STATUS, mark.tone),
        *name_spans,
        Span(" "),
        cell(
            "" if strategy.dte is None else str(strategy.dte),
            _DTE,
            _dte_tone(strategy.dte),
            right=True,
        ),
        cell(
            shares,
            columns.want + columns.held,
            Tone.BAD if _stray(strategy) else Tone.PLAIN,
            right=True,
        ),
        cell(underlying, columns.bid + columns.ask, Tone.PLAIN, right=True),
        width=width,
        key=strategy.id,
        band=True,
        stale=stale,
    )


def _stray(strategy: StrategyView) -> bool:
    return bool(strategy.shares) and strategy.status in (
        StrategyStatus.BROKEN,
        StrategyStatus.ATTENTION,
    )


def _dte_tone(dte: int | None) -> Tone:
    return Tone.WARN if dte is not None and dte <= 1 else Tone.PLAIN


def leg_fault(leg: LegView, status: StrategyStatus) -> tuple[str, Tone]:
    """Say in a word what is wrong with a leg, or nothing."""
    if leg.held == leg.expected:
        return "", Tone.PLAIN
    if status in (StrategyStatus.CLOSING, StrategyStatus.CLOSED):
        return ("○ flat", Tone.MUTED) if not leg.held else ("► closing", Tone.NOTICE)
    if not leg.held:
        return "× missing", Tone.BAD
    short_of = leg.held * leg.expected > 0 and abs(leg.held) < abs(leg.expected)
    return ("× partial" if short_of else "× differs"), Tone.BAD


def _leg_row(leg: LegView, strategy: StrategyView, *, width: int, stale: bool) -> Row:
    columns = _Columns.of(width)
    word, tone = leg_fault(leg, strategy.status)
    quoted = Tone.PLAIN if leg.bid is not None and leg.ask is not None else Tone.MUTED
    held = tone if word else Tone.PLAIN
    want = Tone.MUTED if not word else Tone.PLAIN
    return line(
        cell(word, _STATUS, tone),
        cell(f"{leg.right} {quantity(leg.strike):>7}  {day(leg.expiry)}", columns.name, held),
        cell("", _DTE),
        cell(quantity(leg.expected, signed=True), columns.want, want, right=True),
        cell(quantity(leg.held, signed=True), columns.held, held, right=True),
        cell(price(leg.bid), columns.bid, quoted, right=True),
        cell(price(leg.ask), columns.ask, quoted, right=True),
        width=width,
        key=strategy.id,
        stale=stale,
    )


def _order_row(order: OrderView, key: str, *, width: int) -> Row:
    mark = order_mark(order.state)
    limit = "market" if order.limit_price is None else price(order.limit_price)
    if order.state is OrderState.HELD:
        limit = ""
    what = f"{order.side} {quantity(order.quantity)} {order.instrument}"
    if order.state in (OrderState.HELD, OrderState.UNKNOWN, OrderState.REJECTED) and order.reason:
        return line(
            cell(f"{mark.sign} {mark.word}", _STATUS, mark.tone),
            Span(clean(what)),
            Span(f"  {clean(order.reason)}", mark.tone),
            width=width,
            key=key,
        )
    columns = _Columns.of(width)
    filled = f"{quantity(order.filled)}/{quantity(order.quantity)}"
    return line(
        cell(f"{mark.sign} {mark.word}", _STATUS, mark.tone),
        cell(what, columns.name + _DTE, Tone.PLAIN),
        cell(filled, columns.want + columns.held, Tone.PLAIN, right=True),
        cell(limit, columns.bid + columns.ask, Tone.PLAIN, right=True),
        width=width,
        key=key,
    )
