"""The order sheet: exactly the orders an emergency close would send now, and their sum."""

from collections.abc import Sequence
from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.intents import Purpose
from engine.desk.snapshot import PlanLineView, StrategyView
from tui.rows.cells import BLANK, Row, Span, Tone, cell, line
from tui.rows.figures import money, price, quantity
from tui.rows.text import clean, wrap
from tui.view import LinkState, View

_NUMBER, _SIDE, _QUANTITY, _PRICE, _CASH = 4, 6, 7, 11, 15


def plan_rows(strategies: Sequence[StrategyView], *, width: int) -> tuple[Row, ...]:
    """The orders in the order they go out, numbered; for one strategy the reason of
    each is beneath it."""
    rows: list[Row] = []
    number = 0
    for strategy in strategies:
        if not strategy.plan:
            continue
        if len(strategies) > 1:
            rows.append(
                line(
                    Span(clean(strategy.id), Tone.STRONG),
                    Span(f"  {clean(strategy.underlying)}", Tone.MUTED),
                    width=width,
                    band=True,
                )
            )
        for planned in strategy.plan:
            number += 1
            rows += _plan_line(number, planned, width=width, reasons=len(strategies) == 1)
    return tuple(rows)


def plan_head(width: int) -> Row:
    return line(
        cell("", _NUMBER),
        cell("SIDE", _SIDE, Tone.MUTED),
        cell("QTY", _QUANTITY, Tone.MUTED, right=True),
        cell("  INSTRUMENT", _name(width), Tone.MUTED),
        cell("EST. PRICE", _PRICE, Tone.MUTED, right=True),
        cell("EST. CASH", _CASH, Tone.MUTED, right=True),
        width=width,
    )


def _name(width: int) -> int:
    return max(10, width - _NUMBER - _SIDE - _QUANTITY - _PRICE - _CASH)


def _plan_line(number: int, planned: PlanLineView, *, width: int, reasons: bool) -> list[Row]:
    cash = cash_of(planned)
    rows = [
        line(
            cell(f"{number} ", _NUMBER, Tone.MUTED, right=True),
            cell(planned.side.value, _SIDE, _side_tone(planned.side)),
            cell(quantity(planned.quantity), _QUANTITY, Tone.STRONG, right=True),
            cell(f"  {planned.instrument}", _name(width), Tone.STRONG),
            cell(price(planned.estimated_price), _PRICE, right=True),
            cell("-" if cash is None else money(cash, signed=True), _CASH, right=True),
            width=width,
        )
    ]
    if not reasons:
        return rows
    indent = _NUMBER
    words = (
        f"{_purpose(planned.purpose)}: {planned.reason}"
        if planned.reason
        else _purpose(planned.purpose)
    )
    rows += [
        line(Span(" " * indent), Span(text, Tone.MUTED), width=width)
        for text in wrap(words, max(10, width - indent), most=2)
    ]
    return rows


def _side_tone(side: Side) -> Tone:
    return Tone.NOTICE if side is Side.BUY else Tone.WARN


def _purpose(purpose: Purpose) -> str:
    return purpose.value.replace("_", " ").lower()


def cash_of(planned: PlanLineView) -> Decimal | None:
    """Cash the order brings (positive) or costs at its estimated price, or None if not known."""
    if planned.multiplier is None or planned.estimated_price is None:
        return None
    value = Decimal(str(planned.estimated_price)) * planned.quantity * planned.multiplier
    return -value * planned.side.sign


def sum_text(strategies: Sequence[StrategyView]) -> str:
    """Say in one sentence what all orders together do."""
    plan = [planned for strategy in strategies for planned in strategy.plan]
    count = len(plan)
    orders = "1 order" if count == 1 else f"{count} orders"
    parts = [text for side in Side if (text := _side_sum(plan, side))]
    cash = [cash_of(planned) for planned in plan]
    known = [value for value in cash if value is not None]
    effect = ""
    if known:
        total = sum(known, Decimal(0))
        way = "bring" if total >= 0 else "cost"
        missing = "" if len(known) == count else f", {count - len(known)} without a price"
        subject = "It" if count == 1 else "Together they"
        way = f"{way}s" if count == 1 else way
        effect = f" {subject} {way} about {money(abs(total))} at these prices{missing}."
    elif count:
        effect = " There is no price to estimate it by."
    return f"{orders}: {', '.join(parts)}.{effect}"


def _side_sum(plan: Sequence[PlanLineView], side: Side) -> str:
    shares = Decimal(0)
    contracts = Decimal(0)
    for planned in plan:
        if planned.side is side:
            if planned.purpose is Purpose.FLATTEN_SHARES:
                shares += planned.quantity
            else:
                contracts += planned.quantity
    parts = [f"{quantity(contracts)} contracts"] if contracts else []
    parts += [f"{quantity(shares)} shares"] if shares else []
    verb = "buys" if side is Side.BUY else "sells"
    return f"{verb} {' and '.join(parts)}" if parts else ""


def why_not_send(view: View, strategies: Sequence[StrategyView]) -> str | None:
    """Return why the orders on the sheet would not be sent, or None."""
    if view.read_only:
        return "This terminal is read-only: nothing will be sent."
    if view.link is not LinkState.UP or view.picture is None:
        return "ENGINE LOST: nothing can be sent from here."
    if not any(strategy.plan for strategy in strategies):
        return "There is nothing to close: no order would be sent."
    if not view.picture.armed:
        return "DISARMED: the engine sends no order. Arm it with d first."
    return None


def sheet_rows(strategies: Sequence[StrategyView], *, width: int) -> tuple[Row, ...]:
    """The sheet's whole body; without orders, a plain sentence instead."""
    rows = plan_rows(strategies, width=width)
    return rows or (BLANK, line(Span("Nothing is held here.", Tone.MUTED), width=width))
