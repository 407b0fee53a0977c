"""A synthetic market: prices that move, options that are worth what the model says, a spread.

Pure and seeded: the same seed and the same steps give the same path, and nothing here reads a
clock. Prices are currency per unit of the underlying (options: per share) and always on a tick.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from engine.desk.instruments import Instrument, OptionContract, PriceStep, Right
from engine.desk.market import Quote

NEW_YORK = ZoneInfo("America/New_York")
_EXPIRES_AT = time(16, 0)
_YEAR_SECONDS = 365 * 86_400.0
_MINUTES_A_DAY = 1_440.0
_VOLATILITY_CAP = 2.0
_UNKNOWN_SPOT = 100.0

STOCK_STEPS = (PriceStep(from_price=Decimal(0), increment=Decimal("0.01")),)
OPTION_STEPS = (
    PriceStep(from_price=Decimal(0), increment=Decimal("0.01")),
    PriceStep(from_price=Decimal(3), increment=Decimal("0.05")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlying:
    """spot is where the price starts and what it is drawn back to; volatility is a year's."""

    symbol: str
    spot: float
    volatility: float = 0.20
    cash_settled: bool = False


FAMILIAR = {
    it.symbol: it
    for it in (
        Underlying(symbol="SPY", spot=450.0, volatility=0.16),
        Underlying(symbol="QQQ", spot=380.0, volatility=0.21),
        Underlying(symbol="IWM", spot=190.0, volatility=0.22),
        Underlying(symbol="SPX", spot=4500.0, volatility=0.16, cash_settled=True),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettings:
    """How the market behaves.

    pace: market seconds of price movement a second, so that a demo is lively. days_per_minute: how
    fast options lose time, by default as fast as the calendar. mean_reversion: pull to the starting
    price, a year. skew and curvature: the smile, see `smile`. The carry stays at zero by default:
    dividends about pay the rate, and so no option is worth less than what exercising it pays.
    """

    pace: float = 60.0
    days_per_minute: float = 1 / _MINUTES_A_DAY
    mean_reversion: float = 20.0
    rate: float = 0.0
    skew: float = -0.8
    curvature: float = 6.0
    displayed_units: Decimal = Decimal(500)
    displayed_contracts: Decimal = Decimal(10)


def black_scholes(
    *, right: Right, spot: float, strike: float, years: float, volatility: float, rate: float = 0.0
) -> float:
    """Value a European option without dividends; past its time, what exercising it pays."""
    discounted = strike * math.exp(-rate * max(years, 0.0))
    sign = 1.0 if right is Right.CALL else -1.0
    deviation = volatility * math.sqrt(max(years, 0.0))
    if deviation <= 0:
        return max(sign * (spot - discounted), 0.0)
    d1 = math.log(spot / discounted) / deviation + deviation / 2
    d2 = d1 - deviation
    return max(sign * (spot * _normal(sign * d1) - discounted * _normal(sign * d2)), 0.0)


def smile(volatility: float, log_moneyness: float, *, skew: float, curvature: float) -> float:
    """Give the implied volatility at ln(strike / forward): a parabola, capped in the far wings.

    It stays positive as long as skew squared is below four times curvature.
    """
    bend = 1 + skew * log_moneyness + curvature * log_moneyness**2
    return min(volatility * bend, _VOLATILITY_CAP)


def option_spread(price: float, log_moneyness: float) -> float:
    """Give the width between bid and ask before rounding: wider when dear, wider off the money."""
    return (0.02 + 0.012 * price) * (1 + 5 * abs(log_moneyness))


def expires_at(contract: OptionContract) -> datetime:
    """Give the instant the contract stops trading: the New York close of its last day."""
    return datetime.combine(contract.expiry, _EXPIRES_AT, NEW_YORK).astimezone(UTC)


@dataclass(slots=True)
class _Path:
    """One underlying on its way."""

    underlying: Underlying
    spot: float
    steps: int = 0


@dataclass(slots=True)
class SyntheticMarket:
    """Underlyings on a mean-reverting geometric Brownian path, and the options on them."""

    seed: int = 1
    settings: MarketSettings = field(default_factory=MarketSettings)
    _paths: dict[str, _Path] = field(default_factory=dict)  # symbol -> path
    _ahead_seconds: float = 0.0  # how far options have aged beyond the calendar

    def learn(self, instruments: Iterable[Instrument]) -> None:
        """Make a market in what these are written on, where there is none yet.

        An unfamiliar underlying starts in the middle of the strikes that are asked about.
        """
        strikes: dict[str, list[float]] = {}
        for instrument in instruments:
            found = strikes.setdefault(instrument.underlying, [])
            if isinstance(instrument, OptionContract):
                found.append(float(instrument.strike))
        for symbol, known in strikes.items():
            middle = sum(known) / len(known) if known else _UNKNOWN_SPOT
            self.add(FAMILIAR.get(symbol) or Underlying(symbol=symbol, spot=middle))

    def add(self, underlying: Underlying) -> None:
        """Make a market in this, unless there is one."""
        self._paths.setdefault(underlying.symbol, _Path(underlying, underlying.spot))

    def advance(self, seconds: float) -> None:
        """Let the market trade for so many seconds of the venue's time."""
        aging = self.settings.days_per_minute * _MINUTES_A_DAY
        self._ahead_seconds += seconds * (aging - 1)
        years = seconds * self.settings.pace / _YEAR_SECONDS
        for path in self._paths.values():
            self._step(path, years)

    def spot(self, symbol: str) -> float:
        return self._paths[symbol].spot

    def underlying(self, symbol: str) -> Underlying:
        return self._paths[symbol].underlying

    def move(self, symbol: str, spot: float) -> None:
        """Put the price of an underlying somewhere, as a gap overnight would."""
        self._paths[symbol].spot = spot

    def quote(self, instrument: Instrument, at: datetime) -> Quote:
        """Show bid, ask and last; learns what it does not know yet."""
        self.learn((instrument,))
        spot = self.spot(instrument.underlying)
        if not isinstance(instrument, OptionContract):
            width = max(0.01, spot * 3e-5)
            return _on_ticks(spot, width, wide_from=math.inf, at=at)
        price, distance = self._value(instrument, spot, at)
        return _on_ticks(price, option_spread(price, distance), wide_from=3.0, at=at)

    def displayed(self, instrument: Instrument) -> Decimal:
        """Give the size shown at the touch: a larger order fills in parts."""
        if isinstance(instrument, OptionContract):
            return self.settings.displayed_contracts
        return self.settings.displayed_units

    def state(self) -> dict[str, Any]:
        """Export what `resume` needs to go on from here, as JSON-able values."""
        return {
            "seed": self.seed,
            "ahead_seconds": self._ahead_seconds,
            "paths": [
                {"underlying": asdict(path.underlying), "spot": path.spot, "steps": path.steps}
                for path in self._paths.values()
            ],
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, with these settings."""
        paths = {
            it["underlying"]["symbol"]: _Path(
                Underlying(**it["underlying"]), float(it["spot"]), int(it["steps"])
            )
            for it in state["paths"]
        }
        self.seed, self._ahead_seconds = int(state["seed"]), float(state["ahead_seconds"])
        self._paths = paths

    def _step(self, path: _Path, years: float) -> None:
        """Take one exact step of the mean-reverting log price, whatever its length."""
        path.steps += 1
        # A generator a step makes the path independent of what else is traded, and resumable.
        shock = Random(f"{self.seed}/{path.underlying.symbol}/{path.steps}").gauss(0.0, 1.0)
        pull = self.settings.mean_reversion
        variance = -math.expm1(-2 * pull * years) / (2 * pull) if pull > 0 else years
        away = math.log(path.spot / path.underlying.spot) * math.exp(-pull * years)
        log_move = away + path.underlying.volatility * math.sqrt(variance) * shock
        path.spot = path.underlying.spot * math.exp(log_move)

    def _value(self, contract: OptionContract, spot: float, at: datetime) -> tuple[float, float]:
        """Give the model price, and ln(strike / forward)."""
        left = expires_at(contract) - at - timedelta(seconds=self._ahead_seconds)
        years = max(left.total_seconds(), 0.0) / _YEAR_SECONDS
        strike, rate = float(contract.strike), self.settings.rate
        distance = math.log(strike / spot) - rate * years
        volatility = smile(
            self.underlying(contract.underlying).volatility,
            distance,
            skew=self.settings.skew,
            curvature=self.settings.curvature,
        )
        price = black_scholes(
            right=contract.right,
            spot=spot,
            strike=strike,
            years=years,
            volatility=volatility,
            rate=rate,
        )
        return price, distance


def _on_ticks(price: float, width: float, *, wide_from: float, at: datetime) -> Quote:
    """Round outwards to ticks of a cent, five cents from wide_from up. Counted in cents, because
    a float does not know a cent."""
    border = wide_from * 100
    bid = math.floor((price - width / 2) * 100 + 1e-6)
    bid = max(bid - bid % 5 if bid >= border else bid, 0)
    ask = math.ceil((price + width / 2) * 100 - 1e-6)
    ask = max(ask, bid + 1)
    ask += -ask % 5 if ask > border else 0
    last = round(price * 100)
    last = 5 * round(last / 5) if last > border else last
    return Quote.of(at=at, bid=bid / 100, ask=ask / 100, last=last / 100)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))
