"""A link that keeps the real port: it shows what a test tells it to, and remembers requests."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from engine.desk.snapshot import Snapshot
from tui.link import Answer, EngineLink, LinkFailed


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

    async def read_journal(self, strategy_id: str, *, limit: int) -> tuple[str, ...]:
        return ("15:04:21  position of SPY 18Dec26 440 P is 0",)

    async def aclose(self) -> None:
        pass

    async def _answer(self, *request: object) -> Answer:
        self._engine.requests.append(request)
        if self._engine.gate is not None:
            await self._engine.gate.wait()
        if self._engine.answer is None:
            raise LinkFailed("The engine is gone.")
        return self._engine.answer
