import asyncio
import heapq
from collections.abc import Callable
from itertools import count

import pytest

from engine.desk.intents import Purpose
from engine.venues.crypto.limiter import Budget, Lane, Limiter, lane_of

TEN_SECONDS = {"trading": Budget(capacity=100, window_seconds=10.0)}


class Clock:
    """Time that passes when told to, and runs what is due."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def call_later(self, seconds: float, action: Callable[[], None]) -> "Clock":
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), action))
        return self

    def cancel(self) -> None:
        """Timers here are not cancelled."""

    async def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, action = heapq.heappop(self._due)
            action()
            await settle()
        self.now = until


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Asker:
    """Asks for turns and remembers who got one, and when."""

    def __init__(self, budgets: dict[str, Budget]) -> None:
        self.clock = Clock()
        self.limiter = Limiter(
            budgets, clock=lambda: self.clock.now, call_later=self.clock.call_later
        )
        self.went: list[tuple[str, float]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, name: str, lane: Lane, cost: int, budget: str = "trading") -> None:
        async def wait() -> None:
            await self.limiter.turn(lane, {budget: cost})
            self.went.append((name, self.clock.now - 1000.0))

        self.tasks.append(asyncio.get_running_loop().create_task(wait()))
        await settle()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.went]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_polls_leave_the_other_half_to_orders_and_closes() -> None:
    asker = Asker(TEN_SECONDS)
    for number in range(6):
        await asker.ask(f"poll {number}", Lane.POLLS, 10)
    await asker.ask("close", Lane.CLOSES, 10)
    assert asker.names == [*(f"poll {n}" for n in range(5)), "close"]
    await asker.stop()


async def test_what_waits_goes_when_the_window_has_passed_closes_first() -> None:
    asker = Asker(TEN_SECONDS)
    await asker.ask("first", Lane.CLOSES, 100)
    await asker.ask("poll", Lane.POLLS, 10)
    await asker.ask("order", Lane.ORDERS, 10)
    await asker.ask("cancel", Lane.CANCELS, 10)
    await asker.ask("close", Lane.CLOSES, 10)
    assert asker.names == ["first"]
    await asker.clock.pass_by(9.9)
    assert asker.names == ["first"]
    await asker.clock.pass_by(1.0)
    assert asker.names == ["first", "close", "cancel", "order", "poll"]


async def test_never_more_than_the_budget_within_any_window() -> None:
    asker = Asker(TEN_SECONDS)
    for number in range(40):
        await asker.ask(str(number), Lane.CLOSES, 10)
        await asker.clock.pass_by(0.3)
    await asker.clock.pass_by(60)
    times = [at for _, at in asker.went]
    assert len(times) == 40
    for start in times:
        assert sum(10 for at in times if start <= at < start + 10) <= 100


async def test_after_a_429_only_closes_and_cancels_go() -> None:
    asker = Asker(TEN_SECONDS)
    asker.limiter.hold(5)
    for lane in (Lane.POLLS, Lane.ORDERS, Lane.CANCELS, Lane.CLOSES):
        await asker.ask(lane.name, lane, 1)
    assert asker.names == ["CANCELS", "CLOSES"]
    await asker.clock.pass_by(6)
    assert asker.names == ["CANCELS", "CLOSES", "ORDERS", "POLLS"]


async def test_a_ban_holds_closes_too() -> None:
    asker = Asker(TEN_SECONDS)
    asker.limiter.hold(5, is_ban=True)
    await asker.ask("close", Lane.CLOSES, 1)
    assert asker.names == []
    await asker.clock.pass_by(6)
    assert asker.names == ["close"]


async def test_an_empty_budget_does_not_hold_up_another() -> None:
    asker = Asker({**TEN_SECONDS, "history": Budget(capacity=1, window_seconds=600)})
    await asker.ask("history 1", Lane.POLLS, 1, "history")
    await asker.ask("history 2", Lane.POLLS, 1, "history")
    await asker.ask("poll", Lane.POLLS, 1)
    await asker.clock.pass_by(1)
    assert asker.names == ["history 1", "poll"]
    await asker.stop()


async def test_one_that_stopped_waiting_takes_no_turn() -> None:
    asker = Asker(TEN_SECONDS)
    await asker.ask("first", Lane.CLOSES, 100)
    await asker.ask("gone", Lane.CLOSES, 10)
    asker.tasks[-1].cancel()
    await settle()
    await asker.ask("next", Lane.CLOSES, 100)
    await asker.clock.pass_by(11)
    assert asker.names == ["first", "next"]


@pytest.mark.parametrize("purpose", list(Purpose))
def test_whatever_ends_a_position_is_a_close(purpose: Purpose) -> None:
    opens = purpose in (Purpose.ENTRY, Purpose.BRACKET, Purpose.RESIDENT_STOP)
    assert lane_of(purpose) is (Lane.ORDERS if opens else Lane.CLOSES)
