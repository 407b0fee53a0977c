"""Quotes on their way to the engine: of each instrument the newest, once a turn of the loop.

Also keeps subscriptions for what is wanted: what is held or asked for, the pairs of the settings,
and one liquid market by whose silence a dead stream is known.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from engine.desk.market import Quote
from engine.venues.crypto.markets import Market, Markets
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.translator import Touch
from engine.venues.port import VenueSink

_CHUNK = 50
_PULSE = (("BTC", "USDT"), ("BTC", "USD"))


class Quotes:
    """pending: ref -> the newest quote not handed over yet."""

    def __init__(self, name: str, sink: VenueSink, now: Callable[[], datetime]) -> None:
        self._name = name
        self._sink = sink
        self._now = now
        self._pending: dict[str, Touch] = {}
        self._known: set[str] = set()
        self._covered: set[str] = set()

    def take(self, touch: Touch) -> None:
        self._pending[touch[0]] = touch

    def take_asked(self, touches: Iterable[Touch], *, is_stale: bool) -> None:
        """Take quotes REST told; while streams speak, only of instruments they have not yet."""
        for touch in touches:
            if is_stale or touch[0] not in self._known:
                self._pending.setdefault(touch[0], touch)

    def flush(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        self._known.update(pending)
        at = self._now()
        for ref, bid, ask, last in pending.values():
            self._sink.quote(self._name, ref, Quote.of(at=at, bid=bid, ask=ask, last=last))

    def uncovered(self, wanted: Iterable[Market]) -> list[list[Market]]:
        """Give the markets to subscribe to now, in parts of what one request may name; they count
        as covered from here on."""
        fresh = {it.ref: it for it in wanted if it.ref not in self._covered}
        self._covered.update(fresh)
        found = list(fresh.values())
        return [found[at : at + _CHUNK] for at in range(0, len(found), _CHUNK)]

    @property
    def covered(self) -> frozenset[str]:
        return frozenset(self._covered)


def always_wanted(settings: CryptoSettings, markets: Markets, *, assigns: bool) -> Sequence[Market]:
    """Give the markets whose quotes are kept whatever is held."""
    if settings.symbols:
        named = markets.named(settings.symbols)
        return named or _pulse(markets)
    return tuple(markets) if assigns else _pulse(markets)


def _pulse(markets: Markets) -> Sequence[Market]:
    """Find one market that always trades."""
    for pair in _PULSE:
        for market in markets:
            if (market.instrument.base, market.instrument.quote) == pair:
                return (market,)
    return tuple(markets)[:1]
