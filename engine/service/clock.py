"""The engine's clock: the wall for what is recorded, the loop's monotonic time for waiting."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

_LONGEST_WAIT_SECONDS = 30.0


class Handle(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Tell the time, aware UTC."""

    def call_at(self, when: datetime, wake: Callable[[], None]) -> Handle:
        """Call wake at when, or somewhat earlier: who is woken looks at now() again."""


class SystemClock:
    """The machine's. A wait is never longer than half a minute, so that a suspended machine or a
    corrected wall clock delays nothing by more."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def call_at(self, when: datetime, wake: Callable[[], None]) -> Handle:
        wait = (when - self.now()).total_seconds()
        loop = asyncio.get_running_loop()
        return loop.call_later(min(max(wait, 0.0), _LONGEST_WAIT_SECONDS), wake)
