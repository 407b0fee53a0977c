"""From the second position row of an assignment to the first closing order, beside a bare program.

Run `python -m tests.benchmarks.reaction`. The bare program is ib_insync answering the stock row
with placeOrder and nothing else. Each program has a TWS of its own, and the assignments go to them
in turn, so that all meet the same machine: Bulkhead alone, with a terminal that stopped reading,
and with twenty that watch. Prints ratios, and what a start takes.
"""

import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.attach import AttachClient, AttachError, Role
from tests.fakes.channel.control import Control
from tests.fakes.tws.hours import closed_at
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import Position, Right, option, stock
from tests.fakes.tws.scenes import ACCOUNT, EXPIRY, SPY

ASSIGNMENTS = 200
FIRST = 900_000_000

_BARE = """
import sys
from ib_insync import IB, MarketOrder, Stock
ib = IB()
def on_position(position):
    if position.contract.secType == "STK" and position.position > 0:
        contract = Stock(conId=position.contract.conId, symbol="SPY", exchange="SMART")
        order = MarketOrder("SELL", 100, account=position.account, tif="DAY")
        ib.placeOrder(contract, order)
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=17)
ib.positionEvent += on_position
print("ready", flush=True)
ib.run()
"""


def stage(control: Control) -> None:
    """Hold one short put at each of many strikes; options closed, stock trading."""
    now = datetime.now(UTC)
    underlying = stock(SPY, "SPY")
    closed = closed_at(now, timedelta(hours=30))
    for number in range(ASSIGNMENTS):
        put = option(FIRST + number, underlying, Right.PUT, Decimal(200 + number), EXPIRY)
        control.set_instrument(replace(put, trading_hours=closed, liquid_hours=closed))
        held = Position(account=ACCOUNT, con_id=put.con_id, quantity=Decimal(-1))
        control.set_position(held, push=False)


class Bench:
    """A program before its TWS."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.took: list[float] = []

    def assign(self, number: int) -> None:
        """Assign one put, and note the microseconds from the second row to the order."""
        control = self._control
        before = sum(not o.what_if for o in control.order_records())
        event = control.assign(FIRST + number)
        control.flat(SPY, ACCOUNT)
        order = [o for o in control.order_records() if not o.what_if][before]
        self.took.append((order.arrived_ns - event.second_row_ns) / 1000)

    def at(self, percentile: int) -> float:
        return statistics.quantiles(self.took, n=100)[percentile - 1]


@contextlib.contextmanager
def bare() -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        stage(tws.control)
        program = subprocess.Popen(
            [sys.executable, "-c", _BARE, str(tws.port)], stdout=subprocess.PIPE
        )
        assert program.stdout is not None
        program.stdout.readline()
        try:
            yield Bench(tws.control)
        finally:
            program.kill()
            program.wait()


# They only read: what they cost this machine is no part of what they cost the engine.
_WATCHERS = """
import asyncio, sys
from engine.attach.protocol import Hello, Request, Role, Subscribe, client_frame
async def watch():
    reader, writer = await asyncio.open_unix_connection(sys.argv[1])
    writer.write(client_frame(Hello(role=Role.READ_ONLY, client="watcher")))
    writer.write(client_frame(Request.stamped(Subscribe())))
    while await reader.read(65536):
        if not told:
            told.append(print("ready", flush=True))
async def crowd():
    await asyncio.gather(*(watch() for _ in range(int(sys.argv[2]))))
told = []
asyncio.run(crowd())
"""


@contextlib.contextmanager
def nobody(path: Path) -> Iterator[None]:
    yield


@contextlib.contextmanager
def twenty_watching(path: Path) -> Iterator[None]:
    with _watchers(path, 20):
        yield


@contextlib.contextmanager
def one_that_stopped_reading(path: Path) -> Iterator[None]:
    with _watchers(path, 1) as process:
        process.send_signal(signal.SIGSTOP)
        yield


@contextlib.contextmanager
def _watchers(path: Path, count: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WATCHERS, str(path), str(count)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def bulkhead(company: Callable[[Path], AbstractContextManager[None]] = nobody) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws, tempfile.TemporaryDirectory() as folder:
        stage(tws.control)
        config, socket = Path(folder) / "bulkhead.toml", Path(folder) / "s" / "bulkhead.sock"
        config.write_text(_config(Path(folder) / "s", tws.port))
        started = time.perf_counter()
        program = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "engine", "--config", str(config)],
            stderr=subprocess.DEVNULL,
        )
        try:
            asyncio.run(_ready(socket))
            took = time.perf_counter() - started
            # Contract details trickle within the message budget: some seconds for two hundred.
            time.sleep(ASSIGNMENTS / 8)
            if company is nobody:
                memory = Path(f"/proc/{program.pid}/statm").read_text().split()[1]
                print(f"engine resident: {int(memory) * os.sysconf('SC_PAGESIZE') / 1e6:.0f} MB")
                print(f"start to first complete snapshot: {took:.2f} s")
            with company(socket):
                yield Bench(tws.control)
        finally:
            program.terminate()
            program.wait()


def _config(state: Path, port: int) -> str:
    head = (
        f'mode = "live"\n[engine]\nstate_dir = "{state}"\n[venues.ibkr]\nkind = "ib"\n'
        f'host = "127.0.0.1"\nport = {port}\nclient_id = 17\naccounts = ["{ACCOUNT}"]\n'
        '[options]\nvenue = "ibkr"\n'
    )
    return head + "".join(
        f'[[options.strategies]]\nid = "S{n}"\nkind = "single"\nunderlying = "SPY"\n'
        f'legs = [{{ right = "P", strike = "{200 + n}", expiry = "{EXPIRY}", quantity = -1 }}]\n'
        for n in range(ASSIGNMENTS)
    )


async def _ready(path: Path) -> None:
    """Wait until the first picture of a book that is completely known."""
    while True:
        try:
            client = await AttachClient.connect(path, role=Role.READ_ONLY, client_name="bench")
        except AttachError:
            await asyncio.sleep(0.01)
            continue
        async with client:
            async for snapshot in client.snapshots():
                if snapshot.venues[0].state == "ready":
                    return


def beside(*benches: Bench) -> None:
    """Give each program the same assignments, in turn."""
    for number in range(ASSIGNMENTS):
        for bench in benches:
            bench.assign(number)


def compared(name: str, base: Bench, other: Bench) -> None:
    for words, pick in (("median", 50), ("99th percentile", 99)):
        b, o = base.at(pick), other.at(pick)
        print(f"{name}, {words}: {b:.0f} us and {o:.0f} us, ratio {o / b:.2f}")


def main() -> None:
    with bare() as base, bulkhead() as ours:
        beside(base, ours)
    compared("bare and bulkhead", base, ours)
    for company in (one_that_stopped_reading, twenty_watching):
        with bulkhead() as alone, bulkhead(company) as watched:
            beside(alone, watched)
        compared(f"alone and with {company.__name__.replace('_', ' ')}", alone, watched)


if __name__ == "__main__":
    main()
