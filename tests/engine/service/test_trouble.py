"""A journal that fails stops what puts risk on, and nothing that takes it off."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.facts import (
    CloseRequested,
    ConfigApplied,
    ContractDescribed,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    Side,
    SignalKind,
    SignalRaised,
    VenueChanged,
    VenueFact,
    VenueState,
)
from engine.desk.instruments import Instrument
from engine.desk.intents import Purpose
from engine.journal import Journal
from engine.service.engine import Engine
from engine.venues.port import PricedOrder
from tests.engine.desk.allocation.spot_exchange import ACCOUNT, NOON, VENUE, SpotExchange
from tests.engine.desk.allocation.spot_world import OWNERS, PRICES
from tests.engine.journal.full_disk import full_from, log_bytes
from tests.engine.service.clock import ManualClock

BTC, ETH = "BTCUSDT", "ETHUSDT"


class SpotVenue:
    """Keeps engine.venues.port.Venue. Fills market orders whole, lets brackets rest."""

    name, kind, clock_skew_seconds = VENUE, "ccxt", 0.0

    def __init__(self, tell: Callable[[Iterable[VenueFact]], None]) -> None:
        self.tell = tell
        self.placed: list[PricedOrder] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    def ask(self) -> None:
        pass

    def watch(self, instruments: Iterable[Instrument]) -> None:
        pass

    def place(self, order: PricedOrder) -> None:
        self.placed.append(order)
        rests = order.purpose is Purpose.BRACKET
        facts: list[VenueFact] = [] if rests else [self._fill(order)]
        facts.append(_report(order, OrderReport.WORKING if rests else OrderReport.FILLED))
        asyncio.get_running_loop().call_soon(self.tell, facts)

    def cancel(self, order: PricedOrder) -> None:
        facts = [_report(order, OrderReport.CANCELLED)]
        asyncio.get_running_loop().call_soon(self.tell, facts)

    def _fill(self, order: PricedOrder) -> ExecutionReported:
        price = PRICES[order.instrument.ref]
        execution = Execution(
            execution_id=f"t{len(self.placed)}",
            account=ACCOUNT,
            instrument=order.instrument,
            side=order.side,
            quantity=order.quantity,
            price=price,
            at=NOON,
            origin=ExecutionOrigin.OURS,
            client_order_id=order.client_order_id,
        )
        return ExecutionReported(venue=VENUE, execution=execution)

    def purposes(self) -> list[Purpose]:
        return [order.purpose for order in self.placed]


def _report(order: PricedOrder, report: OrderReport) -> OrderReported:
    filled = order.quantity if report is OrderReport.FILLED else Decimal(0)
    row = OrderRow(
        client_order_id=order.client_order_id, venue_order_id="7", report=report, filled=filled
    )
    return OrderReported(venue=VENUE, row=row)


class Spot:
    """An engine with the owner's three sets at a spot exchange, on a real journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.engine = Engine(mode="live", journal=journal, clock=ManualClock(NOON))
        journal.tell_trouble(self.engine.journal_trouble)
        self.venue = SpotVenue(self.engine.facts)
        self._changed = asyncio.Event()
        self.engine.use(venues={VENUE: self.venue}, publish=lambda urgent: self._changed.set())

    def start(self) -> None:
        exchange = SpotExchange()
        allocation = AllocationSettings(venue=VENUE, sets=OWNERS, window=20)
        self.engine.start(
            ConfigApplied(armed=True, options=None, strategies=(), allocation=allocation)
        )
        self.engine.facts(
            [
                *(ContractDescribed(venue=VENUE, spec=exchange.spec(one.symbol)) for one in OWNERS),
                exchange.snapshot(NOON),
                exchange.balance(),
                VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=True),
            ]
        )

    def signal(self, symbol: str) -> None:
        self.engine.tell(
            SignalRaised(
                venue=VENUE,
                symbol=symbol,
                kind=SignalKind.ENTRY,
                z_score=7.5,
                price=PRICES[symbol],
                bar_at=NOON,
            )
        )

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def alerted(self, text: str) -> bool:
        return any(text in alert.title for alert in self.engine.snapshot().alerts)


@pytest.fixture
async def spot(tmp_path: Path) -> AsyncIterator[Spot]:
    async with await Journal.open(tmp_path / "journal.db", spare=True) as journal:
        spot = Spot(journal)
        spot.start()
        await spot.engine.drained()
        yield spot
        spot.engine.stop()
        await spot.engine.drained()


async def test_an_entry_is_not_sent_while_the_journal_fails_and_its_money_is_free_again(
    spot: Spot,
) -> None:
    with full_from(log_bytes(spot.journal)):
        spot.signal(BTC)
        await spot.until(lambda: spot.alerted("nothing was bought"))
        assert spot.alerted("entries stop, closes go on")
        assert spot.venue.placed == []
    await spot.until(lambda: spot.alerted("entries go on"))
    assert spot.venue.placed == []
    spot.signal(ETH)
    await spot.until(lambda: Purpose.BRACKET in spot.venue.purposes())
    assert spot.venue.purposes() == [Purpose.ENTRY, Purpose.BRACKET]
    await spot.engine.drained()
    assert (await spot.journal.verify()).ok
    told = [entry.item for entry in await spot.journal.read()]
    assert any(isinstance(item, OrderReported) and "journal" in item.row.reason for item in told)


async def test_what_is_held_is_sold_while_the_journal_fails(spot: Spot) -> None:
    spot.signal(BTC)
    await spot.until(lambda: spot.engine.snapshot().orders[-1].state == "WORKING")
    assert spot.venue.purposes() == [Purpose.ENTRY, Purpose.BRACKET]
    with full_from(log_bytes(spot.journal)):
        close = CloseRequested(request_id="r", strategy_id=BTC, emergency=True, by="test")
        assert (await spot.engine.ask(close, "r")).ok
        await spot.until(lambda: Purpose.SELL_POSITION in spot.venue.purposes())
    assert spot.venue.placed[-1].side is Side.SELL
