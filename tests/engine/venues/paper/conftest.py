"""A paper venue that a test steps by hand: its own clock, its own ticks, and a sink that keeps
what it is told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.desk.facts import (
    ExecutionReported,
    OrderReported,
    OrderType,
    PositionReported,
    PositionRow,
    Side,
    VenueFact,
)
from engine.desk.instruments import Instrument, OptionContract, Right, Stock
from engine.desk.intents import Purpose
from engine.desk.market import Bar, Quote
from engine.venues.paper.market import SyntheticMarket
from engine.venues.paper.venue import PaperVenue
from engine.venues.port import PricedOrder

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
EXPIRY = date(2026, 4, 10)
TURNS = 60


@dataclass
class KeepingSink:
    batches: list[tuple[VenueFact, ...]] = field(default_factory=list)
    quotes: dict[str, Quote] = field(default_factory=dict)
    quoted: int = 0
    heard_count: int = 0
    barred: dict[str, list[Bar]] = field(default_factory=dict)

    def facts(self, batch: Iterable[VenueFact]) -> None:
        self.batches.append(tuple(batch))

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        self.quotes[ref] = quote
        self.quoted += 1

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        self.barred.setdefault(ref, []).extend(bars)

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return ()

    def heard(self, venue: str) -> None:
        self.heard_count += 1

    def of(self, *kinds: type) -> list[Any]:
        return [fact for batch in self.batches for fact in batch if isinstance(fact, kinds)]

    def story(self) -> list[tuple[Any, ...]]:
        """Tell orders, executions and rows in the order they came, one tuple each."""
        told: list[tuple[Any, ...]] = []
        for fact in self.of(OrderReported, ExecutionReported, PositionReported):
            match fact:
                case OrderReported():
                    told.append((fact.row.report.value, fact.row.filled))
                case ExecutionReported():
                    told.append(("executed", fact.execution.quantity))
                case PositionReported():
                    told.append(("holds", fact.row.instrument.ref, fact.row.quantity))
        return told


@dataclass
class Rig:
    sink: KeepingSink = field(default_factory=KeepingSink)
    market: SyntheticMarket = field(default_factory=SyntheticMarket)
    now: datetime = NOW
    _ticks: asyncio.Queue[float] = field(default_factory=asyncio.Queue)

    def clock(self) -> datetime:
        return self.now

    async def ticks(self) -> AsyncGenerator[float, None]:
        while True:
            yield await self._ticks.get()

    def venue(self, *positions: PositionRow, **options: Any) -> PaperVenue:
        return PaperVenue("paper", self.sink, positions=positions, **self.options(**options))

    def options(self, **more: Any) -> dict[str, Any]:
        return {"clock": self.clock, "ticks": self.ticks, "market": self.market, **more}

    async def settle(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def tick(self, seconds: float = 0.0) -> None:
        self.now += timedelta(seconds=seconds)
        self._ticks.put_nowait(seconds)
        await self.settle()

    @asynccontextmanager
    async def running(self, venue: PaperVenue) -> AsyncIterator[KeepingSink]:
        task = asyncio.create_task(venue.run())
        await self.settle()
        try:
            yield self.sink
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


SPY = Stock(ref="SPY", symbol="SPY")


def option(right: Right, strike: int, underlying: str = "SPY") -> OptionContract:
    return OptionContract(
        ref=f"{underlying}-{right}-{strike}",
        underlying=underlying,
        right=right,
        strike=Decimal(strike),
        expiry=EXPIRY,
    )


def held(instrument: Instrument, quantity: int, account: str = "DEMO0001") -> PositionRow:
    return PositionRow(account=account, instrument=instrument, quantity=Decimal(quantity))


def priced(
    id_: str,
    instrument: Instrument,
    side: Side,
    quantity: int,
    limit: str | None = None,
    *,
    account: str = "DEMO0001",
    outside_rth: bool = False,
) -> PricedOrder:
    return PricedOrder(
        client_order_id=id_,
        account=account,
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        outside_rth=outside_rth,
        purpose=Purpose.FLATTEN_SHARES,
    )


@dataclass(frozen=True)
class Words:
    """The vocabulary of these tests, handed over as a fixture: test folders are no packages."""

    spy: Stock
    now: datetime
    expiry: date
    option: Callable[..., OptionContract]
    held: Callable[..., PositionRow]
    priced: Callable[..., PricedOrder]


@pytest.fixture
def words() -> Words:
    return Words(spy=SPY, now=NOW, expiry=EXPIRY, option=option, held=held, priced=priced)


@pytest.fixture
async def rig() -> Rig:
    return Rig()
