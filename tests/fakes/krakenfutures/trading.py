"""The venue's REST requests that change something: send, edit, cancel, one by one or in a batch."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from tests.fakes.exchange import (
    Answer,
    Cause,
    Fill,
    Force,
    Kind,
    NewOrder,
    Order,
    Refusal,
    Request,
    Side,
    State,
    Why,
)
from tests.fakes.exchange.server import Handler
from tests.fakes.krakenfutures import rows
from tests.fakes.krakenfutures.reads import Reads
from tests.fakes.krakenfutures.words import SEND_REFUSED, SIGNALS, iso, number

_LONGEST_CLIENT_ID = 100
_KINDS = {
    "lmt": (Kind.LIMIT, Force.GTC),
    "post": (Kind.LIMIT, Force.POST_ONLY),
    "ioc": (Kind.LIMIT, Force.IOC),
    "fok": (Kind.LIMIT, Force.FOK),
    "mkt": (Kind.MARKET, Force.IOC),
}
_TRIGGERS = {
    "stp": (Kind.STOP_MARKET, Kind.STOP_LIMIT),
    "take_profit": (Kind.TAKE_PROFIT_MARKET, Kind.TAKE_PROFIT_LIMIT),
}

Params = Mapping[str, Any]


class _Status(Exception):
    """A request that is answered with a status, and not done."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Trading(Reads):
    """Everything that places, changes or removes orders."""

    def trading_routes(self) -> Mapping[str, Handler]:
        """The routes of this half."""
        api = "/derivatives/api/v3"
        return {
            f"POST {api}/sendorder": self._send_order,
            f"POST {api}/editorder": self._edit_order,
            f"POST {api}/cancelorder": self._cancel_order,
            f"POST {api}/cancelallorders": self._cancel_all,
            f"POST {api}/batchorder": self._batch,
        }

    def _send_order(self, request: Request) -> Answer:
        return self.success(sendStatus=self._send(request.params))

    def _edit_order(self, request: Request) -> Answer:
        return self.success(editStatus=self._edit(request.params))

    def _cancel_order(self, request: Request) -> Answer:
        return self.success(cancelStatus=self._cancel(request.params))

    def _batch(self, request: Request) -> Answer:
        orders = batch_of(request)
        if orders is None:
            raise self.error("Json Parse Error")
        return self.success(batchStatus=[self._one_of_batch(one) for one in orders])

    def _one_of_batch(self, order: Params) -> rows.Row:
        tag = {"order_tag": str(order["order_tag"])} if "order_tag" in order else {}
        match order.get("order"):
            case "send":
                return {**self._send(order), **tag}
            case "edit":
                return {**self._edit(order), **tag}
            case "cancel":
                return {**self._cancel(order), **tag}
            case _:
                return {"status": "requiredArgumentMissing", "orderEvents": []}

    # Sending

    def _send(self, params: Params) -> rows.Row:
        received = iso(self.now())
        client = {"cliOrdId": params["cliOrdId"]} if params.get("cliOrdId") else {}
        fills_before = len(self.account.fills)
        try:
            new = self._new_order(params)
            order = self._place(new)
        except (Refusal, _Status) as refused:
            status = refused.status if isinstance(refused, _Status) else SEND_REFUSED[refused.why]
            return {"status": status, "receivedTime": received, **client, "orderEvents": []}
        fills = [one for one in self.account.fills[fills_before:] if one.order_id == order.id]
        reduced = new.quantity - order.quantity if new.reduce_only else None
        return {
            "order_id": order.id,
            "status": _sent_status(order),
            "receivedTime": received,
            **client,
            "orderEvents": _send_events(order, fills, reduced),
        }

    def _place(self, new: NewOrder) -> Order:
        self._placing = True
        try:
            order = self.account.place(new)
        except Refusal as refusal:
            if refusal.why is Why.WOULD_TAKE:
                self._tell_refused_post(new)
            raise
        finally:
            self._placing = False
        self.tell_placed(order)
        return order

    def _tell_refused_post(self, new: NewOrder) -> None:
        unborn = Order.of(new, id=str(UUID(int=0)), state=State.CANCELLED, at=self.now())
        self.tell_refused_post(rows.feed_order(unborn))

    def _new_order(self, params: Params) -> NewOrder:
        for name in ("orderType", "symbol", "side", "size"):
            if not params.get(name):
                raise self.error("requiredArgumentMissing")
        market = self.account.market(self._known(params["symbol"]))
        client_id = params.get("cliOrdId") or None
        if client_id is not None and len(client_id) > _LONGEST_CLIENT_ID:
            raise _Status("clientOrderIdTooLong")
        if params["side"] not in ("buy", "sell"):
            raise _Status("invalidSide")
        limit, stop = _decimal(params, "limitPrice"), _decimal(params, "stopPrice")
        if any(price is not None and price % market.tick for price in (limit, stop)):
            raise _Status("invalidPrice")
        kind, force = _kind(params["orderType"], limit)
        quantity = _decimal(params, "size")
        return NewOrder(
            market=market.id,
            side=Side(params["side"]),
            kind=kind,
            quantity=Decimal(0) if quantity is None else quantity,
            client_id=client_id,
            limit_price=limit,
            stop_price=stop,
            force=force,
            reduce_only=_true(params.get("reduceOnly")),
            signal=SIGNALS[params.get("triggerSignal", "last")],
        )

    # Editing

    def _edit(self, params: Params) -> rows.Row:
        received = iso(self.now())
        fills_before = len(self.account.fills)
        try:
            order = self._asked(params, "orderId")
            if order is None:
                raise _Status("orderForEditNotFound")
            edited = self._edited(order, params)
        except (Refusal, _Status) as refused:
            status = refused.status if isinstance(refused, _Status) else SEND_REFUSED[refused.why]
            return {"status": status, "receivedTime": received, "orderEvents": []}
        new = {"old": rows.event_order(order), "new": rows.event_order(edited)}
        events = [{"type": "EDIT", **new, "reducedQuantity": None}]
        fills = [one for one in self.account.fills[fills_before:] if one.order_id == order.id]
        events += [rows.execution(edited, fill, None) for fill in fills]
        client = {} if order.client_id is None else {"cliOrdId": order.client_id}
        return {
            "status": "edited",
            "orderId": order.id,
            "receivedTime": received,
            **client,
            "orderEvents": events,
        }

    def _edited(self, order: Order, params: Params) -> Order:
        market = self.account.market(order.market)
        size = _decimal(params, "size")
        limit, stop = _decimal(params, "limitPrice"), _decimal(params, "stopPrice")
        if stop is not None and not order.kind.waits:
            raise _Status("orderForEditNotAStop")
        if any(price is not None and price % market.tick for price in (limit, stop)):
            raise _Status("invalidPrice")
        if size is not None and params.get("qtyMode", "RELATIVE") == "RELATIVE":
            size += order.filled
        return self.account.edit(order.id, quantity=size, limit_price=limit, stop_price=stop)

    # Cancelling

    def _cancel(self, params: Params) -> rows.Row:
        received = iso(self.now())
        order = self._asked(params, "order_id")
        if order is None or order.state in (State.CANCELLED, State.TRIGGERED):
            return {"status": "notFound", "receivedTime": received, "orderEvents": []}
        if order.state is State.FILLED:
            return {
                "status": "filled",
                "order_id": order.id,
                "receivedTime": received,
                "orderEvents": [],
            }
        order = self.account.cancel(order.id)
        client = {} if order.client_id is None else {"cliOrdId": order.client_id}
        return {
            "status": "cancelled",
            "order_id": order.id,
            "receivedTime": received,
            **client,
            "orderEvents": [_cancel_event(order)],
        }

    def _cancel_all(self, request: Request) -> Answer:
        symbol = request.params.get("symbol")
        only = None if symbol is None else self._known(symbol)
        gone = [
            self.account.cancel(order.id)
            for order in self.account.open_orders()
            if only in (None, order.market)
        ]
        return self.success(
            cancelStatus={
                "receivedTime": iso(self.now()),
                "cancelOnly": only or "all",
                "status": "cancelled" if gone else "noOrdersToCancel",
                "cancelledOrders": [{"order_id": order.id} for order in gone],
                "orderEvents": [_cancel_event(order) for order in gone],
            }
        )

    def _asked(self, params: Params, name: str) -> Order | None:
        """The order a request names by id or by client id. Ids must have the form of one."""
        if name in params:
            try:
                order_id = str(UUID(params[name]))
            except ValueError:
                raise self.error(f"invalidArgument: {name}") from None
            return self.account.find(order_id=order_id)
        if not params.get("cliOrdId"):
            raise self.error("requiredArgumentMissing")
        return self.account.find(client_id=params["cliOrdId"])


