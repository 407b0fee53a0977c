"""What is held, and how far the account's rows and executions agree.

A position row and the execution that caused it arrive in either order. Each holding keeps two
surpluses: row_surplus is row change that no execution explained yet, fill_surplus is executions
whose row has not come yet. Equal ones cancel. What stays in row_surplus wants an explanation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.facts import BookSnapshot, Execution, ExecutionOrigin, PositionRow
from engine.desk.instruments import Instrument

ZERO = Decimal(0)
_CLOCKS_AGREE = timedelta(minutes=10)


@dataclass(slots=True)
class Holding:
    """One instrument in one account. Quantities are signed; average_cost is as the venue says.

    checked_at: when the newest snapshot was asked that held against what is unsettled. unshown:
    executions that a snapshot proved to be in the rows already, though the rows' change had been
    explained otherwise; signed, until somebody takes that explanation back.
    foreign: the part of row_surplus that was there when our newest order was sent, so that no fill
    of it can be the cause.
    """

    account: str
    instrument: Instrument
    reported: Decimal = ZERO
    row_surplus: Decimal = ZERO
    fill_surplus: Decimal = ZERO
    since: datetime | None = None
    executions_checked: bool = False
    confirmations: int = 0
    checked_at: datetime | None = None
    average_cost: Decimal | None = None
    unshown: Decimal = ZERO
    foreign: Decimal = ZERO

    @property
    def effective(self) -> Decimal:
        """The position now: the last row, moved by executions whose row has not come yet."""
        return self.reported + self.fill_surplus

    @property
    def before(self) -> Decimal:
        """The position as it was before the unexplained change."""
        return self.reported - self.row_surplus

    def differs(self, row: PositionRow) -> bool:
        """Whether a row says anything else than is known."""
        cost = row.average_cost
        return row.quantity != self.reported or (cost is not None and cost != self.average_cost)

    def row(self, quantity: Decimal, seen_at: datetime) -> bool:
        """Take a position row; True when it is news.

        seen_at: now for a live row, asked_at for a row of a snapshot, whose executions are as fresh
        as its rows.
        """
        if quantity == self.reported:
            return False
        self.row_surplus += quantity - self.reported
        self.reported = quantity
        self._cancel(seen_at)
        return True

    def fill(self, signed: Decimal, now: datetime, *, ours: bool = False) -> None:
        self.fill_surplus += signed
        self._cancel(now, self.foreign if ours else ZERO)

    def order_sent(self) -> None:
        """What is unexplained now was not caused by the order that goes out now."""
        self.foreign = self.row_surplus

    def reconcile(self, asked_at: datetime, now: datetime) -> None:
        """A complete snapshot asked at asked_at agrees with the rows: fills have all shown in them,
        and every execution up to then is known."""
        if self.fill_surplus and (self.since is None or self.since <= asked_at):
            self.row_surplus -= self.fill_surplus
            self.unshown += self.fill_surplus
            self.fill_surplus = ZERO
            self._stamp(now)
        if self.row_surplus and self.since is not None and self.since <= asked_at:
            self.executions_checked = True
            self.confirmations += 1
            self.checked_at = asked_at

    def explain(self, quantity: Decimal, now: datetime) -> None:
        """Take quantity of the unexplained change as explained."""
        self.row_surplus -= quantity
        self._stamp(now)

    def unexplain(self, quantity: Decimal, now: datetime) -> None:
        """Take an explanation back: an execution came that tells better."""
        self.row_surplus += quantity
        self._cancel(now)

    def _cancel(self, now: datetime, foreign: Decimal = ZERO) -> None:
        """Let rows and fills explain each other, but for rows of which foreign is known."""
        able = self.row_surplus - foreign
        if able * self.fill_surplus > 0:
            common = min(abs(able), abs(self.fill_surplus)).copy_sign(able)
            self.row_surplus -= common
            self.fill_surplus -= common
        self._stamp(now)

    def _stamp(self, now: datetime) -> None:
        if self.foreign * self.row_surplus <= 0:
            self.foreign = ZERO
        elif abs(self.foreign) > abs(self.row_surplus):
            pass
        self.since = now if self.row_surplus or self.fill_surplus else None
        self.executions_checked = False
        self.confirmations = 0
        self.checked_at = None


class Book:
    """Everything held at one venue, and the executions already counted.

    holdings: (account, ref) -> Holding; unsettled: those of them with a surplus. adopted_at: when
    the first picture was asked for. Within: adopted is that picture, until its rows are asked for,
    where it was all that was known.
    """

    def __init__(self) -> None:
        self.holdings: dict[tuple[str, str], Holding] = {}
        self.unsettled: dict[tuple[str, str], Holding] = {}
        self.known = False
        self.adopted_at: datetime | None = None
        self._adopted: BookSnapshot | None = None
        self._executions: dict[str, Execution] = {}
        self._empty_once: set[str] = set()

    def holding(self, account: str, instrument: Instrument) -> Holding:
        key = (account, instrument.ref)
        found = self.holdings.get(key)
        if found is None:
            found = self.holdings[key] = Holding(account=account, instrument=instrument)
        return found

    def row(self, row: PositionRow, seen_at: datetime) -> bool:
        """Take a position row; True when it is news. seen_at as for Holding.row."""
        held = self.holding(row.account, row.instrument)
        dearer = row.average_cost not in (None, held.average_cost)
        if dearer:
            held.average_cost = row.average_cost
        moved = held.row(row.quantity, seen_at)
        self._sort(held)
        return moved or dearer

    def reconcile(self, asked_at: datetime, now: datetime) -> tuple[Holding, ...]:
        """Hold what is unsettled against a complete snapshot; return what was."""
        unsettled = tuple(self.unsettled.values())
        for held in unsettled:
            held.reconcile(asked_at, now)
            self._sort(held)
        return unsettled

    def explain(self, held: Holding, quantity: Decimal, now: datetime) -> None:
        """Take quantity of a holding's unexplained change as explained."""
        held.explain(quantity, now)
        self._sort(held)

    def unexplain(self, held: Holding, quantity: Decimal, now: datetime) -> None:
        """Take back what was explained: an execution came that tells better."""
        held.unexplain(quantity, now)
        self._sort(held)

    @property
    def executions(self) -> Iterable[Execution]:
        """Every execution counted, in the order it was told."""
        return self._executions.values()

    def predates(self, execution: Execution) -> bool:
        """Whether an execution is older than the book: the first picture holds it already. Its
        time is the venue's, so near that picture it counts as later."""
        return self.adopted_at is not None and execution.at < self.adopted_at - _CLOCKS_AGREE

    def _sort(self, held: Holding) -> None:
        key = (held.account, held.instrument.ref)
        if held.row_surplus or held.fill_surplus:
            self.unsettled[key] = held
        else:
            self.unsettled.pop(key, None)

    def effective(self, account: str, ref: str) -> Decimal:
        found = self.holdings.get((account, ref))
        return ZERO if found is None else found.effective

    def unseen(self, execution: Execution) -> bool:
        seen = self._executions.get(execution.execution_id)
        return seen is None or seen.revision < execution.revision

    def count(self, execution: Execution, now: datetime) -> Decimal:
        """Count an execution once; a correction replaces what it corrects.

        Returns the positive quantity that is new (negative when a correction lowered it). The
        broker's own executions of an assignment or exercise are evidence, not trades: the rows
        alone speak for them.
        """
        replaced = self._executions.get(execution.execution_id)
        if replaced is not None and replaced.revision >= execution.revision:
            return ZERO
        self._executions[execution.execution_id] = execution
        change = execution.quantity - (replaced.quantity if replaced else ZERO)
        moves = execution.origin is not ExecutionOrigin.BROKER and not self.predates(execution)
        if moves and self.known and change:
            held = self.holding(execution.account, execution.instrument)
            ours = execution.origin is ExecutionOrigin.OURS
            held.fill(change * execution.side.sign, now, ours=ours)
            self._sort(held)
        return change

    def executed(self, client_order_id: str) -> Decimal:
        """The positive quantity all counted executions of one order add up to."""
        return sum(
            (
                execution.quantity
                for execution in self._executions.values()
                if execution.client_order_id == client_order_id
            ),
            ZERO,
        )

    def adopt(self, snapshot: BookSnapshot) -> None:
        """Take the first picture ever as the agreed book."""
        self._adopted = None if self.holdings else snapshot
        for row in snapshot.positions:
            key = (row.account, row.instrument.ref)
            held = self.holdings.get(key)
            if held is None:
                self.holdings[key] = Holding(
                    account=row.account,
                    instrument=row.instrument,
                    reported=row.quantity,
                    average_cost=row.average_cost,
                )
            else:
                held.reported, held.average_cost = row.quantity, row.average_cost
        self.known = True
        self.adopted_at = snapshot.asked_at

    def rows_of(self, snapshot: BookSnapshot) -> tuple[PositionRow, ...]:
        """The rows of a snapshot that may be news: what it lists otherwise than it is known, and
        zero for what it does not list.

        An account that was not empty and suddenly is must be shown empty twice; until then nothing
        is taken from it.
        """
        if snapshot is self._adopted:
            self._adopted = None
            return ()
        listed: set[tuple[str, str]] = set()
        rows: list[PositionRow] = []
        for row in snapshot.positions:
            key = (row.account, row.instrument.ref)
            listed.add(key)
            known = self.holdings.get(key)
            if known is None or known.differs(row):
                rows.append(row)
        for account in snapshot.accounts:
            held = [h for (owner, _), h in self.holdings.items() if owner == account and h.reported]
            gone = [h for h in held if (account, h.instrument.ref) not in listed]
            any_listed = any(row.account == account and row.quantity for row in snapshot.positions)
            if held and not any_listed and account not in self._empty_once:
                self._empty_once.add(account)
                continue
            self._empty_once.discard(account)
            rows += [
                PositionRow(account=account, instrument=h.instrument, quantity=ZERO) for h in gone
            ]
        return tuple(rows)

    @property
    def doubts_emptiness(self) -> bool:
        return bool(self._empty_once)
