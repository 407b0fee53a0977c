"""Closed bars on their way to the engine: the history first, then what streams told since.

Nothing is told before the book is: the newest bar may be a signal, and nobody could act on it.
"""

import asyncio
from collections.abc import Sequence

from engine.desk.market import Bar
from engine.venues.crypto.faults import Unanswered
from engine.venues.crypto.markets import Market
from engine.venues.crypto.translator import Translator
from engine.venues.port import VenueSink


class Bars:
    """early: ref -> bars that closed before their history was told."""

    def __init__(self, name: str, sink: VenueSink, translator: Translator) -> None:
        self._name = name
        self._sink = sink
        self._translator = translator
        self._early: dict[str, list[Bar]] = {}
        self._known: set[str] = set()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let bars go: the book was told."""
        self._released.set()

    def take(self, ref: str, bars: Sequence[Bar]) -> None:
        if ref in self._known:
            self._sink.bars(self._name, ref, bars)
        else:
            self._early.setdefault(ref, []).extend(bars)

    async def keep(self, markets: Sequence[Market], *, pause_seconds: float) -> None:
        """Tell the history of each market, asked for until it is answered."""
        await self._released.wait()
        for market in markets:
            while market.ref not in self._known:
                try:
                    history = list(await self._translator.history(market))
                except Unanswered:
                    await asyncio.sleep(pause_seconds)
                    continue
                newest = history[-1].at if history else None
                early = self._early.pop(market.ref, ())
                history += [bar for bar in early if newest is None or bar.at > newest]
                self._known.add(market.ref)
                self._sink.bars(self._name, market.ref, history)
