"""A candidate for a strategy: its legs, and what adopting it means."""

from collections.abc import Iterator

from engine.desk.snapshot import CandidateView
from tui.rows.cells import Row, Span, Tone, line
from tui.rows.fields import field, heading, paragraph
from tui.rows.figures import day, price, quantity
from tui.rows.text import clean


def candidate_rows(candidate: CandidateView, width: int) -> Iterator[Row]:
    """What is held of a candidate, and what adopting it means."""
    yield from field("shape", candidate.kind.replace("_", " "), width)
    yield from field("underlying", candidate.underlying, width)
    yield from field("account", f"{candidate.account} at {candidate.venue}", width)
    if candidate.shares:
        yield from field("shares", quantity(candidate.shares, signed=True), width)
    yield from heading("Legs held", width)
    for leg in candidate.legs:
        text = f"{leg.right} {quantity(leg.strike):>7} {day(leg.expiry)}"
        held = f"  {quantity(leg.held, signed=True):>5}   {price(leg.bid):>8} / {price(leg.ask)}"
        yield line(Span(text, Tone.STRONG), Span(held), width=width)
    yield from heading("What adopting it means", width)
    yield from paragraph(
        f"It is written to the config as {clean(candidate.id)} and guarded from then on: if a leg "
        "is assigned or goes missing, what is left is closed. Nothing is sent now.",
        width,
    )
