"""Carries out what people ask over the attach socket: each request becomes a fact, or a reading."""

from collections.abc import Callable
from decimal import Decimal
from typing import assert_never

from engine.attach import (
    AcknowledgeAlert,
    AdoptStrategy,
    Caller,
    CheckConfig,
    CloseStrategies,
    GetStatus,
    GuardPosition,
    ReadConfig,
    ReadJournal,
    ReleasePosition,
    Reply,
    Request,
    ResetAllocations,
    RunDrill,
    SaveConfig,
    SetArmed,
    StopEngine,
    Subscribe,
    VerifyJournal,
)
from engine.config import ConfigError, SaveError
from engine.desk.facts import (
    AlertAcknowledged,
    ArmedChanged,
    CloseRequested,
    Fact,
    GuardReleased,
    GuardRequested,
    ResetRequested,
)
from engine.desk.perps.definitions import BarrierSettings
from engine.desk.snapshot import SetState, StrategyStatus
from engine.errors import BulkheadError
from engine.journal import Journal, as_document, tell_all
from engine.service.engine import Engine
from engine.service.settings import Settings, candidate_of

_DONE = (StrategyStatus.CLOSED,)


class Requests:
    """drill: assigns a leg on a paper venue and says what it did; stop: ends the engine; settings:
    the config file, None where there is none."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        *,
        drill: Callable[[str | None], str],
        stop: Callable[[], None],
        settings: Settings | None = None,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._drill = drill
        self._stop = stop
        self._settings = settings

    async def handle(self, request: Request, caller: Caller) -> Reply:
        """Answer one request that the attach server let through."""
        try:
            return await self._answer(request, caller)
        except (BulkheadError, ConfigError, SaveError) as error:
            return request.refused(str(error))

    async def _answer(self, request: Request, caller: Caller) -> Reply:
        about = request.about
        match about:
            case (
                CloseStrategies()
                | SetArmed()
                | AcknowledgeAlert()
                | ResetAllocations()
                | GuardPosition()
                | ReleasePosition()
            ):
                answer = await self._engine.ask(_fact(about, request.id, caller), request.id)
                return (
                    request.done(answer.message) if answer.ok else request.refused(answer.message)
                )
            case RunDrill():
                return request.done(self._drill(about.strategy_id))
            case StopEngine():
                message = f"Stopping. {unprotected(self._engine)}"
                self._stop()
                return request.done(message)
            case ReadJournal():
                entries = await self._journal.read(
                    since=about.since, strategy_id=about.strategy_id, limit=about.limit
                )
                rows = [as_document(entry) for entry in entries]
                return request.done(data={"entries": rows, "story": list(tell_all(entries))})
            case VerifyJournal():
                verdict = await self._journal.verify()
                reply = request.done if verdict.ok else request.refused
                return reply(verdict.what)
            case ReadConfig() | CheckConfig() | SaveConfig() | AdoptStrategy():
                return self._configure(request, about)
            case GetStatus() | Subscribe():
                return request.refused("Answered by the attach server.")
            case _:
                assert_never(about)

    def _configure(
        self, request: Request, about: ReadConfig | CheckConfig | SaveConfig | AdoptStrategy
    ) -> Reply:
        settings = self._settings
        if settings is None:
            return request.refused("This engine has no config file: it runs the demo.")
        match about:
            case ReadConfig():
                return request.done(data=settings.read())
            case CheckConfig():
                return request.done(data=settings.check(about.changes))
            case SaveConfig():
                return request.done(settings.save(about.changes, about.base))
            case AdoptStrategy():
                candidate = candidate_of(self._engine.snapshot(), about.candidate_id)
                return request.done(settings.adopt(candidate, about.strategy_id))
            case _:
                assert_never(about)


def unprotected(engine: Engine) -> str:
    """What nobody guards once the engine has stopped, and what only the venue does, in words."""
    snapshot = engine.snapshot()
    sets = () if snapshot.allocation is None else snapshot.allocation.sets
    bare = [
        s.id
        for s in snapshot.strategies
        if s.status not in _DONE and (s.shares or any(leg.held for leg in s.legs))
    ]
    bare += [b.id for b in snapshot.barriers if b.quantity and b.resident_stop is None]
    bare += [s.symbol for s in sets if s.quantity and s.state is not SetState.IN_POSITION]
    resting = [b.id for b in snapshot.barriers if b.quantity and b.resident_stop is not None]
    brackets = [s.symbol for s in sets if s.quantity and s.state is SetState.IN_POSITION]
    told = [f"nobody guards {', '.join(bare)} from now on"] if bare else []
    told += [f"only its stop at the venue guards {name}" for name in resting]
    told += [f"only its bracket at the venue guards {name}" for name in brackets]
    if not told:
        return "Nothing is held that Bulkhead guards."
    return f"Positions stay as they are; {'; '.join(told)}."


Asked = (
    CloseStrategies
    | SetArmed
    | AcknowledgeAlert
    | ResetAllocations
    | GuardPosition
    | ReleasePosition
)


def _fact(about: Asked, request_id: str, caller: Caller) -> Fact:
    match about:
        case ResetAllocations():
            return ResetRequested(request_id=request_id, force=about.force, by=caller.by)
        case ReleasePosition():
            return GuardReleased(request_id=request_id, barrier_id=about.barrier_id, by=caller.by)
        case GuardPosition():
            return GuardRequested(
                request_id=request_id,
                venue=about.venue,
                account=about.account,
                ref=about.ref,
                barriers=BarrierSettings(
                    stop_loss=_fraction(about.stop_loss),
                    take_profit=_fraction(about.take_profit),
                    trailing_activation=_fraction(about.trailing_activation),
                    trailing_delta=_fraction(about.trailing_delta),
                    time_limit_seconds=about.time_limit_seconds,
                ),
                by=caller.by,
            )
        case CloseStrategies():
            return CloseRequested(
                request_id=request_id,
                strategy_id=about.strategy_id,
                emergency=about.emergency,
                by=caller.by,
            )
        case SetArmed():
            return ArmedChanged(request_id=request_id, armed=about.armed, by=caller.by)
        case AcknowledgeAlert():
            return AlertAcknowledged(request_id=request_id, alert_id=about.alert_id, by=caller.by)


def _fraction(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
