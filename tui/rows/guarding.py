"""The barriers a person types in: read as percents and times, shown as prices, before they are
sent as a wish.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from engine.desk.snapshot import BarrierView, PositionView
from tui.link import GuardWish
from tui.rows.cells import Row, Span, Tone, cell, line
from tui.rows.figures import left, price, quantity, short_money
from tui.rows.text import clean

STOP, TARGET, TRAIL_FROM, TRAIL_GAP, TIME = "stop", "target", "trail-from", "trail-gap", "time"
FIELDS = {
    STOP: ("Stop loss", "% of the entry"),
    TARGET: ("Take profit", "% of the entry"),
    TRAIL_FROM: ("Trail from", "% gained turns the trailing stop on"),
    TRAIL_GAP: ("Trail gap", "% below its peak"),
    TIME: ("Time limit", "90s, 30m, 4h or 2d from now"),
}
_TIME = re.compile(r"(\d{1,8})\s*([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_SECONDS = 366 * 86_400
_HUNDRED = Decimal(100)
_NAME = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed: fractions and seconds, and what is wrong with it ("" while nothing is)."""

    fractions: Mapping[str, Decimal]
    seconds: int | None
    fault: str


def read(typed: Mapping[str, str]) -> Wish:
    fractions: dict[str, Decimal] = {}
    seconds: int | None = None
    fault = ""
    for name, text in typed.items():
        if not text.strip():
            continue
        if name == TIME:
            seconds = _seconds(text)
            fault = fault or ("" if seconds else "Time limit: a number and s, m, h or d.")
            continue
        fraction = _fraction(text)
        if fraction is None:
            fault = fault or f"{FIELDS[name][0]}: a percent above 0 and below 1000."
        else:
            fractions[name] = fraction
    return Wish(
        fractions=fractions, seconds=seconds, fault=fault or _whole_fault(fractions, seconds)
    )


def _whole_fault(fractions: Mapping[str, Decimal], seconds: int | None) -> str:
    if (TRAIL_FROM in fractions) != (TRAIL_GAP in fractions):
        return "A trailing stop needs both: trail from, and trail gap."
    if not fractions and seconds is None:
        return "Fill in at least one barrier."
    return ""


def _fraction(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        return None
    if not value.is_finite() or not 0 < value < 1000:
        return None
    return value / _HUNDRED


def _seconds(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip().lower())
    if found is None:
        return None
    seconds = int(found[1]) * _SECONDS[found[2]]
    return seconds if 0 < seconds <= _LONGEST_SECONDS else None


def wish_for(position: PositionView, wish: Wish) -> GuardWish:
    def text(name: str) -> str | None:
        value = wish.fractions.get(name)
        return None if value is None else f"{round(value, 12).normalize():f}"

    return GuardWish(
        venue=position.venue,
        account=position.account,
        ref=position.ref,
        stop_loss=text(STOP),
        take_profit=text(TARGET),
        trailing_activation=text(TRAIL_FROM),
        trailing_delta=text(TRAIL_GAP),
        time_limit_seconds=wish.seconds,
    )


def as_typed(barrier: BarrierView) -> dict[str, str]:
    """The barriers a position has, as a person would have typed them: about, for fees are left
    out, and without the gap, which the picture does not tell."""
    typed = {}
    entry = barrier.entry_price
    trailing = barrier.trailing.activation if barrier.trailing is not None else None
    at = {STOP: barrier.stop_loss, TARGET: barrier.take_profit, TRAIL_FROM: trailing}
    for name, value in at.items():
        if value is not None and entry:
            typed[name] = f"{abs(value / entry - 1) * 100:.2f}"
    return typed


def preview_rows(position: PositionView, wish: Wish, *, width: int) -> Iterator[Row]:
    """The position, and at which prices the barriers would stand, fees left out."""
    side = "LONG" if position.quantity > 0 else "SHORT"
    entry, mark = position.entry_price, position.mark_price
    yield line(
        Span(clean(position.instrument), Tone.STRONG),
        Span(f"  {side} {quantity(abs(position.quantity))} at {clean(position.venue)}"),
        Span(f"   entry {price(entry)}   mark {price(mark)}", Tone.MUTED),
        width=width,
    )
    for name, way in ((STOP, -1), (TARGET, 1), (TRAIL_FROM, 1)):
        fraction = wish.fractions.get(name)
        if fraction is not None and entry is not None:
            yield _level(position, entry, name, way * fraction, width)
    if wish.seconds is not None:
        text = f"closes in {left(wish.seconds)}"
        yield line(cell(FIELDS[TIME][0], _NAME, Tone.MUTED), Span(text), width=width)


def _level(position: PositionView, entry: Decimal, name: str, fraction: Decimal, width: int) -> Row:
    sign = 1 if position.quantity > 0 else -1
    at = entry * (1 + fraction * sign)
    result = (at - entry) * position.quantity
    mark = position.mark_price
    passed = mark is not None and ((mark - at) * sign * (1 if fraction > 0 else -1)) >= 0
    does = {STOP: "closes at", TARGET: "closes at", TRAIL_FROM: "trails from"}[name]
    spans = [
        cell(FIELDS[name][0], _NAME, Tone.MUTED),
        Span(f"{does} {price(at)}", Tone.STRONG),
        Span(f"   {short_money(result)}", Tone.GOOD if result > 0 else Tone.BAD),
    ]
    if passed:
        spans.append(Span("   reached already: at once", Tone.WARN))
    return line(*spans, width=width)
