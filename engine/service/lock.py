"""One engine an account: an flock on the state directory, held for the engine's life."""

import fcntl
import os
from pathlib import Path

from engine.errors import EngineError


class EngineLock:
    """Hold the lock file; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def take(self) -> None:
        """Take the lock or raise EngineError naming who has it. Never waits."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise EngineError(
                f"Another engine (process {holder}) runs on {self._path.parent}. "
                "Attach to it, or stop it first: bulkhead stop."
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
