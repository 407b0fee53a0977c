"""Orders, lists, fills and balances in the form Binance spot answers them over REST."""

from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.account import SpotAccount
from tests.fakes.binance_spot.bars import milliseconds
from tests.fakes.binance_spot.lists import OrderList
from tests.fakes.binance_spot.symbols import eight
from tests.fakes.exchange.records import ZERO, Cause, Fill, Force, Order, Side, State

MODE = "EXPIRE_MAKER"


def status_of(order: Order) -> str:
    """The order's status word."""
    if order.state is State.FILLED:
        return "FILLED"
    if order.state is State.CANCELLED:
        return "CANCELED" if order.cause is Cause.CANCELLED else "EXPIRED"
    return "PARTIALLY_FILLED" if order.filled else "NEW"


def force_of(order: Order) -> str:
    return "GTC" if order.force is Force.POST_ONLY else order.force.value.upper()


def type_of(order: Order) -> str:
    return order.word("type", "MARKET")


def list_id_of(order: Order) -> int:
    return int(order.word("orderListId", "-1"))


def working_ms(order: Order) -> int:
    """When it went on the book, -1 while it waits for its stop price."""
    if order.state is State.WAITING or (order.kind.waits and not order.triggered):
        return -1
    return milliseconds(order.updated_at if order.triggered else order.created_at)


class Rows:
    """Rows of one account."""

    def __init__(self, account: SpotAccount) -> None:
        self._account = account

    def order(self, order: Order) -> dict[str, Any]:
        """GET order, openOrders, allOrders."""
        return {
            **self._names(order),
            "clientOrderId": order.client_id,
            **self._amounts(order),
            "status": status_of(order),
            "timeInForce": force_of(order),
            "type": type_of(order),
            "side": order.side.value.upper(),
            "stopPrice": eight(order.stop_price or ZERO),
            "icebergQty": eight(0),
            "time": milliseconds(order.created_at),
            "updateTime": milliseconds(order.updated_at),
            "isWorking": working_ms(order) != -1,
            "workingTime": working_ms(order),
            "origQuoteOrderQty": _asked_cost(order),
            "selfTradePreventionMode": MODE,
        }

    def placed(self, order: Order, response_type: str) -> dict[str, Any]:
        """POST order: ACK, RESULT or FULL."""
        row = {
            **self._names(order),
            "clientOrderId": order.client_id,
            "transactTime": milliseconds(order.updated_at),
        }
        if response_type == "ACK":
            return row
        row |= self._report(order)
        if response_type == "FULL":
            fills = [fill for fill in self._account.fills if fill.order_id == order.id]
            row["fills"] = [_piece(fill) for fill in fills]
        return row

    def cancelled(self, order: Order) -> dict[str, Any]:
        """DELETE order."""
        return {
            "symbol": order.market,
            "origClientOrderId": order.client_id,
            "orderId": int(order.id),
            "orderListId": list_id_of(order),
            "clientOrderId": self._account.cancel_ids.get(order.id),
            "transactTime": milliseconds(order.updated_at),
            **self._report(order),
        }

    def order_list(self, made: OrderList) -> dict[str, Any]:
        """GET orderList and the head of POST and DELETE."""
        return {
            "orderListId": made.id,
            "contingencyType": "OCO",
            "listStatusType": made.status_type,
            "listOrderStatus": made.status.value,
            "listClientOrderId": made.client_id,
            "transactionTime": milliseconds(made.updated_at),
            "symbol": made.market,
            "orders": [
                {
                    "symbol": made.market,
                    "orderId": int(order_id),
                    "clientOrderId": self._account.orders[order_id].client_id,
                }
                for order_id in made.order_ids
            ],
        }

    def placed_list(self, made: OrderList) -> dict[str, Any]:
        """POST orderList/oco."""
        orders = [self._account.orders[one] for one in made.order_ids]
        reports = [self.placed(order, "RESULT") for order in orders]
        return {**self.order_list(made), "orderReports": reports}

    def cancelled_list(self, made: OrderList) -> dict[str, Any]:
        """DELETE orderList."""
        orders = [self._account.orders[one] for one in made.order_ids]
        reports = [self.cancelled(order) for order in orders]
        return {**self.order_list(made), "orderReports": reports}

    def trade(self, fill: Fill) -> dict[str, Any]:
        """GET myTrades."""
        order = self._account.orders.get(fill.order_id)
        return {
            "symbol": fill.market,
            "id": int(fill.id),
            "orderId": int(fill.order_id),
            "orderListId": -1 if order is None else list_id_of(order),
            "price": eight(fill.price),
            "qty": eight(fill.quantity),
            "quoteQty": eight(fill.quantity * fill.price),
            "commission": eight(fill.fee),
            "commissionAsset": fill.fee_currency,
            "time": milliseconds(fill.at),
            "isBuyer": fill.side is Side.BUY,
            "isMaker": fill.maker,
            "isBestMatch": True,
        }

    def account(self, now_ms: int) -> dict[str, Any]:
        """GET account."""
        rules = self._account.rules
        return {
            "makerCommission": int(rules.maker_fee * 10_000),
            "takerCommission": int(rules.taker_fee * 10_000),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": eight(rules.maker_fee),
                "taker": eight(rules.taker_fee),
                "buyer": eight(0),
                "seller": eight(0),
            },
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": now_ms,
            "accountType": "SPOT",
            "balances": [
                {
                    "asset": currency,
                    "free": eight(self._account.free(currency)),
                    "locked": eight(self._account.locked(currency)),
                }
                for currency in self._account.balances
            ],
            "permissions": ["SPOT"],
            "uid": 354937868,
        }

    def _names(self, order: Order) -> dict[str, Any]:
        return {
            "symbol": order.market,
            "orderId": int(order.id),
            "orderListId": list_id_of(order),
        }

    def _amounts(self, order: Order) -> dict[str, Any]:
        return {
            "price": eight(order.limit_price or ZERO),
            "origQty": eight(order.quantity),
            "executedQty": eight(order.filled),
            "cummulativeQuoteQty": eight(self._account.spent.get(order.id, ZERO)),
        }

    def _report(self, order: Order) -> dict[str, Any]:
        amounts = self._amounts(order)
        cost = amounts.pop("cummulativeQuoteQty")
        row = {
            **amounts,
            "origQuoteOrderQty": _asked_cost(order),
            "cummulativeQuoteQty": cost,
            "status": status_of(order),
            "timeInForce": force_of(order),
            "type": type_of(order),
            "side": order.side.value.upper(),
            "workingTime": working_ms(order),
            "selfTradePreventionMode": MODE,
        }
        if order.stop_price is not None:
            row["stopPrice"] = eight(order.stop_price)
        return row


def _asked_cost(order: Order) -> str:
    return eight(Decimal(order.word("quoteOrderQty", "0")))


def _piece(fill: Fill) -> dict[str, Any]:
    return {
        "price": eight(fill.price),
        "qty": eight(fill.quantity),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_currency,
        "tradeId": int(fill.id),
    }
