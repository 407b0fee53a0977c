"""A loopback TWS in a process of its own, for tests and benchmarks that want its CPU elsewhere."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.tws.control import Control

# eventkit installs a package of its own named `tests`, which hides ours from `-m` wherever ours
# has no __init__.py; so the new process is told which one is meant.
_START = """
import runpy, sys, types
tests = types.ModuleType("tests")
tests.__path__ = [sys.argv.pop(1)]
sys.modules["tests"] = tests
runpy.run_module("tests.fakes.tws", run_name="__main__", alter_sys=True)
"""
_TESTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTws:
    """Where a TWS process listens, and how to command it."""

    port: int
    control: Control
    pid: int


@contextmanager
def tws_process(
    scene: str = "condor", account: str = "DU1234567", port: int = 0
) -> Iterator[RunningTws]:
    """Start one, yield it once it listens, and end it; it also ends if this process dies."""
    with tempfile.TemporaryDirectory(prefix="tws-") as folder:
        path = Path(folder) / "control.sock"
        command = [
            *(sys.executable, "-c", _START, str(_TESTS), "--port", str(port), "--scene", scene),
            *("--account", account, "--control", str(path), "--until-stdin-closes"),
        ]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                word, _, number = process.stdout.readline().partition(" ")
                if word != "listening":
                    raise RuntimeError("the loopback TWS did not start; see its stderr")
                with Control(path) as control:
                    yield RunningTws(port=int(number), control=control, pid=process.pid)
            finally:
                process.stdin.close()
                process.wait(timeout=10)
