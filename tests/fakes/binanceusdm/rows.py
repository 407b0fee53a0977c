"""Orders, conditional orders, fills, positions and balances as Binance USD-M answers them."""

from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.bars import milliseconds
from tests.fakes.binanceusdm.account import UsdmAccount
from tests.fakes.exchange.records import (
    ZERO,
    Cause,
    Fill,
    Force,
    Order,
    Position,
    Side,
    Signal,
    State,
)

MODE = "EXPIRE_MAKER"
_TAKER_BUFFER = Decimal("1.0005")


def eight(value: Decimal) -> str:
    return f"{value:.8f}"


def status_of(order: Order) -> str:
    """The status word of an order of the book; Binance's own orders may bring theirs."""
    if order.state is State.FILLED:
        return order.word("done", "FILLED")
    if order.state is State.CANCELLED:
        return "CANCELED" if order.cause is Cause.CANCELLED else "EXPIRED"
    if order.filled:
        return "PARTIALLY_FILLED"
    return order.word("pending", "NEW")


def algo_status_of(order: Order) -> str:
    """The status word of a conditional order."""
    match order.state, order.cause:
        case (State.WAITING, _):
            return "NEW"
        case (State.TRIGGERED, _):
            return "TRIGGERED"
        case (_, Cause.CANCELLED):
            return "CANCELED"
        case (_, Cause.WOULD_NOT_REDUCE):
            return "REJECTED"
    return "EXPIRED"


def force_of(order: Order) -> str:
    if order.close_position:
        return "GTE_GTC"
    return "GTX" if order.force is Force.POST_ONLY else order.force.value.upper()


def type_of(order: Order) -> str:
    """The type of an order as it works now: a triggered one is a plain one."""
    if order.parent_id is not None:
        return "LIMIT" if order.kind.limited else "MARKET"
    return order.word("type", "MARKET")


def working_type(order: Order) -> str:
    return "MARK_PRICE" if order.signal is Signal.MARK else "CONTRACT_PRICE"


