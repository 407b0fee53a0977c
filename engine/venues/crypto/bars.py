"""Closed bars on their way to the engine: the history first, then what streams tell, in order.

A bar no stream told in time is asked for, and so is what is missing before one that was told.
Nothing is told before the book is: the newest bar may be a signal, and nobody could act on it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.desk.market import Bar
from engine.errors import VenueError
from engine.venues.crypto.faults import UNREADABLE
from engine.venues.crypto.markets import Market
from engine.venues.crypto.translator import Surroundings, Translator
from engine.venues.port import VenueSink

_FAILURES_SAID = 3
_LONGEST_PAUSE = timedelta(seconds=60)


@dataclass(slots=True)
class _Track:
    """One market. newest: when the last bar that was told opened; waiting: those that were not, by
    when they opened; asks: questions in a row that brought nothing, failures of them unanswered;
    due: when to ask next."""

    market: Market
    due: datetime
    is_known: bool = False
    newest: datetime | None = None
    waiting: dict[datetime, Bar] = field(default_factory=dict)
    asks: int = 0
    failures: int = 0


class Bars:
    """warn is told when the history of a market cannot be had again and again."""

    def __init__(
        self,
        around: Surroundings,
        sink: VenueSink,
        translator: Translator,
        *,
        warn: Callable[[str, str], None],
    ) -> None:
        self._around = around
        self._sink = sink
        self._translator = translator
        self._warn = warn
        self._interval = timedelta(seconds=around.settings.bar_seconds)
        self._pause = timedelta(seconds=around.settings.poll_seconds)
        self._tracks: dict[str, _Track] = {}
        self._released = asyncio.Event()
        self._missed = asyncio.Event()

    def begin(self, markets: Sequence[Market]) -> None:
        """Take these markets' bars from now on."""
        now = self._around.now()
        self._tracks = {market.ref: _Track(market, due=now) for market in markets}

    def release(self) -> None:
        """Let bars go: the book was told."""
        self._released.set()

    def take(self, ref: str, bars: Sequence[Bar]) -> None:
        """Take closed bars from a stream; they are told once what lies before them was."""
        track = self._tracks.get(ref)
        if track is None:
            return
        self._add(track, bars)
        if not track.is_known or not track.waiting:
            return
        if track.newest is not None and min(track.waiting) > track.newest + self._interval:
            track.due = self._around.now()
            self._missed.set()
        else:
            self._tell(track)

    async def keep(self) -> None:
        """Ask for the history of each market until it is told, and then for what streams miss."""
        await self._released.wait()
        while True:
            self._missed.clear()
            for track in self._tracks.values():
                if track.due <= self._around.now():
                    await self._ask(track)
            earliest = min(track.due for track in self._tracks.values())
            # A clock that is set back must not stop the asking.
            wait = min(max(earliest - self._around.now(), timedelta(0)), _LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._missed.wait()

    async def _ask(self, track: _Track) -> None:
        before = track.newest
        try:
            history = await self._translator.history(track.market)
        except (VenueError, *UNREADABLE) as error:
            track.failures += 1
            if track.failures == _FAILURES_SAID:
                text = self._around.wire.redact(str(error))
                self._warn("bars", f"bars of {track.market.ref} cannot be asked for: {text}")
        else:
            track.failures = 0
            track.is_known = True
            self._add(track, history)
            self._tell(track)
        if track.newest == before:
            track.due = self._around.now() + min(self._pause * 2**track.asks, _LONGEST_PAUSE)
            track.asks = min(track.asks + 1, 8)

    def _add(self, track: _Track, bars: Sequence[Bar]) -> None:
        for bar in bars:
            if track.newest is None or bar.at > track.newest:
                track.waiting.setdefault(bar.at, bar)
        most = max(len(bars), self._around.settings.history_bars)
        while len(track.waiting) > most:
            del track.waiting[min(track.waiting)]

    def _tell(self, track: _Track) -> None:
        if not track.waiting:
            return
        told = [bar for _, bar in sorted(track.waiting.items())]
        track.waiting.clear()
        track.newest = told[-1].at
        track.asks = 0
        # The next bar closes two intervals after this one opened, and is told soon after.
        late = track.newest + 2 * self._interval + self._pause
        track.due = max(late, self._around.now() + self._pause)
        self._sink.bars(self._around.name, track.market.ref, told)
