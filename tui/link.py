"""The terminal's end of the link to the engine.

The app knows `EngineLink` only. `AttachLink` keeps it over the engine's socket; tests keep it with
scripted pictures. A request whose answer never came is of unknown fate, never "failed".
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.desk.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.attach.client import AttachClient
    from engine.attach.protocol import About, Reply


class LinkFailed(Exception):
    """The engine cannot be reached, or was lost; the text says why, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request: done or not, and the engine's own words."""

    done: bool
    message: str


class EngineLink(Protocol):
    """One attached engine. Every call raises LinkFailed when the link is gone."""

    def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        """Yield the newest picture each time there is one, until the link is lost."""

    async def close_strategies(self, strategy_id: str | None, *, emergency: bool) -> Answer:
        """Close one strategy, or everything if strategy_id is None."""

    async def set_armed(self, armed: bool) -> Answer:
        """Arm or disarm the engine."""

    async def acknowledge(self, alert_id: str) -> Answer:
        """Acknowledge one alert."""

    async def read_journal(self, strategy_id: str, *, limit: int) -> tuple[str, ...]:
        """The last lines of the journal about a strategy, oldest first."""

    async def aclose(self) -> None:
        """Detach. Never raises."""


LinkFactory = Callable[[], Awaitable[EngineLink]]


def attach_factory(path: Path, *, read_only: bool, client_name: str = "terminal") -> LinkFactory:
    """Return a factory that attaches to the engine listening at path."""

    async def attach() -> EngineLink:
        return await AttachLink.connect(path, read_only=read_only, client_name=client_name)

    return attach


class AttachLink:
    """EngineLink over the engine's Unix socket."""

    def __init__(self, client: "AttachClient") -> None:
        self._client = client

    @classmethod
    async def connect(cls, path: Path, *, read_only: bool, client_name: str) -> "AttachLink":
        from engine.attach.client import AttachClient
        from engine.attach.errors import AttachError
        from engine.attach.protocol import Role

        role = Role.READ_ONLY if read_only else Role.CONTROL
        try:
            return cls(await AttachClient.connect(path, role=role, client_name=client_name))
        except AttachError as error:
            raise LinkFailed(str(error)) from error

    async def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        from engine.attach.errors import AttachError

        try:
            async for snapshot in self._client.snapshots():
                yield snapshot
        except AttachError as error:
            raise LinkFailed(str(error)) from error

    async def close_strategies(self, strategy_id: str | None, *, emergency: bool) -> Answer:
        from engine.attach.protocol import CloseStrategies

        return await self._ask(
            lambda: CloseStrategies(strategy_id=strategy_id, emergency=emergency)
        )

    async def set_armed(self, armed: bool) -> Answer:
        from engine.attach.protocol import SetArmed

        return await self._ask(lambda: SetArmed(armed=armed))

    async def acknowledge(self, alert_id: str) -> Answer:
        from engine.attach.protocol import AcknowledgeAlert

        return await self._ask(lambda: AcknowledgeAlert(alert_id=alert_id))

    async def read_journal(self, strategy_id: str, *, limit: int) -> tuple[str, ...]:
        from engine.attach.protocol import ReadJournal

        reply = await self._reply(lambda: ReadJournal(strategy_id=strategy_id, limit=limit))
        entries = reply.data if reply.ok and isinstance(reply.data, list) else ()
        return tuple(_journal_line(entry) for entry in entries)

    async def aclose(self) -> None:
        await self._client.close()

    async def _ask(self, about: "Callable[[], About]") -> Answer:
        reply = await self._reply(about)
        return Answer(done=reply.ok, message=reply.message)

    async def _reply(self, about: "Callable[[], About]") -> "Reply":
        from engine.attach.errors import AttachError

        try:
            return await self._client.request(about())
        except AttachError as error:
            raise LinkFailed(str(error)) from error
        except ValueError:
            raise LinkFailed("This name cannot be sent: nothing was asked.") from None


def _journal_line(entry: object) -> str:
    """The journal tells each entry in words of its own."""
    return str(entry.get("text", "")) if isinstance(entry, dict) else str(entry)
