"""The program as its user runs it: in a real terminal of 80x24, over the real command."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.test_two_processes import Bench, closed, end, ready
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.scenes import PUT_440

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
PATIENCE_SECONDS = 20.0


class Tmux:
    """One tmux server of its own with one window of 80x24."""

    def __init__(self, folder: Path, command: str, **environ: str) -> None:
        self._base = ["tmux", "-S", str(folder / "t"), "-f", os.devnull]
        told = [word for name, value in environ.items() for word in ("-e", f"{name}={value}")]
        self._run("new-session", "-d", *told, "-x", "80", "-y", "24", command)

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._base, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def shows(self, text: str) -> str:
        """Wait until the screen shows the text; what it shows."""
        end_at = time.monotonic() + PATIENCE_SECONDS
        while text not in (screen := self._run("capture-pane", "-p")):
            assert time.monotonic() < end_at, f"{text!r} never came; the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def kill(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("kill-server")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        yield Bench(tmp_path, tws)


def attached(bench: Bench, folder: Path) -> Tmux:
    return Tmux(folder, f"{sys.executable} -m engine.cli attach --config {bench.config}")


async def test_x_shows_the_orders_and_sends_them(bench: Bench, tmp_path: Path) -> None:
    engine = bench.engine()
    assert await bench.until(ready, engine)
    tmux = attached(bench, tmp_path)
    try:
        tmux.shows("SPY-IC-1")
        tmux.shows("LIVE")
        tmux.press("x")
        tmux.shows("SPY 18Dec26 440 P")
        assert bench.sent() == []
        tmux.press("y")
        assert await bench.until(closed, engine)
        tmux.shows("CLOSED")
        assert len(bench.sent()) == 4
    finally:
        tmux.kill()
        end(engine)


async def test_the_bare_command_starts_an_engine_and_x_twice_sends(
    bench: Bench, tmp_path: Path
) -> None:
    home = tmp_path / "config" / "bulkhead"
    home.mkdir(parents=True)
    shutil.copy(bench.config, home / "bulkhead.toml")
    command = f"{sys.executable} -m engine.cli"
    tmux = Tmux(tmp_path, command, XDG_CONFIG_HOME=str(home.parent))
    try:
        tmux.shows("SPY-IC-1")
        tmux.shows("● ready")
        tmux.press("x")
        tmux.shows("SPY 18Dec26 440 P")
        # A key held down repeats: the second x counts only some time after the first.
        await asyncio.sleep(1.0)
        tmux.press("x")
        tmux.shows("CLOSED")
        assert len(bench.sent()) == 4
    finally:
        tmux.kill()
        assert bench.bulkhead("stop").returncode == 0


async def test_a_killed_terminal_leaves_the_engine_guarding(bench: Bench, tmp_path: Path) -> None:
    engine = bench.engine()
    assert await bench.until(ready, engine)
    tmux = attached(bench, tmp_path)
    try:
        tmux.shows("SPY-IC-1")
        tmux.press("x")
        tmux.shows("Cancel")
    finally:
        tmux.kill()
    bench.tws.control.assign(PUT_440)
    assert await bench.until(closed, engine)
    assert sorted(bench.sent()) == ["BUY 2 C460", "SELL 2 C465", "SELL 2 P435", "SELL 200 SPY"]
    assert end(engine) == 0
