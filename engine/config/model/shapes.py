"""Whether a strategy's legs fit its kind. Each check names the leg that is wrong, if one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, assert_never

from engine.config.model.base import Problem


class StrategyKind(StrEnum):
    """The shapes a strategy may have."""

    IRON_CONDOR = "iron_condor"
    IRON_BUTTERFLY = "iron_butterfly"
    VERTICAL = "vertical"
    STRANGLE = "strangle"
    STRADDLE = "straddle"
    CALENDAR = "calendar"
    COVERED_CALL = "covered_call"
    CASH_SECURED_PUT = "cash_secured_put"
    SINGLE = "single"
    CUSTOM = "custom"


class Right(StrEnum):
    """Put or call, as Interactive Brokers writes them."""

    PUT = "P"
    CALL = "C"


class LegShape(Protocol):
    """The part of a leg its shape depends on."""

    @property
    def right(self) -> Right: ...
    @property
    def strike(self) -> Decimal: ...
    @property
    def expiry(self) -> date: ...
    @property
    def quantity(self) -> int: ...


Legs = Sequence[LegShape]

_WINGED = "one long put, one short put, one short call, one long call"
_SHARE_KINDS = (StrategyKind.COVERED_CALL, StrategyKind.CUSTOM)


def strategy_problems(kind: StrategyKind, legs: Legs, shares: int | None) -> list[Problem]:
    """Find everything about the legs and shares that does not fit the kind."""
    problems = [
        Problem(("legs", i, "quantity"), "is 0", "a whole number, negative for sold")
        for i, leg in enumerate(legs)
        if leg.quantity == 0
    ]
    problems = problems or _twice(legs) or _misfits(kind, legs)
    if shares is not None and kind not in _SHARE_KINDS:
        problems.append(Problem(("shares",), f"does not belong to a {kind}"))
    elif shares is not None and kind is StrategyKind.COVERED_CALL and shares <= 0:
        problems.append(Problem(("shares",), f"{shares} shares cover no call", "more than 0"))
    return problems


def _twice(legs: Legs) -> list[Problem]:
    contracts = [(leg.right, leg.strike, leg.expiry) for leg in legs]
    return [
        Problem(("legs", i), "is the same contract as an earlier leg", "each contract once")
        for i, contract in enumerate(contracts)
        if contract in contracts[:i]
    ]


def _misfits(kind: StrategyKind, legs: Legs) -> list[Problem]:
    match kind:
        case StrategyKind.IRON_CONDOR | StrategyKind.IRON_BUTTERFLY:
            return _count(kind, legs, 4, _WINGED) or _winged(kind, legs)
        case StrategyKind.VERTICAL:
            return _count(kind, legs, 2, "one bought, one sold") or [
                *_same_right(kind, legs),
                *_one_expiry(kind, legs),
                *_opposite(kind, legs),
                *_equal_size(kind, legs),
                *_strikes(kind, legs, same=False),
            ]
        case StrategyKind.CALENDAR:
            return _count(kind, legs, 2, "one bought, one sold") or [
                *_same_right(kind, legs),
                *_two_expiries(legs),
                *_opposite(kind, legs),
                *_equal_size(kind, legs),
                *_strikes(kind, legs, same=True),
            ]
        case StrategyKind.STRANGLE | StrategyKind.STRADDLE:
            return _count(kind, legs, 2, "one put, one call") or _pair(kind, legs)
        case StrategyKind.COVERED_CALL:
            return _count(kind, legs, 1, "the short call") or _lone_short(kind, legs, Right.CALL)
        case StrategyKind.CASH_SECURED_PUT:
            return _count(kind, legs, 1, "the short put") or _lone_short(kind, legs, Right.PUT)
        case StrategyKind.SINGLE:
            return _count(kind, legs, 1, "one option")
        case StrategyKind.CUSTOM:
            return []
        case _:
            assert_never(kind)


def _count(kind: StrategyKind, legs: Legs, wanted: int, which: str) -> list[Problem]:
    if len(legs) == wanted:
        return []
    plural = "leg" if wanted == 1 else "legs"
    return [Problem(("legs",), f"{kind} has {wanted} {plural}, not {len(legs)}", which)]


def _winged(kind: StrategyKind, legs: Legs) -> list[Problem]:
    roles = {(leg.right, leg.quantity > 0): i for i, leg in enumerate(legs)}
    if len(roles) != len(legs):
        return [Problem(("legs",), f"do not make {_article(kind)}", _WINGED)]
    short_put, long_put = roles[Right.PUT, False], roles[Right.PUT, True]
    short_call, long_call = roles[Right.CALL, False], roles[Right.CALL, True]
    strikes = [leg.strike for leg in legs]
    problems = [*_one_expiry(kind, legs), *_equal_size(kind, legs)]

    def want(fits: bool, leg: int, text: str, allowed: str) -> None:
        if not fits:
            problems.append(Problem(("legs", leg, "strike"), text, allowed))

    want(
        strikes[short_put] > strikes[long_put],
        short_put,
        f"short put {strikes[short_put]} is not above the long put {strikes[long_put]}",
        f"more than {strikes[long_put]}",
    )
    want(
        strikes[short_call] < strikes[long_call],
        short_call,
        f"short call {strikes[short_call]} is not below the long call {strikes[long_call]}",
        f"less than {strikes[long_call]}",
    )
    if kind is StrategyKind.IRON_BUTTERFLY:
        want(
            strikes[short_put] == strikes[short_call],
            short_call,
            f"short call {strikes[short_call]} is not at the short put {strikes[short_put]}",
            f"{strikes[short_put]}",
        )
    else:
        want(
            strikes[short_put] < strikes[short_call],
            short_call,
            f"short call {strikes[short_call]} is not above the short put {strikes[short_put]}",
            f"more than {strikes[short_put]}",
        )
    return problems


def _pair(kind: StrategyKind, legs: Legs) -> list[Problem]:
    if legs[0].right == legs[1].right:
        return [Problem(("legs",), f"do not make {_article(kind)}", "one put and one call")]
    problems = [*_one_expiry(kind, legs), *_equal_size(kind, legs)]
    if (legs[0].quantity > 0) != (legs[1].quantity > 0):
        problems.append(Problem(("legs",), f"of a {kind} must both be bought or both be sold"))
    put, call = (0, 1) if legs[0].right is Right.PUT else (1, 0)
    if kind is StrategyKind.STRADDLE:
        return [*problems, *_strikes(kind, legs, same=True)]
    if legs[put].strike >= legs[call].strike:
        text = f"put {legs[put].strike} is not below the call {legs[call].strike}"
        problems.append(Problem(("legs", put, "strike"), text, f"less than {legs[call].strike}"))
    return problems


def _lone_short(kind: StrategyKind, legs: Legs, right: Right) -> list[Problem]:
    problems = []
    if legs[0].right is not right:
        text = f'"{legs[0].right}" does not fit a {kind}'
        problems.append(Problem(("legs", 0, "right"), text, right))
    if legs[0].quantity > 0:
        text = f"{legs[0].quantity} is bought; a {kind} sells its option"
        problems.append(Problem(("legs", 0, "quantity"), text, "less than 0"))
    return problems


def _one_expiry(kind: StrategyKind, legs: Legs) -> list[Problem]:
    first = legs[0].expiry
    text = f"{kind} has one expiry"
    return [
        Problem(("legs", i, "expiry"), f"{text}; {leg.expiry} is another", f"{first}")
        for i, leg in enumerate(legs)
        if leg.expiry != first
    ]


def _two_expiries(legs: Legs) -> list[Problem]:
    if legs[0].expiry != legs[1].expiry:
        return []
    return [Problem(("legs", 1, "expiry"), "calendar needs two expiries", "a different day")]


def _equal_size(kind: StrategyKind, legs: Legs) -> list[Problem]:
    first = abs(legs[0].quantity)
    return [
        Problem(
            ("legs", i, "quantity"),
            f"{kind} has legs of one size; {leg.quantity} is another",
            f"{first} or {-first}",
        )
        for i, leg in enumerate(legs)
        if abs(leg.quantity) != first
    ]


def _same_right(kind: StrategyKind, legs: Legs) -> list[Problem]:
    if legs[0].right == legs[1].right:
        return []
    return [Problem(("legs", 1, "right"), f"{kind} is all puts or all calls", legs[0].right)]


def _opposite(kind: StrategyKind, legs: Legs) -> list[Problem]:
    if (legs[0].quantity > 0) != (legs[1].quantity > 0):
        return []
    return [Problem(("legs",), f"of a {kind} must be one bought and one sold")]


def _strikes(kind: StrategyKind, legs: Legs, *, same: bool) -> list[Problem]:
    first, second = legs[0].strike, legs[1].strike
    if (first == second) is same:
        return []
    if same:
        text = f"{kind} has one strike; {second} is another"
        return [Problem(("legs", 1, "strike"), text, f"{first}")]
    return [Problem(("legs", 1, "strike"), f"{kind} needs two strikes", f"other than {first}")]


def _article(kind: StrategyKind) -> str:
    return f"an {kind}" if kind.startswith("i") else f"a {kind}"
