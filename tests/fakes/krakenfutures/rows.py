"""Orders, fills, positions and balances as the venue's REST answers and feeds write them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.fakes.exchange import (
    ZERO,
    Account,
    Fill,
    Force,
    Order,
    Position,
    Settlement,
    Side,
    State,
)
from tests.fakes.krakenfutures.markets import INITIAL_MARGIN, MAINTENANCE_MARGIN, spelled
from tests.fakes.krakenfutures.words import (
    FORCED_ORDER_TYPES,
    FillType,
    event_signal_word,
    event_type,
    feed_type,
    fill_order_type,
    iso,
    millis,
    number,
    send_type,
    signal_word,
)

Row = dict[str, Any]

_COLLAR = Decimal("0.01")  # a market order is an ioc up to 1% through the touch


def _client(name: str, client_id: str | None) -> Row:
    """The client id, which is left out where there is none."""
    return {} if client_id is None else {name: client_id}


# Orders


def event_order(order: Order, limit: Decimal | None = None) -> Row:
    """The order of a sendStatus or cancelStatus event."""
    return {
        "orderId": order.id,
        "cliOrdId": order.client_id,
        "type": event_type(order),
        "symbol": order.market,
        "side": order.side.value,
        "quantity": number(order.quantity),
        "filled": number(order.filled),
        "limitPrice": number(limit if order.limit_price is None else order.limit_price),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.updated_at),
    }


def event_trigger(order: Order) -> Row:
    """The trigger order of a sendStatus or cancelStatus event."""
    rising = (order.side is Side.BUY) != order.kind.takes_profit
    return {
        "uid": order.id,
        "clientId": order.client_id,
        "type": event_type(order),
        "symbol": order.market,
        "side": order.side.value,
        "quantity": number(order.quantity),
        "limitPrice": None if order.limit_price is None else number(order.limit_price),
        "triggerPrice": number(order.stop_price),
        "triggerSide": "trigger_above" if rising else "trigger_below",
        "triggerSignal": event_signal_word(order),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.updated_at),
        "startTime": None,
    }


def execution(order_before: Order, fill: Fill, reduced: Decimal | None) -> Row:
    """An EXECUTION event; the order is shown as it was before."""
    collar = fill.price * (1 + fill.side.sign * _COLLAR)
    return {
        "type": "EXECUTION",
        "executionId": fill.id,
        "price": number(fill.price),
        "amount": number(fill.quantity),
        "orderPriorEdit": None,
        "orderPriorExecution": event_order(order_before, collar),
        "takerReducedQuantity": None if reduced is None else number(reduced),
    }


def open_order(order: Order) -> Row:
    """A row of GET /openorders."""
    row: Row = {
        "order_id": order.id,
        "symbol": order.market,
        "side": order.side.value,
        "orderType": "stop" if send_type(order) == "stp" else event_type(order),
        "unfilledSize": number(order.remaining),
        "receivedTime": iso(order.created_at),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": number(order.filled),
        "reduceOnly": order.reduce_only,
        "lastUpdateTime": iso(order.updated_at),
    }
    if order.kind.takes_profit:
        row["orderType"] = "take_profit"
    if order.limit_price is not None:
        row["limitPrice"] = number(order.limit_price)
    if order.kind.waits:
        row |= {"stopPrice": number(order.stop_price), "triggerSignal": signal_word(order)}
    return row | _client("cliOrdId", order.client_id)


def order_status(order: Order) -> Row:
    """A row of /orders/status."""
    waits = order.state is State.WAITING
    status = {
        State.WAITING: "TRIGGER_PLACED",
        State.OPEN: "ENTERED_BOOK",
        State.FILLED: "FULLY_EXECUTED",
        State.CANCELLED: "CANCELLED",
        State.TRIGGERED: "CANCELLED",
    }[order.state]
    row: Row = {
        "type": "TRIGGER_ORDER" if waits else "ORDER",
        "orderId": order.id,
        "cliOrdId": order.client_id,
        "symbol": order.market,
        "side": order.side.value,
        "quantity": number(order.quantity),
        "filled": number(order.filled),
        "limitPrice": None if order.limit_price is None else number(order.limit_price),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.updated_at),
    }
    if waits:
        trigger = event_trigger(order)
        row["priceTriggerOptions"] = {
            "triggerPrice": trigger["triggerPrice"],
            "triggerSide": trigger["triggerSide"].upper(),
            "triggerSignal": trigger["triggerSignal"].upper(),
        }
    return {"order": row, "status": status, "updateReason": None, "error": None}


def feed_order(order: Order) -> Row:
    """An order of the open_orders feeds. qty is what is left of it."""
    row: Row = {
        "instrument": order.market,
        "time": millis(order.created_at),
        "last_update_time": millis(order.updated_at),
        "qty": number(order.remaining),
        "filled": number(order.filled),
        "limit_price": number(order.limit_price),
        "stop_price": number(order.stop_price),
        "type": feed_type(order),
        "order_id": order.id,
        "direction": 0 if order.side is Side.BUY else 1,
        "reduce_only": order.reduce_only,
    }
    if feed_type(order) != "limit":
        row["triggerSignal"] = signal_word(order)
    return row | _client("cli_ord_id", order.client_id)


def history_order(order: Order, account_uid: str) -> Row:
    """An order of the history's events: every number is text there."""
    names = {"lmt": "Limit", "ioc": "IoC", "post": "Post", "fok": "FillOrKill"}
    return {
        "uid": order.id,
        "accountUid": account_uid,
        "tradeable": order.market,
        "direction": order.side.value.capitalize(),
        "quantity": str(order.remaining),
        "filled": str(order.filled),
        "timestamp": str(millis(order.created_at)),
        "limitPrice": "" if order.limit_price is None else str(order.limit_price),
        "orderType": names[event_type(order)],
        "clientId": order.client_id or "",
        "reduceOnly": order.reduce_only,
        "lastUpdateTimestamp": str(millis(order.updated_at)),
    }


