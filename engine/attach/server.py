"""The engine's side of the attach socket: shows pictures to terminals and takes their requests.

It decides who may ask and whether a request is fresh, never what a request does. Nothing a client
does or omits makes the engine wait: handing over a picture or a reply returns at once.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.attach.connection import Caller, Connection, Limits
from engine.attach.document import DocumentWriter
from engine.attach.pacing import Pacer, SeenNonces, Timers
from engine.attach.place import HasOptions, Peer, listen, peer_of, remove
from engine.attach.protocol import (
    MAX_FROM_CLIENT,
    PROTOCOL,
    BadFrame,
    ControlAbout,
    FrameTooLarge,
    GetStatus,
    Hello,
    Refusal,
    RefusalCode,
    Reply,
    Request,
    Role,
    Subscribe,
    Welcome,
    engine_frame,
    picture_frame,
    read_frame,
    read_hello,
    read_opening,
    read_request,
    status_frame,
)
from engine.desk.snapshot import Snapshot

Handle = Callable[[Request, Caller], Awaitable[Reply]]


class _Refused(Exception):
    def __init__(self, code: RefusalCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class AttachServer:
    """Serves the socket at path until stopped.

    latest returns the present picture and is only asked when somebody will see it. handle carries
    out a request that passed every check here; GetStatus and Subscribe are answered without it.
    timers, now and peer stand for the loop's clock, the wall clock and the operating system.
    """

    def __init__(
        self,
        path: Path,
        latest: Callable[[], Snapshot],
        handle: Handle,
        *,
        version: str = "unknown",
        limits: Limits | None = None,
        note: Callable[[str], None] = lambda _: None,
        timers: Timers | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        peer: Callable[[HasOptions], Peer] = peer_of,
    ) -> None:
        self._path = path
        self._latest = latest
        self._handle = handle
        self._version = version
        self._limits = limits or Limits()
        self._note = note
        self._timers_given = timers
        self._now = now
        self._peer = peer
        self._clients: set[Connection] = set()
        self._subscribed: set[Connection] = set()
        self._newcomers: set[Connection] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._conversations: set[asyncio.Task[None]] = set()
        # Two memories, so that no flood of questions makes an old order look new.
        self._control_nonces = SeenNonces(self._limits.nonces)
        self._read_nonces = SeenNonces(self._limits.nonces)
        self._drawn: tuple[Snapshot, bytes] | None = None
        self._writer = DocumentWriter()
        self._number = 0
        self._stopping = False

    # --- for the service -------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to listen; raises AlreadyListening or SocketUnusable."""
        listener = listen(self._path)
        self._made = self._path.lstat()
        self._timers: Timers = self._timers_given or asyncio.get_running_loop()
        gap, urgent_gap = self._limits.picture_gap_seconds, self._limits.urgent_gap_seconds
        self._ordinary = Pacer(gap, self._show_everyone, self._timers)
        self._urgent = Pacer(urgent_gap, self._show_everyone, self._timers)
        self._welcoming = Pacer(urgent_gap, self._show_newcomers, self._timers)
        self._server = await asyncio.start_unix_server(self._accept, sock=listener)

    def publish(self, urgent: bool = False) -> None:
        """Say that latest() has changed. Pictures follow at most four a second; urgent ones at the
        loop's next turn, never within this call and never more often than every 50 ms."""
        if self._subscribed:
            (self._urgent if urgent else self._ordinary).ask()

    @property
    def attached(self) -> int:
        return len(self._clients)

    async def stop(self) -> None:
        """Stop listening, let replies that are under way go out for a moment, then hang up."""
        self._stopping = True
        self._server.close()
        remove(self._path, self._made)
        for pacer in (self._ordinary, self._urgent, self._welcoming):
            pacer.cancel()
        await self._within_farewell(self._working)
        for client in self._clients:
            client.finish()
        await self._within_farewell({client.writing for client in self._clients})
        for client in tuple(self._clients):
            client.abort()
        await self._within_farewell(self._conversations)
        await self._server.wait_closed()

    async def _within_farewell(self, tasks: set[asyncio.Task[None]]) -> None:
        # A handler may stop the server itself: it cannot be waited for from within.
        others = {task for task in tasks if task is not asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=self._limits.farewell_seconds)

    # --- pictures --------------------------------------------------------------------------------

    def _document(self) -> bytes:
        snapshot = self._latest()
        if self._drawn is None or self._drawn[0] is not snapshot:
            self._drawn = (snapshot, self._writer.write(snapshot))
        return self._drawn[1]

    def _show_everyone(self) -> None:
        self._ordinary.satisfied()
        # Only urgent pictures space out urgent ones: an alert never waits for an ordinary one.
        self._urgent.cancel()
        self._newcomers.clear()
        self._show(self._subscribed)

    def _show_newcomers(self) -> None:
        newcomers, self._newcomers = self._newcomers, set()
        self._show(newcomers)

    def _show(self, clients: set[Connection]) -> None:
        """Draw the present picture once and hand it to these clients."""
        if not clients:
            return
        self._number += 1
        try:
            frame = picture_frame(self._number, self._document())
        except FrameTooLarge as error:
            for client in tuple(clients):
                self._refuse(client, RefusalCode.TOO_LARGE, f"The picture is too large: {error}.")
            return
        for client in clients:
            client.picture(frame)

    # --- a conversation --------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        client = Connection(writer, limits=self._limits, timers=self._timers, note=self._note)
        self._clients.add(client)
        client.writing.add_done_callback(lambda _: self._gone(client))
        try:
            await self._welcome(reader, client)
            while True:
                self._take(read_request(await read_frame(reader, MAX_FROM_CLIENT)), client)
                # A flood that is already in the buffer would otherwise be one long turn.
                await asyncio.sleep(0)
        except _Refused as refused:
            self._refuse(client, refused.code, refused.reason)
        except BadFrame as error:
            reason = f"The engine did not understand a message: {error}."
            self._refuse(client, RefusalCode.BAD_FRAME, reason)
        except (asyncio.IncompleteReadError, OSError):
            pass  # The client left, perhaps in mid-frame.
        finally:
            client.finish()

    async def _welcome(self, reader: asyncio.StreamReader, client: Connection) -> None:
        peer = self._peer(client.socket)
        if peer.uid != os.geteuid():
            raise _Refused(RefusalCode.NOT_YOURS, "This engine belongs to another user.")
        if self._stopping:
            raise _Refused(RefusalCode.STOPPING, "The engine is stopping.")
        if len(self._clients) > self._limits.clients:
            limit = self._limits.clients
            raise _Refused(RefusalCode.TOO_MANY, f"{limit} clients are attached already.")
        impatience = client.cut_off_after(self._limits.hello_seconds, "it said no hello")
        try:
            body = await read_frame(reader, MAX_FROM_CLIENT)
        finally:
            impatience.cancel()
        hello = self._understood(body)
        client.caller = Caller(client=hello.client, role=hello.role, pid=peer.pid, uid=peer.uid)
        welcome = Welcome(
            engine_version=self._version,
            mode=self._latest().mode,
            pid=os.getpid(),
            role=hello.role,
        )
        client.reply(engine_frame(welcome))

    def _understood(self, body: bytes) -> Hello:
        opening = read_opening(body)
        if opening.type == "hello" and opening.protocol != PROTOCOL:
            raise _Refused(
                RefusalCode.PROTOCOL,
                f"This engine (version {self._version}, process {os.getpid()}) speaks protocol "
                f"{PROTOCOL}, the client {opening.protocol}. Use the engine's own version of "
                f"bulkhead, or end the engine with kill -TERM {os.getpid()} and start the new one.",
            )
        return read_hello(body)

    def _refuse(self, client: Connection, code: RefusalCode, reason: str) -> None:
        self._subscribed.discard(client)
        self._note(f"{client.name} was refused: {reason}")
        client.reply(engine_frame(Refusal(code=code, reason=reason)))
        client.finish()

    def _gone(self, client: Connection) -> None:
        self._clients.discard(client)
        self._subscribed.discard(client)
        self._newcomers.discard(client)
        if not self._subscribed:
            self._drawn = None

    # --- requests --------------------------------------------------------------------------------

    def _take(self, request: Request, client: Connection) -> None:
        """Answer a request, refuse it, or set it going; never waits for it."""
        caller = client.caller
        assert caller is not None, "requests are read after the welcome"
        fault = self._fault(request, client, caller)
        if fault is not None:
            client.reply(engine_frame(request.refused(fault)))
            return
        match request.about:
            case GetStatus():
                client.reply(self._status(request))
            case Subscribe(pictures=wanted):
                self._subscribe(client, wanted)
                client.reply(engine_frame(request.done()))
            case _:
                self._set_going(request, client, caller)

    def _fault(self, request: Request, client: Connection, caller: Caller) -> str | None:
        control = isinstance(request.about, ControlAbout)
        now = self._now()
        if self._stopping:
            return "The engine is stopping."
        if control and caller.role is not Role.CONTROL:
            return "This terminal is attached read-only: it may look, not act."
        if client.requests_under_way >= self._limits.requests_under_way:
            return "Too many requests of this terminal are under way."
        if request.expires_at < now:
            return "The request came too late and was not carried out. Ask again."
        if request.issued_at > now + timedelta(seconds=self._limits.clock_skew_seconds):
            return "The request is dated in the future: the clock was changed. Ask again."
        nonces = self._control_nonces if control else self._read_nonces
        if not nonces.is_new(request.nonce):
            return "This request was taken before and is not carried out twice."
        return None

    def _status(self, request: Request) -> bytes:
        try:
            return status_frame(request, self._document())
        except FrameTooLarge as error:
            return engine_frame(request.refused(f"The status is too large: {error}."))

    def _subscribe(self, client: Connection, wanted: bool) -> None:
        if wanted:
            self._subscribed.add(client)
            self._newcomers.add(client)
            self._welcoming.ask()
        else:
            self._subscribed.discard(client)
            self._newcomers.discard(client)
            client.forget_picture()

    def _set_going(self, request: Request, client: Connection, caller: Caller) -> None:
        """Carry it out in a task of its own, which outlives the connection: a close that was taken
        is carried out even if the terminal that asked for it is gone."""
        client.requests_under_way += 1
        task = asyncio.create_task(self._carry_out(request, client, caller))
        self._working.add(task)
        task.add_done_callback(lambda done: self._carried_out(done, request, client))

    async def _carry_out(self, request: Request, client: Connection, caller: Caller) -> None:
        reply = await self._handle(request, caller)
        try:
            frame = engine_frame(reply)
        except FrameTooLarge as error:
            frame = engine_frame(
                request.refused(f"The answer is too large: {error}. Ask for less.")
            )
        client.reply(frame)

    def _carried_out(self, task: asyncio.Task[None], request: Request, client: Connection) -> None:
        self._working.discard(task)
        client.requests_under_way -= 1
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            reason = "The engine failed at this request; its log says more."
            client.reply(engine_frame(request.refused(reason)))
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"the request {request.about.type} failed", "exception": error}
            )
