"""One Binance USD-M account in one-way mode: margin, reduce-only orders, conditional orders.

Matching is the shared account's. What Binance adds: resting reduce-only orders count against the
position, and a conditional order lives with the Algo Service until its trigger makes a new order.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tests.fakes.binance_spot.errors import Refused, Rejected
from tests.fakes.binanceusdm.symbols import Perpetual
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import (
    ZERO,
    Cause,
    Fill,
    Force,
    Kind,
    Market,
    NewOrder,
    Order,
    Refusal,
    Side,
    State,
    Why,
)
from tests.fakes.exchange.rules import Rules, numbered

TRADE = "TRADE"
CALCULATED = "CALCULATED"
RULES = Rules(
    duplicates_ever=False,
    shrink_reduce_only=True,
    resting_reduce_only_counts=True,
    trigger_spawns=True,
    trigger_at_once=False,
    maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.0005"),
    maker_word=TRADE,
    taker_word=TRADE,
)
_MAINTENANCE = Decimal("0.004")


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A fill is booked whole: order, position and balance have moved."""

    order: Order
    fill: Fill


class UsdmAccount(Account):
    """The books of one account. leverage: market -> leverage, 20 unless set."""

    def __init__(self, listed: Iterable[Perpetual], *, clock: Callable[[], datetime]) -> None:
        self.listed = {one.name: one for one in listed}
        super().__init__(
            [one.market() for one in self.listed.values()],
            rules=RULES,
            clock=clock,
            new_order_id=numbered(8886774),
            new_fill_id=numbered(109100866),
        )
        self.leverage: dict[str, int] = {}
        self.order_refusals: deque[Refused] = deque()
        self._executed: list[Callable[[Executed], None]] = []

    def listen_executed(self, listener: Callable[[Executed], None]) -> None:
        """Call listener after everything a fill changes has changed."""
        self._executed.append(listener)

    # Money

    def wallet(self, currency: str) -> Decimal:
        return self.balances.get(currency, ZERO)

    def notional(self, market_id: str) -> Decimal:
        """The position's signed worth at the mark."""
        quote = self.quotes.get(market_id)
        price = self.positions[market_id].entry_price if quote is None else quote.mark
        return self.held(market_id) * price

    def initial_margin(self, market_id: str) -> Decimal:
        """What the position ties up."""
        if not self.held(market_id):
            return ZERO
        return abs(self.notional(market_id)) / self.leverage_of(market_id)

    def maintenance_margin(self, market_id: str) -> Decimal:
        return abs(self.notional(market_id)) * _MAINTENANCE if self.held(market_id) else ZERO

    def order_margin(self, market_id: str) -> Decimal:
        """What orders that may add to the position tie up."""
        total = sum(
            (
                order.remaining * (order.limit_price or ZERO)
                for order in self.open_orders()
                if order.market == market_id and order.state is State.OPEN and not order.reduce_only
            ),
            ZERO,
        )
        return total / self.leverage_of(market_id)

    def available(self, currency: str) -> Decimal:
        """What is left to open positions with."""
        here = [one.id for one in self.markets.values() if one.settle == currency]
        tied = sum((self.initial_margin(one) + self.order_margin(one) for one in here), ZERO)
        return self.wallet(currency) + self.all_unrealised(currency) - tied

    def all_unrealised(self, currency: str) -> Decimal:
        here = [one.id for one in self.markets.values() if one.settle == currency]
        return sum((self.unrealised(one) for one in here), ZERO)

    def leverage_of(self, market_id: str) -> int:
        return self.leverage.get(market_id, 20)

    # Orders

    def place(self, new: NewOrder) -> Order:
        """Take an order and match it. Raises Rejected, or the shared account's Refusal."""
        if self.order_refusals:
            raise self.order_refusals.popleft().raised()
        self._check_form(new)
        return super().place(new)

    def book_forced(
        self,
        market_id: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        *,
        client_id: str,
        execution: str,
        words: tuple[tuple[str, str], ...],
    ) -> Fill:
        """An order of Binance's own (liquidation, deleveraging, settlement), executed."""
        return self.force_fill(
            market_id,
            side,
            quantity,
            price,
            marker=execution,
            client_id=client_id,
            fee_rate=self.rules.taker_fee,
            with_order=True,
            words=words,
        )

    def fill(
        self, order_id: str, quantity: Decimal | None = None, price: Decimal | None = None
    ) -> Fill:
        """Fill a live order of the book whatever the quote says."""
        order = self._live(order_id)
        if order.state is State.WAITING:
            raise Refusal(Why.BAD_PRICE, "a conditional order fills only once triggered", order)
        at = price or order.limit_price or self.quotes[order.market].touch(order.side)[0]
        held = self.held(order.market)
        _, fill = self._execute(
            order,
            order.remaining if quantity is None else quantity,
            at,
            marker=TRADE,
            maker=order.kind.limited,
            fee_rate=self.rules.maker_fee if order.kind.limited else self.rules.taker_fee,
        )
        self._after_fill(order.market, held)
        return fill

    def reducible(self, market_id: str, side: Side, *, count_resting: bool = False) -> Decimal:
        """How much an order of that side can take off the position. Conditional orders do not
        count before they are triggered."""
        room = max(-side.sign * self.held(market_id), ZERO)
        if count_resting:
            room -= sum(
                (
                    order.remaining
                    for order in self.open_orders()
                    if (order.market, order.side) == (market_id, side)
                    and order.reduce_only
                    and order.state is State.OPEN
                ),
                ZERO,
            )
        return max(room, ZERO)

    # What the shared account calls

    def _check(self, market: Market, new: NewOrder) -> None:
        super()._check(market, new)
        if new.reduce_only or new.close_position or new.kind.waits:
            return
        quote = self.quotes.get(market.id)
        price = new.limit_price or (quote.ask if quote is not None else ZERO)
        adds = new.quantity - self.reducible(market.id, new.side)
        if adds > 0 and adds * price / self.leverage_of(market.id) > self.available(market.settle):
            raise Rejected(-2019, "Margin is insufficient.")

    def _sized(self, new: NewOrder) -> NewOrder:
        if not new.reduce_only or new.kind.waits:
            return new
        whole = self.reducible(new.market, new.side)
        if not whole:
            raise Rejected(-2022, "ReduceOnly Order is rejected.")
        room = self.reducible(new.market, new.side, count_resting=True)
        if room < whole and new.quantity > room:
            raise Rejected(
                -4118,
                "ReduceOnly Order Failed. Please check your existing position and open orders",
            )
        return replace(new, quantity=min(new.quantity, room))

    def _work(self, order: Order) -> None:
        if order.state is State.WAITING and self._reached(order):
            reduces = order.reduce_only or order.close_position
            if reduces and not self.reducible(order.market, order.side):
                self._end(order, Cause.WOULD_NOT_REDUCE)
                return
        super()._work(order)

    def _execute(
        self,
        order: Order,
        quantity: Decimal,
        price: Decimal,
        *,
        marker: str,
        maker: bool,
        fee_rate: Decimal,
        known: bool = True,
    ) -> tuple[Order, Fill]:
        order, fill = super()._execute(
            order,
            quantity,
            price,
            marker=marker,
            maker=maker,
            fee_rate=fee_rate,
            known=known,
        )
        for listener in self._executed:
            listener(Executed(order=order, fill=fill))
        return order, fill

    def _after_fill(self, market_id: str, held_before: Decimal) -> None:
        """Flat now: resting reduce-only orders expire, and conditional ones that close everything;
        other conditional ones stay, to be rejected when they trigger."""
        if not held_before or self.held(market_id):
            return
        for order in self.open_orders():
            dies = order.close_position or (order.reduce_only and order.state is State.OPEN)
            if order.market == market_id and dies:
                self._end(order, Cause.WITHDRAWN)

    # Inside

    def _check_form(self, new: NewOrder) -> None:
        listed = self.listed.get(new.market)
        if listed is None:
            raise Rejected(-1121, "Invalid symbol.")
        for price in (new.limit_price, new.stop_price):
            if price is None:
                continue
            if price <= 0:
                raise Rejected(-4001, "Price less than 0.")
            if price > listed.max_price:
                raise Rejected(-4002, "Price greater than max price.")
            if price % listed.tick:
                raise Rejected(-4014, "Price not increased by tick size.")
        if not new.close_position:
            _check_quantity(listed, new)
        self._check_worth(listed, new)

    def _check_worth(self, listed: Perpetual, new: NewOrder) -> None:
        quote = self.quotes.get(new.market)
        if quote is None or new.kind.waits:
            return
        if new.limit_price is not None and new.force is not Force.POST_ONLY:
            high, low = quote.mark * listed.multiplier_up, quote.mark * listed.multiplier_down
            if new.side is Side.BUY and new.limit_price > high:
                raise Rejected(-4016, f"Limit price can't be higher than {high:.2f}.")
            if new.side is Side.SELL and new.limit_price < low:
                raise Rejected(-4024, f"Limit price can't be lower than {low:.2f}.")
        worth = new.quantity * (new.limit_price or quote.mark)
        if not new.reduce_only and not new.close_position and worth < listed.min_notional:
            raise Rejected(
                -4164,
                f"Order's notional must be no smaller than {listed.min_notional}"
                " (unless you choose reduce only).",
            )


def _check_quantity(listed: Perpetual, new: NewOrder) -> None:
    if new.quantity <= 0:
        raise Rejected(-4003, "Quantity less than or equal to zero.")
    if new.quantity % listed.step:
        raise Rejected(-1111, "Precision is over the maximum defined for this asset.")
    if new.quantity < listed.min_quantity:
        raise Rejected(-4004, "Quantity less than min quantity.")
    most = listed.max_market_quantity if new.kind is Kind.MARKET else listed.max_quantity
    if new.quantity > most:
        raise Rejected(-4005, "Quantity greater than max quantity.")
