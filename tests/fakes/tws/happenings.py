"""What happens to an account without its API client: assignments, exercises, expiries, settlement,
trades by hand, liquidations and corrections.

Each changes the book first and then pushes the rows asked for, in the order asked for.
"""

import time
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.fakes.channel.commands import command
from tests.fakes.tws import messages
from tests.fakes.tws.answers import Answers
from tests.fakes.tws.book import ExecutionRow, WorkingOrder
from tests.fakes.tws.policy import AS_TWS, Row
from tests.fakes.tws.records import (
    ZERO,
    ExecutionTiming,
    OptionEvent,
    OrderRecord,
    OrderView,
    Right,
    Rows,
    Side,
    Status,
)

TWS_UNSET_ORDER_ID = 2147483647


@dataclass(frozen=True, slots=True, kw_only=True)
class _Half:
    """One side of an option event: a signed change of one holding."""

    account: str
    con_id: int
    delta: Decimal
    cost: Decimal


class Happenings(Answers):
    """What the world does to the account."""

    _event_id: int
    _pending: dict[int, tuple[OptionEvent, _Half]]

    # Options

    @command
    def assign(
        self,
        con_id: int,
        contracts: Decimal | None = None,
        *,
        shares: Decimal | None = None,
        account: str | None = None,
        rows: Rows = Rows.OPTION_FIRST,
        executions: ExecutionTiming = ExecutionTiming.NONE,
        execution_price: Decimal | None = None,
        stock_cost: Decimal | None = None,
        under_con_id: int | None = None,
    ) -> OptionEvent:
        """Assign short contracts, all held unless told.

        shares is the signed delivery, contracts times multiplier unless told, 0 for none;
        stock_cost and execution_price are the strike unless told. The executions are orphans:
        orderId 0, permId 0.
        """
        one = self.book.instrument(con_id)
        whose = self.book.holder(con_id, account)
        held = -self.book.held(whose, con_id).quantity
        count = held if contracts is None else contracts
        if not 0 < count <= held:
            raise ValueError(f"cannot assign {count} of {held} short contracts of {con_id}")
        sign = 1 if one.right is Right.PUT else -1
        return self._option_event(
            whose, con_id, count, sign * count * one.unit if shares is None else shares,
            rows, executions, execution_price, stock_cost, under_con_id,
        )  # fmt: skip

    @command
    def assign_together(self, con_ids: tuple[int, ...]) -> int:
        """Assign all that is short of several contracts; every row comes in one packet. Returns
        monotonic_ns() just before it was handed to the socket."""
        for session in self._sessions:
            session.gather()
        for con_id in con_ids:
            self.assign(con_id)
        handed_ns = time.monotonic_ns()
        for session in self._sessions:
            session.let_go()
        return handed_ns

    @command
    def exercise(
        self,
        con_id: int,
        contracts: Decimal | None = None,
        *,
        shares: Decimal | None = None,
        account: str | None = None,
        rows: Rows = Rows.OPTION_FIRST,
        executions: ExecutionTiming = ExecutionTiming.NONE,
        execution_price: Decimal | None = None,
        stock_cost: Decimal | None = None,
        under_con_id: int | None = None,
    ) -> OptionEvent:
        """Exercise long contracts, all held unless told; the rest is as for assign."""
        one = self.book.instrument(con_id)
        whose = self.book.holder(con_id, account)
        held = self.book.held(whose, con_id).quantity
        count = held if contracts is None else contracts
        if not 0 < count <= held:
            raise ValueError(f"cannot exercise {count} of {held} long contracts of {con_id}")
        sign = 1 if one.right is Right.CALL else -1
        return self._option_event(
            whose, con_id, -count, sign * count * one.unit if shares is None else shares,
            rows, executions, execution_price, stock_cost, under_con_id,
        )  # fmt: skip

    @command
    def expire(
        self,
        con_id: int,
        *,
        account: str | None = None,
        rows: Rows = Rows.OPTION_ONLY,
        executions: ExecutionTiming = ExecutionTiming.NONE,
        resolves: bool = False,
    ) -> OptionEvent:
        """Let a holding expire worthless; the contract then no longer resolves unless told."""
        whose = self.book.holder(con_id, account)
        event = self._option_event(
            whose, con_id, -self.book.held(whose, con_id).quantity, ZERO,
            rows, executions, ZERO, None, None,
        )  # fmt: skip
        self.book.instruments[con_id] = replace(self.book.instrument(con_id), resolves=resolves)
        return event

    @command
    def cash_settle(
        self,
        con_id: int,
        *,
        settlement_value: Decimal = ZERO,
        account: str | None = None,
        rows: Rows = Rows.OPTION_ONLY,
        executions: ExecutionTiming = ExecutionTiming.NONE,
    ) -> OptionEvent:
        """Settle a holding in cash at a value per unit: the option goes, cash moves, no stock."""
        whose = self.book.holder(con_id, account)
        held = self.book.held(whose, con_id).quantity
        event = self._option_event(
            whose, con_id, -held, ZERO, rows, executions, settlement_value, None, None
        )
        cash = Decimal(self.book.account_values[(whose, "TotalCashValue", "USD")])
        cash += held * settlement_value * self.book.instrument(con_id).unit
        self.set_account_value(whose, "TotalCashValue", str(cash), "USD")
        return event

    @command
    def set_account_value(self, account: str, tag: str, value: str, currency: str = "") -> None:
        """Change an account value and push it (messages 6 and 63)."""
        self.book.account_values[(account, tag, currency)] = value
        for session in self._sessions:
            if session.account_updates == account:
                session.send(messages.account_value(account, tag, currency, value))
            for request, tags in session.account_summaries.items():
                if tag in tags:
                    session.send(messages.account_summary(request, account, tag, currency, value))

    def _option_event(
        self,
        account: str,
        con_id: int,
        delta: Decimal,
        shares: Decimal,
        rows: Rows,
        executions: ExecutionTiming,
        execution_price: Decimal | None,
        stock_cost: Decimal | None,
        under_con_id: int | None,
    ) -> OptionEvent:
        one = self.book.instrument(con_id)
        under = one.under_con_id if under_con_id is None else under_con_id
        cost = one.strike if stock_cost is None else stock_cost
        option = _Half(account=account, con_id=con_id, delta=delta, cost=ZERO)
        stock = _Half(account=account, con_id=under, delta=shares, cost=cost)
        halves = [half for half in (option, stock) if half.delta]
        if rows in (Rows.STOCK_FIRST, Rows.STOCK_ONLY):
            halves.reverse()
        later = halves[1:] if rows in (Rows.OPTION_ONLY, Rows.STOCK_ONLY) else []
        done = halves[: len(halves) - len(later)]
        price = one.strike if execution_price is None else execution_price
        facts = [self._orphan(half, price) for half in done if executions != "none"]
        for half in done:
            if executions == "none":
                self.book.change(half.account, half.con_id, half.delta, half.cost)
        if executions is ExecutionTiming.BEFORE:
            self._push_all(facts)
        stamps = [self.push_position(h.account, h.con_id) for h in done if rows is not Rows.UNSAID]
        if rows is not Rows.UNSAID:
            for half in done:
                self.push_portfolio(half.account, half.con_id)
        if executions is ExecutionTiming.AFTER:
            self._push_all(facts)
        self._event_id += 1
        event = OptionEvent(
            event_id=self._event_id,
            account=account,
            con_id=con_id,
            contracts=delta,
            under_con_id=under,
            shares=shares,
            pending=bool(later),
            first_row_ns=stamps[0] if stamps else None,
            second_row_ns=stamps[1] if len(stamps) > 1 else None,
            exec_ids=tuple(row.exec_id for row in facts),
        )
        if later:
            self._pending[event.event_id] = (event, later[0])
        self.changed()
        return event

    def _orphan(self, half: _Half, price: Decimal) -> ExecutionRow:
        return self.execute(
            con_id=half.con_id,
            account=half.account,
            side=Side.BUY if half.delta > 0 else Side.SELL,
            shares=abs(half.delta),
            price=price,
        )

    def _push_all(self, rows: list[ExecutionRow]) -> None:
        for row in rows:
            self.push_execution(row)

    @command
    def deliver(self, event_id: int, *, say: bool = True) -> OptionEvent:
        """Let the half of an option event that was kept back happen."""
        event, half = self._pending.pop(event_id)
        self.book.change(half.account, half.con_id, half.delta, half.cost)
        stamp: int | None = None
        if say:
            stamp = self.push_position(half.account, half.con_id)
            self.push_portfolio(half.account, half.con_id)
        self.changed()
        return replace(event, pending=False, second_row_ns=stamp)

    # Trades that are not the client's

    @command
    def trade_by_hand(
        self,
        con_id: int,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        *,
        account: str | None = None,
        executions: ExecutionTiming = ExecutionTiming.BEFORE,
        order_id: int = 0,
        client_id: int = 0,
        order_ref: str = "",
        liquidation: bool = False,
        push_position: bool = True,
    ) -> str:
        """Trade in TWS itself, or as another client; return the execution id.

        order_id is 0, as TWS says of hand trades, TWS_UNSET_ORDER_ID for its quirk, or another
        client's. NONE as timing still books the trade, and no enquiry finds its execution.
        """
        row = self.execute(
            con_id=con_id,
            account=self.book.holder(con_id, account),
            side=side,
            shares=quantity,
            price=price,
            perm_id=self.book.new_perm_id(),
            client_id=client_id,
            order_id=order_id,
            order_ref=order_ref,
            liquidation=liquidation,
        )
        if executions is ExecutionTiming.NONE:
            self.book.executions.remove(row)
        if executions is ExecutionTiming.BEFORE:
            self.push_execution(row)
        if push_position:
            self.push_position(row.account, con_id)
            self.push_portfolio(row.account, con_id)
        if executions is ExecutionTiming.AFTER:
            self.push_execution(row)
        self.changed()
        return row.exec_id

    @command
    def liquidate(
        self, con_id: int, quantity: Decimal, price: Decimal, *, account: str | None = None
    ) -> str:
        """Liquidate part of a holding as IB does: 2148, then an execution with orderId -1."""
        whose = self.book.holder(con_id, account)
        side = Side.SELL if self.book.held(whose, con_id).quantity > 0 else Side.BUY
        for session in self._sessions:
            self.say(session, -1, 2148)
        return self.trade_by_hand(
            con_id, side, quantity, price, account=whose, order_id=-1, liquidation=True
        )

    @command
    def work_by_hand(
        self,
        con_id: int,
        side: Side,
        quantity: Decimal,
        limit_price: Decimal,
        *,
        account: str | None = None,
        client_id: int = 0,
        order_id: int = 0,
        order_ref: str = "",
    ) -> OrderView:
        """Leave an order working that this client did not send; only enquiries show it."""
        one = self.book.instrument(con_id)
        perm_id = self.book.new_perm_id()
        record = OrderRecord(
            arrived_ns=0, client_id=client_id, order_id=order_id, con_id=con_id,
            symbol=one.symbol, sec_type=one.sec_type, exchange=one.exchange, action=side,
            quantity=quantity, order_type="LMT", limit_price=limit_price, aux_price=None,
            tif="DAY", oca_group="", account=self.book.holder(con_id, account),
            order_ref=order_ref, transmit=True, parent_id=0, outside_rth=False, what_if=False,
            modifies=False, fields=(),
        )  # fmt: skip
        order = WorkingOrder(
            record=record,
            client_id=client_id,
            order_id=order_id,
            perm_id=perm_id,
            status=Status.SUBMITTED,
        )
        self.book.orders[(client_id, order_id or -perm_id)] = order
        return order.view

    # Executions again, and fills on command

    @command
    def correct_execution(
        self,
        exec_id: str,
        *,
        shares: Decimal | None = None,
        price: Decimal | None = None,
        push: bool = True,
    ) -> str:
        """Correct an execution: the same id with its last segment raised; the book follows."""
        old = next(row for row in self.book.executions if row.exec_id == exec_id)
        stem, _, revision = exec_id.rpartition(".")
        new = replace(
            old,
            exec_id=f"{stem}.{int(revision) + 1:02d}",
            shares=old.shares if shares is None else shares,
            price=old.price if price is None else price,
        )
        new = replace(new, cum_quantity=new.shares, average_price=new.price)
        self.book.executions.append(new)
        if new.shares != old.shares:
            unit = self.book.instrument(new.con_id).unit
            more = new.side.sign * (new.shares - old.shares)
            self.book.change(new.account, new.con_id, more, new.price * unit)
        if push:
            self.push_execution(new)
            if new.shares != old.shares:
                self.push_position(new.account, new.con_id)
        self.changed()
        return new.exec_id

    @command
    def repeat_execution(self, exec_id: str) -> None:
        """Push an execution again, unchanged."""
        self.push_execution(next(row for row in self.book.executions if row.exec_id == exec_id))

    @command
    def fill_order(
        self,
        order_id: int,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        *,
        client_id: int | None = None,
        rows: tuple[Row, ...] = AS_TWS,
    ) -> str:
        """Fill a working order, all that remains unless told; return the execution id."""
        order = self._working(order_id, client_id)
        return self.fill(order, quantity or order.remaining, price, rows).exec_id

    @command
    def cancel_order(self, order_id: int, *, client_id: int | None = None) -> None:
        """Cancel a working order from TWS's side."""
        self.cancel_working(self._working(order_id, client_id))

    def _working(self, order_id: int, client_id: int | None) -> WorkingOrder:
        found = [
            one
            for one in self.book.working()
            if one.order_id == order_id and client_id in (None, one.client_id)
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} working orders have id {order_id}")
        return found[0]
