"""What the demo starts with: two strategies in one paper account, around the market's prices."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.desk.facts import PositionRow
from engine.desk.instruments import OptionContract, Right
from engine.desk.options.definitions import LegDefinition, StrategyDefinition
from engine.venues.paper.market import FAMILIAR, NEW_YORK, SyntheticMarket
from engine.venues.paper.venue import DEMO_ACCOUNT

_FRIDAY = 4
_STRIKE_STEP = 5


def demo_scene(
    now: datetime, *, venue: str = "paper", account: str = DEMO_ACCOUNT
) -> tuple[tuple[PositionRow, ...], tuple[StrategyDefinition, ...]]:
    """Give the positions to open the demo's account with, and the strategies that declare them: an
    iron condor and a put vertical, three to eight weeks from expiry, at what they would cost now.
    """
    expiry = _monthly_expiry(now.astimezone(NEW_YORK).date() + timedelta(days=21))
    strategies = (
        StrategyDefinition(
            id="SPY-IC-1",
            kind="iron_condor",
            venue=venue,
            account=account,
            underlying="SPY",
            legs=(
                _leg("SPY", Right.PUT, -10, expiry, -2),
                _leg("SPY", Right.PUT, -15, expiry, 2),
                _leg("SPY", Right.CALL, 10, expiry, -2),
                _leg("SPY", Right.CALL, 15, expiry, 2),
            ),
        ),
        StrategyDefinition(
            id="QQQ-VS-1",
            kind="vertical",
            venue=venue,
            account=account,
            underlying="QQQ",
            legs=(
                _leg("QQQ", Right.PUT, -15, expiry, -3),
                _leg("QQQ", Right.PUT, -20, expiry, 3),
            ),
        ),
    )
    market = SyntheticMarket()
    positions = tuple(
        _held(strategy, leg, market=market, account=account, now=now)
        for strategy in strategies
        for leg in strategy.legs
    )
    return positions, strategies


def contract_of(underlying: str, leg: LegDefinition) -> OptionContract:
    """Give the paper venue's contract for a declared leg."""
    strike = leg.strike.normalize()
    return OptionContract(
        ref=f"{underlying}-{leg.expiry:%Y%m%d}-{leg.right}-{strike:f}",
        underlying=underlying,
        right=leg.right,
        strike=leg.strike,
        expiry=leg.expiry,
        trading_class=underlying,
    )


def _leg(symbol: str, right: Right, away: int, expiry: date, quantity: int) -> LegDefinition:
    """Declare a leg so many dollars away from where the underlying starts."""
    middle = _STRIKE_STEP * round(FAMILIAR[symbol].spot / _STRIKE_STEP)
    return LegDefinition(
        right=right, strike=Decimal(middle + away), expiry=expiry, quantity=Decimal(quantity)
    )


def _held(
    strategy: StrategyDefinition,
    leg: LegDefinition,
    *,
    market: SyntheticMarket,
    account: str,
    now: datetime,
) -> PositionRow:
    contract = contract_of(strategy.underlying, leg)
    last = market.quote(contract, now).last
    return PositionRow(
        account=account,
        instrument=contract,
        quantity=leg.quantity,
        average_cost=None if last is None else Decimal(f"{last:.2f}"),
    )


def _monthly_expiry(day: date) -> date:
    """Give the first third Friday of a month on or after day, when monthly options expire."""
    friday = day + timedelta(days=(_FRIDAY - day.weekday()) % 7)
    while not 15 <= friday.day <= 21:
        friday += timedelta(days=7)
    return friday
