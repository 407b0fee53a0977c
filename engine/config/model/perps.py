"""The assignment managers: what is done with a position a crypto venue put on our book."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Strict, model_validator

from engine.config.model.base import (
    NAME_ALLOWED,
    SWITCH,
    Name,
    Number,
    Problem,
    Section,
    Switch,
    Whole,
    distinct,
    entry,
    problems_error,
    shaped,
)

TradingPair = Annotated[str, Strict(), shaped(r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}")]
_DAY_SECONDS = 86_400


class OrderType(StrEnum):
    """How a close is sent."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


def manager_problems(
    *, pairs: int, all_pairs: bool, activation: bool, delta: bool
) -> list[Problem]:
    """Find what only shows when several of a manager's fields are seen together."""
    problems = []
    if not pairs and not all_pairs:
        text = "is empty while all_trading_pairs is false, so nothing would be watched"
        problems.append(Problem(("trading_pairs",), text, "at least one pair"))
    if activation != delta:
        part = "trailing_delta" if activation else "activation"
        text = "is missing; a trailing stop needs both its fields"
        problems.append(Problem((f"trailing_stop_{part}_pct",), text))
    return problems


class AssignmentManager(Section):
    """One rule for the positions a venue assigns to us. A pct is a fraction: 0.05 is 5%."""

    venue: Name = entry(
        label="Venue",
        help="The crypto venue to watch for assigned positions.",
        group="Exchange",
        noun="a venue name",
        allowed=NAME_ALLOWED,
    )
    trading_pairs: Annotated[tuple[TradingPair, ...], AfterValidator(distinct)] = entry(
        ("BTC-USD", "ETH-USD", "SOL-USD"),
        label="Trading pairs",
        help="The pairs to watch, unless all are.",
        group="Exchange",
        noun="a trading pair",
        allowed='capitals as BASE-QUOTE, like "BTC-USD"',
        max_length=1000,
    )
    all_trading_pairs: Switch = entry(
        False,
        label="All trading pairs",
        help="Watch every pair of the venue instead of the list.",
        group="Exchange",
        **SWITCH,
    )
    order_type: OrderType = entry(
        OrderType.MARKET,
        label="Order type",
        help="How an assigned position is closed.",
        group="Order management",
        noun="an order type",
        choices=tuple(OrderType),
    )
    close_percent: Number = entry(
        Decimal(100),
        label="Close percent",
        help="How much of the assigned quantity is closed.",
        group="Order management",
        noun="a percent",
        unit="percent",
        gt=0,
        le=100,
    )
    slippage_buffer: Number = entry(
        Decimal("0.001"),
        label="Slippage buffer",
        help="How far past the touch a MARKET close may go, as a fraction: 0.001 is 0.1%.",
        group="Order management",
        noun="a fraction",
        ge=0,
        lt=1,
    )
    max_order_age: Whole = entry(
        60,
        label="Oldest order",
        help="A closing order older than this is cancelled and priced anew.",
        group="Order management",
        noun="a number of seconds",
        unit="seconds",
        ge=1,
        le=_DAY_SECONDS,
    )
    time_limit: Whole = entry(
        0,
        label="Time limit",
        help="0 closes at once; more keeps the position between its barriers for so many seconds.",
        group="Risk management",
        noun="a number of seconds",
        unit="seconds",
        ge=0,
        le=366 * _DAY_SECONDS,
    )
    stop_loss_pct: Number | None = entry(
        None,
        label="Stop loss",
        help="Close when this fraction of the entry value is lost.",
        group="Risk management",
        noun="a fraction",
        gt=0,
        lt=1,
    )
    take_profit_pct: Number | None = entry(
        None,
        label="Take profit",
        help="Close when this fraction of the entry value is won.",
        group="Risk management",
        noun="a fraction",
        gt=0,
        le=100,
    )
    trailing_stop_activation_pct: Number | None = entry(
        None,
        label="Trailing stop from",
        help="The trailing stop turns on above this profit.",
        group="Risk management",
        noun="a fraction",
        gt=0,
        le=100,
    )
    trailing_stop_trailing_delta_pct: Number | None = entry(
        None,
        label="Trailing stop distance",
        help="How far the profit may fall from its peak.",
        group="Risk management",
        noun="a fraction",
        gt=0,
        lt=1,
    )
    resident_stop: Switch = entry(
        True,
        label="Stop rests at the venue",
        help="Keep the stop loss as a reduce-only order there, so it outlives the engine.",
        group="Risk management",
        **SWITCH,
    )

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        problems = manager_problems(
            pairs=len(self.trading_pairs),
            all_pairs=self.all_trading_pairs,
            activation=self.trailing_stop_activation_pct is not None,
            delta=self.trailing_stop_trailing_delta_pct is not None,
        )
        if problems:
            raise problems_error(problems)
        return self
