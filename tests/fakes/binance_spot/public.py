"""Market data of Binance spot: what its public endpoints answer and its public streams say.

Prices are those a test set; bars those a test gave.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.account import SpotAccount
from tests.fakes.binance_spot.asked import word
from tests.fakes.binance_spot.bars import Candles
from tests.fakes.binance_spot.errors import Rejected, invalid_symbol
from tests.fakes.binance_spot.symbols import eight, exchange_info
from tests.fakes.exchange.records import Market, Quote

_PLENTY = Decimal(1000)
_DAY_MS = 86_400_000


class PublicData:
    """Market data of one account's markets."""

    def __init__(self, account: SpotAccount, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self.candles = Candles()
        self._update_id = 0

    # REST

    def time(self, params: Mapping[str, Any]) -> Any:
        return {"serverTime": self._now_ms()}

    def exchange_info(self, params: Mapping[str, Any]) -> Any:
        symbols = tuple(self._account.symbols.values())
        if params.get("symbol") or params.get("symbols"):
            asked = {market.id for market in self._asked(params)}
            symbols = tuple(one for one in symbols if one.name in asked)
        return exchange_info(symbols, self._now_ms())

    def klines(self, params: Mapping[str, Any]) -> Any:
        market = self._market(params)
        return self.candles.answer(market.id, word(params, "interval"), params)

    def ticker(self, params: Mapping[str, Any]) -> Any:
        return self._each(params, self._ticker)

    def book_ticker(self, params: Mapping[str, Any]) -> Any:
        return self._each(params, self._book_ticker)

    def price(self, params: Mapping[str, Any]) -> Any:
        return self._each(
            params, lambda market, quote: {"symbol": market.id, "price": eight(quote.last)}
        )

    def average_price(self, params: Mapping[str, Any]) -> Any:
        market = self._market(params)
        price = self._account.average(market.id) or Decimal(0)
        return {"mins": 5, "price": eight(price), "closeTime": self._now_ms()}

    def depth(self, params: Mapping[str, Any]) -> Any:
        market = self._market(params)
        quote = self._account.quotes.get(market.id)
        if quote is None:
            return {"lastUpdateId": self._update_id, "bids": [], "asks": []}
        row = self._book_ticker(market, quote)
        return {
            "lastUpdateId": self._update_id,
            "bids": [[row["bidPrice"], row["bidQty"]]],
            "asks": [[row["askPrice"], row["askQty"]]],
        }

    # Streams

    def quote_messages(self, market: Market, quote: Quote) -> Iterable[tuple[str, Any]]:
        """The streams a new price is said on, and what they say."""
        self._update_id += 1
        name = market.id.lower()
        ticker = self._ticker_event(market, quote)
        yield f"{name}@bookTicker", self._book_event(market, quote)
        yield f"{name}@ticker", ticker
        yield f"{name}@miniTicker", _mini(ticker)
        yield "!ticker@arr", [ticker]
        yield "!miniTicker@arr", [_mini(ticker)]

    def first_message(self, stream: str) -> Any:
        """What a stream says to a new subscriber, None where it waits for news."""
        name, _, kind = stream.partition("@")
        quote = self._account.quotes.get(name.upper())
        if quote is None or kind not in ("bookTicker", "ticker", "miniTicker"):
            return None
        return dict(self.quote_messages(self._account.markets[name.upper()], quote))[stream]

    # Inside

    def _market(self, params: Mapping[str, Any]) -> Market:
        name = word(params, "symbol")
        if name not in self._account.markets:
            raise invalid_symbol()
        return self._account.markets[name]

    def _asked(self, params: Mapping[str, Any]) -> list[Market]:
        if params.get("symbol"):
            return [self._market(params)]
        if not params.get("symbols"):
            return list(self._account.markets.values())
        try:
            names = json.loads(str(params["symbols"]))
        except json.JSONDecodeError:
            raise Rejected(-1100, "Illegal characters found in parameter 'symbols'.") from None
        return [self._market({"symbol": name}) for name in names]

    def _each(self, params: Mapping[str, Any], row: Callable[[Market, Quote], Any]) -> Any:
        quotes = self._account.quotes
        rows = [row(one, quotes[one.id]) for one in self._asked(params) if one.id in quotes]
        if params.get("symbol"):
            if not rows:
                raise Rejected(-1112, "No orders on book for symbol.")
            return rows[0]
        return rows

    def _book_ticker(self, market: Market, quote: Quote) -> dict[str, Any]:
        bid_size = _PLENTY if quote.bid_size is None else quote.bid_size
        ask_size = _PLENTY if quote.ask_size is None else quote.ask_size
        return {
            "symbol": market.id,
            "bidPrice": eight(quote.bid),
            "bidQty": eight(bid_size),
            "askPrice": eight(quote.ask),
            "askQty": eight(ask_size),
        }

    def _ticker(self, market: Market, quote: Quote) -> dict[str, Any]:
        last = eight(quote.last)
        now = self._now_ms()
        return {
            "symbol": market.id,
            "priceChange": eight(0),
            "priceChangePercent": "0.000",
            "weightedAvgPrice": last,
            "prevClosePrice": last,
            "lastPrice": last,
            "lastQty": eight(1),
            **{
                key: value
                for key, value in self._book_ticker(market, quote).items()
                if key != "symbol"
            },
            "openPrice": last,
            "highPrice": last,
            "lowPrice": last,
            "volume": eight(_PLENTY),
            "quoteVolume": eight(_PLENTY * quote.last),
            "openTime": now - _DAY_MS,
            "closeTime": now,
            "firstId": 1,
            "lastId": 2,
            "count": 2,
        }

    def _book_event(self, market: Market, quote: Quote) -> dict[str, Any]:
        row = self._book_ticker(market, quote)
        return {
            "u": self._update_id,
            "s": market.id,
            "b": row["bidPrice"],
            "B": row["bidQty"],
            "a": row["askPrice"],
            "A": row["askQty"],
        }

    def _ticker_event(self, market: Market, quote: Quote) -> dict[str, Any]:
        row = self._ticker(market, quote)
        return {
            "e": "24hrTicker",
            "E": self._now_ms(),
            "s": market.id,
            "p": row["priceChange"],
            "P": row["priceChangePercent"],
            "w": row["weightedAvgPrice"],
            "x": row["prevClosePrice"],
            "c": row["lastPrice"],
            "Q": row["lastQty"],
            "b": row["bidPrice"],
            "B": row["bidQty"],
            "a": row["askPrice"],
            "A": row["askQty"],
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
