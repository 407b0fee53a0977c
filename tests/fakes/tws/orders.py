"""What becomes of orders and cancels: refused, rested, filled, lost, and which rows tell of it.

Order of work for an order that arrives: record it, refuse what IB refuses, take the policy of its
contract, answer. It never looks at hours: a test that wants a session closed sets a policy.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from tests.fakes.tws import messages, requests
from tests.fakes.tws.book import ContractQuery, ExecutionRow, WorkingOrder
from tests.fakes.tws.core import Core
from tests.fakes.tws.policy import (
    AS_TWS,
    Answer,
    CancelAnswer,
    Notice,
    OrderPolicy,
    Row,
    reason,
)
from tests.fakes.tws.records import CancelRecord, OrderRecord, Side, Status
from tests.fakes.tws.session import Session
from tests.fakes.tws.wire import Field

_AUTO = OrderPolicy()
_COMMISSION = Decimal(1)


class Orders(Core):
    """The order desk of TWS."""

    _policies: dict[int | None, list[tuple[OrderPolicy, int | None]]]
    _cancel_answers: dict[int | None, CancelAnswer]
    _held_rows: list[Callable[[], None]]

    # Arrival

    def arrived_order(self, session: Session, arrived_ns: int, fields: tuple[str, ...]) -> None:
        """Take a placeOrder message all the way to its answer."""
        client_id = session.client_id
        assert client_id is not None
        order_id = int(fields[1])
        known = self.book.orders.get((client_id, order_id))
        modifies = known is not None and not known.status.is_done
        record = requests.order(fields, client_id, arrived_ns, modifies=modifies)
        self.orders.append(record)
        refusal = self._refusal(record, known)
        if refusal is not None:
            self.say(session, order_id, refusal.code, refusal.text)
        elif known is not None:
            self._modify(known, record)
        else:
            self._open(record)
        self.changed()

    def _modify(self, order: WorkingOrder, record: OrderRecord) -> None:
        """Change a working order; a change that is refused or lost leaves it as it was."""
        policy = self._take_policy(record.con_id)
        if policy.answer is Answer.REJECT:
            self._tell(order, messages.error(order.order_id, policy.code, policy.text))
        elif policy.answer is not Answer.LOST:
            order.record = replace(record, account=order.record.account)
            self._answer(order, policy)

    def _open(self, record: OrderRecord) -> None:
        order = WorkingOrder(
            record=replace(record, account=record.account or self.book.accounts[0]),
            client_id=record.client_id,
            order_id=record.order_id,
            perm_id=self.book.new_perm_id(),
            status=Status.PRE_SUBMITTED,
        )
        if record.what_if:
            self._preview(order)
            return
        self.book.orders[(record.client_id, record.order_id)] = order
        self.book.next_order_id = max(self.book.next_order_id, record.order_id + 1)
        if record.transmit:
            self._answer(order, self._take_policy(record.con_id))
        else:
            self._acknowledge(order, Status.PRE_SUBMITTED)

    def _preview(self, order: WorkingOrder) -> None:
        """Answer a what-if order: its margin and nothing else, or why it would be refused."""
        policy = self._policies.get(order.record.con_id, [])[-1:]
        if policy and policy[0][0].answer is Answer.REJECT:
            refused = policy[0][0]
            self._tell(order, messages.error(order.order_id, refused.code, refused.text))
            return
        one = self.book.instrument(order.record.con_id)
        told = messages.open_order(one, order, previews_margin=self.faults.previews_margin)
        self._tell(order, told)

    def _refusal(self, record: OrderRecord, known: WorkingOrder | None) -> Notice | None:
        """Say what IB itself refuses."""
        if self.faults.read_only:
            return Notice(code=321, text=reason(321))
        used = [o for c, o in self.book.orders if c == record.client_id]
        if not record.modifies and (known or record.order_id <= max(used, default=-1)):
            return Notice(code=103, text=reason(103))
        query = ContractQuery(con_id=record.con_id)
        if not self.book.find(query):
            return Notice(code=200, text=reason(200))
        cause = ""
        if not record.exchange:
            cause = "Missing order exchange"
        elif record.account not in self.book.accounts and (
            record.account or len(self.book.accounts) > 1
        ):
            if not record.account:
                return Notice(code=435, text=reason(435))
            cause = f"Invalid account code '{record.account}'"
        elif record.quantity <= 0:
            cause = "The size value cannot be zero"
        elif known is not None and record.quantity <= known.filled:
            cause = "The size value cannot be below what is filled"
        if cause:
            return Notice(code=321, text=f"Error validating request.-'bW' : cause - {cause}")
        one = self.book.instrument(record.con_id)
        if record.limit_price is not None and not self.book.conforms(one, record.limit_price):
            return Notice(code=110, text=reason(110))
        return None

    def _take_policy(self, con_id: int) -> OrderPolicy:
        """The policy of this contract, else the general one; count it where it is counted."""
        for key in (con_id, None):
            stack = self._policies.get(key, [])
            if not stack:
                continue
            policy, left = stack.pop()
            if left is None:
                stack.append((policy, None))
            elif left > 1:
                stack.append((policy, left - 1))
            return policy
        return _AUTO

    # Answers

    def _answer(self, order: WorkingOrder, policy: OrderPolicy) -> None:
        order.held_rows = policy.held
        order.copies = policy.copies
        order.auto = policy.answer is Answer.AUTO
        for notice in policy.notices:
            self._tell(order, messages.error(order.order_id, notice.code, notice.text))
        match policy.answer:
            case Answer.LOST:
                self.book.orders.pop((order.client_id, order.order_id), None)
            case Answer.REJECT:
                self._reject(order, policy)
            case Answer.REST:
                order.status = policy.rest_status
                if policy.acknowledge:
                    self._acknowledge(order, order.status)
            case Answer.AUTO:
                price = self.book.marketable_price(order)
                order.status = policy.rest_status
                waits = price is None or policy.rest_status is Status.PRE_SUBMITTED
                self._acknowledge(order, order.status if waits else Status.PRE_SUBMITTED)
                if price is not None and not waits:
                    self.fill(order, order.remaining, policy.price or price, policy.rows)
            case Answer.FILL | Answer.PARTIAL:
                if policy.acknowledge:
                    self._acknowledge(order, Status.PRE_SUBMITTED)
                order.status = Status.SUBMITTED
                whole = (order.remaining,) if policy.answer is Answer.FILL else policy.sizes
                for size in whole:
                    if order.remaining:
                        self.fill(order, min(size, order.remaining), policy.price, policy.rows)
            case _:
                assert_never(policy.answer)

    def _acknowledge(self, order: WorkingOrder, status: Status) -> None:
        one = self.book.instrument(order.record.con_id)
        self._tell(order, messages.open_order(one, order, status))
        self._tell(order, messages.order_status(order, status))

    def _reject(self, order: WorkingOrder, policy: OrderPolicy) -> None:
        if policy.reject_status is None:
            self.book.orders.pop((order.client_id, order.order_id), None)
        else:
            self.book.finish(order, policy.reject_status, self.now())
            self._acknowledge(order, order.status)
        self._tell(order, messages.error(order.order_id, policy.code, policy.text))

    def _tell(self, order: WorkingOrder, fields: tuple[Field, ...]) -> None:
        """Send a row to whom the order belongs, now or on release_answers()."""

        def send() -> None:
            for session in self.owners(order.client_id):
                for _ in range(order.copies):
                    session.send(fields)

        self._now_or_held(order, send)

    def _now_or_held(self, order: WorkingOrder, act: Callable[[], None]) -> None:
        if order.held_rows:
            self._held_rows.append(act)
        else:
            act()

    def fill(
        self,
        order: WorkingOrder,
        quantity: Decimal,
        price: Decimal | None = None,
        rows: tuple[Row, ...] = AS_TWS,
    ) -> ExecutionRow:
        """Fill part or all of an order; the price is the one given, else the quote's, the limit."""
        record = order.record
        if not 0 < quantity <= order.remaining:
            raise ValueError(f"cannot fill {quantity} of {order.remaining} remaining")
        shown = self.book.marketable_price(order)
        price = price or shown or record.limit_price or Decimal(1)
        before = order.average_price * order.filled
        order.filled += quantity
        order.average_price = (before + price * quantity) / order.filled
        order.last_price = price
        row = self.execute(
            con_id=record.con_id,
            account=record.account,
            side=record.action,
            shares=quantity,
            price=price,
            order=order,
        )
        if not order.remaining:
            self.book.finish(order, Status.FILLED, self.now())
        self._tell_fill(order, row, rows)
        self._cancel_group(order)
        self.changed()
        return row

    def execute(
        self,
        *,
        con_id: int,
        account: str,
        side: Side,
        shares: Decimal,
        price: Decimal,
        order: WorkingOrder | None = None,
        perm_id: int = 0,
        client_id: int = 0,
        order_id: int = 0,
        order_ref: str = "",
        liquidation: bool = False,
    ) -> ExecutionRow:
        """Book a trade and its execution; tell nobody."""
        one = self.book.instrument(con_id)
        before = self.book.held(account, con_id)
        delta = side.sign * shares
        realized: Decimal | None = None
        if before.quantity * delta < 0:
            closed = min(abs(before.quantity), shares).copy_sign(before.quantity)
            realized = (price * one.unit - before.average_cost) * closed - _COMMISSION
        self.book.change(account, con_id, delta, price * one.unit)
        row = ExecutionRow(
            exec_id=self.book.new_exec_id(),
            con_id=con_id,
            account=account,
            side=side,
            shares=shares,
            price=price,
            at=self.now(),
            perm_id=order.perm_id if order else perm_id,
            client_id=order.client_id if order else client_id,
            order_id=order.order_id if order else order_id,
            order_ref=order.record.order_ref if order else order_ref,
            liquidation=liquidation,
            cum_quantity=order.filled if order else shares,
            average_price=order.average_price if order else price,
            commission=_COMMISSION,
            realized=realized,
        )
        self.book.executions.append(row)
        return row

    def _tell_fill(self, order: WorkingOrder, row: ExecutionRow, rows: tuple[Row, ...]) -> None:
        one = self.book.instrument(row.con_id)
        details, commission = self.execution_rows(-1, row)
        for kind in rows:
            match kind:
                case Row.OPEN_ORDER:
                    self._tell(order, messages.open_order(one, order))
                case Row.STATUS:
                    self._tell(order, messages.order_status(order))
                case Row.EXECUTION:
                    self._tell(order, details)
                case Row.COMMISSION:
                    self._tell(order, commission)
                case Row.POSITION:
                    self._now_or_held(order, lambda: self._tell_position(order.copies, row))
                case _:
                    assert_never(kind)

    def _tell_position(self, copies: int, row: ExecutionRow) -> None:
        for _ in range(copies):
            self.push_position(row.account, row.con_id)
        self.push_portfolio(row.account, row.con_id)

    def _cancel_group(self, filled: WorkingOrder) -> None:
        """One of a group that cancels the others was filled."""
        group = filled.record.oca_group
        for other in self.book.working():
            if group and other is not filled and other.record.oca_group == group:
                self.cancel_working(other)

    def match_resting(self, con_id: int) -> None:
        """Fill the orders that a new quote made marketable."""
        for order in self.book.working():
            if order.auto and order.record.con_id == con_id and order.status is Status.SUBMITTED:
                price = self.book.marketable_price(order)
                if price is not None:
                    self.fill(order, order.remaining, price)

    # Cancels

    def cancel_working(self, order: WorkingOrder) -> None:
        """Cancel a working order and tell its owner."""
        self.book.finish(order, Status.CANCELLED, self.now())
        self._tell(order, messages.order_status(order))
        self._tell(order, messages.error(order.order_id, 202, reason(202)))
        self.changed()

    def arrived_cancel(self, session: Session, arrived_ns: int, fields: tuple[str, ...]) -> None:
        """Answer cancelOrder: 202, or why not."""
        client_id, order_id = session.client_id, int(fields[2])
        assert client_id is not None
        self.cancels.append(
            CancelRecord(arrived_ns=arrived_ns, client_id=client_id, order_id=order_id)
        )
        order = self.book.orders.get((client_id, order_id))
        answer = CancelAnswer.NORMAL
        if order is not None:
            general = self._cancel_answers.get(None, CancelAnswer.NORMAL)
            answer = self._cancel_answers.get(order.record.con_id, general)
        if self.faults.read_only:
            self.say(session, order_id, 321)
        elif order is None or answer is CancelAnswer.NOT_FOUND:
            text = f"OrderId {order_id} that needs to be cancelled is not found."
            self.say(session, order_id, 10147, text)
        elif order.status.is_done or answer is CancelAnswer.FILL_FIRST:
            if not order.status.is_done:
                self.fill(order, order.remaining)
            self.say(
                session,
                order_id,
                10148,
                f"OrderId {order_id} that needs to be cancelled can not be cancelled,"
                f" state: {order.status}.",
            )
        elif answer is CancelAnswer.NORMAL:
            self.cancel_working(order)
        self.changed()

    def cancel_all(self) -> None:
        """reqGlobalCancel."""
        for order in self.book.working():
            self.cancel_working(order)
