"""A stand-in as a process of its own, for tests and benchmarks that want its CPU elsewhere.

A venue's `__main__` is `main(TheVenue)`: prints `listening PORT` once it does, and ends cleanly on
SIGTERM, SIGINT, or the end of stdin where --until-stdin-closes is given.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.exchange.control import Control, ControlServer
from tests.fakes.exchange.server import ExchangeServer

# eventkit installs a package of its own named `tests`, which hides ours from `-m` wherever ours
# has no __init__.py; so the new process is told which one is meant.
_START = """
import runpy, sys, types
tests = types.ModuleType("tests")
tests.__path__ = [sys.argv.pop(1)]
sys.modules["tests"] = tests
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
_TESTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningExchange:
    """Where a stand-in's process listens, and how to command it."""

    url: str
    port: int
    control: Control
    pid: int


@contextmanager
def exchange_process(kind: type[ExchangeServer], *, port: int = 0) -> Iterator[RunningExchange]:
    """Start the package `kind` lives in, yield it once it listens, and end it; it also ends if
    this process dies."""
    package = kind.__module__.rpartition(".")[0]
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        path = Path(folder) / "control.sock"
        command = [
            *(sys.executable, "-c", _START, str(_TESTS), package, "--port", str(port)),
            *("--control", str(path), "--until-stdin-closes"),
        ]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                word, _, number = process.stdout.readline().partition(" ")
                if word != "listening":
                    raise RuntimeError("the stand-in did not start; see its stderr")
                with Control(path, kind) as control:
                    yield RunningExchange(
                        url=f"http://127.0.0.1:{int(number)}",
                        port=int(number),
                        control=control,
                        pid=process.pid,
                    )
            finally:
                process.stdin.close()
                process.wait(timeout=10)


def main(kind: type[ExchangeServer]) -> None:
    """Run a stand-in until told to end."""
    package = kind.__module__.rpartition(".")[0]
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=kind.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="the port is also written here")
    parser.add_argument("--control", type=Path, help="path of the control channel's Unix socket")
    parser.add_argument("--until-stdin-closes", action="store_true")
    asyncio.run(_serve(kind, parser.parse_args()))


async def _serve(kind: type[ExchangeServer], args: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if args.until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _watch_stdin, ended)
    async with AsyncExitStack() as stack:
        exchange = kind(port=args.port)  # type: ignore[call-arg]  # venues know their markets
        await stack.enter_async_context(exchange)
        if args.control is not None:
            await stack.enter_async_context(ControlServer(exchange, args.control))
        if args.port_file is not None:
            args.port_file.write_text(str(exchange.port))
        print(f"listening {exchange.port}", flush=True)
        await ended.wait()


def _watch_stdin(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()
