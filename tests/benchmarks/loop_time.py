"""What a whole engine spends of its loop on the book of 500 iron condors, callback by callback.

Run `python -m tests.benchmarks.loop_time`, or the whole of tests.benchmarks.options. An engine runs
in a process of its own against the loopback TWS, with every callback of its loop timed: first when
it connects, then at later reconciliations. Nobody is attached to it.
"""

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from tests.fakes.channel.control import Control
from tests.fakes.tws.hours import closed_at, open_around
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import Position, Right, option, stock
from tests.fakes.tws.scenes import ACCOUNT, EXPIRY

CONDORS = 500
LATER = 3
RECONCILE_SECONDS = 8
SHAPE = ((Right.PUT, 0, -2), (Right.PUT, -5, 2), (Right.CALL, 20, -2), (Right.CALL, 25, 2))
WHOLE_MS, SLICE_MS = 50, 5


# --- the engine's side ---------------------------------------------------------------------------


class Watch:
    """Times every callback of the loop, and the parts of it that have a name here.

    Each entry: name, when it began and how long it took in seconds, how deep it was called.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[str, float, float, int]] = []
        self._depth = 0

    def callbacks(self) -> None:
        inner, entries = asyncio.Handle._run, self.entries

        def timed(handle: Any) -> None:
            callback, used, before = handle._callback, thread_time(), perf_counter()
            inner(handle)
            took = perf_counter() - before
            used = thread_time() - used
            entries.append((_name_of(callback) if took > 0.0005 else "", before, took, 0, used))

        asyncio.Handle._run = timed  # type: ignore[method-assign]

    def collector(self) -> None:
        began = 0.0

        def heard(phase: str, info: dict[str, int]) -> None:
            nonlocal began
            if phase == "start":
                began = perf_counter()
            else:
                took = perf_counter() - began
                name = f"collector {info['generation']}"
                self.entries.append((name, began, took, self._depth + 1, took))

        gc.callbacks.append(heard)

    def part(self, owner: type, method: str, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            before = perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                took = perf_counter() - before
                self.entries.append((name, before, took, self._depth, took))
                self._depth -= 1

        setattr(owner, method, timed)


def _name_of(callback: Any) -> str:
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return str(getattr(owner.get_coro(), "__qualname__", owner.get_name()))
    return str(getattr(callback, "__qualname__", None) or repr(callback))


def watched_engine(log: Path, arguments: list[str]) -> None:
    """Be an engine, and write down at the end what its loop did."""
    from engine.cli import main as engine
    from engine.desk.desk import Desk
    from engine.journal import Journal
    from engine.service.drawing import Drawing
    from engine.service.engine import Engine
    from engine.venues.ib.book import Book
    from engine.venues.ib.session import Session

    watch = Watch()
    watch.callbacks()
    watch.collector()
    for owner, method, name in (
        (Book, "_start", "ask"),
        (Book, "_conclude", "conclude"),
        (Session, "_do_refresh", "contracts to watch"),
        (Desk, "apply", "desk"),
        (Journal, "begin", "journal encodes"),
        (Drawing, "_draw", "drawing ahead"),
        (Engine, "snapshot", "picture"),
    ):
        watch.part(owner, method, name)
    try:
        engine(arguments)
    finally:
        log.write_text(json.dumps(watch.entries))


# --- the other side ------------------------------------------------------------------------------


def stage(control: Control) -> None:
    """Hold the condors, each at strikes of its own; options closed, stock trading."""
    now = datetime.now(UTC)
    open_now, closed = open_around(now), closed_at(now, timedelta(hours=30))
    under = stock(900_000, "SPY")
    under_open = {"trading_hours": open_now, "liquid_hours": open_now}
    control.set_instrument(_replace(under, **under_open))
    for con_id, right, strike, quantity in legs():
        leg = option(con_id, under, right, Decimal(strike), EXPIRY)
        control.set_instrument(_replace(leg, trading_hours=closed, liquid_hours=closed))
        held = Position(account=ACCOUNT, con_id=con_id, quantity=Decimal(quantity))
        control.set_position(held, push=False)


def _replace(instrument: Any, **fields: Any) -> Any:
    from dataclasses import replace

    return replace(instrument, **fields)


def legs() -> Iterator[tuple[int, Right, int, int]]:
    """Contract id, right, strike and quantity of every leg, in the order of the config."""
    for number in range(CONDORS):
        for place, (right, away, quantity) in enumerate(SHAPE):
            yield 910_000 + number * 4 + place, right, 1000 + number * 50 + away, quantity


def config(state: Path, port: int) -> str:
    head = (
        f'mode = "live"\n[engine]\nstate_dir = "{state}"\n[venues.ibkr]\nkind = "ib"\n'
        f'host = "127.0.0.1"\nport = {port}\nclient_id = 17\naccounts = ["{ACCOUNT}"]\n'
        f'[options]\nvenue = "ibkr"\nreconcile_seconds = {RECONCILE_SECONDS}\n'
    )
    every = list(legs())
    for number in range(CONDORS):
        lines = ", ".join(
            f'{{ right = "{right.value}", strike = "{strike}", expiry = "{EXPIRY}", '
            f"quantity = {quantity} }}"
            for _, right, strike, quantity in every[number * 4 : number * 4 + 4]
        )
        head += (
            f'[[options.strategies]]\nid = "IC-{number}"\nkind = "iron_condor"\n'
            f'underlying = "SPY"\nlegs = [{lines}]\n'
        )
    return head


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One turn: seconds, and the named parts of it with theirs."""

    name: str
    at: float
    took: float
    used: float
    parts: tuple[tuple[str, float], ...]


