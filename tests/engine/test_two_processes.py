"""The engine as its own process against a TWS as its own process, asked with the real command."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.attach import AttachClient, AttachError, Role
from engine.desk.snapshot import Snapshot, StrategyStatus
from tests.fakes.channel.process import Running
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.scenes import CALL_460, CALL_465, PUT_435, PUT_440, SPY

PATIENCE_SECONDS = 20.0
NAMES = {SPY: "SPY", PUT_440: "P440", PUT_435: "P435", CALL_460: "C460", CALL_465: "C465"}
CONFIG = """\
mode = "live"
[engine]
state_dir = "{state}"
[venues.ibkr]
kind = "ib"
host = "127.0.0.1"
port = {port}
client_id = 17
accounts = ["DU1234567"]
[options]
venue = "ibkr"
[[options.strategies]]
id = "SPY-IC-1"
kind = "iron_condor"
underlying = "SPY"
legs = [
  {{ right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 }},
  {{ right = "P", strike = "435", expiry = "2026-12-18", quantity = 2 }},
  {{ right = "C", strike = "460", expiry = "2026-12-18", quantity = -2 }},
  {{ right = "C", strike = "465", expiry = "2026-12-18", quantity = 2 }} ]
"""


class Bench:
    """A config, a broker, and the command."""

    def __init__(self, folder: Path, tws: Running) -> None:
        self.tws = tws
        self.state = folder / "s"
        self.config = folder / "bulkhead.toml"
        self.config.write_text(CONFIG.format(state=self.state, port=tws.port))
        self.config.chmod(0o600)

    def engine(self, **environ: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "engine", "--config", str(self.config)],
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def bulkhead(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "engine.cli", *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    async def until(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> bool:
        """Watch as a terminal does until the picture shows it; False when the engine died."""
        try:
            return await self._watch(holds, engine)
        except TimeoutError:
            seen = self.bulkhead("status").stdout
            story = self.bulkhead("journal").stdout
            raise AssertionError(f"never came true:\n{seen}\n{story}\n{self.sent()}") from None

    async def _watch(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> bool:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while engine.poll() is None:
                with contextlib.suppress(AttachError):
                    client = await AttachClient.connect(
                        self.state / "bulkhead.sock", role=Role.READ_ONLY, client_name="test"
                    )
                    async with client:
                        async for snapshot in client.snapshots():
                            if holds(snapshot):
                                return True
                await asyncio.sleep(0.02)
        return False

    def sent(self) -> list[str]:
        return [
            f"{o.action} {o.quantity:f} {NAMES[o.con_id]}"
            for o in self.tws.control.order_records()
            if not o.what_if
        ]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        yield Bench(tmp_path, tws)


def ready(snapshot: Snapshot) -> bool:
    venue = snapshot.venues[0]
    quoted = all(leg.ask for leg in snapshot.strategies[0].legs)
    return venue.state == "ready" and venue.can_trade is True and quoted


def closed(snapshot: Snapshot) -> bool:
    return snapshot.strategies[0].status is StrategyStatus.CLOSED


def end(engine: subprocess.Popen[bytes]) -> int:
    engine.send_signal(signal.SIGTERM)
    return engine.wait(PATIENCE_SECONDS)


async def test_an_assignment_is_told_by_status_orders_and_journal(bench: Bench) -> None:
    engine = bench.engine()
    try:
        assert await bench.until(ready, engine)
        bench.tws.control.assign(PUT_440)
        assert await bench.until(closed, engine)
        answer = bench.bulkhead("status", "--json")
        assert answer.returncode == 0
        document = json.loads(answer.stdout)
        assert [a["kind"] for a in document["assignments"]] == ["ASSIGNED"]
        assert document["strategies"][0]["status"] == "CLOSED"
        assert bench.sent()[:2] == ["SELL 200 SPY", "BUY 2 C460"]
        assert sorted(bench.sent()[2:]) == ["SELL 2 C465", "SELL 2 P435"]
        story = bench.bulkhead("journal").stdout
        assert "assigned" in story
        assert "SELL 200 SPY" in story
        assert bench.bulkhead("journal", "verify").returncode == 0
        second = bench.bulkhead("engine")
        assert second.returncode == 1
        assert "Another engine" in second.stderr
    finally:
        assert end(engine) == 0
    gone = bench.bulkhead("status")
    assert gone.returncode == 3
    assert "Traceback" not in gone.stderr


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", range(1, 21))
async def test_killed_at_any_journal_write_it_closes_once(
    bench: Bench, write: int, when: str
) -> None:
    """Never a second order, never a missing one."""
    first = bench.engine()
    assert await bench.until(ready, first)
    assert end(first) == 0
    engine = bench.engine(BULKHEAD_CRASH_AT_WRITE=str(write), BULKHEAD_CRASH_WHEN=when)
    alive = await bench.until(ready, engine)
    bench.tws.control.assign(PUT_440)
    alive = alive and await bench.until(closed, engine)
    if not alive:
        assert engine.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        engine = bench.engine()
        assert await bench.until(closed, engine)
    assert end(engine) in (0, -signal.SIGKILL)
    references = [o.order_ref for o in bench.tws.control.order_records() if not o.what_if]
    assert len(references) == len(set(references)) == 4
    assert not [p for p in bench.tws.control.positions() if p.quantity]
