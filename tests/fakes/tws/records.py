"""The records the loopback TWS is told with and tells with.

Frozen, and made of plain types only, so that each can cross the control channel as JSON.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class SecType(StrEnum):
    STOCK = "STK"
    OPTION = "OPT"
    INDEX = "IND"


class Right(StrEnum):
    CALL = "C"
    PUT = "P"


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def executed(self) -> str:
        """As execution rows spell it."""
        return "BOT" if self is Side.BUY else "SLD"


class Status(StrEnum):
    PENDING_SUBMIT = "PendingSubmit"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    INACTIVE = "Inactive"

    @property
    def is_done(self) -> bool:
        return self in (Status.FILLED, Status.CANCELLED, Status.INACTIVE)


class MarketDataAccess(StrEnum):
    LIVE = "live"
    DELAYED = "delayed"
    NONE = "none"


class EndMark(StrEnum):
    """The message that closes an answer of several rows."""

    POSITIONS = "positions"
    OPEN_ORDERS = "open_orders"
    COMPLETED_ORDERS = "completed_orders"
    EXECUTIONS = "executions"
    CONTRACT_DETAILS = "contract_details"
    ACCOUNT = "account"


class Rows(StrEnum):
    """Which position rows an option event shows, and in which order.

    After OPTION_ONLY and STOCK_ONLY the other half has not happened yet, in snapshots neither,
    until deliver() is called. UNSAID changes the book and pushes no row.
    """

    OPTION_FIRST = "option_first"
    STOCK_FIRST = "stock_first"
    OPTION_ONLY = "option_only"
    STOCK_ONLY = "stock_only"
    UNSAID = "unsaid"


class ExecutionTiming(StrEnum):
    """When an execution row comes, seen from the position rows it explains.

    UNPUSHED is told to reqExecutions only; NONE never exists.
    """

    BEFORE = "before"
    AFTER = "after"
    UNPUSHED = "unpushed"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One contract with its details. position_exchange is what position rows say, often blank.

    valid_exchanges and market_rule_ids pair one to one. resolves is False once expired: its
    details are then refused with 200, though position rows may still name it.
    """

    con_id: int
    symbol: str
    sec_type: SecType
    currency: str = "USD"
    exchange: str = "SMART"
    primary_exchange: str = ""
    position_exchange: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    right: Right | None = None
    strike: Decimal = ZERO
    expiry: date | None = None
    last_trade_time: str = ""
    multiplier: str = ""
    long_name: str = ""
    market_name: str = ""
    stock_type: str = ""
    min_tick: Decimal = Decimal("0.01")
    valid_exchanges: str = "SMART"
    market_rule_ids: str = "26"
    under_con_id: int = 0
    under_symbol: str = ""
    under_sec_type: str = ""
    time_zone_id: str = "US/Eastern"
    trading_hours: str = ""
    liquid_hours: str = ""
    resolves: bool = True

    @property
    def expiry_text(self) -> str:
        return f"{self.expiry:%Y%m%d}" if self.expiry else ""

    @property
    def unit(self) -> Decimal:
        """What one of it is worth at price 1."""
        return Decimal(self.multiplier) if self.multiplier else Decimal(1)


def stock(con_id: int, symbol: str, primary_exchange: str = "ARCA") -> Instrument:
    """Make a stock; dataclasses.replace() alters the rest."""
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type=SecType.STOCK,
        primary_exchange=primary_exchange,
        position_exchange=primary_exchange,
        local_symbol=symbol,
        trading_class=symbol,
        market_name=symbol,
        long_name=symbol,
        stock_type="ETF" if primary_exchange == "ARCA" else "COMMON",
        valid_exchanges="SMART,NYSE,ARCA,ISLAND",
        market_rule_ids="26,26,26,26",
    )


def index(con_id: int, symbol: str, exchange: str = "CBOE") -> Instrument:
    """Make an index, which cannot be held."""
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type=SecType.INDEX,
        exchange=exchange,
        local_symbol=symbol,
        trading_class=symbol,
        market_name=symbol,
        long_name=symbol,
        valid_exchanges=exchange,
    )


def option(
    con_id: int,
    underlying: Instrument,
    right: Right,
    strike: Decimal,
    expiry: date,
    multiplier: str = "100",
    trading_class: str = "",
    market_rule: int = 32,
) -> Instrument:
    """Make a listed option; one on an index is cash-settled. Its position rows name no exchange."""
    trading_class = trading_class or underlying.symbol
    return Instrument(
        con_id=con_id,
        symbol=underlying.symbol,
        sec_type=SecType.OPTION,
        currency=underlying.currency,
        local_symbol=f"{trading_class:<6}{expiry:%y%m%d}{right}{int(strike * 1000):08d}",
        trading_class=trading_class,
        market_name=trading_class,
        long_name=underlying.long_name,
        right=right,
        strike=strike,
        expiry=expiry,
        last_trade_time="16:00 US/Eastern",
        multiplier=multiplier,
        valid_exchanges="SMART,AMEX,CBOE,PHLX",
        market_rule_ids=",".join([str(market_rule)] * 4),
        under_con_id=underlying.con_id,
        under_symbol=underlying.symbol,
        under_sec_type=underlying.sec_type,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What the market shows. None is never sent; -1 is sent, as TWS does for an absent side."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    close: Decimal | None = None
    bid_size: Decimal = Decimal(100)
    ask_size: Decimal = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One account's holding. average_cost is per share, or per contract with its multiplier."""

    account: str
    con_id: int
    quantity: Decimal
    average_cost: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    low_edge: Decimal
    increment: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRule:
    rule_id: int
    steps: tuple[PriceStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A book to begin with."""

    accounts: tuple[str, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    positions: tuple[Position, ...] = ()
    quotes: tuple[tuple[int, Quote], ...] = ()
    market_rules: tuple[MarketRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order as it arrived. arrived_ns is time.monotonic_ns() before anything was decoded.

    limit_price and aux_price are None where the client left them unset. modifies is True when the
    order id named an order that was still working. fields is the whole message.
    """

    arrived_ns: int
    client_id: int
    order_id: int
    con_id: int
    symbol: str
    sec_type: str
    exchange: str
    action: Side
    quantity: Decimal
    order_type: str
    limit_price: Decimal | None
    aux_price: Decimal | None
    tif: str
    oca_group: str
    account: str
    order_ref: str
    transmit: bool
    parent_id: int
    outside_rth: bool
    what_if: bool
    modifies: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRecord:
    """A cancel as it arrived."""

    arrived_ns: int
    client_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Any message of a client. client_id is None before it said who it is."""

    arrived_ns: int
    client_id: int | None
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """What TWS holds about one order now."""

    client_id: int
    order_id: int
    perm_id: int
    order_ref: str
    account: str
    con_id: int
    action: Side
    quantity: Decimal
    limit_price: Decimal | None
    status: Status
    filled: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionEvent:
    """What assign, exercise, expire and cash_settle did.

    contracts is the change of the option position, shares of the stock position, both signed.
    pending is True while one half waits for deliver(). second_row_ns is time.monotonic_ns() just
    before the second position row was handed to the socket, None when there was no second row.
    """

    event_id: int
    account: str
    con_id: int
    contracts: Decimal
    under_con_id: int
    shares: Decimal
    pending: bool
    first_row_ns: int | None
    second_row_ns: int | None
    exec_ids: tuple[str, ...] = ()
