"""An account's orders, executions, positions and wallet as Bybit writes them.

Numbers are strings; fees are positive when paid. What REST and the streams call differently is
told apart by the functions' names. Source: Bybit API v5.
"""

from datetime import datetime
from decimal import Decimal

from tests.fakes.bybit.markets import Row
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import (
    ZERO,
    Cause,
    Fill,
    Force,
    Kind,
    Order,
    Position,
    Quote,
    Side,
    Signal,
    State,
)

_SEQUENCE = 140612148849382
_FORCES = {Force.GTC: "GTC", Force.IOC: "IOC", Force.FOK: "FOK", Force.POST_ONLY: "PostOnly"}
SIGNALS = {Signal.LAST: "LastPrice", Signal.MARK: "MarkPrice", Signal.INDEX: "IndexPrice"}
_CANCELS = {
    Cause.CANCELLED: ("CancelByUser", "EC_PerCancelRequest"),
    Cause.WOULD_NOT_REDUCE: ("CancelByReduceOnly", "EC_NoError"),
    Cause.WITHDRAWN: ("CancelAllBeforeLiq", "EC_NoError"),
    Cause.WOULD_TAKE: ("UNKNOWN", "EC_PostOnlyWillTakeLiquidity"),
    Cause.NO_LIQUIDITY: ("UNKNOWN", "EC_NoImmediateQtyToFill"),
}


def text(number: Decimal | None) -> str:
    """A number without exponent and trailing zeros; nothing is 0."""
    return format(number.normalize(), "f") if number else "0"


def ms(at: datetime) -> str:
    """Milliseconds since 1970."""
    return str(round(at.timestamp() * 1000))


def side_word(side: Side) -> str:
    return "Buy" if side is Side.BUY else "Sell"


def status(order: Order) -> str:
    """orderStatus; a trigger order cancelled before its trigger is Deactivated."""
    match order.state:
        case State.WAITING:
            return "Untriggered"
        case State.FILLED:
            return "Filled"
        case State.CANCELLED:
            if not order.kind.waits:
                return "Cancelled"
            if not order.triggered:
                return "Deactivated"
            failed = order.cause is Cause.WOULD_NOT_REDUCE and not order.filled
            return "Rejected" if failed else "Cancelled"
        case _:
            if order.filled:
                return "PartiallyFilled"
            return "Triggered" if order.cause is Cause.TRIGGERED else "New"


def order_row(account: Account, order: Order) -> Row:
    """Source: GET /v5/order/realtime and history, and (with its category) the order stream."""
    fills = [fill for fill in account.fills if fill.order_id == order.id]
    fee = sum((fill.fee for fill in fills), ZERO)
    quote = account.quotes.get(order.market)
    settle = account.markets[order.market].settle
    cancelled = order.state is State.CANCELLED
    cancel, reason = _CANCELS.get(order.cause, ("UNKNOWN", "EC_NoError"))
    rising = (order.side is Side.BUY) != order.kind.takes_profit
    remaining = ZERO if cancelled else order.remaining
    market_order = not order.kind.limited
    return {
        "avgPrice": text(order.average_price) if order.filled else "",
        "blockTradeId": order.word("blockTradeId"),
        "cancelType": cancel if cancelled else "UNKNOWN",
        "closeOnTrigger": order.close_position,
        "closedPnl": text(sum((fill.realised for fill in fills), ZERO) - fee),
        "createType": order.word("createType", _created(order)),
        "createdTime": ms(order.created_at),
        "cumExecFee": text(fee),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.filled * (order.average_price or ZERO)),
        "cumFeeDetail": {settle: text(fee)} if fills else {},
        "feeCurrency": settle,
        "isLeverage": "",
        "lastPriceOnCreated": text(quote.last) if quote else "",
        "leavesQty": text(remaining),
        "leavesValue": text(remaining * (order.limit_price or ZERO)),
        "marketUnit": "",
        "ocoTriggerBy": "",
        "orderId": order.id,
        "orderIv": "",
        "orderLinkId": order.client_id or "",
        "orderStatus": status(order),
        "orderType": "Market" if market_order else "Limit",
        "placeType": "",
        "positionIdx": 0,
        "price": text(order.limit_price),
        "qty": text(order.quantity),
        "reduceOnly": order.reduce_only,
        "rejectReason": reason if cancelled else "EC_NoError",
        "side": side_word(order.side),
        "slLimitPrice": "0",
        "slTriggerBy": "",
        "smpGroup": 0,
        "smpOrderId": "",
        "smpType": "None",
        "stopLoss": "",
        "stopOrderType": "Stop" if order.kind.waits else "",
        "symbol": order.market,
        "takeProfit": "",
        "timeInForce": "IOC" if market_order else _FORCES[order.force],
        "tpLimitPrice": "0",
        "tpTriggerBy": "",
        "tpslMode": "",
        "triggerBy": SIGNALS[order.signal] if order.kind.waits else "",
        "triggerDirection": (1 if rising else 2) if order.kind.waits else 0,
        "triggerPrice": text(order.stop_price) if order.kind.waits else "",
        "updatedTime": ms(order.updated_at),
    }


