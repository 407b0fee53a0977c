"""A terminal's or command's end of the attach socket.

It connects once and never by itself again: whoever uses it hears EngineLost and decides. Of the
pictures only the newest is kept; one that was replaced before it was asked for is never read.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Self, assert_never

from engine.attach.errors import (
    AttachError,
    EngineLost,
    EngineNotRunning,
    EngineRefused,
    NoAnswer,
    ProtocolMismatch,
)
from engine.attach.place import MAX_PATH_BYTES, peer_of
from engine.attach.protocol import (
    MAX_EXPIRY_SECONDS,
    MAX_FROM_ENGINE,
    PROTOCOL,
    About,
    BadFrame,
    FrameTooLarge,
    Hello,
    Refusal,
    Reply,
    Request,
    Role,
    Subscribe,
    Welcome,
    client_frame,
    is_picture,
    read_frame,
    read_from_engine,
    read_opening,
    read_picture,
    read_welcome,
    unpacked,
)
from engine.desk.snapshot import Snapshot

_READ_AHEAD_BYTES = 1024 * 1024


class AttachClient:
    """One connection to an engine. Made by connect(); close it when done."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: Welcome
    ) -> None:
        self.welcome = welcome
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._picture: bytes | None = None
        self._news = asyncio.Event()
        self._end: AttachError | None = None
        self._closed = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls,
        path: Path,
        *,
        role: Role,
        client_name: str,
        timeout: float = 3.0,  # noqa: ASYNC109
    ) -> "AttachClient":
        """Attach to the engine at path; raises EngineNotRunning, EngineRefused (also as
        ProtocolMismatch) or EngineLost when it does not answer in timeout seconds."""
        hello = Hello(role=role, client=client_name)
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await _open(path)
                try:
                    welcome = await _introduce(hello, reader, writer)
                except BaseException:
                    writer.transport.abort()
                    raise
        except TimeoutError:
            raise EngineLost(f"The engine did not answer within {timeout:g} s.") from None
        return cls(reader, writer, welcome)

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Subscribe and yield pictures, the newest each time; one iteration at a time.

        Ends by raising EngineLost, with the engine's reason where it gave one; returns when this
        client was closed.
        """
        await self._subscribe()
        while True:
            await self._news.wait()
            self._news.clear()
            picture, self._picture = self._picture, None
            if picture is not None:
                yield _snapshot(picture)
            elif self._closed:
                return
            elif self._end is not None:
                # Whoever iterates once more hears it again.
                self._news.set()
                raise self._end

    async def request(
        self,
        about: About,
        timeout: float = 5.0,  # noqa: ASYNC109  it is the expiry of the request too
    ) -> Reply:
        """Send one request and wait for its reply; the request expires with the waiting.

        Raises NoAnswer when there was none in time (it may have been carried out all the same),
        EngineLost when the connection ended. A reply with ok False is returned, not raised.
        """
        if self._end is not None:
            raise self._end
        request = Request.stamped(about, min(timeout, MAX_EXPIRY_SECONDS))
        try:
            frame = client_frame(request)
        except FrameTooLarge as error:
            raise EngineRefused(f"The request is too large: {error}.") from None
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = answer
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(frame)
                await self._writer.drain()
                return await answer
        except TimeoutError:
            raise NoAnswer(
                f"The engine did not answer within {timeout:g} s. It may still have done what was "
                "asked: look at the status before asking again."
            ) from None
        except OSError as error:
            raise self._end or _lost() from error
        finally:
            del self._waiting[request.id]
            answer.cancel()

    async def close(self) -> None:
        """Detach. What was requested and taken is carried out by the engine all the same."""
        self._closed = True
        self._writer.transport.abort()
        self._reading.cancel()
        await asyncio.wait({self._reading})
        self._ended(EngineLost("This client was closed."))
        with suppress(OSError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _subscribe(self) -> None:
        try:
            reply = await self.request(Subscribe(pictures=True))
        except NoAnswer as error:
            raise EngineLost("The engine does not answer.") from error
        if not reply.ok:
            raise EngineLost(reply.message)

    async def _read(self) -> None:
        try:
            while True:
                self._heard(unpacked(await read_frame(self._reader, MAX_FROM_ENGINE)))
        except EngineLost as lost:
            self._ended(lost)
        except BadFrame as error:
            self._ended(EngineLost(f"The engine sent what this terminal cannot read: {error}."))
        except (asyncio.IncompleteReadError, OSError):
            self._ended(_lost())
        finally:
            self._writer.transport.abort()

    def _heard(self, body: bytes) -> None:
        if is_picture(body):
            # Read when it is asked for: by then a newer one may stand in its place.
            self._picture = body
            self._news.set()
            return
        message = read_from_engine(body)
        match message:
            case Reply():
                answer = self._waiting.get(message.id)
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case Refusal():
                raise EngineLost(message.reason)
            case _:
                assert_never(message)

    def _ended(self, why: AttachError) -> None:
        if self._end is None:
            self._end = why
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._end)
        self._news.set()


async def _open(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise EngineNotRunning(f"No engine can listen on {path}: the path is too long.")
    try:
        return await asyncio.open_unix_connection(path, limit=_READ_AHEAD_BYTES)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise EngineNotRunning("No engine is running.") from None
    except PermissionError:
        raise EngineRefused(f"The engine at {path} belongs to another user.") from None
    except OSError as error:
        raise EngineNotRunning(f"No engine answers at {path}: {error.strerror}.") from error


async def _introduce(
    hello: Hello, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Welcome:
    """Say hello and read the answer, which may come from an engine of any version."""
    peer = peer_of(writer.get_extra_info("socket"))
    if peer.uid != os.geteuid():
        raise EngineRefused("What listens on this socket belongs to another user.")
    try:
        writer.write(client_frame(hello))
        await writer.drain()
        body = await read_frame(reader, MAX_FROM_ENGINE)
        opening = read_opening(body)
        if opening.protocol != PROTOCOL:
            raise ProtocolMismatch(
                opening.reason
                or f"The engine (process {peer.pid}) speaks protocol {opening.protocol}, this "
                f"terminal {PROTOCOL}. Use the engine's own version of bulkhead."
            )
        if opening.type == "refusal":
            raise EngineRefused(opening.reason)
        return read_welcome(body)
    except BadFrame as error:
        raise EngineLost(f"What listens on this socket is no engine: {error}.") from None
    except (asyncio.IncompleteReadError, OSError):
        raise EngineLost("The engine hung up before it said welcome.") from None


def _snapshot(picture: bytes) -> Snapshot:
    try:
        return read_picture(picture).snapshot
    except BadFrame:
        raise EngineLost("The engine sent a picture this terminal cannot read.") from None


def _lost() -> EngineLost:
    return EngineLost("The engine is gone.")
