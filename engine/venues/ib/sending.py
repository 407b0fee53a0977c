"""Orders and cancels on their way out, and what the broker's errors say of them.

An order leaves within the call that places it. What surely never left is reported as refused; what
may have left and was not answered is reported as unanswered, never as refused.
"""

from collections.abc import Callable
from functools import partial

from ib_insync.contract import Contract

from engine.desk.facts import (
    OrderReport,
    OrderReported,
    OrderUnanswered,
    PositionRow,
)
from engine.desk.text import clean_text
from engine.venues.between import not_sent
from engine.venues.ib import codes
from engine.venues.ib.book import Book
from engine.venues.ib.link import Link
from engine.venues.ib.orders import OrderBook, Tracked, Verdict
from engine.venues.ib.pacer import Lane
from engine.venues.ib.settings import IbSettings
from engine.venues.ib.translate import contract_of, order_of, probe_of
from engine.venues.ib.wire import IbOrder
from engine.venues.port import PricedOrder

_NO_PROBE = -1


class Sending:
    """can_trade: None until the broker showed it. changed is called when it changes."""

    def __init__(
        self,
        link: Link,
        settings: IbSettings,
        orders: OrderBook,
        book: Book,
        changed: Callable[[], None],
    ) -> None:
        self._link = link
        self._settings = settings
        self._orders = orders
        self._book = book
        self._changed = changed
        self._contracts: dict[str, Contract] = {}
        self._probe = _NO_PROBE
        self.can_trade: bool | None = None
        self.refusal = ""

    def place(self, order: PricedOrder) -> None:
        """Send an order now; one that lives under this name already is not sent again."""
        known = self._orders.named(order.client_order_id)
        if known is not None and (known.is_live or known.report is OrderReport.FILLED):
            self._link.warn("duplicate", f"order {known.ref} is known already: not sent again")
            self._book.ask()
            return
        ref = order.instrument.ref
        contract = self._contracts.get(ref) or contract_of(order.instrument)
        if contract is None:
            self.refuse(order.client_order_id, f"{order.instrument.name} is unknown to the broker")
            return
        self._contracts[ref] = contract
        tracked = self._orders.sending(order.client_order_id, self._link.client.getReqId())
        send = partial(self._send, tracked, contract, order_of(order))
        self._link.pacer.send(Lane.ORDERS, send)

    def prepare(self, ref: str, contract: Contract) -> None:
        """Keep a contract ready, so that placing its order is no more than writing it."""
        self._contracts.setdefault(ref, contract)

    def cancel(self, ref: str) -> None:
        """Cancel a working order; the broker's next report of it is the outcome."""
        tracked = self._orders.named(ref)
        if tracked is None or tracked.order_id is None or not tracked.is_live:
            self._book.ask()
        elif tracked.client_id != self._settings.client_id:
            self._link.warn(
                "cancel",
                f"order {ref} was placed by API client {tracked.client_id};"
                f" client {self._settings.client_id} cannot cancel it",
            )
        else:
            cancel = partial(self._link.client.cancelOrder, tracked.order_id)
            self._link.ask(Lane.ORDERS, cancel)

    def refuse(self, ref: str, reason: str) -> None:
        """Report an order that surely never left."""
        self._link.emit(not_sent(self._link.venue, ref, reason))

    def abandon(self, reason: str) -> None:
        """The way to the broker is lost: say what is known of orders it has not answered."""
        for tracked in self._orders.undecided():
            if tracked.left_at:
                self._link.emit(OrderUnanswered(client_order_id=tracked.ref, reason=reason))
            else:
                self._fail_unsent(tracked, reason)

    def error(self, request: int, code: int, text: str) -> bool:
        """Take an error; False when it is about no order of ours."""
        if request == self._probe:
            if codes.is_read_only(code, text):
                self._probe = _NO_PROBE
                self.deny(text)
            return True
        tracked = self._orders.sent_by_us(request)
        if tracked is None:
            return False
        verdict = self._orders.error(tracked, code, text)
        self._book.order(tracked)
        match verdict:
            case Verdict.REFUSED:
                self.deny(text)
            case Verdict.UNANSWERED:
                reason = f"{code}: {clean_text(text)}"
                unanswered = OrderUnanswered(client_order_id=tracked.ref, reason=reason)
                self._link.emit(unanswered)
                self._book.ask()
            case Verdict.ASK:
                self._book.ask()
            case Verdict.SETTLED:
                pass
        if code == codes.DUPLICATE_ORDER_ID:
            self._link.ask(Lane.ORDERS, partial(self._link.client.reqIds, 1))
        return True

    def accepted(self, tracked: Tracked | None) -> None:
        """An order of ours is in the broker's book, so the API takes orders."""
        if tracked is not None and tracked.left_at and tracked.report is OrderReport.WORKING:
            self._may(True, "")

    def deny(self, text: str) -> None:
        self._may(False, clean_text(text))

    def probe(self, row: PositionRow) -> None:
        """Ask "what if" about one unit of something held, to learn whether orders are taken.

        Once, and again after each refusal: somebody may have switched read-only off meanwhile.
        """
        contract = contract_of(row.instrument)
        if self._probe == _NO_PROBE and self.can_trade is not True and contract is not None:
            self._probe = self._link.client.getReqId()
            order = probe_of(row.account, held=row.quantity)
            send = partial(self._link.client.placeOrder, self._probe, contract, order)
            self._link.ask(Lane.DATA, send)

    def is_probe(self, order_id: int, order: IbOrder) -> bool:
        """Whether an open order is the answer to the probe, which is then settled."""
        if order_id == self._probe:
            self._may(True, "")
        return order_id == self._probe or order.whatIf

    def _send(self, tracked: Tracked, contract: Contract, order: IbOrder) -> None:
        if tracked.report is not None:
            return
        if not self._link.client.isConnected():
            self._fail_unsent(tracked, "the link is down")
            return
        assert tracked.order_id is not None
        tracked.left_at = self._link.now()
        self._link.client.placeOrder(tracked.order_id, contract, order)

    def _fail_unsent(self, tracked: Tracked, reason: str) -> None:
        self._orders.fail_unsent(tracked, reason)
        if tracked.row is not None:
            self._link.emit(OrderReported(venue=self._link.venue, row=tracked.row))

    def _may(self, can_trade: bool, refusal: str) -> None:
        if (can_trade, refusal) != (self.can_trade, self.refusal):
            self.can_trade, self.refusal = can_trade, refusal
            self._changed()
