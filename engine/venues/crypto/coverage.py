"""Keeps quotes, bars and contract specs coming for what is held, asked for or configured.

Streams bring them; REST fills in what a stream has not said yet, and all of it while they are
silent.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from engine.desk.instruments import Instrument
from engine.errors import VenueError
from engine.venues.crypto.bars import Bars
from engine.venues.crypto.faults import UNREADABLE
from engine.venues.crypto.quotes import Quotes, always_wanted
from engine.venues.crypto.translator import Stream, Surroundings, Translator


class Coverage:
    """wanted gives what is held or asked for; describe is told of it; start runs work as long as
    the connection lives, watch a stream; news is called when quotes wait to be handed over, warn
    when they cannot be asked for."""

    def __init__(
        self,
        around: Surroundings,
        translator: Translator,
        quotes: Quotes,
        bars: Bars,
        *,
        wanted: Callable[[], Iterable[Instrument]],
        describe: Callable[[Instrument], None],
        start: Callable[[Coroutine[Any, Any, None]], None],
        watch: Callable[[Stream], Coroutine[Any, Any, None]],
        news: Callable[[], None],
        warn: Callable[[str, str], None],
    ) -> None:
        self._around = around
        self._translator = translator
        self._quotes = quotes
        self._bars = bars
        self._wanted = wanted
        self._describe = describe
        self._start = start
        self._watch = watch
        self._news = news
        self._warn = warn

    def cover(self) -> None:
        """Subscribe to what is not yet."""
        markets, settings = self._around.markets, self._around.settings
        always = always_wanted(settings, markets, assigns=self._translator.assigns)
        asked_for = [markets.of(it.ref) for it in self._wanted() if it.ref in markets]
        for market in (*asked_for, *(always if settings.symbols else ())):
            self._describe(market.instrument)
        for part in self._quotes.uncovered((*asked_for, *always)):
            for stream in self._translator.quote_streams(part):
                self._start(self._watch(stream))
            if asked_for:
                self._start(self.ask_quotes(is_stale=False))

    def begin_bars(self) -> None:
        settings = self._around.settings
        wanted = self._around.markets.named(settings.symbols)
        if settings.is_spot and settings.history_bars and wanted:
            self._bars.begin(wanted)
            for stream in self._translator.bar_streams(wanted):
                self._start(self._watch(stream))
            self._start(self._bars.keep())

    async def ask_quotes(self, *, is_stale: bool) -> None:
        """Ask over REST. While streams speak, only what they have not told yet is taken."""
        markets = [it for it in self._around.markets if it.ref in self._quotes.covered]
        try:
            self._quotes.take_asked(await self._translator.touches(markets), is_stale=is_stale)
        except (VenueError, *UNREADABLE) as error:
            self._warn(
                "quotes", f"quotes cannot be asked for: {self._around.wire.redact(str(error))}"
            )
        else:
            self._news()
