"""The worst thing on the desk, in one mark and few words: for tabs, title and bottom line."""

from engine.desk.facts import VenueState
from engine.desk.intents import Severity
from engine.desk.snapshot import SetState, Snapshot, StrategyStatus
from tui.rows.alerts import unacknowledged
from tui.rows.cells import Tone
from tui.rows.marks import (
    Mark,
    barrier_mark,
    mode_mark,
    set_mark,
    strategy_mark,
    venue_mark,
)
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


def worst_barriers(snapshot: Snapshot) -> tuple[Mark, int] | None:
    """Positions whose barriers need their owner, or that are being closed."""
    for state in ("ATTENTION", "CLOSING"):
        found = [barrier for barrier in snapshot.barriers if barrier.state.upper() == state]
        if found:
            mark = barrier_mark(found[0])
            return mark._replace(word=state), len(found)
    return None


def worst_sets(snapshot: Snapshot) -> tuple[Mark, int] | None:
    """Parameter sets that need their owner, or whose position has no bracket yet."""
    sets = snapshot.allocation.sets if snapshot.allocation else ()
    for state in (SetState.ATTENTION, SetState.PROTECTING):
        count = sum(one.state is state for one in sets)
        if count:
            return set_mark(state)._replace(word=set_mark(state).word.upper()), count
    return None


def worst_of_all(snapshot: Snapshot) -> tuple[Mark, int] | None:
    """The worst state of anything held; what needs its owner before what is being done."""
    found = [
        worst
        for worst in (worst_strategies(snapshot), worst_barriers(snapshot), worst_sets(snapshot))
        if worst is not None
    ]
    return min(found, key=lambda worst: worst[0].tone is not Tone.BAD, default=None)


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
    worst = worst_of_all(view.picture)
    if worst is not None and worst[0].tone is Tone.BAD:
        return f"{worst[1]} {worst[0].word}"
    if critical := new_critical(view.picture):
        return f"{critical} CRITICAL"
    if worst is not None:
        return f"{worst[1]} {worst[0].word}"
    venue = worst_venue(view.picture)
    if venue is not None:
        return f"{venue[1]} venue {venue[0].word}"
    if not view.picture.armed:
        return "DISARMED"
    return "all well" if not view.picture.strategies else "all intact"
