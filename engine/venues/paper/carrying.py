"""Carries a plan out in a paper account's book: its fills with their fees, then the order's end."""

from datetime import datetime

from engine.desk.facts import Execution
from engine.venues.paper.book import PaperBook, PaperOrder
from engine.venues.paper.fees import FeeRates
from engine.venues.paper.matching import Plan


def carry_out(
    book: PaperBook,
    known: PaperOrder,
    planned: Plan,
    *,
    fees: FeeRates,
    ids: str,
    at: datetime,
) -> tuple[Execution, ...]:
    """Give the executions, whose ids begin with ids. The plan must be of the order as it is now."""
    order = known.order
    known.leg = planned.leg
    executions = tuple(
        book.fill(
            known,
            quantity=trade.quantity,
            price=trade.price,
            execution_id=f"{ids}.{book.number()}",
            at=at,
            fee=fees.of(order.instrument, order.side, trade.quantity, trade.price),
        )
        for trade in planned.trades
    )
    if planned.ends is not None:
        known.report, known.reason = planned.ends, planned.reason
    return executions
