"""Orders as rows: one line each, the open ones first, then the newest."""

from datetime import UTC, datetime

from engine.desk.facts import OrderType, Side
from engine.desk.intents import Purpose
from engine.desk.snapshot import OrderView, Snapshot
from tui.rows.cells import Block, Row, Span, Tone, cell, line
from tui.rows.figures import clock, price, quantity
from tui.rows.marks import order_mark
from tui.rows.strategies import OPEN_ORDERS
from tui.rows.text import clean

EMPTY = ("No order so far.", "Every order Bulkhead sends appears here.")
ORDER = "order:"
_STATE, _TIME, _FILLED, _PRICE = 12, 10, 9, 16
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def in_order(snapshot: Snapshot) -> list[OrderView]:
    """Open orders first, those that rest by design after the others; then the newest."""
    newest = sorted(snapshot.orders, key=lambda order: order.at or _LONG_AGO, reverse=True)
    return sorted(
        newest, key=lambda order: (order.state not in OPEN_ORDERS, order.purpose.is_resting)
    )


def order_blocks(snapshot: Snapshot, *, width: int, filter_text: str = "") -> tuple[Block, ...]:
    wanted = filter_text.lower()
    return tuple(
        Block(ORDER + one.id, 1, lambda o=one: [order_row(o, snapshot.at, width=width)])  # type: ignore[misc]
        for one in in_order(snapshot)
        if not wanted or wanted in clean(_words(one)).lower()
    )


def _words(order: OrderView) -> str:
    return (
        f"{order.instrument} {order.state} {order.side} {order.strategy_id or ''} "
        f"{purpose(order.purpose)} {order.venue} {order.id}"
    )


def order_head(width: int) -> Row:
    roomy = width >= 100
    return line(
        cell("STATE", _STATE, Tone.MUTED),
        cell("AT", _TIME, Tone.MUTED),
        cell("ORDER", _what(width), Tone.MUTED),
        cell("FOR", 20 if roomy else 0, Tone.MUTED),
        cell("PURPOSE", 17 if roomy else 0, Tone.MUTED),
        cell("FILLED", _FILLED, Tone.MUTED, right=True),
        cell("PRICE", _PRICE, Tone.MUTED, right=True),
        width=width,
    )


def _what(width: int) -> int:
    extra = 37 if width >= 100 else 0
    return max(8, width - _STATE - _TIME - _FILLED - _PRICE - extra)


def order_row(order: OrderView, today: datetime, *, width: int) -> Row:
    mark = order_mark(order.state)
    roomy = width >= 100
    over = order.state not in OPEN_ORDERS
    tone = Tone.MUTED if over else Tone.PLAIN
    side = Tone.NOTICE if order.side is Side.BUY else Tone.WARN
    what = f" {quantity(order.quantity)} {order.instrument}"
    return line(
        cell(f"{mark.sign} {mark.word}", _STATE, mark.tone),
        cell(clock(order.at, today) if order.at else "-", _TIME, Tone.MUTED),
        Span(f"{order.side:<4}", side if not over else Tone.MUTED),
        cell(what, _what(width) - 4, tone),
        cell(order.strategy_id or "", 20 if roomy else 0, tone),
        cell(purpose(order.purpose), 17 if roomy else 0, Tone.MUTED),
        cell(quantity(order.filled), _FILLED, tone, right=True),
        cell(terms(order), _PRICE, tone, right=True),
        width=width,
        key=ORDER + order.id,
    )


def terms(order: OrderView) -> str:
    """Limit, stop or market in one column; nothing while an order has no price yet."""
    match order.type:
        case None:
            return ""
        case OrderType.MARKET:
            return "market"
        case OrderType.STOP:
            return f"stop {price(order.stop_price)}"
        case _:
            return price(order.limit_price)


def purpose(value: Purpose) -> str:
    return value.value.replace("_", " ").lower()