def read(log: Path) -> list[Callback]:
    found, parts = [], []
    for name, at, took, depth, used in json.loads(log.read_text()):
        if depth:
            parts.append((name, took))
        else:
            found.append(Callback(name=name, at=at, took=took, used=used, parts=tuple(parts)))
            parts = []
    return found


def _has(callback: Callback, part: str) -> bool:
    return any(name == part for name, _ in callback.parts)


def main() -> None:
    with tws_process(scene="empty") as tws, tempfile.TemporaryDirectory() as folder:
        stage(tws.control)
        file, state, log = (Path(folder) / name for name in ("bulkhead.toml", "s", "log"))
        file.write_text(config(state, tws.port))
        command = ["-m", "tests.benchmarks.loop_time", str(log), "engine", "--config", str(file)]
        program = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
        try:
            time.sleep(6 + RECONCILE_SECONDS * LATER)
        finally:
            program.terminate()
            program.wait()
        Path("/tmp/v/scratch-b/log.json").write_text(log.read_text())
        report(read(log))


def report(callbacks: list[Callback]) -> None:
    asks = [n for n, one in enumerate(callbacks) if _has(one, "ask")]
    for start, end in zip(asks, [*asks[1:], len(callbacks)], strict=True):
        turn = callbacks[start:end]
        done = max((n for n, one in enumerate(turn) if _has(one, "conclude")), default=0)
        last = done
        print(
            "--",
            len(turn),
            "until conclude",
            done,
            f"{sum(c.took for c in turn[: done + 1]) * 1e3:.1f} ms",
            f"all {sum(c.took for c in turn) * 1e3:.0f} ms",
        )
        for one in turn[: done + 40]:
            if one.took > 0.001:
                print(
                    f"{(one.at - turn[0].at) * 1e3:8.1f} {one.took * 1e3:6.2f} {one.used * 1e3:6.2f} {one.name}",
                    [(n, round(t * 1e3, 2)) for n, t in one.parts],
                )
        big = sorted(turn[done + 40 :], key=lambda c: -c.took)[:5]
        for one in big:
            print(
                f"  later {(one.at - turn[0].at) * 1e3:8.1f} {one.took * 1e3:6.2f} {one.used * 1e3:6.2f} {one.name}",
                [(n, round(t * 1e3, 2)) for n, t in one.parts],
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        watched_engine(Path(sys.argv[1]), sys.argv[2:])
    else:
        main()
