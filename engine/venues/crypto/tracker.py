"""Our orders as the venue's words about them add up: which ids belong together, what was filled.

Venues speak of an order by its own id, by our client id, or by a fill; here those become one row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from engine.desk.facts import Execution, OrderReport, OrderRow
from engine.desk.orders import is_ours
from engine.venues.port import PricedOrder

ZERO = Decimal(0)
_MOST_KEPT = 2000
_CUT = "no more could be executed"
_ENDED = (OrderReport.FILLED, OrderReport.CANCELLED, OrderReport.REJECTED)


@dataclass(slots=True)
class Tracked:
    """One order of ours. quantity is what was asked for, None where that is an amount to spend or
    we did not send it in this life; fills: execution id -> quantity; left_at: when it last left for
    the venue."""

    client_order_id: str
    quantity: Decimal | None = None
    venue_order_id: str = ""
    reported: Decimal = ZERO
    report: OrderReport | None = None
    reason: str = ""
    fills: dict[str, Decimal] = field(default_factory=dict)
    left_at: float | None = None

    @property
    def filled(self) -> Decimal:
        return max(self.reported, sum(self.fills.values(), ZERO))

    @property
    def has_ended(self) -> bool:
        return self.report in _ENDED

    @property
    def row(self) -> OrderRow:
        assert self.report is not None, "nothing was said of this order yet"
        return OrderRow(
            client_order_id=self.client_order_id,
            venue_order_id=self.venue_order_id,
            report=self.report,
            filled=self.filled,
            reason=self.reason,
        )


class OwnOrders:
    """Outlives connections: an id learned on one is known on the next."""

    def __init__(self) -> None:
        self._orders: dict[str, Tracked] = {}
        self._by_venue_id: dict[str, str] = {}

    def sending(self, order: PricedOrder, quantity: Decimal) -> Tracked:
        """Learn what an order asks for; quantity is what it comes to in whole steps."""
        tracked = self.named(order.client_order_id)
        tracked.quantity = None if order.spend is not None else quantity
        return tracked

    def named(self, client_order_id: str) -> Tracked:
        """Find what is known of an order, nothing at first."""
        found = self._orders.get(client_order_id)
        if found is None:
            found = self._orders[client_order_id] = Tracked(client_order_id)
            self._forget_oldest()
        return found

    def known(self, client_order_id: str) -> Tracked | None:
        return self._orders.get(client_order_id)

    def own_id(self, client_order_id: object, venue_order_id: object = None) -> str | None:
        """Our id of an order the venue names by either id; None where it is not ours."""
        text = str(client_order_id or "")
        if is_ours(text):
            if venue_order_id:
                self._join(text, str(venue_order_id))
            return text
        return self._by_venue_id.get(str(venue_order_id or ""))

    def alias(self, client_order_id: str, venue_order_id: str) -> None:
        """Learn that an order goes on under another id of the venue's."""
        self._by_venue_id[venue_order_id] = client_order_id

    def told(
        self,
        client_order_id: str,
        report: OrderReport,
        *,
        venue_order_id: object = None,
        filled: Decimal | None = None,
        reason: str = "",
    ) -> OrderRow:
        """Take what the venue says of an order; give its row.

        An order that ended does not come back to work because an older message is read late. One
        that is done with less than was asked for was cut down, and what it lacks was cancelled.
        """
        tracked = self.named(client_order_id)
        if venue_order_id:
            self._join(client_order_id, str(venue_order_id))
        if filled is not None:
            tracked.reported = max(tracked.reported, filled)
        asked = tracked.quantity
        if report is OrderReport.FILLED and asked is not None and tracked.filled < asked:
            report, reason = OrderReport.CANCELLED, reason or _CUT
        if not (tracked.has_ended and report is OrderReport.WORKING):
            tracked.report, tracked.reason = report, reason
        return tracked.row

    def executed(self, executions: Iterable[Execution]) -> None:
        for execution in executions:
            if execution.client_order_id is not None:
                tracked = self.named(execution.client_order_id)
                tracked.fills[execution.execution_id] = execution.quantity

    def _join(self, client_order_id: str, venue_order_id: str) -> None:
        self.named(client_order_id).venue_order_id = venue_order_id
        self._by_venue_id[venue_order_id] = client_order_id

    def _forget_oldest(self) -> None:
        if len(self._orders) <= _MOST_KEPT:
            return
        gone = self._orders.pop(next(iter(self._orders)))
        self._by_venue_id = {
            venue: own for venue, own in self._by_venue_id.items() if own != gone.client_order_id
        }
