"""What one IB connection needs to know. Durations are seconds."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True, kw_only=True)
class IbSettings:
    """accounts empty means all that the login manages.

    login_zone: the zone TWS is logged in with, which execution times without a zone are in.
    answer_seconds: how long a complete answer may take before it is asked for again.
    settle_seconds: how long a further end marker is waited for after the first.
    quiet_seconds, dead_seconds: without a word, TWS is asked for the time, then given up.
    probe_orders: after the book is known, send one what-if order to learn early that the API takes
    no orders.
    """

    host: str
    port: int
    client_id: int
    accounts: tuple[str, ...] = ()
    login_zone: ZoneInfo = EASTERN
    connect_seconds: float = 10.0
    answer_seconds: float = 10.0
    settle_seconds: float = 2.0
    quiet_seconds: float = 20.0
    dead_seconds: float = 60.0
    tick_seconds: float = 5.0
    most_lines: int = 100
    probe_orders: bool = True

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"
