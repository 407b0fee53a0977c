"""What a paper venue still has to tell: one step a turn of the event loop, so that nothing is ever
told within a call, and what a step changed is kept before it is told."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from engine.desk.facts import VenueFact
from engine.venues.port import VenueSink

Step = Callable[[], Iterable[VenueFact]]


class Turns:
    """keep is called after every step, before its facts go to the sink."""

    def __init__(self, sink: VenueSink, keep: Callable[[], None]) -> None:
        self._sink = sink
        self._keep = keep
        self._steps: deque[Step] = deque()
        self._scheduled = False

    def soon(self, step: Step) -> None:
        """Take a step behind all others."""
        self._steps.append(step)
        self._schedule()

    def first(self, *steps: Step) -> None:
        """Take these ahead of all others: what a step led to is told before anything newer."""
        self._steps.extendleft(reversed(steps))
        self._schedule()

    def at_once(self, batches: Iterable[Iterable[VenueFact]]) -> None:
        """Tell batches ahead of anything newer, each on a turn of its own."""
        self.first(*(partial(tuple, batch) for batch in batches))

    def tell(self, *batch: VenueFact) -> None:
        self.soon(lambda: batch)

    def clear(self) -> None:
        self._steps.clear()

    def _schedule(self) -> None:
        if self._steps and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self._steps:
            batch = tuple(self._steps.popleft()())
            self._keep()
            if batch:
                self._sink.facts(batch)
        self._schedule()