# Fills


def rest_fill(fill: Fill) -> Row:
    """A row of GET /fills, which has no fee."""
    return {
        "fill_id": fill.id,
        "symbol": fill.market,
        "side": fill.side.value,
        "order_id": fill.order_id,
        "fillTime": iso(fill.at),
        "size": number(fill.quantity),
        "price": number(fill.price),
        "fillType": fill.marker,
    } | _client("cliOrdId", fill.client_id)


def feed_fill(fill: Fill, order: Order | None) -> Row:
    """A fill of the fills feeds."""
    forced = FORCED_ORDER_TYPES.get(FillType(fill.marker))
    own = fill_order_type(fill.kind, Force.GTC if order is None else order.force)
    return {
        "instrument": fill.market,
        "time": millis(fill.at),
        "price": number(fill.price),
        "seq": fill.sequence - 1,
        "buy": fill.side is Side.BUY,
        "qty": number(fill.quantity),
        "remaining_order_qty": number(fill.remaining),
        "order_id": fill.order_id,
        "fill_id": fill.id,
        "fill_type": fill.marker,
        "fee_paid": number(fill.fee),
        "fee_currency": spelled(fill.fee_currency),
        "taker_order_type": forced or ("market" if fill.maker else own),
        "order_type": forced or own,
    } | _client("cli_ord_id", fill.client_id)


# Positions


def rest_position(position: Position) -> Row:
    """A row of GET /openpositions."""
    return {
        "side": "long" if position.quantity > 0 else "short",
        "symbol": position.market,
        "price": number(position.entry_price),
        "fillTime": iso(position.opened_at),
        "size": number(abs(position.quantity)),
        "unrealizedFunding": 0.0,
    }


def feed_position(account: Account, position: Position) -> Row:
    """A position of the open_positions feed; balance is signed."""
    market = account.markets[position.market]
    mark = account.quotes[market.id].mark
    worth = market.value(abs(position.quantity), mark)
    pnl = account.unrealised(market.id)
    equity = account.balances.get(market.settle, ZERO) + pnl
    initial = worth * INITIAL_MARGIN
    distance = equity / abs(position.quantity) if market.settlement is Settlement.LINEAR else mark
    row: Row = {
        "instrument": market.id,
        "balance": number(position.quantity),
        "pnl": number(pnl),
        "entry_price": number(position.entry_price),
        "mark_price": number(mark),
        "index_price": number(account.quotes[market.id].index),
        "liquidation_threshold": max(0.0, number(mark - distance.copy_sign(position.quantity))),
        "effective_leverage": number(worth / equity) if equity else 0.0,
        "return_on_equity": number(pnl / initial),
        "unrealized_funding": 0.0,
        "initial_margin": number(initial),
        "initial_margin_with_orders": number(initial),
        "maintenance_margin": number(worth * MAINTENANCE_MARGIN),
    }
    return row if market.settlement is Settlement.INVERSE else row | {"pnl_currency": "USD"}


