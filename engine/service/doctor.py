"""Examines what an engine would stand on: state folder, secrets, and every venue.

Where an engine runs, its own picture is examined: a second login would disturb it. Where none runs,
each venue is connected to, looked at, and left again; no order is ever placed.
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    ContractDescribed,
    VenueChanged,
    VenueFact,
    VenueState,
)
from engine.desk.instruments import ContractSpec, Instrument
from engine.desk.market import Bar, Quote
from engine.desk.snapshot import AllocationSetView, OrderState, Snapshot
from engine.service.engine import cancelled
from engine.service.fitting import misfits
from engine.service.setup import EngineSetup
from engine.venues.port import PricedOrder, Venue

PATIENCE_SECONDS = 12.0
_QUOTE_SECONDS = 3.0
_SKEW_WARNING_SECONDS = 5.0
_SKEW_SHOWN_SECONDS = 0.05
_LEAST_FREE_BYTES = 200 * 2**20


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined. about is a venue's name, or what else was looked at."""

    verdict: Verdict
    about: str
    text: str


async def examine(
    setup: EngineSetup, *, patience_seconds: float = PATIENCE_SECONDS
) -> list[Finding]:
    """Connect to every venue of a setup, look, and leave. No engine may run on it."""
    found = list(_folder(setup))
    ear = _Ear()
    venues = setup.make_venues(ear)
    looks = [
        _look(venue, ear, patience_seconds, _sets_at(setup, name)) for name, venue in venues.items()
    ]
    for findings in await asyncio.gather(*looks):
        found += findings
    return found


def of_engine(setup: EngineSetup, snapshot: Snapshot) -> list[Finding]:
    """Examine the picture of an engine that runs."""
    armed = snapshot.armed
    found = [
        *_folder(setup),
        Finding(
            verdict=Verdict.OK if armed else Verdict.WARNING,
            about="engine",
            text="runs, armed" if armed else "runs disarmed: nothing is sent",
        ),
    ]
    for venue in snapshot.venues:
        found += _link(venue.name, venue.state, venue.detail, venue.can_trade)
        found += _skew(venue.name, venue.clock_skew_seconds)
        blind = [
            f"{strategy.underlying} {leg.strike.normalize():f} {leg.right}"
            for strategy in snapshot.strategies
            if strategy.venue == venue.name
            for leg in strategy.legs
            if leg.held and (leg.bid is None or leg.ask is None)
        ]
        found += _market_data(venue.name, blind, known=bool(snapshot.strategies))
    if snapshot.allocation is not None:
        found += [
            Finding(verdict=Verdict.WARNING, about=snapshot.allocation.venue, text=_about(one))
            for one in snapshot.allocation.sets
            if one.reason
        ]
    found += [
        Finding(verdict=Verdict.WARNING, about=order.venue, text=f"a close is held: {order.reason}")
        for order in snapshot.orders
        if order.state is OrderState.HELD
    ]
    return found


def as_text(findings: Iterable[Finding]) -> str:
    """Tell findings one a line, verdicts and names in columns."""
    rows = list(findings)
    width = max((len(row.about) for row in rows), default=0)
    return "\n".join(f"{row.verdict:7}  {row.about:{width}}  {row.text}" for row in rows)


def is_sound(findings: Iterable[Finding]) -> bool:
    return all(finding.verdict is not Verdict.FAULT for finding in findings)


# --- one venue -----------------------------------------------------------------------------------


async def _look(
    venue: Venue, ear: "_Ear", patience_seconds: float, sets: AllocationSettings | None
) -> list[Finding]:
    name, started = venue.name, time.monotonic()
    task = asyncio.create_task(venue.run(), name=name)
    try:
        await ear.until(lambda: ear.is_settled(name), patience_seconds)
        took = time.monotonic() - started
        wanted = () if sets is None else tuple(one.symbol for one in sets.sets)
        await ear.until(
            lambda: ear.is_lost(name) or not (ear.blind(name) or ear.unpriced(name, wanted)),
            _QUOTE_SECONDS,
        )
        last = ear.states.get(name)
        state = VenueState.DOWN if last is None else last.state
        detail = "no answer" if last is None else last.detail
        can_trade = None if last is None else last.can_trade
        found = list(_link(name, state, detail, can_trade, took))
        if name in ear.books:
            book = ear.books[name]
            held = sum(1 for row in book.positions if row.quantity)
            accounts = ", ".join(book.accounts) or "no account"
            found.append(
                Finding(verdict=Verdict.OK, about=name, text=f"book of {accounts}: {held} held")
            )
            found += _skew(name, venue.clock_skew_seconds)
            found += _market_data(name, [i.name for i in ear.blind(name)], known=held > 0)
            found += [] if sets is None else _sets(sets, ear)
        return found
    finally:
        await cancelled([task])


def _link(
    name: str,
    state: VenueState,
    detail: str,
    can_trade: bool | None,
    took_seconds: float | None = None,
) -> Iterator[Finding]:
    after = "" if took_seconds is None else f" after {took_seconds:.1f} s"
    if state is VenueState.READY:
        yield Finding(verdict=Verdict.OK, about=name, text=f"link is ready{after}")
    elif state is VenueState.STALE:
        yield Finding(verdict=Verdict.WARNING, about=name, text=f"stale: {detail}")
    else:
        words = f"{state}: {detail}" if detail else str(state)
        yield Finding(verdict=Verdict.FAULT, about=name, text=words)
    if can_trade is False:
        yield Finding(
            verdict=Verdict.FAULT,
            about=name,
            text=f"cannot act, a close would be refused: {detail or 'orders are refused'}",
        )
    elif can_trade is True:
        yield Finding(verdict=Verdict.OK, about=name, text="takes orders")
    elif state in (VenueState.READY, VenueState.STALE):
        text = "whether it takes orders shows with the first one: nothing is held to probe with"
        yield Finding(verdict=Verdict.WARNING, about=name, text=text)


