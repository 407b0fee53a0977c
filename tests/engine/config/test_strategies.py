"""A strategy's legs must fit its kind, and the leg that does not is named."""

import pytest
from pydantic import ValidationError

from engine.config.explain import explained
from engine.config.model import Strategy

NEAR, FAR = "2026-12-18", "2027-01-15"


def legs(*rows):
    """Each row is like "P440 -2" with an optional expiry."""
    made = []
    for row in rows:
        contract, quantity, *expiry = row.split()
        made.append(
            {
                "right": contract[0],
                "strike": contract[1:],
                "expiry": expiry[0] if expiry else NEAR,
                "quantity": int(quantity),
            }
        )
    return made


def strategy(kind, *rows, **more):
    return {"id": "S", "kind": kind, "underlying": "SPY", "legs": legs(*rows), **more}


CONDOR = ("P440 -2", "P435 2", "C460 -2", "C465 2")

SOUND = [
    strategy("iron_condor", *CONDOR),
    strategy("iron_condor", *reversed(CONDOR)),
    strategy("iron_butterfly", "P450 -1", "P440 1", "C450 -1", "C460 1"),
    strategy("vertical", "P440 -2", "P435 2"),
    strategy("vertical", "C440 2", "C445 -2"),
    strategy("strangle", "P440 -1", "C460 -1"),
    strategy("straddle", "C450 1", "P450 1"),
    strategy("calendar", "C450 -1", f"C450 1 {FAR}"),
    strategy("covered_call", "C460 -2"),
    strategy("covered_call", "C460 -2", shares=20),
    strategy("cash_secured_put", "P440 -1"),
    strategy("single", "C460 5"),
    strategy("custom", "P440 -3", "C460 1", f"C470 7 {FAR}", shares=-100),
    strategy("single", "C0.5 5", underlying="BRK B"),
]


@pytest.mark.parametrize("fields", SOUND, ids=[f"{s['kind']}-{i}" for i, s in enumerate(SOUND)])
def test_legs_that_fit_are_taken(fields):
    assert len(Strategy.model_validate(fields).legs) == len(fields["legs"])


MISFITS = [
    (strategy("iron_condor", *CONDOR[:3]), ("legs",), "4 legs, not 3"),
    (
        strategy("iron_condor", "P430 -2", "P435 2", "C460 -2", "C465 2"),
        ("legs", 0, "strike"),
        "short put 430 is not above the long put 435",
    ),
    (
        strategy("iron_condor", "P440 -2", "P435 2", "C470 -2", "C465 2"),
        ("legs", 2, "strike"),
        "short call 470 is not below the long call 465",
    ),
    (
        strategy("iron_condor", "P450 -2", "P435 2", "C450 -2", "C465 2"),
        ("legs", 2, "strike"),
        "is not above the short put",
    ),
    (strategy("iron_condor", *CONDOR[:3], f"C465 2 {FAR}"), ("legs", 3, "expiry"), "one expiry"),
    (strategy("iron_condor", *CONDOR[:3], "C465 1"), ("legs", 3, "quantity"), "one size"),
    (strategy("iron_condor", *CONDOR[:3], "P465 2"), ("legs",), "iron_condor"),
    (
        strategy("iron_butterfly", "P450 -1", "P440 1", "C451 -1", "C460 1"),
        ("legs", 2, "strike"),
        "is not at the short put",
    ),
    (strategy("vertical", "P440 -2", "C435 2"), ("legs", 1, "right"), "all puts or all calls"),
    (strategy("vertical", "P440 -2", "P435 -2"), ("legs",), "one bought and one sold"),
    (strategy("vertical", "P440 -2", f"P440 2 {FAR}"), ("legs", 1, "strike"), "two strikes"),
    (strategy("strangle", "P460 -1", "C440 -1"), ("legs", 0, "strike"), "not below the call"),
    (strategy("strangle", "P440 -1", "C460 1"), ("legs",), "both be bought"),
    (strategy("strangle", "P440 -1", "P460 -1"), ("legs",), "strangle"),
    (strategy("straddle", "P440 -1", "C460 -1"), ("legs", 1, "strike"), "one strike"),
    (strategy("calendar", "C450 -1", f"C455 1 {FAR}"), ("legs", 1, "strike"), "one strike"),
    (strategy("calendar", "C450 -1", "C455 1"), ("legs", 1, "expiry"), "two expiries"),
    (strategy("covered_call", "P460 -2"), ("legs", 0, "right"), "covered_call"),
    (strategy("covered_call", "C460 2"), ("legs", 0, "quantity"), "is bought"),
    (strategy("covered_call", "C460 -2", shares=0), ("shares",), "cover no call"),
    (strategy("cash_secured_put", "C460 -2"), ("legs", 0, "right"), "cash_secured_put"),
    (strategy("single", "C460 -2", "C465 2"), ("legs",), "1 leg, not 2"),
    (strategy("iron_condor", *CONDOR, shares=100), ("shares",), "does not belong"),
    (strategy("custom", "C460 -2", "C460 1"), ("legs", 1), "same contract"),
    (strategy("custom", "C460 0"), ("legs", 0, "quantity"), "is 0"),
]


@pytest.mark.parametrize(
    ("fields", "path", "said"), MISFITS, ids=[f"{m[0]['kind']}-{i}" for i, m in enumerate(MISFITS)]
)
def test_a_leg_that_does_not_fit_is_named(fields, path, said):
    with pytest.raises(ValidationError) as caught:
        Strategy.model_validate(fields)
    problems = explained(caught.value, fields, Strategy)
    assert (path, True) in [(one.path, said in one.text) for one in problems]


def test_a_covered_call_expects_a_hundred_shares_for_each_call_unless_told():
    told = [strategy("covered_call", "C460 -2"), strategy("covered_call", "C460 -2", shares=20)]
    assert [Strategy.model_validate(one).expected_shares for one in told] == [200, 20]


def test_a_strategy_without_shares_expects_none():
    assert Strategy.model_validate(strategy("vertical", "P440 -2", "P435 2")).expected_shares == 0
