"""A stand-in as a process of its own, for tests and benchmarks that want its CPU elsewhere.

A stand-in's `__main__` calls `serve`: it prints `listening PORT` once it does, and ends cleanly on
SIGTERM, SIGINT, or the end of stdin where --until-stdin-closes is given, so that it never outlives
the test that started it.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from tests.fakes.channel.control import Control, ControlServer

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


class StandIn(AbstractAsyncContextManager["StandIn", None], Protocol):
    """What listens on a port of its own between entering and leaving it."""

    @property
    def port(self) -> int: ...

    async def __aenter__(self) -> Self: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where a stand-in's process listens, and how to command it."""

    port: int
    control: Control
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def stand_in_process(kind: type[StandIn], *args: str, port: int = 0) -> Iterator[Running]:
    """Start the package `kind` lives in, yield it once it listens, and end it; it also ends if
    this process dies. Port 0 takes a free one; args go to its command line."""
    package = kind.__module__.rpartition(".")[0]
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        path = Path(folder) / "control.sock"
        command = [
            *(sys.executable, "-c", _START, str(_TESTS), package, "--port", str(port)),
            *("--control", str(path), "--until-stdin-closes", *args),
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
                    yield Running(port=int(number), control=control, pid=process.pid)
            finally:
                process.stdin.close()
                process.wait(timeout=10)


def parser_for(kind: type[StandIn]) -> argparse.ArgumentParser:
    """Make the parser of a stand-in's own command line."""
    package = kind.__module__.rpartition(".")[0]
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=kind.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--control", type=Path, help="path of the control channel's Unix socket")
    parser.add_argument("--until-stdin-closes", action="store_true")
    return parser


async def serve(stand_in: StandIn, args: argparse.Namespace) -> None:
    """Listen until told to end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if args.until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _watch_stdin, ended)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(stand_in)
        if args.control is not None:
            await stack.enter_async_context(ControlServer(stand_in, args.control))
        print(f"listening {stand_in.port}", flush=True)
        await ended.wait()


def _watch_stdin(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()
