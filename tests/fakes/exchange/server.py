"""The server every stand-in is built on: HTTP and WebSockets of one venue on loopback, a journal
of its requests, scripted faults, and the commands a test gives it. It knows no venue's words.

A venue subclasses ExchangeServer, names its routes in `routes` (and WebSocket paths in `sockets`),
translates requests to self.account and account events to messages (`on_event`). All handlers are
plain functions: one request is answered before the next is looked at.

    class MyVenue(ExchangeServer):
        def routes(self):
            return {"GET /api/ticker": self._ticker, "DELETE /api/order/{id}": self._cancel}
        def sockets(self):
            return ("/ws",)
        def on_event(self, event): ...          # an account event: publish messages
        def on_text(self, socket, text): ...    # a client's message

    async with MyVenue() as venue:
        venue.set_quote("BTCUSDT", Decimal(1), Decimal(2))
        client = point(ccxt.binanceusdm({...}), venue.url)
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes.exchange.account import Account
from tests.fakes.exchange.commands import Commands
from tests.fakes.exchange.faults import Fault, Faults, ScriptedFault
from tests.fakes.exchange.records import Event, Market, Refusal
from tests.fakes.exchange.rules import Rules, numbered
from tests.fakes.exchange.wire import Answer, Request, Socket, VenueError

Handler = Callable[[Request], Answer]


class ExchangeServer(Commands):
    """A stand-in of an exchange. url is `http://127.0.0.1:PORT` once started.

    api_key, secret and password are the only ones it knows; requests are in `journal`, messages of
    clients in `heard` (path, text). `stepped_aside_seconds` moves its clock against the client's.
    """

    def __init__(
        self,
        markets: Iterable[Market],
        *,
        rules: Rules | None = None,
        new_order_id: Callable[[], str] | None = None,
        new_fill_id: Callable[[], str] | None = None,
        api_key: str = "loopback-key",
        secret: str = "bG9vcGJhY2stc2VjcmV0LWZvci10ZXN0cw==",
        password: str = "loopback-pass",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.host, self.port = host, port
        self.api_key, self.secret, self.password = api_key, secret, password
        self.stepped_aside_seconds = 0.0
        self.logins_refused = False
        self.journal: list[Request] = []
        self.heard: list[tuple[str, str]] = []
        self.clients: list[Socket] = []
        self.script = Faults()
        self.account = Account(
            markets,
            rules=rules or Rules(),
            clock=self.now,
            new_order_id=new_order_id or numbered(1001),
            new_fill_id=new_fill_id or numbered(500001),
        )
        self.account.listen(self.on_event)
        self._held: dict[str, list[tuple[Socket, Any]]] = {}
        self._mute = False
        self._pongs = True
        self._accepting = True
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    # What a venue says

    def routes(self) -> Mapping[str, Handler]:
        """Handlers by "METHOD /path"; parts in braces are request.part(name)."""
        raise NotImplementedError

    def sockets(self) -> Iterable[str]:
        """The paths WebSockets are served at."""
        return ()

    def on_event(self, event: Event) -> None:
        """Translate an account event into stream messages (`publish`)."""

    def on_open(self, socket: Socket) -> None:
        """A client connected."""

    def on_text(self, socket: Socket, text: str) -> None:
        """A client sent a message."""

    def on_closed(self, socket: Socket) -> None:
        """A client is gone."""

    def before(self, request: Request) -> None:
        """Checks every request passes first (signature, budget): raise VenueError to refuse."""

    def fault_answer(self, scripted: ScriptedFault) -> Answer:
        """What the venue says with a 500 or a 429."""
        if scripted.fault is Fault.RATE_LIMITED:
            headers = {"Retry-After": str(scripted.retry_after_seconds)}
            return Answer(body="Too Many Requests", status=429, headers=headers)
        return Answer(body="Internal Server Error", status=500)

    def refusal_answer(self, refusal: Refusal, request: Request) -> Answer:
        """What the venue says where the account refuses and the handler lets it through."""
        return Answer(body=str(refusal), status=400)

    # Clock

    def now(self) -> datetime:
        """The exchange's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.stepped_aside_seconds)

    def now_ms(self) -> int:
        return round(self.now().timestamp() * 1000)

    # Life

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """What a ccxt client takes as its config to be let in."""
        return {"apiKey": self.api_key, "secret": self.secret, "password": self.password}

    async def start(self) -> None:
        """Listen; port becomes the one in use."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        for path in self.sockets():
            app.router.add_get(path, self._serve_socket)
        for name, handler in self.routes().items():
            method, _, path = name.partition(" ")
            app.router.add_route(method, path, self._http(handler))
        app.router.add_route("*", "/{tail:.*}", self._http(self._nothing_here))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection and return when all are closed."""
        self._stopping.set()
        self.drop_sockets()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def until(self, happened: Callable[[], bool], *, within_seconds: float = 5.0) -> None:
        """Wait for something that requests or messages of clients bring about. Raises
        TimeoutError."""
        async with asyncio.timeout(within_seconds):
            while not happened():
                self._news.clear()
                await self._news.wait()

    # Streams

    def publish(self, message: Any, *, channel: str, to: Iterable[Socket] | None = None) -> None:
        """Send a message of a channel to its subscribers (those with the channel in
        `subscriptions`), or to others; a held channel keeps it until released."""
        for socket in (
            [one for one in self.clients if channel in one.subscriptions]
            if (to is None)
            else list(to)
        ):
            if channel in self._held:
                self._held[channel].append((socket, message))
            else:
                socket.send(message)

    # HTTP

    def _http(self, handler: Handler) -> Callable[[web.Request], Any]:
        async def serve(web_request: web.Request) -> web.StreamResponse:
            request = Request(
                at_seconds=time.monotonic(),
                method=web_request.method,
                path=web_request.path,
                query=web_request.rel_url.raw_query_string,
                body=await web_request.text(),
                headers=tuple(web_request.headers.items()),
                route=tuple(web_request.match_info.items()),
            )
            self.journal.append(request)
            scripted = self.script.next(request.method, request.path)
            if scripted is None or scripted.fault.done:
                answer = self._answer(handler, request)
            self._news.set()
            if scripted is not None:
                return await self._fail(web_request, scripted)
            return _response(answer)

        return serve

    def _answer(self, handler: Handler, request: Request) -> Answer:
        try:
            self.before(request)
            return handler(request)
        except VenueError as error:
            return error.answer
        except Refusal as refusal:
            return self.refusal_answer(refusal, request)

    async def _fail(self, request: web.Request, scripted: ScriptedFault) -> web.StreamResponse:
        match scripted.fault:
            case Fault.SILENT | Fault.SILENT_AFTER:
                await self._stopping.wait()
            case Fault.DROPPED | Fault.DROPPED_AFTER:
                assert request.transport is not None
                request.transport.abort()
            case _:
                pass
        return _response(self.fault_answer(scripted))

    def _nothing_here(self, request: Request) -> Answer:
        return Answer(body=f"no {request.method} {request.path} here", status=404)

    # WebSockets

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        if not self._accepting:
            return web.Response(status=503)
        response = web.WebSocketResponse(autoping=False, compress=False)
        await response.prepare(request)
        socket = Socket(request.path, request.rel_url.raw_query_string, response, request.transport)
        socket.mute = self._mute
        self.clients.append(socket)
        writer = asyncio.create_task(socket.write())
        self.on_open(socket)
        self._news.set()
        try:
            async for message in response:
                if message.type is WSMsgType.PING and self._pongs:
                    socket.pong(bytes(message.data))
                elif message.type is WSMsgType.TEXT:
                    self.heard.append((socket.path, message.data))
                    self.on_text(socket, message.data)
                self._news.set()
        finally:
            self.clients.remove(socket)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self.on_closed(socket)
            self._news.set()
        return response


def _response(answer: Answer) -> web.Response:
    if isinstance(answer.body, str):
        return web.Response(text=answer.body, status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)
