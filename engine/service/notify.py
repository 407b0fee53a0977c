"""Tells systemd how the engine is: ready, alive, about to stop, and one line of words.

Ready is an engine that knows every book, or that said of a venue that it cannot be reached. Alive
is the loop, the journal's thread and the venues together; a timer alone would prove nothing. It
decides nothing, and without NOTIFY_SOCKET it does nothing.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

import structlog

from engine.desk.facts import VenueState
from engine.desk.snapshot import OrderState, Snapshot
from engine.errors import EngineError
from engine.journal import JournalError

log = structlog.get_logger("bulkhead.engine")

SILENT_SECONDS = 90.0
"""A venue that calls itself ready is heard more often than this, or it would have said so."""

_LOOK_SECONDS = 0.25
_REST_SECONDS = 5.0
_SETTLED = (VenueState.READY, VenueState.STALE, VenueState.DOWN)
_DONE = (OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED)


class Notifier:
    """The way to whoever supervises this process. address is a socket's path, or with a leading @
    its abstract name (sd_notify(3)); watchdog_seconds is None where no life sign is wanted."""

    def __init__(self, address: str, watchdog_seconds: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog = watchdog_seconds
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._settled: set[str] = set()
        self._is_ready = False
        self._said = ""
        self._problem = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self | None:
        """The supervisor the environment names, None where there is none."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address:
            return None
        micros = environ.get("WATCHDOG_USEC", "")
        meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = meant and micros.isascii() and micros.isdigit() and int(micros) > 0
        return cls(address, int(micros) / 1e6 if wanted else None)

    def close(self) -> None:
        """Say that the engine stops, and leave."""
        self._send("STOPPING=1", "STATUS=stopping")
        self._socket.close()

    async def watch(
        self, snapshot: Callable[[], Snapshot], ping: Callable[[], Awaitable[None]]
    ) -> None:
        """Report for as long as the engine runs. ping returns once the journal answered."""
        while True:
            picture = snapshot()
            self._tell(picture)
            if not self._is_ready:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if self._watchdog is not None:
                self._found(await _problem(picture, ping, self._watchdog / 2))
            await asyncio.sleep(min(_REST_SECONDS, (self._watchdog or _REST_SECONDS) / 2))

    def _tell(self, picture: Snapshot) -> None:
        words = f"STATUS={self._problem or status(picture)}"
        if words != self._said and self._send(words):
            self._said = words
        # A venue that cannot be reached goes on trying: what it was once counts.
        self._settled |= {venue.name for venue in picture.venues if venue.state in _SETTLED}
        if not self._is_ready and all(v.name in self._settled for v in picture.venues):
            self._is_ready = self._send("READY=1")

    def _found(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.critical("no life sign is given", why=problem)
        self._problem = problem
        if not problem:
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> bool:
        try:
            self._socket.sendto("\n".join(lines).encode(errors="replace"), self._address)
        except OSError as error:
            log.info("the supervisor cannot be told", error=str(error))
            return False
        return True


async def _problem(
    picture: Snapshot, ping: Callable[[], Awaitable[None]], patience_seconds: float
) -> str:
    """Why this engine does not count as alive, empty where it does."""
    for venue in picture.venues:
        age = venue.age_seconds
        if venue.state is VenueState.READY and (age is None or age > SILENT_SECONDS):
            return f"{venue.name} calls itself ready and is silent"
    try:
        async with asyncio.timeout(patience_seconds):
            await ping()
    except TimeoutError:
        return "the journal does not answer"
    except (EngineError, JournalError) as error:
        return str(error)
    return ""


def status(picture: Snapshot) -> str:
    """The engine in one line, for `systemctl status`."""
    armed = "armed" if picture.armed else "disarmed"
    venues = [f"{venue.name} {venue.state}" for venue in picture.venues]
    orders = sum(order.state not in _DONE for order in picture.orders)
    alerts = sum(not alert.acknowledged for alert in picture.alerts)
    told = [f"{picture.mode}, {armed}", *venues, f"{orders} orders out", f"{alerts} alerts open"]
    return "; ".join(told)
