"""A place where the process kills itself, so that tests can show what a crash leaves behind."""

import os
import signal
from dataclasses import dataclass
from enum import StrEnum


class CrashWhen(StrEnum):
    """BEFORE: nothing of it would be found. AFTER: it would be, and nobody was told."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(slots=True, kw_only=True)
class CrashPoint:
    """Kill the process, as `kill -9` does, at its at_write-th write (from 1): what is put ahead of
    its commit is one, the commit another."""

    at_write: int
    when: CrashWhen
    _writes: int = 0

    def before(self) -> None:
        self._writes += 1
        self._reach(CrashWhen.BEFORE)

    def after(self) -> None:
        self._reach(CrashWhen.AFTER)

    def _reach(self, when: CrashWhen) -> None:
        if self._writes == self.at_write and self.when is when:
            os.kill(os.getpid(), signal.SIGKILL)
