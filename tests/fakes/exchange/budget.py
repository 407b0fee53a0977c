"""A rate limit as exchanges count it: so much cost within a sliding window."""

from collections import deque


class Budget:
    """Costs spent within the last window_seconds, and whether another one fits."""

    def __init__(self, limit: float, window_seconds: float) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self._spent: deque[tuple[float, float]] = deque()
        self.refused = 0

    def used(self, now_seconds: float) -> float:
        """What was spent within the window that ends now."""
        while self._spent and self._spent[0][0] <= now_seconds - self.window_seconds:
            self._spent.popleft()
        return sum(cost for _, cost in self._spent)

    def spend(self, cost: float, now_seconds: float) -> bool:
        """Spend, or refuse (False) and count the refusal."""
        if self.used(now_seconds) + cost > self.limit:
            self.refused += 1
            return False
        self._spent.append((now_seconds, cost))
        return True
