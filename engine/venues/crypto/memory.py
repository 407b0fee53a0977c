"""What outlives a connection: our orders as venues named them, and the markets that were loaded."""

from dataclasses import dataclass, field
from typing import Any

from engine.venues.crypto.tracker import OwnOrders

_FRESH_SECONDS = 3600.0


@dataclass(slots=True)
class Memory:
    """ignored: refs of markets the exchange speaks of and does not list: what is delisted stays in
    its history. loaded: the exchange object whose markets the next takes over while they are fresh.
    """

    own: OwnOrders = field(default_factory=OwnOrders)
    ignored: set[str] = field(default_factory=set)
    loaded: Any = None
    loaded_at: float = 0.0

    def fresh(self, now: float) -> Any:
        """Give an exchange whose markets may be taken over; None where they must be loaded."""
        return self.loaded if now - self.loaded_at < _FRESH_SECONDS else None

    def keep(self, exchange: Any, now: float) -> None:
        self.loaded, self.loaded_at = exchange, now
