"""Candles of a symbol: what the REST history answers and what the kline stream says.

A test gives the bars; none are made from quotes.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.errors import Rejected
from tests.fakes.binance_spot.symbols import eight

INTERVALS: dict[str, timedelta] = {
    "1s": timedelta(seconds=1),
    "1m": timedelta(minutes=1),
    "3m": timedelta(minutes=3),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "4h": timedelta(hours=4),
    "6h": timedelta(hours=6),
    "8h": timedelta(hours=8),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A candle that begins at opened_at (aware UTC); closed once its time is over."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = Decimal(0)
    closed: bool = True

    @classmethod
    def flat(cls, opened_at: datetime, price: Decimal, *, closed: bool = True) -> "Bar":
        """A bar of one price."""
        return cls(
            opened_at=opened_at,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=Decimal(1),
            closed=closed,
        )


class Bars:
    """The bars of one symbol and interval, by the time they begin."""

    def __init__(self) -> None:
        self._bars: list[Bar] = []

    def put(self, bar: Bar) -> None:
        """Add a bar, or replace the one that begins at the same time."""
        place = bisect_left(self._bars, bar.opened_at, key=lambda one: one.opened_at)
        same = place < len(self._bars) and self._bars[place].opened_at == bar.opened_at
        self._bars[place : place + same] = [bar]

    def between(self, start_ms: int | None, end_ms: int | None, limit: int) -> list[Bar]:
        """The first bars from a start on, or without a start the last ones."""
        found = [
            bar
            for bar in self._bars
            if (start_ms is None or milliseconds(bar.opened_at) >= start_ms)
            and (end_ms is None or milliseconds(bar.opened_at) <= end_ms)
        ]
        return found[-limit:] if start_ms is None else found[:limit]


class Candles:
    """Bars by symbol and interval."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Bars] = {}

    def of(self, symbol: str, interval: str) -> Bars:
        """The bars of a symbol and interval. Raises Rejected where there is no such interval."""
        interval_of(interval)
        return self._kept.setdefault((symbol, interval), Bars())

    def answer(self, symbol: str, interval: str, params: Mapping[str, Any]) -> list[list[Any]]:
        """What GET klines answers."""
        start, end = params.get("startTime"), params.get("endTime")
        found = self.of(symbol, interval).between(
            None if start is None else int(start),
            None if end is None else int(end),
            min(int(params.get("limit", 500)), 1000),
        )
        return [kline_row(bar, interval) for bar in found]


def milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def interval_of(name: str) -> timedelta:
    """How long a bar of an interval lasts. Raises Rejected."""
    if name not in INTERVALS:
        raise Rejected(-1120, "Invalid interval.")
    return INTERVALS[name]


def kline_row(bar: Bar, interval: str) -> list[Any]:
    """A bar as GET klines answers it."""
    closes = milliseconds(bar.opened_at + interval_of(interval)) - 1
    worth = eight(bar.volume * bar.close)
    return [
        milliseconds(bar.opened_at),
        eight(bar.open),
        eight(bar.high),
        eight(bar.low),
        eight(bar.close),
        eight(bar.volume),
        closes,
        worth,
        1,
        eight(bar.volume / 2),
        eight(bar.volume * bar.close / 2),
        "0",
    ]


def kline_event(symbol: str, bar: Bar, interval: str, now_ms: int) -> dict[str, Any]:
    """A bar as the kline stream says it."""
    row = kline_row(bar, interval)
    return {
        "e": "kline",
        "E": now_ms,
        "s": symbol,
        "k": {
            "t": row[0],
            "T": row[6],
            "s": symbol,
            "i": interval,
            "f": 100,
            "L": 200,
            "o": row[1],
            "c": row[4],
            "h": row[2],
            "l": row[3],
            "v": row[5],
            "n": row[8],
            "x": bar.closed,
            "q": row[7],
            "V": row[9],
            "Q": row[10],
            "B": "0",
        },
    }
