"""What Binance spot does and answers for the owner of the account: orders, lists, trades.

Each method takes a request's parameters, from REST or from the WebSocket API, and returns what is
answered; refusals are raised.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.binance_spot.account import SpotAccount
from tests.fakes.binance_spot.asked import client_id_of, oco_of, order_of, word
from tests.fakes.binance_spot.bars import milliseconds
from tests.fakes.binance_spot.errors import (
    invalid_symbol,
    missing,
    no_such_list,
    no_such_order,
    one_of,
    unknown_list,
    unknown_order,
)
from tests.fakes.binance_spot.lists import OrderList
from tests.fakes.binance_spot.paging import limited, within
from tests.fakes.binance_spot.rows import Rows
from tests.fakes.binance_spot.wallet import coin_rows, restrictions
from tests.fakes.exchange.records import Kind, Order

Params = Mapping[str, Any]


class PrivateApi:
    """The trading interface of one account."""

    def __init__(self, account: SpotAccount, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self.rows = Rows(account)

    # Orders

    def place(self, params: Params) -> Any:
        asked = order_of(params)
        if asked.cost is None:
            order = self._account.place(asked.order)
        else:
            order = self._account.place_by_cost(asked.order, asked.cost)
        usual = "FULL" if order.kind in (Kind.MARKET, Kind.LIMIT) else "ACK"
        return self.rows.placed(order, str(params.get("newOrderRespType", usual)))

    def test(self, params: Params) -> Any:
        order_of(params)
        return {}

    def order(self, params: Params) -> Any:
        return self.rows.order(self._found(params))

    def cancel(self, params: Params) -> Any:
        symbol = self._symbol(params)
        order = self._find(params, live=True)
        if order is None or not order.state.live or order.market != symbol:
            raise unknown_order()
        cancel_id = client_id_of(params.get("newClientOrderId"), "newClientOrderId")
        return self.rows.cancelled(self._account.cancel(order.id, cancel_id=cancel_id))

    def open_orders(self, params: Params) -> Any:
        symbol = self._symbol(params) if params.get("symbol") else None
        found = [one for one in self._account.open_orders() if symbol in (None, one.market)]
        return [self.rows.order(order) for order in found]

    def cancel_open(self, params: Params) -> Any:
        symbol = self._symbol(params)
        alone = [
            one
            for one in self._account.open_orders()
            if one.market == symbol and not one.word("orderListId")
        ]
        running = [one for one in self._account.lists.values() if one.market == symbol and one.live]
        if not alone and not running:
            raise unknown_order()
        rows = []
        for order in alone:
            cancel_id = client_id_of(None, "")
            rows.append(self.rows.cancelled(self._account.cancel(order.id, cancel_id=cancel_id)))
        return rows + [self._cancelled_list(made) for made in running]

    def all_orders(self, params: Params) -> Any:
        symbol = self._symbol(params)
        found = [
            one
            for one in self._account.orders.values()
            if one.market == symbol
            and int(one.id) >= int(params.get("orderId", 0))
            and within(params, milliseconds(one.created_at))
        ]
        return [self.rows.order(order) for order in limited(params, found)]

    def my_trades(self, params: Params) -> Any:
        symbol = self._symbol(params)
        found = [
            one
            for one in self._account.fills
            if one.market == symbol
            and str(params.get("orderId", one.order_id)) == one.order_id
            and int(one.id) >= int(params.get("fromId", 0))
            and within(params, milliseconds(one.at))
        ]
        return [self.rows.trade(fill) for fill in limited(params, found)]

    # Lists

    def place_oco(self, params: Params) -> Any:
        self._symbol(params)
        return self.rows.placed_list(self._account.place_oco(oco_of(params)))

    def order_list(self, params: Params) -> Any:
        found = self._find_list(params, "origClientOrderId")
        if found is None:
            raise no_such_list()
        return self.rows.order_list(found)

    def cancel_list(self, params: Params) -> Any:
        symbol = self._symbol(params)
        found = self._find_list(params, "listClientOrderId")
        if found is None or not found.live or found.market != symbol:
            raise unknown_list()
        return self._cancelled_list(found)

    def open_lists(self, params: Params) -> Any:
        return [self.rows.order_list(one) for one in self._account.lists.values() if one.live]

    def all_lists(self, params: Params) -> Any:
        found = [
            one
            for one in self._account.lists.values()
            if one.id >= int(params.get("fromId", 0))
            and within(params, milliseconds(one.created_at))
        ]
        return [self.rows.order_list(one) for one in limited(params, found)]

    # The account

    def account(self, params: Params) -> Any:
        return self.rows.account(self._now_ms())

    def coins(self, params: Params) -> Any:
        markets = self._account.markets.values()
        names = [name for one in markets for name in (one.base, one.quote)]
        return coin_rows(names, self._account.free)

    def restrictions(self, params: Params) -> Any:
        return restrictions(spot=True, futures=False)

    def trade_fees(self, params: Params) -> Any:
        rules = self._account.rules
        return [
            {
                "symbol": name,
                "makerCommission": str(rules.maker_fee),
                "takerCommission": str(rules.taker_fee),
            }
            for name in self._account.markets
            if params.get("symbol") in (None, "", name)
        ]

    # Inside

    def _symbol(self, params: Params) -> str:
        name = word(params, "symbol")
        if name not in self._account.markets:
            raise invalid_symbol()
        return name

    def _found(self, params: Params) -> Order:
        symbol = self._symbol(params)
        order = self._find(params)
        if order is None or order.market != symbol:
            raise no_such_order()
        return order

    def _find(self, params: Params, *, live: bool = False) -> Order | None:
        if params.get("orderId"):
            return self._account.find(order_id=str(params["orderId"]))
        if not params.get("origClientOrderId"):
            raise one_of("origClientOrderId", "orderId")
        name = str(params["origClientOrderId"])
        if live:
            found = [one for one in self._account.open_orders() if one.client_id == name]
            return found[-1] if found else None
        return self._account.find(client_id=name)

    def _find_list(self, params: Params, client_id_key: str) -> OrderList | None:
        if params.get("orderListId"):
            return self._account.lists.get(int(params["orderListId"]))
        if not params.get(client_id_key):
            raise missing("orderListId")
        name = str(params[client_id_key])
        found = [one for one in self._account.lists.values() if one.client_id == name]
        return found[-1] if found else None

    def _cancelled_list(self, made: OrderList) -> Any:
        leg = next(one for one in made.order_ids if self._account.orders[one].state.live)
        self._account.cancel(leg, cancel_id=client_id_of(None, ""))
        return self.rows.cancelled_list(self._account.lists[made.id])
