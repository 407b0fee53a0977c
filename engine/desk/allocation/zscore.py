"""Scores closed bars: how many deviations the newest lies above the mean of the n before it.

The bar that is scored stands outside the window; inside it, no score could pass (n - 1) / sqrt(n).
Sums are kept exactly, as whole numbers, so a score costs the same for every window and never
drifts. A score decides nothing.
"""

import math
from collections import deque
from datetime import datetime, timedelta

from engine.desk.allocation.definitions import ScoreOf
from engine.desk.market import Bar

_BITS = 80
"""Prices and returns become whole multiples of 2**-80: exact down to 4e-9, and to 1e-24 below."""


class Window:
    """The last n values and their exact sums."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: deque[int] = deque()
        self._sum = 0
        self._squares = 0

    def __len__(self) -> int:
        return len(self._values)

    def score(self, value: float) -> float | None:
        """Score a value against the window and then let it in, the oldest going out.

        None while the window is not full, and where all its values are the same.
        """
        new = int(math.ldexp(value, _BITS))
        values, size = self._values, self._size
        found = None
        if len(values) == size:
            spread = size * self._squares - self._sum * self._sum
            if spread > 0:
                found = (size * new - self._sum) / math.sqrt(spread)
            old = values.popleft()
            self._sum -= old
            self._squares -= old * old
        values.append(new)
        self._sum += new
        self._squares += new * new
        return found

    def clear(self) -> None:
        self._values.clear()
        self._sum = self._squares = 0


class Series:
    """One symbol's closed bars, in order, each counted once.

    A hole in them shorter than the window leaves the window standing, but the bar after it moved
    for several bars at once, so it is no entry. Across a longer hole the window begins anew.
    z: of the newest bar, None where it has none. gap: what was missing last, in words, while the
    window holds bars from before it.
    """

    def __init__(self, *, window: int, interval_seconds: int, score_of: ScoreOf) -> None:
        self.window = window
        self.interval = timedelta(seconds=interval_seconds)
        self.z: float | None = None
        self.highest: float | None = None
        self.newest: Bar | None = None
        self.after_hole = False
        self.gap = ""
        self._of_return = score_of is ScoreOf.RETURN
        self._scores = Window(window)
        self._next: datetime | None = None
        self._since_gap = 0
        self._kept: deque[Bar] = deque(maxlen=window + 1)

    @property
    def seen(self) -> int:
        """How many bars the window holds."""
        return len(self._scores)

    def take(self, bar: Bar) -> bool:
        """Score a bar; False for one that was counted before, comes too late, or has no price."""
        if not 0 < bar.close < math.inf:
            return False
        newest, expected = self.newest, self._next
        self.after_hole = False
        if newest is not None and expected is not None and bar.at != expected:
            if bar.at < expected:
                return False
            self._skip(bar, expected)
        if self.gap:
            self._since_gap += 1
            if self._since_gap > self.window:
                self.gap = ""
        self.newest = bar
        self._next = bar.at + self.interval
        self._kept.append(bar)
        if not self._of_return:
            z = self.z = self._scores.score(bar.close)
        elif newest is None or self.after_hole:
            z = self.z = None
        else:
            z = self.z = self._scores.score(bar.close / newest.close - 1)
        if z is not None and (self.highest is None or z > self.highest):
            self.highest = z
        return True

    def passed_on(self, other: "Series") -> "Series":
        """Return this series where other asks the same of the bars, else other, told the bars that
        are still known here."""
        same = (self.window, self.interval, self._of_return)
        if same == (other.window, other.interval, other._of_return):
            return self
        if self.interval == other.interval:
            for bar in self._kept:
                other.take(bar)
        return other

    def _skip(self, bar: Bar, expected: datetime) -> None:
        missing = math.ceil((bar.at - expected) / self.interval)
        self.after_hole = True
        self._since_gap = 0
        noun = "bar" if missing == 1 else "bars"
        self.gap = f"{missing} {noun} missing before {bar.at:%Y-%m-%d %H:%M}"
        if missing >= self.window:
            self._scores.clear()
            self._kept.clear()
            self.gap += ", the window begins anew"
