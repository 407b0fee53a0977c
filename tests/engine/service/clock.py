"""A clock that stands still until it is told to go."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count


class _Wait:
    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """Keeps engine.service.clock.Clock; time passes by advance() alone."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._waits: list[tuple[datetime, int, _Wait]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    def call_at(self, when: datetime, wake: Callable[[], None]) -> _Wait:
        wait = _Wait(wake)
        heapq.heappush(self._waits, (when, next(self._order), wait))
        return wait

    def advance(self, seconds: float) -> None:
        """Let time pass and wake, in order, everyone whose time comes."""
        end = self._now + timedelta(seconds=seconds)
        while self._waits and self._waits[0][0] <= end:
            when, _, wait = heapq.heappop(self._waits)
            if not wait.cancelled:
                self._now = max(self._now, when)
                wait.wake()
        self._now = end
