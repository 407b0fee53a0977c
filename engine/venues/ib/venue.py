"""The IB venue: connects to TWS or IB Gateway, again and again, and keeps the port.

Each connection is a new session. While connecting fails for one reason the venue stays down with
that reason in words; it is not reported anew at every try.
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
from engine.desk.intents import PreviewOrder
from engine.venues.between import (
    OnlyChanges,
    not_sent,
    pause_seconds,
    utc_now,
)
from engine.venues.ib.session import Session
from engine.venues.ib.settings import IbSettings
from engine.venues.port import PricedOrder, VenueSink


class IbVenue:
    """One login at TWS or IB Gateway; keeps engine.venues.port.Venue, and Previewer.

    now gives aware UTC; sleep and jitter (0 to 1) set the pauses between tries.
    """

    kind: str = "ib"

    def __init__(
        self,
        name: str,
        sink: VenueSink,
        settings: IbSettings,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._settings = settings
        self._sink = OnlyChanges(sink)
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._session: Session | None = None
        self._watched: tuple[Instrument, ...] = ()
        self._clock_skew_seconds: float | None = None

    @property
    def clock_skew_seconds(self) -> float | None:
        """TWS's clock less this machine's, to half a second: it tells whole seconds."""
        if self._session is not None and self._session.clock_skew_seconds is not None:
            self._clock_skew_seconds = self._session.clock_skew_seconds
        return self._clock_skew_seconds

    async def run(self) -> None:
        """Connect, and connect again after pauses of 1 to 30 seconds, until cancelled."""
        failures = 0
        while True:
            if not self._sink.is_down:
                words = f"connecting to {self._settings.address}"
                state = VenueState.CONNECTING
                self._sink.facts([VenueChanged(venue=self.name, state=state, detail=words)])
            session = Session(
                self.name, self._settings, self._sink, now=self._now, watched=lambda: self._watched
            )
            self._session = session
            try:
                await session.live()
            finally:
                self._session = None
            failures = 0 if session.was_ready else failures + 1
            await self._sleep(pause_seconds(failures, self._jitter()))

    def ask(self) -> None:
        if self._session is not None:
            self._session.ask()

    def place(self, order: PricedOrder) -> None:
        if self._session is not None:
            self._session.place(order)
            return
        told = not_sent(self.name, order.client_order_id, "not connected to TWS")
        asyncio.get_running_loop().call_soon(self._sink.facts, [told])

    def cancel(self, order: PricedOrder) -> None:
        if self._session is not None:
            self._session.cancel(order.client_order_id)

    def preview(self, order: PreviewOrder) -> None:
        if self._session is not None:
            self._session.preview(order)

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self._watched = tuple(instruments)
        if self._session is not None:
            self._session.watch_changed()
