"""Everything known about one strategy, assignment or alert, written out in lines."""

from collections.abc import Iterable, Sequence

from engine.desk.snapshot import AlertView, AssignmentView, Snapshot, StrategyView
from tui.rows.alerts import ALERT, ASSIGNMENT
from tui.rows.cells import BLANK, Row, Span, Tone, line
from tui.rows.figures import day, instant, price, quantity
from tui.rows.marks import (
    Mark,
    assignment_state_mark,
    assignment_word,
    order_mark,
    severity_mark,
    strategy_mark,
)
from tui.rows.sheets import plan_head, plan_rows
from tui.rows.strategies import leg_fault
from tui.rows.text import clean, wrap

_LABEL = 13


def detail_rows(
    snapshot: Snapshot, pane: int, key: str, *, width: int, history: Sequence[str] = ()
) -> tuple[str, tuple[Row, ...]] | None:
    """Title and rows of what has this key in this pane; None if it is gone from the picture."""
    if pane == 1:
        for strategy in snapshot.strategies:
            if strategy.id == key:
                rows = [*_strategy(snapshot, strategy, width), *_history(history, width)]
                return f"Strategy {strategy.id}", tuple(rows)
    if pane == 2:
        for alert in snapshot.alerts:
            if ALERT + alert.id == key:
                return f"{alert.severity} alert", tuple(_alert(alert, width))
        for assignment in snapshot.assignments:
            if ASSIGNMENT + assignment.id == key:
                title = f"{assignment_word(assignment.kind).capitalize()} at {assignment.venue}"
                return title, tuple(_assignment(snapshot, assignment, width))
    return None


def _field(label: str, text: str, width: int, tone: Tone = Tone.PLAIN) -> list[Row]:
    texts = wrap(text, max(10, width - _LABEL), most=12) or ("-",)
    return [
        line(
            Span((label if index == 0 else "").ljust(_LABEL), Tone.MUTED),
            Span(part, tone),
            width=width,
        )
        for index, part in enumerate(texts)
    ]


def _state(label: str, mark: Mark, width: int) -> list[Row]:
    return _field(label, f"{mark.sign} {mark.word}", width, mark.tone)


def _heading(text: str, width: int) -> list[Row]:
    return [BLANK, line(Span(text, Tone.TITLE), width=width, band=True)]


def _strategy(snapshot: Snapshot, strategy: StrategyView, width: int) -> Iterable[Row]:
    yield from _state("status", strategy_mark(strategy.status), width)
    if strategy.reason:
        yield from _field("reason", strategy.reason, width)
    yield from _field("kind", strategy.kind.replace("_", " "), width)
    yield from _field("account", f"{strategy.account} at {strategy.venue}", width)
    last = price(strategy.underlying_price)
    yield from _field("underlying", f"{strategy.underlying} {last}", width)
    yield from _field("expires in", "-" if strategy.dte is None else f"{strategy.dte} days", width)
    yield from _field("shares", quantity(strategy.shares, signed=True), width)
    yield from _heading("Legs", width)
    for leg in strategy.legs:
        word, tone = leg_fault(leg, strategy.status)
        text = (
            f"{leg.right} {quantity(leg.strike):>7} {day(leg.expiry)}"
            f"  want {quantity(leg.expected, signed=True):>4}"
            f"  held {quantity(leg.held, signed=True):>4}  "
        )
        quote = f" {price(leg.bid):>8} / {price(leg.ask)}"
        yield line(Span(text), Span(f"{word:<10}", tone), Span(quote), width=width)
    yield from _heading("What an emergency close would send now", width)
    if strategy.plan:
        yield plan_head(width)
        yield from plan_rows([strategy], width=width)
    else:
        yield line(Span("Nothing: there is nothing to close.", Tone.MUTED), width=width)
    yield from _orders(snapshot, strategy, width)


def _orders(snapshot: Snapshot, strategy: StrategyView, width: int) -> Iterable[Row]:
    orders = [order for order in snapshot.orders if order.strategy_id == strategy.id]
    if not orders:
        return
    yield from _heading("Orders", width)
    for order in orders:
        mark = order_mark(order.state)
        limit = "market" if order.limit_price is None else f"limit {price(order.limit_price)}"
        yield line(
            Span(f"{mark.sign} {mark.word:<10}", mark.tone),
            Span(f"{order.side:<5}{quantity(order.quantity):>6}  {clean(order.instrument)}  "),
            Span(f"{quantity(order.filled)} filled, {limit}", Tone.MUTED),
            width=width,
        )
        if order.reason:
            for text in wrap(order.reason, max(10, width - 12), most=2):
                yield line(Span(" " * 12), Span(text, Tone.MUTED), width=width)


def _history(history: Sequence[str], width: int) -> Iterable[Row]:
    if not history:
        return
    yield from _heading("From the journal, newest last", width)
    for text in history:
        for part in wrap(text, width, most=3):
            yield line(Span(part, Tone.MUTED), width=width)


def _alert(alert: AlertView, width: int) -> Iterable[Row]:
    yield from _state("severity", severity_mark(alert.severity), width)
    yield from _field("at", instant(alert.at), width)
    seen = "yes" if alert.acknowledged else "not yet: a acknowledges it"
    yield from _field("acknowledged", seen, width)
    yield from _heading("What happened", width)
    for text in (*wrap(alert.title, width), *wrap(alert.body, width)):
        yield line(Span(text), width=width)


def _assignment(snapshot: Snapshot, assignment: AssignmentView, width: int) -> Iterable[Row]:
    yield from _state("state", assignment_state_mark(assignment.state), width)
    yield from _field("instrument", assignment.instrument, width)
    yield from _field("quantity", quantity(assignment.quantity), width)
    if assignment.type is not None:
        yield from _field("timing", assignment.type.value.lower(), width)
    yield from _field("account", f"{assignment.account} at {assignment.venue}", width)
    yield from _field("strategy", assignment.strategy_id or "none of yours", width)
    yield from _field("seen at", instant(assignment.detected_at), width)
    if assignment.evidence:
        yield from _heading("How it is known", width)
        for text in wrap(assignment.evidence, width):
            yield line(Span(text), width=width)
    for strategy in snapshot.strategies:
        if strategy.id == assignment.strategy_id:
            yield from _orders(snapshot, strategy, width)
