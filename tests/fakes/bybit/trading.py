"""What Bybit does with requests to create, amend and cancel orders, and how it refuses them.

A request is refused whole, by VenueError with a retCode and HTTP 200.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from tests.fakes.bybit.markets import Row
from tests.fakes.bybit.rows import SIGNALS
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import (
    Force,
    Kind,
    NewOrder,
    Order,
    Refusal,
    Side,
    Signal,
    Why,
)
from tests.fakes.exchange.wire import VenueError

Asked = dict[str, Any]

_FORCES = {"GTC": Force.GTC, "IOC": Force.IOC, "FOK": Force.FOK, "PostOnly": Force.POST_ONLY}
_SIGNALS = {word: signal for signal, word in SIGNALS.items()}
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}

_REFUSALS: dict[Why, tuple[int, str]] = {
    Why.UNKNOWN_MARKET: (10001, "Not supported symbols"),
    Why.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Why.INSUFFICIENT_FUNDS: (110007, "ab not enough for new order"),
    Why.BAD_PRICE: (110003, "Order price exceeds the allowable range."),
    Why.MARKET_CLOSED: (110023, "This contract only supports position reduction operation."),
    Why.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Why.ORDER_CLOSED: (110001, "order not exists or too late to cancel"),
}


class Trading:
    """Orders of one account, in Bybit's words."""

    def __init__(self, account: Account, *, refuse: Callable[[int, str], VenueError]) -> None:
        self._account, self._error = account, refuse
        self._refusals: list[tuple[int, str]] = []

    def refuse_next(self, code: int, message: str, times: int) -> None:
        """Refuse that many of the next orders with a retCode."""
        self._refusals.extend([(code, message)] * times)

    def create(self, asked: Asked) -> Row:
        """Source: POST /v5/order/create."""
        new = self._new(asked)
        if self._refusals:
            self._refuse(*self._refusals.pop(0))
        try:
            return _names(self._account.place(new))
        except Refusal as refusal:
            self._refuse(*self._why(refusal, new))

    def amend(self, asked: Asked) -> Row:
        """Source: POST /v5/order/amend."""
        order = self._live(asked, "order not exists or too late to replace")
        try:
            edited = self._account.edit(
                order.id,
                quantity=self._number(asked, "qty"),
                limit_price=self._number(asked, "price"),
                stop_price=self._number(asked, "triggerPrice"),
            )
        except Refusal as refusal:
            self._refuse(10001, f"params error: {refusal}")
        return _names(edited)

    def cancel(self, asked: Asked) -> Row:
        """Source: POST /v5/order/cancel."""
        order = self._live(asked, _REFUSALS[Why.UNKNOWN_ORDER][1])
        return _names(self._account.cancel(order.id))

    def cancel_all(self, asked: Asked) -> Row:
        """Source: POST /v5/order/cancel-all."""
        name, only = asked.get("symbol"), asked.get("orderFilter")
        if not (name or asked.get("settleCoin") or asked.get("baseCoin")):
            self._refuse(10001, "Missing some parameters that must be filled in, symbol")
        gone = [
            self._account.cancel(order.id)
            for order in self._account.open_orders()
            if name in (None, order.market)
            and only in (None, "StopOrder" if order.kind.waits else "Order")
        ]
        return {"list": [_names(order) for order in gone], "success": "1"}

    # Refusing

    def _refuse(self, code: int, message: str) -> NoReturn:
        raise self._error(code, message)

    def _why(self, refusal: Refusal, new: NewOrder) -> tuple[int, str]:
        if refusal.why is Why.WOULD_NOT_REDUCE:
            flat = not self._account.held(new.market)
            zero = "current position is zero, cannot fix reduce-only order qty"
            return 110017, zero if flat else "Reduce-only rule not satisfied"
        if refusal.why is Why.BAD_QUANTITY:
            if new.quantity < self._account.market(new.market).smallest:
                return 10001, "The number of contracts exceeds minimum limit allowed"
            return 10001, "Qty invalid"
        if refusal.why is Why.WOULD_TRIGGER:
            rising = (new.side is Side.BUY) != new.kind.takes_profit
            now = self._account.quotes[new.market].price(new.signal)
            if rising:
                return (
                    110092,
                    f"expect Rising, but trigger_price[{new.stop_price}] <= current[{now}]",
                )
            return 110093, f"expect Falling, but trigger_price[{new.stop_price}] >= current[{now}]"
        return _REFUSALS.get(refusal.why, (10001, "params error"))

    # Reading requests

    def _live(self, asked: Asked, gone: str) -> Order:
        order = None
        if asked.get("orderId"):
            order = self._account.find(order_id=str(asked["orderId"]))
        elif asked.get("orderLinkId"):
            order = self._account.find(client_id=str(asked["orderLinkId"]))
        if order is None or not order.state.live or order.market != asked.get("symbol"):
            self._refuse(110001, gone)
        return order

    def _number(self, asked: Asked, name: str) -> Decimal | None:
        value = asked.get(name)
        if value in (None, ""):
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation:
            self._refuse(10001, f"params error: {name} invalid")

    def _new(self, asked: Asked) -> NewOrder:
        if asked.get("category") != "linear" or asked.get("symbol") not in self._account.markets:
            self._refuse(*_REFUSALS[Why.UNKNOWN_MARKET])
        if asked.get("side") not in _SIDES:
            self._refuse(10001, "params error: side invalid")
        if asked.get("positionIdx", 0) not in (0, "0"):
            self._refuse(10001, "position idx not match position mode")
        link = str(asked.get("orderLinkId") or "")
        if len(link) > 36:
            self._refuse(10001, "orderLinkId is too long")
        side, quantity = _SIDES[asked["side"]], self._number(asked, "qty")
        stop = self._number(asked, "triggerPrice")
        if quantity is None:
            self._refuse(10001, "params error: qty invalid")
        return NewOrder(
            market=asked["symbol"],
            side=side,
            kind=self._kind(asked, side, stop),
            quantity=quantity,
            client_id=link or None,
            limit_price=self._number(asked, "price") if asked["orderType"] == "Limit" else None,
            stop_price=stop,
            force=_FORCES.get(str(asked.get("timeInForce", "GTC")), Force.GTC),
            reduce_only=asked.get("reduceOnly") is True,
            close_position=asked.get("closeOnTrigger") is True,
            signal=_SIGNALS.get(str(asked.get("triggerBy")), Signal.LAST),
        )

    def _kind(self, asked: Asked, side: Side, stop: Decimal | None) -> Kind:
        if asked.get("orderType") not in ("Market", "Limit"):
            self._refuse(10001, "params error: orderType invalid")
        limited = asked["orderType"] == "Limit"
        if stop is None:
            return Kind.LIMIT if limited else Kind.MARKET
        if asked.get("triggerDirection") not in (1, 2):
            self._refuse(10001, "TriggerDirection invalid")
        if (asked["triggerDirection"] == 1) == (side is Side.BUY):
            return Kind.STOP_LIMIT if limited else Kind.STOP_MARKET
        return Kind.TAKE_PROFIT_LIMIT if limited else Kind.TAKE_PROFIT_MARKET


def _names(order: Order) -> Row:
    return {"orderId": order.id, "orderLinkId": order.client_id or ""}
