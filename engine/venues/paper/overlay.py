"""Paper mode over a real venue: the account and its market are real, the fills are not.

What the real venue tells passes through with the simulated trades laid over it. Orders end here:
neither an order nor a cancel ever reaches the real venue.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from engine.desk.facts import (
    BookSnapshot,
    OrderUnanswered,
    VenueChanged,
    VenueFact,
    VenueWarned,
)
from engine.desk.instruments import Instrument
from engine.desk.market import Bar, Quote
from engine.errors import InputError
from engine.venues.between import utc_now
from engine.venues.paper import storage
from engine.venues.paper.book import PaperBook, PaperOrder
from engine.venues.paper.fees import USUAL_FEES, FeeRates
from engine.venues.paper.matching import Level
from engine.venues.paper.simulated import Overlay
from engine.venues.paper.turns import Turns
from engine.venues.port import PricedOrder, Venue, VenueSink


class PaperFills:
    """A real venue whose orders are filled on paper; keeps engine.venues.port.Venue.

    make builds the real venue, under the same name, on the sink it is given. state_file keeps the
    simulated trades over a restart and is replaced before a change is told; removing it forgets
    them. fees are what simulated trades cost. clock gives aware UTC. Raises InputError if
    state_file is there and cannot be read.
    """

    def __init__(
        self,
        name: str,
        sink: VenueSink,
        *,
        make: Callable[[VenueSink], Venue],
        state_file: Path | None = None,
        fees: FeeRates = USUAL_FEES,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self._sink = sink
        self._clock = clock
        self._overlay = Overlay(venue=name, run_id=f"{clock():%Y%m%d%H%M%S%f}", fees=fees)
        if state_file is not None and state_file.exists():
            self._overlay.book = _saved_book(state_file)
        self._turns = Turns(sink, self._save)
        self._file = storage.StateFile(state_file, self._warn)
        self._due: set[str] = set()  # client order ids whose fill or end is a step already
        self._asked: dict[str, Instrument] = {}  # ref -> instrument
        self._watched: set[str] = set()
        self._running = False
        self._inner = make(_Ear(self._hear_facts, self._hear_quote, sink))
        self.kind = self._inner.kind
        assert self._inner.name == name, "the real venue goes by another name"

    # --- the port --------------------------------------------------------------------------------

    async def run(self) -> None:
        self._running = True
        self._overlay.book.prune(self._clock())
        self._overlay.lapse()
        self._watch()
        try:
            await self._inner.run()
        finally:
            # What was not told yet is in the book, and so in the next snapshot.
            self._running = False
            self._turns.clear()
            self._due.clear()
            self._save()

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._inner.clock_skew_seconds

    def ask(self) -> None:
        self._inner.ask()

    def place(self, order: PricedOrder) -> None:
        if not (self._running and self._overlay.is_linked):
            self._turns.tell(self._unanswered(order.client_order_id))
            return
        known = self._overlay.book.orders.get(order.client_order_id)
        if known is None:
            known = self._overlay.accept(order, self._clock())
            self._turns.soon(partial(self._overlay.shown, known))
            self._watch()
            self._turns.soon(partial(self._match, known, None))
        else:
            self._turns.soon(partial(self._overlay.reported, known))

    def cancel(self, order: PricedOrder) -> None:
        name = order.client_order_id
        known = self._overlay.book.orders.get(name)
        if not self._running:
            self._turns.tell(self._unanswered(name))
        elif known is None:
            self._turns.soon(partial(self._overlay.unknown, name))
        else:
            # At once: what is placed next may need what this sets free.
            self._overlay.end(known, "")
            self._turns.soon(partial(self._overlay.shown, known))

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self._asked = {it.ref: it for it in instruments}
        self._watch(always=True)

    # --- what the real venue tells ---------------------------------------------------------------

    def _hear_facts(self, batch: Iterable[VenueFact]) -> None:
        now = self._clock()
        heard = tuple(batch)
        told = tuple(self._overlay.laid_over(fact, now) for fact in heard)
        self._save()
        self._sink.facts(told)
        if any(isinstance(fact, VenueChanged | BookSnapshot) for fact in heard):
            for known in self._overlay.book.working:
                self._consider(known, now)

    def _hear_quote(self, venue: str, ref: str, quote: Quote) -> None:
        self._overlay.quotes[ref] = quote
        self._sink.quote(venue, ref, quote)
        now = self._clock()
        for known in self._overlay.book.working:
            if known.order.instrument.ref == ref:
                self._consider(known, now)

    def _consider(self, known: PaperOrder, now: datetime) -> None:
        """Let a resting order fill at the price that reaches it now, or end with its day."""
        order = known.order
        if not self._running or order.client_order_id in self._due:
            return
        if over := self._overlay.is_over(known, now):
            self._due.add(order.client_order_id)
            self._turns.soon(partial(self._end, known, over))
            return
        levels = self._overlay.levels(order, now)
        if levels and self._overlay.plan(known, levels).changes(known):
            self._due.add(order.client_order_id)
            self._turns.soon(partial(self._match, known, levels))

    # --- turns -----------------------------------------------------------------------------------

    def _match(self, known: PaperOrder, levels: tuple[Level, ...] | None) -> Iterable[VenueFact]:
        """Let an order trade: against these levels, or what is offered now."""
        order, now = known.order, self._clock()
        self._due.discard(order.client_order_id)
        if not known.working:
            return ()
        if levels is None:
            levels = self._overlay.levels(order, now)
        executed = self._overlay.match(known, levels, now)
        if not executed:
            return () if known.working else self._overlay.shown(known)
        # Ahead of all other steps: rows show every fill made, so no fill may come in between.
        self._turns.first(
            partial(self._overlay.holds, order.account, order.instrument),
            partial(self._overlay.reported, known),
        )
        self._watch()
        return executed

    def _end(self, known: PaperOrder, reason: str) -> Iterable[VenueFact]:
        self._due.discard(known.order.client_order_id)
        self._overlay.end(known, reason)
        return self._overlay.shown(known)

    def _save(self) -> None:
        if self._overlay.changed:
            self._overlay.changed = not self._file.keep(self._state)

    def _state(self) -> dict[str, Any]:
        book = storage.book_to_json(self._overlay.book)
        return {"version": storage.VERSION, "over": self.name, "book": book}

    def _warn(self, error: OSError) -> None:
        text = f"The simulated fills cannot be saved: {error}"
        if self._running:
            self._turns.tell(
                VenueWarned(venue=self.name, code="paper-save", text=text, critical=False)
            )

    def _watch(self, *, always: bool = False) -> None:
        """Keep quotes coming for what is held or ordered on paper only, too."""
        wanted = self._asked | self._overlay.needed()
        if always or not wanted.keys() <= self._watched:
            self._watched = set(wanted)
            self._inner.watch(tuple(wanted.values()))

    def _unanswered(self, client_order_id: str) -> OrderUnanswered:
        return OrderUnanswered(
            client_order_id=client_order_id, reason=f"{self.name} is not connected"
        )


@dataclass(frozen=True, slots=True)
class _Ear:
    """What the real venue gets for a sink: no order of ours is there, so none is doubtful."""

    facts: Callable[[Iterable[VenueFact]], None]
    quote: Callable[[str, str, Quote], None]
    sink: VenueSink

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        self.sink.bars(venue, ref, bars)

    def heard(self, venue: str) -> None:
        self.sink.heard(venue)

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return ()


def _saved_book(path: Path) -> PaperBook:
    try:
        state = storage.read(path)
        if state["version"] != storage.VERSION or "over" not in state:
            raise ValueError("not the simulated fills of a venue")
        return storage.book_from_json(state["book"])
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise InputError(
            f"The simulated fills in {path} cannot be read: {error}. "
            "Move the file away to start paper mode without them."
        ) from error
