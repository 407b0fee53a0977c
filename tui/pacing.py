"""When a picture is drawn: at once if anything happened, else as often as the line has room for.

Over a slow line fifty moving prices would fill it and every key would wait behind them.
"""

from collections.abc import Callable
from typing import Any

from engine.desk.snapshot import Snapshot

BYTES_PER_SECOND = 5000


class LineBudget:
    """Counts what was sent against what the line should carry; sent gives the total so far."""

    def __init__(self, monotonic: Callable[[], float], sent: Callable[[], int]) -> None:
        self._monotonic = monotonic
        self._sent = sent
        self._drawn_at = float("-inf")
        self._sent_before = 0

    def drawn(self) -> None:
        """A picture is being drawn now."""
        self._drawn_at = self._monotonic()
        self._sent_before = self._sent()

    def wait_seconds(self) -> float:
        """How long the next picture must wait for what the last one took."""
        took = (self._sent() - self._sent_before) / BYTES_PER_SECOND
        return max(0.0, took - (self._monotonic() - self._drawn_at))


def something_happened(before: Snapshot | None, after: Snapshot) -> bool:
    """Whether anything but prices, ages and what follows from them is different."""
    return before is None or _state(before) != _state(after)


def _state(picture: Snapshot) -> tuple[Any, ...]:
    allocation = picture.allocation
    return (
        picture.mode,
        picture.armed,
        [(one.name, one.state, one.can_trade) for one in picture.venues],
        [(one.id, one.acknowledged) for one in picture.alerts],
        [(one.id, one.state) for one in picture.assignments],
        [(one.id, one.state, one.filled) for one in picture.orders],
        [
            (one.id, one.status, one.reason, one.shares, [leg.held for leg in one.legs])
            for one in picture.strategies
        ],
        [(one.id, one.state, one.close_type, one.quantity) for one in picture.barriers],
        [(one.ref, one.quantity, one.barrier_id) for one in picture.positions],
        [one.id for one in picture.candidates],
        None
        if allocation is None
        else [(one.symbol, one.state, one.reserved, one.quantity) for one in allocation.sets],
    )
