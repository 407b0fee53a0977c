"""One connection: its state, and everything it hears handed to the part that understands it.

Streams come first, REST confirms, and stands in while streams are silent. A session ends once and
is never used again: the next connection starts from nothing, so nothing old can survive into it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

from engine.desk.instruments import Instrument
from engine.errors import VenueError
from engine.venues.crypto import words
from engine.venues.crypto.asker import Asker
from engine.venues.crypto.bars import Bars
from engine.venues.crypto.book import Book
from engine.venues.crypto.catalogue import Catalogue
from engine.venues.crypto.coverage import Coverage
from engine.venues.crypto.faults import UNREADABLE, Denied
from engine.venues.crypto.hearing import Hearing
from engine.venues.crypto.limiter import Lane, Limiter
from engine.venues.crypto.markets import UnknownMarket
from engine.venues.crypto.memory import Memory
from engine.venues.crypto.outbox import Outbox
from engine.venues.crypto.quotes import Quotes
from engine.venues.crypto.sending import Sending
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.standing import Standing
from engine.venues.crypto.translator import Stream, Surroundings, Translator
from engine.venues.crypto.vigil import Vigil
from engine.venues.crypto.wire import Library, Wire, completed
from engine.venues.port import PricedOrder, VenueSink


class Session:
    """Lives from connect to disconnect; `live` returns the reason it ended.

    is_sequel: whether it takes the place of one whose streams were silent. The account was asked
    over REST until then, so the venue stays as it was shown until this one knows better.
    """

    def __init__(
        self,
        name: str,
        settings: CryptoSettings,
        sink: VenueSink,
        *,
        library: Library,
        translator: type[Translator],
        memory: Memory,
        now: Callable[[], datetime],
        watched: Callable[[], Iterable[Instrument]],
        is_sequel: bool = False,
    ) -> None:
        self._name = name
        self._settings = settings
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[str] = self._loop.create_future()
        self._refresh: asyncio.Handle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.clock_skew_seconds: float | None = None

        limiter = Limiter(
            translator.budgets, clock=self._loop.time, call_later=self._loop.call_later
        )
        self._wire = Wire(
            library,
            settings,
            limiter,
            options=translator.options,
            verdicts=translator.verdicts,
            heard=lambda message: self._hearing.hear(message),
            lost=self.end,
            opened=lambda url: self._hearing.opened(url),
        )
        self._around = Surroundings(
            name=name,
            wire=self._wire,
            settings=settings,
            own=memory.own,
            now=now,
            start=self._start,
            ask=self.ask,
        )
        self._translator = translator(self._around)
        self._asker = Asker(
            self._question,
            answered=self._book_told,
            failed=self._book_untold,
            denied=self._deny,
            unknown=self._meet_market,
            longest_pause_seconds=settings.poll_seconds,
        )
        self._quotes = Quotes(name, sink, now)
        self._outbox = Outbox(sink, self._around, self._quotes)
        emit, warn = self._outbox.emit, self._outbox.warn
        self._catalogue = Catalogue(
            self._around, self._translator, memory, clock=self._loop.time, warn=warn
        )
        self._bars = Bars(self._around, sink, self._translator, warn=warn)
        self.standing = Standing(
            name,
            settings,
            is_sequel=is_sequel,
            emit=emit,
            is_known=lambda: self._book.is_known,
            is_stale=lambda: self._vigil.is_stale,
        )
        self._coverage = Coverage(
            self._around,
            self._translator,
            self._quotes,
            self._bars,
            wanted=lambda: (*self._book.instruments(), *watched()),
            describe=self._outbox.describe,
            start=self._start,
            watch=self._watch,
            news=self._outbox.deliver_soon,
            warn=warn,
        )
        self._vigil = Vigil(
            settings,
            self._loop.time,
            stale=self.standing.show,
            dead=self._silent,
            poll=self._poll,
            confirm=self._confirm,
            warm=self._warm,
        )
        self._sending = Sending(
            self._around,
            self._translator,
            lambda: self._book,
            emit=emit,
            ask=self.ask,
            may=self.standing.may,
            clock=self._loop.time,
        )
        self._book = Book(
            self._around,
            self._translator,
            emit=emit,
            doubtful=lambda: sink.doubtful(name),
            is_in_flight=self._sending.is_in_flight,
            moved=self._refresh_soon,
            missed=self._deaf,
            clock=self._loop.time,
        )
        self._hearing = Hearing(
            self._around,
            self._translator,
            book=self._book,
            quotes=self._quotes,
            bars=self._bars,
            outbox=self._outbox,
            vigil=self._vigil,
            standing=self.standing,
            unknown=self._meet_market,
            over=self.end,
        )

    # Life

    async def live(self) -> str:
        """Connect and stay until the connection ends; say why it did."""
        self._start(self._open())
        try:
            # Waiting on it in any other way would cancel it with this task.
            await asyncio.wait({self._over})
            return self._over.result()
        finally:
            self.end("stopped")
            await completed(self._close())

    def end(self, reason: str) -> None:
        """End the session, once: say so, and what became of orders without an answer."""
        if self._over.done():
            return
        self._over.set_result(reason)
        self.standing.over = reason
        self._outbox.is_over = True
        self._sending.abandon(f"the connection was lost before an answer: {reason}")
        self.standing.show()

    async def _close(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()
        self._outbox.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sending.close()
        await self._wire.close()

    async def _open(self) -> None:
        """Load markets, subscribe, and only then ask, so that nothing falls in between."""
        title = words.title(self._settings)
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                await self._catalogue.load()
                await self._measure_clock()
            if self._settings.has_keys:
                await self._try_key()
                for stream in self._translator.streams():
                    self._start(self._watch(stream))
                await self._learn_may_trade()
            self.standing.detail = "asking for positions, orders and executions"
            self.standing.show()
            await self._wait_for_streams()
            self._coverage.cover()
            self._coverage.begin_bars()
        except Denied as error:
            self._deny(error)
        except (VenueError, *UNREADABLE) as error:
            text = self._wire.redact(str(error))
            self.end(f"{title} does not answer as it should: {text}")
        except TimeoutError:
            self.end(f"no answer from {title}")
        else:
            self._start(self._asker.keep())
            self._start(self._vigil.keep())
            self.ask()

    async def _try_key(self) -> None:
        """Ask something private: a wrong key is told in plain words here, by streams in theirs."""
        with contextlib.suppress(UnknownMarket):
            await self._translator.positions()
            await self._translator.balances()

    async def _measure_clock(self) -> None:
        before = self._around.now()
        theirs = await self._translator.server_time()
        middle = before + (self._around.now() - before) / 2
        self.clock_skew_seconds = (theirs - middle).total_seconds()

    async def _learn_may_trade(self) -> None:
        try:
            can_trade, reason = await self._translator.may_trade()
        except (VenueError, *UNREADABLE):
            # What the key may do stays unknown; an order will show it.
            return
        if can_trade is not None:
            self.standing.may(can_trade, reason)

    async def _wait_for_streams(self) -> None:
        """Wait until the private streams speak; if they do not, REST goes first all the same."""
        if not self._settings.has_keys:
            return
        try:
            async with asyncio.timeout(self._settings.answer_seconds):
                await self._hearing.subscribed.wait()
        except TimeoutError:
            self._vigil.is_stale = True

    async def _watch(self, stream: Stream) -> None:
        """Subscribe. What comes is heard elsewhere; here only a refusal matters."""
        try:
            await self._wire.guarded(stream())
        except Denied as error:
            self._deny(error)
        except VenueError as error:
            self.end(f"the streams of {words.title(self._settings)} ended: {error}")

    def _deny(self, error: Denied) -> None:
        self.end(self.standing.deny(str(error)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            text = self._wire.redact(repr(error))
            self._outbox.warn("fault", f"a fault in this program: {text}", critical=True)
            self.end(f"a fault in this program: {text}")

    # The port

    @property
    def is_open(self) -> bool:
        """Whether orders can be sent: the desk decides whether they should."""
        return len(self._around.markets) > 0 and not self._over.done()

    def ask(self) -> None:
        self._asker.ask()

    def place(self, order: PricedOrder) -> None:
        if not self.is_open:
            reason = f"not sent: {self.standing.in_words}"
            self._sending.refuse(order.client_order_id, reason)
        elif not self._settings.has_keys:
            self._sending.refuse(order.client_order_id, f"not sent: {words.NO_KEYS}")
        else:
            self._sending.place(order)

    def cancel(self, order: PricedOrder) -> None:
        if self.is_open and self._settings.has_keys:
            self._sending.cancel(order)

    def watch_changed(self) -> None:
        self._refresh_soon()

    # Asking

    async def _question(self) -> None:
        if not self._settings.has_keys:
            self._book.tell_nothing()
            return
        doubted = frozenset(self._sending.doubted)
        # What became of a close is a part of closing: it does not wait behind polls.
        self._wire.polls = Lane.CLOSES if doubted else Lane.POLLS
        try:
            await self._book.ask()
        finally:
            self._wire.polls = Lane.POLLS
        self._sending.doubted -= doubted

    def _book_told(self) -> None:
        self._vigil.confirmed_at = self._loop.time()
        self.standing.show()
        self._bars.release()

    def _book_untold(self, error: Exception, repeatedly: bool) -> None:
        self.standing.detail = f"the book cannot be asked for: {self._wire.redact(str(error))}"
        if repeatedly:
            self._book.is_known = False
        self.standing.show()

    async def _meet_market(self, error: UnknownMarket) -> None:
        """Learn of a market nobody told of so far; then what was said of it is asked for."""
        try:
            await self._catalogue.reload(error)
        except VenueError as failure:
            self.end(f"the list of markets is not told: {failure}")
        else:
            self.ask()

    # Watching

    def _silent(self, seconds: float) -> None:
        self.standing.was_silent = True
        self.end(f"nothing heard on the streams for {seconds:.0f} seconds")

    def _deaf(self) -> None:
        """The account's stream did not tell an execution REST knows: it is dead, however well it
        looks."""
        if not self._vigil.is_stale:
            self.standing.was_silent = True
            self.end("the stream of the account did not tell of an execution")

    async def _poll(self) -> None:
        self.ask()
        await self._coverage.ask_quotes(is_stale=True)

    async def _confirm(self) -> None:
        """Learn what the key may do, unless that is known, and ask for the book."""
        self.ask()
        if self._settings.has_keys and self.standing.can_trade is not True:
            await self._learn_may_trade()

    async def _warm(self) -> None:
        # A failure is told by the next question that matters.
        with contextlib.suppress(VenueError, *UNREADABLE):
            await self._measure_clock()

    def _refresh_soon(self) -> None:
        if self._refresh is None and self.is_open:
            self._refresh = self._loop.call_soon(self._do_refresh)

    def _do_refresh(self) -> None:
        self._refresh = None
        if self.is_open:
            self._coverage.cover()
