"""What Bybit answers to questions: public data, and the account's orders, executions, positions.

Lists come newest first in pages; nextPageCursor, sent back as `cursor`, asks for the next.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from tests.fakes.bybit.markets import Row, perpetual_row, spot_row
from tests.fakes.bybit.rows import (
    execution_row,
    ms,
    order_row,
    position_row,
    size_word,
    status,
    text,
    ticker_row,
    wallet_row,
)
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import ZERO, Order, Position
from tests.fakes.exchange.wire import VenueError

Params = Mapping[str, Any]


class Reads:
    """Answers to GET requests, by path below /v5/."""

    def __init__(
        self,
        account: Account,
        *,
        closed_sizes: dict[str, Decimal],
        leverage: dict[str, str],
        now_ms: Callable[[], int],
        refuse: Callable[[int, str], VenueError],
    ) -> None:
        self._account, self._closed, self._leverage = account, closed_sizes, leverage
        self._now_ms, self._error = now_ms, refuse

    def answers(self) -> dict[str, Callable[[Params], Row]]:
        """Every question and who answers it."""
        return {
            "market/time": self._time,
            "market/instruments-info": self._instruments,
            "market/tickers": self._tickers,
            "market/orderbook": self._book,
            "user/query-api": lambda asked: _key(),
            "account/info": lambda asked: _info(),
            "account/wallet-balance": lambda asked: {"list": [self.wallet()]},
            "asset/coin/query-info": self._coins,
            "position/list": self._positions,
            "order/realtime": self._realtime,
            "order/history": self._history,
            "execution/list": self._executions,
        }

    def wallet(self) -> Row:
        return wallet_row(self._account, self._leverage)

    # Public

    def _time(self, asked: Params) -> Row:
        now = self._now_ms()
        return {"timeSecond": str(now // 1000), "timeNano": f"{now}000000"}

    def _instruments(self, asked: Params) -> Row:
        markets = [] if asked.get("status") == "PreLaunch" else list(self._account.markets.values())
        rows = {
            "linear": [perpetual_row(market) for market in markets],
            "spot": [spot_row(market) for market in markets],
        }.get(str(asked.get("category")), [])
        if asked.get("symbol"):
            rows = [row for row in rows if row["symbol"] == asked["symbol"]]
        return {"category": asked.get("category"), "list": rows, "nextPageCursor": ""}

    def _tickers(self, asked: Params) -> Row:
        self._symbol(asked)
        rows = [
            ticker_row(name, quote)
            for name, quote in self._account.quotes.items()
            if asked.get("category") == "linear" and asked.get("symbol") in (None, name)
        ]
        return {"category": asked.get("category"), "list": rows}

    def _book(self, asked: Params) -> Row:
        name = self._symbol(asked)
        quote = self._account.quotes.get(name)
        return {
            "a": [[text(quote.ask), size_word(quote.ask_size)]] if quote else [],
            "b": [[text(quote.bid), size_word(quote.bid_size)]] if quote else [],
            "cts": self._now_ms(),
            "s": name,
            "seq": 7961638724,
            "ts": self._now_ms(),
            "u": 18521288,
        }

    def _symbol(self, asked: Params) -> str:
        name = asked.get("symbol")
        if name is not None and name not in self._account.markets:
            raise self._error(10001, "Not supported symbols")
        return str(name or "")

    def _coins(self, asked: Params) -> Row:
        names = ["USDT", *(market.base for market in self._account.markets.values())]
        return {"rows": [_coin(name) for name in names if asked.get("coin") in (None, name)]}

    # The account

    def _positions(self, asked: Params) -> Row:
        if not self._selects(asked):
            return {"category": asked.get("category"), "list": [], "nextPageCursor": ""}
        name = self._symbol(asked)
        found = self._account.held_positions() if not name else [self._position(name)]
        rows = [
            position_row(self._account, one, self._leverage[one.market])
            for one in found
            if asked.get("baseCoin") in (None, self._account.markets[one.market].base)
        ]
        return {"category": "linear", "list": rows, "nextPageCursor": ""}

    def _position(self, name: str) -> Position:
        """With a symbol, a flat position is a row as well."""
        at = self._account.quotes[name].at
        flat = Position(market=name, quantity=ZERO, entry_price=ZERO, opened_at=at, updated_at=at)
        return self._account.positions.get(name, flat)

    def _selects(self, asked: Params) -> bool:
        """Whether anything of a category can be meant; raises where the question is too wide."""
        if asked.get("category") != "linear":
            return False
        if not any(asked.get(name) for name in ("symbol", "settleCoin", "baseCoin")):
            raise self._error(
                10001, "Missing some parameters that must be filled in, symbol or settleCoin"
            )
        return asked.get("settleCoin") in (None, "", "USDT")

    # Orders

    def _realtime(self, asked: Params) -> Row:
        """Open orders; with an id, or openOnly=1, closed ones of late too."""
        named = asked.get("orderId") or asked.get("orderLinkId")
        if not named and not self._selects(asked):
            return {"category": asked.get("category"), "list": [], "nextPageCursor": ""}
        any_state = named or asked.get("openOnly") == "1"
        return self._orders(asked, lambda order: any_state or order.state.live, 20, 50)

    def _history(self, asked: Params) -> Row:
        return self._orders(asked, lambda order: not order.state.live, 20, 50)

    def _orders(self, asked: Params, wanted: Callable[[Order], Any], usual: int, most: int) -> Row:
        self._symbol(asked)
        filters = {"StopOrder": True, "Order": False}
        only = filters.get(str(asked.get("orderFilter")))
        rows = [
            order_row(self._account, order)
            for order in self._account.orders.values()
            if asked.get("category") == "linear"
            and wanted(order)
            and only in (None, order.kind.waits)
            and asked.get("orderStatus") in (None, status(order))
            and _within(asked, ms(order.created_at))
        ]
        fits = ("symbol", "orderLinkId") if not asked.get("orderId") else ("symbol", "orderId")
        return _page(rows, asked, fits, usual, most)

    def _executions(self, asked: Params) -> Row:
        self._symbol(asked)
        rows = [
            execution_row(self._account, fill, self._closed.get(fill.id, ZERO))
            for fill in self._account.fills
            if asked.get("category") == "linear" and _within(asked, ms(fill.at))
        ]
        return _page(rows, asked, ("symbol", "orderId", "orderLinkId", "execType"), 50, 100)


def _within(asked: Params, at: str) -> bool:
    return int(asked.get("startTime") or 0) <= int(at) <= int(asked.get("endTime") or 10**15)


def _page(rows: list[Row], asked: Params, fits: tuple[str, ...], usual: int, most: int) -> Row:
    """The rows a question is about, newest first, and where the next page begins."""
    found = [
        row
        for row in reversed(rows)
        if all(asked.get(name) in (None, "", row[name]) for name in fits)
    ]
    limit = min(int(asked.get("limit") or usual), most)
    _, _, begun = unquote(str(asked.get("cursor") or "")).rpartition(":")
    start = int(begun or 0)
    end = start + limit
    cursor = f"page_token%3A{end}" if end < len(found) else ""
    return {"category": asked.get("category"), "list": found[start:end], "nextPageCursor": cursor}


def _coin(name: str) -> Row:
    chain = {
        "chain": name,
        "chainDeposit": "1",
        "chainType": name,
        "chainWithdraw": "1",
        "confirmation": "10",
        "contractAddress": "",
        "depositMin": "0.001",
        "minAccuracy": "6",
        "safeConfirmNumber": "10",
        "withdrawFee": "1",
        "withdrawMin": "2",
        "withdrawPercentageFee": "0",
    }
    return {"chains": [chain], "coin": name, "name": name, "remainAmount": "1000000"}


def _key() -> Row:
    return {
        "affiliateID": 0,
        "apiKey": "loopback-key",
        "createdAt": "2024-10-16T02:24:40Z",
        "deadlineDay": 83,
        "expiredAt": "2030-05-15T03:21:05Z",
        "id": "13770661",
        "inviterID": 0,
        "ips": ["*"],
        "isMaster": True,
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
        "mktMakerLevel": "0",
        "note": "loopback",
        "parentUid": "0",
        "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": []},
        "readOnly": 0,
        "rsaPublicKey": "",
        "secret": "",
        "type": 1,
        "unified": 0,
        "userID": 24617703,
        "uta": 1,
        "vipLevel": "No VIP",
    }


def _info() -> Row:
    return {
        "dcpStatus": "OFF",
        "isMasterTrader": False,
        "marginMode": "REGULAR_MARGIN",
        "smpGroup": 0,
        "spotHedgingStatus": "OFF",
        "timeWindow": 10,
        "unifiedMarginStatus": 6,
        "updatedTime": "1697078946000",
    }