def _created(order: Order) -> str:
    return "CreateByStopOrder" if order.kind.waits else "CreateByUser"


def execution_row(account: Account, fill: Fill, closed: Decimal) -> Row:
    """Source: GET /v5/execution/list and (with its category) the execution stream. closed is how
    much of it closed a position."""
    order = account.find(order_id=fill.order_id)
    market, quote = account.markets[fill.market], account.quotes.get(fill.market)
    worth = market.value(fill.quantity, fill.price)
    return {
        "blockTradeId": order.word("blockTradeId") if order else "",
        "closedSize": text(closed),
        "createType": order.word("createType", _created(order)) if order else "",
        "execFee": text(fill.fee),
        "execId": fill.id,
        "execPnl": text(fill.realised),
        "execPrice": text(fill.price),
        "execQty": text(fill.quantity),
        "execTime": ms(fill.at),
        "execType": fill.marker,
        "execValue": text(worth),
        "extraFees": "",
        "feeCurrency": fill.fee_currency,
        "feeRate": text(fill.fee / worth) if worth else "0",
        "indexPrice": "",
        "isLeverage": "0",
        "isMaker": fill.maker,
        "leavesQty": text(fill.remaining),
        "markIv": "",
        "markPrice": text(quote.mark) if quote else "",
        "orderId": fill.order_id,
        "orderLinkId": fill.client_id or "",
        "orderPrice": text(order.limit_price or fill.price) if order else text(fill.price),
        "orderQty": text(order.quantity) if order else text(fill.quantity),
        "orderType": _order_type(order) if order else "UNKNOWN",
        "seq": _SEQUENCE + fill.sequence,
        "side": side_word(fill.side),
        "stopOrderType": "Stop" if order and order.kind.waits else "UNKNOWN",
        "symbol": fill.market,
        "tradeIv": "",
        "underlyingPrice": "",
    }


def _order_type(order: Order) -> str:
    return (
        "Limit"
        if order.kind in (Kind.LIMIT, Kind.STOP_LIMIT, Kind.TAKE_PROFIT_LIMIT)
        else ("Market")
    )


def position_row(account: Account, position: Position, leverage: str) -> Row:
    """Source: GET /v5/position/list. A flat position has no side and size "0"."""
    row = _position(account, position, leverage)
    row["avgPrice"] = text(position.entry_price)
    return row


def position_push(account: Account, position: Position, leverage: str) -> Row:
    """Source: the position stream, whose entry price has another name than REST's."""
    row = _position(account, position, leverage)
    row.update(
        category="linear",
        entryPrice=text(position.entry_price),
        positionIMByMp=row["positionIM"],
        positionMMByMp=row["positionMM"],
        sessionAvgPrice="",
    )
    return row


def _position(account: Account, position: Position, leverage: str) -> Row:
    market, quote = account.markets[position.market], account.quotes.get(position.market)
    held = position.quantity
    mark = quote.mark if quote else position.entry_price
    worth = market.value(abs(held), mark)
    fills = [fill for fill in account.fills if fill.market == position.market]
    earned = position.realised - sum((fill.fee for fill in fills), ZERO)
    side = side_word(Side.BUY if held > 0 else Side.SELL) if held else ""
    return {
        "adlRankIndicator": 2 if held else 0,
        "autoAddMargin": 0,
        "bustPrice": "",
        "createdTime": ms(position.opened_at),
        "cumRealisedPnl": text(earned),
        "curRealisedPnl": text(earned) if held else "0",
        "isReduceOnly": False,
        "leverage": leverage,
        "leverageSysUpdatedTime": "",
        "liqPrice": _liquidation_price(account, position, mark),
        "markPrice": text(mark),
        "mmrSysUpdatedTime": "",
        "positionBalance": "0",
        "positionIM": text(worth / Decimal(leverage)),
        "positionIdx": 0,
        "positionMM": text(worth * Decimal("0.005")),
        "positionStatus": "Normal",
        "positionValue": text(market.value(abs(held), position.entry_price)),
        "riskId": 1,
        "riskLimitValue": "2000000",
        "seq": _SEQUENCE + len(account.fills),
        "side": side,
        "size": text(abs(held)),
        "stopLoss": "",
        "symbol": position.market,
        "takeProfit": "",
        "tpslMode": "Full",
        "tradeMode": 0,
        "trailingStop": "0",
        "unrealisedPnl": text(account.unrealised(position.market)),
        "updatedTime": ms(position.updated_at),
    }


