"""The message budget: IB allows 50 messages a second and drops who sends more.

Orders and cancels go at once and before everything else; questions and market data may use only a
part of each second, and a small one while closes go out, so a close never waits behind polling.
"""

import math
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol


class Lane(IntEnum):
    """What a message is for; earlier members go first. FIGURES are what an account is worth and
    what an order would do to it: nothing waits for them."""

    ORDERS = 0
    QUESTIONS = 1
    DETAILS = 2
    DATA = 3
    FIGURES = 4


# Lane -> messages of all lanes within one second up to which this lane may still send.
BUDGET = {
    Lane.ORDERS: 45,
    Lane.QUESTIONS: 35,
    Lane.DETAILS: 30,
    Lane.DATA: 25,
    Lane.FIGURES: 10,
}
# The same while closes go out: one close seldom comes alone.
BUDGET_WHILE_CLOSING = {
    Lane.ORDERS: 45,
    Lane.QUESTIONS: 30,
    Lane.DETAILS: 20,
    Lane.DATA: 5,
    Lane.FIGURES: 0,
}
_SECOND = 1.0
_CLOSING_SECONDS = 2.0


class Timer(Protocol):
    def cancel(self) -> None: ...


class Pacer:
    """Runs sends in order of lane, each as soon as its budget allows."""

    def __init__(
        self,
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._clock = clock
        self._call_later = call_later
        self._sent: deque[float] = deque()
        self._waiting: dict[Lane, deque[Callable[[], None]]] = {lane: deque() for lane in Lane}
        self._timer: Timer | None = None
        self._closed = False
        self._last_order = -math.inf

    def send(self, lane: Lane, action: Callable[[], None]) -> None:
        """Run the action now if its lane's budget allows, else as soon as it does."""
        if self._closed:
            return
        if lane is Lane.ORDERS:
            self._last_order = self._clock()
        if not self._waiting[lane] and self._may(lane):
            self._run(action)
            return
        self._waiting[lane].append(action)
        self._wake_later()

    def close(self) -> None:
        """Drop everything that waits; nothing is sent any more."""
        self._closed = True
        for waiting in self._waiting.values():
            waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _may(self, lane: Lane) -> bool:
        now = self._clock()
        while self._sent and now - self._sent[0] >= _SECOND:
            self._sent.popleft()
        closing = now - self._last_order < _CLOSING_SECONDS
        return len(self._sent) < (BUDGET_WHILE_CLOSING if closing else BUDGET)[lane]

    def _run(self, action: Callable[[], None]) -> None:
        self._sent.append(self._clock())
        action()

    def _wake_later(self) -> None:
        if self._timer is None:
            delay = _SECOND
            if self._sent:
                delay = max(0.0, self._sent[0] + _SECOND - self._clock())
            self._timer = self._call_later(delay, self._drain)

    def _drain(self) -> None:
        self._timer = None
        for lane in Lane:
            waiting = self._waiting[lane]
            while waiting and self._may(lane):
                self._run(waiting.popleft())
        if any(self._waiting.values()):
            self._wake_later()
