"""The allocation desk: how an account is divided among symbols, and what signal each awaits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Strict, model_validator

from engine.config.model.base import (
    NAME_ALLOWED,
    SWITCH,
    Name,
    Number,
    Problem,
    Section,
    Switch,
    Whole,
    entry,
    problems_error,
    shaped,
)

Symbol = Annotated[str, Strict(), shaped(r"[A-Z0-9]{2,40}")]
_ALL: Final = Decimal(100)

Interval = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"]
INTERVAL_SECONDS: Final[dict[Interval, int]] = {
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "2h": 7200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
}


class ScoreOf(StrEnum):
    """What the z-score is taken of."""

    PRICE = "price"
    RETURN = "return"


class ParameterSet(Section):
    """One symbol's share of the account and the bracket around its position."""

    symbol: Symbol = entry(
        label="Symbol",
        help="The market, as the exchange writes it.",
        group="Parameter set",
        noun="a symbol",
        allowed='capital letters and digits, like "BTCUSDT"',
    )
    allocation_percent: Number = entry(
        label="Share of the account",
        help="Percent of the whole account that is reserved when the signal comes.",
        group="Parameter set",
        noun="a percent",
        unit="percent",
        gt=0,
        le=100,
    )
    z_score_threshold: Number = entry(
        label="z-score to buy",
        help="Buy when the z-score reaches this.",
        group="Parameter set",
        noun="a z-score",
        gt=0,
        le=1000,
    )
    profit_percent: Number = entry(
        label="Take profit",
        help="Sell this many percent above the price bought at.",
        group="Parameter set",
        noun="a percent",
        unit="percent",
        gt=0,
        le=100_000,
    )
    stop_loss_percent: Number = entry(
        label="Stop loss",
        help="Sell this many percent below the price bought at.",
        group="Parameter set",
        noun="a percent",
        unit="percent",
        gt=0,
        lt=100,
    )


def allocation_problems(
    symbols: Sequence[str | None],
    percents: Sequence[Decimal | None],
    thresholds: Sequence[Decimal | None],
    z_score_exit: Decimal | None,
) -> list[Problem]:
    """Find what only shows when the sets are seen together; None is a value faulty by itself."""
    problems = [
        Problem(("parameter_sets", i, "symbol"), f'"{symbol}" has a parameter set already')
        for i, symbol in enumerate(symbols)
        if symbol is not None and symbol in symbols[:i]
    ]
    total = sum((percent for percent in percents if percent is not None), Decimal(0))
    if total > _ALL:
        text = f"all sets together allocate {total} percent"
        problems.append(Problem(("parameter_sets",), text, "at most 100"))
    problems += [
        Problem(
            ("parameter_sets", i, "z_score_threshold"),
            f"{threshold} is not above z_score_exit, so a buy would be sold at once",
            f"more than {z_score_exit}",
        )
        for i, threshold in enumerate(thresholds)
        if threshold is not None and z_score_exit is not None and 0 < threshold <= z_score_exit
    ]
    return problems


class AllocationConfig(Section):
    """The allocation desk."""

    venue: Name = entry(
        label="Venue",
        help="The spot venue to trade at.",
        group="Allocation",
        noun="a venue name",
        allowed=NAME_ALLOWED,
    )
    z_score_window: Whole = entry(
        100,
        label="Window",
        help="How many closed bars the z-score looks back.",
        group="Signal",
        noun="a number of bars",
        unit="bars",
        ge=10,
        le=10_000,
    )
    z_score_interval: Interval = entry(
        "1m",
        label="Bar",
        help="The length of one bar.",
        group="Signal",
        noun="a bar length",
        choices=tuple(INTERVAL_SECONDS),
    )
    z_score_of: ScoreOf = entry(
        ScoreOf.PRICE,
        label="z-score of",
        help="Whether the score is taken of prices or of returns.",
        group="Signal",
        choices=tuple(ScoreOf),
    )
    z_score_exit: Number = entry(
        Decimal(0),
        label="z-score to sell",
        help="A position is sold when the z-score falls to this.",
        group="Signal",
        noun="a z-score",
        ge=-1000,
        le=1000,
    )
    scale_to_full: Switch = entry(
        False,
        label="Scale to full",
        help="Scale shares that add up to 99 to 100 percent so that they fill the account.",
        group="Allocation",
        **SWITCH,
    )
    parameter_sets: tuple[ParameterSet, ...] = entry(
        (),
        label="Parameter sets",
        help="One for each symbol.",
        group="Allocation",
        noun="a parameter set",
        allowed="at most 1000 sets",
        max_length=1000,
    )

    @model_validator(mode="after")
    def _sets_agree(self) -> Self:
        problems = allocation_problems(
            [one.symbol for one in self.parameter_sets],
            [one.allocation_percent for one in self.parameter_sets],
            [one.z_score_threshold for one in self.parameter_sets],
            self.z_score_exit,
        )
        if problems:
            raise problems_error(problems)
        return self

    @property
    def z_score_interval_seconds(self) -> int:
        """The length of one bar in seconds."""
        return INTERVAL_SECONDS[self.z_score_interval]
