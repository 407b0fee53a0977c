"""The terminal's end: what it hears when the engine is there, is not, or is something else."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.attach import (
    AttachClient,
    CloseStrategies,
    EngineLost,
    EngineNotRunning,
    EngineRefused,
    GetStatus,
    ProtocolMismatch,
    Role,
)
from engine.attach.place import Peer
from tests.engine.attach.attach_support import Engine, HandTimers, large

Serve = Callable[..., Any]


def connect(path: Path, **options: Any) -> Awaitable[AttachClient]:
    return AttachClient.connect(path, role=Role.CONTROL, client_name="t", **options)


async def test_the_welcome_tells_of_the_engine(serve: Serve, path: Path) -> None:
    await serve(version="1.2.3")

    async with await connect(path) as client:
        welcome = client.welcome

    assert (welcome.engine_version, welcome.mode, welcome.pid) == ("1.2.3", "demo", os.getpid())
    assert welcome.role is Role.CONTROL


async def test_no_socket_means_no_engine(path: Path) -> None:
    with pytest.raises(EngineNotRunning):
        await connect(path)


async def test_a_socket_nobody_listens_behind_means_no_engine(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()

    with pytest.raises(EngineNotRunning):
        await connect(path)


async def test_a_path_no_socket_can_have_means_no_engine(path: Path) -> None:
    with pytest.raises(EngineNotRunning):
        await connect(path.parent / ("x" * 200))


async def test_a_refusal_arrives_as_its_reason(serve: Serve, path: Path) -> None:
    await serve(peer=lambda _: Peer(pid=1, uid=os.geteuid() + 1))

    with pytest.raises(EngineRefused, match="another user") as refused:
        await connect(path)

    assert refused.value.reason == "This engine belongs to another user."


async def test_an_engine_that_does_not_answer_is_given_up(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(path))
        frozen.listen()

        with pytest.raises(EngineLost, match="did not answer"):
            await connect(path, timeout=0.01)


async def answering(path: Path, *bodies: bytes) -> asyncio.Server:
    """Something that listens and says these to whoever comes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        for body in bodies:
            writer.write(len(body).to_bytes(4, "big") + body)
        writer.close()

    return await asyncio.start_unix_server(talk, path)


WELCOME = json.dumps(
    {
        "type": "welcome",
        "protocol": 1,
        "engine_version": "1",
        "mode": "demo",
        "pid": 1,
        "role": "control",
    }
).encode()


async def test_an_engine_of_another_protocol_is_a_mismatch(path: Path) -> None:
    newer = {"type": "greeting", "protocol": 7, "shape": "unknown"}
    async with await answering(path, json.dumps(newer).encode()):
        with pytest.raises(ProtocolMismatch, match="speaks protocol 7"):
            await connect(path)


async def test_the_words_of_a_newer_engine_are_passed_on(path: Path) -> None:
    newer = {"type": "refusal", "protocol": 7, "code": "x", "reason": "Use version 7."}
    async with await answering(path, json.dumps(newer).encode()):
        with pytest.raises(ProtocolMismatch, match="Use version 7"):
            await connect(path)


@pytest.mark.parametrize("body", [b"SSH-2.0", b"{}", b"\xff"])
async def test_something_that_is_no_engine_is_said_to_be_none(path: Path, body: bytes) -> None:
    async with await answering(path, body):
        with pytest.raises(EngineLost, match="no engine"):
            await connect(path)


async def test_hanging_up_before_the_welcome_is_a_loss(path: Path) -> None:
    async with await answering(path):
        with pytest.raises(EngineLost):
            await connect(path)


async def test_nonsense_after_the_welcome_is_a_loss(path: Path) -> None:
    poem = b'{"type":"poem"}'
    async with await answering(path, WELCOME, poem), await connect(path) as client:
        with pytest.raises(EngineLost, match="cannot read"):
            await anext(aiter(client.snapshots()))


async def test_an_engine_that_stops_ends_the_pictures(
    serve: Serve, path: Path, engine: Engine
) -> None:
    server = await serve()
    async with await connect(path) as client:
        pictures = aiter(client.snapshots())
        await anext(pictures)
        await server.stop()

        with pytest.raises(EngineLost):
            await anext(pictures)
        with pytest.raises(EngineLost):
            await client.request(GetStatus())


async def test_an_engine_that_dies_fails_what_waits_for_it(path: Path) -> None:
    async with await answering(path, WELCOME), await connect(path) as client:
        with pytest.raises(EngineLost):
            await client.request(CloseStrategies(strategy_id=None, emergency=True))


async def test_closing_ends_the_pictures_quietly(serve: Serve, path: Path) -> None:
    await serve()
    client = await connect(path)
    seen = []

    async def watch() -> None:
        async for snapshot in client.snapshots():
            seen.append(snapshot)
            closing.set()

    closing = asyncio.Event()
    watching = asyncio.create_task(watch())
    await closing.wait()
    await client.close()
    await asyncio.wait_for(watching, 5)

    assert len(seen) == 1
    with pytest.raises(EngineLost, match="closed"):
        await client.request(GetStatus())


async def test_only_the_newest_picture_is_shown(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    async with await connect(path) as client:
        pictures = aiter(client.snapshots())
        first = asyncio.ensure_future(anext(pictures))
        # Subscribing is answered before the picture; by then the picture is asked for.
        await client.request(GetStatus())
        timers.advance(0.06)
        await first
        # A reply follows the pictures on the same line: they have arrived by then.
        for mode in ("second", "third"):
            engine.move(mode)
            server.publish(urgent=True)
            timers.advance(0.06)
            await client.request(GetStatus())
        for _ in range(2):
            await client.request(GetStatus())

        assert (await anext(pictures)).mode == "third"


async def test_a_large_picture_arrives_whole(serve: Serve, path: Path, engine: Engine) -> None:
    engine.snapshot = large(500)
    await serve()
    async with await connect(path) as client:
        assert await anext(aiter(client.snapshots())) == engine.snapshot


def test_the_package_is_light() -> None:
    heavy = ["textual", "rich", "ib_insync", "ccxt", "aiosqlite", "sqlite3", "apprise"]
    code = f"import engine.attach, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
