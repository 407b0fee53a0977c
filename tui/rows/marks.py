"""A mark, a word and a tone for every state: colour never stands alone.

The marks are in nearly every terminal font; for the ones that lack them (a bare Linux console)
PLAIN_MARKS gives each a character of ASCII and the same width.
"""

from typing import NamedTuple, assert_never

from engine.desk.facts import VenueState
from engine.desk.intents import Severity
from engine.desk.snapshot import (
    AssignmentKind,
    AssignmentState,
    BarrierView,
    OrderState,
    SetState,
    StrategyStatus,
)
from tui.rows.cells import Tone


class Mark(NamedTuple):
    sign: str
    word: str
    tone: Tone


PLAIN_MARKS = str.maketrans(
    {
        "●": "*",
        "○": "o",
        "▲": "!",
        "►": ">",
        "◊": "o",
        "□": "#",
        "■": "#",
        "×": "x",
        "•": "-",
        "…": ".",
        "▌": "|",
        "▐": "|",
        "█": "#",
        "░": ":",
        "─": "-",
        "│": "|",
        "·": ".",
        "├": "|",
        "┤": "|",
        "┃": "|",
        "▼": "v",
        "↑": "^",
        "↓": "v",
        "�": "?",
        "┼": "+",
        "═": "=",
        "▓": "%",
        "▒": "+",
        "╌": "-",
        "╭": "+",
        "╮": "+",
        "╰": "+",
        "╯": "+",
        "‹": "<",
        "›": ">",
        "“": '"',
        "”": '"',
        "≠": "!",
        "→": ">",
        "←": "<",
        "▸": ">",
        "▾": "v",
        "━": "=",
        "┊": "|",
        "┄": "-",
    }
)


def strategy_mark(status: StrategyStatus) -> Mark:
    match status:
        case StrategyStatus.INTACT:
            return Mark("●", "INTACT", Tone.GOOD)
        case StrategyStatus.SUSPECT:
            return Mark("?", "SUSPECT", Tone.WARN)
        case StrategyStatus.BROKEN:
            return Mark("▲", "BROKEN", Tone.BAD)
        case StrategyStatus.CLOSING:
            return Mark("►", "CLOSING", Tone.NOTICE)
        case StrategyStatus.CLOSED:
            return Mark("○", "CLOSED", Tone.MUTED)
        case StrategyStatus.ATTENTION:
            return Mark("!", "ATTENTION", Tone.BAD)
        case _:
            assert_never(status)


def venue_mark(state: VenueState) -> Mark:
    match state:
        case VenueState.CONNECTING:
            return Mark("○", "connecting", Tone.WARN)
        case VenueState.SYNCING:
            return Mark("○", "syncing", Tone.NOTICE)
        case VenueState.READY:
            return Mark("●", "ready", Tone.GOOD)
        case VenueState.STALE:
            return Mark("!", "stale", Tone.WARN)
        case VenueState.DOWN:
            return Mark("×", "down", Tone.BAD)
        case _:
            assert_never(state)


def severity_mark(severity: Severity) -> Mark:
    match severity:
        case Severity.INFO:
            return Mark("•", "INFO", Tone.NOTICE)
        case Severity.WARNING:
            return Mark("!", "WARNING", Tone.WARN)
        case Severity.CRITICAL:
            return Mark("▲", "CRITICAL", Tone.BAD)
        case _:
            assert_never(severity)


def assignment_state_mark(state: AssignmentState) -> Mark:
    match state:
        case AssignmentState.WAITING:
            return Mark("?", "waiting", Tone.WARN)
        case AssignmentState.CLOSING:
            return Mark("►", "closing", Tone.NOTICE)
        case AssignmentState.CLOSED:
            return Mark("●", "closed", Tone.GOOD)
        case AssignmentState.NOTED:
            return Mark("•", "noted", Tone.MUTED)
        case AssignmentState.ATTENTION:
            return Mark("!", "attention", Tone.BAD)
        case _:
            assert_never(state)


_ASSIGNMENT_WORDS = {
    AssignmentKind.CASH_SETTLED: "CASH SETTLED",
    AssignmentKind.CORPORATE_ACTION: "CORP. ACTION",
}


def assignment_word(kind: AssignmentKind) -> str:
    return _ASSIGNMENT_WORDS.get(kind, kind.value)


def order_mark(state: OrderState) -> Mark:
    match state:
        case OrderState.HELD:
            return Mark("!", "HELD", Tone.WARN)
        case OrderState.SENDING:
            return Mark("►", "SENDING", Tone.NOTICE)
        case OrderState.UNKNOWN:
            return Mark("?", "UNKNOWN", Tone.BAD)
        case OrderState.WORKING:
            return Mark("►", "WORKING", Tone.NOTICE)
        case OrderState.FILLED:
            return Mark("●", "FILLED", Tone.GOOD)
        case OrderState.CANCELLED:
            return Mark("○", "CANCELLED", Tone.MUTED)
        case OrderState.REJECTED:
            return Mark("×", "REJECTED", Tone.BAD)
        case _:
            assert_never(state)


def set_mark(state: SetState) -> Mark:
    match state:
        case SetState.WAITING:
            return Mark("○", "waiting", Tone.MUTED)
        case SetState.BUYING:
            return Mark("►", "buying", Tone.NOTICE)
        case SetState.PROTECTING:
            return Mark("►", "protecting", Tone.WARN)
        case SetState.IN_POSITION:
            return Mark("●", "in position", Tone.GOOD)
        case SetState.SELLING:
            return Mark("►", "selling", Tone.NOTICE)
        case SetState.ATTENTION:
            return Mark("!", "attention", Tone.BAD)
        case _:
            assert_never(state)


_BARRIER_STATES = {
    "ATTENTION": Mark("!", "ATTENTION", Tone.BAD),
    "WAITING": Mark("?", "WAITING", Tone.WARN),
    "CLOSING": Mark("►", "CLOSING", Tone.NOTICE),
    "CLOSED": Mark("○", "CLOSED", Tone.MUTED),
}


def barrier_mark(barrier: BarrierView) -> Mark:
    """The state's own mark; what fired takes the word's place while it closes."""
    word = barrier.state.upper().replace("_", " ")
    mark = _BARRIER_STATES.get(word, Mark("●", word, Tone.GOOD))
    if barrier.close_type:
        fired = barrier.close_type.upper().replace("_", " ").removesuffix(" STOP")
        tone = mark.tone if mark.tone is not Tone.GOOD else Tone.NOTICE
        return Mark("►" if mark.sign == "●" else mark.sign, fired, tone)
    return mark


_MODES = {
    "demo": Mark("◊", "DEMO", Tone.DEMO),
    "paper": Mark("□", "PAPER", Tone.PAPER),
    "live": Mark("■", "LIVE", Tone.LIVE),
}


def mode_mark(mode: str) -> Mark:
    """An engine of another version may name a mode this screen does not know: treat it as live."""
    return _MODES.get(mode.lower()) or Mark("?", mode.upper(), Tone.LIVE)


def armed_mark(armed: bool) -> Mark:
    return Mark("●", "ARMED", Tone.GOOD) if armed else Mark("○", "DISARMED", Tone.WARN)
