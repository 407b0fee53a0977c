"""Connections of the unmodified ib_insync to a loopback TWS, for the tests of the loopback itself.

Each fails its test when ib_insync's decoder logged an error: ib_insync swallows those.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from ib_insync import IB, Client

from tests.fakes.tws.server import LoopbackTws

# ib_insync's own signatures are untyped or half typed.
_new_client: Any = Client
_new_ib: Any = IB


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def decoding_cleanly() -> Iterator[None]:
    """Fail when ib_insync could not decode something."""
    kept = _Kept()
    logger = logging.getLogger("ib_insync.Decoder")
    logger.addHandler(kept)
    try:
        yield
    finally:
        logger.removeHandler(kept)
    assert not kept.records, [(one.getMessage(), one.exc_text) for one in kept.records]


class _Zone:
    TimezoneTWS = "US/Eastern"


class Listener:
    """A wrapper for a bare Client that keeps every call: (method name, arguments)."""

    ib = _Zone()

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.client: Any = _new_client(self)
        self._waiters: list[tuple[str, int, asyncio.Future[None]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)

        def keep(*args: Any) -> None:
            self.calls.append((name, args))
            for wanted, count, woken in self._waiters:
                if not woken.done() and len(self.of(wanted)) >= count:
                    woken.set_result(None)

        return keep

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of one method."""
        return [args for called, args in self.calls if called == name]

    def errors(self) -> list[tuple[int, int]]:
        """(request id, code) of every error, without the farm notices."""
        pairs = [(args[0], args[1]) for args in self.of("error")]
        return [(req, code) for req, code in pairs if code not in (2104, 2106, 2158)]

    def names(self, *wanted: str) -> list[str]:
        """The order in which these methods were called."""
        return [called for called, _ in self.calls if called in wanted]

    async def heard(self, name: str, count: int = 1) -> list[tuple[Any, ...]]:
        """Return the calls of a method once there are so many."""
        if len(self.of(name)) < count:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append((name, count, woken))
            async with asyncio.timeout(5):
                await woken
        return self.of(name)

    async def settled(self) -> None:
        """Return once everything sent before now was heard: a round trip."""
        before = len(self.of("currentTime"))
        self.client.reqCurrentTime()
        await self.heard("currentTime", before + 1)


@asynccontextmanager
async def listening(tws: LoopbackTws, client_id: int = 7) -> AsyncIterator[Listener]:
    """A bare Client, connected."""
    with decoding_cleanly():
        listener = Listener()
        await listener.client.connectAsync(tws.host, tws.port, client_id)
        try:
            yield listener
        finally:
            if listener.client.conn.isConnected():
                gone = listener.client.conn.disconnected
                listener.client.disconnect()
                await gone


@asynccontextmanager
async def connected_ib(
    tws: LoopbackTws, client_id: int = 7, *, timeout_seconds: float = 4, read_only: bool = False
) -> AsyncIterator[Any]:
    """An IB(), connected, whose own types are too loose to be of use."""
    with decoding_cleanly():
        ib = _new_ib()
        await ib.connectAsync(
            tws.host, tws.port, clientId=client_id, timeout=timeout_seconds, readonly=read_only
        )
        try:
            yield ib
        finally:
            if ib.client.conn.isConnected():
                gone = ib.client.conn.disconnected
                ib.disconnect()
                await gone