def batch_of(request: Request) -> list[Params] | None:
    """The orders of a batch; None where it has none that can be read."""
    posted = dict(parse_qsl(request.query)) | _json_field(request.body)
    try:
        found = json.loads(posted["json"])["batchOrder"]
    except (KeyError, ValueError):
        return None
    return list(found) if isinstance(found, list) else None


def _json_field(body: str) -> dict[str, str]:
    """`json={...}`, which clients do not escape."""
    name, _, value = body.partition("=")
    return {name: value}


def _kind(word: str, limit: Decimal | None) -> tuple[Kind, Force]:
    if word in _TRIGGERS:
        return _TRIGGERS[word][limit is not None], Force.GTC
    if word not in _KINDS:
        raise _Status("invalidOrderType")
    return _KINDS[word]


def _decimal(params: Params, name: str) -> Decimal | None:
    if params.get(name) in (None, ""):
        return None
    try:
        return Decimal(str(params[name]))
    except InvalidOperation:
        raise _Status("invalidSize" if name == "size" else "invalidPrice") from None


def _true(value: object) -> bool:
    return value is True or value == "true"


def _sent_status(order: Order) -> str:
    if order.filled or order.state is not State.CANCELLED:
        return "placed"
    return (
        "wouldNotReducePosition" if order.cause is Cause.WOULD_NOT_REDUCE else "iocWouldNotExecute"
    )


