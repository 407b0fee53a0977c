"""A link that keeps the real port: it shows what a test tells it to, and remembers requests."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.desk.snapshot import Snapshot
from tui.journal import JournalEntry
from tui.link import Answer, Change, EngineLink, GuardWish, LinkFailed, Refused


@dataclass
class ScriptedEngine:
    """What is on the other end of ScriptedLink: put pictures in, read requests out."""

    pictures: asyncio.Queue[Snapshot | None] = field(default_factory=asyncio.Queue)
    requests: list[tuple[object, ...]] = field(default_factory=list)
    answer: Answer | None = field(default_factory=lambda: Answer(done=True, message="4 orders go."))
    reachable: bool = True
    retry: asyncio.Event = field(default_factory=asyncio.Event)
    attached: int = 0
    gate: asyncio.Event | None = None
    journal: list[JournalEntry] = field(default_factory=list)
    journal_asked: list[tuple[object, ...]] = field(default_factory=list)
    config: Any = None
    checked: list[tuple[Change, ...]] = field(default_factory=list)
    judge: Callable[[tuple[Change, ...]], Any] = lambda _: {"faults": [], "effects": []}

    def show(self, snapshot: Snapshot) -> None:
        self.pictures.put_nowait(snapshot)

    def die(self) -> None:
        """Lose the link; what attaches next is refused until return_to_life()."""
        self.reachable = False
        self.pictures.put_nowait(None)

    def return_to_life(self) -> None:
        self.reachable = True
        self.retry.set()

    async def pause(self, seconds: float) -> None:
        """Stands for the time between two tries: it is over when the engine returns."""
        await self.retry.wait()
        self.retry.clear()

    async def attach(self) -> EngineLink:
        if not self.reachable:
            raise LinkFailed("No engine is running.")
        self.attached += 1
        return ScriptedLink(self)


class ScriptedLink:
    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine

    async def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        while True:
            picture = await self._engine.pictures.get()
            if picture is None:
                raise LinkFailed("The engine is gone.")
            yield picture

    async def close_strategies(self, strategy_id: str | None, *, emergency: bool) -> Answer:
        return await self._answer("close", strategy_id, emergency)

    async def set_armed(self, armed: bool) -> Answer:
        return await self._answer("arm", armed)

    async def acknowledge(self, alert_id: str) -> Answer:
        return await self._answer("acknowledge", alert_id)

    async def reset_allocations(self, *, force: bool) -> Answer:
        return await self._answer("reset", force)

    async def guard(self, wish: GuardWish) -> Answer:
        return await self._answer("guard", wish)

    async def release(self, barrier_id: str) -> Answer:
        return await self._answer("release", barrier_id)

    async def adopt(self, candidate_id: str, strategy_id: str | None) -> Answer:
        return await self._answer("adopt", candidate_id, strategy_id)

    async def drill(self, strategy_id: str | None) -> Answer:
        return await self._answer("drill", strategy_id)

    async def read_journal(
        self, *, since: datetime | None = None, strategy_id: str | None = None, limit: int
    ) -> tuple[JournalEntry, ...]:
        self._engine.journal_asked.append((since, strategy_id, limit))
        found = [
            entry
            for entry in self._engine.journal
            if (since is None or entry.at >= since)
            and (strategy_id is None or entry.strategy_id == strategy_id)
        ]
        return tuple(found[-limit:])

    async def read_config(self) -> Any:
        if self._engine.config is None:
            raise Refused("This engine has no config file: it runs the demo.")
        return self._engine.config

    async def check_config(self, changes: Sequence[Change]) -> Any:
        self._engine.checked.append(tuple(changes))
        return self._engine.judge(tuple(changes))

    async def save_config(self, changes: Sequence[Change], base: str) -> Answer:
        return await self._answer("save", tuple(changes), base)

    async def aclose(self) -> None:
        pass

    async def _answer(self, *request: object) -> Answer:
        self._engine.requests.append(request)
        if self._engine.gate is not None:
            await self._engine.gate.wait()
        if self._engine.answer is None:
            raise LinkFailed("The engine is gone.")
        return self._engine.answer
