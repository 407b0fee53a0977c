"""When to look at a symbol again though nothing happened: one instant each, the earliest first."""

import heapq
from collections.abc import Iterator
from datetime import datetime


class Wakes:
    def __init__(self) -> None:
        self._at: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def at(self, symbol: str, when: datetime) -> None:
        """Wake a symbol at an instant, or earlier where an earlier one is set."""
        known = self._at.get(symbol)
        if known is None or when < known:
            self._at[symbol] = when
            heapq.heappush(self._heap, (when, symbol))

    def due(self, now: datetime) -> Iterator[str]:
        """Take out the symbols whose instant has come."""
        while self._heap and self._heap[0][0] <= now:
            when, symbol = heapq.heappop(self._heap)
            if self._at.get(symbol) == when:
                del self._at[symbol]
                yield symbol

    @property
    def next(self) -> datetime | None:
        heap = self._heap
        while heap and self._at.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def forget(self, symbol: str) -> None:
        self._at.pop(symbol, None)
