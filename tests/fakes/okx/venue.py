"""A stand-in of OKX: an ordinary account in net mode that trades USDT perpetual swaps.

It speaks API v5 over HTTP and WebSockets, signatures and logins included, to the unmodified ccxt.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.fakes.exchange.faults import Fault, ScriptedFault
from tests.fakes.exchange.records import (
    BalanceChanged,
    Cause,
    Event,
    Fill,
    FillMade,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
)
from tests.fakes.exchange.rules import numbered
from tests.fakes.exchange.server import ExchangeServer, Handler
from tests.fakes.exchange.wire import Answer, Request, Socket
from tests.fakes.okx.bills import fill_bill, funding_bill
from tests.fakes.okx.forced import ForcedEvents
from tests.fakes.okx.markets import MARKETS, RULES
from tests.fakes.okx.reads import Reads, refusal
from tests.fakes.okx.rows import Row, algo_row, order_push, position_row
from tests.fakes.okx.streams import PATHS, Streams
from tests.fakes.okx.trading import Asked, Trading
from tests.fakes.okx.wealth import book_row, mark_row, ticker_row

_ROOT = "/api/v5/"
_OPEN_TO_ALL = ("public/", "market/", "system/")
_QUOTES = {"BTC": ("60000", "60000.1"), "ETH": ("3000", "3000.01"), "SOL": ("150", "150.01")}


class Okx(ForcedEvents, ExchangeServer):
    """OKX on loopback. Starts with quotes, 100,000 USDT, no positions and no orders."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(
            MARKETS,
            rules=RULES,
            new_order_id=numbered(2497956918703120384),
            new_fill_id=numbered(1518905529),
            port=port,
        )
        self.bills: list[Row] = []
        self.leverage = {market.id: "3" for market in MARKETS}
        self._trading = Trading(self.account, self.now_ms)
        self._reads = Reads(
            self.account,
            self._trading,
            bills=self.bills,
            leverage=self.leverage,
            now_ms=self.now_ms,
        )
        self._streams = Streams(self, self._reads, quote=self._quote_row, operate=self._operate)
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
            "trade/order": self._trading.place,
            "trade/batch-orders": self._trading.place,
            "trade/order-algo": self._trading.place_algo,
            "trade/cancel-order": self._trading.cancel,
            "trade/cancel-batch-orders": self._trading.cancel,
            "trade/cancel-algos": self._trading.cancel_algo,
            "trade/amend-order": self._trading.amend,
            "trade/amend-batch-orders": self._trading.amend,
            "trade/amend-algos": self._trading.amend_algo,
            "account/set-leverage": self._set_leverage,
            "account/set-position-mode": _set_position_mode,
        }
        return asking | {f"POST {_ROOT}{path}": self._doing(do) for path, do in doing.items()}

    def _asking(self, answer: Callable[[Mapping[str, Any]], list[Row]]) -> Handler:
        def handle(request: Request) -> Answer:
            return Answer(body={"code": "0", "data": answer(request.params), "msg": ""})

        return handle

    def _doing(self, do: Callable[[Asked], Row]) -> Handler:
        def handle(request: Request) -> Answer:
            said = json.loads(request.body or "{}")
            code, rows = _each(do, said if isinstance(said, list) else [said])
            message = {"0": "", "1": "All operations failed", "2": "Bulk operation partially"}[code]
            now = f"{self.now_ms()}000"
            return Answer(
                body={"code": code, "data": rows, "inTime": now, "msg": message, "outTime": now}
            )

        return handle

    def _operate(self, operation: str, args: list[Asked]) -> tuple[str, list[Row]]:
        """Order requests on the private stream."""
        do = {
            "order": self._trading.place,
            "batch-orders": self._trading.place,
            "cancel-order": self._trading.cancel,
            "batch-cancel-orders": self._trading.cancel,
            "amend-order": self._trading.amend,
            "batch-amend-orders": self._trading.amend,
        }.get(operation)
        return ("60012", []) if do is None else _each(do, args)

    def _set_leverage(self, asked: Asked) -> Row:
        if asked.get("instId") not in self.leverage:
            raise refusal("51001", "Instrument ID doesn't exist.")
        self.leverage[asked["instId"]] = str(asked["lever"])
        return {
            "instId": asked["instId"],
            "lever": str(asked["lever"]),
            "mgnMode": asked.get("mgnMode", "cross"),
            "posSide": "net",
        }

    def before(self, request: Request) -> None:
        """Check who asks. Source: OKX API v5, REST authentication."""
        if request.path.removeprefix(_ROOT).startswith(_OPEN_TO_ALL):
            return
        at, target = request.header("OK-ACCESS-TIMESTAMP"), request.path
        if request.query:
            target += f"?{request.query}"
        payload = f"{at}{request.method}{target}{request.body}".encode()
        signed = hmac.new(self.secret.encode(), payload, hashlib.sha256).digest()
        if not request.header("OK-ACCESS-KEY"):
            raise refusal("50103", 'Request header "OK-ACCESS-KEY" can not be empty.', 401)
        if self.logins_refused or request.header("OK-ACCESS-KEY") != self.api_key:
            raise refusal("50111", "Invalid OK-ACCESS-KEY.", 401)
        if request.header("OK-ACCESS-PASSPHRASE") != self.password:
            raise refusal("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)
        if abs((datetime.fromisoformat(at) - self.now()).total_seconds()) > 30:
            raise refusal("50102", "Timestamp request expired.", 401)
        if request.header("OK-ACCESS-SIGN") != base64.b64encode(signed).decode():
            raise refusal("50113", "Invalid Sign.", 401)

    def fault_answer(self, scripted: ScriptedFault) -> Answer:
        if scripted.fault is Fault.RATE_LIMITED:
            text = (
                "Rate limit reached. Please refer to API documentation and throttle requests "
                "accordingly"
            )
            return refusal("50011", text, 429).answer
        if scripted.fault is Fault.SERVER_ERROR_AFTER:
            return refusal("51149", "Order timed out. Please try again.", 500).answer
        return refusal("50026", "System error. Please try again later.", 500).answer

    # Streams

    def sockets(self) -> Iterable[str]:
        return PATHS

    def on_text(self, socket: Socket, text: str) -> None:
        if text != "ping" or self._pongs:
            self._streams.hear(socket, text)

    def on_event(self, event: Event) -> None:
        match event:
            case OrderChanged(order=order, fill=fill):
                if order.kind.waits:
                    self._streams.push(
                        "orders-algo", [algo_row(self.account, order)], name=order.market
                    )
                    return
                amended = order.cause is Cause.EDITED
                row = order_push(self.account, order, fill, amended)
                self._streams.push("orders", [row], name=order.market)
            case FillMade(fill=fill):
                self.bills.append(fill_bill(self.account, fill))
            case PositionChanged(position=position):
                row = position_row(self.account, position, self.leverage[position.market])
                self._streams.push("positions", [row], name=position.market)
            case BalanceChanged():
                self._streams.push("account", [self._reads.balance()])
            case QuoteChanged(market=market):
                self._streams.push_quote(market.id)

    def _quote_row(self, channel: str, market_id: str) -> Row | None:
        quote = self.account.quotes.get(market_id)
        if quote is None:
            return None
        market = self.account.markets[market_id]
        match channel:
            case "tickers":
                return ticker_row(market, quote)
            case "mark-price":
                return mark_row(market, quote)
            case _:
                return book_row(quote)

    def _replay_orders(self, fills: list[Fill]) -> None:
        for fill in fills:
            order = self.account.find(order_id=fill.order_id)
            if order is not None:
                row = order_push(self.account, order, fill, amended=False)
                self._streams.push("orders", [row], name=order.market)

    def _book_funding(self, market: str, amount: Decimal) -> Row:
        number = str(723950854533000000 + len(self.bills))
        bill = funding_bill(self.account, market, amount, number, str(self.now_ms()))
        self.bills.append(bill)
        settle = self.account.markets[market].settle
        self.account.set_balance(settle, Decimal(bill["bal"]))
        return bill


def _each(do: Callable[[Asked], Row], asked: list[Asked]) -> tuple[str, list[Row]]:
    """Rows of several requests, and the code of all: 0 done, 1 none done, 2 some done."""
    rows = [do(one) for one in asked]
    failed = [row for row in rows if row.get("sCode", "0") != "0"]
    return "0" if not failed else "1" if len(failed) == len(rows) else "2", rows


def _set_position_mode(asked: Asked) -> Row:
    if asked.get("posMode") != "net_mode":
        raise refusal(
            "59000",
            "Setting failed. Cancel any open orders, close positions, and stop trading bots first.",
        )
    return {"posMode": "net_mode"}
