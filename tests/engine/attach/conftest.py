"""A private folder for the socket, and servers that are stopped whatever a test does."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.attach import AttachServer
from tests.engine.attach.attach_support import Engine, HandTimers, empty


@pytest.fixture
def path() -> Iterator[Path]:
    """Short, because a socket's path has little room; 0700, as mkdtemp makes it."""
    with tempfile.TemporaryDirectory(prefix="bh-") as folder:
        yield Path(folder) / "engine.sock"


@pytest.fixture
def engine() -> Engine:
    return Engine(empty())


@pytest.fixture
def timers() -> HandTimers:
    return HandTimers()


@pytest.fixture
async def serve(
    path: Path, engine: Engine
) -> AsyncIterator[Callable[..., Awaitable[AttachServer]]]:
    started: list[AttachServer] = []

    async def start(**options: Any) -> AttachServer:
        server = AttachServer(path, engine.latest, options.pop("handle", engine.handle), **options)
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()
