"""What Kraken Futures says, as facts: rows of its streams, its REST answers and its history."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.desk.facts import (
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderRow,
    OrderType,
    PositionRow,
    Side,
    TimeInForce,
)
from engine.venues.crypto.faults import Duplicate, Refused, Unanswered
from engine.venues.crypto.markets import ZERO, exact, number
from engine.venues.crypto.translator import (
    News,
    Surroundings,
    Unclear,
    instant,
    iso_instant,
)
from engine.venues.port import PricedOrder

Row = Mapping[str, Any]

_ORIGINS = {
    "liquidation": ExecutionOrigin.LIQUIDATION,
    "partialLiquidation": ExecutionOrigin.LIQUIDATION,
    "unwindBankrupt": ExecutionOrigin.LIQUIDATION,
    "unwindCounterparty": ExecutionOrigin.ADL,
    "assignee": ExecutionOrigin.ASSIGNEE,
    "assignor": ExecutionOrigin.ASSIGNOR,
}
_REFUSALS = {
    "wouldNotReducePosition": "it would not reduce the position: nothing is left to reduce",
    "insufficientAvailableFunds": "insufficient funds",
    "iocWouldNotExecute": "nothing could be executed at once",
    "invalidSize": "the quantity is not allowed",
    "invalidPrice": "the price is not allowed",
    "marketSuspended": "the market is suspended",
    "marketInactive": "the market is inactive",
    "tooManySmallOrders": "too many small orders are open",
    "maxPositionViolation": "the position would be too large",
}
_CAMEL = re.compile(r"(?<=[a-z])[A-Z]")
_SPAWN_REACHES = timedelta(seconds=30)


class KrakenReader:
    """Reads rows. It remembers our stops, for a stop that was triggered may go on as an order that
    carries neither of our ids: whose fill that is, its time tells."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._account = around.settings.account
        self._own = around.own
        self._stops: dict[tuple[str, Side], str] = {}  # (ref, side) -> our newest stop there
        self._triggered: dict[str, datetime] = {}  # our stop -> when it was triggered

    def known(self, listed: Iterable[Row], ref: str) -> Iterator[Row]:
        """Leave out what is no perpetual: dated futures share the account."""
        return (row for row in listed if self._around.markets.knows(row[ref]))

    def open_order(self, order: Row) -> Iterator[News]:
        own = self._own.own_id(order.get("cli_ord_id"), order["order_id"])
        if own is not None:
            market = self._around.markets.of(order["instrument"])
            side = Side.SELL if order.get("direction") else Side.BUY
            if order.get("type") == "stop":
                self._stops[market.ref, side] = own
            filled = market.desk_quantity(number(order.get("filled")) or ZERO)
            yield self._own.told(own, OrderReport.WORKING, filled=filled)

    def removed(self, message: Row) -> Iterator[News]:
        """An order left the book; what it filled is known from fills and earlier rows only."""
        order = message.get("order") or message
        own = self._own.own_id(order.get("cli_ord_id"), order.get("order_id"))
        if own is None:
            return
        reason = str(message.get("reason", ""))
        match reason:
            case "full_fill":
                filled = self._own.named(own).quantity
                yield self._own.told(own, OrderReport.FILLED, filled=filled)
            case "stop_order_triggered":
                self._triggered[own] = self._around.now()
                yield Unclear(reason="a stop was triggered")
            case _:
                yield self._own.told(own, OrderReport.CANCELLED, reason=_spelled(reason))

    def position(self, row: Row) -> PositionRow:
        market = self._around.markets.of(row["instrument"])
        return PositionRow(
            account=self._account,
            instrument=market.instrument,
            quantity=market.desk_quantity(exact(row["balance"])),
            average_cost=number(row.get("entry_price")),
        )

    def fill(self, row: Row) -> Execution:
        return self._execution(
            row,
            ref=row["instrument"],
            side=Side.BUY if row["buy"] else Side.SELL,
            units=exact(row["qty"]),
            kind=row.get("fill_type", ""),
            at=instant(row["time"]),
        )

    def rest_fill(self, row: Row) -> Execution:
        return self._execution(
            row,
            ref=row["symbol"],
            side=Side(row["side"].upper()),
            units=exact(row["size"]),
            kind=row.get("fillType", ""),
            at=iso_instant(row["fillTime"]),
        )

    def _execution(
        self, row: Row, *, ref: str, side: Side, units: Decimal, kind: str, at: datetime
    ) -> Execution:
        market = self._around.markets.of(ref)
        own = self._own.own_id(row.get("cli_ord_id") or row.get("cliOrdId"), row.get("order_id"))
        forced = _ORIGINS.get(kind)
        if own is None and forced is None:
            own = self._spawned_by(row, ref, side, at)
        currency = str(row.get("fee_currency") or "")
        return Execution(
            execution_id=row["fill_id"],
            account=self._account,
            instrument=market.instrument,
            side=side,
            quantity=market.desk_quantity(units),
            price=exact(row["price"]),
            at=at,
            origin=forced or (ExecutionOrigin.OURS if own else ExecutionOrigin.HAND),
            client_order_id=own,
            fee=number(row.get("fee_paid")) or ZERO,
            fee_currency="BTC" if currency == "XBT" else currency,
        )

    def expect(self, stop: PricedOrder) -> None:
        """Learn of a stop that an earlier life has sent."""
        self._stops[stop.instrument.ref, stop.side] = stop.client_order_id

    def _spawned_by(self, row: Row, ref: str, side: Side, at: datetime) -> str | None:
        """Find the stop of ours a fill belongs to whose order carries neither of our ids: a stop
        that was triggered just before may go on as an order of its own."""
        own = self._stops.get((ref, side))
        triggered_at = self._triggered.get(own or "")
        if own is None or triggered_at is None or abs(at - triggered_at) > _SPAWN_REACHES:
            return None
        self._own.alias(own, str(row["order_id"]))
        return own

    def rest_position(self, row: Row) -> PositionRow:
        market = self._around.markets.of(row["symbol"])
        size = market.desk_quantity(exact(row["size"]))
        return PositionRow(
            account=self._account,
            instrument=market.instrument,
            quantity=-size if row["side"] == "short" else size,
            average_cost=number(row.get("price")),
        )

    def status(self, order: PricedOrder, found: Row) -> OrderRow:
        seen, own = found["order"], order.client_order_id
        filled = self._around.markets.of(order.instrument.ref).desk_quantity(
            number(seen.get("filled")) or ZERO
        )
        match found.get("status"):
            case "FULLY_EXECUTED":
                report = OrderReport.FILLED
            case "CANCELLED" | "TRIGGER_ACTIVATION_FAILURE":
                report = OrderReport.CANCELLED
            case "REJECTED":
                report = OrderReport.REJECTED
            case _:
                report = OrderReport.WORKING
        reason = _spelled(str(found.get("updateReason") or found.get("error") or ""))
        return self._own.told(
            own, report, venue_order_id=seen.get("orderId"), filled=filled, reason=reason
        )

    def event(self, order: PricedOrder, element: Row) -> OrderRow | None:
        """Read one event of the history, the newest first, if it is about this order."""
        (kind, what), own = next(iter(element["event"].items())), order.client_order_id
        seen = what.get("order") or what.get("newOrder") or what.get("orderTrigger") or {}
        if seen.get("clientId") != own:
            return None
        market = self._around.markets.of(order.instrument.ref)
        filled = market.desk_quantity(number(seen.get("filled")) or ZERO)
        left = number(seen.get("quantity")) or ZERO
        reason = _spelled(str(what.get("reason", "")))
        match kind:
            case "OrderRejected":
                report = OrderReport.REJECTED
            case "OrderTriggerActivated":
                self._triggered[own] = instant(element["timestamp"])
                report = OrderReport.CANCELLED
            case "OrderCancelled" | "OrderTriggerCancelled":
                report = OrderReport.CANCELLED
            case "OrderNotFound":
                return None
            case _ if left:
                # It is not open any more, so what is left of an order at once was cancelled.
                report = OrderReport.CANCELLED if _is_at_once(order) else OrderReport.WORKING
            case _:
                report, reason = OrderReport.FILLED, ""
        venue_id = seen.get("uid")
        return self._own.told(own, report, venue_order_id=venue_id, filled=filled, reason=reason)

    def sent(self, order: PricedOrder, sent: Row) -> OrderRow:
        """Read what became of an order within the request that sent it."""
        own, status, events = order.client_order_id, sent.get("status"), sent.get("orderEvents", [])
        market = self._around.markets.of(order.instrument.ref)
        amounts = [exact(it["amount"]) for it in events if it.get("type") == "EXECUTION"]
        filled = market.desk_quantity(sum(amounts, ZERO))
        rests = not events or any(it.get("type") in ("PLACE", "EDIT") for it in events)
        reason = ""
        match status:
            case "placed" | "partiallyFilled" | "filled" if rests:
                report = OrderReport.WORKING
            case "placed" | "partiallyFilled" | "filled":
                report = OrderReport.FILLED
            case "iocWouldNotExecute":
                report, reason = OrderReport.CANCELLED, _REFUSALS[status]
            case "clientOrderIdAlreadyExist":
                raise Duplicate("the exchange has had this order")
            case None | "":
                raise Unanswered("the answer says nothing of the order")
            case _:
                raise Refused(_REFUSALS.get(status) or _spelled(status))
        venue_id = sent.get("order_id")
        return self._own.told(own, report, venue_order_id=venue_id, filled=filled, reason=reason)


def _is_at_once(order: PricedOrder) -> bool:
    return order.order_type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC


def _spelled(word: str) -> str:
    """Write the exchange's own word as people read it."""
    return _CAMEL.sub(lambda it: " " + it.group().lower(), word).replace("_", " ").strip()
