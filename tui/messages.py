"""What workers post to the app: the only way news from the engine reaches a widget."""

from textual.message import Message

from engine.desk.snapshot import Snapshot
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


class HistoryRead(Message):
    def __init__(self, strategy_id: str, lines: tuple[str, ...]) -> None:
        super().__init__()
        self.strategy_id = strategy_id
        self.lines = lines
