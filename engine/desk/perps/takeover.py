"""Judges every change of a perpetual position that was not of our making.

An execution tells by its raw marker what it was. A position row that no execution explains is held
through a settle window, read again, and then called EXTERNAL. What a venue put on our book goes to
the assignment managers; everything else only shrinks what is under guard. It sends nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.books import Book, Holding
from engine.desk.facts import Execution, ExecutionOrigin
from engine.desk.floor import Floor
from engine.desk.instruments import Perpetual
from engine.desk.intents import Severity
from engine.desk.orders import Order
from engine.desk.perps.barriers import fee_in_quote
from engine.desk.perps.events import Event, EventLog
from engine.desk.perps.guards import ZERO, Spot
from engine.desk.snapshot import AssignmentKind, OrderState
from engine.desk.text import amount

SETTLE = timedelta(seconds=2)
ASK_AGAIN = timedelta(seconds=10)
ACTED_ON = timedelta(minutes=10)
"""How old an assignment may be that the very first picture of a book shows, to be acted on.

With a journal an assignment we have not seen is new to us, whatever its age. Without one, a venue's
history tells of assignments its owner may long have dealt with or decided to keep, and the position
held today is no proof. Minutes old, it is what he started the engine for; older, he is told.
"""
TOLD_OF = timedelta(hours=24)
_SAME_HAND = timedelta(seconds=60)

_KINDS = {
    ExecutionOrigin.HAND: AssignmentKind.EXTERNAL,
    ExecutionOrigin.ASSIGNEE: AssignmentKind.ASSIGNEE,
    ExecutionOrigin.ASSIGNOR: AssignmentKind.ASSIGNOR,
    ExecutionOrigin.ADL: AssignmentKind.ADL,
    ExecutionOrigin.LIQUIDATION: AssignmentKind.LIQUIDATION,
    ExecutionOrigin.SETTLEMENT: AssignmentKind.SETTLEMENT,
}
_SAID = {
    AssignmentKind.ASSIGNOR: (Severity.CRITICAL, "of our position were assigned away"),
    AssignmentKind.ADL: (Severity.WARNING, "were taken by auto-deleveraging"),
    AssignmentKind.LIQUIDATION: (Severity.CRITICAL, "were liquidated by the venue"),
    AssignmentKind.SETTLEMENT: (Severity.WARNING, "were settled by the venue"),
}


@dataclass(slots=True)
class Taken:
    """What a venue put on our book in one stroke, to be given to the managers.

    quantity is positive, side sign long +1. source is the first execution's id; price is the
    average, fees are in the quote currency, at is when the first came.
    """

    venue: str
    account: str
    instrument: Perpetual
    sign: int
    source: str
    quantity: Decimal
    price: Decimal
    fees: Decimal
    at: datetime
    ids: list[str]

    @property
    def spot(self) -> Spot:
        return self.venue, self.account, self.instrument.ref

    def merge(self, other: "Taken") -> None:
        whole = self.quantity + other.quantity
        self.price = (self.price * self.quantity + other.price * other.quantity) / whole
        self.quantity, self.fees = whole, self.fees + other.fees
        self.at = min(self.at, other.at)
        self.ids += other.ids


class Takeover:
    """taken: what the venue put on our book since the managers last looked."""

    def __init__(self, floor: Floor, log: EventLog) -> None:
        self._floor = floor
        self._log = log
        self.taken: list[Taken] = []
        self._greeted: set[str] = set()
        self._asked: dict[Spot, datetime] = {}

    # --- executions ------------------------------------------------------------------------------

    def take_execution(
        self, venue: str, execution: Execution, change: Decimal, order: Order | None
    ) -> None:
        """See an execution; order is ours that it belongs to. change: its new positive quantity."""
        instrument = execution.instrument
        if not isinstance(instrument, Perpetual) or change <= 0:
            return
        book = self._floor.book(venue)
        if book.predates(execution):
            if execution.origin is ExecutionOrigin.ASSIGNEE:
                self._tell_of_old(venue, book, execution)
            return
        if execution.origin is ExecutionOrigin.BROKER:
            return
        self._told_by_execution(venue, execution, change)
        if order is not None or execution.origin is ExecutionOrigin.OURS:
            return
        kind = _KINDS[execution.origin]
        if kind is AssignmentKind.ASSIGNEE:
            self._take(venue, execution, change)
        elif kind is AssignmentKind.EXTERNAL:
            self._by_hand(venue, execution, instrument, change)
        else:
            self._by_venue(venue, execution, instrument, change, kind)

    def _take(self, venue: str, execution: Execution, quantity: Decimal) -> None:
        instrument = execution.instrument
        assert isinstance(instrument, Perpetual)
        fresh = Taken(
            venue=venue,
            account=execution.account,
            instrument=instrument,
            sign=execution.side.sign,
            source=execution.execution_id,
            quantity=quantity,
            price=execution.price,
            fees=fee_in_quote(instrument, execution.fee, execution.fee_currency, execution.price),
            # A venue's clock may run ahead of ours; what has not happened yet has not begun.
            at=min(execution.at, self._floor.now),
            ids=[execution.execution_id],
        )
        for known in self.taken:
            if known.spot == fresh.spot and known.sign == fresh.sign:
                known.merge(fresh)
                return
        self.taken.append(fresh)

    def _by_venue(
        self,
        venue: str,
        execution: Execution,
        instrument: Perpetual,
        quantity: Decimal,
        kind: AssignmentKind,
    ) -> None:
        severity, words = _SAID[kind]
        evidence = _evidence(execution)
        self._record(venue, execution.account, instrument, kind, quantity, execution, evidence)
        self._floor.alert(
            severity,
            f"{venue}: {amount(quantity)} {instrument.name} {words}",
            f"{evidence}. The books follow; no order is sent for it, what guards the position "
            "shrinks with it.",
        )

    def _by_hand(
        self, venue: str, execution: Execution, instrument: Perpetual, quantity: Decimal
    ) -> None:
        """A person trades; what he does in one stretch is one event and one alert."""
        spot, sign = (venue, execution.account, instrument.ref), execution.side.sign
        now = self._floor.now
        for event in reversed(self._log.events.values()):
            if event.hand_at is None or now - event.hand_at >= _SAME_HAND:
                continue
            if event.spot == spot and event.sign == sign:
                event.quantity += quantity
                event.hand_at = now
                event.evidence = f"traded by hand, last {_evidence(execution)}"
                return
        evidence = f"traded by hand: {_evidence(execution)}"
        event = self._record(
            venue,
            execution.account,
            instrument,
            AssignmentKind.EXTERNAL,
            quantity,
            execution,
            evidence,
        )
        event.hand_at = now
        self._floor.alert(
            Severity.INFO,
            f"{venue}: {amount(quantity * sign, signed=True)} {instrument.name} by hand",
            f"{evidence}. No order is sent for it.",
        )

    def _record(
        self,
        venue: str,
        account: str,
        instrument: Perpetual,
        kind: AssignmentKind,
        quantity: Decimal,
        execution: Execution,
        evidence: str,
    ) -> Event:
        return self._log.add(
            Event(
                id=self._log.next_id(),
                venue=venue,
                account=account,
                instrument=instrument,
                kind=kind,
                quantity=quantity,
                sign=execution.side.sign,
                detected_at=self._floor.now,
                evidence=evidence,
            )
        )

    # --- rows ------------------------------------------------------------------------------------

    def judge(self, venue: str, book: Book) -> None:
        """Conclude what can be concluded of unexplained rows, and ask about the rest."""
        now = self._floor.now
        for held in tuple(book.unsettled.values()):
            if not isinstance(held.instrument, Perpetual) or held.since is None:
                continue
            spot = (venue, held.account, held.instrument.ref)
            if now - held.since < SETTLE:
                continue
            checked = held.checked_at is not None and held.checked_at >= held.since + SETTLE
            if held.row_surplus and checked and not self._ours_may_explain(venue, held):
                self._external(venue, book, held, held.instrument)
                self._asked.pop(spot, None)
                continue
            asked = self._asked.get(spot)
            if asked is None or asked < held.since or now - asked >= ASK_AGAIN:
                self._asked[spot] = now
                self._floor.ask(venue, f"{held.instrument.name} moved with no fill")

    def deadlines(self, venue: str, book: Book) -> Iterator[datetime]:
        for held in book.unsettled.values():
            if isinstance(held.instrument, Perpetual) and held.since is not None:
                yield held.since + SETTLE
                asked = self._asked.get((venue, held.account, held.instrument.ref))
                if asked is not None:
                    yield asked + ASK_AGAIN

    def _ours_may_explain(self, venue: str, held: Holding) -> bool:
        """Whether an order of ours whose fate or fills are open could have moved the row."""
        return any(
            order.intent.venue == venue
            and order.intent.account == held.account
            and order.intent.instrument.ref == held.instrument.ref
            and order.intent.side.sign * held.row_surplus > 0
            and order.blocks
            and order.state is not OrderState.WORKING
            and order.state is not OrderState.HELD
            for order in self._floor.live.values()
        )

    def _external(self, venue: str, book: Book, held: Holding, instrument: Perpetual) -> None:
        change = held.row_surplus
        before, after = amount(held.before, signed=True), amount(held.reported, signed=True)
        evidence = f"position {before} -> {after}, no execution tells why"
        self._log.add(
            Event(
                id=self._log.next_id(),
                venue=venue,
                account=held.account,
                instrument=instrument,
                kind=AssignmentKind.EXTERNAL,
                quantity=abs(change),
                sign=1 if change > 0 else -1,
                detected_at=self._floor.now,
                evidence=evidence,
                by_row=True,
            )
        )
        book.explain(held, change, self._floor.now)
        self._floor.touch(venue, held.account, instrument)
        self._floor.alert(
            Severity.WARNING,
            f"{venue}: {amount(change, signed=True)} {instrument.name} from outside",
            f"{evidence}. Moved, blocked or traded elsewhere; no order is sent for it.",
        )

    def _told_by_execution(self, venue: str, execution: Execution, quantity: Decimal) -> None:
        """An execution that comes late tells what a row was that had been called EXTERNAL."""
        spot = (venue, execution.account, execution.instrument.ref)
        book = self._floor.book(venue)
        for event in self._log.by_row_at(spot):
            if event.sign != execution.side.sign or execution.at > event.detected_at:
                continue
            part = min(quantity, event.quantity)
            held = book.holding(execution.account, execution.instrument)
            book.unexplain(held, part * event.sign, self._floor.now)
            event.quantity -= part
            quantity -= part
            if not event.quantity:
                self._log.drop(event)
            if not quantity:
                return

    # --- the first picture -----------------------------------------------------------------------

    def greet(self, venue: str, book: Book) -> None:
        """Look through the first picture of a book for assignments; once a venue."""
        if venue in self._greeted:
            return
        self._greeted.add(venue)
        assigned = [
            e
            for e in book.executions
            if e.origin is ExecutionOrigin.ASSIGNEE and isinstance(e.instrument, Perpetual)
        ]
        for execution in assigned:
            if self._floor.now - execution.at > ACTED_ON:
                self._tell_of_old(venue, book, execution)
                continue
            left = execution.quantity - _given_back(book, execution)
            if left > 0:
                self._take(venue, execution, left)

    def _tell_of_old(self, venue: str, book: Book, execution: Execution) -> None:
        """Tell of an assignment from before the journal that may still be held."""
        held = book.effective(execution.account, execution.instrument.ref)
        if self._floor.now - execution.at > TOLD_OF or held * execution.side.sign <= 0:
            return
        instrument = execution.instrument
        assert isinstance(instrument, Perpetual)
        self._record(
            venue,
            execution.account,
            instrument,
            AssignmentKind.ASSIGNEE,
            execution.quantity,
            execution,
            f"{_evidence(execution)}, from before this journal began",
        )
        self._floor.alert(
            Severity.WARNING,
            f"{venue}: {amount(execution.quantity)} {instrument.name} were assigned to us earlier",
            f"{_evidence(execution)}. That was before this journal began, so nothing is sent: "
            f"{amount(held, signed=True)} is held. Close it, or put it between barriers.",
        )


def _given_back(book: Book, assigned: Execution) -> Decimal:
    """How much was traded the other way since an assignment, by whomever."""
    return sum(
        (
            e.quantity
            for e in book.executions
            if e.at >= assigned.at
            and e.account == assigned.account
            and e.instrument.ref == assigned.instrument.ref
            and e.side is not assigned.side
        ),
        ZERO,
    )


def _evidence(execution: Execution) -> str:
    return (
        f"fill {execution.execution_id}: {execution.side} {amount(execution.quantity)} at "
        f"{amount(execution.price)}, marked {execution.origin}"
    )
