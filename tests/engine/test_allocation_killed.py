"""The engine killed with -9 at every journal write of one round trip, and started again."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from engine.desk.snapshot import Snapshot
from tests.engine.allocation_bench import (
    BTC,
    PATIENCE_SECONDS,
    AllocationBench,
    allocation_bench,
    end,
    held,
    kill,
    ready,
    waiting,
)

# From the start of an engine on a round trip has 13 or 14 writes, a reversal 9 or 10: what comes
# close together is written together.
# Every write in the long form; one in four otherwise, for time.
_STEP = 1 if os.environ.get("BULKHEAD_LONG_TESTS") else 4
ROUND_TRIP = range(1, 15, _STEP)
WAY_OUT = range(5, 11, _STEP)
AT_LEAST = 8
NOT_RUNNING = 3


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AllocationBench]:
    with allocation_bench(tmp_path) as found:
        yield found


class Lives:
    """An engine that is killed at a write, and the next one, which lives on. deaths: 0 or 1."""

    def __init__(self, bench: AllocationBench, write: int = 0, when: str = "after") -> None:
        self._bench = bench
        self.deaths = 0
        killed = {"BULKHEAD_CRASH_AT_WRITE": str(write), "BULKHEAD_CRASH_WHEN": when}
        self._engine: subprocess.Popen[bytes] = bench.engine(**(killed if write else {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                assert end(self._engine) in (0, -signal.SIGKILL)
        finally:
            kill(self._engine)

    async def until(self, holds: Callable[[Snapshot], bool]) -> None:
        """Watch until the picture shows it, on the next engine where this one is killed."""
        while await self._bench.until(holds, self._engine) is None:
            assert self._engine.wait(PATIENCE_SECONDS) == -signal.SIGKILL
            self.deaths += 1
            assert self.deaths == 1, "only the first life is killed"
            self._engine = self._bench.engine()
            await self._bench.seen(ready, self._engine)
            self._bench.tell_bars_again()

    async def told(self, holds: Callable[[Snapshot], bool]) -> list[str]:
        """The log's lines once the picture shows it; a picture may be the last of a life."""
        await self.until(holds)
        if self._bench.bulkhead("journal", "--json").returncode == NOT_RUNNING:
            await self.until(holds)
        return self._bench.lines()


def over(cash: Decimal) -> Callable[[Snapshot], bool]:
    """The trade is over and the account is what the exchange says it is."""

    def holds(snapshot: Snapshot) -> bool:
        told = [one for one in snapshot.alerts if one.title.startswith("BTCUSDT: closed")]
        view = snapshot.allocation
        return (
            len(told) == 1
            and waiting(BTC)(snapshot)
            and view is not None
            and view.totalReserved == 0
            and Decimal(repr(view.availableBalance)) == cash
        )

    return holds


def assert_each_once(bench: AllocationBench, told: list[str]) -> None:
    """One buy, one OCO, one reservation, one release; nothing is left to sell."""
    assert [order.quantity for order in bench.buys()] == [Decimal("0.00662")]
    assert len(bench.brackets()) == 1
    assert bench.control.order_lists(live_only=True) == ()
    assert bench.control.free("BTC") < Decimal("0.00001")
    assert told.count("Reserved $333.00 (33.3%) for BTCUSDT") == 1
    assert told.count("Released $333.00 for BTCUSDT") == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", ROUND_TRIP)
async def test_killed_at_any_write_of_a_round_trip(
    bench: AllocationBench, write: int, when: str
) -> None:
    with Lives(bench, write, when) as lives:
        await lives.until(ready)
        bench.bar(BTC, 5.2)
        await lives.until(held(BTC))
        bench.quote(BTC, Decimal(57800))
        assert_each_once(bench, await lives.told(over(bench.control.free("USDT"))))
        assert bench.sales() == []
        assert lives.deaths == 1 or write > AT_LEAST


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", WAY_OUT)
async def test_killed_at_any_write_of_a_reversal(
    bench: AllocationBench, write: int, when: str
) -> None:
    with Lives(bench) as first:
        await first.until(ready)
        bench.bar(BTC, 5.2)
        await first.until(held(BTC))
    with Lives(bench, write, when) as lives:
        await lives.until(lambda snapshot: ready(snapshot) and held(BTC)(snapshot))
        bench.bar(BTC, -0.5)
        await lives.until(waiting(BTC))
        assert_each_once(bench, await lives.told(over(bench.control.free("USDT"))))
        [sale] = bench.sales()
        assert sale.filled == Decimal("0.00661")
        assert lives.deaths == 1 or write > AT_LEAST
