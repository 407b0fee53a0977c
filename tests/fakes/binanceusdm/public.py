"""Market data of Binance USD-M: what its public endpoints answer and its public streams say."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.asked import word
from tests.fakes.binance_spot.bars import Candles
from tests.fakes.binance_spot.errors import invalid_symbol
from tests.fakes.binance_spot.venue import Params
from tests.fakes.binanceusdm.account import UsdmAccount
from tests.fakes.binanceusdm.rows import eight
from tests.fakes.binanceusdm.symbols import exchange_info
from tests.fakes.exchange.records import Quote

_PLENTY = Decimal(1000)
_DAY_MS = 86_400_000
_FUNDING_MS = 28_800_000
_SEEN_AT_ONCE = ("bookTicker", "ticker", "miniTicker", "markPrice", "markPrice@1s")


class PublicData:
    """Market data of one account's markets."""

    def __init__(self, account: UsdmAccount, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self.candles = Candles()
        self._update_id = 0

    # REST

    def time(self, params: Params) -> Any:
        return {"serverTime": self._now_ms()}

    def exchange_info(self, params: Params) -> Any:
        return exchange_info(tuple(self._account.listed.values()), self._now_ms())

    def klines(self, params: Params) -> Any:
        return self.candles.answer(self._symbol(params), word(params, "interval"), params)

    def ticker(self, params: Params) -> Any:
        return self._each(params, self._ticker)

    def book_ticker(self, params: Params) -> Any:
        return self._each(params, self._book_ticker)

    def price(self, params: Params) -> Any:
        def row(name: str, quote: Quote) -> Any:
            price = self._account.listed[name].price(quote.last)
            return {"symbol": name, "price": price, "time": self._now_ms()}

        return self._each(params, row)

    def premium_index(self, params: Params) -> Any:
        def row(name: str, quote: Quote) -> Any:
            event = self._mark_event(name, quote)
            return {
                "symbol": name,
                "markPrice": event["p"],
                "indexPrice": event["i"],
                "estimatedSettlePrice": event["P"],
                "lastFundingRate": event["r"],
                "interestRate": "0.00010000",
                "nextFundingTime": event["T"],
                "time": event["E"],
            }

        return self._each(params, row)

    def depth(self, params: Params) -> Any:
        row = self._each({"symbol": self._symbol(params)}, self._book_ticker)
        now = self._now_ms()
        return {
            "lastUpdateId": self._update_id,
            "E": now,
            "T": now,
            "bids": [[row["bidPrice"], row["bidQty"]]] if row else [],
            "asks": [[row["askPrice"], row["askQty"]]] if row else [],
        }

    # Streams

    def quote_messages(self, name: str, quote: Quote) -> Iterable[tuple[str, Any]]:
        """The streams a new price is said on, and what they say."""
        self._update_id += 1
        stream, ticker = name.lower(), self._ticker_event(name, quote)
        mark, book = self._mark_event(name, quote), self._book_event(name, quote)
        yield f"{stream}@bookTicker", book
        yield "!bookTicker", book
        yield f"{stream}@ticker", ticker
        yield f"{stream}@miniTicker", _mini(ticker)
        yield f"{stream}@markPrice", mark
        yield f"{stream}@markPrice@1s", mark
        yield "!ticker@arr", [ticker]
        yield "!miniTicker@arr", [_mini(ticker)]
        yield "!markPrice@arr@1s", [mark]

    def first_message(self, stream: str) -> Any:
        """What a stream says to a new subscriber, None where it waits for news."""
        name, _, kind = stream.partition("@")
        quote = self._account.quotes.get(name.upper())
        if quote is None or kind not in _SEEN_AT_ONCE:
            return None
        return dict(self.quote_messages(name.upper(), quote))[stream]

    # Inside

    def _symbol(self, params: Params) -> str:
        name = word(params, "symbol")
        if name not in self._account.listed:
            raise invalid_symbol()
        return name

    def _each(self, params: Params, row: Callable[[str, Quote], Any]) -> Any:
        quotes = self._account.quotes
        if params.get("symbol"):
            name = self._symbol(params)
            return row(name, quotes[name]) if name in quotes else {}
        return [row(name, quotes[name]) for name in self._account.listed if name in quotes]

    def _book_ticker(self, name: str, quote: Quote) -> dict[str, Any]:
        listed = self._account.listed[name]
        bid_size = _PLENTY if quote.bid_size is None else quote.bid_size
        ask_size = _PLENTY if quote.ask_size is None else quote.ask_size
        return {
            "symbol": name,
            "bidPrice": listed.price(quote.bid),
            "bidQty": listed.quantity(bid_size),
            "askPrice": listed.price(quote.ask),
            "askQty": listed.quantity(ask_size),
            "time": self._now_ms(),
            "lastUpdateId": self._update_id,
        }

    def _ticker(self, name: str, quote: Quote) -> dict[str, Any]:
        last, now = self._account.listed[name].price(quote.last), self._now_ms()
        return {
            "symbol": name,
            "priceChange": "0",
            "priceChangePercent": "0.000",
            "weightedAvgPrice": last,
            "lastPrice": last,
            "lastQty": "1",
            "openPrice": last,
            "highPrice": last,
            "lowPrice": last,
            "volume": str(_PLENTY),
            "quoteVolume": eight(_PLENTY * quote.last),
            "openTime": now - _DAY_MS,
            "closeTime": now,
            "firstId": 1,
            "lastId": 2,
            "count": 2,
        }

    def _book_event(self, name: str, quote: Quote) -> dict[str, Any]:
        row, now = self._book_ticker(name, quote), self._now_ms()
        return {
            "e": "bookTicker",
            "u": self._update_id,
            "E": now,
            "T": now,
            "s": name,
            "b": row["bidPrice"],
            "B": row["bidQty"],
            "a": row["askPrice"],
            "A": row["askQty"],
        }

    def _mark_event(self, name: str, quote: Quote) -> dict[str, Any]:
        now = self._now_ms()
        return {
            "e": "markPriceUpdate",
            "E": now,
            "s": name,
            "p": eight(quote.mark),
            "i": eight(quote.index),
            "P": eight(quote.mark),
            "r": "0.00010000",
            "T": now // _FUNDING_MS * _FUNDING_MS + _FUNDING_MS,
        }

    def _ticker_event(self, name: str, quote: Quote) -> dict[str, Any]:
        row = self._ticker(name, quote)
        return {
            "e": "24hrTicker",
            "E": self._now_ms(),
            "s": name,
            "p": row["priceChange"],
            "P": row["priceChangePercent"],
            "w": row["weightedAvgPrice"],
            "c": row["lastPrice"],
            "Q": row["lastQty"],
            "o": row["openPrice"],
            "h": row["highPrice"],
            "l": row["lowPrice"],
            "v": row["volume"],
            "q": row["quoteVolume"],
            "O": row["openTime"],
            "C": row["closeTime"],
            "F": row["firstId"],
            "L": row["lastId"],
            "n": row["count"],
        }


def _mini(ticker: dict[str, Any]) -> dict[str, Any]:
    kept = {key: ticker[key] for key in ("E", "s", "c", "o", "h", "l", "v", "q")}
    return {"e": "24hrMiniTicker", **kept}
