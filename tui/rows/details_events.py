"""Details of what happened: an alert's whole story, an assignment, an order."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from engine.desk.snapshot import AlertView, AssignmentView, OrderView, Snapshot
from tui.journal import JournalEntry
from tui.rows.alerts import state_of
from tui.rows.cells import Row, Tone
from tui.rows.fields import field, heading, journal_lines, order_lines, paragraph, state, when
from tui.rows.figures import price, quantity
from tui.rows.marks import order_mark, severity_mark
from tui.rows.orders import purpose

Journal = Sequence[JournalEntry] | None


def alert_rows(alert: AlertView, journal: Journal, width: int, *, today: datetime) -> Iterator[Row]:
    yield from state("severity", severity_mark(alert.severity), width)
    yield from field("at", when(alert.at), width)
    seen = "yes" if alert.acknowledged else "not yet: a acknowledges it"
    yield from field("acknowledged", seen, width)
    yield from heading("What happened", width)
    yield from paragraph(alert.title, width, Tone.STRONG)
    yield from paragraph(alert.body, width)
    yield from journal_lines("The whole story", journal, width, today=today)


def assignment_rows(
    picture: Snapshot, assignment: AssignmentView, journal: Journal, width: int
) -> Iterator[Row]:
    yield from state("state", state_of(assignment, picture), width)
    yield from field("instrument", assignment.instrument, width)
    yield from field("quantity", quantity(assignment.quantity), width)
    if assignment.type is not None:
        yield from field("timing", assignment.type.value.lower(), width)
    yield from field("account", f"{assignment.account} at {assignment.venue}", width)
    yield from field("strategy", assignment.strategy_id or "none of yours", width)
    yield from field("seen at", when(assignment.detected_at), width)
    if assignment.evidence:
        yield from heading("How it is known", width)
        yield from paragraph(assignment.evidence, width)
    if assignment.strategy_id is not None:
        orders = [o for o in picture.orders if o.strategy_id == assignment.strategy_id]
        yield from order_lines(orders, width)
    yield from journal_lines("The whole story", journal, width, today=picture.at)


def order_rows(order: OrderView, journal: Journal, width: int, *, today: datetime) -> Iterator[Row]:
    yield from state("state", order_mark(order.state), width)
    if order.reason:
        yield from field("reason", order.reason, width)
    words = f"{order.side} {quantity(order.quantity)} {order.instrument}"
    yield from field("order", words, width, Tone.STRONG)
    yield from field("filled", f"{quantity(order.filled)} of {quantity(order.quantity)}", width)
    kind = "not priced yet" if order.type is None else order.type.value.lower()
    yield from field("type", kind, width)
    if order.limit_price is not None:
        yield from field("limit", price(order.limit_price), width)
    if order.stop_price is not None:
        yield from field("stop", price(order.stop_price), width)
    yield from field("purpose", purpose(order.purpose), width)
    yield from field("belongs to", order.strategy_id or "-", width)
    yield from field("account", f"{order.account} at {order.venue}", width)
    yield from field("last change", when(order.at), width)
    yield from field("client id", order.id, width, Tone.MUTED)
    yield from journal_lines("Its story", journal, width, today=today)
