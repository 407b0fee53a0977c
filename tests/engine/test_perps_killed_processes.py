"""The engine killed as `kill -9` does while it closes what Kraken Futures put on the book: one
close, no stop left behind."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.snapshot import Snapshot
from tests.engine.perps_bench import Desk, PerpsBench, end, kill, perps_bench, ready
from tests.fakes.exchange import Fault, Kind, Order, Side
from tests.fakes.krakenfutures import KrakenFutures

SOL = "PF_SOLUSD"
AT_ONCE = "time_limit = 0"
BARRIERS = 'time_limit = 3600\nstop_loss_pct = "0.05"\ntake_profit_pct = "0.10"'


@contextmanager
def kraken(folder: Path, manager: str) -> Iterator[PerpsBench]:
    desk = Desk(exchange=KrakenFutures, connector="kraken_perpetual", managers=(manager,))
    with perps_bench(folder, desk) as bench:
        show(bench, 100)
        yield bench


def show(bench: PerpsBench, price: int) -> None:
    """Have the bid there; the mark that stops watch stays at 100."""
    bid = Decimal(price)
    bench.control.set_quote(SOL, bid, bid + Decimal("0.02"), mark=Decimal(100))


def assign(bench: PerpsBench) -> None:
    """Put 2 SOL at 100 on the book."""
    bench.control.assign(SOL, Decimal(2), Decimal(100))


def closed(snapshot: Snapshot) -> bool:
    return [event.state for event in snapshot.assignments] == ["CLOSED"]


def resting(snapshot: Snapshot) -> bool:
    return bool(snapshot.barriers) and snapshot.barriers[0].resident_stop is not None


def closes(bench: PerpsBench) -> list[Order]:
    """What was sent to sell the 2 SOL, but stops."""
    return [order for order in bench.orders() if order.stop_price is None]


def was_closed_once(bench: PerpsBench) -> None:
    (close,) = closes(bench)
    assert (close.side, close.filled, close.reduce_only) == (Side.SELL, Decimal(2), True)
    assert not bench.open_orders()
    assert not bench.control.positions()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", range(1, 15))
async def test_killed_at_any_journal_write_it_closes_once(
    tmp_path: Path, write: int, when: str
) -> None:
    """An assignment's whole first round: barriers, the stop, the target, and the close."""
    environ = {"BULKHEAD_CRASH_AT_WRITE": str(write), "BULKHEAD_CRASH_WHEN": when}
    with kraken(tmp_path, BARRIERS) as bench:
        with bench.engine(**environ) as engine:
            alive = await bench.until(ready, engine)
            assign(bench)
            alive = alive and await bench.until(resting, engine)
            show(bench, 111)
            alive = alive and await bench.until(closed, engine)
            print("alive", write, when, alive, bench.bulkhead("journal").stdout)
            assert engine.poll() == (None if alive else -signal.SIGKILL)
        if not alive:
            with bench.engine() as engine:
                assert await bench.until(closed, engine)
                print("sent", bench.sent())
                assert end(engine) == 0
        was_closed_once(bench)
