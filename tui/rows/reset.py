"""The reset sheet's rows: which reservations go, which stay, and why."""

from collections.abc import Iterator

from engine.desk.snapshot import AllocationSetView, AllocationView
from tui.rows.allocation import price_line
from tui.rows.cells import BLANK, Row, Span, Tone, cell, line
from tui.rows.figures import money
from tui.rows.text import wrap

_SYMBOL, _AMOUNT = 14, 14


def going(allocation: AllocationView) -> list[tuple[str, float]]:
    """Reservations a reset releases: symbol and money."""
    sets = {one.symbol: one for one in allocation.sets}
    return [
        (held.symbol, held.reservedAmount)
        for held in allocation.reservations
        if held.symbol not in sets or not sets[held.symbol].would_keep
    ]


def staying(allocation: AllocationView) -> list[AllocationSetView]:
    """Sets whose reservation a reset keeps."""
    reserved = {held.symbol for held in allocation.reservations}
    return [one for one in allocation.sets if one.would_keep and one.symbol in reserved]


def reset_rows(allocation: AllocationView, *, width: int) -> Iterator[Row]:
    released, kept = going(allocation), staying(allocation)
    yield line(Span("Released", Tone.TITLE), width=width, band=True)
    if not released:
        yield line(Span("  nothing", Tone.MUTED), width=width)
    for symbol, amount in released:
        yield line(
            Span("  ○ ", Tone.NOTICE),
            cell(symbol, _SYMBOL, Tone.STRONG),
            cell(money(amount), _AMOUNT, right=True),
            Span("  nothing live stands behind it", Tone.MUTED),
            width=width,
        )
    if not kept:
        return
    yield BLANK
    yield line(Span("Kept", Tone.TITLE), width=width, band=True)
    for one in kept:
        room = max(10, width - _SYMBOL - _AMOUNT - 6)
        why, *more = wrap(one.would_keep, room, most=3)
        yield line(
            Span("  ● ", Tone.GOOD),
            cell(one.symbol, _SYMBOL, Tone.STRONG),
            cell(money(one.reserved), _AMOUNT, right=True),
            Span(f"  {why}"),
            width=width,
        )
        for text in (*more, *wrap(price_line(one), room, most=2)):
            indent = " " * (_SYMBOL + _AMOUNT + 6)
            yield line(Span(indent), Span(text, Tone.MUTED), width=width)


def reset_sum(allocation: AllocationView) -> str:
    released = sum(amount for _, amount in going(allocation))
    kept = sum(float(one.reserved) for one in staying(allocation))
    text = f"{money(released)} goes back to what is available"
    return f"{text}; {money(kept)} stays reserved." if kept else f"{text}."


def forced_sum(allocation: AllocationView) -> str:
    kept = staying(allocation)
    text = f"All {money(allocation.totalReserved)} reserved is released."
    if not kept:
        return text
    names = ", ".join(one.symbol for one in kept)
    return f"{text} Positions in {names} stay tracked and count against what is available."
