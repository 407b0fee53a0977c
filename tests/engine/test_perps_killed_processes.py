"""The engine killed as `kill -9` does while it closes what Kraken Futures put on the book: one
close, no stop left behind."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.snapshot import AssignmentKind, AssignmentState, Snapshot
from tests.engine.perps_bench import (
    PATIENCE_SECONDS,
    Desk,
    PerpsBench,
    end,
    kill,
    perps_bench,
    ready,
)
from tests.fakes.exchange import Fault, Order, Side
from tests.fakes.krakenfutures import KrakenFutures

SOL = "PF_SOLUSD"
AT_ONCE = "time_limit = 0"
BARRIERS = 'time_limit = 3600\nstop_loss_pct = "0.05"\ntake_profit_pct = "0.10"'

# Every write in the long form; one in four otherwise, for time.
_STEP = 1 if os.environ.get("BULKHEAD_LONG_TESTS") else 4


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
    """Tell whether what was assigned is dealt with, whatever else happened."""
    states = [one.state for one in snapshot.assignments if one.kind is AssignmentKind.ASSIGNEE]
    return states == [AssignmentState.CLOSED]


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


async def restarted(bench: PerpsBench) -> None:
    """Run the next engine until what was assigned is closed, and end it."""
    with bench.engine() as engine:
        assert await bench.until(closed, engine)
        assert end(engine) == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("manager", "write"),
    [
        *(pytest.param(BARRIERS, write, id=f"barriers-{write}") for write in range(1, 12, _STEP)),
        *(pytest.param(AT_ONCE, write, id=f"at once-{write}") for write in range(5, 8, _STEP)),
    ],
)
async def test_killed_at_any_journal_write_it_closes_once(
    tmp_path: Path, manager: str, write: int, when: str
) -> None:
    """An assignment's whole first round; with barriers also its stop, its target and the cancel."""
    environ = {"BULKHEAD_CRASH_AT_WRITE": str(write), "BULKHEAD_CRASH_WHEN": when}
    with kraken(tmp_path, manager) as bench:
        with bench.engine(**environ) as engine:
            alive = await bench.until(ready, engine)
            assign(bench)
            if manager == BARRIERS:
                alive = alive and await bench.until(resting, engine)
            show(bench, 111)
            alive = alive and await bench.until(closed, engine)
            if not alive:
                assert engine.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        if not alive:
            await restarted(bench)
        was_closed_once(bench)


@pytest.mark.parametrize("fault", [Fault.SILENT_AFTER, Fault.DROPPED_AFTER, Fault.SILENT])
async def test_killed_between_send_and_answer_it_closes_once(tmp_path: Path, fault: Fault) -> None:
    """Whether the order arrived or not, only the venue can tell the next engine."""
    with kraken(tmp_path, AT_ONCE) as bench:
        with bench.engine() as engine:
            assert await bench.until(ready, engine)
            bench.control.fault(fault, "sendorder")
            assign(bench)
            await bench.settled(lambda: bool(bench.control.requests("sendorder")))
            kill(engine)
        assert len(bench.orders()) == fault.done
        await restarted(bench)
        was_closed_once(bench)


@pytest.mark.parametrize("fault", [Fault.SILENT_AFTER, Fault.SILENT])
async def test_killed_while_the_stop_is_taken_back_it_closes_once(
    tmp_path: Path, fault: Fault
) -> None:
    with kraken(tmp_path, BARRIERS) as bench:
        with bench.engine() as engine:
            assert await bench.until(ready, engine)
            assign(bench)
            assert await bench.until(resting, engine)
            bench.control.forget_requests()
            bench.control.fault(fault, "cancelorder")
            show(bench, 111)
            await bench.settled(lambda: bool(bench.control.requests("cancelorder")))
            kill(engine)
        assert len(bench.open_orders()) == (not fault.done)
        await restarted(bench)
        was_closed_once(bench)


def nothing(bench: PerpsBench) -> None:
    """Nothing happens while the engine is dead."""


def target(bench: PerpsBench) -> None:
    """The price reaches the target."""
    show(bench, 111)


def stop(bench: PerpsBench) -> None:
    """The mark reaches the stop that rests at the venue."""
    bench.control.set_quote(SOL, Decimal(94), Decimal("94.02"))


def stop_as_another_order(bench: PerpsBench) -> None:
    """The same, and what the stop becomes there carries neither of its ids."""
    bench.control.stops_change_ids(True)
    stop(bench)


def by_hand(bench: PerpsBench) -> None:
    """Its owner sells it in the venue's own screen."""
    bench.control.hand_trade(SOL, Side.SELL, Decimal(2), Decimal(100))


@pytest.mark.parametrize(
    ("happens", "close_type", "sold"),
    [
        (nothing, "TAKE_PROFIT", ["stop", "close"]),
        (target, "TAKE_PROFIT", ["stop", "close"]),
        (stop, "STOP_LOSS", ["stop"]),
        (stop_as_another_order, "STOP_LOSS", ["stop"]),
        (by_hand, None, ["stop"]),
    ],
)
async def test_killed_with_its_stop_resting_it_closes_once_and_leaves_none(
    tmp_path: Path,
    happens: Callable[[PerpsBench], None],
    close_type: str | None,
    sold: list[str],
) -> None:
    with kraken(tmp_path, BARRIERS) as bench:
        with bench.engine() as engine:
            assert await bench.until(ready, engine)
            assign(bench)
            assert await bench.until(resting, engine)
            kill(engine)
        (resident,) = bench.open_orders()
        happens(bench)
        with bench.engine() as engine:
            if happens is nothing:
                assert await bench.until(resting, engine)
                assert bench.open_orders() == (resident,)
                show(bench, 111)
            assert await bench.until(closed, engine)
            await bench.settled(lambda: not bench.open_orders())
            (barrier,) = bench.status()["barriers"]
            assert end(engine) == 0
        assert (barrier["state"], barrier["close_type"]) == ("CLOSED", close_type)
        assert ["stop" if o.stop_price else "close" for o in bench.orders()] == sold
        assert sum(f.quantity for f in bench.control.fills() if f.side is Side.SELL) == 2
        assert not bench.control.positions()
