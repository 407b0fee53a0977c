"""What is under guard: each quantity between barriers or on its way out, and what is known of it.

The register keeps the trigger book, the clock and the list of those that have work to do true to
their guards. It sends nothing.
"""

import hashlib
import heapq
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.desk.facts import CloseType, Side
from engine.desk.instruments import Perpetual
from engine.desk.perps.barriers import Levels, fee_in_price, gross, solve
from engine.desk.perps.definitions import BarrierSettings
from engine.desk.perps.sight import Sight
from engine.desk.perps.triggers import TriggerBook

ZERO = Decimal(0)
Spot = tuple[str, str, str]
"""(venue, account, ref)"""

_MOST_ENDED = 100
_TOKEN = 4


class GuardState(StrEnum):
    HOLDING = "HOLDING"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    RELEASED = "RELEASED"

    @property
    def is_open(self) -> bool:
        return self in (GuardState.HOLDING, GuardState.CLOSING)


@dataclass(slots=True)
class Errand:
    """One line of orders for a guard, at most one of them out: its close, or its resident stop.

    cancel_at, ask_at: when the order is cancelled, or asked for, again. failures count since
    something last went well.
    """

    attempts: int = 0
    order_id: str | None = None
    failures: int = 0
    retry_at: datetime | None = None
    cancel_at: datetime | None = None
    ask_at: datetime | None = None
    asked: int = 0
    trouble: str = ""

    def well(self) -> None:
        self.failures, self.retry_at, self.trouble = 0, None, ""


