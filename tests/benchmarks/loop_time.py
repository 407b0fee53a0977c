"""What a whole engine spends of its loop on the book of 500 iron condors, callback by callback.

Run `python -m tests.benchmarks.loop_time`; tests.benchmarks.options ends with it. An engine runs in
a process of its own against the loopback TWS with every callback of its loop timed: when it
connects for the first time, at later reconciliations, and at those that find legs gone. "Own" is
the processor's time, so that what other programs of the same machine took is not counted;
"elapsed" is all of it.
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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from engine.desk.desk import Desk
from tests.fakes.channel.control import Control
from tests.fakes.tws.hours import closed_at, open_around
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import Position, Right, option, stock
from tests.fakes.tws.scenes import ACCOUNT, EXPIRY

CONDORS, ROUNDS = 500, 3
LATER, RECONCILE_SECONDS = 3, 5
SHAPE = ((Right.PUT, 0, -2), (Right.PUT, -5, 2), (Right.CALL, 20, -2), (Right.CALL, 25, 2))
WHOLE, SLICE = 0.050, 0.005
_ASKED, _CONCLUDED, _SETTLED, _ENCODED, _DRAWN = (
    "ask",
    "conclude",
    "desk",
    "journal encodes",
    "drawing ahead",
)


# --- in the engine's process ---------------------------------------------------------------------


class Watch:
    """Times every callback of the loop, and within it the parts that have a name here.

    entries: name, begin, seconds elapsed, own seconds, and how deep it was called; 0 is a callback,
    which follows its parts.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[str, float, float, float, int]] = []
        self._depth = 0

    def callbacks(self) -> None:
        handles: Any = asyncio.Handle
        inner = handles._run

        def timed(handle: Any) -> None:
            callback, used, before = handle._callback, thread_time(), perf_counter()
            inner(handle)
            took, used = perf_counter() - before, thread_time() - used
            self.entries.append((_name_of(callback), before, took, used, 0))

        handles._run = timed

    def part(self, owner: type, method: str, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, method)

        def timed(it: Any, *args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            used, before = thread_time(), perf_counter()
            try:
                return inner(it, *args, **kwargs)
            finally:
                took, used = perf_counter() - before, thread_time() - used
                behind = isinstance(it, Desk) and it.is_behind
                said = f"{name}, and more to come" if behind else name
                self.entries.append((said, before, took, used, self._depth))
                self._depth -= 1

        setattr(owner, method, timed)

    def collector(self) -> None:
        """Time the memory collector as a part of what it interrupts."""
        began = [0.0]

        def heard(phase: str, info: dict[str, int]) -> None:
            if phase == "start":
                began[0] = perf_counter()
            elif info["generation"]:
                took = perf_counter() - began[0]
                name = f"collector {info['generation']}"
                self.entries.append((name, began[0], took, took, self._depth + 1))

        gc.callbacks.append(heard)


def _name_of(callback: Any) -> str:
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return str(getattr(owner.get_coro(), "__qualname__", ""))
    inner = getattr(callback, "func", callback)
    return str(getattr(inner, "__qualname__", type(inner).__name__))


def watched_engine(log: Path, arguments: list[str]) -> None:
    """Be an engine, and write down at the end what its loop did."""
    from engine.cli import main as engine
    from engine.journal import Journal
    from engine.service.drawing import Drawing
    from engine.service.engine import Engine
    from engine.venues.ib.book import Book
    from engine.venues.ib.coverage import Coverage

    watch = Watch()
    watch.callbacks()
    watch.collector()
    for owner, method, name in (
        (Desk, "apply", _SETTLED),
        (Book, "_start", _ASKED),
        (Book, "_conclude", _CONCLUDED),
        (Coverage, "_go_on", "contracts to watch"),
        (Journal, "begin", _ENCODED),
        (Drawing, "_draw", _DRAWN),
        (Engine, "snapshot", "picture"),
    ):
        watch.part(owner, method, name)
    try:
        engine(arguments)
    finally:
        log.write_text(json.dumps(watch.entries))


# --- the stage -----------------------------------------------------------------------------------


def legs() -> Iterator[tuple[int, Right, int, int]]:
    """Contract id, right, strike and quantity of every leg, in the order of the config."""
    for number in range(CONDORS):
        for place, (right, away, quantity) in enumerate(SHAPE):
            yield 910_000 + number * 4 + place, right, 1000 + number * 50 + away, quantity


def stage(control: Control) -> None:
    """Hold every leg; options closed, stock trading."""
    now = datetime.now(UTC)
    open_now, closed = open_around(now), closed_at(now, timedelta(hours=30))
    under = stock(900_000, "SPY")
    control.set_instrument(replace(under, trading_hours=open_now, liquid_hours=open_now))
    for con_id, right, strike, quantity in legs():
        leg = option(con_id, under, right, Decimal(strike), EXPIRY)
        control.set_instrument(replace(leg, trading_hours=closed, liquid_hours=closed))
        held = Position(account=ACCOUNT, con_id=con_id, quantity=Decimal(quantity))
        control.set_position(held, push=False)


def config(state: Path, port: int) -> str:
    text = (
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
        text += (
            f'[[options.strategies]]\nid = "IC-{number}"\nkind = "iron_condor"\n'
            f'underlying = "SPY"\nlegs = [{lines}]\n'
        )
    return text


# --- what it comes to ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One callback: seconds elapsed and its own, and the named parts of it with theirs."""

    name: str
    elapsed: float
    own: float
    parts: tuple[tuple[str, float], ...]

    def has(self, part: str) -> bool:
        return any(name == part for name, _ in self.parts)

    def of(self, part: str) -> float:
        return sum(own for name, own in self.parts if name == part)

    def __str__(self) -> str:
        parts = "; ".join(f"{name} {own * 1e3:.1f}" for name, own in self.parts if own > 0.0005)
        return f"{self.name}, own {self.own * 1e3:.1f} ms of {self.elapsed * 1e3:.1f} ({parts})"


def turns(log: Path) -> list[Turn]:
    found: list[Turn] = []
    parts: list[tuple[str, float]] = []
    for name, _, elapsed, own, depth in json.loads(log.read_text()):
        if depth:
            parts.append((name, own))
        else:
            found.append(Turn(name=name, elapsed=elapsed, own=own, parts=tuple(parts)))
            parts = []
    return found


def books(every: list[Turn]) -> Iterator[tuple[list[Turn], list[Turn]]]:
    """Each enquiry of the book: the turns from its question until it was judged whole, and those
    from then until the next question."""
    asked = [place for place, turn in enumerate(every) if turn.has(_ASKED)]
    for start, end in zip(asked, [*asked[1:], len(every)], strict=True):
        told = next((n for n in range(start, end) if every[n].has(_CONCLUDED)), None)
        if told is None:
            continue
        done = next((n for n in range(told, end) if every[n].has(_SETTLED)), None)
        if done is not None:
            yield every[start + 1 : done + 1], every[done + 1 : end]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def told(name: str, found: list[list[Turn]]) -> None:
    """Print the whole and the longest turn of some enquiries, medians and worst."""
    drawn = statistics.median(sum(turn.of(_DRAWN) for turn in one) for one in found)
    wholes = [sum(turn.own - turn.of(_DRAWN) for turn in one) for one in found]
    slices = [max(turn.own for turn in one) for one in found]
    without = max(turn.own - turn.of(_ENCODED) for one in found for turn in one)
    print(
        f"{name}: {_ms(statistics.median(wholes))} of the loop, worst {_ms(max(wholes))} (at most "
        f"{_ms(WHOLE)}), beside {_ms(drawn)} of pictures drawn meanwhile"
    )
    print(
        f"{name}: longest turn {_ms(statistics.median(slices))}, worst {_ms(max(slices))} (at most "
        f"{_ms(SLICE)}), worst without the journal's encoding {_ms(without)}"
    )
    for turn in sorted((turn for one in found for turn in one), key=lambda turn: -turn.own):
        if turn.own > SLICE:
            print(f"  above: {turn}")


def one_engine() -> list[tuple[list[Turn], list[Turn]]]:
    """Run an engine for a few reconciliations."""
    with tws_process(scene="empty") as tws, tempfile.TemporaryDirectory() as folder:
        stage(tws.control)
        file, state, log = (Path(folder) / name for name in ("bulkhead.toml", "s", "log"))
        file.write_text(config(state, tws.port))
        command = ["-m", "tests.benchmarks.loop_time", str(log), "engine", "--config", str(file)]
        program = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
        try:
            time.sleep(3.5 + RECONCILE_SECONDS * LATER)
            for con_id, *_ in list(legs())[::200]:
                gone = Position(account=ACCOUNT, con_id=con_id, quantity=Decimal(0))
                tws.control.set_position(gone, push=False)
            time.sleep(RECONCILE_SECONDS + 1)
        finally:
            program.terminate()
            program.wait()
        return list(books(turns(log)))


def main() -> None:
    found = [one_engine() for _ in range(ROUNDS)]
    rows = CONDORS * len(SHAPE)
    told(f"whole engine, {rows} rows, the first book", [one[0][0] for one in found])
    later = [book for one in found for book, _ in one[1 : 1 + LATER]]
    told(f"whole engine, {rows} rows, later books", later)
    differing = [book for one in found for book, _ in one[1 + LATER :]]
    told(f"whole engine, {rows} rows, ten legs gone", differing)
    # The last period ends with the engine's own end, which draws a picture for its log.
    between = [rest for one in found for _, rest in one[:LATER]]
    slowest = max((turn for rest in between for turn in rest), key=lambda turn: turn.own)
    print(f"between them, the longest turn of all: {slowest}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        watched_engine(Path(sys.argv[1]), sys.argv[2:])
    else:
        main()
