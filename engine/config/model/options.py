"""The options desk: the strategies, their legs, and what to do when an assignment breaks one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Strict, model_validator

from engine.config.model.base import (
    NAME_ALLOWED,
    SWITCH,
    Day,
    Name,
    Number,
    Section,
    Switch,
    Whole,
    entry,
    problems_error,
    shaped,
)
from engine.config.model.shapes import Right, StrategyKind, strategy_problems
from engine.config.model.venues import Account

SHARES_PER_CONTRACT = 100
_SECONDS: dict[str, Any] = {"unit": "seconds", "noun": "a number of seconds"}

StrategyId = Annotated[str, Strict(), shaped(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")]
Underlying = Annotated[str, Strict(), shaped(r"[A-Z0-9][A-Z0-9 ./-]{0,19}")]


class PartialAssignment(StrEnum):
    """What is closed when only a part of a leg is assigned."""

    STRATEGY = "strategy"
    UNITS = "units"


class Escalation(StrEnum):
    """What follows when bounded repricing did not fill a close."""

    MARKET = "market"
    ALARM = "alarm"


class Leg(Section):
    """One leg as it was opened. quantity is signed contracts: -2 is two sold."""

    right: Right = entry(
        label="Right",
        help="P is a put, C is a call.",
        group="Leg",
        noun="a right",
        choices=tuple(Right),
    )
    strike: Number = entry(
        label="Strike",
        help="The strike price.",
        group="Leg",
        noun="a strike",
        allowed="a number more than 0",
        gt=0,
        le=10**9,
    )
    expiry: Day = entry(
        label="Expiry",
        help="The last trading day.",
        group="Leg",
        noun="a date",
        allowed="a real day as YYYY-MM-DD",
    )
    quantity: Whole = entry(
        label="Contracts",
        help="Signed: -2 is two contracts sold, 2 is two bought.",
        group="Leg",
        noun="a number of contracts",
        allowed="a whole number, negative for sold, not 0",
        unit="contracts",
        ge=-100_000,
        le=100_000,
    )

    @property
    def contract(self) -> tuple[Right, Decimal, date]:
        """What tells this leg's contract from others of the same underlying."""
        return self.right, self.strike, self.expiry


class Strategy(Section):
    """A position of several legs that is only sound as a whole."""

    id: StrategyId = entry(
        label="Id",
        help="Your name for it; it shows on screen, in the journal and in order references.",
        group="Strategy",
        noun="a strategy id",
        allowed="1 to 64 letters, digits, ., _ or -, a letter or digit first",
    )
    kind: StrategyKind = entry(
        label="Kind",
        help="The shape; the legs must fit it. custom takes any legs.",
        group="Strategy",
        noun="a kind of strategy",
        choices=tuple(StrategyKind),
    )
    underlying: Underlying = entry(
        label="Underlying",
        help="The symbol the options are on, as Interactive Brokers writes it.",
        group="Strategy",
        noun="a symbol",
        allowed='capital letters and digits, like "SPY" or "BRK B"',
    )
    legs: tuple[Leg, ...] = entry(
        label="Legs",
        help="Every option leg as it was opened.",
        group="Strategy",
        noun="a leg",
        allowed="1 to 40 legs",
        min_length=1,
        max_length=40,
    )
    shares: Whole | None = entry(
        None,
        label="Shares",
        help="Shares that belong to it; a covered call has 100 for each call unless said here.",
        group="Strategy",
        noun="a number of shares",
        allowed="a whole number, for covered_call and custom only",
        unit="shares",
        ge=-(10**9),
        le=10**9,
    )
    venue_account: Account | None = entry(
        None,
        label="Account",
        help="The account it is held in; leave out to follow it in whichever account holds it.",
        group="Strategy",
        noun="an account",
        allowed="one of the venue's accounts",
    )

    @model_validator(mode="after")
    def _legs_fit(self) -> Self:
        problems = strategy_problems(self.kind, self.legs, self.shares)
        if problems:
            raise problems_error(problems)
        return self

    @property
    def expected_shares(self) -> int:
        """Signed shares that belong to the strategy while it is intact."""
        if self.shares is not None:
            return self.shares
        if self.kind is StrategyKind.COVERED_CALL:
            return SHARES_PER_CONTRACT * -sum(leg.quantity for leg in self.legs)
        return 0


class ExitConfig(Section):
    """How a closing limit order is worked."""

    reprice_seconds: Whole = entry(
        5,
        label="Reprice after",
        help="How long a closing limit rests before it is priced anew.",
        group="Exit",
        ge=1,
        le=3600,
        **_SECONDS,
    )
    max_slippage: Number = entry(
        Decimal("0.10"),
        label="Largest slippage",
        help="How far past the touch a closing limit may go, as a fraction: 0.10 is 10%.",
        group="Exit",
        noun="a fraction",
        ge=0,
        le=1,
    )
    escalate: Escalation = entry(
        Escalation.ALARM,
        label="If still not filled",
        help="market sends a market order, alarm asks a person.",
        group="Exit",
        choices=tuple(Escalation),
    )


class OptionsConfig(Section):
    """The options desk."""

    venue: Name = entry(
        label="Venue",
        help="The ib venue the strategies are held at.",
        group="Options",
        noun="a venue name",
        allowed=NAME_ALLOWED,
    )
    auto_close_on_assignment: Switch = entry(
        True,
        label="Close on assignment",
        help="Close what an assignment broke at once; off means alert only.",
        group="Options",
        **SWITCH,
    )
    on_partial_assignment: PartialAssignment = entry(
        PartialAssignment.STRATEGY,
        label="On part assignment",
        help="strategy closes the whole strategy, units closes as many units as were assigned.",
        group="Options",
        choices=tuple(PartialAssignment),
    )
    close_at_dte: Whole = entry(
        1,
        label="Close at DTE",
        help="Close an intact strategy when this many days or fewer are left.",
        group="Options",
        noun="a number of days",
        unit="days",
        ge=0,
        le=365,
    )
    reconcile_seconds: Whole = entry(
        30,
        label="Reconcile every",
        help="How often positions are read anew and compared with the books.",
        group="Options",
        ge=1,
        le=3600,
        **_SECONDS,
    )
    missing_leg_seconds: Whole = entry(
        45,
        label="Await shares for",
        help="How long a vanished leg is awaited its shares before it counts as missing.",
        group="Options",
        ge=1,
        le=3600,
        **_SECONDS,
    )
    exit: ExitConfig = entry(
        default_factory=ExitConfig,
        label="Exit",
        help="How closing limit orders are worked.",
        group="Exit",
    )
    strategies: tuple[Strategy, ...] = entry(
        (),
        label="Strategies",
        help="What is held, and what it is meant to be.",
        group="Options",
        noun="a strategy",
        allowed="at most 1000 strategies",
        max_length=1000,
    )
