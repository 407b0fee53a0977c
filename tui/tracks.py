"""The prices this terminal has seen go by, kept for its charts: a ring for each instrument.

Pictures carry only the present mark. When a ring is full every second point is dropped and the gap
between points doubles, so that it always reaches back to where the terminal was attached.
"""

from array import array
from collections.abc import Iterator
from datetime import datetime

from engine.desk.snapshot import Snapshot

MOST_POINTS = 480
FIRST_GAP_SECONDS = 1.0

BARRIER, POSITION, SET, SCORE = "barrier", "position", "set", "score"
Points = tuple[tuple[float, float], ...]


class Track:
    """Pairs of an instant (seconds since the epoch) and a value, at most MOST_POINTS of them."""

    __slots__ = ("_gap", "_times", "_values")

    def __init__(self) -> None:
        self._times = array("d")
        self._values = array("d")
        self._gap = FIRST_GAP_SECONDS

    def add(self, at: float, value: float) -> None:
        if self._times and at - self._times[-1] < self._gap:
            self._values[-1] = value
            return
        self._times.append(at)
        self._values.append(value)
        if len(self._times) > MOST_POINTS:
            # The newest stays, whatever is dropped before it.
            keep = slice((len(self._times) + 1) % 2, None, 2)
            self._times, self._values = self._times[keep], self._values[keep]
            self._gap *= 2

    @property
    def points(self) -> Points:
        return tuple(zip(self._times, self._values, strict=True))


class Tracks:
    """Every track by what it is of: (BARRIER, id), (POSITION, venue/account/ref), (SET, symbol) and
    (SCORE, symbol)."""

    def __init__(self) -> None:
        self._tracks: dict[tuple[str, str], Track] = {}
        self._last: datetime | None = None

    def add(self, picture: Snapshot) -> None:
        """Take the marks of a picture; pictures within a second of each other count once."""
        if self._last is not None:
            since = (picture.at - self._last).total_seconds()
            if 0 <= since < FIRST_GAP_SECONDS:
                return
        self._last = picture.at
        at = picture.at.timestamp()
        seen = dict(_values(picture))
        self._tracks = {key: self._tracks.get(key) or Track() for key in seen}
        for key, value in seen.items():
            self._tracks[key].add(at, value)

    def points(self, kind: str, key: str) -> Points:
        track = self._tracks.get((kind, key))
        return () if track is None else track.points


def _values(picture: Snapshot) -> Iterator[tuple[tuple[str, str], float]]:
    for barrier in picture.barriers:
        if barrier.mark_price is not None:
            yield (BARRIER, barrier.id), float(barrier.mark_price)
    for position in picture.positions:
        if position.mark_price is not None and position.barrier_id is None:
            place = f"{position.venue}/{position.account}/{position.ref}"
            yield (POSITION, place), float(position.mark_price)
    for one in picture.allocation.sets if picture.allocation else ():
        if one.mark_price is not None:
            yield (SET, one.symbol), float(one.mark_price)
        if one.z_score is not None:
            yield (SCORE, one.symbol), one.z_score
