"""The real link, over the engine's real socket."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.attach import AttachServer, Caller, Reply, Request
from engine.attach.protocol import CloseStrategies, ReadJournal
from tests.tui import samples
from tui.link import Answer, LinkFailed, attach_factory


@dataclass
class Engine:
    server: AttachServer
    path: Path
    asked: list[Any] = field(default_factory=list)

    async def handle(self, request: Request, caller: Caller) -> Reply:
        self.asked.append(request.about)
        if isinstance(request.about, ReadJournal):
            return request.done(data=[{"seq": 1, "text": "12:00:00  SPY: -2 -> 0"}])
        if isinstance(request.about, CloseStrategies):
            return request.done("4 orders go.")
        return request.refused("Not now.")


@pytest.fixture
def private_folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
async def engine(private_folder: Path) -> AsyncGenerator[Engine, None]:
    made: list[Engine] = []
    path = private_folder / "engine.sock"
    server = AttachServer(
        path, lambda: samples.EVERYTHING, lambda request, caller: made[0].handle(request, caller)
    )
    made.append(Engine(server, path))
    await server.start()
    yield made[0]
    await server.stop()


async def test_the_picture_arrives_as_it_was_drawn(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=True)()
    async with aclosing(link.snapshots()) as pictures:
        assert await anext(pictures) == samples.EVERYTHING
    await link.aclose()


async def test_requests_come_back_as_answers(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=False)()
    sent = await link.close_strategies("SPY-IC-1", emergency=True)
    assert sent == Answer(done=True, message="4 orders go.")
    assert await link.set_armed(False) == Answer(done=False, message="Not now.")
    assert await link.acknowledge("al-1") == Answer(done=False, message="Not now.")
    assert await link.read_journal("SPY-IC-1", limit=5) == ("12:00:00  SPY: -2 -> 0",)
    assert engine.asked[0] == CloseStrategies(strategy_id="SPY-IC-1", emergency=True)
    await link.aclose()


async def test_a_read_only_link_cannot_close(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=True)()
    answer = await link.close_strategies("SPY-IC-1", emergency=True)
    assert not answer.done
    assert engine.asked == []
    await link.aclose()


async def test_a_name_that_cannot_travel_asks_nothing(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=False)()
    with pytest.raises(LinkFailed):
        await link.close_strategies(samples.HOSTILE_TEXT, emergency=True)
    assert engine.asked == []
    await link.aclose()


async def test_no_engine_is_a_failed_link(tmp_path: Path) -> None:
    with pytest.raises(LinkFailed, match="No engine is running"):
        await attach_factory(tmp_path / "none.sock", read_only=True)()


async def test_an_engine_that_ends_fails_the_link(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=True)()
    async with aclosing(link.snapshots()) as pictures:
        await anext(pictures)
        await engine.server.stop()
        with pytest.raises(LinkFailed):
            await anext(pictures)
    await link.aclose()
