"""The terminal on a pseudo-terminal of 80x24: bytes, CPU, and the time from a key to its effect.

Run `python -m tests.benchmarks.terminal`; with `--beside harlequin` (or dolphie, ftui) it installs
that program into a folder of its own and starts it on the same pseudo-terminal. An engine of its
own process draws pictures four times a second with every price moved. Prints figures and limits,
and ends with 1 where a limit was passed.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from engine.attach import AttachServer, Caller, Reply, Request
from engine.desk.snapshot import Snapshot
from tests.benchmarks.terminal_run import ROOT, ROWS, Run
from tests.tui import samples

PICTURE_SECONDS = 0.25
STEADY_SECONDS = 15.0
KEYS = 300
FULL_SCREEN = "detach"


# --- an engine whose prices move -----------------------------------------------------------------


def fifty() -> Snapshot:
    """Ten condors (forty options on ten underlyings) and fifty perpetuals between barriers."""
    condor = replace(samples.BROKEN, status=samples.INTACT.status, reason="", shares=Decimal(0))
    return replace(
        samples.EVERYTHING,
        strategies=tuple(replace(condor, id=f"SPY-IC-{n}") for n in range(10)),
        barriers=tuple(
            replace(samples.BARRIERS[n % 3], id=f"k-{n}", instrument=f"C{n:02}-USD")
            for n in range(50)
        ),
        positions=(),
        alerts=(),
        assignments=(),
        orders=(),
        candidates=(),
        differences=(),
    )


def moved(snapshot: Snapshot, chance: random.Random, *, once: bool) -> Snapshot:
    """Every price of it moved a little, or one single bid."""
    now = datetime.now(UTC)

    def around(value: float | None) -> float:
        return round((value or 1.0) * chance.uniform(0.99, 1.01), 2)

    first, *rest = snapshot.strategies
    if once:
        leg = replace(first.legs[1], bid=round(chance.uniform(1, 9), 2))
        one = replace(first, legs=(first.legs[0], leg, *first.legs[2:]))
        return replace(snapshot, strategies=(one, *rest))
    return replace(
        snapshot,
        at=now,
        strategies=tuple(
            replace(
                one,
                underlying_price=around(one.underlying_price),
                legs=tuple(
                    replace(leg, bid=around(leg.bid), ask=around(leg.ask)) for leg in one.legs
                ),
            )
            for one in snapshot.strategies
        ),
        barriers=tuple(
            replace(
                one,
                mark_price=Decimal(str(around(float(one.entry_price)))),
                net=Decimal(str(round(chance.uniform(-300, 300), 2))),
            )
            for one in snapshot.barriers
        ),
    )


async def serve(path: Path, scene: str) -> None:
    chance = random.Random(1)
    base = samples.many(1000) if scene == "thousand" else fifty()
    base = replace(base, at=datetime.now(UTC))
    shown = [base]

    async def handle(request: Request, caller: Caller) -> Reply:
        return request.refused("This engine only shows pictures.")

    server = AttachServer(path, lambda: shown[0], handle)
    await server.start()
    print("ready", flush=True)
    while True:
        await asyncio.sleep(1.0 if scene == "one" else PICTURE_SECONDS)
        if scene == "still":
            continue
        shown[0] = moved(base, chance, once=scene in ("one", "thousand"))
        server.publish()


@contextmanager
def engine(scene: str) -> Iterator[Path]:
    """An engine in a process of its own; gives a config file that leads to it."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        config = Path(folder) / "bulkhead.toml"
        config.write_text(f'mode = "paper"\n[engine]\nstate_dir = "{state}"\n')
        command = [sys.executable, "-m", "tests.benchmarks.terminal", "--serve", scene]
        process = subprocess.Popen(
            [*command, str(state / "bulkhead.sock")], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield config
        finally:
            process.terminate()
            process.wait()


# --- the terminal on it --------------------------------------------------------------------------


@contextmanager
def attached(config: Path) -> Iterator[Run]:
    command = [sys.executable, "-m", "engine.cli", "attach", "--config", str(config)]
    run = Run.start(command)
    try:
        run.until(lambda: FULL_SCREEN in run.screen.line(ROWS - 1))
        yield run
    finally:
        run.end()


# --- what is measured ----------------------------------------------------------------------------

Figure = tuple[str, float, float, str]


def attach_time() -> Iterator[Figure]:
    """From the command to the first full screen, with rows from the engine on it. On a machine
    with other work the best of seven is the program's own time."""
    times, spent = [], []
    with engine("still") as config:
        for _ in range(7):
            with attached(config) as run:
                run.until(lambda: "SPY-IC" in run.screen.text)
                times.append(run.spoke - run.began)
                spent.append(run.cpu_seconds())
    yield "attach to first full screen: median", statistics.median(times), 0.6, "s"
    yield "attach to first full screen: best", min(times), 0.6, "s"
    yield "attach to first full screen: CPU, best", min(spent), 0.6, "s"


def steady(pane: str) -> Iterator[Figure]:
    with engine("fifty") as config, attached(config) as run:
        # Every leg of every strategy, every bar of every position.
        run.press(pane.encode() + b"z")
        run.for_seconds(3)
        sent, spent, began = run.heard, run.cpu_seconds(), time.monotonic()
        run.for_seconds(STEADY_SECONDS)
        took = time.monotonic() - began
        name = f"pane {pane}, fifty instruments moving"
        yield f"{name}: output", (run.heard - sent) / took / 1000, 8.0, "kB/s"
        yield f"{name}: CPU", (run.cpu_seconds() - spent) / took * 100, 10.0, "% of a core"


def one_cell() -> Iterator[Figure]:
    """Bytes sent for one bid that moved, and what comes in one burst with it."""
    with engine("one") as config, attached(config) as run:
        run.for_seconds(2)
        sizes: list[int] = []
        while len(sizes) < 12:
            before, sent = _bids(run), run.heard
            while not run.read(1.0):
                pass
            while run.read(0.1):
                pass
            if _bids(run) != before:
                sizes.append(run.heard - sent)
        yield "one changed cell: median", statistics.median(sizes), 300, "bytes"
        yield "one changed cell: most of twelve", max(sizes), 300, "bytes"


def _bids(run: Run) -> list[str]:
    """Every line but the header's, whose clock runs, and the ages at the bottom."""
    return [run.screen.line(y) for y in range(1, ROWS - 2)]


def key_times() -> Iterator[Figure]:
    """From a key to the cursor standing elsewhere, while fifty instruments move."""
    chance = random.Random(2)
    for pane in (b"1", b"3"):
        with engine("fifty") as config, attached(config) as run:
            run.press(pane)
            run.for_seconds(2)
            times = [_cursor_time(run, chance, key) for key in (b"j", b"k") * (KEYS // 2)]
            name = f"key to change under load, pane {pane.decode()}: 99th percentile"
            yield name, statistics.quantiles(times, n=100)[98] * 1000, 50.0, "ms"


def _cursor_time(run: Run, chance: random.Random, key: bytes) -> float:
    run.for_seconds(chance.uniform(0.02, 0.12))
    before = _cursor(run)
    run.press(key)
    return run.until(lambda: _cursor(run) != before)


def _cursor(run: Run) -> tuple[int, ...]:
    return tuple(y for y in range(ROWS) if run.screen.line(y).startswith("▌"))


def thousand() -> Iterator[Figure]:
    """Scrolling and filtering among a thousand strategies and a thousand barriers."""
    chance = random.Random(3)
    with engine("thousand") as config, attached(config) as run:
        yield from _thousand_cpu(run)
        for pane in (b"1", b"3"):
            run.press(pane)
            run.for_seconds(1)
            times = [_moved_time(run, chance, b"j") for _ in range(30)]
            times += [_moved_time(run, chance, b"\x1b[6~") for _ in range(20)]
            times += [_moved_time(run, chance, b"\x1b[5~") for _ in range(10)]
            name = f"a thousand in pane {pane.decode()}: scrolling"
            yield f"{name}, median", statistics.median(times) * 1000, 50.0, "ms"
            yield f"{name}, 95th percentile", statistics.quantiles(times, n=20)[18] * 1000, 50, "ms"
            times = list(_filter_times(run, chance))
            name = f"a thousand in pane {pane.decode()}: filtering, median"
            yield name, statistics.median(times) * 1000, 50.0, "ms"


def _thousand_cpu(run: Run) -> Iterator[Figure]:
    """What a picture and a key cost, whatever else the machine has to do: at worst a key waits for
    a whole picture, so that together they are its time on a core of its own."""
    seconds, keys = 6.0, 60
    run.for_seconds(3)
    spent = run.cpu_seconds()
    run.for_seconds(seconds)
    idle = (run.cpu_seconds() - spent) / seconds
    picture = idle * PICTURE_SECONDS * 1000
    yield "a thousand: CPU of a picture", picture, 50.0, "ms"
    for name, pressed in (("scrolling", b"j"), ("a page", b"\x1b[6~"), ("a filter", b"1\x7f")):
        run.press(b"/" if name == "a filter" else b"g")
        run.for_seconds(0.5)
        spent, began = run.cpu_seconds(), time.monotonic()
        for _ in range(keys // len(pressed) if name == "a filter" else keys):
            for key in [bytes([one]) for one in pressed] if name == "a filter" else [pressed]:
                run.press(key)
                run.for_seconds(0.03)
        took = time.monotonic() - began
        each = (run.cpu_seconds() - spent - idle * took) / keys * 1000
        yield f"a thousand: CPU of a key, {name}, and a picture", each + picture, 50.0, "ms"
    run.press(b"\x1b")
    run.for_seconds(0.5)
    run.press(b"g")


def _moved_time(run: Run, chance: random.Random, key: bytes) -> float:
    run.for_seconds(chance.uniform(0.05, 0.2))
    before = run.screen.text
    run.press(key)
    return run.until(lambda: run.screen.text != before)


def _filter_times(run: Run, chance: random.Random) -> Iterator[float]:
    for _ in range(6):
        run.press(b"/")
        run.until(lambda: "filter" in run.screen.line(ROWS - 2))
        run.for_seconds(chance.uniform(0.05, 0.2))
        typed = ""
        for key in f"{chance.randrange(1000):04}"[:3]:
            typed += key
            run.press(key.encode())
            yield run.until(partial(_shows, run, f"“{typed}”"))
            run.for_seconds(chance.uniform(0.05, 0.2))
        run.press(b"\x1b")
        run.until(lambda: "“" not in run.screen.text)


def _shows(run: Run, text: str) -> bool:
    return text in run.screen.text


def beside(name: str) -> Iterator[Figure]:
    """The first screen of another program: the one on PATH, else one installed for this alone. The
    first start fills its caches and does not count."""
    with tempfile.TemporaryDirectory() as folder:
        command = shutil.which(name)
        if command is None:
            place = Path(folder) / "venv"
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            pip = [str(place / "bin" / "pip"), "install", "-q", name]
            subprocess.run(pip, check=True)
            command = str(place / "bin" / name)
        times, spent, marks = [], [], 0
        for _ in range(5):
            run = Run.start([command], HOME=folder)
            times.append(run.first_screen())
            spent.append(run.cpu_seconds())
            marks = run.marks()
            run.end()
        name = f"{name}, {marks} marks on its first screen"
        yield f"{name}: median", statistics.median(times[1:]), float("inf"), "s"
        yield f"{name}: best", min(times[1:]), float("inf"), "s"
        yield f"{name}: CPU, best", min(spent[1:]), float("inf"), "s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("SCENE", "SOCKET"), help=argparse.SUPPRESS)
    parser.add_argument("--beside", choices=("harlequin", "dolphie", "ftui"), action="append")
    parser.add_argument("--only", choices=("attach", "steady", "cell", "keys", "thousand"))
    asked = parser.parse_args()
    if asked.serve:
        scene, path = asked.serve
        asyncio.run(serve(Path(path), scene))
    parts: dict[str, list[Callable[[], Iterator[Figure]]]] = {
        "attach": [attach_time],
        "steady": [lambda: steady("1"), lambda: steady("3")],
        "cell": [one_cell],
        "keys": [key_times],
        "thousand": [thousand],
    }
    passed = True
    chosen = [asked.only] if asked.only else list(parts)
    measures = [measure for name in chosen for measure in parts[name]]
    measures += [lambda name=name: beside(name) for name in asked.beside or ()]  # type: ignore[misc]
    for measure in measures:
        for what, value, limit, unit in measure():
            holds = value <= limit
            passed = passed and holds
            bound = "" if limit == float("inf") else f" (limit {limit:g})"
            print(f"{'  ' if holds else '! '}{what}: {value:.2f} {unit}{bound}", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
