"""What venues do alike: they pause between two connections, say once why they are down, and refuse
orders, which surely never left.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from engine.desk.facts import (
    OrderReport,
    OrderReported,
    OrderRow,
    VenueChanged,
    VenueFact,
    VenueState,
)
from engine.venues.port import VenueSink

LONGEST_PAUSE_SECONDS = 30.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def pause_seconds(failures: int, jitter: float) -> float:
    """Give the pause after so many failed tries in a row, 1 to 30 seconds; jitter is 0 to 1."""
    longest = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 5))
    return max(1.0, longest * (0.5 + 0.5 * jitter))


def refused(venue: str, client_order_id: str, reason: str) -> OrderReported:
    """Report an order that surely is not at the venue."""
    row = OrderRow(
        client_order_id=client_order_id,
        venue_order_id="",
        report=OrderReport.REJECTED,
        filled=Decimal(0),
        reason=reason,
    )
    return OrderReported(venue=venue, row=row)


def not_sent(venue: str, client_order_id: str, reason: str) -> OrderReported:
    """Report an order that surely never left."""
    return refused(venue, client_order_id, f"not sent: {reason}")


class OnlyChanges:
    """Passes everything on but a state that was reported last already."""

    def __init__(self, sink: VenueSink) -> None:
        self._sink = sink
        self._last: VenueChanged | None = None
        self.quote = sink.quote
        self.bars = sink.bars
        self.heard = sink.heard
        self.doubtful = sink.doubtful

    @property
    def is_down(self) -> bool:
        return self._last is not None and self._last.state is VenueState.DOWN

    def facts(self, batch: Iterable[VenueFact]) -> None:
        news = [fact for fact in batch if not self._repeats(fact)]
        if news:
            self._sink.facts(news)

    def _repeats(self, fact: VenueFact) -> bool:
        if not isinstance(fact, VenueChanged):
            return False
        repeats = fact == self._last
        self._last = fact
        return repeats
