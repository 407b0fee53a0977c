"""Bybit's WebSockets: public tickers and books, private topics, order requests.

Topics are pushed whole but for tickers and books, which after a snapshot tell only what changed.
Nothing is pushed at the start of a private subscription.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from tests.fakes.bybit.markets import Row
from tests.fakes.bybit.rows import size_word, text, ticker_row
from tests.fakes.exchange.records import Quote
from tests.fakes.exchange.wire import Socket, VenueError

PUBLIC, PRIVATE, TRADE = "/v5/public/linear", "/v5/private", "/v5/trade"
PATHS = (PUBLIC, PRIVATE, TRADE, "/v5/public/spot", "/v5/public/inverse")
PRIVATE_TOPICS = ("order", "execution", "position", "wallet")

_CONNECTION = "cfmt5ml7mu9g6bq6pfag-5ls3u"
_BOOK = "orderbook.1."
_TICKER = "tickers."


class Host(Protocol):
    """The exchange, as its streams need it."""

    clients: list[Socket]
    api_key: str
    secret: str
    logins_refused: bool

    def publish(self, message: Any, *, channel: str, to: list[Socket] | None = None) -> None: ...

    def now_ms(self) -> int: ...


class Streams:
    """Who hears what."""

    def __init__(
        self,
        host: Host,
        *,
        quotes: Callable[[], dict[str, Quote]],
        operate: Callable[[str, dict[str, Any]], Row],
    ) -> None:
        self._host, self._quotes, self._operate = host, quotes, operate
        self._numbers = count(18521288)

    # Pushing

    def push(self, topic: str, rows: list[Row]) -> None:
        """Push rows of a private topic."""
        now = self._host.now_ms()
        message = {
            "id": f"{next(self._numbers)}_{topic}_{now}",
            "topic": topic,
            "creationTime": now,
            "data": rows,
        }
        self._host.publish(message, channel=topic)

    def push_quote(self, market: str, quote: Quote) -> None:
        """Push what a quote changes to those who hear of it."""
        for socket in list(self._host.clients):
            for topic in (_TICKER + market, _BOOK + market):
                if topic in socket.subscriptions:
                    self._tell(socket, topic, quote)

    def _tell(self, socket: Socket, topic: str, quote: Quote) -> None:
        """Tell a client of a public topic: all of it the first time, then what changed."""
        market = topic.rpartition(".")[2]
        told: dict[str, Row] = socket.memory.setdefault("told", {})
        known = told.get(topic)
        full = _book(market, quote) if topic.startswith(_BOOK) else ticker_row(market, quote)
        told[topic] = full
        data = full
        if known is not None:
            change = _book_change if topic.startswith(_BOOK) else _ticker_change
            data = change(known, full)
        message = {
            "topic": topic,
            "type": "snapshot" if known is None else "delta",
            "data": data | self._numbering(topic),
            "cs": next(self._numbers),
            "ts": self._host.now_ms(),
        }
        self._host.publish(message, channel=topic, to=[socket])

    def _numbering(self, topic: str) -> Row:
        return {"seq": 7961638724, "u": next(self._numbers)} if topic.startswith(_BOOK) else {}

    # Hearing

    def hear(self, socket: Socket, said: str) -> None:
        """Answer a client's message."""
        message = json.loads(said)
        match message.get("op"):
            case "ping":
                self._pong(socket, message)
            case "auth":
                self._login(socket, message)
            case "subscribe":
                self._subscribe(socket, message)
            case "unsubscribe":
                socket.subscriptions -= set(message["args"])
                for topic in message["args"]:
                    socket.memory.get("told", {}).pop(topic, None)
                _acknowledge(socket, message, True)
            case str(operation) if socket.path == TRADE:
                self._do(socket, message, operation)
            case _:
                _acknowledge(socket, message, False, "Request not supported")

    def _pong(self, socket: Socket, message: Row) -> None:
        if socket.path == PRIVATE:
            answer: Row = {"op": "pong", "args": [str(self._host.now_ms())]}
        else:
            answer = {"op": "ping", "success": True, "ret_msg": "pong"}
        socket.send(answer | {"req_id": message.get("req_id", ""), "conn_id": _CONNECTION})

    def _login(self, socket: Socket, message: Row) -> None:
        key, expires, sign = message["args"]
        signed = hmac.new(
            self._host.secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256
        ).hexdigest()
        wrong = ""
        if self._host.logins_refused or key != self._host.api_key:
            wrong = "API key is invalid."
        elif int(expires) < self._host.now_ms():
            wrong = "Params Error: expires"
        elif sign != signed:
            wrong = "Error sign, please check your signature generation algorithm."
        socket.memory["in"] = not wrong
        if socket.path == TRADE:
            code = 10004 if wrong else 0
            socket.send(
                {"retCode": code, "retMsg": wrong or "OK", "op": "auth", "connId": _CONNECTION}
            )
        else:
            _acknowledge(socket, message, not wrong, wrong)

    def _subscribe(self, socket: Socket, message: Row) -> None:
        topics = message["args"]
        if socket.path == PRIVATE:
            if not socket.memory.get("in"):
                _acknowledge(socket, message, False, "Request not authorized")
                return
            known = all(topic in PRIVATE_TOPICS for topic in topics)
        else:
            known = socket.path == PUBLIC and all(
                topic.startswith((_BOOK, _TICKER)) and topic.rpartition(".")[2] in self._quotes()
                for topic in topics
            )
        if not known:
            wrong = f"error:handler not found,topic:{','.join(topics)}"
            _acknowledge(socket, message, False, wrong)
            return
        socket.subscriptions |= set(topics)
        _acknowledge(socket, message, True)
        for topic in topics:
            if topic not in PRIVATE_TOPICS:
                self._tell(socket, topic, self._quotes()[topic.rpartition(".")[2]])

    def _do(self, socket: Socket, message: Row, operation: str) -> None:
        answer: Row = {
            "reqId": message.get("reqId", ""),
            "op": operation,
            "header": {"Timenow": str(self._host.now_ms())},
            "connId": _CONNECTION,
        }
        if not socket.memory.get("in"):
            socket.send(answer | {"retCode": 10004, "retMsg": "not authorized", "data": {}})
            return
        try:
            data = self._operate(operation, message["args"][0])
        except VenueError as error:
            body = error.answer.body
            answer |= {"retCode": body["retCode"], "retMsg": body["retMsg"], "data": {}}
        else:
            answer |= {"retCode": 0, "retMsg": "OK", "data": data}
        socket.send(answer)


def _acknowledge(socket: Socket, message: Row, success: bool, text: str = "") -> None:
    socket.send(
        {
            "success": success,
            "ret_msg": text,
            "conn_id": _CONNECTION,
            "req_id": message.get("req_id", ""),
            "op": message.get("op", ""),
        }
    )


def _ticker_change(known: Row, full: Row) -> Row:
    changed = {key: value for key, value in full.items() if known[key] != value}
    return {"symbol": full["symbol"]} | changed


def _book(market: str, quote: Quote) -> Row:
    return {
        "s": market,
        "b": [[text(quote.bid), size_word(quote.bid_size)]],
        "a": [[text(quote.ask), size_word(quote.ask_size)]],
    }


def _book_change(known: Row, full: Row) -> Row:
    """A level that went is told of with size 0."""
    change: Row = {"s": full["s"], "a": [], "b": []}
    for side in "ab":
        if known[side] != full[side]:
            went = [] if known[side][0][0] == full[side][0][0] else [[known[side][0][0], "0"]]
            change[side] = went + full[side]
    return change
