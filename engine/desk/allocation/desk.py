"""The allocation desk: signals, reserved funds, and the bracket around each position."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import (
    BalanceReported,
    CloseRequested,
    ConfigApplied,
    Execution,
    MarketFact,
    ResetRequested,
    SignalRaised,
)
from engine.desk.floor import Floor
from engine.desk.market import Bar
from engine.desk.orders import Order


class AllocationDesk:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> tuple[MarketFact, ...]:
        """Score closed bars, oldest first; answer the signals, to be told to the desk as facts."""
        return ()

    def signal(self, fact: SignalRaised) -> bool:
        """Take a signal; True when it is news."""
        return False

    def balance(self, fact: BalanceReported) -> bool:
        """Take a balance; True when it is news."""
        return False

    def reset(self, fact: ResetRequested) -> tuple[bool, str]:
        """Release reservations; answer the person."""
        return False, "No allocation desk is configured."

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
