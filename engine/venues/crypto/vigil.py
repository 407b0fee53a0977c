"""Watches over a connection: silence of the streams, and what must be confirmed from time to time.

Silence is told, and answered by asking over REST; when it lasts, only a new connection helps.
"""

import asyncio
from collections.abc import Awaitable, Callable

from engine.venues.crypto.settings import CryptoSettings


class Vigil:
    """heard_at: when a stream last spoke; confirmed_at: when REST last told everything.

    stale and dead are called when silence lasted so long; poll asks over REST for what streams
    would tell, confirm for what changes seldom, warm for anything: an idle connection is closed,
    and an order must not wait for a new one.
    """

    def __init__(
        self,
        settings: CryptoSettings,
        clock: Callable[[], float],
        *,
        stale: Callable[[], None],
        dead: Callable[[float], None],
        poll: Callable[[], Awaitable[None]],
        confirm: Callable[[], Awaitable[None]],
        warm: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._stale = stale
        self._dead = dead
        self._poll = poll
        self._confirm = confirm
        self._warm = warm
        self.heard_at = self.confirmed_at = clock()
        self._polled_at = self._warmed_at = clock()
        self._stale_since: float | None = None
        self.is_stale = False

    async def keep(self) -> None:
        """Watch until the connection is dead."""
        settings = self._settings
        while True:
            await asyncio.sleep(settings.tick_seconds)
            now = self._clock()
            quiet = now - self.heard_at
            # Quotes alone may speak while the account's stream was never opened.
            self._stale_since = (self._stale_since or now) if self.is_stale else None
            silent = now - self._stale_since if self._stale_since else 0.0
            if max(quiet, silent) >= settings.dead_seconds:
                self._dead(max(quiet, silent))
                return
            if quiet >= settings.stale_seconds and not self.is_stale:
                self.is_stale = True
                self._stale()
            if self.is_stale and now - self._polled_at >= settings.poll_seconds:
                self._polled_at = now
                await self._poll()
            elif now - self.confirmed_at >= settings.confirm_seconds:
                self.confirmed_at = now
                await self._confirm()
            elif now - self._warmed_at >= settings.warm_seconds:
                self._warmed_at = now
                await self._warm()
