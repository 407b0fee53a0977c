"""A terminal that goes away takes this process along cleanly, and nothing else."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

PROGRAM = """
import sys
from tui import run_terminal
from tui.link import LinkFailed

async def attach():
    raise LinkFailed("No engine is running.")

sys.exit(run_terminal(attach))
"""
ROOT = Path(__file__).parents[2]


def start(on: int, *, errors: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=on,
        stdout=on,
        stderr=on if errors is None else errors,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )


def read_until(terminal: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 65536)


@pytest.fixture
def terminal() -> tuple[int, subprocess.Popen[bytes]]:
    """The master side of a terminal on which the app has drawn its first screen."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = start(slave)
    os.close(slave)
    read_until(master, b"BULKHEAD")
    return master, process


def test_an_app_whose_stderr_goes_elsewhere_draws_on_stdout() -> None:
    master, slave = pty.openpty()
    process = start(slave, errors=subprocess.DEVNULL)
    os.close(slave)
    read_until(master, b"BULKHEAD")
    os.close(master)
    assert process.wait(timeout=10) == 128 + signal.SIGHUP


def test_a_lost_terminal_ends_the_app_at_once(
    terminal: tuple[int, subprocess.Popen[bytes]],
) -> None:
    master, process = terminal
    os.close(master)
    assert process.wait(timeout=10) == 128 + signal.SIGHUP


def test_sigterm_gives_the_terminal_back(terminal: tuple[int, subprocess.Popen[bytes]]) -> None:
    master, process = terminal
    process.send_signal(signal.SIGTERM)
    read_until(master, b"\x1b[?1049l")
    assert process.wait(timeout=10) == 128 + signal.SIGTERM
    os.close(master)
