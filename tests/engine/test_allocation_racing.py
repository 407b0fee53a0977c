"""Fifty tasks race for one account at an exchange that fails and falls silent at random: the real
engine and its journal, a clock that the test turns."""

import asyncio
import heapq
import tempfile
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.desk import Desk
from engine.desk.facts import (
    CloseRequested,
    ConfigApplied,
    ContractDescribed,
    EngineStarted,
    Fact,
    OrderUnanswered,
    SignalKind,
    SignalRaised,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import Instrument
from engine.desk.intents import Purpose
from engine.journal import Journal
from engine.service.engine import Engine
from engine.venues.port import PricedOrder
from tests.engine.desk.allocation.spot_exchange import NOON, VENUE, SpotExchange
from tests.engine.desk.allocation.spot_world import parameters

NAMES = [f"C{number:02d}USDT" for number in range(50)]


async def turns(count: int) -> None:
    """Let the others go so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


class TurnedClock:
    """Keeps engine.service.clock.Clock; only ticks until it is turned: no two instants are one."""

    def __init__(self) -> None:
        self._now = NOON
        self._alarms: list[tuple[datetime, int, Alarm]] = []
        self._numbers = count()

    def now(self) -> datetime:
        self._now += timedelta(microseconds=1)
        return self._now

    def call_at(self, when: datetime, wake: Callable[[], None]) -> "Alarm":
        alarm = Alarm(wake)
        heapq.heappush(self._alarms, (when, next(self._numbers), alarm))
        return alarm

    def turn(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        while self._alarms and self._alarms[0][0] <= self._now:
            heapq.heappop(self._alarms)[2].ring()


class Alarm:
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake: Callable[[], None] | None = wake

    def cancel(self) -> None:
        self._wake = None

    def ring(self) -> None:
        if self._wake is not None:
            self._wake()


class Exchange:
    """A spot exchange behind a bad line; keeps engine.venues.port.Venue.

    faulty is the part of orders that is refused, lost on the way there, or never answered. broken:
    what no engine may do.
    """

    name, kind, clock_skew_seconds = VENUE, "ccxt", None

    def __init__(self, clock: TurnedClock, dice: Random, faulty: float) -> None:
        self.spot = SpotExchange(
            fee=Decimal("0.001"), step=Decimal("0.001"), prices=dict.fromkeys(NAMES, Decimal(10))
        )
        self.faulty = faulty
        self.engine: Engine | None = None
        self.broken: list[str] = []
        self._clock = clock
        self._dice = dice
        self._work: set[asyncio.Task[None]] = set()
        self._flying: set[str] = set()

    async def run(self) -> None: ...

    def watch(self, instruments: Iterable[Instrument]) -> None: ...

    def place(self, order: PricedOrder) -> None:
        self._start(self._place(order))

    def cancel(self, order: PricedOrder) -> None:
        self._start(self._cancel(order.client_order_id))

    def ask(self) -> None:
        self._start(self._answer())

    def move(self, name: str) -> None:
        """Let a price jump to or through a leg of its bracket, or a little."""
        factor = self._dice.choice(["1.11", "0.94", "1.02", "0.99"])
        price = self.spot.prices[name] * Decimal(factor)
        price = min(max(price, Decimal(2)), Decimal(50)).quantize(Decimal("0.01"))
        part = self._dice.choice([Decimal(1), Decimal("0.4")])
        self._tell(self.spot.move(name, price, self._clock.now(), part))

    @property
    def idle(self) -> bool:
        return not self._work

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        error = task.exception()
        if error is not None:
            self.broken.append(str(error))

    def _tell(self, facts: Iterable[Fact]) -> None:
        assert self.engine is not None
        for fact in facts:
            self.engine.tell(fact)

    async def _place(self, priced: PricedOrder) -> None:
        assert self.engine is not None
        order = self.engine.desk.floor.orders[priced.client_order_id]
        assert order.terms is not None
        self._flying.add(priced.client_order_id)
        await turns(self._dice.randrange(12))
        self._flying.discard(priced.client_order_id)
        fate = self._dice.choice(["refused", "lost", "unanswered", "silent", "cut"])
        fate = fate if self._dice.random() < self.faulty else ""
        unanswered = OrderUnanswered(client_order_id=priced.client_order_id, reason="timed out")
        if fate == "lost":
            self._tell([unanswered])
            return
        if fate == "refused":
            self.spot.refuse[order.intent.purpose] = "no"
        if fate == "cut":
            self.spot.fill_part = Decimal(self._dice.randrange(10)) / 10
        if priced.spend is not None:
            assert priced.spend <= self.spot.cash, "money was promised that is not there"
        said = list(self.spot.take(order.intent, order.terms, self._clock.now()))
        self.spot.fill_part = Decimal(1)
        if fate == "unanswered":
            self._tell([unanswered])
        elif fate != "silent":
            self._dice.shuffle(said)
            self._tell(said)

    async def _cancel(self, order_id: str) -> None:
        await turns(self._dice.randrange(12))
        if self._dice.random() >= self.faulty:
            self._tell(self.spot.cancel(order_id))

    async def _answer(self) -> None:
        """Tell the book: what was sent before the question is in it, or did not arrive."""
        asked_at, before = self._clock.now(), set(self._flying)
        await turns(self._dice.randrange(12))
        while before & self._flying:
            await asyncio.sleep(0)
        if self._dice.random() >= self.faulty:
            self.confirm(asked_at)

    def confirm(self, asked_at: datetime) -> None:
        self._tell([self.spot.snapshot(asked_at), self.spot.balance()])


class Race:
    """One engine, one exchange, fifty tasks."""

    def __init__(self, journal: Journal, seed: int, faulty: float) -> None:
        self.clock = TurnedClock()
        self.dice = Random(seed)
        self.exchange = Exchange(self.clock, self.dice, faulty)
        self.engine = Engine(mode="paper", journal=journal, clock=self.clock)
        self.exchange.engine = self.engine
        self.engine.use(venues={VENUE: self.exchange})
        self._bars = count()

    def start(self) -> None:
        # Fifty times 7 % of what there is.
        sets = tuple(parameters(name, "7", "5", "10", "5") for name in NAMES)
        self.engine.tell(
            EngineStarted(version="", mode="paper"),
            ConfigApplied(
                armed=True,
                options=None,
                strategies=(),
                allocation=AllocationSettings(venue=VENUE, sets=sets),
            ),
            *(ContractDescribed(venue=VENUE, spec=self.exchange.spot.spec(n)) for n in NAMES),
            self.exchange.spot.snapshot(self.clock.now()),
            self.exchange.spot.balance(),
            VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=True),
        )

    async def signal_twice(self, name: str) -> None:
        """Signal whatever becomes of it, and let the price move in between."""
        for _ in range(2):
            await turns(1 + self.dice.randrange(20))
            self.engine.tell(self._signal(name, SignalKind.ENTRY))
            await turns(self.dice.randrange(60))
            self.exchange.move(name)
            if self.dice.random() < 0.2:
                self.engine.tell(self._signal(name, SignalKind.REVERSAL))

    async def settle(self, seconds: int) -> None:
        """Let so many seconds pass, and all that happens in them."""
        for _ in range(seconds):
            self.clock.turn(1.0)
            await self.engine.drained()
            while not self.exchange.idle:
                await asyncio.sleep(0)
            await self.engine.drained()

    def _signal(self, name: str, kind: SignalKind) -> SignalRaised:
        return SignalRaised(
            venue=VENUE,
            symbol=name,
            kind=kind,
            z_score=9.0 if kind is SignalKind.ENTRY else -1.0,
            price=self.exchange.spot.prices[name],
            bar_at=NOON + timedelta(seconds=next(self._bars)),
        )


async def assert_never_too_much(journal: Journal) -> None:
    """Live the journal again, fact by fact: reservations never pass what there is."""
    desk = Desk()
    async for batch in journal.replay():
        for fact in batch.facts:
            desk.apply((fact,), batch.at)
            ledger = desk.allocation.ledger
            claims = [claim.amount for claim in ledger.claims.values() if claim.reserved]
            assert sum(claims) == ledger.reserved <= ledger.total
            assert ledger.available >= 0


async def race(seed: int, faulty: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with await Journal.open(Path(folder) / "journal.sqlite") as journal:
            run = Race(journal, seed, faulty)
            run.start()
            await asyncio.gather(*(run.signal_twice(name) for name in NAMES))
            await run.settle(30)
            exchange, desk = run.exchange, run.engine.desk
            exchange.faulty = 0.0
            exchange.spot.refuse.clear()
            exchange.confirm(run.clock.now())
            await run.settle(80)
            run.engine.tell(
                CloseRequested(request_id="end", strategy_id=None, emergency=True, by="me")
            )
            await run.settle(120)
            assert exchange.broken == []
            assert desk.allocation.episodes == {}
            ledger = desk.allocation.ledger
            assert ledger.reserved == 0
            assert ledger.available == ledger.total == exchange.spot.cash
            buys = [o for o in exchange.spot.orders.values() if o.order.purpose is Purpose.ENTRY]
            assert len(buys) > 5
            run.engine.stop()
            await assert_never_too_much(journal)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), faulty=st.sampled_from([0.0, 0.2, 0.5, 0.8]))
def test_fifty_tasks_racing_for_one_account_promise_no_money_twice(
    seed: int, faulty: float
) -> None:
    asyncio.run(race(seed, faulty))
