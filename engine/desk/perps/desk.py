"""The perpetuals desk: judges what a venue put on the book, and keeps barriers around positions."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import (
    BarrierFired,
    CloseRequested,
    ConfigApplied,
    Execution,
    GuardReleased,
    GuardRequested,
    MarketFact,
    TrailingMoved,
)
from engine.desk.floor import Floor
from engine.desk.market import Quote
from engine.desk.orders import Order


class PerpsDesk:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def quote(self, venue: str, ref: str, quote: Quote) -> tuple[MarketFact, ...]:
        """Show the trigger book a quote; answer what it fired, to be told to the desk as facts."""
        return ()

    def fired(self, fact: BarrierFired) -> bool:
        """Take a barrier that fired; True when it is news."""
        return False

    def trailing_moved(self, fact: TrailingMoved) -> bool:
        """Take a trailing stop's new peak; True when it is news."""
        return False

    def guard(self, fact: GuardRequested) -> tuple[bool, str]:
        """Put a held position between barriers; answer the person."""
        return False, ""

    def release(self, fact: GuardReleased) -> tuple[bool, str]:
        """Let a position go from its barriers; answer the person."""
        return False, ""

    def configure(self, fact: ConfigApplied) -> None:
        pass

    def take_execution(self, venue: str, execution: Execution, change: Decimal) -> None:
        pass

    def order_ended(self, order: Order) -> None:
        pass

    def order_absent(self, order: Order) -> None:
        pass

    def venue_returned(self, venue: str) -> None:
        pass

    def request_close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        return None

    def names(self) -> Iterator[str]:
        return iter(())

    def decide(self) -> None:
        pass

    def deadlines(self) -> Iterator[datetime]:
        return iter(())
