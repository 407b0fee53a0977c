"""Our orders: how they are named, and what is known of each.

A client order id is derived from what the order is for, so a restarted engine derives the same one,
finds the order at the venue by it, and never sends twice.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import OrderPriced, OrderReport, OrderRow
from engine.desk.intents import AtMarket, PlaceOrder
from engine.desk.snapshot import OrderState, OrderView

_PREFIX = "bh"
_LENGTH = 28
# Base 32 without its look-alikes 0, 1, 8 and 9. Source: RFC 4648, section 6.
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_SHIFTS = range(256 - 5, 256 - 5 * (_LENGTH - len(_PREFIX)) - 1, -5)
_TERMINAL = (OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED)
_STATE_OF_REPORT = {
    OrderReport.WORKING: OrderState.WORKING,
    OrderReport.FILLED: OrderState.FILLED,
    OrderReport.CANCELLED: OrderState.CANCELLED,
    OrderReport.REJECTED: OrderState.REJECTED,
}


def client_order_id(account: str, strategy_id: str, episode: str, ref: str, attempt: int) -> str:
    """Derive an order's id: 28 lower-case alphanumerics, which every venue accepts."""
    text = "\x1f".join((account, strategy_id, episode, ref, str(attempt)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return _PREFIX + "".join([_DIGITS[number >> shift & 31] for shift in _SHIFTS])


def is_ours(order_id: str) -> bool:
    """Tell whether an id has the form we derive, even if the journal does not know it."""
    return (
        len(order_id) == _LENGTH
        and order_id.startswith(_PREFIX)
        and order_id.isascii()
        and order_id.isalnum()
        and order_id == order_id.lower()
    )


@dataclass(slots=True)
class Order:
    """One order of ours. executed counts executions; reported_filled is what the venue says was
    filled, which may run ahead of its executions. vanished: it ended by being gone from the venue's
    book. changed is where the floor keeps the orders that
    changed since it last looked. drawn is the view of it as last drawn."""

    intent: PlaceOrder
    at: datetime
    state: OrderState = OrderState.HELD
    reason: str = "being priced"
    terms: OrderPriced | None = None
    executed: Decimal = Decimal(0)
    reported_filled: Decimal = Decimal(0)
    unknown_since: datetime | None = None
    ended_at: datetime | None = None
    reconciled: bool = False
    cancel_asked: bool = False
    off_its_steps: bool = False
    vanished: bool = False
    changed: dict[str, "Order"] | None = field(default=None, repr=False, compare=False)
    drawn: OrderView | None = field(default=None, repr=False, compare=False)

    @property
    def remaining(self) -> Decimal:
        return self.intent.quantity - self.executed

    @property
    def spends(self) -> bool:
        """Whether it buys for an amount: its quantity is an expectation then, and only the venue
        knows when it is filled."""
        pricing = self.intent.pricing
        return isinstance(pricing, AtMarket) and pricing.spend is not None

    @property
    def is_terminal(self) -> bool:
        return self.state in _TERMINAL

    @property
    def blocks(self) -> bool:
        """Whether no other close of this instrument may go out: the order may still fill, or it
        ended and its executions have not all been seen."""
        if not self.is_terminal:
            return True
        return self.executed < self.reported_filled and not self.reconciled

    def report(self, row: OrderRow, now: datetime) -> bool:
        """Take what the venue says; True when it is news."""
        state = _STATE_OF_REPORT[row.report]
        if state is OrderState.FILLED and not self.spends:
            filled = max(row.filled, self.intent.quantity)
        else:
            filled = max(row.filled, self.reported_filled)
        if self.is_terminal and filled <= self.reported_filled:
            return False
        if (state, filled) == (self.state, self.reported_filled):
            return False
        if self.executed >= self.intent.quantity and not self.spends:
            state = OrderState.FILLED
        self.reported_filled = filled
        self.reason = row.reason
        self.off_its_steps = row.off_its_steps
        self._enter(state, now)
        return True

    def execute(self, quantity: Decimal, now: datetime) -> None:
        """Count an execution (negative when a correction lowers one)."""
        self.executed += quantity
        if self.executed >= self.intent.quantity and not self.spends:
            self._enter(OrderState.FILLED, now)
        elif self.state in (OrderState.SENDING, OrderState.UNKNOWN):
            self._enter(OrderState.WORKING, now)
        self._mark()

    def price(self, terms: OrderPriced, now: datetime) -> None:
        self.terms = terms
        self.reason = ""
        self._enter(OrderState.SENDING, now)

    def hold(self, reason: str) -> None:
        self.reason = reason
        self.state = OrderState.HELD
        self._mark()

    def reconcile(self, reconciled: bool) -> None:
        """Take it that a later snapshot showed, or did not, all of an ended order's executions."""
        self.reconciled = reconciled
        self._mark()

    def lose(self, reason: str, now: datetime) -> None:
        """Mark the order's fate unknown until the venue shows it or proves it absent."""
        self.reason = reason
        self._enter(OrderState.UNKNOWN, now)

    def end(self, state: OrderState, reason: str, now: datetime) -> None:
        self.reason = reason
        self._enter(state, now)

    def vanish(self, now: datetime) -> None:
        """The venue's book does not list it any more, and nothing said why."""
        self.vanished = True
        self.end(OrderState.CANCELLED, "no longer in the venue's book", now)

    def _enter(self, state: OrderState, now: datetime) -> None:
        self.state = state
        self.unknown_since = now if state is OrderState.UNKNOWN else None
        self.ended_at = now if state in _TERMINAL else None
        self._mark()

    def _mark(self) -> None:
        if self.changed is not None:
            self.changed[self.intent.client_order_id] = self
