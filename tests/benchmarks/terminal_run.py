"""A program on a pseudo-terminal of 80x24, and the screen a person would see: for benchmarks."""

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.tui.emulator import Terminal

COLUMNS, ROWS = 80, 24
ROOT = Path(__file__).parents[2]
_FEWEST_MARKS = 60


@dataclass
class Run:
    """A program on a pseudo-terminal, and the screen a person would see."""

    process: subprocess.Popen[bytes]
    master: int
    screen: Terminal
    began: float
    heard: int = 0
    spoke: float = 0.0
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    @classmethod
    def start(cls, command: list[str], **environment: str) -> Self:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                **environment,
            },
            start_new_session=True,
        )
        os.close(slave)
        return cls(process, master, Terminal(COLUMNS, ROWS), began)

    def read(self, seconds: float) -> bool:
        """Take what comes within this time; True if something did."""
        ready, _, _ = select.select([self.master], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return False
        self.spoke = time.monotonic()
        self.heard += len(data)
        # A terminal answers whether it can show several changes at once.
        if b"\x1b[?2026$p" in data:
            os.write(self.master, b"\x1b[?2026;2$y")
        self.screen.feed(self.decoder.decode(data))
        return True

    def until(self, holds: Callable[[], bool], seconds: float = 15.0) -> float:
        """Read until it holds; returns the seconds until the bytes came that made it hold. What
        this emulator takes to make sense of them is not the terminal's."""
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > seconds:
                raise TimeoutError(self.screen.text)
            self.read(0.05)
        return max(0.0, self.spoke - begin)

    def for_seconds(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self.read(rest)

    def first_screen(self, silence: float = 0.45, most: float = 10.0) -> float:
        """Wait until there is something on the screen and nothing comes for a while (shorter than
        a cursor's blinking); returns when it last spoke, since it began."""
        while time.monotonic() - self.began < most:
            if not self.read(silence) and self.marks() > _FEWEST_MARKS:
                break
        return self.spoke - self.began

    def marks(self) -> int:
        return sum(not mark.isspace() for mark in self.screen.text)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self.process.terminate()
        deadline = time.monotonic() + 5
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
