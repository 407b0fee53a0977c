"""OKX's three WebSockets: public, private and business; logins, subscriptions and what is pushed.

A subscription is its `arg`; every push repeats the arg it is for. Orders are not pushed at the
start of a subscription; positions and the account are, whole.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Protocol

from tests.fakes.exchange.wire import Socket
from tests.fakes.okx.reads import Reads
from tests.fakes.okx.rows import Row

PATHS = ("/ws/v5/public", "/ws/v5/private", "/ws/v5/business")
Arg = dict[str, str]

_PRIVATE = {
    "orders": "/ws/v5/private",
    "positions": "/ws/v5/private",
    "account": "/ws/v5/private",
    "orders-algo": "/ws/v5/business",
}
_PUBLIC = ("tickers", "bbo-tbt", "mark-price")
_CONNECTION = "accb8e21"


class Host(Protocol):
    """The exchange, as its streams need it."""

    clients: list[Socket]
    api_key: str
    secret: str
    password: str
    logins_refused: bool

    def publish(self, message: Any, *, channel: str, to: list[Socket] | None = None) -> None: ...

    def now_ms(self) -> int: ...


class Streams:
    """Who hears what."""

    def __init__(
        self,
        host: Host,
        reads: Reads,
        *,
        quote: Callable[[str, str], Row | None],
        operate: Callable[[str, list[dict[str, Any]]], tuple[str, list[Row]]],
    ) -> None:
        self._host, self._reads = host, reads
        self._quote, self._operate = quote, operate

    # Pushing

    def push(self, channel: str, rows: list[Row], *, name: str = "") -> None:
        """Push rows of one instrument (name, or any) to those who hear of it."""
        for socket in list(self._host.clients):
            for arg in _args(socket):
                if arg["channel"] == channel and arg.get("instId") in (None, "", name):
                    self._send(socket, arg, rows, "event_update")

    def push_quote(self, market: str) -> None:
        """Push what a new quote changes, in every public channel."""
        for channel in _PUBLIC:
            row = self._quote(channel, market)
            if row is not None:
                self.push(channel, [row], name=market)

    def replay(self, channel: str) -> None:
        """Push what a new subscription would begin with, once more."""
        for socket in list(self._host.clients):
            for arg in _args(socket):
                if arg["channel"] == channel:
                    self._begin(socket, arg)

    def _send(self, socket: Socket, arg: Arg, rows: list[Row], event: str) -> None:
        message: dict[str, Any] = {"arg": arg, "data": rows}
        if arg["channel"] in ("positions", "account"):
            message |= {"curPage": 1, "eventType": event, "lastPage": True}
        if arg["channel"] in _PRIVATE:
            message["arg"] = arg | {"uid": "44705892343619584"}
        self._host.publish(message, channel=arg["channel"], to=[socket])

    # Hearing

    def hear(self, socket: Socket, text: str) -> None:
        """Answer a client's message."""
        if text == "ping":
            socket.send("pong")
            return
        message = json.loads(text)
        match message.get("op"):
            case "login":
                self._login(socket, message)
            case "subscribe":
                for arg in message["args"]:
                    self._subscribe(socket, arg)
            case "unsubscribe":
                for arg in message["args"]:
                    _forget(socket, arg)
                    socket.send({"event": "unsubscribe", "arg": arg, "connId": _CONNECTION})
            case str(operation) if "id" in message:
                self._do(socket, message["id"], operation, message["args"])
            case _:
                _error(socket, "60012", f"Illegal request: {text}")

    def _login(self, socket: Socket, message: dict[str, Any]) -> None:
        (said,) = message["args"]
        payload = f"{said.get('timestamp')}GET/users/self/verify".encode()
        signed = hmac.new(self._host.secret.encode(), payload, hashlib.sha256).digest()
        late = abs(self._host.now_ms() / 1000 - float(said.get("timestamp") or 0)) > 30
        if self._host.logins_refused or said.get("apiKey") != self._host.api_key:
            _error(socket, "60005", "Invalid apiKey")
        elif said.get("passphrase") != self._host.password:
            _error(socket, "60024", "Wrong passphrase")
        elif late:
            _error(socket, "60006", "Timestamp request expired")
        elif said.get("sign") != base64.b64encode(signed).decode():
            _error(socket, "60007", "Invalid sign")
        else:
            socket.memory["in"] = True
            socket.send({"event": "login", "code": "0", "msg": "", "connId": _CONNECTION})

    def _subscribe(self, socket: Socket, arg: Arg) -> None:
        channel = arg.get("channel", "")
        if channel in _PRIVATE:
            if not socket.memory.get("in"):
                _error(socket, "60011", "Please log in")
                return
            wrong = socket.path != _PRIVATE[channel]
        else:
            wrong = channel not in _PUBLIC or socket.path != PATHS[0]
        if wrong:
            _error(socket, "60018", f"Wrong URL or channel:{channel} doesn't exist.")
            return
        _forget(socket, arg)
        _args(socket).append(arg)
        socket.send({"event": "subscribe", "arg": arg, "connId": _CONNECTION})
        self._begin(socket, arg)

    def _begin(self, socket: Socket, arg: Arg) -> None:
        match arg["channel"]:
            case "positions":
                rows = [
                    row
                    for row in self._reads.positions()
                    if arg.get("instId") in (None, "", row["instId"])
                ]
            case "account":
                rows = [self._reads.balance()]
            case channel if channel in _PUBLIC:
                row = self._quote(channel, arg.get("instId", ""))
                rows = [] if row is None else [row]
                if not rows:
                    return
            case _:
                return
        self._send(socket, arg, rows, "snapshot")

    def _do(self, socket: Socket, id: str, operation: str, args: list[dict[str, Any]]) -> None:
        if not socket.memory.get("in"):
            _error(socket, "60011", "Please log in")
            return
        code, rows = self._operate(operation, args)
        now = f"{self._host.now_ms()}000"
        socket.send(
            {
                "id": id,
                "op": operation,
                "code": code,
                "msg": "",
                "data": rows,
                "inTime": now,
                "outTime": now,
            }
        )


def _args(socket: Socket) -> list[Arg]:
    args: list[Arg] = socket.memory.setdefault("args", [])
    return args


def _forget(socket: Socket, arg: Arg) -> None:
    if arg in _args(socket):
        _args(socket).remove(arg)


def _error(socket: Socket, code: str, message: str) -> None:
    socket.send({"event": "error", "code": code, "msg": message, "connId": _CONNECTION})
