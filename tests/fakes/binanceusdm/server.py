"""Binance USD-M futures on loopback: REST, public streams and the user data stream.

Routes and sockets only; what they answer is decided in public.py, private.py and account.py.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.binance_spot.bars import Candles
from tests.fakes.binance_spot.errors import refusal
from tests.fakes.binance_spot.venue import USER
from tests.fakes.binanceusdm.account import Executed, UsdmAccount
from tests.fakes.binanceusdm.happenings import algo_update, order_update
from tests.fakes.binanceusdm.private import LISTEN_KEY, PrivateApi
from tests.fakes.binanceusdm.public import PublicData
from tests.fakes.binanceusdm.symbols import LISTED, Perpetual
from tests.fakes.binanceusdm.usdm_commands import UsdmCommands
from tests.fakes.exchange.records import Cause, Event, OrderChanged, QuoteChanged, Refusal, Why
from tests.fakes.exchange.server import Handler
from tests.fakes.exchange.wire import Answer, Request, Socket

_PRIVATE = "/private/ws"


class BinanceUsdm(UsdmCommands):
    """A stand-in of Binance USD-M futures, with 100,000 USDT to begin with.

    Channels to hold and release: "user", and the public streams by their own names
    ("btcusdt@bookTicker").
    """

    def __init__(
        self,
        listed: Iterable[Perpetual] = LISTED,
        *,
        usdt: Decimal = Decimal(100_000),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__([], host=host, port=port)
        self.usdm = UsdmAccount(listed, clock=self.now)
        self.account = self.usdm
        self.usdm.balances["USDT"] = usdt
        self.public = PublicData(self.usdm, self.now_ms)
        self.private = PrivateApi(self.usdm, self.now_ms)
        self.usdm.listen(self.on_event)
        self.usdm.listen_executed(self._on_executed)

    # Routes

    def routes(self) -> Mapping[str, Handler]:
        return {**self._public_routes(), **self._order_routes(), **self._account_routes()}

    def _public_routes(self) -> dict[str, Handler]:
        public, api = self.public, "/fapi/v1"
        return {
            f"GET {api}/ping": self.open_call(lambda params: {}),
            f"GET {api}/time": self.open_call(public.time),
            f"GET {api}/exchangeInfo": self.open_call(public.exchange_info),
            f"GET {api}/klines": self.open_call(public.klines),
            f"GET {api}/ticker/24hr": self.open_call(public.ticker),
            f"GET {api}/ticker/bookTicker": self.open_call(public.book_ticker),
            f"GET {api}/ticker/price": self.open_call(public.price),
            "GET /fapi/v2/ticker/price": self.open_call(public.price),
            f"GET {api}/premiumIndex": self.open_call(public.premium_index),
            f"GET {api}/depth": self.open_call(public.depth),
            "GET /sapi/v1/system/status": self.open_call(
                lambda params: {"status": 0, "msg": "normal"}
            ),
        }

    def _order_routes(self) -> dict[str, Handler]:
        private, api = self.private, "/fapi/v1"
        return {
            f"POST {api}/order": self.signed_call(private.place),
            f"PUT {api}/order": self.signed_call(private.edit),
            f"GET {api}/order": self.signed_call(private.order),
            f"DELETE {api}/order": self.signed_call(private.cancel),
            f"GET {api}/openOrders": self.signed_call(private.open_orders),
            f"DELETE {api}/allOpenOrders": self.signed_call(private.cancel_open),
            f"GET {api}/allOrders": self.signed_call(private.all_orders),
            f"GET {api}/userTrades": self.signed_call(private.user_trades),
            f"GET {api}/forceOrders": self.signed_call(private.force_orders),
            f"POST {api}/algoOrder": self.signed_call(private.place_algo),
            f"GET {api}/algoOrder": self.signed_call(private.algo),
            f"DELETE {api}/algoOrder": self.signed_call(private.cancel_algo),
            f"GET {api}/openAlgoOrders": self.signed_call(private.open_algos),
            f"DELETE {api}/algoOpenOrders": self.signed_call(private.cancel_open_algos),
            f"GET {api}/allAlgoOrders": self.signed_call(private.all_algos),
        }

    def _account_routes(self) -> dict[str, Handler]:
        private, api = self.private, "/fapi/v1"
        return {
            "GET /fapi/v3/positionRisk": self.signed_call(private.positions),
            "GET /fapi/v2/positionRisk": self.signed_call(private.positions_v2),
            "GET /fapi/v3/account": self.signed_call(private.account),
            "GET /fapi/v2/account": self.signed_call(private.account),
            "GET /fapi/v3/balance": self.signed_call(private.balance),
            "GET /fapi/v2/balance": self.signed_call(private.balance),
            f"GET {api}/leverageBracket": self.signed_call(private.brackets),
            f"GET {api}/income": self.signed_call(private.income),
            f"POST {api}/leverage": self.signed_call(private.set_leverage),
            f"GET {api}/positionSide/dual": self.signed_call(private.position_mode),
            f"POST {api}/listenKey": self.keyed_call(private.begin_stream),
            f"PUT {api}/listenKey": self.keyed_call(private.keep_stream),
            f"DELETE {api}/listenKey": self.keyed_call(private.end_stream),
            "GET /sapi/v1/capital/config/getall": self.signed_call(private.coins),
            "GET /sapi/v1/account/apiRestrictions": self.signed_call(private.restrictions),
            "GET /sapi/v1/margin/allPairs": self.signed_call(lambda params: []),
            "GET /sapi/v1/margin/isolated/allPairs": self.signed_call(lambda params: []),
        }

    def sockets(self) -> Iterable[str]:
        return (_PRIVATE, "/public/ws/{stream:.*}", "/market/ws/{stream:.*}")

    def refusal_answer(self, refused: Refusal, request: Request) -> Answer:
        return _refusal(refused)

    # Sockets

    def on_open(self, socket: Socket) -> None:
        keys = parse_qs(socket.query).get("listenKey", [])
        if socket.path == _PRIVATE and keys == [LISTEN_KEY] and self.private.listen_key_lives:
            socket.subscriptions.add(USER)

    def first_message(self, stream: str) -> Any:
        return self.public.first_message(stream)

    def candles(self) -> Candles:
        return self.public.candles

    # Events

    def on_event(self, event: Event) -> None:
        match event:
            case OrderChanged(order=order, fill=None):
                if order.kind.waits:
                    self._on_algo(event)
                else:
                    self._on_order(event)
            case QuoteChanged(market=market, quote=quote):
                for stream, message in self.public.quote_messages(market.id, quote):
                    self.publish(message, channel=stream)
            case _:
                pass

    def _on_algo(self, event: OrderChanged) -> None:
        triggered = event.order.cause is Cause.TRIGGERED
        status = "TRIGGERING" if triggered else ""
        self._say(algo_update(event.order, self.now_ms(), status=status))

    def _on_order(self, event: OrderChanged) -> None:
        order = event.order
        parent = self.usdm.orders.get(order.parent_id or "")
        if parent is not None and order.state.live:
            self._say(algo_update(parent, self.now_ms(), child=order))
        if order.word("told", "yes"):
            self._say(order_update(order, None, self.now_ms()))
        if parent is not None and not order.state.live:
            self._say(algo_update(parent, self.now_ms(), status="FINISHED", child=order))

    def _on_executed(self, executed: Executed) -> None:
        order, fill = executed.order, executed.fill
        if self.account_first:
            self._tell_account("ORDER", fill.fee_currency, market_id=fill.market)
        self._say(order_update(order, fill, self.now_ms()))
        if not self.account_first:
            self._tell_account("ORDER", fill.fee_currency, market_id=fill.market)
        parent = self.usdm.orders.get(order.parent_id or "")
        if parent is not None and not order.state.live:
            self._say(algo_update(parent, self.now_ms(), status="FINISHED", child=order))

    def _say(self, message: dict[str, Any]) -> None:
        self.publish(message, channel=USER)


def _refusal(refused: Refusal) -> Answer:
    """A refusal of the shared account in the words of Binance's futures."""
    codes = {
        Why.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
        Why.WOULD_NOT_REDUCE: (-2022, "ReduceOnly Order is rejected."),
        Why.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
        Why.INSUFFICIENT_FUNDS: (-2019, "Margin is insufficient."),
        Why.WOULD_TAKE: (
            -5022,
            "Due to the order could not be executed as maker, the Post Only order will be"
            " rejected. The order will not be recorded in the order history",
        ),
    }
    if refused.why not in codes:
        return refusal(refused).answer
    code, text = codes[refused.why]
    return Answer(body={"code": code, "msg": text}, status=400)
