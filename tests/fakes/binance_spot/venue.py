"""What Binance's spot and futures servers have in common: signed and open calls, subscriptions to
public streams, candles, bans and the words of a server error.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.binance_spot.bars import Bar, Candles, kline_event
from tests.fakes.binance_spot.errors import Refused, Rejected
from tests.fakes.binance_spot.signing import check_key, check_signed
from tests.fakes.channel.commands import command
from tests.fakes.exchange.faults import Fault, ScriptedFault
from tests.fakes.exchange.server import ExchangeServer, Handler
from tests.fakes.exchange.wire import Answer, Request, Socket

USER = "user"
Params = Mapping[str, Any]
Call = Callable[[Params], Any]


class BinanceVenue(ExchangeServer):
    """A server of Binance's. The user data stream's channel is "user"; public streams have their
    own names ("btcusdt@kline_1m")."""

    server_error: Refused | None = None
    _banned_until_ms = 0

    def candles(self) -> Candles:
        """The bars this venue knows."""
        raise NotImplementedError

    def first_message(self, stream: str) -> Any:
        """What a public stream says to a new subscriber, None where it waits for news."""
        raise NotImplementedError

    # Bars

    @command
    def seed_bars(self, market: str, interval: str, bars: tuple[Bar, ...]) -> None:
        """Have a history of candles; no stream tells of it."""
        for bar in bars:
            self.candles().of(market, interval).put(bar)

    @command
    def push_bar(self, market: str, interval: str, bar: Bar) -> None:
        """Begin, change or close a candle: history has it and the stream tells."""
        self.candles().of(market, interval).put(bar)
        event = kline_event(market, bar, interval, self.now_ms())
        self.publish(event, channel=f"{market.lower()}@kline_{interval}")

    # What goes wrong

    @command
    def server_error_says(self, code: int, text: str, status: int = 503) -> None:
        """What a scripted server error answers from now on (-1007 for one that may have been
        done), in place of a bare 500."""
        self.server_error = Refused(code=code, text=text, status=status)

    @command
    def ban(self, seconds: float) -> None:
        """Answer every request with 418 for that long."""
        self._banned_until_ms = self.now_ms() + round(seconds * 1000)

    @command
    def lift_ban(self) -> None:
        self._banned_until_ms = 0

    def before(self, request: Request) -> None:
        if self.now_ms() < self._banned_until_ms:
            seconds = -(-(self._banned_until_ms - self.now_ms()) // 1000)
            raise Rejected(
                -1003,
                f"Way too much request weight used; IP banned until {self._banned_until_ms}."
                " Please use WebSocket Streams for live updates to avoid bans.",
                status=418,
                headers={"Retry-After": str(seconds)},
            )

    def fault_answer(self, scripted: ScriptedFault) -> Answer:
        if scripted.fault is Fault.RATE_LIMITED:
            return Rejected(
                -1003,
                "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
                " Please use WebSocket Streams for live updates to avoid polling the API.",
                status=429,
                headers={"Retry-After": str(scripted.retry_after_seconds)},
            ).answer
        if self.server_error is not None:
            return self.server_error.raised().answer
        return super().fault_answer(scripted)

    # Calls

    def open_call(self, call: Call) -> Handler:
        """A call anybody may make."""
        return lambda request: Answer(body=call(request.params))

    def keyed_call(self, call: Call) -> Handler:
        """A call that wants the API key and no signature."""

        def serve(request: Request) -> Answer:
            check_key(request.header("X-MBX-APIKEY"), self.api_key, refused=self.logins_refused)
            return Answer(body=call(request.params))

        return serve

    def signed_call(self, call: Call) -> Handler:
        """A call that wants the API key and a signature."""

        def serve(request: Request) -> Answer:
            check_key(request.header("X-MBX-APIKEY"), self.api_key, refused=self.logins_refused)
            check_signed(request, self.secret, self.now_ms())
            return Answer(body=call(request.params))

        return serve

    # Public streams

    def on_text(self, socket: Socket, text: str) -> None:
        asked = json.loads(text)
        match asked.get("method"):
            case "SUBSCRIBE":
                socket.subscriptions.update(asked["params"])
                socket.send({"result": None, "id": asked["id"]})
                for stream in asked["params"]:
                    message = self.first_message(stream)
                    if message is not None:
                        self.publish(message, channel=stream, to=[socket])
            case "UNSUBSCRIBE":
                socket.subscriptions.difference_update(asked["params"])
                socket.send({"result": None, "id": asked["id"]})
            case "LIST_SUBSCRIPTIONS":
                socket.send({"result": sorted(socket.subscriptions), "id": asked["id"]})
            case method:
                error = {"code": 1, "msg": f"Invalid value type: unknown method {method}"}
                socket.send({"error": error, "id": asked.get("id")})
