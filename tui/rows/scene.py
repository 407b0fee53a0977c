"""What a details screen is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.desk.snapshot import Snapshot
from tui.journal import JournalEntry
from tui.tracks import Tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a details screen is drawn from, and how large. journal is None while it is read."""

    picture: Snapshot
    tracks: Tracks
    width: int
    height: int
    journal: Sequence[JournalEntry] | None = None
    zoom: bool = False
