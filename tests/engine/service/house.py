"""A whole engine against the loopback TWS: real socket, real ib_insync, real SQLite; only the
clock stands still unless told to go."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.desk.facts import (
    ArmedChanged,
    BookSnapshot,
    CloseRequested,
    ConfigApplied,
    Fact,
    VenueFact,
)
from engine.desk.market import Quote
from engine.desk.options.definitions import OptionSettings, StrategyDefinition
from engine.desk.snapshot import AssignmentKind, Snapshot, StrategyStatus, StrategyView
from engine.journal import Journal
from engine.service.engine import Engine, cancelled
from engine.venues.ib.settings import IbSettings
from engine.venues.ib.venue import IbVenue
from tests.engine.desk.world import MORNING, NIGHT, VENUE, definition
from tests.engine.service.clock import ManualClock
from tests.engine.service.screen import assert_screen_agrees
from tests.fakes.tws import ACCOUNT, LoopbackTws, condor_scene, scenes
from tests.fakes.tws.hours import open_around, session
from tests.fakes.tws.records import OrderView, Scene

__all__ = ["ACCOUNT", "MORNING", "NIGHT", "House"]

PATIENCE_SECONDS = 10.0
NAMES = {
    scenes.SPY: "SPY",
    scenes.PUT_440: "P440",
    scenes.PUT_435: "P435",
    scenes.CALL_460: "C460",
    scenes.CALL_465: "C465",
}


class House:
    """An engine and its broker. At NIGHT only stock trades; in the MORNING everything does."""

    def __init__(
        self,
        folder: Path,
        *,
        now: datetime = NIGHT,
        scene: Scene | None = None,
        strategies: tuple[StrategyDefinition, ...] | None = None,
        settings: OptionSettings | None = None,
        armed: bool = True,
        tws: LoopbackTws | None = None,
        ib: IbSettings | None = None,
    ) -> None:
        self.clock = ManualClock(now)
        self.tws = tws or LoopbackTws(scene or condor_scene(now=now), clock=self.clock.now)
        self._owns_tws = tws is None
        self._own_hours = scene is not None
        self._folder = folder
        self._config = ConfigApplied(
            armed=armed,
            options=settings or OptionSettings(venue=VENUE),
            strategies=(definition(),) if strategies is None else strategies,
        )
        self._ib = ib or IbSettings(host="127.0.0.1", port=0, client_id=17, settle_seconds=0.05)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._owns_tws:
            await self.tws.start()
        self._keep_hours()
        await self.start()
        await self.until(lambda s: s.venues[0].state == "ready")
        await self.described()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            assert_screen_agrees(self.engine.snapshot())
        await self.end()
        if self._owns_tws:
            await self.tws.stop()

    async def start(self) -> None:
        """Start the engine on the folder's journal, as a restart does."""
        self.journal = await Journal.open(self._folder / "journal.sqlite")
        self.engine = Engine(mode="live", journal=self.journal, clock=self.clock)
        await self.engine.recover()
        ib = replace(self._ib, port=self.tws.port)
        self.tap = Tap(self.engine, self._changed)
        self.venue = IbVenue(
            VENUE, self.tap, ib, now=self.clock.now, sleep=_short, jitter=lambda: 0.0
        )
        self.engine.use(venues={VENUE: self.venue}, publish=lambda urgent: self._changed.set())
        self.engine.start(self._config)
        self._running = asyncio.create_task(self.venue.run())

    async def end(self) -> None:
        """End the engine at once, whatever it was doing."""
        self.engine.stop()
        await cancelled([self._running])
        await self.engine.drained()
        await self.journal.close()

    async def restart(self) -> None:
        await self.end()
        await self.start()
        await self.until(lambda s: s.venues[0].state == "ready")

    async def described(self) -> None:
        """Wait until the contracts of what is held, and what it is written on, are known and
        quoted, as they are a moment after connecting."""
        specs = self.engine.desk.floor.specs
        held = {(VENUE, str(p.con_id)) for p in self.tws.positions() if p.quantity}
        await self.until(lambda s: held <= specs.keys())
        under = {(VENUE, spec.underlying_ref) for spec in specs.values() if spec.underlying_ref}
        stocks = {(VENUE, str(con_id)) for con_id in NAMES} & under
        await self.until(lambda s: stocks <= specs.keys())
        quoted = {(VENUE, str(con_id)) for con_id in self.tws.book.quotes} & (held | stocks)
        await self.until(lambda s: quoted <= self.tap.quoted)

    async def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait until the picture shows it; fail with the last picture."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds(snapshot := self.engine.snapshot()):
                    self._changed.clear()
                    await self._changed.wait()
                return snapshot
        except TimeoutError:
            raise AssertionError(f"never came true; last: {self.engine.snapshot()}") from None

    async def kind_is(self, *kinds: AssignmentKind) -> Snapshot:
        return await self.until(lambda s: tuple(a.kind for a in s.assignments) == kinds)

    async def status_is(self, status: StrategyStatus) -> Snapshot:
        return await self.until(lambda s: s.strategies[0].status is status)

    async def reconciled(self) -> None:
        """Ask the broker for everything and wait until the answer is judged."""
        seen = self.tap.books
        self.venue.ask()
        await self.until(lambda s: self.tap.books > seen)
        await self.engine.drained()

    async def close(self, strategy_id: str | None = "SPY-IC-1", *, emergency: bool = True) -> str:
        """Ask for a close as a person does; the engine's words."""
        fact: Fact = CloseRequested(
            request_id="r1", strategy_id=strategy_id, emergency=emergency, by="test"
        )
        return (await self.engine.ask(fact, "r1")).message

    async def arm(self, armed: bool) -> str:
        fact = ArmedChanged(request_id="r2", armed=armed, by="test")
        return (await self.engine.ask(fact, "r2")).message

    @property
    def strategy(self) -> StrategyView:
        return self.engine.snapshot().strategies[0]

    def sent(self) -> list[str]:
        """The orders that reached the broker, in their order, but for what-if questions."""
        return [
            f"{o.action} {o.quantity:f} {NAMES.get(o.con_id, o.con_id)}"
            for o in self.tws.order_records()
            if not o.what_if
        ]

    def views(self) -> tuple[OrderView, ...]:
        """Every order the broker holds now."""
        return self.tws.order_views()

    def held(self) -> dict[str, int]:
        positions = self.tws.positions()
        return {
            NAMES.get(p.con_id, str(p.con_id)): int(p.quantity) for p in positions if p.quantity
        }

    def _keep_hours(self) -> None:
        now = self.clock.now()
        if now >= MORNING or self._own_hours:
            return
        regular = session(MORNING, MORNING + timedelta(hours=6.5))
        for con_id in NAMES:
            self.tws.set_hours(regular, regular, con_id)
        self.tws.set_hours(open_around(now), regular, scenes.SPY)


class Tap:
    """The engine's sink, with a counter on the complete books that came through, and what was
    quoted."""

    def __init__(self, engine: Engine, changed: asyncio.Event) -> None:
        self._engine = engine
        self._changed = changed
        self.books = 0
        self.quoted: set[tuple[str, str]] = set()
        self.heard = engine.heard
        self.bars = engine.bars
        self.doubtful = engine.doubtful

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        self.quoted.add((venue, ref))
        self._engine.quote(venue, ref, quote)

    def facts(self, batch: Iterable[VenueFact]) -> None:
        batch = tuple(batch)
        self._engine.facts(batch)
        self.books += sum(isinstance(fact, BookSnapshot) for fact in batch)
        self._changed.set()


async def _short(seconds: float) -> None:
    await asyncio.sleep(0)
