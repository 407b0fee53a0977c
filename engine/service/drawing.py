"""Draws a new picture in slices ahead of who asks for it, so that no one turn of the loop has to
draw it whole. It decides nothing: what is drawn is kept where the picture finds it.
"""

import asyncio
from collections.abc import Mapping

from engine.desk.desk import Desk
from engine.desk.market import Quote
from engine.desk.picture import draw_some, ground_of

SLICE = 25
"""How many strategies are drawn in one turn of the loop: about two milliseconds, when the
processor's caches are cold and contracts get their names."""


class Drawing:
    """quotes: (venue, ref) -> the newest."""

    def __init__(self, desk: Desk, quotes: Mapping[tuple[str, str], Quote]) -> None:
        self._desk = desk
        self._quotes = quotes
        self._ground: tuple[object, ...] = ()
        self._next: asyncio.Handle | None = None

    def look(self) -> None:
        """Begin anew when the ground changed on which everything is drawn, unless the desk is still
        busy with it: then most of it would be drawn twice."""
        if self._desk.is_behind:
            return
        ground = ground_of(self._desk)
        if ground != self._ground:
            self._ground = ground
            self.stop()
            self._go_on(0)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _go_on(self, start: int) -> None:
        self._next = asyncio.get_running_loop().call_soon(self._draw, start)

    def _draw(self, start: int) -> None:
        self._next = None
        left = draw_some(self._desk, self._quotes, start, SLICE)
        if left is not None:
            self._go_on(left)
