"""The engine killed with -9 at every journal write of one round trip, and started again."""

import signal
import subprocess
from collections.abc import Callable, Iterator
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

# A round trip has 14 writes from the start of an engine on, the way out of a position 10.
ROUND_TRIP = range(1, 17)
WAY_OUT = range(5, 13)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AllocationBench]:
    with allocation_bench(tmp_path) as found:
        yield found


class Lives:
    """An engine that is killed at a write, and the next one, which lives on."""

    def __init__(self, bench: AllocationBench, write: int = 0, when: str = "after") -> None:
        self.bench = bench
        self.deaths = 0
        killed = {"BULKHEAD_CRASH_AT_WRITE": str(write), "BULKHEAD_CRASH_WHEN": when}
        self._engine: subprocess.Popen[bytes] = bench.engine(**(killed if write else {}))

    async def until(self, holds: Callable[[Snapshot], bool]) -> None:
        """Watch until the picture shows it, on the next engine where this one is killed."""
        while await self.bench.until(holds, self._engine) is None:
            assert self._engine.wait(PATIENCE_SECONDS) == -signal.SIGKILL
            self.deaths += 1
            assert self.deaths == 1, "only the first life is killed"
            self._engine = self.bench.engine()
            await self.bench.seen(ready, self._engine)
            self.bench.tell_bars_again()

    def end(self) -> None:
        assert end(self._engine) in (0, -signal.SIGKILL)


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


def assert_each_once(bench: AllocationBench) -> None:
    """One buy, one OCO, one reservation, one release; nothing is left to sell."""
    assert [order.quantity for order in bench.buys()] == [Decimal("0.00662")]
    assert len(bench.brackets()) == 1
    assert bench.control.order_lists(live_only=True) == ()
    assert bench.control.free("BTC") < Decimal("0.00001")
    told = bench.lines()
    assert told.count("Reserved $333.00 (33.3%) for BTCUSDT") == 1
    assert told.count("Released $333.00 for BTCUSDT") == 1
    assert bench.bulkhead("journal", "verify").returncode == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", ROUND_TRIP)
async def test_killed_at_any_write_of_a_round_trip(
    bench: AllocationBench, write: int, when: str
) -> None:
    lives = Lives(bench, write, when)
    await lives.until(ready)
    bench.bar(BTC, 5.2)
    await lives.until(held(BTC))
    bench.quote(BTC, Decimal(57800))
    await lives.until(over(bench.control.free("USDT")))
    assert_each_once(bench)
    assert bench.sales() == []
    lives.end()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", WAY_OUT)
async def test_killed_at_any_write_of_a_reversal(
    bench: AllocationBench, write: int, when: str
) -> None:
    first = Lives(bench)
    await first.until(ready)
    bench.bar(BTC, 5.2)
    await first.until(held(BTC))
    first.end()
    lives = Lives(bench, write, when)
    await lives.until(lambda snapshot: ready(snapshot) and held(BTC)(snapshot))
    bench.bar(BTC, -0.5)
    await lives.until(waiting(BTC))
    await lives.until(over(bench.control.free("USDT")))
    assert_each_once(bench)
    [sale] = bench.sales()
    assert sale.filled == Decimal("0.00661")
    lives.end()
