"""The history endpoints' view of what happened to orders: events, newest first, numbers as text."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.fakes.exchange import Cause, Fill, Order, State
from tests.fakes.krakenfutures.rows import Row, history_order
from tests.fakes.krakenfutures.words import millis


class History:
    """The events of GET /api/history/v2/orders and /triggers."""

    def __init__(self, account_uid: str, clock: Callable[[], datetime]) -> None:
        self._account_uid = account_uid
        self._clock = clock
        self._events: list[tuple[str, Row]] = []
        self._last: dict[str, Row] = {}

    def placed(self, order: Order) -> None:
        """An order was taken; what it filled at once is in the same event."""
        if order.state is State.WAITING:
            self._add("triggers", "OrderTriggerPlaced", order, {"reason": "new_user_order"})
            return
        name = "OrderRejected" if _rejected(order) else "OrderPlaced"
        self._add("orders", name, order, {"reason": "new_user_order", "reducedQuantity": ""})

    def changed(self, order: Order, fill: Fill | None) -> None:
        """An order that was taken before changed."""
        match order.cause:
            case Cause.PLACED:
                self.placed(order)
            case Cause.FILLED:
                reason = "full_fill" if order.state is State.FILLED else "partial_fill"
                self._updated(order, reason)
            case Cause.EDITED:
                self._updated(order, "edited_by_user")
            case Cause.TRIGGERED:
                self._add("triggers", "OrderTriggerActivated", order, {})
            case _ if order.kind.waits and not order.triggered:
                self._add("triggers", "OrderTriggerCancelled", order, {"reason": "cancelled"})
            case _:
                self._add("orders", "OrderCancelled", order, {"reason": "cancelled_by_user"})

    def page(self, kind: str, params: dict[str, Any]) -> Row:
        """An answer: since and before are milliseconds, count and sort as asked."""
        since, before = int(params.get("since", 0)), int(params.get("before", 1 << 62))
        found = [
            event
            for of, event in self._events
            if of == kind and since <= int(event["timestamp"]) < before
        ]
        if params.get("sort", "desc") == "desc":
            found.reverse()
        found = found[: int(params.get("count", 100))]
        return {"accountUid": self._account_uid, "len": len(found), "elements": found}

    def _updated(self, order: Order, reason: str) -> None:
        old = self._last.get(order.id, {})
        new = history_order(order, self._account_uid)
        what = {"oldOrder": old, "newOrder": new, "reason": reason, "reducedQuantity": ""}
        self._append("orders", "OrderUpdated", what)
        self._last[order.id] = new

    def _add(self, kind: str, name: str, order: Order, more: Row) -> None:
        row = history_order(order, self._account_uid)
        self._last[order.id] = row
        self._append(kind, name, {"order": row, **more})

    def _append(self, kind: str, name: str, what: Row) -> None:
        uid = str(UUID(int=(9 << 96) | len(self._events), version=4))
        event = {"uid": uid, "timestamp": str(millis(self._clock())), "event": {name: what}}
        self._events.append((kind, event))


def _rejected(order: Order) -> bool:
    return not order.filled and order.cause in (Cause.NO_LIQUIDITY, Cause.WOULD_NOT_REDUCE)
