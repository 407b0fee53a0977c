"""What this connection knows of the accounts: positions, executions and our orders.

Until a question was answered completely nothing is told, only gathered; then one BookSnapshot, and
from there on every row that is news, at once. One question is under way at a time.
"""

from collections.abc import Callable, Iterator
from functools import partial

from ib_insync.contract import Contract
from ib_insync.objects import Execution as IbExecution

from engine.desk.facts import (
    BookSnapshot,
    ExecutionReported,
    OrderReported,
    OrderRow,
    PositionReported,
    PositionRow,
)
from engine.desk.instruments import Instrument
from engine.venues.ib.link import Link
from engine.venues.ib.orders import OrderBook, Tracked
from engine.venues.ib.pacer import Lane, Timer
from engine.venues.ib.question import DISPENSABLE, EndMarks, Part, Question
from engine.venues.ib.settings import IbSettings
from engine.venues.ib.translate import cost_of, decimal_of, execution_of, instrument_of
from engine.venues.ib.wire import ExecutionFilter

_MANY = 200
"""So many rows are told in a turn of the loop of their own, not in the one that read the last."""

CallLater = Callable[[float, Callable[[], None]], Timer]


class Book:
    """known: (account, ref) -> last row; understood: contract id -> contract, and what it is to us.
    changed is called when is_known or detail changed, moved when what is held did."""

    def __init__(
        self,
        link: Link,
        settings: IbSettings,
        orders: OrderBook,
        *,
        call_later: CallLater,
        changed: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        self._link = link
        self._settings = settings
        self._orders = orders
        self._call_later = call_later
        self._changed = changed
        self._moved = moved
        self._accounts: tuple[str, ...] = ()
        self._known: dict[tuple[str, str], PositionRow] = {}
        self._understood: dict[int, tuple[Contract, Instrument | None]] = {}
        self._revisions: dict[str, int] = {}
        self._told: dict[str, OrderRow] = {}
        self._question: Question | None = Question()
        self._ends = EndMarks()
        self._patience: Timer | None = None
        self._settling: list[Timer] = []
        self.is_known = False
        self.detail = "asking for positions, orders and executions"

    def held(self) -> Iterator[PositionRow]:
        return (row for row in self._known.values() if row.quantity)

    # Asking

    def begin(self, accounts: tuple[str, ...]) -> None:
        """Ask for everything; rows of other accounts are left alone from now on."""
        self._accounts = accounts
        self.ask_anew()

    def ask_anew(self) -> None:
        """Ask for everything again: positions gathered so far may have changed unseen."""
        question = self._question or Question()
        question.positions.clear()
        question.unreadable = ""
        question.waiting = set(Part)
        self._start(question)

    def ask(self) -> None:
        """Ask, unless a question is under way or all must wait."""
        if self.is_known and self._question is None:
            self._start(Question())

    def freeze(self) -> None:
        """Know nothing for certain any more; go on gathering."""
        self.is_known = False
        self._question = Question()
        self._stop_waiting()

    def close(self) -> None:
        self.is_known = False
        self._stop_waiting()

    # Rows

    def position(self, account: str, contract: Contract, held: float, cost: float) -> None:
        if account not in self._accounts:
            return
        instrument = self._instrument(contract)
        if instrument is None:
            name = f"{contract.secType} {contract.localSymbol or contract.symbol}"
            self._link.warn("unguarded", f"{name} in {account} is not guarded here")
            return
        row = PositionRow(
            account=account,
            instrument=instrument,
            quantity=decimal_of(held),
            average_cost=cost_of(cost),
        )
        key = (account, instrument.ref)
        known = self._known.get(key)
        if self._question is not None:
            self._question.positions[key] = row
        if known == row:
            return
        self._known[key] = row
        if self.is_known:
            self._link.emit(PositionReported(venue=self._link.venue, row=row))
            self._moved()

    def _instrument(self, contract: Contract) -> Instrument | None:
        """Understand a contract, once each: the same object is the same contract."""
        known = self._understood.get(contract.conId)
        if known is None or known[0] is not contract:
            known = self._understood[contract.conId] = contract, instrument_of(contract)
        return known[1]

    def execution(self, contract: Contract, executed: IbExecution) -> None:
        if executed.acctNumber not in self._accounts:
            return
        execution = execution_of(contract, executed)
        if execution is None:
            return
        if self._question is not None:
            self._question.execution(execution)
        if self._revisions.get(execution.execution_id, 0) >= execution.revision:
            return
        if self.is_known:
            self._revisions[execution.execution_id] = execution.revision
            self._link.emit(ExecutionReported(venue=self._link.venue, execution=execution))

    def order(self, tracked: Tracked | None) -> None:
        """Take what an order became; None and older orders of the same name are of no interest."""
        if tracked is None or tracked.row is None or not self._orders.is_newest(tracked):
            return
        if self._question is not None:
            self._question.order(tracked.ref)
        if self.is_known and self._told.get(tracked.ref) != tracked.row:
            self._told[tracked.ref] = tracked.row
            self._link.emit(OrderReported(venue=self._link.venue, row=tracked.row))

    def unreadable(self, what: str) -> None:
        """A message of the book could not be read: ask, and conclude nothing until it can be."""
        if self._question is None:
            self.ask()
        else:
            self._question.unreadable = what

    # End markers

    def ended(self, part: Part) -> None:
        if self._ends.came(part):
            self._answered(part)
        else:
            settle = partial(self._settle, part)
            self._settling.append(self._call_later(self._settings.settle_seconds, settle))

    def executions_ended(self, request: int) -> None:
        if self._question is not None and self._question.execution_request == request:
            self._answered(Part.EXECUTIONS)

    def refused_orders(self) -> None:
        """The API is read-only: questions about orders are not answered."""
        for part in (Part.OPEN_ORDERS, Part.COMPLETED_ORDERS):
            self._ends.refused(part)
            self._answered(part)

    # Inside

    def _start(self, question: Question) -> None:
        self._question = question
        question.asked_at = None
        self._stop_waiting()
        self._ends.begin()
        self._send(question)

    def _send(self, question: Question) -> None:
        """Send the requests of what is missing, all within one call."""
        self._patience = self._call_later(self._settings.answer_seconds, self._late)
        client = self._link.client
        requests: dict[Part, tuple[Callable[[], None], ...]] = {
            Part.POSITIONS: (client.reqPositions,),
            Part.OPEN_ORDERS: (client.reqOpenOrders, client.reqAllOpenOrders),
            Part.EXECUTIONS: (partial(self._ask_executions, question),),
            Part.COMPLETED_ORDERS: (partial(client.reqCompletedOrders, False),),
        }
        for part in Part:
            if part in question.waiting:
                if part is not Part.EXECUTIONS:
                    self._ends.asked(part, len(requests[part]))
                for request in requests[part]:
                    self._link.ask(Lane.QUESTIONS, partial(self._stamped, question, request))

    def _stamped(self, question: Question, request: Callable[[], None]) -> None:
        if question.asked_at is None:
            question.asked_at = self._link.now()
        request()

    def _ask_executions(self, question: Question) -> None:
        question.execution_request = self._link.client.getReqId()
        self._link.client.reqExecutions(question.execution_request, ExecutionFilter())

    def _settle(self, part: Part) -> None:
        if self._ends.settle(part):
            self._answered(part)

    def _answered(self, part: Part) -> None:
        question = self._question
        if question is None or question.asked_at is None:
            return
        question.waiting.discard(part)
        if not question.is_complete:
            return
        if len(question.positions) < _MANY:
            self._conclude(question)
            return
        self._settling.append(self._call_later(0.0, partial(self._conclude, question)))

    def _late(self) -> None:
        """The answer is not complete in time: say so, and ask again for what is missing."""
        self._patience = None
        for part in tuple(self._question.waiting if self._question else ()):
            self._settle(part)
        question = self._question
        if question is None:
            return
        if question.waiting <= DISPENSABLE and not question.unreadable:
            if question.waiting:
                lacking = ", ".join(part.value for part in question.waiting)
                self._link.warn("incomplete", f"the broker does not tell its {lacking}")
            question.waiting.clear()
            self._conclude(question)
            return
        self.is_known = False
        self.detail = question.lacks
        self._changed()
        if question.unreadable:
            self.ask_anew()
        else:
            self._send(question)

    def _conclude(self, question: Question) -> None:
        """Tell the picture, if everything in it could be read."""
        if question.unreadable or question.asked_at is None:
            self.is_known = False
            self.detail = question.lacks
            self._changed()
            return
        self._question = None
        self._stop_waiting()
        self._known = question.positions
        self._revisions |= {one.execution_id: one.revision for one in question.executions.values()}
        orders = question.order_rows(self._orders)
        self._orders.missing(question.named_orders(), question.asked_at)
        self._told |= {row.client_order_id: row for row in orders}
        self._link.emit(
            BookSnapshot(
                venue=self._link.venue,
                asked_at=question.asked_at,
                accounts=self._accounts,
                positions=tuple(question.positions.values()),
                executions=tuple(question.executions.values()),
                orders=orders,
            )
        )
        self.is_known = True
        self._changed()
        self._moved()

    def _stop_waiting(self) -> None:
        for timer in (self._patience, *self._settling):
            if timer is not None:
                timer.cancel()
        self._patience = None
        self._settling.clear()

    def instruments(self) -> Iterator[Instrument]:
        return (row.instrument for row in self.held())
