"""Bybit in its own words: USDT, USDC and inverse perpetuals of a unified account in one-way mode.

Forced events come as executions of their own types. Source: Bybit API v5.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, assert_never

from engine.desk.facts import (
    BalanceReported,
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderRow,
    OrderType,
    PositionRow,
    Side,
    TimeInForce,
)
from engine.desk.instruments import Perpetual
from engine.desk.market import Bar
from engine.venues.crypto import words
from engine.venues.crypto.faults import Duplicate, Missing, Refused, Unanswered
from engine.venues.crypto.limiter import Budget, Cost, Lane
from engine.venues.crypto.markets import ZERO, Market, Markets, exact, number, perpetuals_of, plain
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

_ORDER: Cost = {"orders": 1, "requests": 1}
_CANCEL: Cost = {"cancels": 1, "requests": 1}
_READ: Cost = {"requests": 1}
_BOOK = "orderbook.1."
_PRIVATE = ("execution", "position", "order")
# Where positions are asked for: a category, and the coin they settle in where it must be said.
_WHERE: tuple[dict[str, str], ...] = (
    {"category": "linear", "settleCoin": "USDT"},
    {"category": "linear", "settleCoin": "USDC"},
    {"category": "inverse"},
)
_CATEGORIES = ("linear", "inverse")
_MOST_PAGES = 10

_TYPES = {
    "AdlTrade": ExecutionOrigin.ADL,
    "BustTrade": ExecutionOrigin.LIQUIDATION,
    "Settle": ExecutionOrigin.SETTLEMENT,
    "Delivery": ExecutionOrigin.SETTLEMENT,
    "BlockTrade": ExecutionOrigin.HAND,
    "MovePosition": ExecutionOrigin.HAND,
}
# A liquidation that is traded in the book is told by who made its order.
_MAKERS = {
    "CreateByLiq": ExecutionOrigin.LIQUIDATION,
    "CreateByTakeOver_PassThrough": ExecutionOrigin.LIQUIDATION,
    "CreateByAdl_PassThrough": ExecutionOrigin.ADL,
    "CreateBySettle": ExecutionOrigin.SETTLEMENT,
}
# What moves no position: payments, told as executions all the same.
_PAYMENTS = ("Funding", "SessionSettlePnL")
_REPORTS = {
    "New": OrderReport.WORKING,
    "PartiallyFilled": OrderReport.WORKING,
    "Untriggered": OrderReport.WORKING,
    "Triggered": OrderReport.WORKING,
    "Filled": OrderReport.FILLED,
    "Cancelled": OrderReport.CANCELLED,
    "PartiallyFilledCanceled": OrderReport.CANCELLED,
    "Deactivated": OrderReport.CANCELLED,
    "Rejected": OrderReport.REJECTED,
}
_REASONS = {
    "EC_NoImmediateQtyToFill": "nothing more could be executed at once",
    "CancelByReduceOnly": "nothing was left to reduce",
    "CancelAllBeforeLiq": "cancelled before a liquidation",
}


class Bybit:
    """Keeps engine.venues.crypto.translator.Translator."""

    budgets: ClassVar[Mapping[str, Budget]] = {
        "orders": Budget(capacity=10, window_seconds=1.0),
        "cancels": Budget(capacity=10, window_seconds=1.0, reserved=False),
        "requests": Budget(capacity=400, window_seconds=5.0),
    }
    options: ClassVar[Mapping[str, Any]] = {
        "adjustForTimeDifference": True,
        "defaultType": "swap",
        "fetchMarkets": {"types": ["linear", "inverse"]},
        "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
    }
    verdicts: ClassVar[Mapping[str, type[Refused | Unanswered]]] = {
        "(110072)": Duplicate,
        "(110001)": Missing,
    }
    channels: ClassVar[frozenset[str]] = frozenset(("1", "2", "3"))
    assigns: ClassVar[bool] = False
    # A request is refused once it is older than its receive window of 5 seconds.
    absence_seconds: ClassVar[float] = 6.0

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._account = around.settings.account
        self._wire = around.wire
        self._own = around.own
        self._acknowledged = 0
        self._touches: dict[str, tuple[float | None, float | None]] = {}

    def markets(self) -> Markets:
        return perpetuals_of(self._wire.exchange.markets.values())

    # Streams

    def streams(self) -> Sequence[Stream]:
        exchange = self._wire.exchange
        return (exchange.watch_my_trades, exchange.watch_positions, exchange.watch_orders)

    def opened(self, url: str) -> Iterable[News]:
        return ()

    def quote_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        """Linear and inverse markets speak on sockets of their own."""
        symbols: dict[bool, list[str]] = {}
        for market in markets:
            symbols.setdefault(_is_inverse(market), []).append(market.symbol)
        return [partial(self._wire.exchange.watch_bids_asks, it) for it in symbols.values()]

    def bar_streams(self, markets: Sequence[Market]) -> Sequence[Stream]:
        return ()

    def touch(self, message: Any) -> Touch | None:
        """Read the best prices; a message tells only of the side that changed."""
        topic = message.get("topic", "")
        if not topic.startswith(_BOOK):
            return None
        data = message["data"]
        ref = data["s"]
        bid, ask = self._touches.get(ref, (None, None))
        bid, ask = _best(data["b"], bid), _best(data["a"], ask)
        self._touches[ref] = bid, ask
        return ref, bid, ask, None

    def hear(self, message: Any) -> Iterable[News]:
        if message.get("op") == "subscribe" and message.get("success"):
            # Private topics are subscribed to before any other; acknowledgements name no topic.
            self._acknowledged += 1
            yield Subscribed(channel=str(self._acknowledged))
        match message.get("topic"):
            case "execution":
                yield from self._executions(message["data"])
            case "position":
                for row in self._ours(message["data"]):
                    if str(row.get("positionIdx", 0)) != "0":
                        yield Unclear(reason="one side of a hedged position changed")
                    else:
                        yield self._position(row, price="entryPrice")
            case "order":
                for row in self._ours(message["data"]):
                    order = self._order(row)
                    if order is not None:
                        yield order

    def _ours(self, listed: Iterable[Row]) -> Iterator[Row]:
        """Leave out spot and options, which share these topics, and dated futures."""
        for row in listed:
            of_kind = row.get("category", "linear") in _CATEGORIES
            if of_kind and self._around.markets.knows(row["symbol"]):
                yield row

    def _executions(self, listed: Iterable[Row]) -> Iterator[Execution]:
        for row in self._ours(listed):
            if row["execType"] not in _PAYMENTS:
                yield self._execution(row)

    def _execution(self, row: Row) -> Execution:
        market = self._around.markets.of(row["symbol"])
        own = self._own.own_id(row.get("orderLinkId"), row.get("orderId"))
        forced = _TYPES.get(row["execType"]) or _MAKERS.get(row.get("createType", ""))
        return Execution(
            execution_id=row["execId"],
            account=self._account,
            instrument=market.instrument,
            side=Side(row["side"].upper()),
            quantity=market.desk_quantity(exact(row["execQty"])),
            price=exact(row["execPrice"]),
            at=instant(row["execTime"]),
            origin=forced or (ExecutionOrigin.OURS if own else ExecutionOrigin.HAND),
            client_order_id=own,
            fee=number(row.get("execFee")) or ZERO,
            fee_currency=row.get("feeCurrency") or _settles_in(market),
        )

    def _position(self, row: Row, *, price: str) -> PositionRow:
        market = self._around.markets.of(row["symbol"])
        size = market.desk_quantity(number(row["size"]) or ZERO)
        return PositionRow(
            account=self._account,
            instrument=market.instrument,
            quantity=-size if row["side"] == "Sell" else size,
            average_cost=number(row.get(price)) or None,
        )

    def _order(self, row: Row) -> OrderRow | None:
        own = self._own.own_id(row.get("orderLinkId"), row["orderId"])
        report = _REPORTS.get(row["orderStatus"])
        if own is None or report is None:
            return None
        market = self._around.markets.of(row["symbol"])
        reject, cancel = row.get("rejectReason", ""), row.get("cancelType", "")
        reason = "" if report is OrderReport.WORKING else _REASONS.get(reject, "")
        return self._own.told(
            own,
            report,
            filled=market.desk_quantity(number(row.get("cumExecQty")) or ZERO),
            reason=reason or _REASONS.get(cancel, ""),
        )

    # Asking

    async def server_time(self) -> datetime:
        answer = await self._wire.ask("publicGetV5MarketTime", {}, _READ)
        return instant(int(answer["result"]["timeNano"]) // 1_000_000)

    async def may_trade(self) -> tuple[bool | None, str]:
        answer = await self._wire.ask("privateGetV5UserQueryApi", {}, _READ)
        key = answer["result"]
        rights = key.get("permissions", {}).get("ContractTrade", ())
        if str(key.get("readOnly")) == "1" or "Order" not in rights:
            return False, "the API key has no permission to trade contracts"
        held = [row async for row in self._rows("privateGetV5PositionList", _WHERE)]
        if any(str(row.get("positionIdx", 0)) != "0" for row in held):
            return False, words.HEDGED
        return True, ""

    async def positions(self) -> Sequence[PositionRow]:
        found: dict[str, PositionRow] = {}
        async for row in self._rows("privateGetV5PositionList", _WHERE):
            position = self._position(row, price="avgPrice")
            before = found.get(position.instrument.ref)
            # In hedge mode, in which nothing is traded here, both sides are one position.
            found[position.instrument.ref] = position if before is None else net(before, position)
        return tuple(found.values())

    async def balances(self) -> Sequence[BalanceReported]:
        return ()

    async def open_orders(self) -> Sequence[OrderRow]:
        where = [it | {"openOnly": "0"} for it in _WHERE]
        found = [self._order(row) async for row in self._rows("privateGetV5OrderRealtime", where)]
        return [row for row in found if row is not None]

    async def executions(self) -> Sequence[Execution]:
        """Ask for the newest page of all types; ccxt's own question is for trades only."""
        found: list[Execution] = []
        for category in _CATEGORIES:
            asked = {"category": category, "limit": 100}
            answer = await self._wire.ask("privateGetV5ExecutionList", asked, _READ)
            found += self._executions(answer["result"]["list"])
        return found

    async def lookup(self, order: PricedOrder) -> Found:
        category = self._category(order)
        asked = {"category": category, "orderLinkId": order.client_order_id}
        for endpoint in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
            answer = await self._wire.ask(endpoint, asked, _READ)
            for row in answer["result"]["list"]:
                seen = self._order(row)
                if seen is not None and seen.filled:
                    done = await self._wire.ask("privateGetV5ExecutionList", asked, _READ)
                    return seen, tuple(self._executions(done["result"]["list"]))
                if seen is not None:
                    return seen, ()
        return None, ()

    async def _rows(
        self, endpoint: str, questions: Iterable[Mapping[str, str]]
    ) -> AsyncIterator[Row]:
        """Ask page by page."""
        for question in questions:
            cursor = ""
            for _ in range(_MOST_PAGES):
                asked = {**question, "limit": 50} | ({"cursor": cursor} if cursor else {})
                result = (await self._wire.ask(endpoint, asked, _READ))["result"]
                for row in self._ours(result["list"]):
                    yield row
                cursor = result.get("nextPageCursor") or ""
                if not cursor:
                    break
            else:
                raise Unanswered("the answer has too many pages")

    async def touches(self, markets: Sequence[Market]) -> Sequence[Touch]:
        wanted = {market.ref for market in markets}
        found: list[Touch] = []
        for category in {"inverse" if _is_inverse(it) else "linear" for it in markets}:
            answer = await self._wire.ask("publicGetV5MarketTickers", {"category": category}, _READ)
            for row in answer["result"]["list"]:
                if row["symbol"] in wanted:
                    prices = (row.get(key) for key in ("bid1Price", "ask1Price", "lastPrice"))
                    bid, ask, last = (float(it) if it else None for it in prices)
                    found.append((row["symbol"], bid, ask, last))
        return found

    async def history(self, market: Market) -> Sequence[Bar]:
        return ()

    # Orders

    async def send(
        self, order: PricedOrder, lane: Lane, leaving: Callable[[], None]
    ) -> OrderRow | None:
        params = self._params(order)
        answer = await self._wire.ask("privatePostV5OrderCreate", params, _ORDER, lane, leaving)
        venue_id = answer["result"]["orderId"]
        # The answer says that it was taken; what becomes of it is told by the stream.
        return self._own.told(order.client_order_id, OrderReport.WORKING, venue_order_id=venue_id)

    def _params(self, order: PricedOrder) -> dict[str, Any]:
        market = self._around.markets.of(order.instrument.ref)
        params: dict[str, Any] = {
            "category": self._category(order),
            "symbol": market.ref,
            "side": order.side.value.capitalize(),
            "qty": plain(market.venue_units(order.quantity)),
            "orderLinkId": order.client_order_id,
            "positionIdx": 0,
        }
        if order.reduce_only:
            params["reduceOnly"] = True
        match order.order_type:
            case OrderType.MARKET:
                params["orderType"] = "Market"
            case OrderType.LIMIT:
                lasts = "IOC" if order.time_in_force is TimeInForce.IOC else "GTC"
                params |= {"orderType": "Limit", "timeInForce": lasts}
                params["price"] = plain(order.limit_price or ZERO)
            case OrderType.STOP:
                params |= {"orderType": "Market", "triggerBy": "MarkPrice"}
                params["triggerPrice"] = plain(order.stop_price or ZERO)
                params["triggerDirection"] = 1 if order.side is Side.BUY else 2
            case OrderType.OCO:
                raise Refused("Bybit has no OCO orders on perpetuals")
            case _:
                assert_never(order.order_type)
        return params

    async def cancel(self, order: PricedOrder) -> OrderRow | None:
        params = {
            "category": self._category(order),
            "symbol": order.instrument.ref,
            "orderLinkId": order.client_order_id,
        }
        await self._wire.ask("privatePostV5OrderCancel", params, _CANCEL, Lane.CANCELS)
        return None

    def _category(self, order: PricedOrder) -> str:
        market = self._around.markets.of(order.instrument.ref)
        return "inverse" if _is_inverse(market) else "linear"


def _is_inverse(market: Market) -> bool:
    return isinstance(market.instrument, Perpetual) and market.instrument.inverse


def _settles_in(market: Market) -> str:
    return market.instrument.base if _is_inverse(market) else market.instrument.quote


def _best(levels: Sequence[Sequence[str]], before: float | None) -> float | None:
    """Give the price of a one-level book after a change: levels of size 0 went."""
    if not levels:
        return before
    return next((float(price) for price, size in levels if Decimal(size)), None)
