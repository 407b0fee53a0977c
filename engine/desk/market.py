"""Quotes, and the price an order may carry.

A quote is what the venue last showed; it is no fact and is not journaled. What a quote does to an
order is: terms() answers with OrderPriced or with the reason no price can be put on it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask, and the last trade; currency per unit of underlying (options: per share).

    None where the venue shows none. Build with `of`, which refuses what is no price.
    """

    bid: float | None
    ask: float | None
    last: float | None
    at: datetime

    @classmethod
    def of(
        cls, *, at: datetime, bid: float | None, ask: float | None, last: float | None = None
    ) -> "Quote":
        """Take a venue's figures as they come: NaN, infinities, zero asks and -1 become None.

        Source: IB API, tickPrice sends -1 where there is no quote.
        """
        return cls(bid=_price(bid), ask=_price(ask), last=_price(last), at=at)

    @property
    def mid(self) -> float | None:
        if self.bid is None or self.ask is None:
            return self.last
        return (self.bid + self.ask) / 2

    @property
    def crossed(self) -> bool:
        return self.bid is not None and self.ask is not None and self.bid > self.ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One closed bar; at is when it opened. Prices in the quote currency, volume in the base."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


Quotes = Mapping[tuple[str, str], Quote]
"""(venue, ref) -> the newest quote."""


def _price(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None
