"""What the desk asks of each of its rooms: options, perpetuals, allocation.

A room decides on the floor they all share; it is told of orders of its own purposes only.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from engine.desk.facts import CloseRequested, ConfigApplied, Execution
from engine.desk.orders import Order


class Room(Protocol):
    def configure(self, fact: ConfigApplied) -> None:
        """Take the configuration in force; what is under way goes on."""

    def take_execution(self, venue: str, execution: Execution, change: Decimal) -> None:
        """See an execution that was counted just now; change is its new positive quantity."""

    def order_ended(self, order: Order) -> None:
        """See an order of this room end: filled, cancelled, rejected."""

    def order_absent(self, order: Order) -> None:
        """Hear that the venue proved an order of this room never reached it."""

    def venue_returned(self, venue: str) -> None:
        """Hear that a link came back: what failed for want of it may be tried again."""

    def request_close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        """Answer a person's wish to close; None when nothing here is meant by it."""

    def names(self) -> Iterator[str]:
        """The ids a person may name in a wish to close."""

    def decide(self) -> None:
        """Judge and act on the books as they stand."""

    def deadlines(self) -> Iterator[datetime]:
        """The instants at which time alone may change a decision."""
