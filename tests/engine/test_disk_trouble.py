"""Disks that fail under a running engine, and journals it must not trade on; all of it real."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.desk.snapshot import Snapshot
from tests.engine.test_two_processes import Bench, closed, end, ready
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.scenes import PUT_440

ORDERS = ["BUY 2 C460", "SELL 2 C465", "SELL 2 P435", "SELL 200 SPY"]
FAILING = "journal: entries stop, closes go on."
WHOLE = "journal: it is written again and nothing is missing"


class Disk:
    """The engine's disk, which breaks and heals while the engine runs."""

    def __init__(self, bench: Bench, kind: str) -> None:
        self._bench = bench
        self._kind = kind
        self.keeps_a_spare_log = kind != "read-only"
        self._limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def breaks(self, engine: subprocess.Popen[bytes]) -> None:
        state = self._bench.state
        if self._kind == "full":
            with pytest.raises(OSError, match="No space left"):
                (state / "filler").write_bytes(bytes(32 * 2**20))
            return
        log = state / "journal.sqlite-wal"
        room = 0 if self._kind == "read-only" else log.stat().st_size
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (room, self._limit[1]))

    def heals(self, engine: subprocess.Popen[bytes]) -> None:
        if self._kind != "full":
            resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, self._limit)
        self.is_repaired()

    def is_repaired(self) -> None:
        """Heal between two engines: a process's own limits ended with it."""
        (self._bench.state / "filler").unlink(missing_ok=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        yield Bench(tmp_path, tws)


@pytest.fixture(params=["full", "i/o error", "read-only"])
def disk(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Disk]:
    """A disk without room; one that refuses the journal's log to grow; one that takes nothing."""
    kind = str(request.param)
    if kind != "full":
        yield Disk(bench, kind)
        return
    place = bench.state
    place.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own can be mounted by root only")
    yield Disk(bench, kind)
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def running(bench: Bench) -> Iterator[subprocess.Popen[bytes]]:
    """Start an engine as the bare command does: its log lies on the disk that breaks."""
    bench.state.mkdir(mode=0o700, exist_ok=True)
    with (bench.state / "bulkhead.log").open("ab") as log:
        engine = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "engine", "--config", str(bench.config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield engine
    finally:
        engine.kill()
        engine.wait(10)


def alerted(text: str) -> Callable[[Snapshot], bool]:
    return lambda snapshot: any(alert.title.startswith(text) for alert in snapshot.alerts)


async def test_an_assignment_is_closed_on_a_broken_disk_and_nothing_is_missing_after(
    bench: Bench, disk: Disk
) -> None:
    with running(bench) as engine:
        assert await bench.until(ready, engine)
        disk.breaks(engine)
        bench.tws.control.assign(PUT_440)
        assert await bench.until(closed, engine)
        assert sorted(bench.sent()) == ORDERS
        assert await bench.until(alerted(FAILING), engine)
        disk.heals(engine)
        assert await bench.until(alerted(WHOLE), engine)
        story = bench.bulkhead("journal").stdout
        for text in ("assigned", "SELL 200 SPY", "BUY 2 SPY", FAILING, WHOLE):
            assert text in story
        assert bench.bulkhead("journal", "verify").returncode == 0
        assert end(engine) == 0
    with running(bench) as engine:
        assert await bench.until(closed, engine)
        assert sorted(bench.sent()) == ORDERS
        assert end(engine) == 0


async def test_a_person_closes_on_a_broken_disk(bench: Bench, disk: Disk) -> None:
    with running(bench) as engine:
        assert await bench.until(ready, engine)
        disk.breaks(engine)
        answer = bench.bulkhead("close", "--all", "--yes")
        assert answer.returncode == 0, answer.stderr
        assert await bench.until(closed, engine)
        assert len(bench.sent()) == 4
        disk.heals(engine)
        assert await bench.until(alerted(WHOLE), engine)
        assert bench.bulkhead("journal", "verify").returncode == 0
        assert end(engine) == 0


async def test_killed_on_a_broken_disk_the_next_life_sends_nothing_twice(
    bench: Bench, disk: Disk
) -> None:
    with running(bench) as engine:
        assert await bench.until(ready, engine)
        disk.breaks(engine)
        bench.tws.control.assign(PUT_440)
        assert await bench.until(closed, engine)
        engine.kill()
        assert engine.wait(10) == -signal.SIGKILL
    disk.is_repaired()
    with running(bench) as engine:
        assert await bench.until(closed, engine)
        assert bench.bulkhead("journal", "verify").returncode == 0
        assert sorted(bench.sent()) == ORDERS
        story = bench.bulkhead("journal").stdout
        assert ("SELL 200 SPY" in story) is disk.keeps_a_spare_log
        assert end(engine) == 0


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def _corrupt(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text.replace(b"DU1234567", b"DU7654321"))


@pytest.mark.parametrize(
    ("damage", "told"),
    [(_newer, "newer Bulkhead"), (_cut, "is damaged"), (_corrupt, "is damaged")],
)
async def test_a_journal_that_cannot_be_trusted_is_not_traded_on(
    bench: Bench, damage: Callable[[Path], None], told: str
) -> None:
    with running(bench) as engine:
        assert await bench.until(ready, engine)
        assert end(engine) == 0
    damage(bench.state / "journal.sqlite")
    bench.tws.control.assign(PUT_440)
    refused = bench.bulkhead("engine")
    assert refused.returncode == 1
    assert told in refused.stderr
    assert any(word in refused.stderr for word in ("move it away", "Start the newer version"))
    assert "Traceback" not in refused.stderr
    assert bench.sent() == []
    assert bench.tws.control.connected_clients() == ()