def _liquidation_price(account: Account, position: Position, mark: Decimal) -> str:
    """Where the account's equity is used up, other positions standing still."""
    if not position.quantity:
        return ""
    market = account.markets[position.market]
    equity = account.balances.get(market.settle, ZERO) + sum(
        map(account.unrealised, account.positions), ZERO
    )
    price = mark - equity / position.quantity
    return text(price.quantize(market.tick)) if price > 0 else ""


def wallet_row(account: Account, leverage: dict[str, str]) -> Row:
    """The unified account. Source: GET /v5/account/wallet-balance and the wallet stream."""
    cash = account.balances.get("USDT", ZERO)
    profit = sum(map(account.unrealised, account.positions), ZERO)
    margin = sum(
        (
            account.markets[name].value(abs(account.held(name)), account.quotes[name].mark)
            / Decimal(leverage[name])
            for name in account.positions
            if name in account.quotes
        ),
        ZERO,
    )
    coins = [_coin(name, amount, profit, margin) for name, amount in account.balances.items()]
    return {
        "accountIMRate": text(margin / cash) if cash else "",
        "accountLTV": "0",
        "accountMMRate": text(margin / cash / 10) if cash else "",
        "accountType": "UNIFIED",
        "coin": coins,
        "totalAvailableBalance": text(cash + profit - margin),
        "totalEquity": text(cash + profit),
        "totalInitialMargin": text(margin),
        "totalMaintenanceMargin": text(margin / 10),
        "totalMarginBalance": text(cash + profit),
        "totalPerpUPL": text(profit),
        "totalWalletBalance": text(cash),
    }


def _coin(name: str, amount: Decimal, profit: Decimal, margin: Decimal) -> Row:
    if name != "USDT":
        profit = margin = ZERO
    return {
        "accruedInterest": "0",
        "availableToBorrow": "",
        "availableToWithdraw": "",
        "bonus": "0",
        "borrowAmount": "0",
        "coin": name,
        "collateralSwitch": True,
        "cumRealisedPnl": "0",
        "equity": text(amount + profit),
        "locked": "0",
        "marginCollateral": True,
        "spotHedgingQty": "0",
        "totalOrderIM": "0",
        "totalPositionIM": text(margin),
        "totalPositionMM": text(margin / 10),
        "unrealisedPnl": text(profit),
        "usdValue": text(amount + profit),
        "walletBalance": text(amount),
    }


def ticker_row(market_id: str, quote: Quote) -> Row:
    """Source: GET /v5/market/tickers, category linear, and the tickers stream."""
    last = text(quote.last)
    return {
        "ask1Price": text(quote.ask),
        "ask1Size": size_word(quote.ask_size),
        "bid1Price": text(quote.bid),
        "bid1Size": size_word(quote.bid_size),
        "curPreListingPhase": "",
        "fundingRate": "0.0001",
        "highPrice24h": last,
        "indexPrice": text(quote.index),
        "lastPrice": last,
        "lowPrice24h": last,
        "markPrice": text(quote.mark),
        "nextFundingTime": "1893456000000",
        "openInterest": "52000",
        "openInterestValue": text(52000 * quote.mark),
        "preOpenPrice": "",
        "preQty": "",
        "prevPrice1h": last,
        "prevPrice24h": last,
        "price24hPcnt": "0",
        "symbol": market_id,
        "tickDirection": "ZeroPlusTick",
        "turnover24h": "4381000000",
        "volume24h": "73000",
    }


def size_word(size: Decimal | None) -> str:
    """How much a price is good for."""
    return "1000" if size is None else text(size)
