"""A spot exchange of a few lines: money, coins, market buys by amount, OCOs, commissions, filters.

It keeps its own truth. What it says of it comes back as facts, which the caller delivers, loses or
holds back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal

from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
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
from engine.desk.instruments import ContractSpec, PriceBand, PriceStep, SpotPair
from engine.desk.intents import AtMarket, PlaceOrder, Purpose

VENUE, ACCOUNT, QUOTE = "binance", "main", "USDT"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ZERO = Decimal(0)


def pair(symbol: str) -> SpotPair:
    return SpotPair(ref=symbol, symbol=symbol, base=symbol.removesuffix(QUOTE), quote=QUOTE)


@dataclass(slots=True)
class Standing:
    """One order as the exchange keeps it."""

    order: PlaceOrder
    terms: OrderPriced
    report: OrderReport = OrderReport.WORKING
    filled: Decimal = ZERO
    reason: str = ""

    @property
    def row(self) -> OrderRow:
        return OrderRow(
            client_order_id=self.order.client_order_id,
            venue_order_id="7",
            report=self.report,
            filled=self.filled,
            reason=self.reason,
        )


@dataclass(slots=True)
class SpotExchange:
    """fee_in: "base", "quote" or a third currency. fill_part: what part of the next market order
    is filled before the rest is cancelled. refuse: purpose -> reason of the next refusal."""

    cash: Decimal = Decimal(1000)
    fee: Decimal = ZERO
    fee_in: str = "base"
    step: Decimal = Decimal("0.00001")
    minimum_notional: Decimal = Decimal(5)
    band: PriceBand | None = None
    prices: dict[str, Decimal] = field(default_factory=dict)
    coins: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[str, Standing] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    fill_part: Decimal = Decimal(1)
    refuse: dict[Purpose, str] = field(default_factory=dict)

    def spec(self, symbol: str) -> ContractSpec:
        return ContractSpec(
            ref=symbol,
            price_steps=(PriceStep(from_price=ZERO, increment=Decimal("0.01")),),
            quantity_step=self.step,
            minimum_quantity=self.step,
            minimum_notional=self.minimum_notional,
            sell_band=self.band,
        )

    def take(self, order: PlaceOrder, terms: OrderPriced, now: datetime) -> Iterator[Fact]:
        """Take an order in; say what came of it."""
        assert order.client_order_id not in self.orders, "an order was sent twice"
        standing = self.orders[order.client_order_id] = Standing(order=order, terms=terms)
        reason = self.refuse.pop(order.purpose, "") or self._problem(order, terms)
        if reason:
            standing.report, standing.reason = OrderReport.REJECTED, reason
            yield self._say(standing)
            return
        if order.purpose is Purpose.BRACKET:
            yield self._say(standing)
            return
        yield from self._market(standing, now)

    def move(self, symbol: str, price: Decimal, now: datetime, part: Decimal = Decimal(1)) -> list:
        """Move a price; brackets it reaches are filled, a take-profit perhaps in part only."""
        self.prices[symbol] = price
        said: list[Fact] = []
        for standing in list(self.orders.values()):
            order, terms = standing.order, standing.terms
            working = standing.report is OrderReport.WORKING and order.instrument.ref == symbol
            if not working or terms.limit_price is None or terms.stop_price is None:
                continue
            if price >= terms.limit_price:
                quantity = (order.quantity * part / self.step).to_integral_value(ROUND_FLOOR)
                leg, at = CloseType.TAKE_PROFIT, terms.limit_price
                said += self._sell(standing, quantity * self.step, at, now, leg)
            elif price <= terms.stop_price:
                said += self._sell(standing, order.quantity, price, now, CloseType.STOP_LOSS)
            else:
                continue
            done = standing.filled == order.quantity
            standing.report = OrderReport.FILLED if done else OrderReport.CANCELLED
            standing.reason = "" if done else "the other leg expired"
            said += [self._say(standing), self.balance()]
        return said

    def cancel(self, order_id: str, reason: str = "") -> list[Fact]:
        standing = self.orders.get(order_id)
        if standing is None or standing.report is not OrderReport.WORKING:
            return []
        standing.report, standing.reason = OrderReport.CANCELLED, reason
        return [self._say(standing)]

    def sell_by_hand(self, symbol: str, quantity: Decimal, now: datetime) -> list[Fact]:
        return [
            self._trade(pair(symbol), Side.SELL, quantity, self.prices[symbol], now, None, None),
            self.balance(),
        ]

    def balance(self) -> BalanceReported:
        return BalanceReported(
            venue=VENUE, account=ACCOUNT, currency=QUOTE, free=self.cash, total=self.cash
        )

    def snapshot(self, asked_at: datetime) -> BookSnapshot:
        return BookSnapshot(
            venue=VENUE,
            asked_at=asked_at,
            accounts=(ACCOUNT,),
            positions=(),
            executions=tuple(self.executions),
            orders=tuple(standing.row for standing in self.orders.values()),
        )

    def locked(self, symbol: str) -> Decimal:
        """Coins in working brackets."""
        return sum(
            (
                s.order.quantity
                for s in self.orders.values()
                if s.report is OrderReport.WORKING
                and s.order.purpose is Purpose.BRACKET
                and s.order.instrument.ref == symbol
            ),
            ZERO,
        )

    def _problem(self, order: PlaceOrder, terms: OrderPriced) -> str:
        symbol, price = order.instrument.ref, self.prices[order.instrument.ref]
        if isinstance(order.pricing, AtMarket) and order.pricing.spend is not None:
            return "" if order.pricing.spend <= self.cash else "insufficient balance"
        if order.quantity % self.step or order.quantity <= 0:
            return "LOT_SIZE"
        if order.quantity > self.coins.get(symbol, ZERO) - self.locked(symbol) + (
            order.quantity if order.purpose is Purpose.BRACKET else ZERO
        ):
            return "insufficient balance"
        if order.purpose is not Purpose.BRACKET:
            return ""
        assert terms.limit_price is not None
        assert terms.stop_price is not None
        if not terms.stop_price < price < terms.limit_price:
            return "OCO_BAD_PRICES"
        return "" if terms.stop_price * order.quantity >= self.minimum_notional else "NOTIONAL"

    def _market(self, standing: Standing, now: datetime) -> Iterator[Fact]:
        order, price = standing.order, self.prices[standing.order.instrument.ref]
        part, self.fill_part = self.fill_part, Decimal(1)
        spend = order.pricing.spend if isinstance(order.pricing, AtMarket) else None
        wanted = (order.quantity if spend is None else spend / price) * part
        quantity = (wanted / self.step).to_integral_value(ROUND_FLOOR) * self.step
        if quantity:
            standing.filled = quantity
            yield self._trade(
                order.instrument, order.side, quantity, price, now, order.client_order_id, None
            )
            yield self.balance()
        whole = part == 1
        standing.report = OrderReport.FILLED if whole else OrderReport.CANCELLED
        standing.reason = "" if whole else "the book ran dry"
        yield self._say(standing)

    def _sell(
        self, standing: Standing, quantity: Decimal, price: Decimal, now: datetime, leg: CloseType
    ) -> list[Fact]:
        if not quantity:
            return []
        standing.filled += quantity
        order = standing.order
        return [
            self._trade(
                order.instrument, Side.SELL, quantity, price, now, order.client_order_id, leg
            )
        ]

    def _trade(
        self,
        instrument: SpotPair,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        now: datetime,
        order_id: str | None,
        leg: CloseType | None,
    ) -> ExecutionReported:
        value, symbol = quantity * price, instrument.symbol
        self.cash -= value * side.sign
        self.coins[symbol] = self.coins.get(symbol, ZERO) + quantity * side.sign
        paid_in, paid = self.fee_in, ZERO
        if self.fee_in == "base" and side is Side.BUY:
            paid_in, paid = instrument.base, quantity * self.fee
            self.coins[symbol] -= paid
        elif self.fee_in in ("base", "quote"):
            paid_in, paid = QUOTE, value * self.fee
            self.cash -= paid
        else:
            paid = self.fee
        execution = Execution(
            execution_id=f"x{len(self.executions)}",
            account=ACCOUNT,
            instrument=instrument,
            side=side,
            quantity=quantity,
            price=price,
            at=now,
            origin=ExecutionOrigin.OURS if order_id else ExecutionOrigin.HAND,
            client_order_id=order_id,
            fee=paid,
            fee_currency=paid_in,
            exit_leg=leg,
        )
        self.executions.append(execution)
        return ExecutionReported(venue=VENUE, execution=execution)

    def _say(self, standing: Standing) -> OrderReported:
        return OrderReported(venue=VENUE, row=standing.row)
