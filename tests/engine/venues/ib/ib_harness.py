"""A sink that remembers and can be waited on, and an IB venue running against a loopback TWS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from engine.desk.facts import (
    BookSnapshot,
    OrderReport,
    OrderReported,
    OrderType,
    OrderUnanswered,
    Side,
    VenueChanged,
    VenueFact,
    VenueState,
    VenueWarned,
)
from engine.desk.instruments import Instrument, OptionContract, Right, Stock
from engine.desk.intents import Purpose
from engine.desk.market import Bar, Quote
from engine.desk.orders import client_order_id
from engine.venues.ib.settings import IbSettings
from engine.venues.ib.venue import IbVenue
from engine.venues.port import PricedOrder
from tests.fakes.tws import ACCOUNT, LoopbackTws
from tests.fakes.tws.records import OrderRecord
from tests.fakes.tws.scenes import EXPIRY, PUT_435, PUT_440, SPY

CLIENT_ID = 17
NAME = "ibkr"
F = TypeVar("F")

STOCK = Stock(ref=str(SPY), symbol="SPY")


def leg(con_id: int, strike: int, right: Right = Right.PUT) -> OptionContract:
    return OptionContract(
        ref=str(con_id), underlying="SPY", right=right, strike=Decimal(strike), expiry=EXPIRY
    )


SHORT_PUT = leg(PUT_440, 440)
LONG_PUT = leg(PUT_435, 435)


class Sink:
    """Keeps engine.venues.port.VenueSink and all it was told."""

    def __init__(self) -> None:
        self.batches: list[list[VenueFact]] = []
        self.quotes: dict[str, Quote] = {}
        self.times_heard = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def facts(self, batch: Iterable[VenueFact]) -> None:
        self.batches.append(list(batch))
        self._wake()

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        assert venue == NAME
        self.quotes[ref] = quote
        self._wake()

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        raise AssertionError("no bars come from here")

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return ()

    def heard(self, venue: str) -> None:
        assert venue == NAME
        self.times_heard += 1
        self._wake()

    def all(self, kind: type[F]) -> list[F]:
        return [fact for batch in self.batches for fact in batch if isinstance(fact, kind)]

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

    @property
    def states(self) -> list[VenueState]:
        return [change.state for change in self.all(VenueChanged)]

    def reports(self, order_id: str) -> list[OrderReport]:
        rows = [fact.row for fact in self.all(OrderReported)]
        return [row.report for row in rows if row.client_order_id == order_id]

    def reason(self, order_id: str) -> str:
        rows = [fact.row for fact in self.all(OrderReported)]
        return [row.reason for row in rows if row.client_order_id == order_id][-1]

    def warnings(self, code: str) -> list[VenueWarned]:
        return [warned for warned in self.all(VenueWarned) if warned.code == code]

    def unanswered(self) -> list[str]:
        return [fact.client_order_id for fact in self.all(OrderUnanswered)]

    def forget(self) -> None:
        last = self.all(VenueChanged)[-1:]
        self.batches.clear()
        if last:
            self.batches.append([*last])

    async def until(self, predicate: Callable[[], bool], within_seconds: float = 5.0) -> None:
        if predicate():
            return
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append((predicate, woken))
        async with asyncio.timeout(within_seconds):
            await woken

    async def until_count(self, kind: type[F], count: int = 1) -> list[F]:
        await self.until(lambda: len(self.all(kind)) >= count)
        return self.all(kind)

    async def until_state(self, state: VenueState) -> None:
        await self.until(lambda: self.state is state)

    def _wake(self) -> None:
        for waiting in tuple(self._waiting):
            predicate, woken = waiting
            if predicate():
                self._waiting.remove(waiting)
                if not woken.done():
                    woken.set_result(None)


class Pauses:
    """Stands for asyncio.sleep between tries: remembers, and waits until let go."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._gate = asyncio.Semaphore(0)
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


def settings_for(tws: LoopbackTws) -> IbSettings:
    return IbSettings(host="127.0.0.1", port=tws.port, client_id=CLIENT_ID)


@asynccontextmanager
async def venue_at(
    tws: LoopbackTws,
    *,
    settings: IbSettings | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    jitter: float = 1.0,
    state: VenueState | None = VenueState.READY,
    forget: bool = True,
    **changes: object,
) -> AsyncIterator[tuple[IbVenue, Sink]]:
    """Run a venue; yield once it is in the state, with what it told until then forgotten."""
    sink = Sink()
    venue = IbVenue(
        NAME,
        sink,
        replace(settings or settings_for(tws), **changes),  # type: ignore[arg-type]
        sleep=sleep or Pauses(),
        jitter=lambda: jitter,
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


def order_id(attempt: int = 1, what: str = "shares") -> str:
    return client_order_id(ACCOUNT, "SPY-IC-1", "E1", what, attempt)


def an_order(
    instrument: Instrument = STOCK,
    *,
    side: Side = Side.SELL,
    quantity: int = 200,
    limit: str | None = None,
    attempt: int = 1,
    outside_rth: bool = False,
) -> PricedOrder:
    return PricedOrder(
        client_order_id=order_id(attempt),
        account=ACCOUNT,
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        outside_rth=outside_rth,
        purpose=Purpose.FLATTEN_SHARES,
    )


def real_orders(tws: LoopbackTws) -> list[OrderRecord]:
    """Orders that arrived, without what-if probes."""
    return [record for record in tws.order_records() if not record.what_if]


async def arrived(tws: LoopbackTws, count: int) -> list[OrderRecord]:
    await tws.wait_for(lambda: len(real_orders(tws)) >= count)
    return real_orders(tws)


async def snapshot_after(venue: IbVenue, sink: Sink) -> BookSnapshot:
    """Ask, and return the picture that comes."""
    count = len(sink.all(BookSnapshot))
    venue.ask()
    return (await sink.until_count(BookSnapshot, count + 1))[-1]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]
