"""What an exchange keeps, in no venue's words: markets, quotes, orders, fills, positions.

Quantities are in the venue's own contracts (base units where a contract is one unit of base).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Self, assert_never

ZERO = Decimal(0)


@unique
class Side(StrEnum):
    """Which way an order or a fill goes."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


@unique
class Settlement(StrEnum):
    """How a market settles: coins change hands, or profit is paid in quote or in base."""

    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"


@unique
class Kind(StrEnum):
    """The kind of an order; the last four wait for a price first."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT_MARKET = "take_profit_market"
    TAKE_PROFIT_LIMIT = "take_profit_limit"

    @property
    def waits(self) -> bool:
        """Whether the order rests unseen until its trigger price."""
        return self not in (Kind.MARKET, Kind.LIMIT)

    @property
    def takes_profit(self) -> bool:
        return self in (Kind.TAKE_PROFIT_MARKET, Kind.TAKE_PROFIT_LIMIT)

    @property
    def limited(self) -> bool:
        """Whether the order has a limit price once it works."""
        return self in (Kind.LIMIT, Kind.STOP_LIMIT, Kind.TAKE_PROFIT_LIMIT)


@unique
class Force(StrEnum):
    """How long an order stays: until cancelled, at once what can, at once all or nothing, rest."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


@unique
class Signal(StrEnum):
    """Which price a trigger watches."""

    LAST = "last"
    MARK = "mark"
    INDEX = "index"


@unique
class State(StrEnum):
    """Where an order stands. OPEN with filled > 0 is a partial fill.

    TRIGGERED is final, of a trigger order whose venue works a new order in its place.
    """

    WAITING = "waiting"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    TRIGGERED = "triggered"

    @property
    def live(self) -> bool:
        return self in (State.WAITING, State.OPEN)


@unique
class Cause(StrEnum):
    """Why an order changed."""

    PLACED = "placed"
    TRIGGERED = "triggered"
    FILLED = "filled"
    EDITED = "edited"
    CANCELLED = "cancelled"
    NO_LIQUIDITY = "no_liquidity"
    WOULD_NOT_REDUCE = "would_not_reduce"
    WITHDRAWN = "withdrawn"
    WOULD_TAKE = "would_take"


@unique
class Why(StrEnum):
    """Why the exchange refuses."""

    UNKNOWN_MARKET = "unknown_market"
    UNKNOWN_ORDER = "unknown_order"
    ORDER_CLOSED = "order_closed"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    WOULD_NOT_REDUCE = "would_not_reduce"
    WOULD_TAKE = "would_take"
    WOULD_TRIGGER = "would_trigger"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    BAD_QUANTITY = "bad_quantity"
    BAD_PRICE = "bad_price"
    MARKET_CLOSED = "market_closed"


class Refusal(Exception):
    """The exchange refuses a request; order is the one concerned, where there is one."""

    def __init__(self, why: Why, text: str = "", order: "Order | None" = None) -> None:
        super().__init__(text or why.value)
        self.why = why
        self.order = order


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One market. contract_size is base per contract (linear), quote per contract (inverse)."""

    id: str
    base: str
    quote: str
    settle: str
    settlement: Settlement = Settlement.LINEAR
    contract_size: Decimal = Decimal(1)
    tick: Decimal = Decimal("0.1")
    step: Decimal = Decimal("0.001")
    smallest: Decimal = Decimal("0.001")

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What a quantity is worth at a price, in the settle currency (quote on spot)."""
        match self.settlement:
            case Settlement.INVERSE:
                return quantity * self.contract_size / price
            case Settlement.LINEAR | Settlement.SPOT:
                return quantity * self.contract_size * price
            case never:
                assert_never(never)

    def profit(self, quantity: Decimal, entry: Decimal, leave: Decimal) -> Decimal:
        """What a signed quantity earns between two prices, in the settle currency."""
        if self.settlement is Settlement.INVERSE:
            return self.value(quantity, entry) - self.value(quantity, leave)
        return self.value(quantity, leave) - self.value(quantity, entry)

    def average(
        self, first: Decimal, at_first: Decimal, second: Decimal, at_second: Decimal
    ) -> Decimal:
        """The entry price of two quantities held together."""
        if self.settlement is Settlement.INVERSE:
            return (first + second) / (first / at_first + second / at_second)
        return (first * at_first + second * at_second) / (first + second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A market's prices. A size of None is as much as anybody wants; fills use sizes up."""

    bid: Decimal
    ask: Decimal
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal
    mark: Decimal
    index: Decimal
    at: datetime

    def price(self, signal: Signal) -> Decimal:
        match signal:
            case Signal.LAST:
                return self.last
            case Signal.MARK:
                return self.mark
            case Signal.INDEX:
                return self.index
            case never:
                assert_never(never)

    def touch(self, side: Side) -> tuple[Decimal, Decimal | None]:
        """The price and size an order of that side would meet."""
        return (self.ask, self.ask_size) if side is Side.BUY else (self.bid, self.bid_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as asked for. words are the venue's own (name, value), kept with the order."""

    market: str
    side: Side
    kind: Kind
    quantity: Decimal
    client_id: str | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    force: Force = Force.GTC
    reduce_only: bool = False
    close_position: bool = False
    signal: Signal = Signal.LAST
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the exchange has it. parent_id: the trigger order it was spawned by."""

    id: str
    market: str
    side: Side
    kind: Kind
    quantity: Decimal
    state: State
    created_at: datetime
    updated_at: datetime
    client_id: str | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    force: Force = Force.GTC
    reduce_only: bool = False
    close_position: bool = False
    signal: Signal = Signal.LAST
    words: tuple[tuple[str, str], ...] = ()
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    cause: Cause = Cause.PLACED
    parent_id: str | None = None
    triggered: bool = False

    @classmethod
    def of(cls, new: NewOrder, *, id: str, state: State, at: datetime) -> Self:
        """The order a request becomes."""
        return cls(
            id=id,
            market=new.market,
            side=new.side,
            kind=new.kind,
            quantity=new.quantity,
            state=state,
            created_at=at,
            updated_at=at,
            client_id=new.client_id,
            limit_price=new.limit_price,
            stop_price=new.stop_price,
            force=new.force,
            reduce_only=new.reduce_only,
            close_position=new.close_position,
            signal=new.signal,
            words=new.words,
        )

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    def word(self, name: str, default: str = "") -> str:
        """The venue's own word of that name."""
        return dict(self.words).get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution. fee is what was paid (negative: a rebate). marker is the venue's own word
    for how it came about ("maker", "taker", "assignee", "CALCULATED" and so on)."""

    id: str
    sequence: int
    order_id: str
    client_id: str | None
    market: str
    side: Side
    kind: Kind
    quantity: Decimal
    price: Decimal
    remaining: Decimal
    fee: Decimal
    fee_currency: str
    marker: str
    maker: bool
    realised: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A holding of one market; quantity is signed, 0 when flat (entry_price is then 0 too)."""

    market: str
    quantity: Decimal
    entry_price: Decimal
    opened_at: datetime
    updated_at: datetime
    realised: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """An order is new or changed (order.cause says why); fill is the one that changed it."""

    order: Order
    fill: Fill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMade:
    """A fill is in the books. order is None for fills no order of the account made."""

    fill: Fill
    order: Order | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChanged:
    position: Position
    before: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChanged:
    currency: str
    amount: Decimal
    change: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteChanged:
    market: Market
    quote: Quote


Event = OrderChanged | FillMade | PositionChanged | BalanceChanged | QuoteChanged
