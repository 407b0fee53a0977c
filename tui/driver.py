"""The terminal as Textual drives it, except that neither a slow line nor a lost one holds the app.

Textual writes whole spans through a queue that makes the app wait when it is full. Here a picture
is only sent when the one before has left, and then as the difference to what is shown; what is
written to a terminal that is gone is lost, and nobody waits for it.
"""

import sys
from contextlib import suppress
from threading import Lock
from typing import Any, TextIO

from textual.drivers.linux_driver import LinuxDriver

from tui.painter import Painter

# Mouse movements are of no use here and cost a slow line dearly in the other direction.
_UNWANTED = ("\x1b[?1003h",)
# A bare console prints parts of questions it does not know.
_NOT_FOR_CONSOLES = ("\x1b[?2026$p", "\x1b[?2048$p")
_KEEP_TITLE, _GIVE_TITLE_BACK = "\x1b[22;0t", "\x1b[23;0t"
_MOST_HELD_BACK = 64


class LastingDriver(LinuxDriver):
    """Textual draws on stderr; where that goes to a file, this draws on stdout.

    All of it but the queue's far end runs on the app's loop."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        streams = [stream for stream in (sys.__stderr__, sys.__stdout__) if stream is not None]
        drawn_on = next((stream for stream in streams if stream.isatty()), streams[0])
        self._way = _LastingFile(drawn_on, self._has_drained)
        self._file = self._way  # type: ignore[assignment]
        self._painter = Painter()
        self._held_back: list[str] = []
        self.bytes_sent = 0
        self._left: tuple[str, ...] = _UNWANTED
        if getattr(self._app, "plain_marks", False):
            self._left += _NOT_FOR_CONSOLES

    def write(self, data: str) -> None:
        if data in self._left:
            return
        passed = self._painter.take(data)
        if not passed:
            return
        if self._way.is_free:
            self._send(passed)
        else:
            self._held_back = [*self._held_back[1 - _MOST_HELD_BACK :], passed]

    def flush(self) -> None:
        if self._way.is_free:
            self._send(self._painter.difference())

    def redraw(self) -> None:
        """Draw the whole screen again, whatever the terminal shows now."""
        self._painter.redraw()
        self.flush()

    def forget(self) -> None:
        """The terminal's size changed: all that follows is drawn anew."""
        self._painter.forget()

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.write(_KEEP_TITLE)

    def stop_application_mode(self) -> None:
        # The last words must not wait behind a picture nobody will see.
        self._way.closing = True
        self.write(_GIVE_TITLE_BACK)
        super().stop_application_mode()

    def _send(self, data: str) -> None:
        if data:
            self.bytes_sent += len(data.encode("utf-8", "ignore"))
            self._way.sent()
            super().write(data)

    def _has_drained(self) -> None:
        """Called by the writing thread: the line is free for what came meanwhile."""
        with suppress(RuntimeError):  # The loop may be closing.
            self._loop.call_soon_threadsafe(self._catch_up)

    def _catch_up(self) -> None:
        if self._way.is_free and self._writer_thread is not None:
            held, self._held_back = "".join(self._held_back), []
            self._send(held + self._painter.difference())


class _LastingFile:
    """A text file whose writes may fail unnoticed, and that knows whether one is under way."""

    def __init__(self, file: TextIO, drained: Any) -> None:
        self._file = file
        self._gone = False
        self._drained = drained
        self._lock = Lock()
        self._under_way = 0
        self.closing = False

    @property
    def is_free(self) -> bool:
        return self.closing or self._under_way == 0

    def sent(self) -> None:
        with self._lock:
            self._under_way += 1

    def write(self, text: str) -> int:
        if not self._gone:
            try:
                self._file.write(text)
                self._file.flush()
            except OSError:
                self._gone = True
        with self._lock:
            self._under_way -= 1
            free = self._under_way == 0
        if free and not self.closing:
            self._drained()
        return len(text)

    def flush(self) -> None:
        """Each write is flushed at once: only then has it left."""

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return True
