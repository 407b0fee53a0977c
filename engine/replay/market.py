"""Fills orders on recorded bars: market orders at the close, brackets on the bars that follow.

A buy pays the close and half the spread, a sale gets it less half the spread. A take-profit is
sold at its limit, a stop at its price, or at the open of a bar that begins below it, less half the
spread. Where one bar reaches both, the stop counts: nobody knows which came first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.desk.allocation.bracket import floored
from engine.desk.facts import (
    BalanceReported,
    CloseType,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    Fact,
    OrderPriced,
    OrderReport,
    OrderReported,
    OrderRow,
    Side,
)
from engine.desk.instruments import ContractSpec, PriceStep, SpotPair
from engine.desk.intents import AtMarket, PlaceOrder, Purpose
from engine.desk.market import Bar

VENUE, ACCOUNT = "replay", "main"
_FINE = Decimal("1e-8")
_HUNDRED = Decimal(100)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One fill. fee is in the quote currency, whatever it was paid in."""

    at: datetime
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    reason: str


@dataclass(slots=True)
class Resting:
    order: PlaceOrder
    above: Decimal
    below: Decimal
    # As floats too: they are held against every bar.
    high: float
    low: float


class BarMarket:
    """cash and coins are the account's; brackets: symbol -> what rests there."""

    def __init__(
        self, *, cash: Decimal, quote: str, fee_percent: Decimal, spread_percent: Decimal
    ) -> None:
        self.cash = cash
        self.coins: dict[str, Decimal] = {}
        self.brackets: dict[str, Resting] = {}
        self.fills: list[Fill] = []
        self.fees: dict[str, Decimal] = {}
        self.both_reached = 0
        self._quote = quote
        self._fee = fee_percent / _HUNDRED
        self._half = spread_percent / _HUNDRED / 2

    @staticmethod
    def spec(symbol: str) -> ContractSpec:
        """Rules finer than any exchange's: a file of bars does not tell an exchange's own."""
        return ContractSpec(
            ref=symbol,
            price_steps=(PriceStep(from_price=ZERO, increment=_FINE),),
            quantity_step=_FINE,
        )

    def balance(self) -> BalanceReported:
        return BalanceReported(
            venue=VENUE, account=ACCOUNT, currency=self._quote, free=self.cash, total=self.cash
        )

    def take(
        self, order: PlaceOrder, terms: OrderPriced, close: float, now: datetime
    ) -> Iterator[Fact]:
        """Take an order at a bar's close; say what came of it."""
        symbol, price = order.instrument.ref, Decimal(repr(close))
        above, below = terms.limit_price, terms.stop_price
        if order.purpose is Purpose.BRACKET and above is not None and below is not None:
            if not below < price < above:
                yield _said(order, OrderReport.REJECTED, ZERO, "the price is already through")
                return
            self.brackets[symbol] = Resting(
                order=order, above=above, below=below, high=float(above), low=float(below)
            )
            yield _said(order, OrderReport.WORKING, ZERO)
            return
        price *= 1 + self._half * order.side.sign
        spend = order.pricing.spend if isinstance(order.pricing, AtMarket) else None
        quantity = order.quantity if spend is None else floored(spend / price, self.spec(symbol))
        yield self._fill(order, quantity, price, now, None)
        yield _said(order, OrderReport.FILLED, quantity)
        yield self.balance()

    def cancel(self, order_id: str) -> Iterator[Fact]:
        for symbol, resting in list(self.brackets.items()):
            if resting.order.client_order_id == order_id:
                del self.brackets[symbol]
                yield _said(resting.order, OrderReport.CANCELLED, ZERO)

    def reach(self, symbol: str, bar: Bar, now: datetime) -> Iterator[Fact]:
        """Hold a bar against the bracket that rests at its symbol, if any."""
        resting = self.brackets.get(symbol)
        if resting is None:
            return
        stopped, taken = bar.low <= resting.low, bar.high >= resting.high
        if not (stopped or taken):
            return
        del self.brackets[symbol]
        self.both_reached += stopped and taken
        order = resting.order
        if stopped:
            at = min(resting.below, Decimal(repr(bar.open))) * (1 - self._half)
            yield self._fill(order, order.quantity, at, now, CloseType.STOP_LOSS)
        else:
            yield self._fill(order, order.quantity, resting.above, now, CloseType.TAKE_PROFIT)
        yield _said(order, OrderReport.FILLED, order.quantity)
        yield self.balance()

    def _fill(
        self,
        order: PlaceOrder,
        quantity: Decimal,
        price: Decimal,
        now: datetime,
        leg: CloseType | None,
    ) -> ExecutionReported:
        instrument, symbol = order.instrument, order.instrument.ref
        if not isinstance(instrument, SpotPair):
            raise TypeError(f"{symbol} is no spot pair")
        value, buys = quantity * price, order.side is Side.BUY
        # As Binance charges them: a buy in what it bought, a sale in what it brought.
        fee = (quantity if buys else value) * self._fee
        held = self.coins.get(symbol, ZERO)
        self.coins[symbol] = held + quantity - fee if buys else held - quantity
        self.cash += -value if buys else value - fee
        worth = fee * price if buys else fee
        self.fees[symbol] = self.fees.get(symbol, ZERO) + worth
        reason = order.reason if leg is None else leg.lower().replace("_", " ")
        self.fills.append(
            Fill(
                at=now,
                symbol=symbol,
                side=order.side,
                quantity=quantity,
                price=price,
                fee=worth,
                reason=reason,
            )
        )
        execution = Execution(
            execution_id=f"F{len(self.fills)}",
            account=ACCOUNT,
            instrument=instrument,
            side=order.side,
            quantity=quantity,
            price=price,
            at=now,
            origin=ExecutionOrigin.OURS,
            client_order_id=order.client_order_id,
            fee=fee,
            fee_currency=instrument.base if buys else self._quote,
            exit_leg=leg,
        )
        return ExecutionReported(venue=VENUE, execution=execution)


def _said(
    order: PlaceOrder, report: OrderReport, filled: Decimal, reason: str = ""
) -> OrderReported:
    row = OrderRow(
        client_order_id=order.client_order_id,
        venue_order_id=order.client_order_id,
        report=report,
        filled=filled,
        reason=reason,
    )
    return OrderReported(venue=VENUE, row=row)
