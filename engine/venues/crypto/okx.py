"""OKX in its own words: perpetual swaps of an account in net mode, counted in contracts.

Forced events come as orders of OKX's own whose category names them; a stop is an algo order, which
goes on as an ordinary one when it is triggered. Source: OKX API v5.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
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
from engine.venues.crypto import words
from engine.venues.crypto.faults import Duplicate, Missing, Refused, Unanswered
from engine.venues.crypto.limiter import Budget, Cost, Lane
from engine.venues.crypto.markets import ZERO, Market, Markets, perpetuals_of, plain
from engine.venues.crypto.okx_rows import OkxReader
from engine.venues.crypto.translator import (
    Found,
    News,
    Stream,
    Subscribed,
    Surroundings,
    Touch,
    Unclear,
    instant,
    net,
)
from engine.venues.port import PricedOrder

Row = Mapping[str, Any]

_SWAP = {"instType": "SWAP"}
_ORDER: Cost = {"orders": 1}
_ALGO: Cost = {"algos": 1}
_CANCEL: Cost = {"cancels": 1}
_POSITIONS: Cost = {"positions": 1}
_READ: Cost = {"reads": 1}
_ALGO_TYPES = "conditional"
_PAGE = 100
_MOST_PAGES = 10


class Okx:
    """Keeps engine.venues.crypto.translator.Translator."""

    budgets: ClassVar[Mapping[str, Budget]] = {
        "orders": Budget(capacity=60, window_seconds=2.0),
        "cancels": Budget(capacity=60, window_seconds=2.0, reserved=False),
        "algos": Budget(capacity=20, window_seconds=2.0, reserved=False),
        "positions": Budget(capacity=10, window_seconds=2.0, reserved=False),
        "reads": Budget(capacity=20, window_seconds=2.0, reserved=False),
    }
    options: ClassVar[Mapping[str, Any]] = {
        "adjustForTimeDifference": True,
        "defaultType": "swap",
        "fetchMarkets": {"types": ["swap"]},
    }
    # A code of an order's own (51...) is a definite answer, but for these.
    verdicts: ClassVar[Mapping[str, type[Refused | Unanswered]]] = {
        "(51149)": Unanswered,
        "(50004)": Unanswered,
        "(51016)": Duplicate,
        "(51603)": Missing,
        "(51400)": Missing,
        "(51401)": Missing,
        "(51402)": Missing,
        "(51405)": Missing,
        "(51410)": Missing,
        "(51": Refused,
    }
    channels: ClassVar[frozenset[str]] = frozenset({"orders", "positions", "orders-algo"})
    assigns: ClassVar[bool] = False
    absence_seconds: ClassVar[float] = 2.0

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._account = around.settings.account
        self._wire = around.wire
        self._own = around.own
        self._read = OkxReader(around)

    def markets(self) -> Markets:
        return perpetuals_of(self._wire.exchange.markets.values())

    # Streams

    def streams(self) -> Sequence[Stream]:
        exchange = self._wire.exchange
        return (
            partial(exchange.watch_orders, params={"type": "SWAP"}),
            exchange.watch_positions,
            partial(exchange.watch_orders, params={"type": "SWAP", "trigger": True}),
        )

    def opened(self, url: str) -> Iterable[News]:
        return ()

    def quote_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        symbols = [market.symbol for market in markets]
        return (partial(self._wire.exchange.watch_bids_asks, symbols),)

    def bar_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        return ()

    def touch(self, message: Any) -> Touch | None:
        arg = message.get("arg")
        if arg is None or arg.get("channel") != "bbo-tbt" or "data" not in message:
            return None
        book = message["data"][0]
        bids, asks = book["bids"], book["asks"]
        bid = float(bids[0][0]) if bids else None
        return arg["instId"], bid, float(asks[0][0]) if asks else None, None

    def hear(self, message: Any) -> Iterable[News]:
        channel = (message.get("arg") or {}).get("channel", "")
        if message.get("event") == "subscribe":
            yield Subscribed(channel=channel)
        for row in message.get("data") or ():
            if not isinstance(row, dict) or row.get("instType") != "SWAP":
                continue
            if not self._around.markets.knows(row["instId"]):
                continue
            match channel:
                case "orders":
                    yield from self._read.order_news(row)
                case "positions" if row.get("posSide") in ("long", "short"):
                    yield Unclear(reason="one side of a hedged position changed")
                case "positions":
                    yield self._read.position(row)
                case "orders-algo":
                    seen = self._read.algo_row(row)
                    if seen is not None:
                        yield seen

    # Asking

    async def server_time(self) -> datetime:
        answer = await self._wire.ask("publicGetPublicTime", {}, _READ)
        return instant(answer["data"][0]["ts"])

    async def may_trade(self) -> tuple[bool | None, str]:
        answer = await self._wire.ask("privateGetAccountConfig", {}, _READ)
        (config,) = answer["data"]
        if "trade" not in config.get("perm", "trade"):
            return False, "the API key has no permission to trade"
        if config.get("posMode") == "long_short_mode":
            return False, words.HEDGED
        if config.get("acctLv") == "1":
            return False, "the account is in spot mode: it cannot trade perpetuals"
        return True, ""

    async def positions(self) -> Sequence[PositionRow]:
        answer = await self._wire.ask("privateGetAccountPositions", _SWAP, _POSITIONS)
        found: dict[str, PositionRow] = {}
        for row in answer["data"]:
            if not self._around.markets.knows(row["instId"]):
                continue
            position = self._read.position(row)
            before = found.get(position.instrument.ref)
            # In hedge mode, in which nothing is traded here, both sides are one position.
            found[position.instrument.ref] = position if before is None else net(before, position)
        return tuple(found.values())

    async def balances(self) -> Sequence[BalanceReported]:
        return ()

    async def open_orders(self) -> Sequence[OrderRow]:
        pending = await self._pages("privateGetTradeOrdersPending", _SWAP, "ordId")
        algos = await self._pages(
            "privateGetTradeOrdersAlgoPending", _SWAP | {"ordType": _ALGO_TYPES}, "algoId"
        )
        found = [*map(self._read.order_row, pending), *map(self._read.algo_row, algos)]
        return [row for row in found if row is not None]

    async def _pages(self, endpoint: str, question: Row, id_of: str) -> list[Row]:
        found: list[Row] = []
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = await self._wire.ask(
                endpoint, {**question, "limit": str(_PAGE), **after}, _READ
            )
            found += answer["data"]
            if len(answer["data"]) < _PAGE:
                return found
            after = {"after": found[-1][id_of]}
        raise Unanswered("the answer has too many pages")

    async def executions(self) -> Sequence[Execution]:
        asked = _SWAP | {"limit": str(_PAGE)}
        answer = await self._wire.ask("privateGetTradeFills", asked, _READ)
        found = []
        for row in answer["data"]:
            if not self._around.markets.knows(row["instId"]):
                continue
            if self._read.own_id(row) is None and row["ordId"] not in self._read.makers:
                await self._learn(row)
            found.append(self._read.rest_fill(row))
        return found

    async def _learn(self, row: Row) -> None:
        """Learn who made an order that no stream told of: a stop of ours, or OKX itself."""
        asked = {"instId": row["instId"], "ordId": row["ordId"]}
        self._read.makers[row["ordId"]] = ""
        try:
            answer = await self._wire.ask("privateGetTradeOrder", asked, _READ)
        except Missing:
            return
        for order in answer["data"]:
            self._read.makers[row["ordId"]] = order.get("category", "")
            self._read.own_id(order)

    async def lookup(self, order: PricedOrder) -> Found:
        own, ref = order.client_order_id, order.instrument.ref
        try:
            if order.order_type is not OrderType.STOP:
                return await self._ask_order({"instId": ref, "clOrdId": own})
            answer = await self._wire.ask("privateGetTradeOrderAlgo", {"algoClOrdId": own}, _READ)
            (algo,) = answer["data"]
            row = self._read.algo_row(algo)
            executions: list[Execution] = []
            for order_id in algo.get("ordIdList") or ():
                row, found = await self._ask_order({"instId": ref, "ordId": order_id})
                executions += found
        except Missing:
            return None, ()
        else:
            # Triggered, and what it became is not there yet: it is under way.
            return row or self._own.told(own, OrderReport.WORKING), executions

    async def _ask_order(self, asked: Row) -> Found:
        answer = await self._wire.ask("privateGetTradeOrder", asked, _READ)
        (seen,) = answer["data"]
        row = self._read.order_row(seen)
        if row is None or not row.filled:
            return row, ()
        wanted = _SWAP | {"ordId": seen["ordId"]}
        fills = await self._wire.ask("privateGetTradeFills", wanted, _READ)
        return row, tuple(map(self._read.rest_fill, fills["data"]))

    async def touches(self, markets: Sequence[Market]) -> Sequence[Touch]:
        answer = await self._wire.ask("publicGetMarketTickers", _SWAP, _READ)
        wanted = {market.ref for market in markets}
        found: list[Touch] = []
        for row in answer["data"]:
            if row["instId"] in wanted:
                prices = (row.get(key) for key in ("bidPx", "askPx", "last"))
                bid, ask, last = (float(it) if it else None for it in prices)
                found.append((row["instId"], bid, ask, last))
        return found

    async def history(self, market: Market) -> Sequence[Bar]:
        return ()

    # Orders

    async def send(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        if order.order_type is OrderType.STOP:
            endpoint, params, cost = "privatePostTradeOrderAlgo", self._stop(order), _ALGO
        else:
            endpoint, params, cost = "privatePostTradeOrder", self._params(order), _ORDER
        answer = await self._wire.ask(endpoint, params, cost, lane, leaving)
        (row,) = answer["data"]
        # The answer says that it was taken; what becomes of it is told by the stream.
        return self._own.told(
            order.client_order_id,
            OrderReport.WORKING,
            venue_order_id=row.get("ordId") or row.get("algoId"),
        )

    def _base(self, order: PricedOrder) -> dict[str, Any]:
        market = self._around.markets.of(order.instrument.ref)
        params = {
            "instId": market.ref,
            "tdMode": self._read.modes.get(market.ref, "cross"),
            "side": order.side.value.lower(),
            "sz": plain(market.venue_units(order.quantity)),
            "clOrdId": order.client_order_id,
        }
        return params | ({"reduceOnly": True} if order.reduce_only else {})

    def _params(self, order: PricedOrder) -> dict[str, Any]:
        params = self._base(order)
        match order.order_type:
            case OrderType.MARKET:
                params["ordType"] = "market"
            case OrderType.LIMIT:
                at_once = order.time_in_force is TimeInForce.IOC
                params["ordType"] = "ioc" if at_once else "limit"
                params["px"] = plain(order.limit_price or ZERO)
            case OrderType.STOP | OrderType.OCO:
                raise Refused("OKX has no OCO orders here")
            case _:
                assert_never(order.order_type)
        return params

    def _stop(self, order: PricedOrder) -> dict[str, Any]:
        return self._base(order) | {
            "ordType": "conditional",
            "algoClOrdId": order.client_order_id,
            "slTriggerPx": plain(order.stop_price or ZERO),
            "slOrdPx": "-1",
            "slTriggerPxType": "mark",
        }

    async def cancel(self, order: PricedOrder) -> OrderRow | None:
        own, ref = order.client_order_id, order.instrument.ref
        if order.order_type is OrderType.STOP:
            await self._wire.ask(
                "privatePostTradeCancelAlgos",
                [{"instId": ref, "algoClOrdId": own}],
                _CANCEL,
                Lane.CANCELS,
            )
        else:
            asked = {"instId": ref, "clOrdId": own}
            await self._wire.ask("privatePostTradeCancelOrder", asked, _CANCEL, Lane.CANCELS)
        return None
