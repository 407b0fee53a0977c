"""The middle of the loopback TWS: its book, its clients, its faults, and who waits for what.

Everything that changes calls changed(), which wakes the waiters; nothing here polls.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from tests.fakes.tws import messages
from tests.fakes.tws.book import Book, ExecutionRow
from tests.fakes.tws.policy import reason
from tests.fakes.tws.records import (
    CancelRecord,
    EndMark,
    MarketDataAccess,
    OrderRecord,
    Quote,
    Received,
    Scene,
)
from tests.fakes.tws.session import DataSubscription, Session
from tests.fakes.tws.wire import Field

_RECEIVED_KEPT = 100_000


@dataclass(slots=True, kw_only=True)
class Faults:
    """What TWS does wrong at present."""

    silent: bool = False
    read_only: bool = False
    live_rows: bool = True
    zero_rows: bool = False
    repeats: int = 1
    cut_after_rows: int | None = None
    cut_drops_link: bool = False
    previews_margin: bool = True
    withheld: set[EndMark] = field(default_factory=set)


class Core:
    """Shared state of one TWS and the ways to tell its clients of it."""

    def __init__(
        self,
        scene: Scene | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_only: bool = False,
        execution_zone: str = "US/Eastern",
        master_client_id: int | None = None,
    ) -> None:
        self.book = Book.of(scene or Scene())
        self.faults = Faults(read_only=read_only)
        self.orders: list[OrderRecord] = []
        self.cancels: list[CancelRecord] = []
        self.received: deque[Received] = deque(maxlen=_RECEIVED_KEPT)
        self.execution_zone = execution_zone
        self._clock = clock
        self._master_client_id = master_client_id
        self._sessions: list[Session] = []
        self._stopping = False
        self._occupied: set[int] = set()
        self._access: dict[int | None, MarketDataAccess] = {}
        self._withheld_ends: list[tuple[EndMark, Session, messages.Fields]] = []
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # Time, waiting

    def now(self) -> datetime:
        return self._clock()

    def may_speak(self) -> bool:
        return not self.faults.silent

    def changed(self) -> None:
        """Wake whoever waits for what is now true."""
        for waiter in tuple(self._waiters):
            predicate, woken = waiter
            if woken.done():
                continue
            try:
                if predicate():
                    woken.set_result(None)
            except Exception as mistake:  # belongs to the waiter, not to the client being served
                woken.set_exception(mistake)

    async def wait_for(self, predicate: Callable[[], bool], *, within_seconds: float = 5.0) -> None:
        """Return once the predicate holds, which is asked after every change."""
        if predicate():
            return
        waiter = (predicate, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(within_seconds):
                await waiter[1]
        finally:
            self._waiters.remove(waiter)

    # Clients

    def opened(self, session: Session) -> None:
        self._sessions.append(session)
        if self._stopping:
            session.close(abort=True)
        self.changed()

    def closed(self, session: Session) -> None:
        self._sessions.remove(session)
        self.changed()

    def clients(self) -> tuple[int, ...]:
        """The client ids in use by connected clients."""
        return tuple(one.client_id for one in self._started())

    def is_taken(self, client_id: int) -> bool:
        return client_id in self._occupied or client_id in {one.client_id for one in self._sessions}

    def _started(self) -> "list[_Started]":
        return [_Started(one.client_id, one) for one in self._sessions if one.client_id is not None]

    def owners(self, client_id: int) -> list[Session]:
        """Who hears of this client's orders: itself and the master client."""
        ids = (client_id, self._master_client_id)
        return [one.session for one in self._started() if one.client_id in ids]

    # Telling

    def end(self, session: Session, mark: EndMark, fields: tuple[Field, ...]) -> None:
        """Close an answer, unless that end is being withheld."""
        if mark in self.faults.withheld:
            self._withheld_ends.append((mark, session, fields))
        else:
            session.send(fields)

    def send_withheld(self, mark: EndMark) -> None:
        kept = [one for one in self._withheld_ends if one[0] is not mark]
        due = [one for one in self._withheld_ends if one[0] is mark]
        self._withheld_ends = kept
        for _, session, fields in due:
            session.send(fields)

    def say(self, session: Session, req_id: int, code: int, text: str = "") -> None:
        """Send an error message (4)."""
        session.send(messages.error(req_id, code, text or reason(code)))

    def push_position(self, account: str, con_id: int) -> int:
        """Send a position row to its subscribers; return monotonic_ns() just before the first."""
        if not self.faults.live_rows:
            return time.monotonic_ns()
        one = self.book.instrument(con_id)
        row = messages.position(one, self.book.held(account, con_id))
        hearers = [s.session for s in self._started() if s.session.wants_positions]
        handed_ns = time.monotonic_ns()
        for session in hearers:
            for _ in range(self.faults.repeats):
                session.send(row)
        return handed_ns

    def push_portfolio(self, account: str, con_id: int) -> None:
        """Send a portfolio row (7) to who subscribed to the account."""
        if not self.faults.live_rows:
            return
        row = self.portfolio_row(account, con_id)
        for started in self._started():
            if started.session.account_updates == account:
                started.session.send(row)

    def portfolio_row(self, account: str, con_id: int) -> messages.Fields:
        held = self.book.held(account, con_id)
        one = self.book.instrument(con_id)
        shown = self.book.quotes.get(con_id, Quote())
        mark = self.book.touch(shown.last) or held.average_cost / one.unit
        return messages.portfolio_value(one, held, mark if held.quantity else Decimal(0))

    def execution_rows(self, req_id: int, row: ExecutionRow) -> tuple[messages.Fields, ...]:
        """An execution and its commission report."""
        one = self.book.instrument(row.con_id)
        return (
            messages.execution(req_id, one, row, self.execution_zone),
            messages.commission(row, one.currency),
        )

    def push_execution(self, row: ExecutionRow) -> None:
        """Send an execution nobody asked for to every client."""
        if self.faults.live_rows:
            for fields in self.execution_rows(-1, row):
                for started in self._started():
                    started.session.send(fields)

    def push_quote(self, con_id: int, before: Quote) -> None:
        """Send the ticks that changed to the subscribers of this contract."""
        for started in self._started():
            for req_id, wanted in started.session.market_data.items():
                if wanted.con_id == con_id:
                    self.send_ticks(started.session, req_id, wanted, before)

    def send_ticks(
        self, session: Session, req_id: int, wanted: DataSubscription, before: Quote | None = None
    ) -> None:
        """Send bid, ask, last and close, or the delayed four, as far as shown and changed."""
        shown = self.book.quotes.get(wanted.con_id, Quote())
        none = Decimal(0)
        ticks = (
            (1, 66, shown.bid, shown.bid_size, before and (before.bid, before.bid_size)),
            (2, 67, shown.ask, shown.ask_size, before and (before.ask, before.ask_size)),
            (4, 68, shown.last, none, before and (before.last, none)),
            (9, 75, shown.close, none, before and (before.close, none)),
        )
        for live, delayed, price, size, was in ticks:
            if price is not None and was != (price, size):
                kind = delayed if wanted.delayed else live
                session.send(messages.tick_price(req_id, kind, price, size if price > 0 else none))

    def access(self, con_id: int) -> MarketDataAccess:
        """What market data this account may see of a contract."""
        everywhere = self._access.get(None, MarketDataAccess.LIVE)
        return self._access.get(con_id, everywhere)


@dataclass(frozen=True, slots=True)
class _Started:
    """A session that said who it is."""

    client_id: int
    session: Session
