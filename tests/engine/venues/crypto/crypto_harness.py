"""A sink that remembers and can be waited on, and a crypto venue running against a stand-in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from engine.desk.facts import (
    BookSnapshot,
    Execution,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderType,
    OrderUnanswered,
    PositionReported,
    Side,
    TimeInForce,
    VenueChanged,
    VenueFact,
    VenueState,
    VenueWarned,
)
from engine.desk.instruments import Perpetual, SpotPair
from engine.desk.intents import Purpose
from engine.desk.market import Bar, Quote
from engine.desk.orders import client_order_id
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.venue import CryptoVenue
from engine.venues.port import PricedOrder
from tests.fakes.exchange import ExchangeServer

NAME = "exchange"
F = TypeVar("F")


class Sink:
    """Keeps engine.venues.port.VenueSink and all it was told. doubts: what doubtful answers."""

    def __init__(self) -> None:
        self.batches: list[list[VenueFact]] = []
        self.quotes: dict[str, Quote] = {}
        self.quotes_told = 0
        self.closed_bars: dict[str, list[Bar]] = {}
        self.doubts: list[PricedOrder] = []
        self.times_heard = 0
        self._news = asyncio.Event()

    def facts(self, batch: Iterable[VenueFact]) -> None:
        self.batches.append(list(batch))
        self._news.set()

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        assert venue == NAME
        self.quotes[ref] = quote
        self.quotes_told += 1
        self._news.set()

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        self.closed_bars.setdefault(ref, []).extend(bars)
        self._news.set()

    def heard(self, venue: str) -> None:
        assert venue == NAME
        self.times_heard += 1
        self._news.set()

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return tuple(self.doubts)

    def all(self, kind: type[F]) -> list[F]:
        return [fact for batch in self.batches for fact in batch if isinstance(fact, kind)]

    @property
    def executions(self) -> list[Execution]:
        """Those told live and in snapshots, each once."""
        found = {it.execution_id: it for told in self.all(BookSnapshot) for it in told.executions}
        told = [fact.execution for fact in self.all(ExecutionReported)]
        return list((found | {it.execution_id: it for it in told}).values())

    @property
    def state(self) -> VenueState | None:
        changes = self.all(VenueChanged)
        return changes[-1].state if changes else None

    @property
    def detail(self) -> str:
        return self.all(VenueChanged)[-1].detail

    @property
    def can_trade(self) -> bool | None:
        return self.all(VenueChanged)[-1].can_trade

    def rows(self, order_id: str) -> list[OrderRow]:
        rows = [fact.row for fact in self.all(OrderReported)]
        return [row for row in rows if row.client_order_id == order_id]

    def reports(self, order_id: str) -> list[OrderReport]:
        return [row.report for row in self.rows(order_id)]

    def held(self, ref: str) -> Decimal:
        """What the newest row told of an instrument says."""
        quantity = Decimal(0)
        for batch in self.batches:
            for fact in batch:
                if isinstance(fact, PositionReported) and fact.row.instrument.ref == ref:
                    quantity = fact.row.quantity
                elif isinstance(fact, BookSnapshot):
                    rows = {row.instrument.ref: row.quantity for row in fact.positions}
                    quantity = rows.get(ref, Decimal(0))
        return quantity

    def warnings(self) -> list[str]:
        return [warned.text for warned in self.all(VenueWarned)]

    def unanswered(self) -> list[str]:
        return [fact.client_order_id for fact in self.all(OrderUnanswered)]

    def forget(self) -> None:
        last = self.all(VenueChanged)[-1:]
        self.batches = [[*last]]

    async def until(self, happened: Callable[[], bool], within_seconds: float = 8.0) -> None:
        async with asyncio.timeout(within_seconds):
            while not happened():
                self._news.clear()
                await self._news.wait()

    async def until_count(self, kind: type[F], count: int = 1) -> list[F]:
        await self.until(lambda: len(self.all(kind)) >= count)
        return self.all(kind)

    async def until_state(self, state: VenueState) -> None:
        await self.until(lambda: self.state is state)

    async def until_report(self, order_id: str, report: OrderReport) -> OrderRow:
        await self.until(lambda: report in self.reports(order_id))
        return [row for row in self.rows(order_id) if row.report is report][-1]


class Pauses:
    """Stands for asyncio.sleep between tries: remembers, and waits until let go."""

    def __init__(self, *, open_gate: bool = False) -> None:
        self.seconds: list[float] = []
        self._gate = asyncio.Semaphore(1000 if open_gate else 0)
        self._reached = asyncio.Condition()

    async def __call__(self, seconds: float) -> None:
        async with self._reached:
            self.seconds.append(seconds)
            self._reached.notify_all()
        await self._gate.acquire()

    def let_go(self) -> None:
        self._gate.release()

    async def reached(self, count: int) -> None:
        async with asyncio.timeout(5), self._reached:
            await self._reached.wait_for(lambda: len(self.seconds) >= count)


def settings_for(server: ExchangeServer, connector: str, **changes: object) -> CryptoSettings:
    usual = CryptoSettings(
        connector=connector,
        api_key=server.api_key,
        secret=server.secret,
        password=server.password,
        endpoint=server.url,
        answer_seconds=2.0,
        absence_seconds=0.2,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def venue_at(
    server: ExchangeServer,
    connector: str,
    *,
    sink: Sink | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    state: VenueState | None = VenueState.READY,
    forget: bool = True,
    **changes: object,
) -> AsyncIterator[tuple[CryptoVenue, Sink]]:
    """Run a venue; yield once it is in the state, with what it told until then forgotten."""
    sink = sink or Sink()
    venue = CryptoVenue(
        NAME,
        sink,
        settings_for(server, connector, **changes),
        sleep=sleep or Pauses(),
        jitter=lambda: 1.0,
    )
    running = asyncio.get_running_loop().create_task(venue.run())
    try:
        if state is not None:
            await sink.until_state(state)
        if forget and state is not None:
            sink.forget()
        yield venue, sink
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def order_id(attempt: int = 1, what: str = "close") -> str:
    return client_order_id("main", "M1", "E1", what, attempt)


def an_order(
    instrument: Perpetual | SpotPair,
    *,
    side: Side = Side.SELL,
    quantity: str = "2",
    kind: OrderType = OrderType.MARKET,
    limit: str | None = None,
    stop: str | None = None,
    lasts: TimeInForce = TimeInForce.GTC,
    spend: str | None = None,
    reduce_only: bool = True,
    purpose: Purpose = Purpose.CLOSE_ASSIGNED,
    attempt: int = 1,
) -> PricedOrder:
    if limit is not None and kind is OrderType.MARKET:
        kind = OrderType.LIMIT
    return PricedOrder(
        client_order_id=order_id(attempt),
        account="main",
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        order_type=kind,
        limit_price=None if limit is None else Decimal(limit),
        outside_rth=False,
        purpose=purpose,
        stop_price=None if stop is None else Decimal(stop),
        time_in_force=lasts,
        spend=None if spend is None else Decimal(spend),
        reduce_only=reduce_only,
    )


async def snapshot_after(venue: CryptoVenue, sink: Sink) -> BookSnapshot:
    """Ask, and return the picture that comes."""
    count = len(sink.all(BookSnapshot))
    venue.ask()
    return (await sink.until_count(BookSnapshot, count + 1))[-1]
