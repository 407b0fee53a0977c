"""What each exchange must be able to say and do: the one place a venue's own words are known.

A translator reads raw messages and rows (ccxt's unified ones lose what matters: who caused a fill,
what became of an order), and writes orders. It keeps no state of the account and decides nothing.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from engine.desk.facts import BalanceReported, Execution, OrderRow, PositionRow
from engine.desk.market import Bar
from engine.venues.crypto.faults import Refused, Unanswered
from engine.venues.crypto.limiter import Budget, Lane
from engine.venues.crypto.markets import Market, Markets
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.tracker import OwnOrders
from engine.venues.crypto.wire import Wire
from engine.venues.port import PricedOrder

Touch = tuple[str, float | None, float | None, float | None]
"""ref, best bid, best ask, last trade."""

Stream = Callable[[], Awaitable[Any]]
"""Subscribes, and ends with the first message or the reason there is none."""


Found = tuple[OrderRow | None, Sequence[Execution]]
"""An order of ours and its executions; None where the venue does not know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything held at once: what is not listed is flat."""

    rows: tuple[PositionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A private channel is open."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Something happened that only REST can tell in full."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The private stream ended: only a new connection has one."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedBars:
    ref: str
    bars: tuple[Bar, ...]


News = (
    Execution
    | PositionRow
    | Holdings
    | OrderRow
    | BalanceReported
    | ClosedBars
    | Subscribed
    | Unclear
    | Over
)


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What a translator works with. name is the venue's in the configuration; start runs something
    as long as the connection lives; ask has the book asked for; markets are filled in once loaded.
    """

    name: str
    wire: Wire
    settings: CryptoSettings
    own: OwnOrders
    now: Callable[[], datetime]
    start: Callable[[Coroutine[Any, Any, None]], None]
    ask: Callable[[], None]
    markets: Markets = field(default_factory=Markets)


class Translator(Protocol):
    """budgets: what the exchange allows; verdicts: a part of an error's text -> what it means,
    where ccxt does not tell it rightly; channels: the private ones that must be open before the
    streams are trusted; assigns: whether positions appear here that nobody traded;
    absence_seconds: how long after an order was sent it may still arrive.

    Everything that asks the exchange raises the errors of engine.venues.crypto.faults.
    """

    budgets: ClassVar[Mapping[str, Budget]]
    options: ClassVar[Mapping[str, Any]]
    verdicts: ClassVar[Mapping[str, type[Refused | Unanswered]]]
    channels: ClassVar[frozenset[str]]
    assigns: ClassVar[bool]
    absence_seconds: ClassVar[float]

    def __init__(self, around: Surroundings) -> None: ...

    def markets(self) -> Markets:
        """Read the markets ccxt has loaded."""

    def streams(self) -> Sequence[Stream]:
        """Give the private subscriptions, most important first."""

    def opened(self, url: str) -> Iterable[News]:
        """Hear that a socket is open."""

    def quote_streams(self, markets: Sequence[Market]) -> Sequence[Stream]: ...

    def bar_streams(self, markets: Sequence[Market]) -> Sequence[Stream]: ...

    def touch(self, message: Any) -> Touch | None:
        """Read a message if it is a quote; the hot path."""

    def hear(self, message: Any) -> Iterable[News]:
        """Read any other message."""

    async def server_time(self) -> datetime: ...

    async def may_trade(self) -> tuple[bool | None, str]:
        """Ask whether this key can trade here, and why not; None where the venue does not tell."""

    async def positions(self) -> Sequence[PositionRow]: ...

    async def balances(self) -> Sequence[BalanceReported]: ...

    async def open_orders(self) -> Sequence[OrderRow]:
        """Ask for our open orders."""

    async def executions(self) -> Sequence[Execution]:
        """Ask for the recent executions of all kinds."""

    async def lookup(self, order: PricedOrder) -> Found:
        """Ask what became of an order of ours that is not open."""

    async def send(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        """Send an order; give what the answer says of it, None where streams tell."""

    async def cancel(self, order: PricedOrder) -> OrderRow | None:
        """Cancel an order by our id; give what the answer says of it."""

    async def touches(self, markets: Sequence[Market]) -> Sequence[Touch]:
        """Ask for quotes, where streams are silent."""

    async def history(self, market: Market) -> Sequence[Bar]:
        """Ask for the newest closed bars, oldest first."""


def net(one: PositionRow, other: PositionRow) -> PositionRow:
    """Add up both sides of a hedged position."""
    return PositionRow(
        account=one.account,
        instrument=one.instrument,
        quantity=one.quantity + other.quantity,
    )


def instant(milliseconds: object) -> datetime:
    """Read an instant given in milliseconds since 1970. Raises ValueError."""
    return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)


def iso_instant(text: str) -> datetime:
    """Read an instant like 2024-01-15T10:30:45.123Z. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)
