"""What the terminal knows at one moment: the last picture, its age, and the link to the engine."""

from dataclasses import dataclass
from enum import StrEnum

from engine.desk.snapshot import Snapshot
from tui.keys import STANDARD, Keymap
from tui.rows.cells import Tone

STALE_AFTER_SECONDS = 15.0


class LinkState(StrEnum):
    CONNECTING = "CONNECTING"
    UP = "UP"
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something this terminal has to say about what was just pressed or answered."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """picture_age_seconds: since the last picture came. detail: why the link is not up.
    attempt counts tries to reach the engine since it was lost, from 1. muted: no bell."""

    picture: Snapshot | None = None
    picture_age_seconds: float = 0.0
    link: LinkState = LinkState.CONNECTING
    detail: str = ""
    attempt: int = 0
    said: Said | None = None
    read_only: bool = False
    muted: bool = False
    keymap: Keymap = STANDARD

    @property
    def fresh(self) -> bool:
        """Whether the picture may be believed: the link is up and brought one lately."""
        return (
            self.picture is not None
            and self.link is LinkState.UP
            and self.picture_age_seconds < STALE_AFTER_SECONDS
        )
