"""The crypto venue: connects to one exchange, again and again, and keeps the port.

Each connection is a new session with a new exchange object. While connecting fails for one reason
the venue stays down with that reason in words; it is not reported anew at every try.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from engine.desk.facts import (
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import Instrument
from engine.errors import InputError
from engine.venues.between import (
    LONGEST_PAUSE_SECONDS,
    OnlyChanges,
    not_sent,
    pause_seconds,
    utc_now,
)
from engine.venues.crypto import words
from engine.venues.crypto.binance_spot import BinanceSpot
from engine.venues.crypto.binance_usdm import BinanceUsdm
from engine.venues.crypto.bybit import Bybit
from engine.venues.crypto.kraken import KrakenFutures
from engine.venues.crypto.memory import Memory
from engine.venues.crypto.okx import Okx
from engine.venues.crypto.session import Session
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.translator import Translator
from engine.venues.crypto.wire import Library, load_library
from engine.venues.port import PricedOrder, VenueSink

_TRANSLATORS: dict[str, type[Translator]] = {
    "krakenfutures": KrakenFutures,
    "binanceusdm": BinanceUsdm,
    "okx": Okx,
    "bybit": Bybit,
    "binance": BinanceSpot,
}


class CryptoVenue:
    """One account at one exchange; keeps engine.venues.port.Venue.

    now gives aware UTC; sleep and jitter (0 to 1) set the pauses between tries. Raises InputError
    for a connector there is no translator of.
    """

    kind: str = "ccxt"

    def __init__(
        self,
        name: str,
        sink: VenueSink,
        settings: CryptoSettings,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        translator = _TRANSLATORS.get(settings.connector)
        if translator is None:
            known = ", ".join(_TRANSLATORS)
            raise InputError(f"No exchange {settings.connector} is known here. Known: {known}.")
        self.name = name
        self._settings = settings
        self._translator = translator
        self._sink = OnlyChanges(sink)
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._memory = Memory()
        self._session: Session | None = None
        self._watched: tuple[Instrument, ...] = ()
        self._clock_skew_seconds: float | None = None

    @property
    def clock_skew_seconds(self) -> float | None:
        """The exchange's clock less this machine's."""
        if self._session is not None and self._session.clock_skew_seconds is not None:
            self._clock_skew_seconds = self._session.clock_skew_seconds
        return self._clock_skew_seconds

    async def run(self) -> None:
        """Connect, and connect again after pauses of 1 to 30 seconds, until cancelled."""
        self._say_connecting()
        library = await self._load()
        failures, was_silent = 0, False
        while True:
            if not (self._sink.is_down or was_silent):
                self._say_connecting()
            session = self._new_session(library, is_sequel=was_silent)
            try:
                await session.live()
            finally:
                self._session = None
            was_silent = session.standing.was_silent
            failures = 0 if session.standing.was_ready else failures + 1
            if not was_silent:
                await self._sleep(pause_seconds(failures, self._jitter()))

    async def _load(self) -> Library:
        """Import ccxt beside the loop, again and again while it is not there."""
        while True:
            try:
                return await asyncio.to_thread(load_library, self._settings.connector)
            except ImportError as error:
                text = f"ccxt cannot be used: {error}. Install ccxt 4.5.90 for crypto venues"
                self._say(VenueState.DOWN, text)
                await self._sleep(LONGEST_PAUSE_SECONDS)

    def ask(self) -> None:
        if self._session is not None:
            self._session.ask()

    def place(self, order: PricedOrder) -> None:
        if self._session is not None:
            self._session.place(order)
            return
        reason = f"not connected to {words.title(self._settings)}"
        told = not_sent(self.name, order.client_order_id, reason)
        asyncio.get_running_loop().call_soon(self._sink.facts, [told])

    def cancel(self, order: PricedOrder) -> None:
        if self._session is not None:
            self._session.cancel(order)

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self._watched = tuple(instruments)
        if self._session is not None:
            self._session.watch_changed()

    def _new_session(self, library: Library, *, is_sequel: bool) -> Session:
        self._session = Session(
            self.name,
            self._settings,
            self._sink,
            library=library,
            translator=self._translator,
            memory=self._memory,
            now=self._now,
            watched=lambda: self._watched,
            is_sequel=is_sequel,
        )
        return self._session

    def _say_connecting(self) -> None:
        self._say(VenueState.CONNECTING, f"connecting to {words.title(self._settings)}")

    def _say(self, state: VenueState, detail: str) -> None:
        self._sink.facts([VenueChanged(venue=self.name, state=state, detail=detail)])