def _send_events(order: Order, fills: list[Fill], reduced: Decimal | None) -> list[rows.Row]:
    if order.state is State.CANCELLED and not fills:
        reason = (
            "WOULD_NOT_REDUCE_POSITION"
            if order.cause is Cause.WOULD_NOT_REDUCE
            else "IOC_WOULD_NOT_EXECUTE"
        )
        shown = rows.event_order(order)
        return [{"type": "REJECT", "uid": order.id, "reason": reason, "order": shown}]
    if order.kind.waits and not order.triggered:
        return [{"type": "PLACE", "orderTrigger": rows.event_trigger(order)}]
    events = [rows.execution(_before(order), fill, reduced) for fill in fills]
    if order.state.live:
        taken = None if reduced is None else number(reduced)
        placed = {"type": "PLACE", "order": rows.event_order(order), "reducedQuantity": taken}
        events.append(placed)
    return events


def _before(order: Order) -> Order:
    """The order as it was when it came."""
    return Order(
        id=order.id,
        market=order.market,
        side=order.side,
        kind=order.kind,
        quantity=order.quantity,
        state=State.OPEN,
        created_at=order.created_at,
        updated_at=order.created_at,
        client_id=order.client_id,
        limit_price=order.limit_price,
        force=order.force,
        reduce_only=order.reduce_only,
    )


def _cancel_event(order: Order) -> rows.Row:
    if order.kind.waits and not order.triggered:
        return {"type": "CANCEL", "uid": order.id, "orderTrigger": rows.event_trigger(order)}
    return {"type": "CANCEL", "uid": order.id, "order": rows.event_order(order)}
