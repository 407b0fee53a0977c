"""The IB venue: connects to TWS or IB Gateway, again and again, and keeps the port.

Each connection is a new session. While connecting fails for one reason the venue stays down with
that reason in words; it is not reported anew at every try.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

from engine.desk.facts import (
    OrderReport,
    OrderReported,
    OrderRow,
    VenueChanged,
    VenueFact,
    VenueState,
)
from engine.desk.instruments import Instrument
from engine.venues.ib.session import Session
from engine.venues.ib.settings import IbSettings
from engine.venues.port import PricedOrder, VenueSink

_LONGEST_PAUSE_SECONDS = 30.0


def utc_now() -> datetime:
    return datetime.now(UTC)


class IbVenue:
    """One login at TWS or IB Gateway; keeps engine.venues.port.Venue.

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
        self._sink = _OnlyChanges(sink)
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
            await self._sleep(self._pause(failures))

    def ask(self) -> None:
        if self._session is not None:
            self._session.ask()

    def place(self, order: PricedOrder) -> None:
        if self._session is not None:
            self._session.place(order)
            return
        row = OrderRow(
            client_order_id=order.client_order_id,
            venue_order_id="",
            report=OrderReport.REJECTED,
            filled=Decimal(0),
            reason="not sent: not connected to TWS",
        )
        fact = OrderReported(venue=self.name, row=row)
        asyncio.get_running_loop().call_soon(self._sink.facts, [fact])

    def cancel(self, order: PricedOrder) -> None:
        if self._session is not None:
            self._session.cancel(order.client_order_id)

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self._watched = tuple(instruments)
        if self._session is not None:
            self._session.watch_changed()

    def _pause(self, failures: int) -> float:
        longest = min(_LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 5))
        return max(1.0, longest * (0.5 + 0.5 * self._jitter()))


class _OnlyChanges:
    """Passes everything on but a state that was reported last already."""

    def __init__(self, sink: VenueSink) -> None:
        self._sink = sink
        self._last: VenueChanged | None = None
        self.quote = sink.quote
        self.bars = sink.bars
        self.heard = sink.heard
        self.doubtful = sink.doubtful

    @property
    def is_down(self) -> bool:
        return self._last is not None and self._last.state is VenueState.DOWN

    def facts(self, batch: Iterable[VenueFact]) -> None:
        news = [fact for fact in batch if not self._repeats(fact)]
        if news:
            self._sink.facts(news)

    def _repeats(self, fact: VenueFact) -> bool:
        if not isinstance(fact, VenueChanged):
            return False
        repeats = fact == self._last
        self._last = fact
        return repeats
