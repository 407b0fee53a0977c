"""Where log lines go: to stderr, for whoever started the engine to keep.

The log may lie on the disk that just filled up. A line that cannot be written is lost, and nobody
who had something to do stops over it.
"""

import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


class _LastingStream:
    """As much of a text stream as a logger uses, without a buffer and without errors."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, text: str) -> int:
        with suppress(OSError):
            os.write(self._fd, text.encode(errors="backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def configure_logging() -> None:
    """Log to stderr, one line an event; whoever starts the engine says where that goes."""
    stream = cast(TextIO, _LastingStream(sys.stderr.fileno()))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
