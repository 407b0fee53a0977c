"""The engine killed with -9 at every journal write of one round trip, and started again."""

import signal
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.snapshot import Snapshot
from tests.engine.allocation_bench import (
    BTC,
    PATIENCE_SECONDS,
    AllocationBench,
    allocation_bench,
    end,
    held,
    ready,
    waiting,
)

WRITES = range(1, 31)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AllocationBench]:
    with allocation_bench(tmp_path) as found:
        yield found


class Lives:
    """One engine after the other: the first is killed at a write, the next live on."""

    def __init__(self, bench: AllocationBench, **environ: str) -> None:
        self.bench = bench
        self.deaths = 0
        self._engine: subprocess.Popen[bytes] = bench.engine(**environ)

    async def until(self, shows: str) -> None:
        """Watch until the picture shows it, starting the engine again where it was killed."""
        holds = {"ready": ready, "held": held(BTC), "over": over}[shows]
        while await self.bench.until(holds, self._engine) is None:
            assert self._engine.wait(PATIENCE_SECONDS) == -signal.SIGKILL
            self.deaths += 1
            assert self.deaths == 1, "only the first life is killed"
            self._engine = self.bench.engine()

    def end(self) -> None:
        assert end(self._engine) in (0, -signal.SIGKILL)


def over(snapshot: Snapshot) -> bool:
    """The trade is over, as its alert tells."""
    told = [alert for alert in snapshot.alerts if alert.title.startswith("BTCUSDT: closed")]
    return waiting(BTC)(snapshot) and bool(told)


async def test_how_many(bench):
    import json
    first = bench.engine()
    assert await bench.until(ready, first)
    assert end(first) == 0
    lives = Lives(bench)
    await lives.until("ready")
    bench.bar(BTC, 5.2)
    await lives.until("held")
    bench.quote(BTC, Decimal(57800))
    await lives.until("over")
    rows = json.loads(bench.bulkhead("journal", "--json").stdout)
    for r in rows: print(r["batch"], r["seq"], r["text"])
    lives.end()
