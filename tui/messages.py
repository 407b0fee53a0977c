"""What workers post: the only way news from the engine reaches the app, a screen or a widget."""

from typing import Any

from textual.message import Message

from engine.desk.snapshot import Snapshot
from tui.journal import JournalEntry
from tui.link import Answer, EngineLink


class LinkUp(Message):
    def __init__(self, link: EngineLink) -> None:
        super().__init__()
        self.link = link


class LinkLost(Message):
    """The engine could not be reached, or was lost; detail says why, for a person."""

    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail


class PictureArrived(Message):
    def __init__(self, picture: Snapshot) -> None:
        super().__init__()
        self.picture = picture


class RequestAnswered(Message):
    """answer is None where none came: what became of the request is not known."""

    def __init__(self, request: str, answer: Answer | None) -> None:
        super().__init__()
        self.request = request
        self.answer = answer


class JournalRead(Message):
    """What a screen asked of the journal; tag is its own. failed says why there is nothing."""

    bubble = False

    def __init__(
        self, tag: str, entries: tuple[JournalEntry, ...], failed: str | None = None
    ) -> None:
        super().__init__()
        self.tag = tag
        self.entries = entries
        self.failed = failed


class ConfigRead(Message):
    bubble = False

    def __init__(self, data: Any, failed: str | None = None) -> None:
        super().__init__()
        self.data = data
        self.failed = failed


class ConfigChecked(Message):
    """number is the asker's own: an answer to an older question is passed over."""

    bubble = False

    def __init__(self, number: int, data: Any, failed: str | None = None) -> None:
        super().__init__()
        self.number = number
        self.data = data
        self.failed = failed


class ConfigSaved(Message):
    bubble = False

    def __init__(self, answer: Answer | None) -> None:
        super().__init__()
        self.answer = answer
