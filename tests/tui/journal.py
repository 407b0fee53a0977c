"""A short journal for tests of the terminal: an assignment, what was decided, what was sent."""

from datetime import timedelta

from tests.tui.samples import NOW
from tui.journal import JournalEntry


def entry(
    seq: int, before: float, name: str, text: str, *, of: str | None = None, **body: object
) -> JournalEntry:
    """One entry so many seconds before now; intents are the names of intents."""
    intent = name in ("PlaceOrder", "RaiseAlert", "AskVenue", "CancelOrder", "WriteLine")
    return JournalEntry(
        seq=seq,
        batch=seq // 4,
        at=NOW - timedelta(seconds=before),
        kind="intent" if intent else "fact",
        name=name,
        text=text,
        strategy_id=of,
        body=body,
    )


ENTRIES = (
    entry(1, 10_800, "EngineStarted", "engine 0.1.0 started, mode demo"),
    entry(2, 10_799, "ConfigApplied", "configuration in force: armed, guarding SPY-IC-1"),
    entry(3, 7200, "VenueChanged", "ibkr is ready: 13 positions in 1 account"),
    entry(
        4, 720, "RaiseAlert", "alert WARNING: IWM-IC-4 expires in one day: closing", of="IWM-IC-4"
    ),
    entry(5, 719, "PlaceOrder", "order o-1 BUY 3 IWM 21Nov26 230 C", of="IWM-IC-4", id="o-1"),
    entry(6, 10, "PositionReported", "SPY 18Dec26 440 P in DU1234567: -2 -> 0", of="SPY-IC-1"),
    entry(7, 10, "PositionReported", "SPY in DU1234567: now 200", of="SPY-IC-1"),
    entry(
        8,
        9,
        "RaiseAlert",
        "alert CRITICAL: SPY-IC-1 is broken: short put 440 assigned early",
        of="SPY-IC-1",
        title="SPY-IC-1 is broken: short put 440 assigned early",
    ),
    entry(9, 9, "PlaceOrder", "order o-9 SELL 200 SPY: assigned shares", of="SPY-IC-1"),
    entry(10, 2, "BarrierFired", "barrier kraken-3: TRAILING_STOP reached", of="kraken-3"),
)
