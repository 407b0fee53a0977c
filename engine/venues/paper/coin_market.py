"""A synthetic market in coins: a random walk that now and then jumps, a spread, a thin book.

Pure and seeded: it moves in whole steps, so the same seed and the same time give the same path,
however that time is cut into ticks. Nothing here reads a clock.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from random import Random

from engine.desk.facts import Side
from engine.desk.market import Quote
from engine.venues.paper.coins import Coin, Listing
from engine.venues.paper.matching import Level

STEP_SECONDS = 0.25
_MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinMarketSettings:
    """How the market behaves; prices and sizes are fractions of the price.

    jumps_per_minute: how often one coin jumps, up as often as down, by jump_from to jump_to. pull:
    how much of the way back to its starting price it goes a minute. displayed: worth of the best
    level in quote currency, about; each of the levels behind shows twice the one before it and is
    a spread worse.
    """

    jumps_per_minute: float = 0.8
    jump_from: float = 0.010
    jump_to: float = 0.020
    pull: float = 0.02
    spread: float = 0.0002
    displayed: float = 1_500.0
    levels: int = 4


class _Path:
    """One coin on its way. shown: how much of the usual size its levels show now."""

    def __init__(self, coin: Coin, seed: int) -> None:
        self.coin = coin
        self.price = coin.price
        self.random = Random(f"{seed}/{coin.name}")
        self.shown = 1.0

    def step(self, settings: CoinMarketSettings) -> None:
        minutes = STEP_SECONDS / _MINUTE_SECONDS
        draw = self.random
        move = self.coin.volatility * math.sqrt(minutes) * draw.gauss(0.0, 1.0)
        if draw.random() < settings.jumps_per_minute * minutes:
            jump = draw.uniform(settings.jump_from, settings.jump_to)
            move += jump if draw.random() < 0.5 else -jump
        away = math.log(self.price / self.coin.price)
        self.price *= math.exp(move - settings.pull * minutes * away)
        self.shown = draw.uniform(0.5, 1.5)


class CoinMarket:
    """The paths of coins, each its own: what else is traded changes nothing."""

    def __init__(
        self,
        coins: Iterable[Coin],
        *,
        seed: int = 1,
        settings: CoinMarketSettings | None = None,
    ) -> None:
        self.settings = settings or CoinMarketSettings()
        self._paths = {coin.name: _Path(coin, seed) for coin in coins}
        self._waiting = 0.0

    def advance(self, seconds: float) -> None:
        """Let the market trade for so many seconds; less than a step waits for the next call."""
        self._waiting += seconds
        while self._waiting >= STEP_SECONDS:
            self._waiting -= STEP_SECONDS
            for path in self._paths.values():
                path.step(self.settings)

    def price(self, coin: Coin) -> float:
        return self._paths[coin.name].price

    def move(self, coin: Coin, price: float) -> None:
        """Put a price somewhere; it walks on from there."""
        self._paths[coin.name].price = price

    def quote(self, listing: Listing, at: datetime) -> Quote:
        bid, ask = self._touch(listing, Side.SELL), self._touch(listing, Side.BUY)
        last = _on_tick(self.price(listing.coin), listing.coin.tick, ROUND_HALF_EVEN)
        return Quote.of(at=at, bid=float(bid), ask=float(ask), last=float(last))

    def levels(self, listing: Listing, side: Side) -> tuple[Level, ...]:
        """Give what an order on this side can take now, the best price first."""
        path, step = self._paths[listing.coin.name], listing.spec.quantity_step
        touch = self._touch(listing, side)
        tick = listing.coin.tick
        apart = _on_tick(max(tick, self._away(listing) * 2), tick, ROUND_CEILING)
        best = Decimal(self.settings.displayed * path.shown / path.price)
        return tuple(
            Level(
                price=max(tick, touch + side.sign * apart * number),
                size=max(step, (best * 2**number / step).to_integral_value(ROUND_FLOOR) * step),
            )
            for number in range(self.settings.levels)
        )

    def _touch(self, listing: Listing, side: Side) -> Decimal:
        middle = Decimal(self.price(listing.coin))
        tick = listing.coin.tick
        if side is Side.SELL:
            return max(tick, _on_tick(middle - self._away(listing), tick, ROUND_FLOOR))
        return _on_tick(middle + self._away(listing), tick, ROUND_CEILING)

    def _away(self, listing: Listing) -> Decimal:
        """Give half the spread."""
        return Decimal(self.price(listing.coin) * self.settings.spread / 2)


def _on_tick(price: float | Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (Decimal(price) / tick).to_integral_value(rounding) * tick
