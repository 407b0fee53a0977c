"""One Binance spot account: filters, locked balances, commissions and order lists.

Matching is the shared account's. What spot adds: a quantity by its cost, a commission taken in
what was received or in BNB, and the leg of an OCO that ends the other.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from tests.fakes.binance_spot import errors, filters
from tests.fakes.binance_spot.errors import Refused, Rejected, new_order_rejected
from tests.fakes.binance_spot.lists import ListStatus, OrderList
from tests.fakes.binance_spot.symbols import SpotSymbol
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import (
    ZERO,
    Cause,
    Fill,
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

BNB = "BNB"
_SMALLEST = Decimal("0.00000001")
_LIST = "orderListId"
RULES = Rules(
    duplicates_ever=False,
    trigger_at_once=False,
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OcoLegs:
    """An OCO as asked for."""

    above: NewOrder
    below: NewOrder
    client_id: str


class SpotAccount(Account):
    """The books of one spot account.

    lists: order list id -> list. spent: order id -> quote it moved. cancel_ids: order id -> the
    client id of the cancel that ended it. In the listeners a list's change comes after those of
    its orders, and holdings after what moved them.
    """

    def __init__(self, symbols: Iterable[SpotSymbol], *, clock: Callable[[], datetime]) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        super().__init__(
            [symbol.market() for symbol in self.symbols.values()],
            rules=RULES,
            clock=clock,
            new_order_id=numbered(28),
            new_fill_id=numbered(56),
        )
        self.lists: dict[int, OrderList] = {}
        self.spent: dict[str, Decimal] = {}
        self.cancel_ids: dict[str, str] = {}
        self.pay_in_bnb = False
        self.bnb_discount = Decimal("0.75")
        self.fills_each = 1
        self.order_refusals: deque[Refused] = deque()
        self.list_refusals: deque[Refused] = deque()
        self._averages: dict[str, Decimal] = {}
        self._list_listeners: list[Callable[[OrderList], None]] = []
        self._holdings_listeners: list[Callable[[tuple[str, ...]], None]] = []

    def listen_lists(self, listener: Callable[[OrderList], None]) -> None:
        """Call listener with every new or changed order list."""
        self._list_listeners.append(listener)

    def listen_holdings(self, listener: Callable[[tuple[str, ...]], None]) -> None:
        """Call listener with the currencies of which the free or locked amount moved."""
        self._holdings_listeners.append(listener)

    # Reading

    def free(self, currency: str) -> Decimal:
        return self.balances.get(currency, ZERO) - self.locked(currency)

    def locked(self, currency: str) -> Decimal:
        """What open orders have reserved; the legs of one list reserve once."""
        alone, lists = ZERO, dict[str, Decimal]()
        for order in self.open_orders():
            amount = self._reserved(order, currency)
            name = order.word(_LIST)
            if name:
                lists[name] = max(lists.get(name, ZERO), amount)
            else:
                alone += amount
        return alone + sum(lists.values(), ZERO)

    def list_of(self, order: Order) -> OrderList | None:
        name = order.word(_LIST)
        return self.lists[int(name)] if name else None

    def average(self, market_id: str) -> Decimal | None:
        """The price of the last minutes: the last one, unless a test sets another."""
        if market_id in self._averages:
            return self._averages[market_id]
        quote = self.quotes.get(market_id)
        return None if quote is None else quote.last

    def set_average(self, market_id: str, price: Decimal) -> None:
        self._averages[market_id] = price

    # Orders

    def place(self, new: NewOrder) -> Order:
        """Take an order and match it. Raises Rejected, or the shared account's Refusal."""
        symbol = self._trading(new.market)
        if self.order_refusals:
            raise self.order_refusals.popleft().raised()
        filters.check_order(symbol, new, average=self.average(new.market))
        filters.check_open(symbol, (new,), self.open_orders())
        return self._placed(new)

    def place_by_cost(self, new: NewOrder, cost: Decimal) -> Order:
        """Take a market order whose quantity is what the cost buys or sells, in whole lots."""
        symbol = self._trading(new.market)
        if self.order_refusals:
            raise self.order_refusals.popleft().raised()
        quote = self.quotes.get(new.market)
        price = ZERO if quote is None else quote.touch(new.side)[0]
        if not price:
            raise filters.no_liquidity()
        quantity = (cost / price) // symbol.step * symbol.step
        if quantity < symbol.min_quantity:
            raise filters.below_lot()
        new = replace(new, quantity=quantity)
        average = self.average(new.market)
        filters.check_order(symbol, new, average=average, by_quote=True)
        return self._placed(new)

    def place_oco(self, legs: OcoLegs) -> OrderList:
        """Take both legs of an OCO or none. Raises Rejected, or the shared account's Refusal."""
        market_id = legs.above.market
        symbol = self._trading(market_id)
        if self.list_refusals:
            raise self.list_refusals.popleft().raised()
        average = self.average(market_id)
        for leg in (legs.above, legs.below):
            filters.check_order(symbol, leg, average=average)
        filters.check_open(symbol, (legs.above, legs.below), self.open_orders())
        running = [one for one in self.lists.values() if one.live]
        filters.check_lists(symbol, sum(one.market == market_id for one in running))
        if any(one.client_id == legs.client_id for one in running):
            raise new_order_rejected(errors.DUPLICATE_ORDER)
        if legs.above.client_id == legs.below.client_id:
            raise new_order_rejected(errors.DUPLICATE_ORDER)
        self._check_relation(legs)
        for leg in (legs.above, legs.below):
            self._check(self.markets[market_id], leg)
        return self._begin(legs)

    def cancel(
        self, order_id: str, *, cause: Cause = Cause.CANCELLED, cancel_id: str = ""
    ) -> Order:
        """Cancel a live order, and with it the list it belongs to. Raises Refusal."""
        order = self._live(order_id)
        owner = self.list_of(order)
        for leg_id in (order_id,) if owner is None else owner.order_ids:
            if self.orders[leg_id].state.live:
                self.cancel_ids[leg_id] = cancel_id
                self._end(self.orders[leg_id], cause)
        if owner is not None:
            self._settle(owner)
        self._moved_holdings(order)
        return self.orders[order_id]

    def fill(
        self, order_id: str, quantity: Decimal | None = None, price: Decimal | None = None
    ) -> Fill:
        """Fill a live order whatever the quote says: all that is left unless quantity is given,
        at its own price unless price is. A stop that waits is triggered first."""
        order = self._live(order_id)
        if order.state is State.WAITING:
            order = self._trigger(order)
        at = price or order.limit_price or order.stop_price
        if at is None:
            at = self.quotes[order.market].touch(order.side)[0]
        maker = order.kind.limited
        order, fill = self._execute(
            order,
            order.remaining if quantity is None else quantity,
            at,
            marker=self.rules.maker_word if maker else self.rules.taker_word,
            maker=maker,
            fee_rate=self.rules.maker_fee if maker else self.rules.taker_fee,
        )
        if order.state.live and not order.kind.limited:
            self._end(order, Cause.NO_LIQUIDITY)
            self._finish(order)
        return fill

    # What the shared account calls

    def _check_funds(self, market: Market, new: NewOrder) -> None:
        currency = market.base if new.side is Side.SELL else market.quote
        quote = self.quotes.get(market.id)
        price = new.limit_price or new.stop_price or (quote.ask if quote is not None else ZERO)
        needed = new.quantity if new.side is Side.SELL else new.quantity * price
        if needed > self.free(currency):
            raise Refusal(Why.INSUFFICIENT_FUNDS, currency)

    def _trigger(self, order: Order) -> Order:
        self._expire_others(order)
        return super()._trigger(order)

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
        self._expire_others(order)
        for part in self._parts(order.market, quantity, maker=maker):
            self.spent[order.id] = self.spent.get(order.id, ZERO) + part * price
            order, fill = super()._execute(
                order,
                part,
                price,
                marker=marker,
                maker=maker,
                fee_rate=fee_rate,
                known=known,
            )
        self._finish(order, fill.fee_currency)
        return order, fill

    def _end(self, order: Order, cause: Cause) -> Order:
        order = super()._end(order, cause)
        if cause not in (Cause.CANCELLED, Cause.WITHDRAWN):
            self._finish(order)
        return order

    def _fee(
        self, market: Market, side: Side, quantity: Decimal, price: Decimal, rate: Decimal
    ) -> tuple[Decimal, str]:
        """In BNB while it is asked for and there is enough, else out of what is received."""
        received = (quantity, market.base) if side is Side.BUY else (quantity * price, market.quote)
        if self.pay_in_bnb:
            amount = self._in_bnb(market, quantity, price, rate * self.bnb_discount)
            held = self.free(BNB) + (quantity if received[1] == BNB else ZERO)
            if amount is not None and amount <= held:
                return amount, BNB
        return (received[0] * rate).quantize(_SMALLEST, ROUND_DOWN), received[1]

    # Inside

    def _trading(self, market_id: str) -> SpotSymbol:
        symbol = self.symbols.get(market_id)
        if symbol is None:
            raise errors.invalid_symbol()
        if not symbol.trading:
            raise Rejected(-1013, errors.MARKET_CLOSED)
        return symbol

    def _placed(self, new: NewOrder) -> Order:
        order = super().place(new)
        if not order.filled and order.state.live:
            self._moved_holdings(order)
        return order

    def _check_relation(self, legs: OcoLegs) -> None:
        """Refuse legs that are not on either side of the last price."""
        quote = self.quotes.get(legs.above.market)
        if quote is None:
            return
        above = legs.above.limit_price if legs.above.kind is Kind.LIMIT else legs.above.stop_price
        below = legs.below.limit_price if legs.below.kind is Kind.LIMIT else legs.below.stop_price
        assert above is not None
        assert below is not None
        if above <= below:
            raise new_order_rejected(errors.OCO_BAD_PRICES)
        for leg in (legs.above, legs.below):
            if leg.kind is Kind.LIMIT and self._crosses(leg.market, leg.side, leg.limit_price):
                raise new_order_rejected(errors.WOULD_MATCH)
            if leg.kind.waits and self._reached(leg):
                raise new_order_rejected(errors.WOULD_TRIGGER)
        if not above > quote.last > below:
            raise new_order_rejected(errors.OCO_BAD_PRICES)

    def _begin(self, legs: OcoLegs) -> OrderList:
        now, number = self._clock(), len(self.lists) + 1
        waiting_first = sorted((legs.above, legs.below), key=lambda leg: not leg.kind.waits)
        orders = [
            Order.of(
                replace(leg, words=(*leg.words, (_LIST, str(number)))),
                id=self._new_order_id(),
                state=State.WAITING if leg.kind.waits else State.OPEN,
                at=now,
            )
            for leg in waiting_first
        ]
        made = OrderList(
            id=number,
            client_id=legs.client_id,
            market=legs.above.market,
            order_ids=tuple(order.id for order in orders),
            created_at=now,
            updated_at=now,
        )
        self.lists[number] = made
        for order in orders:
            self._store(order)
        self._tell_list(made)
        self._moved_holdings(orders[0])
        return made

    def _expire_others(self, order: Order) -> None:
        owner = self.list_of(order)
        for leg_id in () if owner is None else owner.order_ids:
            if leg_id != order.id and self.orders[leg_id].state.live:
                self._end(self.orders[leg_id], Cause.WITHDRAWN)

    def _finish(self, order: Order, *also: str) -> None:
        owner = self.list_of(order)
        if owner is not None:
            self._settle(owner)
        self._moved_holdings(order, *also)

    def _settle(self, owner: OrderList) -> None:
        if owner.live and not any(self.orders[one].state.live for one in owner.order_ids):
            done = replace(owner, status=ListStatus.ALL_DONE, updated_at=self._clock())
            self.lists[owner.id] = done
            self._tell_list(done)

    def _tell_list(self, changed: OrderList) -> None:
        for listener in self._list_listeners:
            listener(changed)

    def _moved_holdings(self, order: Order, *also: str) -> None:
        market = self.markets[order.market]
        currencies = tuple(dict.fromkeys((market.base, market.quote, *also)))
        for listener in self._holdings_listeners:
            listener(currencies)

    def _reserved(self, order: Order, currency: str) -> Decimal:
        market = self.markets[order.market]
        if order.side is Side.SELL:
            return order.remaining if market.base == currency else ZERO
        price = order.limit_price or order.stop_price
        return order.remaining * price if market.quote == currency and price else ZERO

    def _parts(self, market_id: str, quantity: Decimal, *, maker: bool) -> list[Decimal]:
        """The pieces a taker's quantity is dealt in, each of whole lots."""
        step = self.symbols[market_id].step
        part = quantity / self.fills_each // step * step
        if maker or self.fills_each == 1 or not part:
            return [quantity]
        pieces = [part] * (self.fills_each - 1)
        return [*pieces, quantity - sum(pieces, ZERO)]

    def _in_bnb(
        self, market: Market, quantity: Decimal, price: Decimal, rate: Decimal
    ) -> Decimal | None:
        if market.base == BNB:
            return (quantity * rate).quantize(_SMALLEST, ROUND_DOWN)
        quote = self.quotes.get(BNB + market.quote)
        if quote is None:
            return None
        return (quantity * price * rate / quote.last).quantize(_SMALLEST, ROUND_DOWN)
