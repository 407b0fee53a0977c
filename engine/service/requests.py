"""Carries out what people ask over the attach socket: each request becomes a fact, or a reading."""

from collections.abc import Callable
from typing import assert_never

from engine.attach import (
    AcknowledgeAlert,
    Caller,
    CloseStrategies,
    GetStatus,
    ReadJournal,
    Reply,
    Request,
    ResetAllocations,
    RunDrill,
    SetArmed,
    StopEngine,
    Subscribe,
    VerifyJournal,
)
from engine.desk.facts import AlertAcknowledged, ArmedChanged, CloseRequested, Fact
from engine.desk.snapshot import StrategyStatus
from engine.errors import BulkheadError
from engine.journal import Journal, as_document, tell_all
from engine.service.engine import Engine

_DONE = (StrategyStatus.CLOSED,)


class Requests:
    """drill: assigns a leg on a paper venue and says what it did; stop: ends the engine."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        *,
        drill: Callable[[str | None], str],
        stop: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._drill = drill
        self._stop = stop

    async def handle(self, request: Request, caller: Caller) -> Reply:
        """Answer one request that the attach server let through."""
        try:
            return await self._answer(request, caller)
        except BulkheadError as error:
            return request.refused(str(error))

    async def _answer(self, request: Request, caller: Caller) -> Reply:
        about = request.about
        match about:
            case CloseStrategies() | SetArmed() | AcknowledgeAlert():
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
            case ResetAllocations():
                return request.refused("No allocation desk is configured.")
            case GetStatus() | Subscribe():
                return request.refused("Answered by the attach server.")
            case _:
                assert_never(about)


def unprotected(engine: Engine) -> str:
    """What nobody guards once the engine has stopped, in one sentence."""
    snapshot = engine.snapshot()
    held = [
        s.id
        for s in snapshot.strategies
        if s.status not in _DONE and (s.shares or any(leg.held for leg in s.legs))
    ]
    if not held:
        return "No declared strategy holds anything."
    return f"Positions stay as they are; nobody guards {', '.join(held)} from now on."


def _fact(
    about: CloseStrategies | SetArmed | AcknowledgeAlert, request_id: str, caller: Caller
) -> Fact:
    match about:
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
