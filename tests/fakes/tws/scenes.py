"""Books to begin with: the iron condor on SPY, and a cash-settled one on SPX."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from tests.fakes.tws import hours
from tests.fakes.tws.records import (
    Instrument,
    MarketRule,
    Position,
    PriceStep,
    Quote,
    Right,
    Scene,
    index,
    option,
    stock,
)

ACCOUNT = "DU1234567"
EXPIRY = date(2026, 12, 18)

SPY = 756733
PUT_440 = 718236440
PUT_435 = 718236435
CALL_460 = 718237460
CALL_465 = 718237465

SPX = 416904
SPX_PUT_4400 = 719004400
SPX_PUT_4350 = 719004350

MARKET_RULES: tuple[MarketRule, ...] = (
    MarketRule(rule_id=26, steps=(PriceStep(low_edge=Decimal(0), increment=Decimal("0.01")),)),
    MarketRule(
        rule_id=32,
        steps=(
            PriceStep(low_edge=Decimal(0), increment=Decimal("0.01")),
            PriceStep(low_edge=Decimal(3), increment=Decimal("0.05")),
        ),
    ),
    MarketRule(
        rule_id=109,
        steps=(
            PriceStep(low_edge=Decimal(0), increment=Decimal("0.05")),
            PriceStep(low_edge=Decimal(3), increment=Decimal("0.1")),
        ),
    ),
)


def quote(bid: str, ask: str) -> Quote:
    """Make a two-sided quote whose last is the bid and whose close is the ask."""
    return Quote(bid=Decimal(bid), ask=Decimal(ask), last=Decimal(bid), close=Decimal(ask))


def with_open_hours(instruments: tuple[Instrument, ...], now: datetime) -> tuple[Instrument, ...]:
    """Make every instrument trade now."""
    return tuple(
        replace(
            one,
            trading_hours=hours.open_around(now, one.time_zone_id),
            liquid_hours=hours.open_around(now, one.time_zone_id),
        )
        for one in instruments
    )


def empty_scene(*accounts: str) -> Scene:
    """Accounts that hold nothing."""
    return Scene(accounts=accounts or (ACCOUNT,), market_rules=MARKET_RULES)


def condor_scene(account: str = ACCOUNT, now: datetime | None = None) -> Scene:
    """The iron condor on SPY, two of each leg, all markets open around now."""
    spy = replace(
        stock(SPY, "SPY"), market_name="SPY", long_name="SPDR S&P 500 ETF TRUST", stock_type="ETF"
    )
    legs = (
        (option(PUT_440, spy, Right.PUT, Decimal(440), EXPIRY), -2, "310", quote("4.10", "4.15")),
        (option(PUT_435, spy, Right.PUT, Decimal(435), EXPIRY), 2, "245", quote("3.05", "3.10")),
        (option(CALL_460, spy, Right.CALL, Decimal(460), EXPIRY), -2, "330", quote("4.20", "4.25")),
        (option(CALL_465, spy, Right.CALL, Decimal(465), EXPIRY), 2, "215", quote("2.90", "2.95")),
    )
    instruments = (spy, *(leg for leg, _, _, _ in legs))
    return Scene(
        accounts=(account,),
        instruments=with_open_hours(instruments, now or datetime.now(UTC)),
        positions=tuple(
            Position(
                account=account,
                con_id=leg.con_id,
                quantity=Decimal(held),
                average_cost=Decimal(cost),
            )
            for leg, held, cost, _ in legs
        ),
        quotes=(
            (SPY, quote("449.98", "450.02")),
            *((leg.con_id, shown) for leg, _, _, shown in legs),
        ),
        market_rules=MARKET_RULES,
    )


def cash_settled_scene(account: str = ACCOUNT, now: datetime | None = None) -> Scene:
    """A put spread on SPX, which settles in cash: short one 4400, long one 4350."""
    spx = index(SPX, "SPX")
    legs = tuple(
        option(con_id, spx, Right.PUT, Decimal(strike), EXPIRY, "100", "SPXW", market_rule=109)
        for con_id, strike in ((SPX_PUT_4400, 4400), (SPX_PUT_4350, 4350))
    )
    return Scene(
        accounts=(account,),
        instruments=with_open_hours((spx, *legs), now or datetime.now(UTC)),
        positions=(
            Position(
                account=account,
                con_id=SPX_PUT_4400,
                quantity=Decimal(-1),
                average_cost=Decimal("4120"),
            ),
            Position(
                account=account,
                con_id=SPX_PUT_4350,
                quantity=Decimal(1),
                average_cost=Decimal("2980"),
            ),
        ),
        quotes=((SPX_PUT_4400, quote("41.10", "41.50")), (SPX_PUT_4350, quote("29.70", "30.10"))),
        market_rules=MARKET_RULES,
    )
