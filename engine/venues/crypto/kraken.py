"""Kraken Futures in its own words. This is the venue that assigns positions: a fill of type
assignee put a stranger's position on our book, assignor took ours away.

Source: Kraken Futures, REST v3 and WebSocket v1; history API v2.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, assert_never

from engine.desk.facts import (
    BalanceReported,
    Execution,
    OrderReport,
    OrderRow,
    OrderType,
    PositionRow,
    TimeInForce,
)
from engine.desk.market import Bar
from engine.venues.crypto.faults import Denied, Missing, Refused, Unanswered
from engine.venues.crypto.kraken_rows import KrakenReader
from engine.venues.crypto.limiter import Budget, Cost, Lane
from engine.venues.crypto.markets import ZERO, Market, Markets, number, perpetuals_of, plain
from engine.venues.crypto.translator import (
    Found,
    Holdings,
    News,
    Stream,
    Subscribed,
    Surroundings,
    Touch,
    iso_instant,
)
from engine.venues.port import PricedOrder

Row = Mapping[str, Any]

_FILLS, _POSITIONS, _ORDERS = "fills", "open_positions", "open_orders"
_SEND, _CANCEL = {"trading": 10}, {"trading": 10}
_READ, _STATUS, _HISTORY = {"trading": 2}, {"trading": 1}, {"history": 1}
_PUBLIC: Cost = {}
_HISTORY_PAGE = 100


class KrakenFutures:
    """Keeps engine.venues.crypto.translator.Translator."""

    budgets: ClassVar[Mapping[str, Budget]] = {
        "trading": Budget(capacity=500, window_seconds=10.0),
        "history": Budget(capacity=100, window_seconds=600.0, reserved=False),
    }
    options: ClassVar[Mapping[str, Any]] = {}
    verdicts: ClassVar[Mapping[str, type[Refused | Unanswered]]] = {}
    channels: ClassVar[frozenset[str]] = frozenset({_FILLS, _POSITIONS, _ORDERS})
    assigns: ClassVar[bool] = True
    absence_seconds: ClassVar[float] = 2.0

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._account = around.settings.account
        self._wire = around.wire
        self._own = around.own
        self._read = KrakenReader(around)

    def markets(self) -> Markets:
        return perpetuals_of(self._wire.exchange.markets.values())

    # Streams

    def streams(self) -> Sequence[Stream]:
        exchange = self._wire.exchange
        return (exchange.watch_my_trades, exchange.watch_positions, exchange.watch_orders)

    def opened(self, url: str) -> Iterable[News]:
        return ()

    def quote_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        symbols = [market.symbol for market in markets]
        return (partial(self._wire.exchange.watch_tickers, symbols),)

    def bar_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        return ()

    def touch(self, message: Any) -> Touch | None:
        if message.get("feed") != "ticker" or "product_id" not in message:
            return None
        return message["product_id"], message.get("bid"), message.get("ask"), message.get("last")

    def hear(self, message: Any) -> Iterable[News]:
        match message.get("feed"):
            case "fills" | "fills_snapshot" if "fills" in message:
                yield Subscribed(channel=_FILLS)
                yield from map(self._read.fill, self._read.known(message["fills"], "instrument"))
            case "open_positions" if message.get("positions") is not None:
                yield Subscribed(channel=_POSITIONS)
                held = self._read.known(message["positions"], "instrument")
                yield Holdings(rows=tuple(map(self._read.position, held)))
            case "open_orders_snapshot" if "orders" in message:
                yield Subscribed(channel=_ORDERS)
                for order in message["orders"]:
                    yield from self._read.open_order(order)
            case "open_orders" if message.get("is_cancel"):
                yield from self._read.removed(message)
            case "open_orders" if "order" in message:
                yield from self._read.open_order(message["order"])

    # Asking

    async def server_time(self) -> datetime:
        ref = next(iter(self._around.markets)).ref
        answer = await self._wire.ask("publicGetTickersSymbol", {"symbol": ref}, _PUBLIC)
        return iso_instant(answer["serverTime"])

    async def may_trade(self) -> tuple[bool | None, str]:
        """Cancel an order that cannot be: a key that may not trade is refused for it."""
        if not self._around.settings.probe_orders:
            return None, ""
        try:
            await self._wire.ask("privatePostCancelorder", {"cliOrdId": _NOBODYS}, _CANCEL)
        except Denied as error:
            return False, str(error)
        except (Refused, Unanswered):
            return None, ""
        return True, ""

    async def positions(self) -> Sequence[PositionRow]:
        answer = await self._wire.ask("privateGetOpenpositions", {}, _READ)
        return [
            self._read.rest_position(row)
            for row in self._read.known(answer["openPositions"], "symbol")
        ]

    async def balances(self) -> Sequence[BalanceReported]:
        return ()

    async def open_orders(self) -> Sequence[OrderRow]:
        answer = await self._wire.ask("privateGetOpenorders", {}, _READ)
        rows = []
        for order in answer["openOrders"]:
            client_id = order.get("cliOrdId") or order.get("cli_ord_id")
            own = self._own.own_id(client_id, order["order_id"])
            if own is not None:
                market = self._around.markets.of(order["symbol"])
                filled = market.desk_quantity(number(order.get("filledSize")) or ZERO)
                rows.append(self._own.told(own, OrderReport.WORKING, filled=filled))
        return rows

    async def executions(self) -> Sequence[Execution]:
        try:
            answer = await self._wire.ask("privateGetFills", {}, _READ)
        except Unanswered as error:
            # So the exchange says of an account that never traded.
            if "accountInactive" not in str(error):
                raise
            return ()
        return [self._read.rest_fill(row) for row in self._read.known(answer["fills"], "symbol")]

    async def lookup(self, order: PricedOrder) -> Found:
        """Ask for the status, which forgets an order within seconds, then its fills, then the
        history, which alone tells a stop that was triggered from one that was cancelled."""
        own = order.client_order_id
        if order.order_type is OrderType.STOP:
            self._read.expect(order)
        answer = await self._wire.ask("privateGetOrdersStatus", {"cliOrdIds": own}, _STATUS)
        for found in answer["orders"]:
            if found["order"].get("cliOrdId") == own:
                row = self._read.status(order, found)
                if row.filled or order.order_type is not OrderType.STOP or _rests(row):
                    return row, ()
        executions = [it for it in await self.executions() if it.client_order_id == own]
        filled = sum((it.quantity for it in executions), ZERO)
        if filled >= order.quantity:
            return self._own.told(own, OrderReport.FILLED, filled=filled), executions
        for kind in ("Orders", "Triggers"):
            since = round((self._around.now() - _HISTORY_REACHES).timestamp() * 1000)
            asked = {"since": since, "count": _HISTORY_PAGE, "sort": "desc"}
            page = await self._wire.ask(f"historyGet{kind}", asked, _HISTORY)
            for element in page["elements"]:
                if (seen := self._read.event(order, element)) is not None:
                    return seen, executions
        return None, executions

    async def touches(self, markets: Sequence[Market]) -> Sequence[Touch]:
        answer = await self._wire.ask("publicGetTickers", {}, _PUBLIC)
        wanted = {market.ref for market in markets}
        return [
            (row["symbol"], _float(row.get("bid")), _float(row.get("ask")), _float(row.get("last")))
            for row in answer["tickers"]
            if row["symbol"] in wanted
        ]

    async def history(self, market: Market) -> Sequence[Bar]:
        return ()

    # Orders

    async def send(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        params = self._params(order)
        answer = await self._wire.ask("privatePostSendorder", params, _SEND, lane, leaving)
        return self._read.sent(order, answer["sendStatus"])

    def _params(self, order: PricedOrder) -> dict[str, Any]:
        market = self._around.markets.of(order.instrument.ref)
        params = {
            "orderType": _order_type(order),
            "symbol": market.ref,
            "side": order.side.value.lower(),
            "size": plain(market.venue_units(order.quantity)),
            "cliOrdId": order.client_order_id,
        }
        if order.limit_price is not None:
            params["limitPrice"] = plain(order.limit_price)
        if order.stop_price is not None:
            params |= {"stopPrice": plain(order.stop_price), "triggerSignal": "mark"}
        if order.reduce_only:
            params["reduceOnly"] = "true"
        return params

    async def cancel(self, order: PricedOrder) -> OrderRow | None:
        own = order.client_order_id
        answer = await self._wire.ask(
            "privatePostCancelorder", {"cliOrdId": own}, _CANCEL, Lane.CANCELS
        )
        sent = answer["cancelStatus"]
        if sent.get("status") != "cancelled":
            raise Missing(f"the exchange has it no longer: {sent.get('status')}")
        events = sent.get("orderEvents", ())
        seen: Row = next((it["order"] for it in events if "order" in it), {})
        market = self._around.markets.of(order.instrument.ref)
        filled = market.desk_quantity(number(seen.get("filled")) or ZERO)
        return self._own.told(own, OrderReport.CANCELLED, filled=filled)


_NOBODYS = "bulkheadasksmayitradehere"
_HISTORY_REACHES = timedelta(days=2)


def _order_type(order: PricedOrder) -> str:
    match order.order_type:
        case OrderType.MARKET:
            return "mkt"
        case OrderType.LIMIT:
            return "ioc" if order.time_in_force is TimeInForce.IOC else "lmt"
        case OrderType.STOP:
            return "stp"
        case OrderType.OCO:
            raise Refused("Kraken Futures has no OCO orders")
        case _:
            assert_never(order.order_type)


def _rests(row: OrderRow) -> bool:
    return row.report is OrderReport.WORKING


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
