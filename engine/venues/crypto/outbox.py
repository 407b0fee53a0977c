"""Facts and quotes on their way to the engine: what came within one turn of the loop goes together.

How an instrument trades is told before the first fact that names it.
"""

import asyncio

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    ExecutionReported,
    PositionReported,
    VenueFact,
    VenueWarned,
)
from engine.desk.instruments import Instrument
from engine.venues.crypto.quotes import Quotes
from engine.venues.crypto.translator import Surroundings
from engine.venues.port import VenueSink


class Outbox:
    """is_over: the connection ended, so its messages say nothing of the venue being alive."""

    def __init__(self, sink: VenueSink, around: Surroundings, quotes: Quotes) -> None:
        self._sink = sink
        self._around = around
        self._quotes = quotes
        self._loop = asyncio.get_running_loop()
        self._batch: list[VenueFact] = []
        self._delivery: asyncio.Handle | None = None
        self._described: set[str] = set()
        self.is_over = False

    def emit(self, fact: VenueFact) -> None:
        for instrument in _named_in(fact):
            self.describe(instrument)
        self._batch.append(fact)
        self.deliver_soon()

    def warn(self, code: str, text: str, *, critical: bool = False) -> None:
        venue = self._around.name
        self.emit(VenueWarned(venue=venue, code=code, text=text, critical=critical))

    def describe(self, instrument: Instrument) -> None:
        """Tell how an instrument trades, once."""
        ref = instrument.ref
        if ref not in self._described and ref in self._around.markets:
            self._described.add(ref)
            spec = self._around.markets.of(ref).spec
            self._batch.append(ContractDescribed(venue=self._around.name, spec=spec))
            self.deliver_soon()

    def deliver_soon(self) -> None:
        if self._delivery is None:
            self._delivery = self._loop.call_soon(self._deliver)

    def close(self) -> None:
        """Hand over what is left, and nothing more."""
        if self._delivery is not None:
            self._delivery.cancel()
        self._deliver()

    def _deliver(self) -> None:
        self._delivery = None
        if self._batch:
            batch, self._batch = self._batch, []
            self._sink.facts(batch)
        self._quotes.flush()
        if not self.is_over:
            self._sink.heard(self._around.name)


def _named_in(fact: VenueFact) -> tuple[Instrument, ...]:
    match fact:
        case PositionReported():
            return (fact.row.instrument,)
        case ExecutionReported():
            return (fact.execution.instrument,)
        case BookSnapshot():
            return tuple(row.instrument for row in fact.positions)
        case _:
            return ()
