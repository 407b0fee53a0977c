"""Draws the allocation desk into the views of the snapshot. Reads, decides nothing."""

from engine.desk.allocation.desk import AllocationDesk
from engine.desk.market import Quotes
from engine.desk.snapshot import AllocationView


def allocation(room: AllocationDesk, quotes: Quotes) -> AllocationView | None:
    return None
