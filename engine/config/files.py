"""Reads a small regular file whole; a pipe, a device or a folder is refused, never waited on."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotRegularError(OSError):
    """The path leads to something that is not a regular file."""

    def __str__(self) -> str:
        return "is not a regular file"


def read_regular(path: Path, largest: int) -> tuple[bytes, os.stat_result]:
    """Read up to one byte more than largest. Raises OSError; ValueError for a path with a NUL."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise NotRegularError
        parts, room = [], largest + 1
        while room and (part := os.read(descriptor, room)):
            parts.append(part)
            room -= len(part)
        return b"".join(parts), about
    finally:
        os.close(descriptor)
