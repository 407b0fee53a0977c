"""What systemd is told of an engine: a real datagram socket, and mostly a real process."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.desk.facts import VenueState
from engine.desk.snapshot import Snapshot, VenueView
from engine.journal import JournalError
from engine.service.notify import SILENT_SECONDS, Notifier
from tests.engine.test_two_processes import CONFIG, Bench, end, ready
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import EndMark

PATIENCE_SECONDS = 20.0
READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"
NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)


class Supervisor:
    """systemd's end of the socket. told: everything so far, in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    async def until(self, holds: Callable[[str], bool]) -> str:
        """Wait for a line, past those told already."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
                lines = message.decode().split("\n")
                self.told += lines
                for line in lines:
                    if holds(line):
                        return line

    async def says(self, text: str) -> str:
        return await self.until(lambda line: text in line)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(str(tmp_path / "notify"))
    yield supervisor
    supervisor.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        yield Bench(tmp_path, tws)


async def test_ready_is_told_once_the_book_is_known_and_not_before(
    bench: Bench, systemd: Supervisor
) -> None:
    bench.tws.control.withhold_end(EndMark.POSITIONS)
    engine = bench.engine(NOTIFY_SOCKET=systemd.address)
    try:
        await systemd.says("STATUS=live, armed; ibkr syncing")
        bench.tws.control.restore_end(EndMark.POSITIONS)
        await systemd.says(READY)
        known = "STATUS=live, armed; ibkr ready; 0 orders out; 0 alerts open"
        assert systemd.told.index(known) < systemd.told.index(READY)
        assert await bench.until(ready, engine)
    finally:
        assert end(engine) == 0
    await systemd.says(STOPPING)
    assert systemd.told.count(READY) == 1
    assert ALIVE not in systemd.told


async def test_a_venue_that_cannot_be_reached_does_not_hold_the_start_up(
    bench: Bench, systemd: Supervisor
) -> None:
    bench.config.write_text(CONFIG.format(state=bench.state, port=1))
    engine = bench.engine(NOTIFY_SOCKET=systemd.address)
    try:
        await systemd.says(READY)
        assert any("ibkr down" in line for line in systemd.told)
    finally:
        assert end(engine) == 0


async def test_an_engine_that_works_gives_life_signs_until_it_stops(
    bench: Bench, systemd: Supervisor
) -> None:
    engine = bench.engine(NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="200000")
    try:
        for _ in range(5):
            await systemd.says(ALIVE)
        assert systemd.told.index(READY) < systemd.told.index(ALIVE)
        engine.send_signal(signal.SIGTERM)
        await systemd.says(STOPPING)
    finally:
        assert engine.wait(PATIENCE_SECONDS) == 0


class Engine:
    """An engine as the notifier sees one: its picture, and a journal that may hang or fail."""

    def __init__(self) -> None:
        venue = VenueView(name="ibkr", kind="ib", state=VenueState.READY, detail="", age_seconds=1)
        self.picture = Snapshot(mode="live", armed=True, started_at=NOW, at=NOW, venues=(venue,))
        self.journal_goes_on = asyncio.Event()
        self.journal_goes_on.set()
        self.journal_fails = ""
        self.looks = 0

    def snapshot(self) -> Snapshot:
        self.looks += 1
        return self.picture

    async def ping(self) -> None:
        await self.journal_goes_on.wait()
        if self.journal_fails:
            raise JournalError(self.journal_fails)

    def venue(self, state: VenueState, age_seconds: float) -> None:
        [venue] = self.picture.venues
        changed = replace(venue, state=state, age_seconds=age_seconds)
        self.picture = replace(self.picture, venues=(changed,))

    async def looked_at(self, times: int) -> None:
        until = self.looks + times
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.looks < until:
                await asyncio.sleep(0.01)


@pytest.fixture
async def engine(systemd: Supervisor) -> AsyncIterator[Engine]:
    engine = Engine()
    environ = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "40000"}
    notifier = Notifier.of(environ)
    assert notifier is not None
    watching = asyncio.create_task(notifier.watch(engine.snapshot, engine.ping))
    await systemd.says(ALIVE)
    yield engine
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    notifier.close()


def _hang(engine: Engine) -> None:
    engine.journal_goes_on.clear()


def _fail(engine: Engine) -> None:
    engine.journal_fails = "the database is gone"


def _silence(engine: Engine) -> None:
    engine.venue(VenueState.READY, SILENT_SECONDS + 1)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_hang, "the journal does not answer"),
        (_fail, "the database is gone"),
        (_silence, "ibkr calls itself ready and is silent"),
    ],
)
async def test_no_life_sign_while_one_of_the_three_is_dead(
    engine: Engine, systemd: Supervisor, harm: Callable[[Engine], None], told: str
) -> None:
    harm(engine)
    await systemd.says(f"STATUS={told}")
    before = len(systemd.told)
    await engine.looked_at(5)
    engine.journal_goes_on.set()
    engine.journal_fails = ""
    engine.venue(VenueState.READY, 1)
    await systemd.says("STATUS=live")
    assert systemd.told[before:].count(ALIVE) <= 1
    await systemd.says(ALIVE)


async def test_a_venue_that_says_it_is_down_is_no_reason_to_restart(
    engine: Engine, systemd: Supervisor
) -> None:
    engine.venue(VenueState.DOWN, SILENT_SECONDS + 1)
    await systemd.says("ibkr down")
    await systemd.says(ALIVE)


async def test_a_supervisor_that_went_away_harms_nobody(
    engine: Engine, systemd: Supervisor
) -> None:
    systemd.close()
    await engine.looked_at(5)


@pytest.mark.parametrize(
    "environ", [{}, {"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": "1000000"}], ids=str
)
def test_without_a_supervisor_there_is_nothing_to_do(environ: dict[str, str]) -> None:
    assert Notifier.of(environ) is None


async def test_an_abstract_socket_is_reached_and_anothers_watchdog_is_not_fed(
    tmp_path: Path,
) -> None:
    supervisor = Supervisor(f"@bulkhead-test-{os.getpid()}-{tmp_path.name}")
    environ = {
        "NOTIFY_SOCKET": supervisor.address,
        "WATCHDOG_USEC": "20000",
        "WATCHDOG_PID": str(os.getppid()),
    }
    notifier = Notifier.of(environ)
    assert notifier is not None
    engine = Engine()
    watching = asyncio.create_task(notifier.watch(engine.snapshot, engine.ping))
    await supervisor.says(READY)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    notifier.close()
    await supervisor.says(STOPPING)
    assert ALIVE not in supervisor.told
    supervisor.close()
