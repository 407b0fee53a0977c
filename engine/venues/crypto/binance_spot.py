"""Binance spot in its own words: market orders by amount, order lists, balances and bars.

Source: Binance spot API, REST v3 and the user data stream of the WebSocket API.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, assert_never

from engine.desk.facts import (
    BalanceReported,
    Execution,
    OrderRow,
    OrderType,
    PositionRow,
    Side,
)
from engine.desk.instruments import PriceBand
from engine.desk.market import Bar
from engine.venues.crypto import binance_rows as rows
from engine.venues.crypto.binance_legs import STOP_LOSS, TAKE_PROFIT, Named
from engine.venues.crypto.binance_spot_rows import SpotReader
from engine.venues.crypto.faults import Missing, Refused, Unanswered
from engine.venues.crypto.limiter import Budget, Cost, Lane
from engine.venues.crypto.markets import ZERO, Market, Markets, exact, plain, spot_of
from engine.venues.crypto.translator import (
    ClosedBars,
    Found,
    News,
    Over,
    Stream,
    Subscribed,
    Surroundings,
    Touch,
    Unclear,
    instant,
)
from engine.venues.port import PricedOrder

Row = rows.Row

_USER = "user"
_ORDER: Cost = {"weight": 1, "orders": 1}
_LIST: Cost = {"weight": 1, "orders": 2}
_CANCEL: Cost = {"weight": 1}
_LONGEST_PAGE = 1000
_INTERVALS = {
    1: "1s",
    60: "1m",
    180: "3m",
    300: "5m",
    900: "15m",
    1800: "30m",
    3600: "1h",
    7200: "2h",
    14400: "4h",
    21600: "6h",
    28800: "8h",
    43200: "12h",
    86400: "1d",
}
_THROUGH = (
    "relationship of the prices",
    "would immediately match",
    "would trigger immediately",
    "would immediately trigger",
)


class BinanceSpot:
    """Keeps engine.venues.crypto.translator.Translator."""

    budgets: ClassVar[Mapping[str, Budget]] = {
        "weight": Budget(capacity=6000, window_seconds=60.0),
        "orders": Budget(capacity=100, window_seconds=10.0),
    }
    options: ClassVar[Mapping[str, Any]] = {
        **rows.OPTIONS,
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
    }
    verdicts: ClassVar[Mapping[str, type[Refused | Unanswered]]] = {
        **rows.VERDICTS,
        "(-2018)": Missing,
    }
    channels: ClassVar[frozenset[str]] = frozenset({_USER})
    assigns: ClassVar[bool] = False
    absence_seconds: ClassVar[float] = rows.ABSENCE_SECONDS

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._wire = around.wire
        self._own = around.own
        self._settings = around.settings
        self._read = SpotReader(around)

    def markets(self) -> Markets:
        listed = self._wire.exchange.markets.values()
        return spot_of(listed, {it["id"]: band for it in listed if (band := _band(it["info"]))})

    # Streams

    def streams(self) -> Sequence[Stream]:
        # One subscription brings orders, lists and balances.
        return (self._wire.exchange.watch_orders,)

    def opened(self, url: str) -> Iterable[News]:
        return ()

    def quote_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        symbols = [market.symbol for market in markets]
        return (partial(self._wire.exchange.watch_bids_asks, symbols),)

    def bar_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        wanted = [[market.symbol, self._interval] for market in markets]
        return (partial(self._wire.exchange.watch_ohlcv_for_symbols, wanted),)

    def touch(self, message: Any) -> Touch | None:
        if "u" not in message or "e" in message or "b" not in message:
            return None
        return message["s"], float(message["b"]), float(message["a"]), None

    def hear(self, message: Any) -> Iterable[News]:
        event = message.get("event", message)
        match event.get("e") if isinstance(event, dict) else None:
            case "executionReport":
                yield from self._read.execution_report(event)
            case "outboundAccountPosition":
                yield from self._read.balances(event["B"], asset="a", free="f", locked="l")
            case "balanceUpdate":
                yield Unclear(reason="a deposit or withdrawal")
            case "kline":
                yield from self._kline(event)
            case "eventStreamTerminated" | "serverShutdown":
                yield Over(reason="the exchange ended the stream of the account")
            case None if "subscriptionId" in (message.get("result") or ()):
                yield Subscribed(channel=_USER)

    # Bars

    @property
    def _interval(self) -> str:
        found = _INTERVALS.get(self._settings.bar_seconds)
        if found is None:
            raise Refused(f"Binance has no bars of {self._settings.bar_seconds} seconds")
        return found

    def _kline(self, event: Row) -> Iterator[News]:
        bar = event["k"]
        if bar["x"]:
            row = (bar["t"], bar["o"], bar["h"], bar["l"], bar["c"], bar["v"])
            yield ClosedBars(ref=event["s"], bars=(_bar(row),))

    async def history(self, market: Market) -> Sequence[Bar]:
        """Ask for the newest closed bars, page by page backwards."""
        found: list[Bar] = []
        wanted, until = self._settings.history_bars, None
        # By their clock, asked first: what is over then does not change in the answer.
        now_ms = (await self.server_time()).timestamp() * 1000
        while len(found) < wanted:
            count = min(wanted - len(found) + 1, _LONGEST_PAGE)
            params = {"symbol": market.ref, "interval": self._interval, "limit": count}
            if until is not None:
                params["endTime"] = until
            page = await self._wire.ask("publicGetKlines", params, {"weight": 2})
            # The newest bar is not closed: its end is still to come.
            found[:0] = [_bar(row) for row in page if int(row[6]) < now_ms]
            if len(page) < count:
                break
            until = int(page[0][0]) - 1
        return found[-wanted:]

    # Asking

    async def server_time(self) -> datetime:
        answer = await self._wire.ask("publicGetTime", {}, {"weight": 1})
        return instant(answer["serverTime"])

    async def may_trade(self) -> tuple[bool | None, str]:
        answer = await self._wire.ask("privateGetAccount", {}, {"weight": 20})
        if not answer.get("canTrade"):
            return False, "the account may not trade"
        if self._settings.sandbox:
            return True, ""
        rights = await self._wire.ask("sapiGetAccountApiRestrictions", {}, {"weight": 1})
        if not rights.get("enableSpotAndMarginTrading"):
            return False, "the API key has no permission for spot trading"
        return True, ""

    async def positions(self) -> Sequence[PositionRow]:
        return ()

    async def balances(self) -> Sequence[BalanceReported]:
        answer = await self._wire.ask("privateGetAccount", {}, {"weight": 20})
        found = self._read.balances(answer["balances"], asset="asset", free="free", locked="locked")
        told = {it.currency: it for it in found}
        for currency in self._read.currencies() - told.keys():
            told[currency] = BalanceReported(
                venue=self._around.name,
                account=self._settings.account,
                currency=currency,
                free=ZERO,
                total=ZERO,
            )
        return tuple(told.values())

    async def open_orders(self) -> Sequence[OrderRow]:
        told: dict[str, OrderRow] = {}
        halves: dict[str, str] = {}  # our id -> market, of lists of which one leg is open
        for row in await self._wire.ask("privateGetOpenOrders", {}, {"weight": 80}):
            named = self._read.name(row["orderId"], row["clientOrderId"])
            if named is None:
                continue
            if named.leg and halves.pop(named.own, None) is None:
                halves[named.own] = row["symbol"]
            seen = self._read.rest_row(named, row)
            if seen is not None:
                told[named.own] = seen
        for own, ref in halves.items():
            seen = await self._ask_legs(own, ref)
            if seen is not None:
                told[own] = seen
        return tuple(told.values())

    async def _ask_legs(self, own: str, ref: str) -> OrderRow | None:
        for leg in (TAKE_PROFIT, STOP_LOSS):
            asked = {"symbol": ref, "origClientOrderId": own + leg}
            row = await self._wire.ask("privateGetOrder", asked, {"weight": 4})
            self._read.name(row["orderId"], own + leg)
            self._read.rest_row(Named(own=own, leg=leg), row)
        return self._read.list_row(own, ref)

    async def executions(self) -> Sequence[Execution]:
        """Ask for the newest trades of each market that is traded here."""
        found: list[Execution] = []
        for market in self._read.wanted():
            asked = {"symbol": market.ref, "limit": 100}
            trades = await self._wire.ask("privateGetMyTrades", asked, {"weight": 20})
            if any(str(trade["orderId"]) not in self._read.names for trade in trades):
                orders = await self._wire.ask(
                    "privateGetAllOrders", {"symbol": market.ref, "limit": 500}, {"weight": 20}
                )
                for order in orders:
                    self._read.name(order["orderId"], order["clientOrderId"])
            found += map(self._read.trade, trades)
        return found

    async def lookup(self, order: PricedOrder) -> Found:
        own, ref = order.client_order_id, order.instrument.ref
        try:
            if order.order_type is OrderType.OCO:
                asked = {"origClientOrderId": own}
                await self._wire.ask("privateGetOrderList", asked, {"weight": 4})
                row = await self._ask_legs(own, ref)
            else:
                asked = {"symbol": ref, "origClientOrderId": own}
                seen = await self._wire.ask("privateGetOrder", asked, {"weight": 4})
                self._read.name(seen["orderId"], own)
                row = self._read.rest_row(Named(own=own), seen)
        except Missing:
            return None, ()
        ids = [name for name, named in self._read.names.items() if named and named.own == own]
        found: list[Execution] = []
        for order_id in ids if row is not None and row.filled else ():
            asked = {"symbol": ref, "orderId": order_id}
            trades = await self._wire.ask("privateGetMyTrades", asked, {"weight": 5})
            found += map(self._read.trade, trades)
        return row, found

    async def touches(self, markets: Sequence[Market]) -> Sequence[Touch]:
        answer = await self._wire.ask("publicGetTickerBookTicker", {}, {"weight": 4})
        wanted = {market.ref for market in markets}
        return [
            (row["symbol"], float(row["bidPrice"]), float(row["askPrice"]), None)
            for row in answer
            if row["symbol"] in wanted
        ]

    # Orders

    async def send(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        if order.order_type is OrderType.OCO:
            return await self._send_list(order, lane, leaving)
        params = self._params(order)
        answer = await self._wire.ask("privatePostOrder", params, _ORDER, lane, leaving)
        named = Named(own=order.client_order_id)
        self._read.name(answer["orderId"], order.client_order_id)
        return self._read.rest_row(named, answer)

    def _params(self, order: PricedOrder) -> dict[str, Any]:
        market = self._around.markets.of(order.instrument.ref)
        params: dict[str, Any] = {
            "symbol": market.ref,
            "side": order.side.value,
            "newClientOrderId": order.client_order_id,
            "newOrderRespType": "RESULT",
        }
        if order.spend is not None:
            return params | {"type": "MARKET", "quoteOrderQty": plain(order.spend)}
        params["quantity"] = plain(market.venue_units(order.quantity))
        match order.order_type:
            case OrderType.MARKET:
                params["type"] = "MARKET"
            case OrderType.LIMIT:
                params |= rows.type_of(order) | {"price": _price(order.limit_price)}
            case OrderType.STOP:
                params |= {"type": "STOP_LOSS", "stopPrice": _price(order.stop_price)}
            case OrderType.OCO:
                raise AssertionError("lists are sent as lists")
            case _:
                assert_never(order.order_type)
        return params

    async def _send_list(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        own = order.client_order_id
        market = self._around.markets.of(order.instrument.ref)
        if order.side is not Side.SELL:
            raise Refused("only a sale can be a bracket here")
        params = {
            "symbol": market.ref,
            "side": "SELL",
            "quantity": plain(market.venue_units(order.quantity)),
            "listClientOrderId": own,
            "aboveType": "LIMIT_MAKER",
            "abovePrice": _price(order.limit_price),
            "aboveClientOrderId": own + TAKE_PROFIT,
            "belowType": "STOP_LOSS",
            "belowStopPrice": _price(order.stop_price),
            "belowClientOrderId": own + STOP_LOSS,
            "newOrderRespType": "RESULT",
        }
        try:
            answer = await self._wire.ask("privatePostOrderListOco", params, _LIST, lane, leaving)
        except Refused as error:
            if any(words in str(error) for words in _THROUGH):
                raise Refused(f"the price is through the bracket already: {error}") from None
            raise
        return self._list_answer(own, market.ref, answer)

    def _list_answer(self, own: str, ref: str, answer: Row) -> OrderRow | None:
        for row in answer["orderReports"]:
            named = self._read.name(
                row["orderId"], row.get("origClientOrderId") or row["clientOrderId"]
            )
            if named is not None:
                self._read.rest_row(named, row)
        return self._read.list_row(own, ref)

    async def cancel(self, order: PricedOrder) -> OrderRow | None:
        own, ref = order.client_order_id, order.instrument.ref
        if order.order_type is OrderType.OCO:
            asked = {"symbol": ref, "listClientOrderId": own}
            answer = await self._wire.ask("privateDeleteOrderList", asked, _CANCEL, Lane.CANCELS)
            return self._list_answer(own, ref, answer)
        asked = {"symbol": ref, "origClientOrderId": own}
        answer = await self._wire.ask("privateDeleteOrder", asked, _CANCEL, Lane.CANCELS)
        return self._read.rest_row(Named(own=own), answer)


def _price(price: Decimal | None) -> str:
    if price is None:
        raise Refused("the order has no price")
    return plain(price)


def _bar(row: Sequence[Any]) -> Bar:
    at, first, high, low, last, volume = row[:6]
    return Bar(
        at=instant(at),
        open=float(first),
        high=float(high),
        low=float(low),
        close=float(last),
        volume=float(volume),
    )


def _band(info: Row) -> PriceBand | None:
    """Read between which multiples of the average price a sale may lie."""
    for rule in info.get("filters", ()):
        if rule.get("filterType") == "PERCENT_PRICE_BY_SIDE":
            lowest, highest = rule["askMultiplierDown"], rule["askMultiplierUp"]
            return PriceBand(lowest=exact(lowest), highest=exact(highest))
    return None
