"""Asks for the whole book, one question at a time, until it is answered completely.

Asks during a question are answered by the next one, for the question may be older than they are.
"""

import asyncio
from collections.abc import Awaitable, Callable

from engine.errors import VenueError
from engine.venues.crypto.faults import UNREADABLE, Denied
from engine.venues.crypto.markets import UnknownMarket

_MOST_FAILURES = 3
_FIRST_PAUSE_SECONDS = 0.5


class Asker:
    """question asks once; answered is called when it was, failed with the number of failures in a
    row, denied when the key is refused, which ends the asking, and unknown for a market that is
    not listed."""

    def __init__(
        self,
        question: Callable[[], Awaitable[None]],
        *,
        answered: Callable[[], None],
        failed: Callable[[Exception, bool], None],
        denied: Callable[[Denied], None],
        unknown: Callable[[UnknownMarket], Awaitable[None]],
        longest_pause_seconds: float,
    ) -> None:
        self._question = question
        self._answered = answered
        self._failed = failed
        self._denied = denied
        self._unknown = unknown
        self._longest_pause = longest_pause_seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        self._asked.set()

    async def keep(self) -> None:
        """Answer asks until the key is refused."""
        failures = 0
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._question()
            except Denied as error:
                self._denied(error)
                return
            except UnknownMarket as error:
                await self._unknown(error)
            except (VenueError, *UNREADABLE) as error:
                failures += 1
                self._failed(error, failures >= _MOST_FAILURES)
                pause = _FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 8)
                await asyncio.sleep(min(self._longest_pause, pause))
                self.ask()
            else:
                failures = 0
                self._answered()
