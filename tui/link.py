"""The terminal's end of the wire: a small port for all it may ask, and the attach client behind it.

Nothing here draws. A lost link raises LinkFailed everywhere, with words a person can read. Imports
nothing of ours that is heavy before it is used.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.desk.snapshot import Snapshot
from tui.journal import JournalEntry, entries_of

if TYPE_CHECKING:
    from engine.attach.client import AttachClient
    from engine.attach.protocol import About, Reply


class LinkFailed(Exception):
    """The engine cannot be reached, or was lost; the text says why, for a person."""


class Refused(LinkFailed):
    """The engine is there and would not answer this; the text is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request: done or not, and the engine's own words."""

    done: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardWish:
    """Barriers for a held position; fractions as decimal text, None where unset."""

    venue: str
    account: str
    ref: str
    stop_loss: str | None = None
    take_profit: str | None = None
    trailing_activation: str | None = None
    trailing_delta: str | None = None
    time_limit_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key of the config set to a value in its own form, or taken out."""

    path: str
    value: Any = None
    remove: bool = False


class EngineLink(Protocol):
    """One attached engine. Every call raises LinkFailed when the link is gone, and reading raises
    Refused where the engine would not tell."""

    def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        """Yield the newest picture each time there is one, until the link is lost."""

    async def close_strategies(self, strategy_id: str | None, *, emergency: bool) -> Answer:
        """Close what goes by this id, or everything if it is None."""

    async def set_armed(self, armed: bool) -> Answer:
        """Arm or disarm the engine."""

    async def acknowledge(self, alert_id: str) -> Answer:
        """Acknowledge one alert."""

    async def reset_allocations(self, *, force: bool) -> Answer:
        """Release reservations: all that nothing live stands behind, or with force all."""

    async def guard(self, wish: GuardWish) -> Answer:
        """Put a held perpetual between barriers."""

    async def release(self, barrier_id: str) -> Answer:
        """Take a position out from between its barriers."""

    async def adopt(self, candidate_id: str, strategy_id: str | None) -> Answer:
        """Register a candidate as a strategy."""

    async def drill(self, strategy_id: str | None) -> Answer:
        """Assign a leg of the demo, to practise."""

    async def read_journal(
        self, *, since: datetime | None = None, strategy_id: str | None = None, limit: int
    ) -> tuple[JournalEntry, ...]:
        """The newest entries that fit, oldest first."""

    async def read_config(self) -> Any:
        """The config as a form; `tui.config_form` says what it looks like."""

    async def check_config(self, changes: Sequence[Change]) -> Any:
        """Faults and effects of changes, as `tui.config_form` says."""

    async def save_config(self, changes: Sequence[Change], base: str) -> Answer:
        """Write changes to the file that was read at fingerprint base."""

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

    async def reset_allocations(self, *, force: bool) -> Answer:
        from engine.attach.protocol import ResetAllocations

        return await self._ask(lambda: ResetAllocations(force=force))

    async def guard(self, wish: GuardWish) -> Answer:
        from engine.attach.protocol import GuardPosition

        return await self._ask(
            lambda: GuardPosition(
                venue=wish.venue,
                account=wish.account,
                ref=wish.ref,
                stop_loss=wish.stop_loss,
                take_profit=wish.take_profit,
                trailing_activation=wish.trailing_activation,
                trailing_delta=wish.trailing_delta,
                time_limit_seconds=wish.time_limit_seconds,
            )
        )

    async def release(self, barrier_id: str) -> Answer:
        from engine.attach.protocol import ReleasePosition

        return await self._ask(lambda: ReleasePosition(barrier_id=barrier_id))

    async def adopt(self, candidate_id: str, strategy_id: str | None) -> Answer:
        from engine.attach.protocol import AdoptStrategy

        return await self._ask(
            lambda: AdoptStrategy(candidate_id=candidate_id, strategy_id=strategy_id)
        )

    async def drill(self, strategy_id: str | None) -> Answer:
        from engine.attach.protocol import RunDrill

        return await self._ask(lambda: RunDrill(strategy_id=strategy_id))

    async def read_journal(
        self, *, since: datetime | None = None, strategy_id: str | None = None, limit: int
    ) -> tuple[JournalEntry, ...]:
        from engine.attach.protocol import ReadJournal

        return entries_of(
            await self._data(lambda: ReadJournal(since=since, strategy_id=strategy_id, limit=limit))
        )

    async def read_config(self) -> Any:
        from engine.attach.protocol import ReadConfig

        return await self._data(ReadConfig)

    async def check_config(self, changes: Sequence[Change]) -> Any:
        from engine.attach.protocol import CheckConfig, ConfigChange

        return await self._data(
            lambda: CheckConfig(
                changes=tuple(
                    ConfigChange(path=one.path, value=one.value, remove=one.remove)
                    for one in changes
                )
            )
        )

    async def save_config(self, changes: Sequence[Change], base: str) -> Answer:
        from engine.attach.protocol import ConfigChange, SaveConfig

        return await self._ask(
            lambda: SaveConfig(
                changes=tuple(
                    ConfigChange(path=one.path, value=one.value, remove=one.remove)
                    for one in changes
                ),
                base=base,
            )
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def _ask(self, about: "Callable[[], About]") -> Answer:
        reply = await self._reply(about)
        return Answer(done=reply.ok, message=reply.message)

    async def _data(self, about: "Callable[[], About]") -> Any:
        reply = await self._reply(about)
        if not reply.ok:
            raise Refused(reply.message or "The engine would not tell.")
        return reply.data

    async def _reply(self, about: "Callable[[], About]") -> "Reply":
        from engine.attach.errors import AttachError

        try:
            return await self._client.request(about())
        except AttachError as error:
            raise LinkFailed(str(error)) from error
        except ValueError:
            raise LinkFailed("This name cannot be sent: nothing was asked.") from None
