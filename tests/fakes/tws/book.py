"""What TWS holds: accounts, contracts, holdings, orders and executions.

Keeps the arithmetic right and hands out ids; it sends nothing and decides nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from tests.fakes.tws.records import (
    ZERO,
    Instrument,
    MarketRule,
    OrderRecord,
    OrderView,
    Position,
    Quote,
    Scene,
    Side,
    Status,
)

FIRST_PERM_ID = 1376327563


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRow:
    """One execution. shares is unsigned; realized is None where TWS sends the unset double."""

    exec_id: str
    con_id: int
    account: str
    side: Side
    shares: Decimal
    price: Decimal
    at: datetime
    perm_id: int = 0
    client_id: int = 0
    order_id: int = 0
    order_ref: str = ""
    exchange: str = ""
    liquidation: bool = False
    cum_quantity: Decimal = ZERO
    average_price: Decimal = ZERO
    commission: Decimal = Decimal(1)
    realized: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class WorkingOrder:
    """An order in the book; changes as it is filled. client_id 0 with order_id 0 is TWS's own."""

    record: OrderRecord
    client_id: int
    order_id: int
    perm_id: int
    status: Status
    filled: Decimal = ZERO
    average_price: Decimal = ZERO
    last_price: Decimal = ZERO
    completed_at: datetime | None = None
    auto: bool = False
    held_rows: bool = False
    copies: int = 1

    @property
    def remaining(self) -> Decimal:
        return self.record.quantity - self.filled

    @property
    def view(self) -> OrderView:
        return OrderView(
            client_id=self.client_id,
            order_id=self.order_id,
            perm_id=self.perm_id,
            order_ref=self.record.order_ref,
            account=self.record.account,
            con_id=self.record.con_id,
            action=self.record.action,
            quantity=self.record.quantity,
            limit_price=self.record.limit_price,
            status=self.status,
            filled=self.filled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractQuery:
    """A contract as a client names it; what is empty or zero matches anything."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: Decimal = ZERO
    right: str = ""
    exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""

    def matches(self, one: Instrument) -> bool:
        if self.con_id:
            return self.con_id == one.con_id
        return (
            bool(self.symbol or self.local_symbol)
            and self.symbol in ("", one.symbol)
            and self.sec_type in ("", one.sec_type)
            and one.expiry_text.startswith(self.expiry)
            and self.strike in (ZERO, one.strike)
            and (not self.right or self.right[0] == one.right)
            and self.currency in ("", one.currency)
            and self.local_symbol in ("", one.local_symbol)
            and self.trading_class in ("", one.trading_class)
        )


@dataclass(slots=True)
class Book:
    """The books of every account of one TWS."""

    accounts: list[str] = field(default_factory=list)
    instruments: dict[int, Instrument] = field(default_factory=dict)
    holdings: dict[tuple[str, int], Position] = field(default_factory=dict)
    quotes: dict[int, Quote] = field(default_factory=dict)
    market_rules: dict[int, MarketRule] = field(default_factory=dict)
    account_values: dict[tuple[str, str, str], str] = field(default_factory=dict)
    orders: dict[tuple[int, int], WorkingOrder] = field(default_factory=dict)
    completed: list[WorkingOrder] = field(default_factory=list)
    executions: list[ExecutionRow] = field(default_factory=list)
    next_order_id: int = 1
    _perm_id: int = FIRST_PERM_ID
    _exec_number: int = 0

    @classmethod
    def of(cls, scene: Scene) -> "Book":
        book = cls(
            accounts=list(scene.accounts),
            instruments={one.con_id: one for one in scene.instruments},
            holdings={(one.account, one.con_id): one for one in scene.positions},
            quotes=dict(scene.quotes),
            market_rules={one.rule_id: one for one in scene.market_rules},
        )
        for account in scene.accounts:
            book.open_account(account)
        return book

    def open_account(self, account: str) -> None:
        """Add an account with ordinary values; repeating it changes nothing."""
        if account not in self.accounts:
            self.accounts.append(account)
        for tag, currency, value in (
            ("AccountReady", "", "true"),
            ("AccountType", "", "INDIVIDUAL"),
            ("BuyingPower", "USD", "400000.00"),
            ("ExcessLiquidity", "USD", "98000.00"),
            ("MaintMarginReq", "USD", "2000.00"),
            ("NetLiquidation", "USD", "100000.00"),
            ("TotalCashValue", "USD", "100000.00"),
        ):
            self.account_values.setdefault((account, tag, currency), value)

    def instrument(self, con_id: int) -> Instrument:
        try:
            return self.instruments[con_id]
        except KeyError:
            raise LookupError(f"no instrument has conId {con_id}") from None

    def find(self, query: ContractQuery, *, expired: bool = False) -> tuple[Instrument, ...]:
        """Find the contracts a client means."""
        return tuple(
            one
            for one in self.instruments.values()
            if (one.resolves or expired) and query.matches(one)
        )

    def held(self, account: str, con_id: int) -> Position:
        """The holding, zero where there is none."""
        blank = Position(account=account, con_id=con_id, quantity=ZERO)
        return self.holdings.get((account, con_id), blank)

    def holder(self, con_id: int, account: str | None = None) -> str:
        """The account meant: as given, else the only one that holds it, else the only one."""
        if account is not None:
            return account
        holders = [a for (a, c), one in self.holdings.items() if c == con_id and one.quantity]
        candidates = holders or self.accounts
        if len(candidates) != 1:
            raise LookupError(f"name the account: {con_id} fits {candidates}")
        return candidates[0]

    def change(self, account: str, con_id: int, delta: Decimal, cost: Decimal) -> Position:
        """Add a signed quantity at a cost per unit; a closed holding stays as a zero entry."""
        before = self.held(account, con_id)
        quantity = before.quantity + delta
        if not quantity:
            average = ZERO
        elif before.quantity * delta >= 0:
            average = (before.quantity * before.average_cost + delta * cost) / quantity
        elif before.quantity * quantity > 0:
            average = before.average_cost
        else:
            average = cost
        after = replace(before, quantity=quantity, average_cost=average.quantize(Decimal("1e-6")))
        self.holdings[(account, con_id)] = after
        return after

    def touch(self, price: Decimal | None) -> Decimal | None:
        """A price somebody really shows, or None."""
        return price if price is not None and price > 0 else None

    def marketable_price(self, order: WorkingOrder) -> Decimal | None:
        """The price at which the quote lets an order trade now, None where it does not."""
        shown = self.quotes.get(order.record.con_id, Quote())
        buying = order.record.action is Side.BUY
        touch = self.touch(shown.ask if buying else shown.bid)
        limit = order.record.limit_price
        match order.record.order_type:
            case "MKT":
                return touch
            case "LMT" if touch is not None and limit is not None:
                crosses = limit >= touch if buying else limit <= touch
                return touch if crosses else None
        return None

    def conforms(self, one: Instrument, price: Decimal) -> bool:
        """Say whether a price is on the grid of the instrument's first market rule."""
        rule = self.market_rules.get(int(one.market_rule_ids.split(",")[0] or 0))
        if rule is None:
            return True
        increment = max(
            (step for step in rule.steps if step.low_edge <= abs(price)),
            key=lambda step: step.low_edge,
            default=rule.steps[0],
        ).increment
        return not price % increment

    def new_perm_id(self) -> int:
        self._perm_id += 1
        return self._perm_id

    def new_exec_id(self) -> str:
        """A fresh execution id whose last segment, 01, a correction raises."""
        self._exec_number += 1
        return f"0000e0d5.{self._exec_number:08x}.01.01"

    def finish(self, order: WorkingOrder, status: Status, at: datetime) -> None:
        """Take an order out of the working ones."""
        order.status = status
        order.completed_at = at
        if order not in self.completed:
            self.completed.append(order)

    def working(self) -> tuple[WorkingOrder, ...]:
        return tuple(one for one in self.orders.values() if not one.status.is_done)

    def forget_yesterday(self) -> None:
        """Drop executions, finished orders and zero holdings, as TWS does at midnight."""
        self.executions.clear()
        self.completed.clear()
        self.orders = {key: one for key, one in self.orders.items() if not one.status.is_done}
        self.holdings = {key: one for key, one in self.holdings.items() if one.quantity}
