"""What the sockets say, handed to the part of the connection that understands it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, assert_never

from engine.desk.facts import BalanceReported, Execution, OrderRow, PositionRow
from engine.venues.crypto.bars import Bars
from engine.venues.crypto.book import Book
from engine.venues.crypto.faults import UNREADABLE
from engine.venues.crypto.markets import UnknownMarket
from engine.venues.crypto.outbox import Outbox
from engine.venues.crypto.quotes import Quotes
from engine.venues.crypto.standing import Standing
from engine.venues.crypto.translator import (
    ClosedBars,
    Holdings,
    News,
    Over,
    Subscribed,
    Surroundings,
    Translator,
    Unclear,
)
from engine.venues.crypto.vigil import Vigil


class Hearing:
    """subscribed is set once all private channels are open. unknown takes a market nobody told of,
    over the reason why only a new connection can go on."""

    def __init__(
        self,
        around: Surroundings,
        translator: Translator,
        *,
        book: Book,
        quotes: Quotes,
        bars: Bars,
        outbox: Outbox,
        vigil: Vigil,
        standing: Standing,
        unknown: Callable[[UnknownMarket], Coroutine[Any, Any, None]],
        over: Callable[[str], None],
    ) -> None:
        self._around = around
        self._translator = translator
        self._book = book
        self._quotes = quotes
        self._bars = bars
        self._outbox = outbox
        self._vigil = vigil
        self._standing = standing
        self._unknown = unknown
        self._over = over
        self._clock = asyncio.get_running_loop().time
        self._channels: set[str] = set()
        self.subscribed = asyncio.Event()

    def hear(self, message: Any) -> bool:
        """Take a message of a socket; True when nobody else need look at it. What comes after the
        end is in the next connection's first picture."""
        if self._standing.over:
            return True
        vigil = self._vigil
        vigil.heard_at = self._clock()
        self._outbox.deliver_soon()
        if not isinstance(message, dict):
            return False
        touch = self._translator.touch(message)
        if touch is not None:
            self._quotes.take(touch)
        else:
            self._read(message)
        if vigil.is_stale and self._is_subscribed:
            vigil.is_stale = False
            self._standing.show()
            self._around.ask()
        return touch is not None

    def opened(self, url: str) -> None:
        """Hear that a socket is open."""
        for news in self._translator.opened(url):
            self._take(news)

    @property
    def _is_subscribed(self) -> bool:
        has_keys = self._around.settings.has_keys
        return not has_keys or self._channels >= self._translator.channels

    def _read(self, message: Any) -> None:
        try:
            for news in self._translator.hear(message):
                self._take(news)
        except UnknownMarket as error:
            self._around.start(self._unknown(error))
        except UNREADABLE as error:
            text = self._around.wire.redact(f"a message could not be read: {error!r}")
            self._outbox.warn("fault", text, critical=True)
            self._around.ask()

    def _take(self, news: News) -> None:
        match news:
            case Execution():
                self._book.execution(news)
            case PositionRow():
                self._book.position(news)
            case Holdings():
                self._book.holdings(news.rows)
            case OrderRow():
                self._book.order(news)
            case BalanceReported():
                self._book.balance(news)
            case ClosedBars():
                self._bars.take(news.ref, news.bars)
            case Subscribed():
                self._channels.add(news.channel)
                if self._is_subscribed:
                    self.subscribed.set()
            case Unclear():
                self._around.ask()
            case Over():
                self._over(news.reason)
            case _:
                assert_never(news)
