"""The request budget of one exchange: closes first, then cancels, orders, and last all polls.

Each lane may use only a part of a budget, so closes always find some left. After the venue asked
for fewer requests polls and new orders wait, but not closes nor cancels, which closes may wait for;
while it bans, all wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from engine.desk.intents import Purpose

Cost = Mapping[str, int]
"""Budget -> how much of it a request takes."""


class Lane(IntEnum):
    """What a request is for; earlier members go first."""

    CLOSES = 0
    CANCELS = 1
    ORDERS = 2
    POLLS = 3


# The part of a budget up to which a lane may still send.
SHARES = {Lane.CLOSES: 1.0, Lane.CANCELS: 0.9, Lane.ORDERS: 0.8, Lane.POLLS: 0.5}
# The venue counts when requests arrive, we when they leave.
_JITTER_SECONDS = 0.2
_SOON_SECONDS = 0.01


class Timer(Protocol):
    def cancel(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So much in any window of time. reserved: whether lanes have shares; else all may use all."""

    capacity: int
    window_seconds: float
    reserved: bool = True


def lane_of(purpose: Purpose) -> Lane:
    """The lane of an order: whatever ends a position closes."""
    if purpose is Purpose.ENTRY or purpose.is_resting:
        return Lane.ORDERS
    return Lane.CLOSES


@dataclass(slots=True, eq=False)
class _Waiter:
    cost: Cost
    turn: asyncio.Future[None]


class _Meter:
    """What of one budget is spent within its window."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def room(self, lane: Lane, cost: int, now: float) -> bool:
        budget = self.budget
        while self._spent and now - self._spent[0][0] >= budget.window_seconds + _JITTER_SECONDS:
            self._sum -= self._spent.popleft()[1]
        share = SHARES[lane] if budget.reserved else 1.0
        # What costs more than its lane's share goes alone, or it would never go.
        return self._sum + cost <= max(budget.capacity * share, min(cost, budget.capacity))

    def spend(self, cost: int, now: float) -> None:
        self._spent.append((now, cost))
        self._sum += cost

    def next_free_at(self) -> float | None:
        if not self._spent:
            return None
        return self._spent[0][0] + self.budget.window_seconds + _JITTER_SECONDS


class Limiter:
    """Gives requests their turn. clock is monotonic, in seconds."""

    def __init__(
        self,
        budgets: Mapping[str, Budget],
        *,
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._meters = {name: _Meter(budget) for name, budget in budgets.items()}
        self._clock = clock
        self._call_later = call_later
        self._waiting: dict[Lane, deque[_Waiter]] = {lane: deque() for lane in Lane}
        self._held_until = dict.fromkeys(Lane, 0.0)
        self._timer: Timer | None = None

    async def turn(self, lane: Lane, cost: Cost) -> None:
        """Return when a request of this cost may leave; its cost is spent by then."""
        if not self._is_queued_for(lane, cost) and self._may(lane, cost):
            self._spend(cost)
            return
        waiter = _Waiter(cost, asyncio.get_running_loop().create_future())
        self._waiting[lane].append(waiter)
        self._wake_later()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter in self._waiting[lane]:
                self._waiting[lane].remove(waiter)
            raise

    def hold(self, seconds: float, *, is_ban: bool = False) -> None:
        """Let polls and orders wait; cancels and closes too while the venue bans."""
        until = self._clock() + seconds
        for lane in Lane:
            if is_ban or lane in (Lane.ORDERS, Lane.POLLS):
                self._held_until[lane] = max(self._held_until[lane], until)

    def _is_queued_for(self, lane: Lane, cost: Cost) -> bool:
        """Whether somebody before this lane's newcomers waits for one of the same budgets."""
        return any(
            not waiter.cost.keys().isdisjoint(cost)
            for earlier in Lane
            if earlier <= lane
            for waiter in self._waiting[earlier]
        )

    def _may(self, lane: Lane, cost: Cost) -> bool:
        now = self._clock()
        if now < self._held_until[lane]:
            return False
        return all(self._meters[name].room(lane, it, now) for name, it in cost.items())

    def _spend(self, cost: Cost) -> None:
        now = self._clock()
        for name, amount in cost.items():
            self._meters[name].spend(amount, now)

    def _wake_later(self) -> None:
        if self._timer is not None:
            return
        now = self._clock()
        instants = [at for meter in self._meters.values() if (at := meter.next_free_at())]
        instants += [at for at in self._held_until.values() if at > now]
        delay = min((at - now for at in instants), default=_SOON_SECONDS)
        self._timer = self._call_later(max(delay, _SOON_SECONDS), self._drain)

    def _drain(self) -> None:
        """Give turns in order of lane; a request that cannot go keeps its budgets from later
        ones, not budgets it does not need."""
        self._timer = None
        blocked: set[str] = set()
        for lane in Lane:
            waiting, self._waiting[lane] = self._waiting[lane], deque()
            for waiter in waiting:
                if waiter.turn.done():
                    continue
                if blocked.isdisjoint(waiter.cost) and self._may(lane, waiter.cost):
                    self._spend(waiter.cost)
                    waiter.turn.set_result(None)
                else:
                    blocked |= set(waiter.cost)
                    self._waiting[lane].append(waiter)
        if any(self._waiting.values()):
            self._wake_later()
