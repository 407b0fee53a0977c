"""The paper account's book: what is held, ordered and done.

Pure: it keeps the numbers and answers with the rows a broker would report. It never decides
whether an order may trade, at what price or when; and like a broker it lets a position go short.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.facts import (
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderRow,
    PositionRow,
)
from engine.desk.instruments import Instrument, OptionContract, Perpetual, Stock
from engine.venues.port import PricedOrder

_TOLD_FOR = timedelta(hours=24)
_KEPT_FOR = timedelta(days=7)


@dataclass(slots=True, kw_only=True)
class PaperOrder:
    """An order and what became of it."""

    order: PricedOrder
    venue_order_id: str
    placed_at: datetime
    report: OrderReport = OrderReport.WORKING
    filled: Decimal = Decimal(0)
    reason: str = ""

    @property
    def working(self) -> bool:
        return self.report is OrderReport.WORKING

    @property
    def remaining(self) -> Decimal:
        return self.order.quantity - self.filled

    @property
    def row(self) -> OrderRow:
        return OrderRow(
            client_order_id=self.order.client_order_id,
            venue_order_id=self.venue_order_id,
            report=self.report,
            filled=self.filled,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What an exercise brings into the account and is not posted yet; quantity is signed."""

    account: str
    instrument: Instrument
    quantity: Decimal
    price: Decimal


@dataclass(slots=True, kw_only=True)
class PaperBook:
    """cash: account -> currency. Average costs are per unit of price, without the multiplier."""

    cash: dict[str, Decimal]
    held: dict[tuple[str, str], PositionRow] = field(default_factory=dict)  # account, ref -> row
    orders: dict[str, PaperOrder] = field(default_factory=dict)  # client order id -> order
    executions: list[Execution] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    issued: int = 0  # how many ids this book has given out

    @classmethod
    def opened(
        cls, positions: Iterable[PositionRow], *, accounts: Iterable[str], cash: Decimal
    ) -> "PaperBook":
        """Open a book with these positions; each account starts with the same cash."""
        rows = [row for row in positions if row.quantity]
        names = dict.fromkeys([*accounts, *(row.account for row in rows)])
        return cls(
            cash=dict.fromkeys(names, cash),
            held={(row.account, row.instrument.ref): row for row in rows},
        )

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(self.cash)

    @property
    def positions(self) -> tuple[PositionRow, ...]:
        return tuple(self.held.values())

    @property
    def working(self) -> tuple[PaperOrder, ...]:
        return tuple(order for order in self.orders.values() if order.working)

    def number(self) -> int:
        """Give out the next id number."""
        self.issued += 1
        return self.issued

    def accept(self, order: PricedOrder, at: datetime) -> PaperOrder:
        """Enter an order that is new."""
        known = PaperOrder(order=order, venue_order_id=str(self.number()), placed_at=at)
        self.orders[order.client_order_id] = known
        return known

    def fill(
        self,
        known: PaperOrder,
        *,
        quantity: Decimal,
        price: Decimal,
        execution_id: str,
        at: datetime,
    ) -> tuple[Execution, PositionRow]:
        """Execute part of a working order, or the rest of it."""
        order = known.order
        assert known.working, "a fill of an order that is done"
        assert 0 < quantity <= known.remaining, "a fill beyond its order"
        execution = Execution(
            execution_id=execution_id,
            account=order.account,
            instrument=order.instrument,
            side=order.side,
            quantity=quantity,
            price=price,
            at=at,
            origin=ExecutionOrigin.OURS,
            client_order_id=order.client_order_id,
        )
        self.executions.append(execution)
        known.filled += quantity
        if not known.remaining:
            known.report = OrderReport.FILLED
        row = self.change(order.account, order.instrument, order.side.sign * quantity, price)
        return execution, row

    def change(
        self, account: str, instrument: Instrument, quantity: Decimal, price: Decimal
    ) -> PositionRow:
        """Add a signed quantity at a price, paid from the account's cash. A position that is gone
        is answered with a row of zero, as a broker reports it."""
        self.cash[account] -= quantity * price * _units(instrument)
        key = (account, instrument.ref)
        before = self.held.get(key)
        if before is None:
            row = PositionRow(
                account=account, instrument=instrument, quantity=quantity, average_cost=price
            )
        else:
            row = replace(
                before,
                quantity=before.quantity + quantity,
                average_cost=_average(before, quantity, price),
            )
        if row.quantity:
            self.held[key] = row
        else:
            self.held.pop(key, None)
        return row

    def underlying_of(self, contract: OptionContract) -> Instrument:
        """Find the stock a contract delivers: the one already held, else the symbol's own."""
        for row in self.held.values():
            if isinstance(row.instrument, Stock) and row.instrument.symbol == contract.underlying:
                return row.instrument
        return Stock(
            ref=contract.underlying, symbol=contract.underlying, currency=contract.currency
        )

    def told_executions(self, at: datetime) -> tuple[Execution, ...]:
        """Give the executions a broker still tells: those of a day. A day back rather than since
        midnight, so that an engine started at five past sees what filled at five to."""
        return tuple(it for it in self.executions if it.at > at - _TOLD_FOR)

    def prune(self, at: datetime) -> None:
        """Forget what was done so long ago that nobody asks for it again."""
        self.executions = [it for it in self.executions if it.at > at - _KEPT_FOR]
        self.orders = {
            key: it
            for key, it in self.orders.items()
            if it.working or it.placed_at > at - _KEPT_FOR
        }


def _average(before: PositionRow, quantity: Decimal, price: Decimal) -> Decimal | None:
    after = before.quantity + quantity
    if not after:
        return Decimal(0)
    if before.average_cost is None or before.quantity * after < 0:
        return price
    if before.quantity * quantity < 0:
        return before.average_cost
    paid = before.quantity * before.average_cost + quantity * price
    return (paid / after).quantize(Decimal("0.0001"))


def _units(instrument: Instrument) -> Decimal:
    if isinstance(instrument, OptionContract):
        return instrument.multiplier
    return instrument.contract_size if isinstance(instrument, Perpetual) else Decimal(1)
