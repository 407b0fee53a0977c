"""The terminal as Textual drives it, except that a terminal which is gone cannot block the way out.

Textual writes through a thread and a queue of thirty. When a write fails, the thread dies, the
queue fills, and the app waits for ever on its next write: also on the ones that end it.
"""

import sys
from typing import Any, TextIO

from textual.drivers.linux_driver import LinuxDriver


class LastingDriver(LinuxDriver):
    """What is written to a terminal that is gone is lost, and nobody waits for it.

    Textual draws on stderr; where that goes to a file, this draws on stdout.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        streams = [stream for stream in (sys.__stderr__, sys.__stdout__) if stream is not None]
        drawn_on = next((stream for stream in streams if stream.isatty()), streams[0])
        self._file = _LastingFile(drawn_on)  # type: ignore[assignment]


class _LastingFile:
    """A text file whose writes may fail unnoticed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._gone = False

    def write(self, text: str) -> int:
        if not self._gone:
            try:
                return self._file.write(text)
            except OSError:
                self._gone = True
        return len(text)

    def flush(self) -> None:
        if not self._gone:
            try:
                self._file.flush()
            except OSError:
                self._gone = True

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return True
