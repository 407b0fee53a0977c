"""The worst thing on the desk, in one mark and few words: for tabs, title and bottom line."""

from engine.desk.facts import VenueState
from engine.desk.intents import Severity
from engine.desk.snapshot import Snapshot, StrategyStatus
from tui.rows.alerts import unacknowledged
from tui.rows.cells import Tone
from tui.rows.marks import Mark, mode_mark, strategy_mark, venue_mark
from tui.view import LinkState, View

_TROUBLE = (
    StrategyStatus.ATTENTION,
    StrategyStatus.BROKEN,
    StrategyStatus.CLOSING,
    StrategyStatus.SUSPECT,
)


def worst_strategies(snapshot: Snapshot) -> tuple[Mark, int] | None:
    """The worst status any strategy has, and how many have it; None while all is well."""
    for status in _TROUBLE:
        count = sum(strategy.status is status for strategy in snapshot.strategies)
        if count:
            return strategy_mark(status), count
    return None


def worst_venue(snapshot: Snapshot) -> tuple[Mark, int] | None:
    """The worst state any venue is in, and how many are; None while all are ready."""
    for state in (
        VenueState.DOWN,
        VenueState.STALE,
        VenueState.CONNECTING,
        VenueState.SYNCING,
    ):
        count = sum(venue.state is state for venue in snapshot.venues)
        if count:
            return venue_mark(state), count
    return None


def new_critical(snapshot: Snapshot) -> int:
    return sum(alert.severity is Severity.CRITICAL for alert in unacknowledged(snapshot))


def window_title(view: View) -> str:
    """The terminal's title: closed words and counts only, never a venue's text."""
    if view.picture is None:
        return "bulkhead: no picture yet"
    mode = mode_mark(view.picture.mode).word if view.picture.mode.isalpha() else "?"
    return f"{_worst_words(view)} | bulkhead {mode}"


def _worst_words(view: View) -> str:
    if view.picture is None or view.link is not LinkState.UP:
        return "ENGINE LOST"
    worst = worst_strategies(view.picture)
    if worst is not None and worst[0].tone is Tone.BAD:
        return f"{worst[1]} {worst[0].word}"
    if critical := new_critical(view.picture):
        return f"{critical} CRITICAL"
    if worst is not None:
        return f"{worst[1]} {worst[0].word}"
    venue = worst_venue(view.picture)
    if venue is not None:
        return f"{venue[1]} venue {venue[0].word}"
    return "all intact" if view.picture.armed else "DISARMED"
