"""What OKX answers to questions: public data, and the account's orders, fills, bills, positions.

Lists come newest first, at most `limit` rows (100), `after` an id being what is older than it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import Order, State
from tests.fakes.exchange.wire import VenueError
from tests.fakes.okx.bills import kind_of
from tests.fakes.okx.markets import instrument_row
from tests.fakes.okx.rows import (
    Row,
    algo_row,
    fill_row,
    order_row,
    order_state,
    order_type,
    position_row,
)
from tests.fakes.okx.trading import Trading
from tests.fakes.okx.wealth import balance_row, book_row, mark_row, ticker_row

Params = Mapping[str, Any]
Rows = list[Row]


def refusal(code: str, message: str, status: int = 200) -> VenueError:
    """A refusal of a whole request."""
    return VenueError({"code": code, "data": [], "msg": message}, status=status)


class Reads:
    """Answers to GET requests, by path below /api/v5/."""

    def __init__(
        self,
        account: Account,
        trading: Trading,
        *,
        bills: Rows,
        leverage: dict[str, str],
        now_ms: Callable[[], int],
    ) -> None:
        self._account, self._trading = account, trading
        self._bills, self._leverage, self._now_ms = bills, leverage, now_ms

    def answers(self) -> dict[str, Callable[[Params], Rows]]:
        """Every question and who answers it."""
        return {
            "public/time": lambda asked: [{"ts": str(self._now_ms())}],
            "public/instruments": self._instruments,
            "public/mark-price": self._marks,
            "market/ticker": self._ticker,
            "market/tickers": self._tickers,
            "market/books": self._book,
            "system/status": lambda asked: [],
            "asset/currencies": lambda asked: [_currency(name) for name in self._currencies()],
            "asset/balances": lambda asked: [],
            "account/config": lambda asked: [_config()],
            "account/balance": lambda asked: [self.balance()],
            "account/positions": self._positions,
            "account/leverage-info": self._leverages,
            "account/bills": self._some_bills,
            "account/bills-archive": self._some_bills,
            "trade/order": self._order,
            "trade/order-algo": self._algo,
            "trade/orders-pending": self._pending,
            "trade/orders-history": self._history,
            "trade/orders-history-archive": self._history,
            "trade/orders-algo-pending": self._algos_pending,
            "trade/orders-algo-history": self._algos_history,
            "trade/fills": self._fills,
            "trade/fills-history": self._fills,
        }

    def balance(self) -> Row:
        return balance_row(self._account, self._leverage, str(self._now_ms()))

    def positions(self) -> Rows:
        """The rows of the positions that are not flat."""
        return [
            position_row(self._account, position, self._leverage[position.market])
            for position in self._account.held_positions()
        ]

    # Public

    def _instruments(self, asked: Params) -> Rows:
        if not asked.get("instType"):
            raise refusal("50014", "Parameter instType can not be empty.", 400)
        if asked["instType"] != "SWAP":
            return []
        rows = [instrument_row(market) for market in self._account.markets.values()]
        return [row for row in rows if asked.get("instId", row["instId"]) == row["instId"]]

    def _known(self, asked: Params) -> str:
        if asked.get("instId") not in self._account.markets:
            raise refusal("51001", "Instrument ID doesn't exist.")
        return str(asked["instId"])

    def _ticker(self, asked: Params) -> Rows:
        market = self._known(asked)
        return self._tickers({"instType": "SWAP", "instId": market})

    def _tickers(self, asked: Params) -> Rows:
        return [
            ticker_row(self._account.markets[name], quote)
            for name, quote in self._account.quotes.items()
            if asked.get("instType") == "SWAP" and asked.get("instId", name) == name
        ]

    def _book(self, asked: Params) -> Rows:
        market = self._known(asked)
        return [book_row(self._account.quotes[market])] if market in self._account.quotes else []

    def _marks(self, asked: Params) -> Rows:
        return [
            mark_row(self._account.markets[name], quote)
            for name, quote in self._account.quotes.items()
            if asked.get("instType") == "SWAP" and asked.get("instId", name) == name
        ]

    def _currencies(self) -> list[str]:
        return ["USDT", *(market.base for market in self._account.markets.values())]

    # The account

    def _positions(self, asked: Params) -> Rows:
        wanted = str(asked["instId"]).split(",") if asked.get("instId") else None
        return [
            row
            for row in self.positions()
            if asked.get("instType", "SWAP") == "SWAP" and (not wanted or row["instId"] in wanted)
        ]

    def _leverages(self, asked: Params) -> Rows:
        names = str(asked.get("instId", "")).split(",")
        return [
            {
                "ccy": "",
                "instId": name,
                "lever": self._leverage[name],
                "mgnMode": "cross",
                "posSide": "net",
            }
            for name in names
            if name in self._leverage
        ]

    def _some_bills(self, asked: Params) -> Rows:
        return _page(self._bills, asked, id_of="billId", at="ts", fits=("type", "subType", "ccy"))

    # Orders

    def _order(self, asked: Params) -> Rows:
        order = self._trading.find(dict(asked))
        if order is None or order.market != asked.get("instId"):
            raise refusal("51603", "Order does not exist")
        return [order_row(self._account, order)]

    def _algo(self, asked: Params) -> Rows:
        order = self._trading.find_algo(dict(asked))
        if order is None:
            raise refusal("51603", "Order does not exist")
        return [algo_row(self._account, order)]

    def _pending(self, asked: Params) -> Rows:
        return self._orders(asked, lambda order: order.state.live)

    def _history(self, asked: Params) -> Rows:
        if not asked.get("instType"):
            raise refusal("50014", "Parameter instType can not be empty.", 400)
        return self._orders(asked, lambda order: not order.state.live)

    def _orders(self, asked: Params, wanted: Callable[[Order], bool]) -> Rows:
        types = str(asked["ordType"]).split(",") if asked.get("ordType") else None
        rows = [
            order_row(self._account, order)
            for order in self._account.orders.values()
            if not order.kind.waits
            and wanted(order)
            and (types is None or order_type(order) in types)
            and asked.get("state", order_state(order)) == order_state(order)
        ]
        return _page(rows, asked, id_of="ordId", at="cTime", fits=("category",))

    def _algos_pending(self, asked: Params) -> Rows:
        return self._algos(asked, lambda order: order.state is State.WAITING)

    def _algos_history(self, asked: Params) -> Rows:
        if not asked.get("state") and not asked.get("algoId"):
            raise refusal("50015", "Either parameter state or algoId is required", 400)
        return self._algos(asked, lambda order: order.state is not State.WAITING)

    def _algos(self, asked: Params, wanted: Callable[[Order], bool]) -> Rows:
        if not asked.get("ordType"):
            raise refusal("50014", "Parameter ordType can not be empty.", 400)
        types = str(asked["ordType"]).split(",")
        rows = [
            algo_row(self._account, order)
            for order in self._account.orders.values()
            if order.kind.waits and wanted(order) and order.word("ordType") in types
        ]
        return _page(rows, asked, id_of="algoId", at="cTime", fits=("algoId", "state"))

    def _fills(self, asked: Params) -> Rows:
        rows = [
            fill_row(self._account, fill, kind_of(fill).sub_type(fill.side))
            for fill in self._account.fills
            if fill.marker != "block"
        ]
        return _page(rows, asked, id_of="billId", at="ts", fits=("ordId", "subType"))


def _page(
    rows: Iterable[Row], asked: Params, *, id_of: str, at: str, fits: tuple[str, ...]
) -> Rows:
    """The rows a question is about, newest first, and no more than it wants."""
    fits = ("instType", "instId", *fits)
    found = [
        row
        for row in rows
        if all(asked.get(name) in (None, "", row[name]) for name in fits)
        and int(asked.get("begin") or 0) <= int(row[at]) <= int(asked.get("end") or 10**15)
        and int(asked.get("before") or 0) < int(row[id_of]) < int(asked.get("after") or 10**25)
    ]
    found.sort(key=lambda row: int(row[id_of]), reverse=True)
    return found[: min(int(asked.get("limit") or 100), 100)]


def _currency(name: str) -> Row:
    return {
        "canDep": True,
        "canInternal": True,
        "canWd": True,
        "ccy": name,
        "chain": f"{name}-{'TRC20' if name == 'USDT' else name}",
        "fee": "1",
        "mainNet": name != "USDT",
        "maxFee": "2",
        "maxWd": "1000000",
        "minFee": "1",
        "minWd": "2",
        "name": name,
        "wdTickSz": "6",
    }


def _config() -> Row:
    return {
        "acctLv": "2",
        "autoLoan": False,
        "ctIsoMode": "automatic",
        "enableSpotBorrow": False,
        "greeksType": "PA",
        "ip": "",
        "kycLv": "3",
        "label": "loopback",
        "level": "Lv1",
        "levelTmp": "",
        "liquidationGear": "-1",
        "mainUid": "44705892343619584",
        "mgnIsoMode": "automatic",
        "opAuth": "0",
        "perm": "read_only,trade",
        "posMode": "net_mode",
        "roleType": "0",
        "spotOffsetType": "",
        "stgyType": "0",
        "traderInsts": [],
        "type": "0",
        "uid": "44705892343619584",
    }