def _skew(name: str, seconds: float | None) -> Iterator[Finding]:
    if seconds is None:
        return
    far = abs(seconds) >= _SKEW_WARNING_SECONDS
    word = "ahead of" if seconds > 0 else "behind"
    text = f"its clock is {abs(seconds):.1f} s {word} this machine's"
    if abs(seconds) < _SKEW_SHOWN_SECONDS:
        text = "its clock agrees with this machine's"
    if far:
        text += ": set this machine's clock (NTP)"
    yield Finding(verdict=Verdict.WARNING if far else Verdict.OK, about=name, text=text)


def _market_data(name: str, blind: Sequence[str], *, known: bool) -> Iterator[Finding]:
    if blind:
        text = f"no bid and ask for {', '.join(blind)}: a close by limit would be held"
        yield Finding(verdict=Verdict.WARNING, about=name, text=text)
    elif known:
        yield Finding(verdict=Verdict.OK, about=name, text="market data for all that is held")


def _sets_at(setup: EngineSetup, venue: str) -> AllocationSettings | None:
    settings = setup.declared.allocation
    return settings if settings is not None and settings.venue == venue else None


def _sets(settings: AllocationSettings, ear: "_Ear") -> Iterator[Finding]:
    """Say which parameter sets the exchange would not take."""
    name = settings.venue
    specs = {ref: spec for (venue, ref), spec in ear.specs.items() if venue == name}
    prices = {ref: price for (venue, ref), price in ear.asks.items() if venue == name}
    reasons = list(
        misfits(settings, specs, prices, ear.totals.get((name, settings.quote_currency)))
    )
    for reason in reasons:
        yield Finding(verdict=Verdict.FAULT, about=name, text=reason)
    if settings.sets and not reasons:
        unpriced = ear.unpriced(name, (one.symbol for one in settings.sets))
        text = f"no quote for {', '.join(unpriced)}: whether its bracket fits is not known"
        yield (
            Finding(verdict=Verdict.WARNING, about=name, text=text)
            if unpriced
            else Finding(verdict=Verdict.OK, about=name, text="takes what the parameter sets ask")
        )


def _about(one: AllocationSetView) -> str:
    return one.reason if one.symbol in one.reason else f"{one.symbol}: {one.reason}"


def _folder(setup: EngineSetup) -> Iterator[Finding]:
    folder = setup.paths.state_dir
    place = folder if folder.exists() else folder.parent
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{folder}: {free / 2**20:,.0f} MB free"
    enough = free >= _LEAST_FREE_BYTES
    yield Finding(
        verdict=Verdict.OK if enough else Verdict.WARNING, about="state folder", text=text
    )


class _Ear:
    """Keeps engine.venues.port.VenueSink, and what was heard of each venue.

    specs, asks: (venue, ref) -> ...; totals: (venue, currency) -> ....
    """

    def __init__(self) -> None:
        self.states: dict[str, VenueChanged] = {}
        self.books: dict[str, BookSnapshot] = {}
        self._quoted: set[tuple[str, str]] = set()
        self.specs: dict[tuple[str, str], ContractSpec] = {}
        self.asks: dict[tuple[str, str], Decimal] = {}
        self.totals: dict[tuple[str, str], Decimal] = {}
        self._changed = asyncio.Event()

    def facts(self, batch: Iterable[VenueFact]) -> None:
        for fact in batch:
            match fact:
                case VenueChanged():
                    self.states[fact.venue] = fact
                case BookSnapshot():
                    self.books[fact.venue] = fact
                case ContractDescribed():
                    self.specs[fact.venue, fact.spec.ref] = fact.spec
                case BalanceReported():
                    self.totals[fact.venue, fact.currency] = fact.total
                case _:
                    pass
        self._changed.set()

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        if quote.bid is not None and quote.ask is not None:
            self._quoted.add((venue, ref))
            self.asks[venue, ref] = Decimal(repr(quote.ask))
            self._changed.set()

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        pass

    def heard(self, venue: str) -> None:
        pass

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return ()

    def is_lost(self, venue: str) -> bool:
        last = self.states.get(venue)
        return last is not None and last.state is VenueState.DOWN

    def is_settled(self, venue: str) -> bool:
        """Whether the link ended one way or the other, and its permission is known if it can be."""
        last = self.states.get(venue)
        if last is None:
            return False
        if last.state in (VenueState.DOWN, VenueState.STALE):
            return True
        book = self.books.get(venue)
        probed = (
            last.can_trade is not None
            or book is None
            or not any(row.quantity for row in book.positions)
        )
        return last.state is VenueState.READY and probed

    def blind(self, venue: str) -> list[Instrument]:
        """What is held and has no quote."""
        book = self.books.get(venue)
        rows = () if book is None else book.positions
        return [
            row.instrument
            for row in rows
            if row.quantity and (venue, row.instrument.ref) not in self._quoted
        ]

    def unpriced(self, venue: str, refs: Iterable[str]) -> list[str]:
        """Which of these markets, so far as the venue has them, have no quote."""
        return [ref for ref in refs if (venue, ref) in self.specs and (venue, ref) not in self.asks]

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until something holds, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return
