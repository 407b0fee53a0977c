"""Shapes recognised in what nobody declared, differences from what was, and exercise advice."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config.model.options import Strategy as ConfiguredStrategy
from engine.config.model.shapes import StrategyKind
from engine.desk.instruments import Instrument, OptionContract, Right
from engine.desk.market import Quote
from engine.desk.options.shapes import recognise
from engine.desk.picture import picture
from engine.desk.snapshot import Snapshot
from tests.engine.desk.world import (
    ACCOUNT,
    C460,
    C465,
    CONDOR,
    MORNING,
    NIGHT,
    P435,
    P440,
    SPY,
    VENUE,
    World,
    definition,
    option,
)

LATER = replace(C460, ref="2001", expiry=date(2027, 1, 15))
C440, P460 = option("C", 440, "2002"), option("P", 460, "2003")

SHAPES: list[tuple[str, dict[OptionContract, int], int]] = [
    ("iron_condor", {P440: -2, P435: 2, C460: -2, C465: 2}, 0),
    ("iron_butterfly", {P440: -1, P435: 1, C440: -1, C460: 1}, 0),
    ("vertical", {P440: -3, P435: 3}, 0),
    ("vertical", {C460: 1, C465: -1}, 0),
    ("strangle", {P440: -2, C460: -2}, 0),
    ("strangle", {P440: 2, C460: 2}, 0),
    ("straddle", {P440: -1, C440: -1}, 0),
    ("calendar", {C460: -1, LATER: 1}, 0),
    ("covered_call", {C460: -2}, 200),
    ("cash_secured_put", {P440: -2}, 0),
    ("single", {C460: -2}, 0),
    ("single", {P440: 1}, 0),
]


@pytest.mark.parametrize(("kind", "legs", "shares"), SHAPES)
def test_shape_is_recognised_by_the_name_the_config_knows(
    kind: str, legs: dict[OptionContract, int], shares: int
) -> None:
    held = [(contract, Decimal(quantity)) for contract, quantity in legs.items()]
    (shape,) = recognise(reversed(held), Decimal(shares))
    assert shape.kind == kind
    assert dict(shape.legs) == dict(held)
    assert shape.shares == shares
    assert kind in set(StrategyKind)


contracts = st.builds(
    lambda right, strike, month: OptionContract(
        ref=f"{right}{strike}{month}",
        underlying="SPY",
        right=right,
        strike=Decimal(strike),
        expiry=date(2026, month, 18),
    ),
    st.sampled_from(Right),
    st.sampled_from([430, 435, 440, 445]),
    st.sampled_from([11, 12]),
)


@given(
    held=st.dictionaries(contracts, st.integers(-4, 4), max_size=8),
    shares=st.sampled_from([0, 100, 250]),
)
def test_every_contract_is_in_as_many_shapes_as_are_held_and_the_config_takes_them(
    held: dict[OptionContract, int], shares: int
) -> None:
    shapes = list(recognise([(c, Decimal(q)) for c, q in held.items()], Decimal(shares)))
    sums: Counter[str] = Counter()
    for number, shape in enumerate(shapes):
        for contract, quantity in shape.legs:
            sums[contract.ref] += int(quantity)
        legs = [
            {
                "right": contract.right.value,
                "strike": str(contract.strike),
                "expiry": contract.expiry.isoformat(),
                "quantity": int(quantity),
            }
            for contract, quantity in shape.legs
        ]
        declared = {"id": f"S{number}", "kind": shape.kind, "underlying": "SPY", "legs": legs}
        ConfiguredStrategy.model_validate(declared)
    assert dict(sums) == {c.ref: q for c, q in held.items() if q}
    assert sum(shape.shares for shape in shapes) <= shares


def test_legs_nobody_declared_are_offered_and_declared_ones_are_not() -> None:
    held: dict[Instrument, Decimal] = {**CONDOR, P440: Decimal(-3), SPY: Decimal(50)}
    world = World(held=held)
    (offer,) = world.picture().candidates
    assert (offer.id, offer.kind, offer.account) == ("SPY-CSP-1", "cash_secured_put", ACCOUNT)
    assert [(leg.strike, leg.held) for leg in offer.legs] == [(440, -1)]


def test_offer_gets_an_id_that_is_free() -> None:
    world = World(held={C460: Decimal(-2), P435: Decimal(1)}, strategies=(named("SPY-S-1"),))
    assert [offer.id for offer in world.picture().candidates] == ["SPY-S-2"]


def named(strategy_id: str) -> object:
    return definition(strategy_id, "single", {P435: Decimal(1)})


def test_what_is_in_an_unexplained_change_is_not_offered() -> None:
    world = World(held={P440: Decimal(-2)}, strategies=())
    assert len(world.picture().candidates) == 1
    world.row(P440, -1)
    assert world.picture().candidates == ()


def test_held_as_declared_is_no_difference() -> None:
    assert World().picture().differences == ()


def test_difference_says_what_explains_it() -> None:
    world = World(now=MORNING)
    world.row(P440, 0)
    (unexplained,) = world.picture().differences
    assert (unexplained.expected, unexplained.held, unexplained.explained_by) == (-2, 0, "")
    world.row(SPY, 200)
    world.tell(world.snapshot())
    told = {d.instrument: d for d in world.picture().differences}
    assert told[P440.name].explained_by.startswith("ASSIGNED")
    assert (told["SPY"].expected, told["SPY"].held) == (0, 200)
    world.fill_all()
    assert world.picture().differences == ()


def test_more_held_than_declared_is_told_as_held_besides() -> None:
    world = World(held={**CONDOR, P440: Decimal(-5)})
    (found,) = world.picture().differences
    assert (found.expected, found.held) == (-2, -5)
    assert found.explained_by == "held besides what is declared"


def test_leg_that_was_never_there_is_a_difference_nothing_explains() -> None:
    world = World(held={P435: Decimal(2)})
    missing = [d for d in world.picture().differences if not d.explained_by]
    assert len(missing) == 3


def priced(world: World, **quotes: tuple[float, float]) -> Snapshot:
    named_ = {"SPY": SPY, "P435": P435, "C465": C465}
    return picture(
        world.desk,
        now=world.now,
        mode="paper",
        started_at=NIGHT,
        venues=(),
        quotes={
            (VENUE, named_[name].ref): Quote.of(at=world.now, bid=bid, ask=ask)
            for name, (bid, ask) in quotes.items()
        },
    )


def test_exercise_that_beats_the_sale_is_said_with_its_figures_and_not_done() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    (advice,) = priced(world, SPY=(420.0, 420.1), P435=(14.5, 15.6)).strategies[0].advice
    assert "Exercise 2 SPY 18Dec26 435 P" in advice
    assert "worth 15.00 each against a bid of 14.50, 100.00 USD more" in advice
    assert world.sent() == ["SELL 200 SPY"]


def test_sale_that_beats_the_exercise_is_not_spoken_of() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    assert priced(world, SPY=(420.0, 420.1), P435=(15.2, 15.6)).strategies[0].advice == ()
    assert priced(world, SPY=(436.0, 436.1), P435=(0.1, 0.2)).strategies[0].advice == ()
    assert priced(world, P435=(0.1, 0.2)).strategies[0].advice == ()


def test_intact_strategy_gets_no_advice() -> None:
    assert priced(World(), SPY=(420.0, 420.1), P435=(14.5, 15.6)).strategies[0].advice == ()
