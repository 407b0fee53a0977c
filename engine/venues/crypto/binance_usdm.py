"""Binance USD-M futures in its own words: perpetuals of an account in one-way mode.

Forced events are told as orders of Binance's own client ids, on the order event alone; a stop is a
conditional order, which becomes a plain one when it is triggered. Source: Binance USD-M API.
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
)
from engine.desk.market import Bar
from engine.venues.crypto import binance_rows as rows
from engine.venues.crypto import words
from engine.venues.crypto.binance_usdm_rows import UsdmReader
from engine.venues.crypto.faults import Missing, Refused, Unanswered
from engine.venues.crypto.limiter import Budget, Cost, Lane
from engine.venues.crypto.markets import ZERO, Market, Markets, exact, perpetuals_of, plain
from engine.venues.crypto.translator import (
    Found,
    News,
    Over,
    Stream,
    Subscribed,
    Surroundings,
    Touch,
    instant,
    net,
)
from engine.venues.port import PricedOrder

Row = rows.Row

_USER = "user"
_ORDER: Cost = {"weight": 1, "orders": 1}
_CANCEL: Cost = {"weight": 1}
_TRADES_REACH = timedelta(days=2)


class BinanceUsdm:
    """Keeps engine.venues.crypto.translator.Translator."""

    budgets: ClassVar[Mapping[str, Budget]] = {
        "weight": Budget(capacity=2400, window_seconds=60.0),
        "orders": Budget(capacity=300, window_seconds=10.0),
    }
    options: ClassVar[Mapping[str, Any]] = rows.OPTIONS
    verdicts: ClassVar[Mapping[str, type[Refused | Unanswered]]] = rows.VERDICTS
    channels: ClassVar[frozenset[str]] = frozenset({_USER})
    assigns: ClassVar[bool] = False
    absence_seconds: ClassVar[float] = rows.ABSENCE_SECONDS

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._wire = around.wire
        self._own = around.own
        self._read = UsdmReader(around)
        self._knows_traded = False

    def markets(self) -> Markets:
        return perpetuals_of(self._wire.exchange.markets.values())

    # Streams

    def streams(self) -> Sequence[Stream]:
        # One subscription brings orders, executions and positions.
        return (self._wire.exchange.watch_orders,)

    def opened(self, url: str) -> Iterable[News]:
        if "listenKey=" in url:
            yield Subscribed(channel=_USER)

    def quote_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        symbols = [market.symbol for market in markets]
        return (partial(self._wire.exchange.watch_bids_asks, symbols),)

    def bar_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        return ()

    def touch(self, message: Any) -> Touch | None:
        if message.get("e") != "bookTicker":
            return None
        return message["s"], float(message["b"]), float(message["a"]), None

    def hear(self, message: Any) -> Iterable[News]:
        match message.get("e"):
            case "ORDER_TRADE_UPDATE":
                yield from self._read.order_update(message["o"])
            case "ALGO_UPDATE":
                yield from self._read.algo_update(message["o"])
            case "ACCOUNT_UPDATE":
                for row in message["a"].get("P", ()):
                    yield from self._read.position_update(row)
            case "listenKeyExpired":
                yield Over(reason="the exchange ended the stream of the account")

    # Asking

    async def server_time(self) -> datetime:
        answer = await self._wire.ask("fapiPublicGetTime", {}, {"weight": 1})
        return instant(answer["serverTime"])

    async def may_trade(self) -> tuple[bool | None, str]:
        mode = await self._wire.ask("fapiPrivateGetPositionSideDual", {}, {"weight": 30})
        if str(mode["dualSidePosition"]).lower() == "true":
            return False, words.HEDGED
        if self._around.settings.sandbox:
            return True, ""
        rights = await self._wire.ask("sapiGetAccountApiRestrictions", {}, {"weight": 1})
        if not rights.get("enableFutures"):
            return False, "the API key has no permission for futures"
        return True, ""

    async def positions(self) -> Sequence[PositionRow]:
        answer = await self._wire.ask("fapiPrivateV3GetPositionRisk", {}, {"weight": 5})
        found: dict[str, PositionRow] = {}
        for row in answer:
            if not exact(row["positionAmt"]) or not self._around.markets.knows(row["symbol"]):
                continue
            ref = row["symbol"]
            self._read.traded.add(ref)
            position = self._read.position(ref, row["positionAmt"], row["entryPrice"])
            # In hedge mode, in which nothing is traded here, both sides are one position.
            before = found.get(ref)
            found[ref] = position if before is None else net(before, position)
        return tuple(found.values())

    async def balances(self) -> Sequence[BalanceReported]:
        return ()

    async def open_orders(self) -> Sequence[OrderRow]:
        plain_ones = await self._wire.ask("fapiPrivateGetOpenOrders", {}, {"weight": 40})
        algos = await self._wire.ask("fapiPrivateGetOpenAlgoOrders", {}, {"weight": 40})
        found = [*map(self._read.order_row, plain_ones), *map(self._read.algo_row, algos)]
        return [row for row in found if row is not None]

    async def executions(self) -> Sequence[Execution]:
        """Ask for the newest trades of each market that traded of late; only a list of payments
        tells which those are."""
        if not self._knows_traded:
            since = round((self._around.now() - _TRADES_REACH).timestamp() * 1000)
            asked = {"incomeType": "COMMISSION", "startTime": since, "limit": 1000}
            paid = await self._wire.ask("fapiPrivateGetIncome", asked, {"weight": 30})
            refs = {row["symbol"] for row in paid if row["symbol"]}
            self._read.traded |= {ref for ref in refs if self._around.markets.knows(ref)}
            self._knows_traded = True
        found: list[Execution] = []
        for ref in sorted(self._read.traded):
            asked = {"symbol": ref, "limit": 100}
            trades = await self._wire.ask("fapiPrivateGetUserTrades", asked, {"weight": 5})
            if any(str(trade["orderId"]) not in self._read.makers for trade in trades):
                await self._learn_makers(ref)
            found += map(self._read.trade, trades)
        return found

    async def _learn_makers(self, ref: str) -> None:
        asked = {"symbol": ref, "limit": 500}
        for order in await self._wire.ask("fapiPrivateGetAllOrders", asked, {"weight": 5}):
            self._read.makers[str(order["orderId"])] = order["clientOrderId"]

    async def lookup(self, order: PricedOrder) -> Found:
        own, ref = order.client_order_id, order.instrument.ref
        self._read.traded.add(ref)
        try:
            if order.order_type is not OrderType.STOP:
                return await self._ask_order({"symbol": ref, "origClientOrderId": own})
            algo = await self._wire.ask(
                "fapiPrivateGetAlgoOrder", {"clientAlgoId": own}, {"weight": 1}
            )
            if not algo.get("actualOrderId"):
                # Triggered, and what it becomes is not there yet: it is under way.
                return self._read.algo_row(algo) or self._own.told(own, OrderReport.WORKING), ()
            self._own.alias(own, str(algo["actualOrderId"]))
            return await self._ask_order({"symbol": ref, "orderId": algo["actualOrderId"]})
        except Missing:
            return None, ()

    async def _ask_order(self, asked: Row) -> Found:
        seen = await self._wire.ask("fapiPrivateGetOrder", asked, {"weight": 1})
        row = self._read.order_row(seen)
        if row is None or not row.filled:
            return row, ()
        wanted = {"symbol": seen["symbol"], "orderId": seen["orderId"]}
        trades = await self._wire.ask("fapiPrivateGetUserTrades", wanted, {"weight": 5})
        return row, tuple(map(self._read.trade, trades))

    async def touches(self, markets: Sequence[Market]) -> Sequence[Touch]:
        answer = await self._wire.ask("fapiPublicGetTickerBookTicker", {}, {"weight": 5})
        wanted = {market.ref for market in markets}
        return [
            (row["symbol"], float(row["bidPrice"]), float(row["askPrice"]), None)
            for row in answer
            if row["symbol"] in wanted
        ]

    async def history(self, market: Market) -> Sequence[Bar]:
        return ()

    # Orders

    async def send(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        if order.order_type is OrderType.STOP:
            params = self._stop(order)
            answer = await self._wire.ask("fapiPrivatePostAlgoOrder", params, _ORDER, lane, leaving)
            return self._read.algo_row(answer)
        params = self._params(order)
        answer = await self._wire.ask("fapiPrivatePostOrder", params, _ORDER, lane, leaving)
        return self._read.order_row(answer)

    def _base(self, order: PricedOrder) -> dict[str, Any]:
        market = self._around.markets.of(order.instrument.ref)
        params = {
            "symbol": market.ref,
            "side": order.side.value,
            "quantity": plain(market.venue_units(order.quantity)),
        }
        return params | ({"reduceOnly": "true"} if order.reduce_only else {})

    def _params(self, order: PricedOrder) -> dict[str, Any]:
        params = self._base(order) | {
            "newClientOrderId": order.client_order_id,
            "newOrderRespType": "RESULT",
        }
        match order.order_type:
            case OrderType.MARKET:
                params["type"] = "MARKET"
            case OrderType.LIMIT:
                params |= rows.type_of(order) | {"price": plain(order.limit_price or ZERO)}
            case OrderType.STOP | OrderType.OCO:
                raise Refused("Binance USD-M has no OCO orders")
            case _:
                assert_never(order.order_type)
        return params

    def _stop(self, order: PricedOrder) -> dict[str, Any]:
        return self._base(order) | {
            "algoType": "CONDITIONAL",
            "type": "STOP_MARKET",
            "triggerPrice": plain(order.stop_price or ZERO),
            "workingType": "MARK_PRICE",
            "clientAlgoId": order.client_order_id,
        }

    async def cancel(self, order: PricedOrder) -> OrderRow | None:
        own = order.client_order_id
        if order.order_type is OrderType.STOP:
            await self._wire.ask(
                "fapiPrivateDeleteAlgoOrder", {"clientAlgoId": own}, _CANCEL, Lane.CANCELS
            )
            return self._own.told(own, OrderReport.CANCELLED)
        asked = {"symbol": order.instrument.ref, "origClientOrderId": own}
        answer = await self._wire.ask("fapiPrivateDeleteOrder", asked, _CANCEL, Lane.CANCELS)
        return self._read.order_row(answer)
