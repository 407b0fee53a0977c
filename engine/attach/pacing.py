"""How often pictures go out, and which nonces were seen. Neither knows a real clock."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """The two things of an event loop that pace the server; a running loop is one."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer: ...


class Pacer:
    """Calls fire soon after ask(), yet never twice within gap_seconds; asks in between are one.

    fire never runs inside ask(): whoever asks is busy with something more urgent than a picture.
    """

    def __init__(self, gap_seconds: float, fire: Callable[[], None], timers: Timers) -> None:
        self._gap_seconds = gap_seconds
        self._fire = fire
        self._timers = timers
        self._not_before = float("-inf")
        self._timer: Timer | None = None

    def ask(self) -> None:
        if self._timer is None:
            delay = max(0.0, self._not_before - self._timers.time())
            self._timer = self._timers.call_later(delay, self._go)

    def satisfied(self) -> None:
        """Forget what was asked: it has just been done by other means."""
        self.cancel()
        self._not_before = self._timers.time() + self._gap_seconds

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go(self) -> None:
        self._timer = None
        self._not_before = self._timers.time() + self._gap_seconds
        self._fire()


class SeenNonces:
    """The newest nonces of this engine's life; a request expires long before its nonce is gone."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_new(self, nonce: str) -> bool:
        """Take note of a nonce; False when it was seen before."""
        if nonce in self._seen:
            return False
        self._seen[nonce] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True
