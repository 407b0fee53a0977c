"""The list of markets of one connection: loaded, taken over from the last one, or asked for anew.

What the exchange speaks of and does not list (what is delisted stays in its history) is told once
and left alone from then on.
"""

from collections.abc import Callable

from engine.venues.crypto.markets import UnknownMarket
from engine.venues.crypto.memory import Memory
from engine.venues.crypto.translator import Surroundings, Translator


class Catalogue:
    """Fills in around.markets. Raises the errors of engine.venues.crypto.faults."""

    def __init__(
        self,
        around: Surroundings,
        translator: Translator,
        memory: Memory,
        *,
        clock: Callable[[], float],
        warn: Callable[[str, str], None],
    ) -> None:
        self._around = around
        self._translator = translator
        self._memory = memory
        self._clock = clock
        self._warn = warn
        self._is_reloading = False

    async def load(self) -> None:
        wire, now = self._around.wire, self._clock()
        known = self._memory.fresh(now)
        if known is None:
            await wire.guarded(wire.exchange.load_markets())
            self._memory.keep(wire.exchange, now)
        else:
            wire.use_markets(known)
        self._read()

    async def reload(self, error: UnknownMarket) -> None:
        """Ask for the list again because of a market it did not have."""
        ref = str(error.args[0])
        if self._is_reloading:
            return
        self._is_reloading = True
        try:
            wire = self._around.wire
            await wire.guarded(wire.exchange.load_markets(True))
            self._memory.keep(wire.exchange, self._clock())
            self._read()
        finally:
            self._is_reloading = False
        if ref not in self._around.markets:
            self._memory.ignored.add(ref)
            self._around.markets.ignore([ref])
            self._warn("unguarded", f"{ref} is no market the exchange lists: it is not guarded")

    def _read(self) -> None:
        markets = self._translator.markets()
        markets.ignore(self._memory.ignored)
        self._around.markets = markets
