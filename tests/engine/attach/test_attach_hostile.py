"""Whatever bytes arrive, the engine refuses, hangs up and goes on."""

import asyncio
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.attach import AttachClient, AttachServer, GetStatus, Role
from tests.engine.attach.attach_support import Engine, HandTimers, Raw, empty, hello, request, until

Serve = Callable[..., Any]


async def alive(path: Path) -> bool:
    async with await AttachClient.connect(path, role=Role.READ_ONLY, client_name="t") as client:
        return (await client.request(GetStatus())).ok


async def refusal_to(path: Path, body: bytes, *, welcomed: bool) -> dict[str, Any]:
    raw = await (Raw.welcomed(path) if welcomed else Raw.connect(path))
    raw.say_bytes(body)
    refusal = await raw.hear()
    await raw.hear_end()
    await raw.leave()
    assert refusal["type"] == "refusal"
    return refusal


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"type":"hello"}',
        json.dumps(request({"type": "stop_engine"})).encode(),
        json.dumps(hello(extra=1)).encode(),
        json.dumps(hello(role="owner")).encode(),
        json.dumps(hello(client="\x1b]52;c;aGk=\x07")).encode(),
        json.dumps(hello(client="\u202egnp")).encode(),
        json.dumps(hello(client="x" * 201)).encode(),
        json.dumps(hello(protocol="1")).encode(),
    ],
    ids=lambda body: str(len(body)),
)
async def test_what_is_no_hello_is_refused(serve: Serve, path: Path, body: bytes) -> None:
    await serve()

    assert (await refusal_to(path, body, welcomed=False))["code"] == "bad_frame"
    assert await alive(path)


ARM = {"type": "set_armed", "armed": True}


@pytest.mark.parametrize(
    "message",
    [
        hello(),
        request({"type": "sell_everything"}),
        request({"type": "set_armed", "armed": "yes"}),
        request({"type": "set_armed", "armed": 1}),
        request({"type": "set_armed"}),
        request({"type": "close_strategies", "emergency": True}),
        request({"type": "close_strategies", "strategy_id": "a\x00b", "emergency": True}),
        request({"type": "close_strategies", "strategy_id": "", "emergency": True}),
        request({"type": "read_journal", "limit": 10**9}),
        request({"type": "read_journal", "limit": -1}),
        request({"type": "read_journal", "since": "2026-11-20T12:00:00"}),
        request(ARM, nonce="short"),
        request(ARM, nonce="x" * 5000),
        request(ARM, issued_at="yesterday"),
        request(ARM, issued_at="2026-11-20T12:00:00"),
        request(ARM, expires_in_seconds=10**6),
        request(ARM, expires_in_seconds=0),
        request(ARM, by="root"),
        {name: value for name, value in request(ARM).items() if name != "nonce"},
        {name: value for name, value in request(ARM).items() if name != "issued_at"},
    ],
    ids=lambda message: json.dumps(message.get("about", "hello"))[:60],
)
async def test_what_is_no_request_is_refused(
    serve: Serve, path: Path, engine: Engine, message: dict[str, Any]
) -> None:
    await serve()

    refusal = await refusal_to(path, json.dumps(message).encode(), welcomed=True)

    assert refusal["code"] == "bad_frame"
    assert engine.taken == []
    assert await alive(path)


async def test_a_refusal_repeats_nothing_that_was_sent(serve: Serve, path: Path) -> None:
    await serve()
    message = request({"type": "[@click=app.quit]evil", "evil": 1}, evil="evil")

    refusal = await refusal_to(path, json.dumps(message).encode(), welcomed=True)

    assert "evil" not in refusal["reason"]


async def test_an_oversized_frame_is_refused_before_it_is_read(serve: Serve, path: Path) -> None:
    await serve()
    raw = await Raw.welcomed(path)
    raw.writer.write((256 * 1024 + 1).to_bytes(4, "big"))

    refusal = await raw.hear()

    assert refusal["code"] == "bad_frame"
    assert "262144" in refusal["reason"]
    await raw.hear_end()
    await raw.leave()


@pytest.mark.parametrize("length", [1, 3, 4, 5, 60])
async def test_a_frame_that_is_cut_ends_the_connection_only(
    serve: Serve, path: Path, engine: Engine, length: int
) -> None:
    server = await serve()
    raw = await Raw.welcomed(path)
    body = json.dumps(request(ARM)).encode()
    raw.writer.write((len(body).to_bytes(4, "big") + body)[:length])
    raw.writer.write_eof()

    await raw.hear_end()
    await until(lambda: server.attached == 0)

    assert engine.taken == []
    assert await alive(path)
    await raw.leave()


@pytest.mark.parametrize("version", [0, 2, 10**30, -1])
async def test_another_protocol_is_refused_in_words(serve: Serve, path: Path, version: int) -> None:
    await serve(version="9.9")
    body = json.dumps({"type": "hello", "protocol": version, "shape": "unknown"}).encode()

    refusal = await refusal_to(path, body, welcomed=False)

    assert refusal["code"] == "protocol"
    assert refusal["protocol"] == 1
    assert "version 9.9" in refusal["reason"]


async def test_a_client_that_says_no_hello_is_dropped(
    serve: Serve, path: Path, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await Raw.connect(path)
    await until(lambda: server.attached == 1)
    raw.writer.write(b"\x00")
    await asyncio.sleep(0)

    timers.advance(6)

    await until(lambda: server.attached == 0)
    await raw.leave()


async def survives(rubbish: list[bytes], *, welcomed: bool, framed: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="bh-") as folder:
        path = Path(folder) / "s"
        engine = Engine(empty())
        troubles: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: troubles.append(context))
        server = AttachServer(path, engine.latest, engine.handle)
        await server.start()
        raw = await (Raw.welcomed(path) if welcomed else Raw.connect(path))
        for piece in rubbish:
            if framed:
                raw.say_bytes(piece)
            else:
                raw.writer.write(piece)
        # The engine may have hung up in the middle of it.
        with suppress(OSError):
            raw.writer.write_eof()
        with suppress(OSError):
            await asyncio.wait_for(raw.reader.read(), 5)
        await until(lambda: server.attached == 0)
        assert await alive(path)
        await raw.leave()
        await server.stop()
        assert engine.taken == []
        assert troubles == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=4), st.booleans(), st.booleans())
def test_no_bytes_harm_the_engine(rubbish: list[bytes], welcomed: bool, framed: bool) -> None:
    asyncio.run(survives(rubbish, welcomed=welcomed, framed=framed))


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "protocol", "id", "nonce", "about", "client", "role", "x"]),
            inner | st.sampled_from(["hello", "request", "set_armed", "control"]),
            max_size=6,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(documents, st.booleans())
def test_no_json_harms_the_engine(document: Any, welcomed: bool) -> None:
    asyncio.run(survives([json.dumps(document).encode()], welcomed=welcomed, framed=True))