# Balances


def margins(account: Account, settle: str) -> tuple[Decimal, Decimal, Decimal]:
    """Balance, unrealised profit and initial margin of what settles in a currency."""
    pnl = initial = ZERO
    for position in account.held_positions():
        market = account.markets[position.market]
        if market.settle == settle:
            pnl += account.unrealised(market.id)
            mark = account.quotes[market.id].mark
            initial += market.value(abs(position.quantity), mark) * INITIAL_MARGIN
    return account.balances.get(settle, ZERO), pnl, initial


def rest_accounts(account: Account, holding: Mapping[str, Decimal]) -> Row:
    """What GET /accounts lists: holding wallet, multi-collateral wallet, inverse wallet. Numbers
    in balances are text in the venue's older answers; they are numbers here as today."""
    cash, pnl, initial = margins(account, "USD")
    equity = number(cash + pnl)
    coins, coin_pnl, coin_initial = margins(account, "XBT")
    maintenance = initial * MAINTENANCE_MARGIN / INITIAL_MARGIN
    coin_maintenance = coin_initial * MAINTENANCE_MARGIN / INITIAL_MARGIN
    return {
        "cash": {
            "type": "cashAccount",
            "balances": {name.lower(): str(amount) for name, amount in holding.items()},
        },
        "flex": {
            "type": "multiCollateralMarginAccount",
            "currencies": {
                "USD": {
                    "quantity": number(cash),
                    "value": number(cash),
                    "collateral": number(cash),
                    "available": number(cash - initial),
                }
            },
            "initialMargin": number(initial),
            "initialMarginWithOrders": number(initial),
            "maintenanceMargin": number(maintenance),
            "balanceValue": number(cash),
            "portfolioValue": equity,
            "collateralValue": number(cash),
            "pnl": number(pnl),
            "unrealizedFunding": 0.0,
            "totalUnrealized": number(pnl),
            "totalUnrealizedAsMargin": number(pnl),
            "availableMargin": number(cash + pnl - initial),
            "marginEquity": equity,
        },
        "fi_xbtusd": {
            "type": "marginAccount",
            "currency": "xbt",
            "balances": {"xbt": number(coins)},
            "auxiliary": {
                "usd": 0.0,
                "pv": number(coins + coin_pnl),
                "pnl": number(coin_pnl),
                "af": number(coins + coin_pnl - coin_initial),
                "funding": 0.0,
            },
            "marginRequirements": {
                "im": number(coin_initial),
                "mm": number(coin_maintenance),
                "lt": 0.0,
                "tt": 0.0,
            },
            "triggerEstimates": {"im": 0.0, "mm": 0.0, "lt": 0.0, "tt": 0.0},
        },
    }


def feed_flex(account: Account) -> Row:
    """The flex_futures part of a balances message."""
    cash, pnl, initial = margins(account, "USD")
    equity = number(cash + pnl)
    whole = {
        "balance_value": number(cash),
        "portfolio_value": equity,
        "collateral_value": number(cash),
        "initial_margin": number(initial),
        "initial_margin_without_orders": number(initial),
        "maintenance_margin": number(initial * MAINTENANCE_MARGIN / INITIAL_MARGIN),
        "pnl": number(pnl),
        "unrealized_funding": 0.0,
        "total_unrealized": number(pnl),
        "total_unrealized_as_margin": number(pnl),
        "margin_equity": equity,
        "available_margin": number(cash + pnl - initial),
    }
    currency = {
        "quantity": number(cash),
        "value": number(cash),
        "collateral_value": number(cash),
        "available": number(cash - initial),
        "haircut": 0.0,
        "conversion_spread": 0.0,
    }
    return {
        "currencies": {"USD": currency},
        **whole,
        "isolated": {},
        "cross": {**whole, "effective_leverage": 0.0},
    }


def feed_inverse(account: Account) -> Row:
    """The futures part of a balances message: the wallets of the inverse contracts."""
    coins, pnl, initial = margins(account, "XBT")
    return {
        "F-XBT:USD": {
            "name": "F-XBT:USD",
            "pair": "XBT/USD",
            "unit": "XBT",
            "portfolio_value": number(coins + pnl),
            "balance": number(coins),
            "maintenance_margin": number(initial * MAINTENANCE_MARGIN / INITIAL_MARGIN),
            "initial_margin": number(initial),
            "available": number(coins + pnl - initial),
            "unrealized_funding": 0.0,
            "pnl": number(pnl),
        }
    }
