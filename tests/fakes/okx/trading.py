"""What OKX does with requests to place, cancel and amend orders, and how it refuses them.

Every answer is one row per order with its sCode; "0" is success. Refusals never raise out of here,
for a refused order is a row of an answer with HTTP 200.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import (
    ZERO,
    Force,
    Kind,
    NewOrder,
    Order,
    Refusal,
    Side,
    Signal,
    Why,
)
from tests.fakes.okx.markets import (
    INSTRUMENT_CODES,
    NO_POSITION,
    NOT_A_LOT,
    REFUSALS,
    SAME_DIRECTION,
    TOO_SMALL,
)
from tests.fakes.okx.rows import Row

Asked = dict[str, Any]

_FORCES = {
    "limit": Force.GTC,
    "post_only": Force.POST_ONLY,
    "ioc": Force.IOC,
    "fok": Force.FOK,
}
_TRIGGERS = {"slTriggerPx": "sl", "tpTriggerPx": "tp"}


class Refused(Exception):
    """An order is refused with this sCode and sMsg."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message = code, message


class Trading:
    """Orders and algo orders of one account, in OKX's words."""

    def __init__(self, account: Account, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self._refusals: list[tuple[str, str]] = []

    def refuse_next(self, code: str, message: str, times: int) -> None:
        """Refuse that many of the next orders with a code."""
        self._refusals.extend([(code, message)] * times)

    # Requests

    def place(self, asked: Asked) -> Row:
        """Source: POST trade/order, and one of trade/batch-orders."""
        return self._row(asked, lambda: self._place(self._regular(asked)))

    def place_algo(self, asked: Asked) -> Row:
        """Source: POST trade/order-algo. Its client id is algoClOrdId."""
        try:
            order = self._place(self._algo(asked))
        except Refused as refused:
            return _algo_ack(asked, "", refused.code, refused.message)
        return _algo_ack(asked, order.id, "0", "")

    def cancel(self, asked: Asked) -> Row:
        """Source: POST trade/cancel-order."""
        return self._row(asked, lambda: self._cancel(self._found(asked, "51400")))

    def cancel_algo(self, asked: Asked) -> Row:
        """Source: POST trade/cancel-algos."""
        try:
            order = self._cancel(self._found_algo(asked))
        except Refused as refused:
            return _algo_ack(asked, str(asked.get("algoId", "")), refused.code, refused.message)
        return _algo_ack(asked, order.id, "0", "")

    def amend(self, asked: Asked) -> Row:
        """Source: POST trade/amend-order."""
        row = self._row(asked, lambda: self._amend(self._found(asked, "51503"), asked))
        return row | {"reqId": asked.get("reqId", "")}

    def amend_algo(self, asked: Asked) -> Row:
        """Source: POST trade/amend-algos."""
        try:
            order = self._amend_algo(self._found_algo(asked), asked)
        except Refused as refused:
            return _algo_ack(asked, str(asked.get("algoId", "")), refused.code, refused.message)
        return _algo_ack(asked, order.id, "0", "") | {"reqId": asked.get("reqId", "")}

    # Finding

    def find(self, asked: Asked) -> Order | None:
        """A regular order by ordId or clOrdId; what an algo order spawned has no clOrdId."""
        order_id, client_id = asked.get("ordId"), asked.get("clOrdId")
        for order in reversed(self._account.orders.values()):
            if order.kind.waits:
                continue
            if order.id == order_id or (
                not order_id and client_id and not order.parent_id and order.client_id == client_id
            ):
                return order
        return None

    def find_algo(self, asked: Asked) -> Order | None:
        """An algo order by algoId or algoClOrdId."""
        algo_id, client_id = asked.get("algoId"), asked.get("algoClOrdId")
        for order in reversed(self._account.orders.values()):
            if order.kind.waits and (
                order.id == algo_id or (not algo_id and client_id and order.client_id == client_id)
            ):
                return order
        return None

    def _found(self, asked: Asked, code: str) -> Order:
        order = self.find(asked)
        if order is None or order.market != self._market(asked):
            text = {
                "51400": REFUSALS[Why.UNKNOWN_ORDER][1],
                "51503": "Order modification failed as the order does not exist.",
            }[code]
            raise Refused(code, text)
        return order

    def _found_algo(self, asked: Asked) -> Order:
        order = self.find_algo(asked)
        if order is None:
            raise Refused(*REFUSALS[Why.UNKNOWN_ORDER])
        return order

    # Doing

    def _row(self, asked: Asked, do: Callable[[], Order]) -> Row:
        try:
            order = do()
        except Refused as refused:
            return self._ack(asked, "", refused.code, refused.message)
        return self._ack(asked, order.id, "0", "")

    def _ack(self, asked: Asked, order_id: str, code: str, message: str) -> Row:
        return {
            "clOrdId": asked.get("clOrdId", ""),
            "ordId": order_id or asked.get("ordId", ""),
            "sCode": code,
            "sMsg": message,
            "tag": asked.get("tag", ""),
            "ts": str(self._now_ms()),
        }

    def _place(self, new: NewOrder) -> Order:
        if self._refusals:
            raise Refused(*self._refusals.pop(0))
        try:
            return self._account.place(new)
        except Refusal as refusal:
            raise Refused(*self._why(refusal, new)) from refusal

    def _why(self, refusal: Refusal, new: NewOrder) -> tuple[str, str]:
        if refusal.why is Why.WOULD_NOT_REDUCE:
            return SAME_DIRECTION if self._account.held(new.market) else NO_POSITION
        if refusal.why is Why.BAD_QUANTITY:
            smallest = self._account.market(new.market).smallest
            return TOO_SMALL if new.quantity < smallest else NOT_A_LOT
        if refusal.why is Why.WOULD_TRIGGER:
            return _already_reached(new)
        return REFUSALS.get(refusal.why, ("1", "Operation failed"))

    def _cancel(self, order: Order) -> Order:
        try:
            return self._account.cancel(order.id)
        except Refusal as refusal:
            raise Refused(*REFUSALS[refusal.why]) from refusal

    def _amend(self, order: Order, asked: Asked) -> Order:
        try:
            return self._account.edit(
                order.id,
                quantity=_number(asked, "newSz"),
                limit_price=_number(asked, "newPx"),
            )
        except Refusal as refusal:
            if refusal.why is Why.ORDER_CLOSED:
                message = "Order modification failed as the order has been filled or canceled."
                raise Refused("51510", message) from refusal
            raise Refused("51000", "Parameter newSz error") from refusal

    def _amend_algo(self, order: Order, asked: Asked) -> Order:
        stop = [
            _number(asked, name) for name in ("newSlTriggerPx", "newTpTriggerPx", "newTriggerPx")
        ]
        try:
            return self._account.edit(
                order.id,
                quantity=_number(asked, "newSz"),
                stop_price=next((price for price in stop if price is not None), None),
            )
        except Refusal as refusal:
            raise Refused(*REFUSALS[Why.ORDER_CLOSED]) from refusal

    # Reading requests

    def _market(self, asked: Asked) -> str:
        codes = {code: name for name, code in INSTRUMENT_CODES.items()}
        name = asked.get("instId") or codes.get(asked.get("instIdCode", 0), "")
        if name not in self._account.markets:
            raise Refused(*REFUSALS[Why.UNKNOWN_MARKET])
        return str(name)

    def _regular(self, asked: Asked) -> NewOrder:
        kind = str(asked.get("ordType", ""))
        if kind not in (*_FORCES, "market", "optimal_limit_ioc"):
            raise Refused("51000", "Parameter ordType error")
        limited = kind in _FORCES
        return NewOrder(
            market=self._market(asked),
            side=_side(asked),
            kind=Kind.LIMIT if limited else Kind.MARKET,
            quantity=_needed(asked, "sz"),
            client_id=_client_id(asked, "clOrdId"),
            limit_price=_needed(asked, "px") if limited else None,
            force=_FORCES.get(kind, Force.GTC),
            reduce_only=_true(asked, "reduceOnly"),
            words=_words(asked, "ordType", "tdMode", "tag"),
        )

    def _algo(self, asked: Asked) -> NewOrder:
        market, side = self._market(asked), _side(asked)
        kind = str(asked.get("ordType", ""))
        if kind == "conditional":
            (prefix,) = [short for name, short in _TRIGGERS.items() if asked.get(name)] or [""]
            if not prefix:
                raise Refused("50014", "Parameter slTriggerPx can not be empty")
            names = f"{prefix}TriggerPx", f"{prefix}OrdPx", f"{prefix}TriggerPxType"
            takes_profit = prefix == "tp"
        elif kind == "trigger":
            names = "triggerPx", "orderPx", "triggerPxType"
            takes_profit = self._below_or_above(market, side, _needed(asked, "triggerPx"))
        else:
            raise Refused("51000", "Parameter ordType error")
        limit = _number(asked, names[1])
        market_order = limit is None or limit < 0
        closes = asked.get("closeFraction") == "1"
        return NewOrder(
            market=market,
            side=side,
            kind=_WAITING[takes_profit, market_order],
            quantity=ZERO if closes else _needed(asked, "sz"),
            client_id=_client_id(asked, "algoClOrdId"),
            limit_price=None if market_order else limit,
            stop_price=_needed(asked, names[0]),
            reduce_only=_true(asked, "reduceOnly"),
            close_position=closes,
            signal=Signal(str(asked.get(names[2]) or "last")),
            words=_words(asked, "ordType", "tdMode", "tag", "algoClOrdId", "clOrdId"),
        )

    def _below_or_above(self, market: str, side: Side, trigger: Decimal) -> bool:
        """A trigger order fires from either side: whether it is on that of a take profit."""
        quote = self._account.quotes.get(market)
        rising = quote is None or trigger > quote.last
        return rising != (side is Side.BUY)


_WAITING = {
    (False, True): Kind.STOP_MARKET,
    (False, False): Kind.STOP_LIMIT,
    (True, True): Kind.TAKE_PROFIT_MARKET,
    (True, False): Kind.TAKE_PROFIT_LIMIT,
}


def _already_reached(new: NewOrder) -> tuple[str, str]:
    buy, what = new.side is Side.BUY, "TP" if new.kind.takes_profit else "SL"
    lower = buy != new.kind.takes_profit
    code = {
        ("TP", False): "51277",
        ("SL", True): "51278",
        ("TP", True): "51279",
        ("SL", False): "51280",
    }[what, lower]
    return (
        code,
        f"{what} trigger price can not be {'lower' if lower else 'higher'} than the last price",
    )


def _algo_ack(asked: Asked, algo_id: str, code: str, message: str) -> Row:
    return {
        "algoClOrdId": asked.get("algoClOrdId", ""),
        "algoId": algo_id,
        "clOrdId": asked.get("clOrdId", ""),
        "sCode": code,
        "sMsg": message,
        "tag": asked.get("tag", ""),
    }


def _number(asked: Asked, name: str) -> Decimal | None:
    value = asked.get(name)
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise Refused("51000", f"Parameter {name} error") from None


def _needed(asked: Asked, name: str) -> Decimal:
    value = _number(asked, name)
    if value is None:
        raise Refused("50014", f"Parameter {name} can not be empty")
    return value


def _side(asked: Asked) -> Side:
    if asked.get("side") not in ("buy", "sell"):
        raise Refused("51000", "Parameter side error")
    if asked.get("posSide", "net") not in ("net", ""):
        raise Refused("51000", "Parameter posSide error")
    return Side(asked["side"])


def _true(asked: Asked, name: str) -> bool:
    return asked.get(name) in (True, "true")


def _client_id(asked: Asked, name: str) -> str | None:
    value = asked.get(name)
    if not value:
        return None
    if not (isinstance(value, str) and value.isalnum() and len(value) <= 32):
        raise Refused("51000", f"Parameter {name} error")
    return value


def _words(asked: Asked, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(asked[name])) for name in names if asked.get(name))
