"""Binance spot on loopback: REST, public streams, and the WebSocket API with its user data stream.

Routes and sockets only; what they answer is decided in public.py, private.py and account.py.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.fakes.binance_spot.account import SpotAccount
from tests.fakes.binance_spot.bars import Candles
from tests.fakes.binance_spot.errors import Rejected, refusal
from tests.fakes.binance_spot.happenings import (
    account_position,
    execution_report,
    list_status,
)
from tests.fakes.binance_spot.lists import OrderList
from tests.fakes.binance_spot.private import PrivateApi
from tests.fakes.binance_spot.public import PublicData
from tests.fakes.binance_spot.signing import check_key, check_signed_params
from tests.fakes.binance_spot.spot_commands import SpotCommands
from tests.fakes.binance_spot.symbols import LISTED, SpotSymbol
from tests.fakes.binance_spot.venue import USER, Call
from tests.fakes.exchange.records import Event, OrderChanged, QuoteChanged, Refusal
from tests.fakes.exchange.server import Handler
from tests.fakes.exchange.wire import Answer, Request, Socket, VenueError

_WS_API = "/ws-api/v3"


class BinanceSpot(SpotCommands):
    """A stand-in of Binance spot.

    Channels to hold and release: "user", and the public streams by their own names
    ("btcusdt@kline_1m", "btcusdt@bookTicker").
    """

    def __init__(
        self, symbols: Iterable[SpotSymbol] = LISTED, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        super().__init__([], host=host, port=port)
        self.spot = SpotAccount(symbols, clock=self.now)
        self.account = self.spot
        self.public = PublicData(self.spot, self.now_ms)
        self.private = PrivateApi(self.spot, self.now_ms)
        self.spot.listen(self.on_event)
        self.spot.listen_lists(self._on_list)
        self.spot.listen_holdings(self._on_holdings)
        self._ws_calls = self._websocket_calls()

    # Routes

    def routes(self) -> Mapping[str, Handler]:
        public, private = self.public, self.private
        api = "/api/v3"
        return {
            f"GET {api}/ping": self.open_call(lambda params: {}),
            f"GET {api}/time": self.open_call(public.time),
            f"GET {api}/exchangeInfo": self.open_call(public.exchange_info),
            f"GET {api}/klines": self.open_call(public.klines),
            f"GET {api}/ticker/24hr": self.open_call(public.ticker),
            f"GET {api}/ticker/bookTicker": self.open_call(public.book_ticker),
            f"GET {api}/ticker/price": self.open_call(public.price),
            f"GET {api}/avgPrice": self.open_call(public.average_price),
            f"GET {api}/depth": self.open_call(public.depth),
            f"POST {api}/order": self.signed_call(private.place),
            f"POST {api}/order/test": self.signed_call(private.test),
            f"GET {api}/order": self.signed_call(private.order),
            f"DELETE {api}/order": self.signed_call(private.cancel),
            f"GET {api}/openOrders": self.signed_call(private.open_orders),
            f"DELETE {api}/openOrders": self.signed_call(private.cancel_open),
            f"GET {api}/allOrders": self.signed_call(private.all_orders),
            f"GET {api}/myTrades": self.signed_call(private.my_trades),
            f"POST {api}/orderList/oco": self.signed_call(private.place_oco),
            f"GET {api}/orderList": self.signed_call(private.order_list),
            f"DELETE {api}/orderList": self.signed_call(private.cancel_list),
            f"GET {api}/openOrderList": self.signed_call(private.open_lists),
            f"GET {api}/allOrderList": self.signed_call(private.all_lists),
            f"GET {api}/account": self.signed_call(private.account),
            "GET /sapi/v1/system/status": self.open_call(
                lambda params: {"status": 0, "msg": "normal"}
            ),
            "GET /sapi/v1/capital/config/getall": self.signed_call(private.coins),
            "GET /sapi/v1/account/apiRestrictions": self.signed_call(private.restrictions),
            "GET /sapi/v1/margin/allPairs": self.signed_call(lambda params: []),
            "GET /sapi/v1/margin/isolated/allPairs": self.signed_call(lambda params: []),
            "GET /sapi/v1/asset/tradeFee": self.signed_call(private.trade_fees),
        }

    def sockets(self) -> Iterable[str]:
        return ("/ws", "/ws/{stream:.*}", _WS_API)

    def _websocket_calls(self) -> Mapping[str, Call]:
        private = self.private
        return {
            "order.place": private.place,
            "order.status": private.order,
            "order.cancel": private.cancel,
            "openOrders.status": private.open_orders,
            "openOrders.cancelAll": private.cancel_open,
            "allOrders": private.all_orders,
            "myTrades": private.my_trades,
            "orderList.place.oco": private.place_oco,
            "orderList.status": private.order_list,
            "orderList.cancel": private.cancel_list,
            "openOrderLists.status": private.open_lists,
            "account.status": private.account,
        }

    # Requests

    def refusal_answer(self, refused: Refusal, request: Request) -> Answer:
        return refusal(refused).answer

    # Sockets

    def on_text(self, socket: Socket, text: str) -> None:
        if socket.path == _WS_API:
            self._on_call(socket, json.loads(text))
        else:
            super().on_text(socket, text)

    def first_message(self, stream: str) -> Any:
        return self.public.first_message(stream)

    def candles(self) -> Candles:
        return self.public.candles

    def _on_call(self, socket: Socket, asked: Mapping[str, Any]) -> None:
        try:
            result = self._call(socket, str(asked.get("method")), asked.get("params") or {})
        except Refusal as refused:
            socket.send(_error(asked, refusal(refused)))
        except VenueError as error:
            socket.send(_error(asked, error))
        else:
            socket.send({"id": asked.get("id"), "status": 200, "result": result, "rateLimits": []})

    def _call(self, socket: Socket, method: str, params: Mapping[str, Any]) -> Any:
        match method:
            case "ping":
                return {}
            case "time":
                return self.public.time(params)
            case "userDataStream.unsubscribe":
                socket.subscriptions.discard(USER)
                return {}
        if method != "userDataStream.subscribe.signature" and method not in self._ws_calls:
            raise Rejected(-1020, "This operation is not supported.")
        check_key(str(params.get("apiKey", "")), self.api_key, refused=self.logins_refused)
        check_signed_params(params, self.secret, self.now_ms())
        if method in self._ws_calls:
            return self._ws_calls[method](params)
        socket.subscriptions.add(USER)
        return {"subscriptionId": 0}

    # Events

    def on_event(self, event: Event) -> None:
        match event:
            case OrderChanged():
                self.tell_user(execution_report(self.spot, event, self.now_ms()))
            case QuoteChanged(market=market, quote=quote):
                for stream, message in self.public.quote_messages(market, quote):
                    self.publish(message, channel=stream)
            case _:
                pass

    def tell_user(self, event: dict[str, Any]) -> None:
        """Say something on the user data stream."""
        self.publish({"subscriptionId": 0, "event": event}, channel=USER)

    def _on_list(self, made: OrderList) -> None:
        self.tell_user(list_status(self.spot, made, self.now_ms()))

    def _on_holdings(self, currencies: tuple[str, ...]) -> None:
        self.tell_user(account_position(self.spot, currencies, self.now_ms()))


def _error(asked: Mapping[str, Any], error: VenueError) -> dict[str, Any]:
    answer = error.answer
    return {
        "id": asked.get("id"),
        "status": answer.status,
        "error": answer.body,
        "rateLimits": [],
    }
