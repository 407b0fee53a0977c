"""Balances, positions and fills of one account, and the announcement of every change of them.

It books what happened; whether an order may fill is decided in account.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tests.fakes.exchange.records import (
    ZERO,
    BalanceChanged,
    Event,
    Fill,
    FillMade,
    Market,
    Order,
    OrderChanged,
    Position,
    PositionChanged,
    Quote,
    Refusal,
    Settlement,
    Side,
    Why,
)
from tests.fakes.exchange.rules import Rules

Listener = Callable[[Event], None]


class Ledger:
    """The books of one account."""

    def __init__(
        self,
        markets: Iterable[Market],
        *,
        rules: Rules,
        clock: Callable[[], datetime],
        new_order_id: Callable[[], str],
        new_fill_id: Callable[[], str],
    ) -> None:
        self.rules = rules
        self.markets: dict[str, Market] = {market.id: market for market in markets}
        self.quotes: dict[str, Quote] = {}
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.positions: dict[str, Position] = {}
        self.balances: dict[str, Decimal] = {}
        self._clock = clock
        self._new_order_id = new_order_id
        self._new_fill_id = new_fill_id
        self._listeners: list[Listener] = []

    # Watching

    def listen(self, listener: Listener) -> None:
        """Call listener with every event, in order, at once. It must not change the account."""
        self._listeners.append(listener)

    def _tell(self, *events: Event) -> None:
        for event in events:
            for listener in self._listeners:
                listener(event)

    # Reading

    def market(self, market_id: str) -> Market:
        """Raises Refusal(UNKNOWN_MARKET)."""
        if market_id not in self.markets:
            raise Refusal(Why.UNKNOWN_MARKET, market_id)
        return self.markets[market_id]

    def held(self, market_id: str) -> Decimal:
        """The signed position of a market, 0 when flat."""
        position = self.positions.get(market_id)
        return ZERO if position is None else position.quantity

    def held_positions(self) -> list[Position]:
        """The positions that are not flat."""
        return [position for position in self.positions.values() if position.quantity]

    def open_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.state.live]

    def reducible(self, market_id: str, side: Side, *, count_resting: bool = False) -> Decimal:
        """How much an order of that side can take off the position; 0 where it would add."""
        room = -side.sign * self.held(market_id)
        if count_resting:
            room -= sum(
                (
                    order.remaining
                    for order in self.open_orders()
                    if (order.market, order.side) == (market_id, side)
                    and order.reduce_only
                    and not order.close_position
                ),
                ZERO,
            )
        return max(room, ZERO)

    def unrealised(self, market_id: str) -> Decimal:
        """Profit of a position at the mark, in the settle currency."""
        position, quote = self.positions.get(market_id), self.quotes.get(market_id)
        if position is None or quote is None or not position.quantity:
            return ZERO
        return self.markets[market_id].profit(position.quantity, position.entry_price, quote.mark)

    def locked(self, currency: str) -> Decimal:
        """What open spot orders have reserved of a currency."""
        total = ZERO
        for order in self.open_orders():
            market = self.markets[order.market]
            if market.settlement is not Settlement.SPOT:
                continue
            if order.side is Side.SELL and market.base == currency:
                total += order.remaining
            if order.side is Side.BUY and market.quote == currency and order.limit_price:
                total += order.remaining * order.limit_price
        return total

    # Setting

    def set_balance(self, currency: str, amount: Decimal) -> None:
        """Put an amount into an account, in place of what was there."""
        self._pay(currency, amount - self.balances.get(currency, ZERO))

    def set_position(self, market_id: str, quantity: Decimal, price: Decimal) -> Position:
        """Have a position without a fill; it is announced like any change of it."""
        self.market(market_id)
        now = self._clock()
        before = self.held(market_id)
        position = Position(
            market=market_id,
            quantity=quantity,
            entry_price=price if quantity else ZERO,
            opened_at=now,
            updated_at=now,
        )
        self.positions[market_id] = position
        self._tell(PositionChanged(position=position, before=before))
        return position

    # Booking

    def _store(self, order: Order, fill: Fill | None = None) -> Order:
        self.orders[order.id] = order
        self._tell(OrderChanged(order=order, fill=fill))
        return order

    def _pay(self, currency: str, change: Decimal) -> None:
        amount = self.balances.get(currency, ZERO) + change
        self.balances[currency] = amount
        if change:
            self._tell(BalanceChanged(currency=currency, amount=amount, change=change))

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
        """Book a fill of an order; known: the order is one of the account's."""
        market = self.markets[order.market]
        now = self._clock()
        average = (
            price
            if order.average_price is None
            else market.average(order.filled, order.average_price, quantity, price)
        )
        filled = order.filled + quantity
        order = replace(order, filled=filled, average_price=average, updated_at=now)
        position, realised = self._moved(market, order.side, quantity, price)
        fee, fee_currency = self._fee(market, order.side, quantity, price, fee_rate)
        fill = Fill(
            id=self._new_fill_id(),
            sequence=len(self.fills) + 1,
            order_id=order.id,
            client_id=order.client_id,
            market=market.id,
            side=order.side,
            kind=order.kind,
            quantity=quantity,
            price=price,
            remaining=order.remaining,
            fee=fee,
            fee_currency=fee_currency,
            marker=marker,
            maker=maker,
            realised=realised,
            at=now,
        )
        self.fills.append(fill)
        before = self.held(market.id)
        if known:
            self.orders[order.id] = order
        if position is not None:
            self.positions[market.id] = position
        if known:
            order = self._store(self._filled_state(order), fill)
        self._tell(FillMade(fill=fill, order=order if known else None))
        if position is not None:
            self._tell(PositionChanged(position=position, before=before))
            self._pay(market.settle, realised - fee)
        else:
            self._swap(market, order.side, quantity, price)
            self._pay(fee_currency, -fee)
        return order, fill

    def _filled_state(self, order: Order) -> Order:
        raise NotImplementedError

    def _fee(
        self, market: Market, side: Side, quantity: Decimal, price: Decimal, rate: Decimal
    ) -> tuple[Decimal, str]:
        """On spot the fee is taken out of what the fill brings."""
        if market.settlement is Settlement.SPOT and side is Side.BUY:
            return quantity * rate, market.base
        return market.value(quantity, price) * rate, market.settle

    def _swap(self, market: Market, side: Side, quantity: Decimal, price: Decimal) -> None:
        self._pay(market.base, side.sign * quantity)
        self._pay(market.quote, -side.sign * quantity * price)

    def _moved(
        self, market: Market, side: Side, quantity: Decimal, price: Decimal
    ) -> tuple[Position | None, Decimal]:
        """The position after a fill (None on spot) and what the fill realised."""
        if market.settlement is Settlement.SPOT:
            return None, ZERO
        now = self._clock()
        was = self.positions.get(market.id) or Position(
            market=market.id, quantity=ZERO, entry_price=ZERO, opened_at=now, updated_at=now
        )
        change = side.sign * quantity
        after = was.quantity + change
        if was.quantity * change >= 0:
            entry = (
                market.average(was.quantity, was.entry_price, change, price)
                if was.quantity
                else price
            )
            opened = was.opened_at if was.quantity else now
            return replace(
                was, quantity=after, entry_price=entry, opened_at=opened, updated_at=now
            ), ZERO
        closed = min(abs(change), abs(was.quantity)).copy_sign(was.quantity)
        realised = market.profit(closed, was.entry_price, price)
        turned = was.quantity * after < 0
        entry = ZERO if not after else price if turned else was.entry_price
        return replace(
            was,
            quantity=after,
            entry_price=entry,
            opened_at=now if turned else was.opened_at,
            updated_at=now,
            realised=was.realised + realised,
        ), realised
