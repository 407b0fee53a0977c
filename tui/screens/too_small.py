"""The page for a terminal that is too small: it names the size needed, and goes by itself."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Static

SMALLEST = (60, 16)


def too_small(width: int, height: int) -> bool:
    return width < SMALLEST[0] or height < SMALLEST[1]


class TooSmall(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "q",
            "app.quit",
            "detach",
            show=False,
            id="small-detach",
            tooltip="Leave this screen; the engine goes on guarding",
        ),
    ]

    def compose(self) -> ComposeResult:
        yield Static(id="too-small")

    def on_mount(self) -> None:
        self._say(self.app.size.width, self.app.size.height)

    def on_resize(self, event: Resize) -> None:
        if too_small(event.size.width, event.size.height):
            self._say(event.size.width, event.size.height)
        elif self.is_current:
            self.dismiss()

    def _say(self, width: int, height: int) -> None:
        text = (
            f"This terminal is {width} x {height}.\n"
            f"bulkhead needs {SMALLEST[0]} x {SMALLEST[1]}.\n\n"
            "The engine guards on.\nq detaches."
        )
        self.query_one(Static).update(Text(text))