class Rows:
    """Rows of one account."""

    def __init__(self, account: UsdmAccount) -> None:
        self._account = account

    def order(self, order: Order) -> dict[str, Any]:
        """POST, GET and DELETE order, openOrders, allOrders, forceOrders."""
        listed = self._account.listed[order.market]
        worth = order.filled * (order.average_price or ZERO)
        return {
            "orderId": int(order.id),
            "symbol": order.market,
            "status": status_of(order),
            "clientOrderId": order.client_id,
            "price": listed.price(order.limit_price),
            "avgPrice": f"{order.average_price or 0:.5f}",
            "origQty": listed.quantity(order.quantity),
            "executedQty": listed.quantity(order.filled),
            "cumQty": listed.quantity(order.filled),
            "cumQuote": f"{worth:.5f}",
            "timeInForce": force_of(order),
            "type": order.word("listed_type", type_of(order)),
            "reduceOnly": order.reduce_only,
            "closePosition": order.close_position,
            "side": order.side.value.upper(),
            "positionSide": "BOTH",
            "stopPrice": "0",
            "workingType": working_type(order),
            "priceProtect": False,
            "origType": order.word("listed_type", type_of(order)),
            "priceMatch": "NONE",
            "selfTradePreventionMode": MODE,
            "goodTillDate": 0,
            "time": milliseconds(order.created_at),
            "updateTime": milliseconds(order.updated_at),
        }

    def algo_order(self, order: Order) -> dict[str, Any]:
        """POST and GET algoOrder, openAlgoOrders, allAlgoOrders."""
        listed = self._account.listed[order.market]
        child = self.child_of(order)
        done = child is not None and not child.state.live
        return {
            "algoId": int(order.id),
            "clientAlgoId": order.client_id,
            "algoType": "CONDITIONAL",
            "orderType": order.word("type"),
            "symbol": order.market,
            "side": order.side.value.upper(),
            "positionSide": "BOTH",
            "timeInForce": force_of(order),
            "quantity": listed.quantity(order.quantity),
            "algoStatus": "FINISHED" if done else algo_status_of(order),
            "actualOrderId": "" if child is None else child.id,
            "actualPrice": "0" if child is None else f"{child.average_price or 0:.5f}",
            "actualQty": "0" if child is None else listed.quantity(child.filled),
            "triggerPrice": listed.price(order.stop_price),
            "price": listed.price(order.limit_price),
            "icebergQuantity": None,
            "selfTradePreventionMode": MODE,
            "workingType": working_type(order),
            "priceMatch": "NONE",
            "closePosition": order.close_position,
            "priceProtect": False,
            "reduceOnly": order.reduce_only or order.close_position,
            "createTime": milliseconds(order.created_at),
            "updateTime": milliseconds(order.updated_at),
            "triggerTime": milliseconds(order.updated_at) if order.triggered else 0,
            "goodTillDate": 0,
        }

    def child_of(self, order: Order) -> Order | None:
        """The order a conditional one became."""
        orders = self._account.orders.values()
        return next((one for one in orders if one.parent_id == order.id), None)

    def trade(self, fill: Fill) -> dict[str, Any]:
        """GET userTrades."""
        listed = self._account.listed[fill.market]
        return {
            "symbol": fill.market,
            "id": int(fill.id),
            "orderId": int(fill.order_id),
            "side": fill.side.value.upper(),
            "price": listed.price(fill.price),
            "qty": listed.quantity(fill.quantity),
            "realizedPnl": eight(fill.realised),
            "quoteQty": eight(fill.quantity * fill.price),
            "commission": eight(fill.fee),
            "commissionAsset": fill.fee_currency,
            "time": milliseconds(fill.at),
            "positionSide": "BOTH",
            "buyer": fill.side is Side.BUY,
            "maker": fill.maker,
        }

    def position(self, market_id: str, *, version: int) -> dict[str, Any]:
        """A row of positionRisk; version 2 also tells leverage and margin type."""
        account = self._account
        listed, quote = account.listed[market_id], account.quotes.get(market_id)
        position = account.positions.get(market_id)
        entry = ZERO if position is None else position.entry_price
        mark = entry if quote is None else quote.mark
        margin = account.initial_margin(market_id)
        row = {
            "symbol": market_id,
            "positionSide": "BOTH",
            "positionAmt": listed.quantity(account.held(market_id)),
            "entryPrice": f"{entry:.5f}".rstrip("0").rstrip("."),
            "breakEvenPrice": f"{entry * _TAKER_BUFFER:.5f}",
            "markPrice": eight(mark),
            "unRealizedProfit": eight(account.unrealised(market_id)),
            "liquidationPrice": "0",
            "isolatedMargin": "0",
            "notional": eight(account.held(market_id) * mark),
            "isolatedWallet": "0",
            "updateTime": 0 if position is None else milliseconds(position.updated_at),
        }
        if version == 2:
            return row | {
                "leverage": str(account.leverage_of(market_id)),
                "maxNotionalValue": "40000000",
                "marginType": "cross",
                "isAutoAddMargin": "false",
                "adlQuantile": 2,
            }
        return row | {
            "marginAsset": listed.quote,
            "initialMargin": eight(margin),
            "maintMargin": eight(account.maintenance_margin(market_id)),
            "positionInitialMargin": eight(margin),
            "openOrderInitialMargin": eight(account.order_margin(market_id)),
            "adl": 2,
            "bidNotional": "0",
            "askNotional": "0",
        }

    def account_position(self, position: Position) -> dict[str, Any]:
        """A position's row of GET account."""
        account, name = self._account, position.market
        return {
            "symbol": name,
            "positionSide": "BOTH",
            "positionAmt": account.listed[name].quantity(position.quantity),
            "unrealizedProfit": eight(account.unrealised(name)),
            "isolatedMargin": "0",
            "notional": eight(account.notional(name)),
            "isolatedWallet": "0",
            "initialMargin": eight(account.initial_margin(name)),
            "maintMargin": eight(account.maintenance_margin(name)),
            "updateTime": milliseconds(position.updated_at),
        }

    def asset(self, currency: str, now_ms: int) -> dict[str, Any]:
        """A currency's row of GET account."""
        account = self._account
        profit = account.all_unrealised(currency)
        here = [one.id for one in account.markets.values() if one.settle == currency]
        positions = sum((account.initial_margin(one) for one in here), ZERO)
        orders = sum((account.order_margin(one) for one in here), ZERO)
        kept = sum((account.maintenance_margin(one) for one in here), ZERO)
        return {
            "asset": currency,
            "walletBalance": eight(account.wallet(currency)),
            "unrealizedProfit": eight(profit),
            "marginBalance": eight(account.wallet(currency) + profit),
            "maintMargin": eight(kept),
            "initialMargin": eight(positions + orders),
            "positionInitialMargin": eight(positions),
            "openOrderInitialMargin": eight(orders),
            "crossWalletBalance": eight(account.wallet(currency)),
            "crossUnPnl": eight(profit),
            "availableBalance": eight(account.available(currency)),
            "maxWithdrawAmount": eight(max(account.available(currency), ZERO)),
            "updateTime": now_ms,
        }
