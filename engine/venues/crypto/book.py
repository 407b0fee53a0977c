"""What this connection knows of the account: positions, executions and our orders.

Until a question was answered completely nothing is told, only gathered; then one BookSnapshot, and
from there on every row that is news, at once. What streams say while REST is being asked is newer
than its answer and wins.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    PositionReported,
    PositionRow,
    VenueFact,
)
from engine.desk.instruments import Instrument
from engine.venues.crypto.markets import ZERO
from engine.venues.crypto.translator import Surroundings, Translator
from engine.venues.port import PricedOrder

Emit = Callable[[VenueFact], None]


class Book:
    """held: ref -> last row heard or asked. moved is called when what is held changed, missed when
    REST tells an execution that streams should have told long ago."""

    def __init__(
        self,
        around: Surroundings,
        translator: Translator,
        *,
        emit: Emit,
        doubtful: Callable[[], tuple[PricedOrder, ...]],
        is_in_flight: Callable[[str], bool],
        moved: Callable[[], None],
        missed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._around = around
        self._translator = translator
        self._emit = emit
        self._doubtful = doubtful
        self._is_in_flight = is_in_flight
        self._moved = moved
        self._missed = missed
        self._clock = clock
        self._began_at = clock()
        self._held: dict[str, PositionRow] = {}
        self._gathered: dict[str, Execution] = {}
        self._told: dict[str, OrderRow] = {}
        self._executions: set[str] = set()  # ids of those told
        self._moved_refs: set[str] = set()
        self._moved_currencies: set[str] = set()
        self._known_at: datetime | None = None
        self.is_known = False

    def instruments(self) -> Iterator[Instrument]:
        """Give what is held."""
        return (row.instrument for row in self._held.values() if row.quantity)

    def __contains__(self, ref: object) -> bool:
        return ref in self._held

    def tell_nothing(self) -> None:
        """Tell the empty book of an account that cannot be read: nobody has keys to it."""
        self._emit(_empty(self._around))
        self.is_known = True
        self._moved()

    # What streams say

    def position(self, row: PositionRow) -> None:
        ref = row.instrument.ref
        before = self._held.get(ref)
        if before == row or (before is None and not row.quantity):
            return
        self._held[ref] = row
        self._moved_refs.add(ref)
        if self.is_known:
            self._emit(PositionReported(venue=self._around.name, row=row))
            self._moved()

    def holdings(self, rows: Iterable[PositionRow]) -> None:
        """Take everything that is held: what is not among it is flat."""
        listed = {row.instrument.ref: row for row in rows}
        for row in listed.values():
            self.position(row)
        for ref, held in list(self._held.items()):
            if ref not in listed and held.quantity:
                self.position(_flat(held))

    def balance(self, balance: BalanceReported) -> None:
        self._moved_currencies.add(balance.currency)
        self._emit(balance)

    def execution(self, execution: Execution) -> None:
        self._around.own.executed((execution,))
        self._executions.add(execution.execution_id)
        if self.is_known:
            self._emit(ExecutionReported(venue=self._around.name, execution=execution))
        else:
            self._gathered[execution.execution_id] = execution

    def order(self, row: OrderRow) -> None:
        if self.is_known and self._told.get(row.client_order_id) != row:
            self._told[row.client_order_id] = row
            self._emit(OrderReported(venue=self._around.name, row=row))

    # Asking

    async def ask(self) -> None:
        """Ask for everything and tell it. Raises the errors of engine.venues.crypto.faults."""
        asked_at = self._around.now()
        self._moved_refs.clear()
        self._moved_currencies.clear()
        translator = self._translator
        positions = await translator.positions()
        balances = await translator.balances()
        orders = {row.client_order_id: row for row in await translator.open_orders()}
        executions: dict[str, Execution] = {}
        for order in self._doubtful():
            if order.client_order_id not in orders:
                row, found = await self._fate(order)
                executions |= {it.execution_id: it for it in found}
                if row is not None:
                    orders[row.client_order_id] = row
        # Last, for only now is it known which of the venue's ids are orders of ours.
        executions |= {it.execution_id: it for it in await translator.executions()}
        executions |= {key: it for key, it in self._gathered.items() if _tells(it, executions)}
        self._around.own.executed(executions.values())
        rows = {row.instrument.ref: row for row in positions}
        rows |= {ref: self._held[ref] for ref in self._moved_refs}
        self._held = {ref: row for ref, row in rows.items() if row.quantity}
        self._told |= orders
        late = self._late(executions.values(), asked_at)
        self._executions |= executions.keys()
        for balance in balances:
            if balance.currency not in self._moved_currencies:
                self._emit(balance)
        self._emit(
            BookSnapshot(
                venue=self._around.name,
                asked_at=asked_at,
                accounts=(self._around.settings.account,),
                positions=tuple(self._held.values()),
                executions=tuple(executions.values()),
                orders=tuple(orders.values()),
            )
        )
        self._gathered.clear()
        self._known_at = self._known_at or asked_at
        self.is_known = True
        self._moved()
        if late:
            self._missed()

    def _late(self, executions: Iterable[Execution], asked_at: datetime) -> bool:
        """Whether one of these should have been told by a stream since the book is known."""
        patience = timedelta(seconds=self._around.settings.deaf_seconds)
        known_at = self._known_at
        return known_at is not None and any(
            it.execution_id not in self._executions and known_at < it.at < asked_at - patience
            for it in executions
        )

    @property
    def _absence_seconds(self) -> float:
        wanted = self._around.settings.absence_seconds
        return self._translator.absence_seconds if wanted is None else wanted

    async def _fate(self, order: PricedOrder) -> tuple[OrderRow | None, Sequence[Execution]]:
        """Learn what became of an order that is not open. While it is on its way it is working;
        that the venue does not know it proves nothing until it had time to arrive."""
        own, name = self._around.own, order.client_order_id
        quantity = self._around.markets.whole_steps(order.instrument, order.quantity)
        own.sending(order, quantity)
        while True:
            if self._is_in_flight(name):
                return _on_its_way(name), ()
            tracked = own.named(name)
            if tracked.has_ended:
                return tracked.row, ()
            row, executions = await self._translator.lookup(order)
            own.executed(executions)
            if row is not None:
                return own.told(name, row.report, filled=row.filled, reason=row.reason), executions
            left_at = self._began_at if tracked.left_at is None else tracked.left_at
            wait = left_at + self._absence_seconds - self._clock()
            if wait <= 0:
                tracked.report = None
                return None, ()
            await asyncio.sleep(wait)


def _tells(heard: Execution, asked: Mapping[str, Execution]) -> bool:
    """Whether a stream told more of an execution than REST, which was asked later."""
    return heard.execution_id not in asked or heard.origin is not ExecutionOrigin.HAND


def _on_its_way(client_order_id: str) -> OrderRow:
    return OrderRow(
        client_order_id=client_order_id,
        venue_order_id="",
        report=OrderReport.WORKING,
        filled=ZERO,
        reason="on its way",
    )


def _flat(row: PositionRow) -> PositionRow:
    return PositionRow(account=row.account, instrument=row.instrument, quantity=ZERO)


def _empty(around: Surroundings) -> BookSnapshot:
    return BookSnapshot(
        venue=around.name,
        asked_at=around.now(),
        accounts=(around.settings.account,),
        positions=(),
    )
