"""Pane 1: each strategy, its legs beneath it, and the orders that are closing it; then what is held
and declared nowhere.

Trouble comes first; among equals the order of the configuration holds, so rows stay where they are.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from engine.desk.facts import VenueState
from engine.desk.snapshot import (
    CandidateView,
    DifferenceView,
    LegView,
    OrderState,
    OrderView,
    Snapshot,
    StrategyStatus,
    StrategyView,
)
from tui.rows.barriers import Density, is_dense
from tui.rows.cells import Block, Row, Span, Tone, cell, line
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
_RANK = {status: rank for rank, status in enumerate(_FIRST)}
OPEN_ORDERS = (OrderState.HELD, OrderState.SENDING, OrderState.UNKNOWN, OrderState.WORKING)
_STATUS, _DTE = 12, 4
_MOST_REASON_LINES = 2
EMPTY = (
    "No strategy is declared yet.",
    "c opens the config form, or add [[options.strategies]] to bulkhead.toml.",
)
CANDIDATE, DIFFERENCE = "candidate:", "difference:"


def in_order(strategies: Sequence[StrategyView]) -> list[StrategyView]:
    return sorted(strategies, key=lambda strategy: _RANK[strategy.status])


def strategy_head(width: int) -> Row:
    """The column heads over the rows of strategy_blocks."""
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


def strategy_blocks(
    snapshot: Snapshot,
    *,
    width: int,
    filter_text: str = "",
    height: int = 0,
    density: Density = Density.AUTO,
    opened: str = "",
) -> tuple[Block, ...]:
    """Items of all strategies that match the filter, each under its strategy id.

    Where there is no room, strategies that are as they should be shrink to one line, except the
    one with the key opened."""
    ready = {venue.name: venue.state is VenueState.READY for venue in snapshot.venues}
    orders: dict[str | None, list[OrderView]] = defaultdict(list)
    for order in snapshot.orders:
        orders[order.strategy_id].append(order)
    wanted = filter_text.lower()
    shown = [one for one in in_order(snapshot.strategies) if not wanted or matches(one, wanted)]
    items = [_Item(one, orders[one.id], width, not ready.get(one.venue, True)) for one in shown]
    wants = sum(item.height(dense=False) for item in items)
    dense = is_dense(wants, height * 2 if density is Density.AUTO else height, density)
    blocks = []
    for item in items:
        short = dense and item.strategy.id != opened
        draw = partial(item.rows, dense=short)
        blocks.append(Block(item.strategy.id, item.height(dense=short), draw))
    return (*blocks, *found_blocks(snapshot, wanted, width))


def matches(strategy: StrategyView, wanted: str) -> bool:
    shown = (
        f"{strategy.id} {strategy.kind} {strategy.underlying} {strategy.status} {strategy.venue}"
    )
    return wanted in clean(shown).lower()


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


class _Item(NamedTuple):
    """One strategy on its way to rows: how many there will be is known before they are drawn."""

    strategy: StrategyView
    orders: list[OrderView]
    width: int
    stale: bool

    def height(self, *, dense: bool) -> int:
        legs = 0 if self._shrinks(dense) else len(self.strategy.legs)
        return 1 + len(self._reason()) + legs + len(self._orders())

    def rows(self, *, dense: bool) -> list[Row]:
        strategy, width = self.strategy, self.width
        shrinks = self._shrinks(dense)
        rows = [_head_row(strategy, width=width, stale=self.stale, band=not dense or not shrinks)]
        tone = strategy_mark(strategy.status).tone
        for text in self._reason():
            rows.append(line(Span(" " * _STATUS), Span(text, tone), width=width, key=strategy.id))
        if not shrinks:
            rows += [
                _leg_row(leg, strategy, width=width, stale=self.stale) for leg in strategy.legs
            ]
        rows += [_order_row(order, strategy.id, width=width) for order in self._orders()]
        return rows

    def _shrinks(self, dense: bool) -> bool:
        status = self.strategy.status
        calm = status is StrategyStatus.INTACT and not self._orders()
        return status is StrategyStatus.CLOSED or (dense and calm)

    def _reason(self) -> tuple[str, ...]:
        strategy = self.strategy
        if not strategy.reason or strategy.status is StrategyStatus.INTACT:
            return ()
        return wrap(strategy.reason, max(10, self.width - _STATUS), most=_MOST_REASON_LINES)

    def _orders(self) -> list[OrderView]:
        if not self.orders:
            return self.orders
        all_of_them = self.strategy.status is StrategyStatus.CLOSING
        return [order for order in self.orders if all_of_them or order.state in OPEN_ORDERS]


def _head_row(strategy: StrategyView, *, width: int, stale: bool, band: bool) -> Row:
    mark = strategy_mark(strategy.status)
    columns = _Columns.of(width)
    name = clean(strategy.id)
    kind = clean(strategy.kind).replace("_", " ")
    if strategy.advice:
        kind += "  › advice"
    shares = f"{quantity(strategy.shares, signed=True)} sh" if strategy.shares else ""
    underlying = clean(strategy.underlying)
    if strategy.underlying_price is not None:
        underlying = f"{underlying} {price(strategy.underlying_price)}"
    name_spans = line(
        Span(name, Tone.STRONG), Span(f"  {kind}", Tone.MUTED), width=max(1, columns.name - 1)
    ).spans
    dte = "" if strategy.dte is None else str(strategy.dte)
    return line(
        cell(f"{mark.sign} {mark.word}", _STATUS, mark.tone),
        *name_spans,
        Span(" "),
        cell(dte, _DTE, _dte_tone(strategy.dte), right=True),
        cell(
            shares,
            columns.want + columns.held,
            Tone.BAD if _stray(strategy) else Tone.PLAIN,
            right=True,
        ),
        cell(underlying, columns.bid + columns.ask, Tone.PLAIN, right=True),
        width=width,
        key=strategy.id,
        band=band,
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


def leg_name(leg: LegView) -> str:
    return f"{leg.right} {quantity(leg.strike):>7}  {day(leg.expiry)}"


def _leg_row(leg: LegView, strategy: StrategyView, *, width: int, stale: bool) -> Row:
    columns = _Columns.of(width)
    word, tone = leg_fault(leg, strategy.status)
    quoted = Tone.PLAIN if leg.bid is not None and leg.ask is not None else Tone.MUTED
    held = tone if word else Tone.PLAIN
    want = Tone.MUTED if not word else Tone.PLAIN
    return line(
        cell(word, _STATUS, tone),
        cell(leg_name(leg), columns.name, held),
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


# --- what is declared nowhere --------------------------------------------------------------------


def found_blocks(snapshot: Snapshot, wanted: str, width: int) -> list[Block]:
    blocks = []
    for candidate in snapshot.candidates:
        if wanted in clean(f"{candidate.id} {candidate.kind} {candidate.underlying}").lower():
            key = CANDIDATE + candidate.id
            blocks.append(Block(key, 1, lambda c=candidate: [candidate_row(c, width)]))  # type: ignore[misc]
    for difference in snapshot.differences:
        if wanted in clean(f"{difference.instrument} {difference.venue}").lower():
            key = difference_key(difference)
            blocks.append(Block(key, 1, lambda d=difference: [difference_row(d, width)]))  # type: ignore[misc]
    return blocks


def candidate_row(candidate: CandidateView, width: int) -> Row:
    kind = clean(candidate.kind).replace("_", " ")
    legs = f"{len(candidate.legs)} legs" if len(candidate.legs) != 1 else "1 leg"
    return line(
        cell("? FOUND", _STATUS, Tone.FOUND),
        Span(f"{clean(candidate.underlying)} {kind}", Tone.STRONG),
        Span(f"  {legs} held, declared nowhere: A adopts it", Tone.MUTED),
        width=width,
        key=CANDIDATE + candidate.id,
    )


def difference_key(difference: DifferenceView) -> str:
    place = f"{difference.venue}/{difference.account}/{difference.instrument}"
    return DIFFERENCE + place


def difference_row(difference: DifferenceView, width: int) -> Row:
    explained = bool(difference.explained_by)
    why = clean(difference.explained_by) if explained else "nothing explains it"
    return line(
        cell("≠ DIFFERS", _STATUS, Tone.MUTED if explained else Tone.WARN),
        Span(clean(difference.instrument), Tone.STRONG),
        Span(
            f"  want {quantity(difference.expected, signed=True)}"
            f" held {quantity(difference.held, signed=True)}"
        ),
        Span(f"  {why}", Tone.MUTED),
        width=width,
        key=difference_key(difference),
    )
