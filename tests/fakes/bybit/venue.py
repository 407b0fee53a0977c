"""A stand-in of Bybit: an ordinary unified account in one-way mode, trading USDT perpetuals.

It speaks API v5 over HTTP and WebSockets, signatures and logins included, to the unmodified ccxt.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.fakes.bybit.forced import ForcedEvents
from tests.fakes.bybit.markets import MARKETS, RULES, Row
from tests.fakes.bybit.reads import Reads
from tests.fakes.bybit.rows import execution_row, order_row, position_push
from tests.fakes.bybit.streams import PATHS, Streams
from tests.fakes.bybit.trading import Asked, Trading
from tests.fakes.exchange.faults import Fault, ScriptedFault
from tests.fakes.exchange.records import (
    ZERO,
    BalanceChanged,
    Event,
    Fill,
    FillMade,
    Kind,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
    Side,
)
from tests.fakes.exchange.rules import uuids
from tests.fakes.exchange.server import ExchangeServer, Handler
from tests.fakes.exchange.wire import Answer, Request, Socket, VenueError

_ROOT = "/v5/"
_OPEN_TO_ALL = "/v5/market/"
_QUOTES = {"BTC": ("60000", "60000.1"), "ETH": ("3000", "3000.01"), "SOL": ("150", "150.01")}


class Bybit(ForcedEvents, ExchangeServer):
    """Bybit on loopback. Starts with quotes, 100,000 USDT, no positions and no orders."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(
            MARKETS,
            rules=RULES,
            new_order_id=uuids(0x9AAC161B),
            new_fill_id=uuids(0x0AB1BDF7),
            port=port,
        )
        self.leverage = {market.id: "10" for market in MARKETS}
        self._closed_sizes: dict[str, Decimal] = {}
        self._trading = Trading(self.account, refuse=self._refusal)
        self._reads = Reads(
            self.account,
            closed_sizes=self._closed_sizes,
            leverage=self.leverage,
            now_ms=self.now_ms,
            refuse=self._refusal,
        )
        self._streams = Streams(self, quotes=lambda: self.account.quotes, operate=self._operate)
        self.account.set_balance("USDT", Decimal(100_000))
        for market in MARKETS:
            bid, ask = map(Decimal, _QUOTES[market.base])
            self.account.set_quote(market.id, bid, ask, last=bid, mark=bid, index=bid)

    # HTTP

    def routes(self) -> Mapping[str, Handler]:
        asking = {
            f"GET {_ROOT}{path}": self._asking(answer)
            for path, answer in self._reads.answers().items()
        }
        doing = {
            "order/create": self._trading.create,
            "order/amend": self._trading.amend,
            "order/cancel": self._trading.cancel,
            "order/cancel-all": self._trading.cancel_all,
            "position/set-leverage": self._set_leverage,
            "position/switch-mode": self._switch_mode,
        }
        batches = {
            f"POST {_ROOT}{path}-batch": self._doing_each(doing[path])
            for path in ("order/create", "order/amend", "order/cancel")
        }
        singles = {f"POST {_ROOT}{path}": self._doing(do) for path, do in doing.items()}
        return asking | singles | batches

    def _envelope(self, result: Row, code: int = 0, message: str = "OK") -> Row:
        return {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": {},
            "time": self.now_ms(),
        }

    def _refusal(self, code: int, message: str) -> VenueError:
        return VenueError(self._envelope({}, code, message))

    def _asking(self, answer: Callable[[Mapping[str, Any]], Row]) -> Handler:
        def handle(request: Request) -> Answer:
            return Answer(body=self._envelope(answer(request.params)))

        return handle

    def _doing(self, do: Callable[[Asked], Row]) -> Handler:
        def handle(request: Request) -> Answer:
            return Answer(body=self._envelope(do(json.loads(request.body or "{}"))))

        return handle

    def _doing_each(self, do: Callable[[Asked], Row]) -> Handler:
        """Several requests at once; which of them are refused is in retExtInfo."""

        def handle(request: Request) -> Answer:
            said = json.loads(request.body)
            rows, codes = [], []
            for asked in said["request"]:
                row = {"category": said["category"], "symbol": asked["symbol"]}
                code: Row = {"code": 0, "msg": "OK"}
                try:
                    names = do(asked | {"category": said["category"]})
                except VenueError as error:
                    names = {"orderId": "", "orderLinkId": asked.get("orderLinkId", "")}
                    refused = error.answer.body
                    code = {"code": refused["retCode"], "msg": refused["retMsg"]}
                rows.append(row | names | {"createAt": str(self.now_ms())})
                codes.append(code)
            return Answer(body=self._envelope({"list": rows}) | {"retExtInfo": {"list": codes}})

        return handle

    def _operate(self, operation: str, asked: Asked) -> Row:
        """Order requests on the trade stream."""
        do = {
            "order.create": self._trading.create,
            "order.amend": self._trading.amend,
            "order.cancel": self._trading.cancel,
        }.get(operation)
        if do is None:
            raise self._refusal(10404, "op is not found")
        return do(asked)

    def _set_leverage(self, asked: Asked) -> Row:
        name, lever = asked.get("symbol"), str(asked.get("buyLeverage"))
        if name not in self.leverage:
            raise self._refusal(10001, "Not supported symbols")
        if self.leverage[name] == lever:
            raise self._refusal(110043, "leverage not modified")
        self.leverage[name] = lever
        return {}

    def _switch_mode(self, asked: Asked) -> Row:
        if asked.get("mode") == 0:
            raise self._refusal(110025, "Position mode is not modified")
        raise self._refusal(
            110024, "You have an existing position, so position mode cannot be switched"
        )

    def before(self, request: Request) -> None:
        """Check who asks. Source: Bybit API v5, authentication."""
        if request.path.startswith(_OPEN_TO_ALL):
            return
        at, window = request.header("X-BAPI-TIMESTAMP"), request.header("X-BAPI-RECV-WINDOW")
        payload = f"{at}{self.api_key}{window}{request.query or request.body}".encode()
        signed = hmac.new(self.secret.encode(), payload, hashlib.sha256).hexdigest()
        if self.logins_refused or request.header("X-BAPI-API-KEY") != self.api_key:
            raise self._refusal(10003, "API key is invalid.")
        if request.header("X-BAPI-SIGN") != signed:
            text = "error sign! please check your signature generation algorithm."
            raise self._refusal(10004, text)
        if not self.now_ms() - int(window) <= int(at) < self.now_ms() + 1000:
            text = (
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{at}],server_timestamp[{self.now_ms()}],recv_window[{window}]"
            )
            raise self._refusal(10002, text)

    def fault_answer(self, scripted: ScriptedFault) -> Answer:
        if scripted.fault is Fault.RATE_LIMITED:
            text = "Too many visits. Exceeded the API Rate Limit."
            reset = self.now_ms() + 1000 * scripted.retry_after_seconds
            headers = {"X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(reset)}
            return Answer(body=self._envelope({}, 10006, text), headers=headers)
        text = "System error. Please try again later."
        return Answer(body=self._envelope({}, 10016, text), status=500)

    # Streams

    def sockets(self) -> Iterable[str]:
        return PATHS

    def on_text(self, socket: Socket, text: str) -> None:
        if self._pongs or '"ping"' not in text:
            self._streams.hear(socket, text)

    def on_event(self, event: Event) -> None:
        match event:
            case OrderChanged(order=order):
                self._streams.push("order", [order_row(self.account, order) | _LINEAR])
            case FillMade(fill=fill):
                now = self.account.held(fill.market)
                before = now - fill.side.sign * fill.quantity
                self._book(fill, before)
            case PositionChanged(position=position):
                lever = self.leverage[position.market]
                self._streams.push("position", [position_push(self.account, position, lever)])
            case BalanceChanged():
                self._streams.push("wallet", [self._reads.wallet()])
            case QuoteChanged(market=market, quote=quote):
                self._streams.push_quote(market.id, quote)

    def _book(self, fill: Fill, before: Decimal) -> None:
        closes = before * fill.side.sign < 0
        self._closed_sizes[fill.id] = min(abs(before), fill.quantity) if closes else ZERO
        self._streams.push("execution", [self._execution(fill)])

    def _execution(self, fill: Fill) -> Row:
        return execution_row(self.account, fill, self._closed_sizes[fill.id]) | _LINEAR

    def _book_funding(self, market: str, held: Decimal, price: Decimal, rate: Decimal) -> Fill:
        """An execution whose fee is the payment; the position stays."""
        settle = self.account.markets[market].settle
        number = len(self.account.fills) + 1
        fill = Fill(
            id=str(UUID(int=(0x0F00D000 << 96) | number, version=4)),
            sequence=number,
            order_id=str(UUID(int=(0x0F00D001 << 96) | number, version=4)),
            client_id=None,
            market=market,
            side=Side.BUY if held > 0 else Side.SELL,
            kind=Kind.MARKET,
            quantity=abs(held),
            price=price,
            remaining=ZERO,
            fee=self.account.markets[market].value(held, price) * rate,
            fee_currency=settle,
            marker="Funding",
            maker=False,
            realised=ZERO,
            at=self.now(),
        )
        self.account.fills.append(fill)
        self._closed_sizes[fill.id] = ZERO
        self._streams.push("execution", [self._execution(fill)])
        self.account.set_balance(settle, self.account.balances[settle] - fill.fee)
        return fill

    def _replay(self, topic: str) -> None:
        match topic:
            case "execution":
                rows = [self._execution(fill) for fill in self.account.fills]
            case "order":
                orders = self.account.orders.values()
                rows = [order_row(self.account, order) | _LINEAR for order in orders]
            case "position":
                rows = [
                    position_push(self.account, one, self.leverage[one.market])
                    for one in self.account.positions.values()
                ]
            case _:
                rows = [self._reads.wallet()]
        self._streams.push(topic, rows)


_LINEAR = {"category": "linear"}
