"""An account's orders, algo orders, fills, positions and balances as OKX writes them.

Every value is a string; fees and fills' fees are negative when paid; sizes are contracts.
Source: OKX API v5, order, positions and account channels and the REST answers of the same name.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import (
    ZERO,
    Cause,
    Fill,
    Force,
    Kind,
    Market,
    Order,
    Position,
    Quote,
    State,
)

Row = dict[str, Any]

_CANCEL_SOURCES = {
    Cause.CANCELLED: "1",
    Cause.WOULD_NOT_REDUCE: "2",
    Cause.WOULD_TAKE: "31",
    Cause.WITHDRAWN: "3",
}
_FORCES = {Force.POST_ONLY: "post_only", Force.IOC: "ioc", Force.FOK: "fok"}


def text(number: Decimal) -> str:
    """A number without exponent and trailing zeros."""
    return format(number.normalize(), "f") if number else "0"


def ms(at: datetime) -> str:
    """Milliseconds since 1970."""
    return str(round(at.timestamp() * 1000))


def _or_nothing(number: Decimal | None) -> str:
    return "" if number is None else text(number)


def order_type(order: Order) -> str:
    """ordType: market, optimal_limit_ioc, limit, post_only, ioc, fok."""
    if order.kind is Kind.MARKET:
        asked = order.word("ordType")
        return asked if asked == "optimal_limit_ioc" else "market"
    return _FORCES.get(order.force, "limit")


def order_state(order: Order) -> str:
    """state: live, partially_filled, filled, canceled."""
    match order.state:
        case State.FILLED:
            return "filled"
        case State.CANCELLED:
            return "canceled"
        case _:
            return "partially_filled" if order.filled else "live"


def _cancel_source(order: Order) -> str:
    if order.state is not State.CANCELLED:
        return ""
    if order.cause is Cause.NO_LIQUIDITY:
        return {Force.IOC: "14", Force.FOK: "13"}.get(order.force, "0")
    return _CANCEL_SOURCES.get(order.cause, "0")


def order_row(account: Account, order: Order, last: Fill | None = None) -> Row:
    """An order as REST answers it; last is its latest fill, looked up unless given."""
    fills = [fill for fill in account.fills if fill.order_id == order.id]
    last = last or (fills[-1] if fills else None)
    algo = account.find(order_id=order.parent_id) if order.parent_id else None
    market = account.markets[order.market]
    return {
        "accFillSz": text(order.filled),
        "algoClOrdId": algo.word("algoClOrdId") if algo else "",
        "algoId": algo.id if algo else "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": _or_nothing(order.average_price),
        "cTime": ms(order.created_at),
        "cancelSource": _cancel_source(order),
        "cancelSourceReason": "",
        "category": order.word("category", "normal"),
        "ccy": market.settle,
        "clOrdId": order.client_id or "" if algo is None else "",
        "fee": text(-sum((fill.fee for fill in fills), ZERO)),
        "feeCcy": market.settle,
        "fillPx": text(last.price) if last else "",
        "fillSz": text(last.quantity) if last else "0",
        "fillTime": ms(last.at) if last else "",
        "instId": order.market,
        "instType": "SWAP",
        "isTpLimit": "false",
        "lever": "3",
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order.id,
        "ordType": order_type(order),
        "pnl": text(sum((fill.realised for fill in fills), ZERO)),
        "posSide": "net",
        "px": _or_nothing(order.limit_price),
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": "0",
        "rebateCcy": market.settle,
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side.value,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": "7" if algo else "",
        "state": order_state(order),
        "stpId": "",
        "stpMode": "cancel_maker",
        "sz": text(order.quantity),
        "tag": order.word("tag"),
        "tdMode": order.word("tdMode", "cross"),
        "tgtCcy": "",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": last.id if last else "",
        "tradeQuoteCcy": market.settle,
        "uTime": ms(order.updated_at),
    }


def order_push(account: Account, order: Order, fill: Fill | None, amended: bool) -> Row:
    """An order as the orders channel pushes it: the fill is the one that brought the push."""
    market, quote = account.markets[order.market], account.quotes.get(order.market)
    row = order_row(account, order, fill)
    if fill is None:
        row.update(fillPx="", fillSz="0", fillTime="", tradeId="")
    notional = market.value(order.quantity, order.limit_price or _price(order, quote))
    row.update(
        avgPx=row["avgPx"] or "0",
        amendResult="0" if amended else "",
        amendSource="1" if amended else "",
        code="0",
        msg="",
        reqId="",
        execType=_exec_type(fill) if fill else "",
        fillFee=text(-fill.fee) if fill else "0",
        fillFeeCcy=market.settle if fill else "",
        fillFwdPx="",
        fillIdxPx=text(quote.index) if fill and quote else "",
        fillMarkPx=text(quote.mark) if fill and quote else "",
        fillMarkVol="",
        fillNotionalUsd=text(market.value(fill.quantity, fill.price)) if fill else "",
        fillPnl=text(fill.realised) if fill else "0",
        fillPxUsd="",
        fillPxVol="",
        lastPx=text(quote.last) if quote else "",
        notionalUsd=text(notional),
    )
    return row


def _price(order: Order, quote: Quote | None) -> Decimal:
    return order.average_price or (quote.last if quote else ZERO)


def _exec_type(fill: Fill) -> str:
    return "M" if fill.maker else "T"


def algo_row(account: Account, order: Order) -> Row:
    """A trigger order (conditional or trigger) as REST and the orders-algo channel have it."""
    spawned = [one for one in account.orders.values() if one.parent_id == order.id]
    states = {State.WAITING: "live", State.TRIGGERED: "effective"}
    quote = account.quotes.get(order.market)
    market = account.markets[order.market]
    row = {
        "activePx": "",
        "actualPx": _or_nothing(spawned[-1].average_price) if spawned else "",
        "actualSide": _actual_side(order) if spawned else "",
        "actualSz": text(spawned[-1].filled) if spawned else "0",
        "algoClOrdId": order.word("algoClOrdId"),
        "algoId": order.id,
        "amendPxOnTriggerType": "0",
        "attachAlgoOrds": [],
        "cTime": ms(order.created_at),
        "callbackRatio": "",
        "callbackSpread": "",
        "ccy": "",
        "clOrdId": order.word("clOrdId"),
        "closeFraction": "1" if order.close_position else "",
        "failCode": "0",
        "instId": order.market,
        "instType": "SWAP",
        "isTradeBorrowMode": "",
        "last": text(quote.last) if quote else "",
        "lever": "3",
        "linkedOrd": {"ordId": ""},
        "moveTriggerPx": "",
        "notionalUsd": text(market.value(order.quantity, order.stop_price or ZERO)),
        "ordId": spawned[-1].id if spawned else "",
        "ordIdList": [one.id for one in spawned],
        "ordPx": "",
        "ordType": order.word("ordType"),
        "posSide": "net",
        "pxLimit": "",
        "pxSpread": "",
        "pxVar": "",
        "quickMgnType": "",
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side.value,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "state": states.get(order.state, "canceled"),
        "sz": "" if order.close_position else text(order.quantity),
        "szLimit": "",
        "tag": order.word("tag"),
        "tdMode": order.word("tdMode", "cross"),
        "tgtCcy": "",
        "timeInterval": "",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "triggerPx": "",
        "triggerPxType": "",
        "triggerTime": ms(spawned[-1].created_at) if spawned else "",
        "uTime": ms(order.updated_at),
        "uly": f"{market.base}-{market.quote}",
    }
    where = {"trigger": ("triggerPx", "ordPx", "triggerPxType")}.get(
        order.word("ordType"),
        ("tpTriggerPx", "tpOrdPx", "tpTriggerPxType")
        if order.kind.takes_profit
        else ("slTriggerPx", "slOrdPx", "slTriggerPxType"),
    )
    price = "-1" if order.limit_price is None else text(order.limit_price)
    row.update(zip(where, (_or_nothing(order.stop_price), price, order.signal.value), strict=True))
    return row


def _actual_side(order: Order) -> str:
    return "tp" if order.kind.takes_profit else "sl"


def fill_row(account: Account, fill: Fill, sub_type: str) -> Row:
    """A fill as GET fills and fills-history answer it."""
    quote = account.quotes.get(fill.market)
    rate = fill.fee / account.markets[fill.market].value(fill.quantity, fill.price)
    return {
        "billId": bill_id(fill),
        "clOrdId": fill.client_id or "",
        "execType": _exec_type(fill),
        "fee": text(-fill.fee),
        "feeCcy": fill.fee_currency,
        "feeRate": text(-rate),
        "fillFwdPx": "",
        "fillIdxPx": text(quote.index) if quote else "",
        "fillMarkPx": text(quote.mark) if quote else "",
        "fillMarkVol": "",
        "fillPnl": text(fill.realised),
        "fillPx": text(fill.price),
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillSz": text(fill.quantity),
        "fillTime": ms(fill.at),
        "instId": fill.market,
        "instType": "SWAP",
        "ordId": fill.order_id,
        "posSide": "net",
        "side": fill.side.value,
        "subType": sub_type,
        "tag": "",
        "tradeId": fill.id,
        "tradeQuoteCcy": fill.fee_currency,
        "ts": ms(fill.at),
    }


def bill_id(fill: Fill) -> str:
    """The bill a fill is booked under."""
    return str(623950854533000000 + fill.sequence)


def position_row(account: Account, position: Position, lever: str) -> Row:
    """A net position; pos is signed, "0" once flat."""
    market, quote = account.markets[position.market], account.quotes.get(position.market)
    flat = not position.quantity
    mark = quote.mark if quote else position.entry_price
    notional = market.value(abs(position.quantity), mark)
    upl = account.unrealised(position.market)
    margin = notional / Decimal(lever)
    fills = [fill for fill in account.fills if fill.market == position.market]
    fees = -sum((fill.fee for fill in fills), ZERO)
    return {
        "adl": "" if flat else "1",
        "availPos": "",
        "avgPx": "" if flat else text(position.entry_price),
        "baseBal": "",
        "baseBorrowed": "",
        "baseInterest": "",
        "bePx": "" if flat else text(position.entry_price),
        "bizRefId": "",
        "bizRefType": "",
        "cTime": ms(position.opened_at),
        "ccy": market.settle,
        "clSpotInUseAmt": "",
        "closeOrderAlgo": [],
        "deltaBS": "",
        "deltaPA": "",
        "fee": text(fees),
        "fundingFee": "0",
        "gammaBS": "",
        "gammaPA": "",
        "idxPx": text(quote.index) if quote else "",
        "imr": "" if flat else text(margin),
        "instId": position.market,
        "instType": "SWAP",
        "interest": "",
        "last": text(quote.last) if quote else "",
        "lever": lever,
        "liab": "",
        "liabCcy": "",
        "liqPenalty": "0",
        "liqPx": _liquidation_price(account, market, position, mark),
        "margin": "",
        "markPx": text(mark),
        "maxSpotInUseAmt": "",
        "mgnMode": "cross",
        "mgnRatio": "",
        "mmr": "" if flat else text(notional * Decimal("0.004")),
        "nonSettleAvgPx": "",
        "notionalUsd": "" if flat else text(notional),
        "optVal": "",
        "pTime": ms(position.updated_at),
        "pendingCloseOrdLiabVal": "",
        "pnl": text(position.realised),
        "pos": text(position.quantity),
        "posCcy": "",
        "posId": str(1752810569801498626 + sorted(account.markets).index(position.market)),
        "posSide": "net",
        "quoteBal": "",
        "quoteBorrowed": "",
        "quoteInterest": "",
        "realizedPnl": text(position.realised + fees),
        "settledPnl": "",
        "spotInUseAmt": "",
        "spotInUseCcy": "",
        "thetaBS": "",
        "thetaPA": "",
        "tradeId": fills[-1].id if fills else "",
        "uTime": ms(position.updated_at),
        "upl": "" if flat else text(upl),
        "uplLastPx": "" if flat else text(upl),
        "uplRatio": "" if flat or not margin else text(upl / margin),
        "uplRatioLastPx": "" if flat or not margin else text(upl / margin),
        "usdPx": "",
        "vegaBS": "",
        "vegaPA": "",
    }


def _liquidation_price(account: Account, market: Market, position: Position, mark: Decimal) -> str:
    """Where the account's equity is used up, other positions standing still."""
    if not position.quantity:
        return ""
    equity = account.balances.get(market.settle, ZERO) + sum(
        map(account.unrealised, account.quotes)
    )
    price = mark - equity / (position.quantity * market.contract_size)
    return text(price.quantize(market.tick)) if price > 0 else ""
