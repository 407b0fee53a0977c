"""The order sheets: exactly the orders an emergency close would send now, and their sum."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.desk.facts import Side
from engine.desk.intents import Purpose
from engine.desk.snapshot import MarginView, PlanLineView
from tui.rows.cells import BLANK, Row, Span, Tone, cell, line
from tui.rows.closing import Closing, left_alone
from tui.rows.figures import left, money, price, quantity
from tui.rows.text import clean, wrap
from tui.view import LinkState, View

_NUMBER, _SIDE, _QUANTITY, _PRICE, _CASH = 4, 6, 10, 12, 15
_EASTERN = ZoneInfo("America/New_York")
_CONTRACTS = (Purpose.BUY_BACK_SHORT, Purpose.SELL_LONG)


def plan_rows(
    closings: Sequence[Closing], *, width: int, now: datetime | None = None
) -> tuple[Row, ...]:
    """The orders in the order they go out, numbered; of one target alone each with its reason."""
    rows: list[Row] = []
    number = 0
    alone = len(closings) == 1
    for closing in closings:
        if not closing.lines:
            continue
        if not alone:
            rows.append(
                line(
                    Span(clean(closing.name), Tone.STRONG),
                    Span(f"  {clean(closing.detail)}", Tone.MUTED),
                    width=width,
                    band=True,
                )
            )
        for planned in closing.lines:
            number += 1
            rows += _plan_line(number, planned, width=width, reasons=alone, now=now)
        for note in closing.notes:
            rows += [
                line(Span(" " * _NUMBER), Span(text, Tone.NOTICE), width=width)
                for text in wrap(note, max(10, width - _NUMBER), most=2)
            ]
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


def _plan_line(
    number: int, planned: PlanLineView, *, width: int, reasons: bool, now: datetime | None
) -> list[Row]:
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
    indent = " " * _NUMBER
    room = max(10, width - _NUMBER)
    if planned.waits_until is not None:
        rows.append(
            line(Span(indent), Span(_waits(planned.waits_until, now), Tone.WARN), width=width)
        )
    if reasons:
        words = _purpose(planned.purpose)
        words = f"{words}: {planned.reason}" if planned.reason else words
        rows += [
            line(Span(indent), Span(text, Tone.MUTED), width=width)
            for text in wrap(words, room, most=2)
        ]
    if planned.margin is not None:
        tone = Tone.BAD if planned.margin.refusal else Tone.NOTICE
        rows += [
            line(Span(indent), Span(text, tone), width=width)
            for text in wrap(_margin(planned.margin), room, most=2)
        ]
    return rows


def _margin(margin: MarginView) -> str:
    """Say what the order alone would do to the margin."""
    if margin.refusal:
        return f"the venue would refuse it: {clean(margin.refusal)}"
    told = (("maintenance", margin.maintenance_change), ("initial", margin.initial_change))
    parts = [f"{word} margin {money(value, signed=True)}" for word, value in told if value]
    return f"alone: {', '.join(parts) or 'no change of margin told'} {clean(margin.currency)}"


def _waits(until: datetime, now: datetime | None) -> str:
    """Say it in the zone this terminal is in, which is the trader's, and in the exchanges'."""
    rest = f", in {left((until - now).total_seconds())}" if now is not None else ""
    here, there = until.astimezone(), until.astimezone(_EASTERN)
    day = f"{here.day:02}.{here.month:02}."
    return f"waits until {here:%H:%M %Z} on {day}{rest} ({there:%a %H:%M} ET)"


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


def sum_text(closings: Sequence[Closing]) -> str:
    """Say in one sentence what all orders together do."""
    plan = [planned for closing in closings for planned in closing.lines]
    count = len(plan)
    orders = "1 order" if count == 1 else f"{count} orders"
    parts = [text for side in Side if (text := _side_sum(plan, side))]
    return f"{orders}: {', '.join(parts)}.{_cash_text(plan)}"


def _cash_text(plan: Sequence[PlanLineView]) -> str:
    # A perpetual's close brings its gain, not its value: it has no part in this sum.
    priced = [planned for planned in plan if planned.purpose is not Purpose.BARRIER_EXIT]
    cash = [cash_of(planned) for planned in priced]
    known = [value for value in cash if value is not None]
    if not known:
        return " There is no price to estimate it by." if priced else ""
    total = sum(known, Decimal(0))
    missing = len(priced) - len(known)
    unknown = f", {missing} without a price" if missing else ""
    subject = "It" if len(priced) == 1 else "Together they"
    way = ("bring" if total >= 0 else "cost") + ("s" if len(priced) == 1 else "")
    return f" {subject} {way} about {money(abs(total))} at these prices{unknown}."


def _side_sum(plan: Sequence[PlanLineView], side: Side) -> str:
    shares = contracts = Decimal(0)
    others = []
    for planned in plan:
        if planned.side is not side:
            continue
        if planned.purpose is Purpose.FLATTEN_SHARES:
            shares += planned.quantity
        elif planned.purpose in _CONTRACTS:
            contracts += planned.quantity
        else:
            others.append(f"{quantity(planned.quantity)} {planned.instrument}")
    parts = [f"{quantity(contracts)} contracts"] if contracts else []
    parts += [f"{quantity(shares)} shares"] if shares else []
    parts += others if len(others) <= 2 else [f"{len(others)} positions"]
    verb = "buys" if side is Side.BUY else "sells"
    return f"{verb} {' and '.join(parts)}" if parts else ""


def why_not_send(view: View, closings: Sequence[Closing]) -> str | None:
    """Return why the orders on the sheet would not be sent, or None."""
    if view.read_only:
        return "This terminal is read-only: nothing will be sent."
    if view.link is not LinkState.UP or view.picture is None:
        return "ENGINE LOST: nothing can be sent from here."
    if not any(closing.lines for closing in closings):
        return "There is nothing to close: no order would be sent."
    if not view.picture.armed:
        return "DISARMED: the engine sends no order. Arm it with d first."
    return None


def sheet_rows(
    closings: Sequence[Closing], *, width: int, now: datetime | None = None
) -> tuple[Row, ...]:
    """The sheet's whole body; without orders, a plain sentence instead."""
    rows = plan_rows(closings, width=width, now=now)
    return rows or (BLANK, line(Span("Nothing is held here.", Tone.MUTED), width=width))


def untouched_rows(view: View, *, width: int) -> Iterator[Row]:
    """What closing everything leaves as it is."""
    words = left_alone(view.picture) if view.picture is not None else ()
    if words:
        yield BLANK
    for text in words:
        yield line(Span("• ", Tone.WARN), Span(clean(text), Tone.WARN), width=width)
