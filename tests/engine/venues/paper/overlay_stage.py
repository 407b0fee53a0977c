"""Paper fills over a venue that the test plays: its book, its quotes, its bars."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    ContractDescribed,
    Execution,
    OrderRow,
    PositionReported,
    PositionRow,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import ContractSpec, Instrument
from engine.desk.market import Quote
from engine.venues.paper.overlay import PaperFills
from engine.venues.port import PricedOrder, VenueSink

ACCOUNT = "DEMO0001"


@dataclass
class ScriptedVenue:
    """A venue whose broker is the test; it keeps the port, and remembers what it was sent."""

    sink: VenueSink
    clock: Callable[[], datetime]
    rows: dict[str, PositionRow] = field(default_factory=dict)
    executions: tuple[Execution, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    can_trade: bool | None = False
    name: str = "ibkr"
    kind: str = "ib"
    sent: list[object] = field(default_factory=list)
    watched: tuple[Instrument, ...] = ()
    balances: dict[str, Decimal] = field(default_factory=dict)
    specs: tuple[ContractSpec, ...] = ()
    account: str = ACCOUNT
    clock_skew_seconds: float | None = 0.25

    async def run(self) -> None:
        self.turn(VenueState.SYNCING)
        if self.specs:
            self.sink.facts([ContractDescribed(venue=self.name, spec=spec) for spec in self.specs])
        if self.balances:
            self.sink.facts([self.balance(code) for code in self.balances])
        self.ask()
        self.turn(VenueState.READY)
        await asyncio.Event().wait()

    def ask(self) -> None:
        book = BookSnapshot(
            venue=self.name,
            asked_at=self.clock(),
            accounts=(self.account,),
            positions=tuple(self.rows.values()),
            executions=self.executions,
            orders=self.orders,
        )
        self.sink.facts((book,))

    def place(self, order: PricedOrder) -> None:
        self.sent.append(order)

    def cancel(self, order: PricedOrder) -> None:
        self.sent.append(order.client_order_id)

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self.watched = tuple(instruments)

    def turn(self, state: VenueState, detail: str = "") -> None:
        changed = VenueChanged(
            venue=self.name, state=state, detail=detail, can_trade=self.can_trade
        )
        self.sink.facts((changed,))

    def quote(self, instrument: Instrument, bid: float | None, ask: float | None) -> None:
        shown = Quote.of(at=self.clock(), bid=bid, ask=ask)
        self.sink.heard(self.name)
        self.sink.quote(self.name, instrument.ref, shown)

    def balance(self, code: str) -> BalanceReported:
        amount = self.balances[code]
        return BalanceReported(
            venue=self.name, account=self.account, currency=code, free=amount, total=amount
        )

    def hold(self, row: PositionRow) -> None:
        self.rows[row.instrument.ref] = row
        self.sink.facts((PositionReported(venue=self.name, row=row),))


class Stage:
    """Paper fills over a scripted venue."""

    def __init__(self, rig, *rows, real=None, **options):
        self.rig, self.sink, self._options = rig, rig.sink, real or {}
        self.paper = PaperFills("ibkr", rig.sink, make=self._make, clock=rig.clock, **options)
        self.real.rows = {row.instrument.ref: row for row in rows}

    def _make(self, sink: VenueSink) -> ScriptedVenue:
        self.real = ScriptedVenue(sink=sink, clock=self.rig.clock, **self._options)
        return self.real

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Stage"]:
        async with self.rig.running(self.paper):
            yield self

    async def place(self, *orders: PricedOrder) -> None:
        for order in orders:
            self.paper.place(order)
        await self.rig.settle()

    async def quote(self, instrument: Instrument, bid: float | None, ask: float | None) -> None:
        self.real.quote(instrument, bid, ask)
        await self.rig.settle()

    def book(self) -> BookSnapshot:
        self.paper.ask()
        return self.sink.of(BookSnapshot)[-1]

    def held(self) -> dict[str, Decimal]:
        return {row.instrument.ref: row.quantity for row in self.book().positions}
