"""The paper account's book: what is held, owned, ordered and done.

Pure: it keeps the numbers and answers with the rows a venue would report. It never decides
whether an order may trade, at what price or when; and like a broker it lets a position go short.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Context, Decimal

from msgspec.structs import replace

from engine.desk.facts import (
    CloseType,
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderRow,
    OrderType,
    PositionRow,
    Side,
)
from engine.desk.instruments import Instrument, OptionContract, Perpetual, SpotPair, Stock
from engine.venues.port import PricedOrder

_TOLD_FOR = timedelta(hours=24)
_KEPT_FOR = timedelta(days=7)
_ZERO = Decimal(0)
_COINS = Context(prec=12)


@dataclass(slots=True, kw_only=True)
class PaperOrder:
    """An order and what became of it.

    spent is price times quantity of what filled. leg is set once a stop was triggered, and once one
    leg of an OCO began to fill.
    """

    order: PricedOrder
    venue_order_id: str
    placed_at: datetime
    report: OrderReport = OrderReport.WORKING
    filled: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    leg: CloseType | None = None
    reason: str = ""

    @property
    def working(self) -> bool:
        return self.report is OrderReport.WORKING

    @property
    def remaining(self) -> Decimal:
        """What is left to fill; a buy for an amount has no such quantity, see `unspent`."""
        return self.order.quantity - self.filled

    @property
    def unspent(self) -> Decimal | None:
        """What is left of the amount a buy may cost, None where it is no buy for an amount."""
        return None if self.order.spend is None else self.order.spend - self.spent

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
    """cash: account -> what stocks and options were paid from. funds: (account, currency) -> what
    crypto is paid from and in. Spot coins are funds, never positions. Average costs are per unit of
    price, without the multiplier.
    """

    cash: dict[str, Decimal]
    funds: dict[tuple[str, str], Decimal] = field(default_factory=dict)
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
        fee: tuple[Decimal, str] = (_ZERO, ""),
    ) -> Execution:
        """Execute part of a working order, or the rest of it. fee is an amount and its currency."""
        order = known.order
        assert known.working, "a fill of an order that is done"
        assert quantity > 0, "a fill of nothing"
        assert known.unspent is not None or quantity <= known.remaining, "a fill beyond its order"
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
            fee=fee[0],
            fee_currency=fee[1],
            exit_leg=known.leg if order.order_type is OrderType.OCO else None,
        )
        known.filled += quantity
        known.spent += quantity * price
        if known.unspent is None and not known.remaining:
            known.report = OrderReport.FILLED
        self.post(execution)
        return execution

    def post(self, execution: Execution) -> None:
        """Take an execution into the account, whoever caused it."""
        self.executions.append(execution)
        if execution.fee:
            self._pay(execution.account, execution.fee_currency, -execution.fee)
        signed = execution.side.sign * execution.quantity
        account, instrument, price = execution.account, execution.instrument, execution.price
        if isinstance(instrument, SpotPair):
            self._pay(account, instrument.base, signed)
            self._pay(account, instrument.quote, -signed * price)
        else:
            self.change(account, instrument, signed, price)

    def change(
        self, account: str, instrument: Instrument, quantity: Decimal, price: Decimal
    ) -> None:
        """Add a signed quantity at a price, paid from the account's cash; what a perpetual won or
        lost goes into its funds."""
        key = (account, instrument.ref)
        before = self.held.get(key)
        if isinstance(instrument, Perpetual):
            currency = instrument.base if instrument.inverse else instrument.quote
            self._pay(account, currency, _won(before, instrument, quantity, price))
        else:
            self.cash[account] -= quantity * price * _multiplier(instrument)
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

    def position(self, account: str, instrument: Instrument) -> PositionRow:
        """Give what is held; what is not is a row of zero, as a broker reports it."""
        none = PositionRow(
            account=account, instrument=instrument, quantity=_ZERO, average_cost=_ZERO
        )
        return self.held.get((account, instrument.ref), none)

    def locked(self, account: str, currency: str) -> Decimal:
        """What working spot orders keep of a currency."""
        return sum(
            (_locks(it, currency) for it in self.working if it.order.account == account), _ZERO
        )

    def _pay(self, account: str, currency: str, amount: Decimal) -> None:
        if amount:
            self.funds[account, currency] = self.funds.get((account, currency), _ZERO) + amount

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


def absent(client_order_id: str) -> OrderRow:
    """Word what a venue says of an order it does not know."""
    return OrderRow(
        client_order_id=client_order_id,
        venue_order_id="",
        report=OrderReport.REJECTED,
        filled=_ZERO,
        reason="The venue never had this order",
    )


def _average(before: PositionRow, quantity: Decimal, price: Decimal) -> Decimal | None:
    after = before.quantity + quantity
    if not after:
        return _ZERO
    if before.average_cost is None or before.quantity * after < 0:
        return price
    if before.quantity * quantity < 0:
        return before.average_cost
    instrument = before.instrument
    if isinstance(instrument, Perpetual) and instrument.inverse:
        coins = before.quantity / before.average_cost + quantity / price
        return _COINS.divide(after, coins)
    paid = before.quantity * before.average_cost + quantity * price
    if isinstance(instrument, Perpetual):
        return _COINS.divide(paid, after)
    return (paid / after).quantize(Decimal("0.0001"))


def _won(
    before: PositionRow | None, instrument: Perpetual, quantity: Decimal, price: Decimal
) -> Decimal:
    """What a fill that shrinks a position realizes: quote currency, of an inverse one the base."""
    if before is None or not before.average_cost or before.quantity * quantity >= 0:
        return _ZERO
    closed = min(abs(quantity), abs(before.quantity)).copy_sign(before.quantity)
    if instrument.inverse:
        return closed * instrument.contract_size * (1 / before.average_cost - 1 / price)
    return closed * (price - before.average_cost)


def _locks(known: PaperOrder, currency: str) -> Decimal:
    order, pair = known.order, known.order.instrument
    if not isinstance(pair, SpotPair):
        return _ZERO
    if order.side is Side.SELL:
        return known.remaining if currency == pair.base else _ZERO
    if currency != pair.quote:
        return _ZERO
    if known.unspent is not None:
        return known.unspent
    return known.remaining * (order.limit_price or order.stop_price or _ZERO)


def _multiplier(instrument: Instrument) -> Decimal:
    return instrument.multiplier if isinstance(instrument, OptionContract) else Decimal(1)
