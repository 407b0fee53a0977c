"""One complete enquiry of the book: rows are gathered until every end marker was seen.

It keeps its rows while missing parts are asked for again, and it never says that it is complete
when something of it could not be read. An empty answer without its end marker is no answer.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.desk.facts import Execution, OrderRow, PositionRow
from engine.venues.ib.orders import OrderBook


class Part(StrEnum):
    POSITIONS = "positions"
    OPEN_ORDERS = "open orders"
    EXECUTIONS = "executions"
    COMPLETED_ORDERS = "completed orders"


# What an answer may lack without the picture being wrong: who was cancelled is absent either way,
# and who was filled shows in executions. Busy installations never send it.
DISPENSABLE = frozenset({Part.COMPLETED_ORDERS})


@dataclass(slots=True)
class Question:
    """positions: (account, ref) -> row; executions: id -> newest revision; refs: orders seen."""

    asked_at: datetime | None = None
    execution_request: int = -1
    waiting: set[Part] = field(default_factory=lambda: set(Part))
    positions: dict[tuple[str, str], PositionRow] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    refs: dict[str, None] = field(default_factory=dict)
    unreadable: str = ""

    @property
    def is_complete(self) -> bool:
        return not self.waiting

    @property
    def lacks(self) -> str:
        """Say what is missing, for people."""
        if self.unreadable:
            return f"a message could not be read ({self.unreadable}): the book is not known"
        missing = [part.value for part in Part if part in self.waiting]
        return f"{' and '.join(missing)} are not complete yet"

    def execution(self, execution: Execution) -> None:
        known = self.executions.get(execution.execution_id)
        if known is None or known.revision < execution.revision:
            self.executions[execution.execution_id] = execution

    def order(self, ref: str) -> None:
        self.refs[ref] = None

    def named_orders(self) -> set[str]:
        """Every order the answer tells of, be it by a fill alone."""
        filled = {it.client_order_id for it in self.executions.values() if it.client_order_id}
        return filled.union(self.refs)

    def order_rows(self, book: OrderBook) -> tuple[OrderRow, ...]:
        found = (book.named(ref) for ref in self.refs)
        rows = (tracked.row for tracked in found if tracked is not None)
        return tuple(row for row in rows if row is not None)


class EndMarks:
    """End markers still owed on this connection, because they carry no name of their request.

    A part is answered when nothing more is owed, or when one marker came and the others did not
    follow: then `settle` is called for it.
    """

    def __init__(self) -> None:
        self._owed: dict[Part, int] = dict.fromkeys(Part, 0)
        self._seen: set[Part] = set()

    def begin(self) -> None:
        """A new question begins: what came before it answers nothing of it."""
        self._seen.clear()

    def asked(self, part: Part, times: int) -> None:
        self._owed[part] += times

    def came(self, part: Part) -> bool:
        """Count one; True when the part is answered, False when another one may follow."""
        self._owed[part] = max(0, self._owed[part] - 1)
        self._seen.add(part)
        return self._owed[part] == 0

    def settle(self, part: Part) -> bool:
        """Stop waiting for markers that did not follow; True when one had come at all."""
        if part not in self._seen:
            return False
        self._owed[part] = 0
        return True

    def refused(self, part: Part) -> None:
        """Expect none of those owed: the broker refused to answer."""
        self._owed[part] = 0