@dataclass(slots=True)
class Guard:
    """A quantity of one position that is ours to look after. side BUY is a long position.

    source is what it came from (an execution's or a request's id) and names its orders. entry is
    zero where no barrier needs it and the venue does not tell it. opened is what was put under
    guard, left what is still there. fees were paid for opening it; fees_out, realized and sold
    belong to what was closed of it (quote currency). at_once has no barriers; by_person was set by
    one, not by a manager; urgent closes without regard to the order type; stop_first: the next
    close waits until the resident stop is gone. waits says what a close waits for.
    """

    id: str
    source: str
    venue: str
    account: str
    instrument: Perpetual
    side: Side
    entry: Decimal
    opened: Decimal
    left: Decimal
    settings: BarrierSettings
    set_by: str
    since: datetime
    at_once: bool = False
    by_person: bool = False
    urgent: bool = False
    stop_first: bool = False
    fees: Decimal = ZERO
    fees_out: Decimal = ZERO
    realized: Decimal = ZERO
    sold: Decimal = ZERO
    limit_at: datetime | None = None
    state: GuardState = GuardState.HOLDING
    close_type: CloseType | None = None
    reason: str = ""
    waits: str = ""
    bare_since: datetime | None = None
    peak: Decimal | None = None
    levels: Levels = field(default_factory=Levels)
    exit: Errand = field(default_factory=Errand)
    stop: Errand = field(default_factory=Errand)

    @property
    def spot(self) -> Spot:
        return self.venue, self.account, self.instrument.ref

    @property
    def place(self) -> tuple[str, str]:
        return self.venue, self.instrument.ref

    @property
    def trouble(self) -> str:
        return self.exit.trouble or self.stop.trouble

    @property
    def wants_stop(self) -> bool:
        return (
            self.state is GuardState.HOLDING
            and self.settings.resident_stop
            and self.levels.stop is not None
            and self.left > 0
        )

    def resolve(self) -> None:
        """Solve the barriers for their prices. What was closed of it took its share of the fees, so
        the prices stay where they are when it shrinks."""
        if self.at_once:
            return
        fee = fee_in_price(self.instrument, entry=self.entry, quantity=self.opened, fees=self.fees)
        self.levels = solve(self.settings, side=self.side, entry=self.entry, fee=fee)

    def take_fill(self, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Count a fill of one of its own orders."""
        self.left = max(ZERO, self.left - quantity)
        self.sold += quantity
        self.fees_out += fee
        if self.entry:
            self.realized += gross(
                self.instrument, side=self.side, entry=self.entry, price=price, quantity=quantity
            )


class Guards:
    """all: id -> Guard, oldest first; busy: those with something to do or to wait for; unseen:
    where barriers were set that no quote was shown to yet."""

    def __init__(self) -> None:
        self.all: dict[str, Guard] = {}
        self.busy: dict[str, Guard] = {}
        self.unseen: set[tuple[str, str]] = set()
        self.triggers = TriggerBook()
        self.sight = Sight(self.triggers)
        self._at: dict[Spot, dict[str, Guard]] = {}
        self._limits: list[tuple[datetime, str]] = []
        self._ended: dict[str, Guard] = {}

    # --- finding ---------------------------------------------------------------------------------

    def open_at(self, spot: Spot) -> tuple[Guard, ...]:
        """The open guards of one position, oldest first."""
        return tuple(self._at.get(spot, {}).values())

    @property
    def open(self) -> Iterator[Guard]:
        return (guard for guards in self._at.values() for guard in guards.values())

    def venues(self) -> set[str]:
        return {venue for venue, _, _ in self._at}

    def name(self, symbol: str, source: str) -> str:
        """Derive an id that a person can type: the symbol and as much of a digest as it takes."""
        digest = b32encode(hashlib.sha256(source.encode()).digest()).decode().lower()
        for length in range(_TOKEN, len(digest)):
            if (name := f"{symbol}-{digest[:length]}") not in self.all:
                return name
        return f"{symbol}-{source}"

    # --- changing --------------------------------------------------------------------------------

    def add(self, guard: Guard) -> None:
        """Take a new guard and begin to watch its barriers."""
        self.all[guard.id] = guard
        self._at.setdefault(guard.spot, {})[guard.id] = guard
        self.busy[guard.id] = guard
        self.start_clock(guard)
        self.arm(guard)

    def arm(self, guard: Guard) -> None:
        """Solve the barriers anew and watch them where they stand now."""
        guard.resolve()
        if guard.state is not GuardState.HOLDING:
            return
        if not guard.levels.any:
            self._unwatch(guard)
            return
        self.sight.watch(guard.place, guard.instrument.name, guard.entry)
        self.triggers.put(guard.id, guard.place, guard.side, guard.levels, guard.peak)
        self.unseen.add(guard.place)
        self.busy[guard.id] = guard

    def fire(self, guard: Guard, close_type: CloseType, reason: str) -> None:
        """Begin the way out, whatever the reason; a guard that is on it already stays as it is."""
        if guard.state is not GuardState.HOLDING:
            return
        guard.state, guard.close_type, guard.reason = GuardState.CLOSING, close_type, reason
        self._unwatch(guard)
        self.busy[guard.id] = guard

    def end(self, guard: Guard, state: GuardState, reason: str) -> None:
        """End a guard. Its orders may still have to be taken back: it stays busy until they are."""
        guard.state, guard.reason, guard.waits = state, reason, ""
        self._unwatch(guard)
        self.busy[guard.id] = guard
        peers = self._at.get(guard.spot, {})
        peers.pop(guard.id, None)
        if not peers:
            self._at.pop(guard.spot, None)
        self._ended[guard.id] = guard
        for name in [name for name in self._ended if name not in self.busy]:
            if len(self._ended) <= _MOST_ENDED:
                break
            del self._ended[name]
            del self.all[name]

    def renew(self, guard: Guard, settings: BarrierSettings) -> None:
        """Put other barriers around what a guard holds; a trailing stop begins anew."""
        guard.settings, guard.peak = settings, None
        self.triggers.remove(guard.id)
        self.start_clock(guard)
        self.arm(guard)
        self.busy[guard.id] = guard

    def remember_peak(self, guard: Guard, peak: Decimal) -> bool:
        """Take the best price of a guard's trailing stop; True when it is news."""
        better = guard.peak is None or (peak - guard.peak) * guard.side.sign > 0
        if guard.state is not GuardState.HOLDING or guard.levels.distance is None or not better:
            return False
        guard.peak = peak
        seen = self.triggers.peak(guard.id)
        if seen is None or (peak - seen) * guard.side.sign > 0:
            self.triggers.put(guard.id, guard.place, guard.side, guard.levels, peak)
        return True

    def due(self, now: datetime) -> Iterator[Guard]:
        """Take the guards whose time is over off the clock."""
        while self._limits and self._limits[0][0] <= now:
            at, name = heapq.heappop(self._limits)
            guard = self.all.get(name)
            if guard is not None and guard.limit_at == at and guard.state is GuardState.HOLDING:
                yield guard

    def next_limit(self) -> datetime | None:
        while self._limits:
            at, name = self._limits[0]
            guard = self.all.get(name)
            if guard is not None and guard.limit_at == at and guard.state is GuardState.HOLDING:
                return at
            heapq.heappop(self._limits)
        return None

    def start_clock(self, guard: Guard) -> None:
        """Count the guard's time limit from its since."""
        seconds = guard.settings.time_limit_seconds
        guard.limit_at = None
        if seconds is not None and not guard.at_once:
            guard.limit_at = guard.since + timedelta(seconds=seconds)
            heapq.heappush(self._limits, (guard.limit_at, guard.id))

    def _unwatch(self, guard: Guard) -> None:
        self.triggers.remove(guard.id)
        if not any(self.triggers.watches(guard.place, side) for side in Side):
            self.sight.forget(guard.place)
