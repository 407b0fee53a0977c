"""One account at an exchange: which orders are taken, when they fill, what is refused.

Nothing moves by itself: prices come from set_quote, and every change is announced to listeners
in the order it happened (order, fill, position, balance).
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tests.fakes.exchange.ledger import Ledger
from tests.fakes.exchange.records import (
    ZERO,
    Cause,
    Fill,
    Force,
    Kind,
    Market,
    NewOrder,
    Order,
    Quote,
    QuoteChanged,
    Refusal,
    Settlement,
    Side,
    State,
    Why,
)
from tests.fakes.exchange.rules import Rules


class Account(Ledger):
    """The books, and the matching of orders against the quotes a test sets."""

    def __init__(
        self,
        markets: Iterable[Market],
        *,
        rules: Rules,
        clock: Callable[[], datetime],
        new_order_id: Callable[[], str],
        new_fill_id: Callable[[], str],
    ) -> None:
        super().__init__(
            markets,
            rules=rules,
            clock=clock,
            new_order_id=new_order_id,
            new_fill_id=new_fill_id,
        )
        self._paused = False
        self._refusals: deque[tuple[Why, str]] = deque()
        self._arrived: list[str] = []

    # What a test sets

    def set_quote(
        self,
        market_id: str,
        bid: Decimal,
        ask: Decimal,
        *,
        bid_size: Decimal | None = None,
        ask_size: Decimal | None = None,
        last: Decimal | None = None,
        mark: Decimal | None = None,
        index: Decimal | None = None,
    ) -> Quote:
        """Set a market's prices, then trigger and fill what they reach. last, mark and index are
        the middle unless given."""
        market = self.market(market_id)
        middle = (bid + ask) / 2
        quote = Quote(
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            last=middle if last is None else last,
            mark=middle if mark is None else mark,
            index=middle if index is None else index,
            at=self._clock(),
        )
        self.quotes[market_id] = quote
        self._tell(QuoteChanged(market=market, quote=quote))
        if not self._paused:
            self._sweep(market_id)
        return quote

    def refuse_next(self, why: Why, times: int = 1, market_id: str = "") -> None:
        """Refuse that many of the next orders (of a market, or of any) for a reason."""
        self._refusals.extend([(why, market_id)] * times)

    def pause_matching(self) -> None:
        """Take orders, but fill and trigger none until resume_matching."""
        self._paused = True

    def resume_matching(self) -> None:
        """Match what arrived since pause_matching, in order of arrival, then what rests."""
        self._paused = False
        arrived, self._arrived = self._arrived, []
        for order_id in arrived:
            if self.orders[order_id].state.live:
                self._work(self.orders[order_id])
        for market_id in self.quotes:
            self._sweep(market_id)

    def force_fill(
        self,
        market_id: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        *,
        marker: str,
        client_id: str | None = None,
        fee_rate: Decimal = ZERO,
        with_order: bool = False,
        words: tuple[tuple[str, str], ...] = (),
    ) -> Fill:
        """Book a fill nobody asked this account's orders for: an assignment, a liquidation, a
        deleveraging, or (with_order, so that its order is in the history) a trade by hand."""
        self.market(market_id)
        new = NewOrder(
            market=market_id,
            side=side,
            kind=Kind.MARKET,
            quantity=quantity,
            client_id=client_id,
            words=words,
        )
        order = Order.of(new, id=self._new_order_id(), state=State.OPEN, at=self._clock())
        held = self.held(market_id)
        if with_order:
            self._store(order)
        _, fill = self._execute(
            order, quantity, price, marker=marker, maker=False, fee_rate=fee_rate, known=with_order
        )
        self._after_fill(market_id, held)
        return fill

    # What the venue's clients ask

    def place(self, new: NewOrder) -> Order:
        """Take an order and match it; returns it as it then stands. Raises Refusal."""
        market = self.market(new.market)
        self._check(market, new)
        new = self._sized(new)
        state = State.WAITING if new.kind.waits else State.OPEN
        order = self._store(Order.of(new, id=self._new_order_id(), state=state, at=self._clock()))
        if self._paused:
            self._arrived.append(order.id)
        else:
            self._work(order)
        return self.orders[order.id]

    def cancel(self, order_id: str, *, cause: Cause = Cause.CANCELLED) -> Order:
        """Cancel a live order. Raises Refusal: UNKNOWN_ORDER, or ORDER_CLOSED with the order."""
        return self._end(self._live(order_id), cause)

    def edit(
        self,
        order_id: str,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
    ) -> Order:
        """Change a live order (quantity is the new whole), then match it. Raises Refusal."""
        order = self._live(order_id)
        quantity = order.quantity if quantity is None else quantity
        if quantity <= order.filled:
            raise Refusal(Why.BAD_QUANTITY, f"{quantity} of {order.filled} filled", order)
        order = replace(
            order,
            quantity=quantity,
            limit_price=order.limit_price if limit_price is None else limit_price,
            stop_price=order.stop_price if stop_price is None else stop_price,
            updated_at=self._clock(),
            cause=Cause.EDITED,
        )
        order = self._store(order)
        if not self._paused:
            self._work(order)
        return self.orders[order.id]

    def find(self, *, order_id: str = "", client_id: str = "") -> Order | None:
        """The order of an id, or the newest of a client id."""
        if order_id:
            return self.orders.get(order_id)
        mine = [one for one in self.orders.values() if client_id and one.client_id == client_id]
        return mine[-1] if mine else None

    # Taking orders

    def _live(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None:
            raise Refusal(Why.UNKNOWN_ORDER, order_id)
        if not order.state.live:
            raise Refusal(Why.ORDER_CLOSED, order_id, order)
        return order

    def _check(self, market: Market, new: NewOrder) -> None:
        for refusal in self._refusals:
            why, only = refusal
            if only in ("", new.market):
                self._refusals.remove(refusal)
                raise Refusal(why)
        if new.client_id is not None:
            twin = self.find(client_id=new.client_id)
            if twin is not None and (self.rules.duplicates_ever or twin.state.live):
                raise Refusal(Why.DUPLICATE_CLIENT_ID, new.client_id, twin)
        if not new.close_position and (new.quantity < market.smallest or new.quantity <= 0):
            raise Refusal(Why.BAD_QUANTITY, str(new.quantity))
        if new.quantity % market.step:
            raise Refusal(Why.BAD_QUANTITY, f"{new.quantity} is no multiple of {market.step}")
        if new.kind.limited and (new.limit_price is None or new.limit_price <= 0):
            raise Refusal(Why.BAD_PRICE, str(new.limit_price))
        if new.kind.waits and (new.stop_price is None or new.stop_price <= 0):
            raise Refusal(Why.BAD_PRICE, str(new.stop_price))
        if self._would_take(new) and not self.rules.post_only_dies:
            raise Refusal(Why.WOULD_TAKE)
        if new.kind.waits and not self.rules.trigger_at_once and self._reached(new):
            raise Refusal(Why.WOULD_TRIGGER)
        if market.settlement is Settlement.SPOT:
            self._check_funds(market, new)

    def _check_funds(self, market: Market, new: NewOrder) -> None:
        if new.side is Side.SELL:
            currency, needed = market.base, new.quantity
        else:
            quote = self.quotes.get(market.id)
            price = new.limit_price or (quote.ask if quote is not None else ZERO)
            currency, needed = market.quote, new.quantity * price
        if needed > self.balances.get(currency, ZERO) - self.locked(currency):
            raise Refusal(Why.INSUFFICIENT_FUNDS, currency)

    def _sized(self, new: NewOrder) -> NewOrder:
        """The order with its reduce-only size checked. Trigger orders are checked when they work
        unless resting orders count."""
        counts = self.rules.resting_reduce_only_counts
        if not new.reduce_only or (new.kind.waits and not counts):
            return new
        room = self.reducible(new.market, new.side, count_resting=counts)
        if room <= 0:
            raise Refusal(Why.WOULD_NOT_REDUCE)
        if new.quantity <= room:
            return new
        if not self.rules.shrink_reduce_only:
            raise Refusal(Why.WOULD_NOT_REDUCE)
        return replace(new, quantity=room)

    # Matching

    def _crosses(self, market_id: str, side: Side, price: Decimal | None) -> bool:
        quote = self.quotes.get(market_id)
        if quote is None:
            return False
        touch, _ = quote.touch(side)
        return price is None or (price >= touch if side is Side.BUY else price <= touch)

    def _reached(self, order: Order | NewOrder) -> bool:
        quote = self.quotes.get(order.market)
        if quote is None or order.stop_price is None:
            return False
        price = quote.price(order.signal)
        rising = (order.side is Side.BUY) != order.kind.takes_profit
        return price >= order.stop_price if rising else price <= order.stop_price

    def _sweep(self, market_id: str) -> None:
        """Trigger and fill what a market's quote reaches, oldest first."""
        for order_id in [one.id for one in self.open_orders() if one.market == market_id]:
            order = self.orders[order_id]
            if order.state is State.WAITING:
                self._work(order)
            elif order.state is State.OPEN:
                self._match(order, maker=True)

    def _work(self, order: Order) -> None:
        """Match an order that arrived, changed or may trigger."""
        if order.state is not State.WAITING:
            self._match(order, maker=False)
        elif self._reached(order):
            self._match(self._trigger(order), maker=False)

    def _trigger(self, order: Order) -> Order:
        now = self._clock()
        quantity = abs(self.held(order.market)) if order.close_position else order.quantity
        if not self.rules.trigger_spawns:
            return self._store(
                replace(
                    order,
                    state=State.OPEN,
                    quantity=quantity,
                    triggered=True,
                    updated_at=now,
                    cause=Cause.TRIGGERED,
                )
            )
        self._store(
            replace(
                order, state=State.TRIGGERED, triggered=True, updated_at=now, cause=Cause.TRIGGERED
            )
        )
        return self._store(
            replace(
                order,
                id=self._new_order_id(),
                parent_id=order.id,
                client_id=order.client_id if self.rules.spawn_keeps_client_id else None,
                kind=Kind.LIMIT if order.kind.limited else Kind.MARKET,
                quantity=quantity,
                reduce_only=order.reduce_only or order.close_position,
                state=State.OPEN,
                created_at=now,
                updated_at=now,
                cause=Cause.PLACED,
            )
        )

    def _would_take(self, order: Order | NewOrder) -> bool:
        return order.force is Force.POST_ONLY and self._crosses(
            order.market, order.side, order.limit_price
        )

    def _match(self, order: Order, *, maker: bool) -> None:
        """Fill what can be filled now; end what may not wait."""
        if self.rules.post_only_dies and not maker and self._would_take(order):
            self._end(order, Cause.WOULD_TAKE)
            return
        limit = order.limit_price if order.kind.limited else None
        at_once = limit is None or order.force in (Force.IOC, Force.FOK)
        if (order.reduce_only or order.close_position) and (
            at_once or self._crosses(order.market, order.side, limit)
        ):
            room = self.reducible(order.market, order.side)
            if not room:
                self._end(order, Cause.WOULD_NOT_REDUCE)
                return
            if room < order.remaining:
                order = replace(order, quantity=order.filled + room)
        held = self.held(order.market)
        if self._crosses(order.market, order.side, limit):
            order = self._take(order, limit, maker=maker)
        if order.state.live and at_once:
            self._end(order, Cause.NO_LIQUIDITY)
        self._after_fill(order.market, held)

    def _take(self, order: Order, limit: Decimal | None, *, maker: bool) -> Order:
        quote = self.quotes[order.market]
        price, size = quote.touch(order.side)
        quantity = order.remaining if size is None else min(size, order.remaining)
        if not quantity or (order.force is Force.FOK and quantity < order.remaining):
            return order
        if size is not None:
            left = size - quantity
            self.quotes[order.market] = (
                replace(quote, ask_size=left)
                if order.side is Side.BUY
                else replace(quote, bid_size=left)
            )
        order, _ = self._execute(
            order,
            quantity,
            limit if maker and limit is not None else price,
            marker=self._marker(order, maker=maker),
            maker=maker,
            fee_rate=self.rules.maker_fee if maker else self.rules.taker_fee,
        )
        return order

    def _marker(self, order: Order, *, maker: bool) -> str:
        if maker:
            return self.rules.maker_word
        edited = order.cause is Cause.EDITED and self.rules.edited_taker_word
        return edited or self.rules.taker_word

    def _filled_state(self, order: Order) -> Order:
        state = State.OPEN if order.remaining else State.FILLED
        return replace(order, state=state, cause=Cause.FILLED)

    def _end(self, order: Order, cause: Cause) -> Order:
        return self._store(
            replace(order, state=State.CANCELLED, cause=cause, updated_at=self._clock())
        )

    def _after_fill(self, market_id: str, held_before: Decimal) -> None:
        """Where the venue does so, cancel resting orders that have nothing left to reduce."""
        if not self.rules.reduce_only_dies_flat or not held_before or self.held(market_id):
            return
        for order in self.open_orders():
            if order.state is State.WAITING and self.rules.triggers_outlive_flat:
                continue
            if order.market == market_id and (order.reduce_only or order.close_position):
                self._end(order, Cause.WOULD_NOT_REDUCE)
