"""Order lists: two orders of which one cancels the other (OCO).

A list says who belongs together and how far it is; the account moves its legs.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique


@unique
class ListStatus(StrEnum):
    """Where an order list stands, as listOrderStatus says it."""

    EXECUTING = "EXECUTING"
    ALL_DONE = "ALL_DONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderList:
    """An OCO; order_ids are its legs, the one that waits for its stop price first."""

    id: int
    client_id: str
    market: str
    order_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    status: ListStatus = ListStatus.EXECUTING

    @property
    def live(self) -> bool:
        return self.status is ListStatus.EXECUTING

    @property
    def status_type(self) -> str:
        """listStatusType: a list that runs has only ever announced its start."""
        return "EXEC_STARTED" if self.live else "ALL_DONE"
