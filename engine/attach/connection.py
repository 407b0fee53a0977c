"""One client as the engine sees it: what it is still owed, and the task that writes it.

Handing something over never waits. A newer picture replaces an unsent older one; replies are kept
in order and never dropped, and a client that is owed too many, or takes nothing for too long, is
cut off. Frames go out in pieces, so that a client that reads slowly costs one piece of memory.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine.attach.pacing import Timer, Timers
from engine.attach.place import HasOptions
from engine.attach.protocol import MAX_FROM_ENGINE, Role

PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client, and all together, may cost the engine. Gaps and waits are seconds."""

    clients: int = 256
    replies_owed: int = 64
    reply_bytes_owed: int = 2 * MAX_FROM_ENGINE
    requests_under_way: int = 16
    nonces: int = 4096
    picture_gap_seconds: float = 0.25
    urgent_gap_seconds: float = 0.05
    hello_seconds: float = 5.0
    stall_seconds: float = 30.0
    farewell_seconds: float = 1.0
    clock_skew_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request, as the operating system and its own Hello say."""

    client: str
    role: Role
    pid: int
    uid: int

    @property
    def by(self) -> str:
        return f"{self.client} (process {self.pid})"


class Outbox:
    """What a client is owed: replies in order, then at most one picture, the newest."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._replies: deque[bytes] = deque()
        self._reply_bytes = 0
        self._picture: bytes | None = None
        self._closed = False
        self._changed = asyncio.Event()

    def put_reply(self, frame: bytes) -> bool:
        """Owe one more reply; False when that is more than a client may be owed."""
        if self._closed:
            return True
        self._replies.append(frame)
        self._reply_bytes += len(frame)
        self._changed.set()
        return (
            len(self._replies) <= self._limits.replies_owed
            and self._reply_bytes <= self._limits.reply_bytes_owed
        )

    def put_picture(self, frame: bytes) -> None:
        if not self._closed:
            self._picture = frame
            self._changed.set()

    def drop_picture(self) -> None:
        self._picture = None

    def close(self) -> None:
        """Take nothing more; replies that are owed still go out, a picture does not."""
        self._closed = True
        self._picture = None
        self._changed.set()

    async def next(self) -> bytes | None:
        """Wait for the next frame to write; None when there will be no more."""
        while True:
            if self._replies:
                frame = self._replies.popleft()
                self._reply_bytes -= len(frame)
                return frame
            if self._picture is not None:
                frame, self._picture = self._picture, None
                return frame
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()


class Connection:
    """The engine's end of one connection."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        *,
        limits: Limits,
        timers: Timers,
        note: Callable[[str], None],
    ) -> None:
        self._writer = writer
        self._limits = limits
        self._timers = timers
        self._note = note
        self._outbox = Outbox(limits)
        self.caller: Caller | None = None
        self.requests_under_way = 0
        # Nothing waits in the transport: a piece is in the kernel before the next is handed over.
        writer.transport.set_write_buffer_limits(high=0)
        self.writing = asyncio.create_task(self._write())

    @property
    def name(self) -> str:
        return self.caller.by if self.caller is not None else "a client that said no hello"

    @property
    def socket(self) -> HasOptions:
        found: HasOptions = self._writer.get_extra_info("socket")
        return found

    def reply(self, frame: bytes) -> None:
        if not self._outbox.put_reply(frame):
            self.cut_off("it is owed too many replies")

    def picture(self, frame: bytes) -> None:
        self._outbox.put_picture(frame)

    def forget_picture(self) -> None:
        self._outbox.drop_picture()

    def finish(self) -> None:
        """Hang up once the replies that are owed are out."""
        self._outbox.close()

    def cut_off(self, why: str) -> None:
        """Hang up now."""
        if not self._writer.transport.is_closing():
            self._note(f"{self.name} was cut off: {why}")
        self.abort()

    def abort(self) -> None:
        self._outbox.close()
        self._writer.transport.abort()

    def cut_off_after(self, seconds: float, why: str) -> Timer:
        return self._timers.call_later(seconds, lambda: self.cut_off(why))

    async def _write(self) -> None:
        try:
            while (frame := await self._outbox.next()) is not None:
                await self._send(frame)
        except OSError:
            pass  # The client went away; the reading side sees it too and ends the connection.
        finally:
            self._outbox.close()
            self._writer.close()

    async def _send(self, frame: bytes) -> None:
        view = memoryview(frame)
        stall_seconds = self._limits.stall_seconds
        for start in range(0, len(view), PIECE_BYTES):
            if self._writer.transport.is_closing():
                raise ConnectionResetError
            self._writer.write(view[start : start + PIECE_BYTES])
            watchdog = self.cut_off_after(stall_seconds, f"it read nothing for {stall_seconds:g} s")
            try:
                await self._writer.drain()
            finally:
                watchdog.cancel()
            # A picture for many clients would otherwise be one long turn of the engine's loop.
            await asyncio.sleep(0)
