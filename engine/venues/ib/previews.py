"""What-if orders: the broker works out what an order would do to the margin, and places nothing.

They go last, one at a time, and are remembered under ids of their own; what comes back about one of
those is an answer here and never reaches our orders.
"""

import math
from collections import deque
from decimal import Decimal
from functools import partial

from ib_insync.order import OrderState as IbOrderState

from engine.desk.facts import OrderPreviewed
from engine.desk.intents import PreviewOrder
from engine.desk.text import clean_text
from engine.venues.ib import codes
from engine.venues.ib.link import Link
from engine.venues.ib.pacer import Lane
from engine.venues.ib.translate import contract_of, decimal_of, what_if_of

_NONE = 1e300
_PATIENCE_SECONDS = 10.0
_MOST_WAITING = 500


class Previews:
    """One question is out at a time; asked are all of this connection's by their order id."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[PreviewOrder] = deque(maxlen=_MOST_WAITING)
        self._asked: dict[int, PreviewOrder] = {}
        self._out: int | None = None
        self._asked_at = 0.0

    def ask(self, preview: PreviewOrder) -> None:
        self._waiting.append(preview)
        self._next()

    def take(self, order_id: int, state: IbOrderState) -> bool:
        """Take an open order; False when it is no answer of ours."""
        preview = self._asked.get(order_id)
        if preview is None:
            return False
        self._link.emit(
            OrderPreviewed(
                venue=self._link.venue,
                preview_id=preview.preview_id,
                initial_margin_change=figure_of(state.initMarginChange),
                maintenance_margin_change=figure_of(state.maintMarginChange),
                commission=figure_of(state.commission),
                currency=clean_text(state.commissionCurrency),
                refusal=clean_text(state.warningText),
            )
        )
        self._answered(order_id)
        return True

    def error(self, request: int, code: int, text: str) -> bool:
        """Take an error; False when it is about none of ours."""
        preview = self._asked.get(request)
        if preview is None:
            return False
        if codes.is_informative(code) or code in codes.ORDER_LIVES:
            return True
        refusal = f"{code}: {clean_text(text)}"
        self._link.emit(
            OrderPreviewed(venue=self._link.venue, preview_id=preview.preview_id, refusal=refusal)
        )
        self._answered(request)
        return True

    def tick(self) -> None:
        """Go on where an answer did not come."""
        if self._out is not None and self._link.clock() - self._asked_at >= _PATIENCE_SECONDS:
            self._answered(self._out)

    def _answered(self, order_id: int) -> None:
        if order_id == self._out:
            self._out = None
            self._next()

    def _next(self) -> None:
        if self._out is not None or not self._waiting:
            return
        preview = self._waiting.popleft()
        contract = contract_of(preview.instrument)
        if contract is None:
            self._next()
            return
        order_id = self._out = self._link.client.getReqId()
        self._asked[order_id] = preview
        self._asked_at = self._link.clock()
        order = what_if_of(preview.account, preview.side, preview.quantity)
        place = partial(self._link.client.placeOrder, order_id, contract, order)
        self._link.ask(Lane.FIGURES, place)


def figure_of(value: str | float) -> Decimal | None:
    """Read a figure of an order's state; the unset double, and what is no number, are None."""
    try:
        number = float(value)
    except ValueError:
        return None
    return decimal_of(number) if math.isfinite(number) and abs(number) < _NONE else None
