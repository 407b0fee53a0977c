"""The demo's two exchanges with the whole desk behind them, on a clock that the test moves."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.desk import Desk
from engine.desk.facts import (
    BalanceReported,
    ConfigApplied,
    DeadlinePassed,
    EngineStarted,
    Fact,
    OrderPriced,
    VenueFact,
)
from engine.desk.intents import AskVenue, AtMarket, CancelOrder, Intent, Purpose
from engine.desk.market import Bar, Quote
from engine.desk.orders import Order
from engine.desk.pricing import price
from engine.desk.snapshot import OrderState
from engine.venues.paper.demo_coins import (
    BAR_SECONDS,
    demo_allocation,
    demo_managers,
    demo_perps,
    demo_spot,
    synthetic_spot,
)
from engine.venues.paper.exchange import PaperExchange
from engine.venues.port import PricedOrder

# Begun anywhere within a bar, the story is the same.
STARTS = (0, 137, 900, 1750)


@dataclass
class House:
    """The desk as the service runs it, without a journal. purposes: (seconds, purpose) of what was
    sent, in order; free: (venue, currency) -> what was last told."""

    now: datetime
    desk: Desk = field(default_factory=Desk)
    venues: dict[str, PaperExchange] = field(default_factory=dict)
    quotes: dict[tuple[str, str], Quote] = field(default_factory=dict)
    purposes: list[tuple[float, Purpose]] = field(default_factory=list)
    free: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    _ticks: list[asyncio.Queue[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.now
        self.venues["perps"] = demo_perps(self, clock=self.clock, ticks=self._new_ticks())
        self.venues["spot"] = demo_spot(self, clock=self.clock, ticks=self._new_ticks())

    def clock(self) -> datetime:
        return self.now

    def _new_ticks(self) -> Callable[[], AsyncGenerator[float, None]]:
        queue: asyncio.Queue[float] = asyncio.Queue()
        self._ticks.append(queue)

        async def ticks() -> AsyncGenerator[float, None]:
            while True:
                yield await queue.get()

        return ticks

    async def live(self, seconds: float) -> None:
        tasks = [asyncio.create_task(venue.run()) for venue in self.venues.values()]
        await self._turn()
        while (self.now - self.began).total_seconds() < seconds:
            self.now += timedelta(seconds=0.25)
            for queue in self._ticks:
                queue.put_nowait(0.25)
            await self._turn()
            due = self.desk.next_deadline()
            if due is not None and due <= self.now:
                self.tell(DeadlinePassed())
        for task in tasks:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(self) -> None:
        for _ in range(16):
            await asyncio.sleep(0)

    # What a venue's sink is.

    def facts(self, batch: Iterable[VenueFact]) -> None:
        batch = tuple(batch)
        for fact in batch:
            if isinstance(fact, BalanceReported):
                self.free[fact.venue, fact.currency] = fact.free
        self.tell(*batch)

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        self.quotes[venue, ref] = quote
        self.tell(*self.desk.quote(venue, ref, quote))

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        self.tell(*self.desk.bars(venue, ref, bars))

    def heard(self, venue: str) -> None:
        pass

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return ()

    # What the service does with it.

    def tell(self, *facts: Fact) -> None:
        intents = self.desk.apply(facts, self.now).intents if facts else ()
        terms = [self._priced(order) for order in self.desk.awaiting_price()]
        if terms:
            intents += self.desk.apply(terms, self.now).intents
        for fact in terms:
            order = self.desk.floor.orders[fact.client_order_id]
            assert order.state is OrderState.SENDING, order.reason
            seconds = (self.now - self.began).total_seconds()
            self.purposes.append((seconds, order.intent.purpose))
            self.venues[order.intent.venue].place(outgoing(order))
        for intent in intents:
            self._act(intent)

    def _priced(self, order: Order) -> OrderPriced:
        intent = order.intent
        spec = self.desk.floor.spec(intent.venue, intent.instrument)
        assert spec is not None
        terms = price(
            intent, self.quotes.get((intent.venue, intent.instrument.ref)), spec, self.now
        )
        assert isinstance(terms, OrderPriced), terms
        return terms

    def _act(self, intent: Intent) -> None:
        if isinstance(intent, CancelOrder):
            self.venues[intent.venue].cancel(
                outgoing(self.desk.floor.orders[intent.client_order_id])
            )
        elif isinstance(intent, AskVenue):
            self.venues[intent.venue].ask()

    def first(self, purpose: Purpose) -> float:
        return next((at for at, it in self.purposes if it is purpose), float("inf"))


def outgoing(order: Order) -> PricedOrder:
    intent, terms = order.intent, order.terms
    assert terms is not None
    pricing = intent.pricing
    return PricedOrder(
        client_order_id=intent.client_order_id,
        account=intent.account,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        order_type=terms.order_type,
        limit_price=terms.limit_price,
        outside_rth=terms.outside_rth,
        purpose=intent.purpose,
        stop_price=terms.stop_price,
        time_in_force=terms.time_in_force,
        spend=pricing.spend if isinstance(pricing, AtMarket) else None,
        reduce_only=intent.reduce_only,
    )


async def lived(seconds: float, *, milliseconds: int = 0) -> House:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    house = House(now)
    house.tell(
        EngineStarted(version="test", mode="demo"),
        ConfigApplied(
            armed=True,
            options=None,
            strategies=(),
            managers=demo_managers(),
            allocation=demo_allocation(),
        ),
    )
    await house.live(seconds)
    return house


@pytest.mark.parametrize("milliseconds", STARTS)
async def test_within_a_minute_both_desks_are_at_work(milliseconds):
    house = await lived(60.0, milliseconds=milliseconds)
    assert 4.0 <= house.first(Purpose.RESIDENT_STOP) < 6.0
    assert house.first(Purpose.ENTRY) < 60.0
    assert house.first(Purpose.BRACKET) == house.first(Purpose.ENTRY)
    (guard,) = house.desk.perps.guards.open
    assert guard.levels.any
    assert guard.settings.time_limit_seconds == 300
    held = {
        holding.instrument.name: holding.effective for _, holding in house.desk.perps.people.held()
    }
    assert held == {"BTC-USD": Decimal("0.050"), "ETH-USD": Decimal("0.50")}


async def test_in_five_minutes_trades_are_closed_and_every_cent_is_accounted_for():
    house = await lived(330.0)
    desk = house.desk
    assert not tuple(desk.perps.guards.open)
    assert house.first(Purpose.BARRIER_EXIT) < 310.0
    closed = [it for it in desk.allocation.trades if it.close_type is not None]
    assert len(closed) >= 2
    ledger = desk.allocation.ledger
    told = house.free["spot", "USDT"]
    spent = sum((c.spent - c.earned for c in ledger.claims.values()), Decimal(0))
    assert told == ledger.total - spent
    assert ledger.reserved <= ledger.total
    assert {it.state for it in desk.floor.orders.values()} <= {
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.WORKING,
    }


async def test_pairs_nobody_wrote_a_price_of_are_traded_too():
    """What is not quoted in USDT is not listed; a long history is cut short."""
    house = House(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
    symbols = ["BTCUSDT", "XRPUSDT", "XRPEUR"]
    sets = tuple(
        ParameterSet(
            symbol=symbol,
            allocation_percent=Decimal(30),
            z_score_threshold=Decimal("0.1"),
            profit_percent=Decimal(10),
            stop_loss_percent=Decimal(5),
        )
        for symbol in symbols
    )
    house.venues = {
        "spot": synthetic_spot(
            house,
            name="spot",
            symbols=symbols,
            bar_seconds=60,
            history_bars=10_000,
            clock=house.clock,
            ticks=house._new_ticks(),
        )
    }
    settings = AllocationSettings(venue="spot", sets=sets, window=50)
    house.tell(
        EngineStarted(version="test", mode="paper"),
        ConfigApplied(armed=True, options=None, strategies=(), allocation=settings),
    )
    await house.live(300.0)
    seen = {symbol: one.series.seen for symbol, one in house.desk.allocation.watched.items()}
    assert seen == {"BTCUSDT": 50, "XRPUSDT": 50, "XRPEUR": 0}
    assert house.first(Purpose.ENTRY) <= 300.0


def test_what_is_declared_fits_the_exchanges():
    allocation = demo_allocation("spot")
    assert [it.symbol for it in allocation.sets] == ["BTCUSDT", "BNBUSDT", "ETHUSDT"]
    assert sum(it.allocation_percent for it in allocation.sets) <= 100
    assert allocation.interval_seconds == BAR_SECONDS
    (manager,) = demo_managers("perps")
    assert manager.watches("perps", "SOL-USD")
