"""Makes records ready for the journal's table. Runs on the worker thread, in the order of the
records: an order's later rows are filed under the strategy it was placed for.
"""

from collections.abc import Sequence

from engine.desk.facts import (
    CloseRequested,
    ExecutionReported,
    Fact,
    OrderPriced,
    OrderReported,
    OrderUnanswered,
    OrderUnpriced,
)
from engine.desk.intents import CancelOrder, Intent, PlaceOrder, RaiseAlert
from engine.journal.chain import Line
from engine.journal.codec import encode
from engine.journal.reading import instant_text
from engine.journal.records import Record


class Lines:
    """strategies: which strategy each order of ours was for, by client order id."""

    def __init__(self) -> None:
        self.strategies: dict[str, str] = {}

    def of(self, records: Sequence[Record]) -> tuple[Line, ...]:
        """Spell records out. Raises JournalError for what could not be read back."""
        return tuple([self._line(record) for record in records])

    def _line(self, record: Record) -> Line:
        kind, name, body = encode(record.item)
        owner = self._strategy_of(record.item)
        return record.batch, instant_text(record.at), kind, name, owner, body

    def _strategy_of(self, item: Fact | Intent) -> str | None:
        match item:
            case PlaceOrder():
                if item.strategy_id is not None:
                    self.strategies[item.client_order_id] = item.strategy_id
                return item.strategy_id
            case CloseRequested() | RaiseAlert():
                return item.strategy_id
            case OrderPriced() | OrderUnpriced() | OrderUnanswered() | CancelOrder():
                return self.strategies.get(item.client_order_id)
            case OrderReported():
                return self.strategies.get(item.row.client_order_id)
            case ExecutionReported():
                return self.strategies.get(item.execution.client_order_id or "")
            case _:
                return None
