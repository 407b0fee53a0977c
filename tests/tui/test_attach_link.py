"""The real link, over the engine's real socket."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.attach import AttachServer, Caller, Reply, Request
from engine.attach.protocol import (
    AdoptStrategy,
    CheckConfig,
    CloseStrategies,
    ConfigChange,
    GuardPosition,
    ReadConfig,
    ReadJournal,
    ReleasePosition,
    ResetAllocations,
    RunDrill,
    SaveConfig,
)
from tests.tui import samples
from tui.link import Answer, Change, GuardWish, LinkFailed, Refused, attach_factory


@dataclass
class Engine:
    server: AttachServer
    path: Path
    asked: list[Any] = field(default_factory=list)

    async def handle(self, request: Request, caller: Caller) -> Reply:
        self.asked.append(request.about)
        if isinstance(request.about, ReadJournal):
            rows = [
                {
                    "seq": 1,
                    "batch": 1,
                    "at": "2026-11-20T12:00:00+00:00",
                    "kind": "fact",
                    "name": "PositionReported",
                    "strategy_id": None,
                    "text": "12:00:00.000  SPY in DU1: now 0",
                    "body": {},
                }
            ]
            story = ["Friday 2026-11-20 (UTC)", "12:00:00.000  SPY in DU1: -2 -> 0"]
            return request.done(data={"entries": rows, "story": story})
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
    (entry,) = await link.read_journal(strategy_id="SPY-IC-1", limit=5)
    assert entry.text == "SPY in DU1: -2 -> 0"
    assert engine.asked[0] == CloseStrategies(strategy_id="SPY-IC-1", emergency=True)
    await link.aclose()


async def test_every_request_of_the_protocol_is_sent_as_it_is_meant(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=False)()
    changes = (Change(path="options.close_at_dte", value=2), Change(path="armed", remove=True))
    wish = GuardWish(venue="k", account="a", ref="r", stop_loss="0.05", time_limit_seconds=60)
    await link.reset_allocations(force=True)
    await link.guard(wish)
    await link.release("b-1")
    await link.adopt("c-1", None)
    await link.drill(None)
    await link.save_config(changes, "f1")
    assert engine.asked == [
        ResetAllocations(force=True),
        GuardPosition(venue="k", account="a", ref="r", stop_loss="0.05", time_limit_seconds=60),
        ReleasePosition(barrier_id="b-1"),
        AdoptStrategy(candidate_id="c-1"),
        RunDrill(strategy_id=None),
        SaveConfig(
            changes=(
                ConfigChange(path="options.close_at_dte", value=2),
                ConfigChange(path="armed", remove=True),
            ),
            base="f1",
        ),
    ]
    await link.aclose()


async def test_what_the_engine_would_not_tell_is_refused_in_its_words(engine: Engine) -> None:
    link = await attach_factory(engine.path, read_only=True)()
    with pytest.raises(Refused, match="Not now"):
        await link.read_config()
    with pytest.raises(Refused, match="Not now"):
        await link.check_config(())
    assert engine.asked == [ReadConfig(), CheckConfig(changes=())]
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
