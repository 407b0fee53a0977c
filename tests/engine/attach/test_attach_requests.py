"""What is asked through the socket: who may, when, how often, and what the engine answers."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import randbytes
from typing import Any

import pytest

from engine.attach import (
    AttachClient,
    Caller,
    CloseStrategies,
    EngineLost,
    EngineNotRunning,
    GetStatus,
    Limits,
    NoAnswer,
    ReadJournal,
    Reply,
    Request,
    Role,
    SetArmed,
    StopEngine,
    Subscribe,
    VerifyJournal,
    snapshot_from_document,
)
from tests.engine.attach.attach_support import Engine, Raw, empty, request, until

Serve = Callable[..., Any]
CLOSE_ALL = {"type": "close_strategies", "strategy_id": None, "emergency": True}
CONTROL: list[dict[str, Any]] = [
    CLOSE_ALL,
    {"type": "set_armed", "armed": False},
    {"type": "acknowledge_alert", "alert_id": "n1"},
    {"type": "reset_allocations", "force": False},
    {"type": "stop_engine"},
    {"type": "run_drill", "strategy_id": "SPY-IC-1"},
]
READ: list[dict[str, Any]] = [
    {"type": "read_journal", "since": "2026-11-20T12:00:00Z", "strategy_id": None, "limit": 5},
    {"type": "verify_journal"},
]


@pytest.mark.parametrize("about", CONTROL + READ, ids=lambda about: about["type"])
async def test_a_request_reaches_the_engine_and_is_answered(
    serve: Serve, path: Path, engine: Engine, about: dict[str, Any]
) -> None:
    await serve()
    raw = await Raw.welcomed(path)
    asked = request(about)
    raw.say(asked)

    reply = await raw.hear()

    assert reply == {
        "type": "reply",
        "id": asked["id"],
        "ok": True,
        "message": "done",
        "data": {"about": about["type"]},
    }
    taken, caller = engine.taken[0]
    assert taken.about.model_dump(mode="json") == about
    assert caller.client == "test"
    assert caller.by.startswith("test (process ")
    await raw.leave()


@pytest.mark.parametrize("about", CONTROL, ids=lambda about: about["type"])
async def test_a_read_only_terminal_may_not_act(
    serve: Serve, path: Path, engine: Engine, about: dict[str, Any]
) -> None:
    await serve()
    raw = await Raw.welcomed(path, role="read_only")
    raw.say(request(about))

    reply = await raw.hear()

    assert reply["ok"] is False
    assert "read-only" in reply["message"]
    assert engine.taken == []
    await raw.leave()


async def test_a_read_only_terminal_may_look(serve: Serve, path: Path, engine: Engine) -> None:
    await serve()
    async with await AttachClient.connect(path, role=Role.READ_ONLY, client_name="t") as client:
        assert (await client.request(ReadJournal())).ok
        assert (await client.request(VerifyJournal())).ok
        status = await client.request(GetStatus())

    assert snapshot_from_document(status.data) == empty()


async def test_a_replayed_request_is_carried_out_once(
    serve: Serve, path: Path, engine: Engine
) -> None:
    await serve()
    first, second = await Raw.welcomed(path), await Raw.welcomed(path)
    asked = request(CLOSE_ALL)
    first.say(asked)
    assert (await first.hear())["ok"] is True

    second.say(asked)
    replayed = await second.hear()

    assert replayed["ok"] is False
    assert "before" in replayed["message"]
    assert len(engine.taken) == 1
    await first.leave()
    await second.leave()


async def test_a_flood_of_questions_does_not_make_an_old_order_new(
    serve: Serve, path: Path, engine: Engine
) -> None:
    await serve(limits=Limits(nonces=4))
    raw = await Raw.welcomed(path)
    asked = request(CLOSE_ALL)
    raw.say(asked)
    await raw.hear()
    for _ in range(10):
        raw.say(request({"type": "get_status"}))
        await raw.hear()

    raw.say(asked)

    assert (await raw.hear())["ok"] is False
    await raw.leave()


async def test_an_expired_request_is_not_carried_out(
    serve: Serve, path: Path, engine: Engine
) -> None:
    await serve(now=lambda: datetime.now(UTC) + timedelta(seconds=6))
    raw = await Raw.welcomed(path)
    raw.say(request(CLOSE_ALL))

    reply = await raw.hear()

    assert reply["ok"] is False
    assert "too late" in reply["message"]
    assert engine.taken == []
    await raw.leave()


async def test_a_request_from_the_future_is_not_carried_out(
    serve: Serve, path: Path, engine: Engine
) -> None:
    await serve(now=lambda: datetime.now(UTC) - timedelta(hours=1))
    raw = await Raw.welcomed(path)
    raw.say(request(CLOSE_ALL))

    reply = await raw.hear()

    assert reply["ok"] is False
    assert "future" in reply["message"]
    assert engine.taken == []
    await raw.leave()


async def test_a_slow_question_does_not_hold_up_a_close(serve: Serve, path: Path) -> None:
    released = asyncio.Event()

    async def handle(asked: Request, caller: Caller) -> Reply:
        if isinstance(asked.about, VerifyJournal):
            await released.wait()
        return asked.done()

    await serve(handle=handle)
    async with await AttachClient.connect(path, role=Role.CONTROL, client_name="t") as client:
        slow = asyncio.create_task(client.request(VerifyJournal()))
        closed = await client.request(CloseStrategies(strategy_id=None, emergency=True))
        assert closed.ok
        assert not slow.done()
        released.set()
        assert (await slow).ok


async def test_a_close_outlives_the_terminal_that_asked_for_it(serve: Serve, path: Path) -> None:
    released, begun, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(asked: Request, caller: Caller) -> Reply:
        begun.set()
        await released.wait()
        finished.set()
        return asked.done()

    server = await serve(handle=handle)
    raw = await Raw.welcomed(path)
    raw.say(request(CLOSE_ALL))
    await begun.wait()
    await raw.leave()
    await until(lambda: server.attached == 0)

    released.set()
    await asyncio.wait_for(finished.wait(), 5)


async def test_too_many_requests_under_way_are_refused(serve: Serve, path: Path) -> None:
    released = asyncio.Event()

    async def handle(asked: Request, caller: Caller) -> Reply:
        await released.wait()
        return asked.done()

    await serve(handle=handle, limits=Limits(requests_under_way=2))
    raw = await Raw.welcomed(path)
    for _ in range(3):
        raw.say(request(CLOSE_ALL))

    refused = await raw.hear()

    assert refused["ok"] is False
    assert "Too many" in refused["message"]
    released.set()
    assert [(await raw.hear())["ok"] for _ in range(2)] == [True, True]
    await raw.leave()


async def test_a_client_that_never_reads_its_replies_is_cut_off(serve: Serve, path: Path) -> None:
    noted: list[str] = []
    server = await serve(note=noted.append)
    raw = await Raw.welcomed(path)
    raw.stop_reading()

    async def flood() -> None:
        try:
            while server.attached:
                raw.say(request({"type": "get_status"}))
                await raw.writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass

    await asyncio.wait_for(flood(), 10)

    await until(lambda: server.attached == 0)
    assert "too many replies" in noted[0]
    await raw.leave()


async def test_an_answer_that_is_too_large_says_so(serve: Serve, path: Path) -> None:
    async def handle(asked: Request, caller: Caller) -> Reply:
        return asked.done(data=randbytes(9 * 1024 * 1024).hex())

    await serve(handle=handle)
    async with await AttachClient.connect(path, role=Role.CONTROL, client_name="t") as client:
        reply = await client.request(ReadJournal())

    assert not reply.ok
    assert "Ask for less" in reply.message


async def test_a_handler_that_fails_is_answered_and_reported(serve: Serve, path: Path) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def handle(asked: Request, caller: Caller) -> Reply:
        raise RuntimeError("books do not add up")

    await serve(handle=handle)
    async with await AttachClient.connect(path, role=Role.CONTROL, client_name="t") as client:
        reply = await client.request(SetArmed(armed=True))
        assert not reply.ok
        assert "books" not in reply.message
        assert (await client.request(GetStatus())).ok

    assert [str(context["exception"]) for context in reported] == ["books do not add up"]


async def test_the_reply_to_stop_arrives_before_the_engine_hangs_up(
    serve: Serve, path: Path
) -> None:
    stopping: list[asyncio.Task[None]] = []

    async def handle(asked: Request, caller: Caller) -> Reply:
        stopping.append(asyncio.create_task(server.stop()))
        return asked.done("two positions stay unprotected")

    server = await serve(handle=handle)
    async with await AttachClient.connect(path, role=Role.CONTROL, client_name="t") as client:
        reply = await client.request(StopEngine())
        await stopping[0]
        assert reply.message == "two positions stay unprotected"
        with pytest.raises(EngineLost):
            await client.request(GetStatus())

    with pytest.raises(EngineNotRunning):
        await AttachClient.connect(path, role=Role.CONTROL, client_name="t")


async def test_a_request_that_is_not_answered_in_time_may_still_have_been_done(
    serve: Serve, path: Path
) -> None:
    async def handle(asked: Request, caller: Caller) -> Reply:
        await asyncio.Event().wait()
        return asked.done()

    await serve(handle=handle, limits=Limits(farewell_seconds=0.01))
    async with await AttachClient.connect(path, role=Role.CONTROL, client_name="t") as client:
        with pytest.raises(NoAnswer, match="may still have done"):
            await client.request(SetArmed(armed=False), timeout=0.01)
        assert (await client.request(Subscribe(pictures=False))).ok
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
