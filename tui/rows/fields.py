"""What details screens are written with: labelled fields, headings, and lines of the journal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from engine.desk.snapshot import OrderView
from tui.journal import JournalEntry, Sort
from tui.rows.cells import BLANK, Row, Span, Tone, line
from tui.rows.figures import clock, day, quantity
from tui.rows.marks import Mark, order_mark
from tui.rows.orders import terms
from tui.rows.text import clean, wrap

LABEL = 15
_TIME = 10
SORT_TONES = {
    Sort.SEEN: Tone.MUTED,
    Sort.DECIDED: Tone.NOTICE,
    Sort.ORDER: Tone.PLAIN,
    Sort.ALERT: Tone.WARN,
    Sort.ASKED: Tone.STRONG,
    Sort.HERE: Tone.MUTED,
}
SORT_SIGNS = {
    Sort.SEEN: " ",
    Sort.DECIDED: "›",
    Sort.ORDER: "►",
    Sort.ALERT: "!",
    Sort.ASKED: "?",
    Sort.HERE: "•",
}


def field(label: str, text: str, width: int, tone: Tone = Tone.PLAIN) -> list[Row]:
    """A label and a text, wrapped beside it."""
    texts = wrap(text, max(10, width - LABEL), most=12) or ("-",)
    return [
        line(
            Span((label if index == 0 else "").ljust(LABEL), Tone.MUTED),
            Span(part, tone),
            width=width,
        )
        for index, part in enumerate(texts)
    ]


def spans_field(label: str, spans: Iterable[Span], width: int) -> Row:
    return line(Span(label.ljust(LABEL), Tone.MUTED), *spans, width=width)


def state(label: str, mark: Mark, width: int) -> list[Row]:
    return field(label, f"{mark.sign} {mark.word}", width, mark.tone)


def heading(text: str, width: int) -> list[Row]:
    return [BLANK, line(Span(text, Tone.TITLE), width=width, band=True)]


def paragraph(text: str, width: int, tone: Tone = Tone.PLAIN) -> list[Row]:
    return [line(Span(part, tone), width=width) for part in wrap(text, width)]


def order_lines(orders: Sequence[OrderView], width: int) -> Iterator[Row]:
    if not orders:
        return
    yield from heading("Orders", width)
    for order in orders:
        mark = order_mark(order.state)
        yield line(
            Span(f"{mark.sign} {mark.word:<10}", mark.tone),
            Span(f"{order.side:<5}{quantity(order.quantity):>8}  {clean(order.instrument)}  "),
            Span(f"{quantity(order.filled)} filled, {terms(order) or 'no price yet'}", Tone.MUTED),
            width=width,
        )
        if order.reason:
            for text in wrap(order.reason, max(10, width - 12), most=2):
                yield line(Span(" " * 12), Span(text, Tone.MUTED), width=width)


def journal_lines(
    title: str, entries: Sequence[JournalEntry] | None, width: int, *, today: datetime
) -> Iterator[Row]:
    """Entries, oldest first; None while they are on their way."""
    yield from heading(title, width)
    if entries is None:
        yield line(Span("being read", Tone.MUTED), width=width)
    elif not entries:
        yield line(Span("nothing", Tone.MUTED), width=width)
    for entry in entries or ():
        yield from entry_lines(entry, width, today=today, most=3)


def entry_lines(
    entry: JournalEntry, width: int, *, today: datetime, most: int, key: str = ""
) -> Iterator[Row]:
    """One entry: when, what sort, and its sentence."""
    texts = wrap(entry.text, max(10, width - _TIME - 2), most=most) or ("",)
    tone = SORT_TONES[entry.sort]
    first, *more = texts
    yield line(
        Span(f"{clock(entry.at, today):<{_TIME}}", Tone.MUTED),
        Span(f"{SORT_SIGNS[entry.sort]} ", tone),
        Span(first, tone),
        width=width,
        key=key,
    )
    for text in more:
        yield line(Span(" " * (_TIME + 2)), Span(text, tone), width=width, key=key)


def when(at: datetime | None) -> str:
    if at is None:
        return "-"
    moment = at.astimezone(UTC)
    return f"{day(moment.date())} {moment:%H:%M:%S} UTC"
