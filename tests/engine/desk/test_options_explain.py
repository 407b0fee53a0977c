"""The explanation of a position change: total, deterministic, never more than happened."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk.instruments import OptionContract, Right, Stock
from engine.desk.options.changes import OptionChange, StockChange
from engine.desk.options.explain import explain
from engine.desk.snapshot import AssignmentKind
from tests.engine.desk.world import C460, C465, P435, P440, SPY, option

K = AssignmentKind
P430 = option("P", 430, "1005")
MINI = replace(P440, ref="1010", multiplier=Decimal(10))
HALVED = replace(P440, ref="2001", strike=Decimal(220))
RENAMED = replace(P440, ref="2002", underlying="SPYX", trading_class="SPYX")
ADJUSTED = replace(P440, ref="2003", trading_class="SPY1")
CONTRACTS = (P440, P435, P430, C460, C465, MINI, HALVED, ADJUSTED)


def gone(contract: OptionContract, before: int, left: int = 0, **flags: bool) -> OptionChange:
    return OptionChange(
        contract=contract, before=Decimal(before), change=Decimal(left - before), **flags
    )


def stock(change: int, before: int = 0, **flags: bool) -> StockChange:
    return StockChange(
        stock=SPY, change=Decimal(change), before=Decimal(before), kept=Decimal(before), **flags
    )


def told(*changes: OptionChange | StockChange) -> list[tuple[str, AssignmentKind, int, int]]:
    found = explain(
        [c for c in changes if isinstance(c, OptionChange)],
        [c for c in changes if isinstance(c, StockChange)],
    )
    return [(e.instrument.name, e.kind, int(e.change), int(e.shares)) for e in found]


def test_short_put_and_its_shares_explain_each_other_at_once() -> None:
    assert told(gone(P440, -2, fresh=True), stock(200, fresh=True)) == [
        (P440.name, K.ASSIGNED, 2, 200)
    ]


def test_part_of_a_short_call_takes_its_part_of_shares() -> None:
    assert told(gone(C460, -3, -1), stock(-200)) == [(C460.name, K.ASSIGNED, 2, -200)]


def test_both_shorts_at_once_need_only_what_is_left_of_their_shares() -> None:
    assert told(gone(P440, -2), gone(C460, -1), stock(100)) == [
        (C460.name, K.ASSIGNED, 1, -100),
        (P440.name, K.ASSIGNED, 2, 200),
    ]


def test_both_shorts_whose_shares_cancel_out_are_assigned_once_confirmed() -> None:
    sure = {"confirmed": True}
    assert told(gone(P440, -2), gone(C460, -2)) == []
    assert told(gone(P440, -2, **sure), gone(C460, -2, **sure)) == [
        (C460.name, K.ASSIGNED, 2, -200),
        (P440.name, K.ASSIGNED, 2, 200),
    ]


def test_a_long_exercised_waits_until_the_rows_can_be_complete() -> None:
    assert told(gone(C465, 2, fresh=True), stock(200, fresh=True)) == []
    assert told(gone(C465, 2), stock(200)) == [(C465.name, K.EXERCISED, -2, 200)]


def test_shares_are_the_shorts_even_when_a_long_could_have_brought_them() -> None:
    assert told(gone(C465, 2), gone(P440, -2), stock(200)) == [(P440.name, K.ASSIGNED, 2, 200)]


def test_vertical_through_its_last_day_is_assigned_and_exercised_if_the_venue_says_so() -> None:
    legs = (gone(P440, -2, settled=True), gone(P435, 2, settled=True))
    deliveries = ((Decimal(200), Decimal(440)), (Decimal(-200), Decimal(435)))
    half = replace(stock(50), deliveries=deliveries)
    assert told(*legs, half) == []
    assert told(*legs, replace(stock(200), deliveries=deliveries[:1])) == [
        (P440.name, K.ASSIGNED, 2, 200)
    ]


def test_pinned_short_put_is_assigned_in_part_and_expires_in_part() -> None:
    first = told(gone(P440, -3, settled=True), stock(100))
    assert first == [(P440.name, K.ASSIGNED, 1, 100)]
    rest = gone(P440, -2, settled=True, confirmed=True)
    assert told(rest) == [(P440.name, K.EXPIRED, 2, 0)]


def test_of_two_settled_puts_the_higher_was_assigned() -> None:
    assert told(gone(P430, -2, settled=True), gone(P440, -2, settled=True), stock(200)) == [
        (P440.name, K.ASSIGNED, 2, 200)
    ]


def test_mini_contract_delivers_ten_each() -> None:
    assert told(gone(MINI, -2), stock(20)) == [(MINI.name, K.ASSIGNED, 2, 20)]


def test_adjusted_contract_delivers_what_appeared_once_confirmed() -> None:
    assert told(gone(P440, -2), stock(24)) == []
    assert told(gone(P440, -2, confirmed=True), stock(24, confirmed=True)) == [
        (P440.name, K.ASSIGNED, 2, 24)
    ]


def test_more_shares_than_promised_are_nothing_to_act_on_unasked() -> None:
    (explanation,) = explain([gone(P440, -2, confirmed=True)], [stock(250, confirmed=True)])
    assert explanation.kind is K.ASSIGNED
    assert explanation.unsure


def test_split_of_shares_held_is_not_taken_for_a_delivery() -> None:
    short = gone(P440, -1, fresh=True)
    assert told(short, stock(100, before=100, fresh=True)) == []
    after = OptionChange(contract=HALVED, before=Decimal(0), change=Decimal(-2))
    assert told(gone(P440, -1), after, stock(100, before=100)) == [
        (P440.name, K.CORPORATE_ACTION, 1, 0),
        (HALVED.name, K.CORPORATE_ACTION, -2, 0),
        ("SPY", K.CORPORATE_ACTION, 100, 0),
    ]


@pytest.mark.parametrize("new", [RENAMED, ADJUSTED])
def test_contract_under_another_name_is_a_corporate_action(new: OptionContract) -> None:
    appeared = OptionChange(contract=new, before=Decimal(0), change=Decimal(-2))
    (old, follows) = explain([appeared, gone(P440, -2)])
    assert (old.kind, old.successor, old.ratio) == (K.CORPORATE_ACTION, new, 1)
    assert follows.instrument == new


def test_another_strike_opened_beside_is_no_corporate_action() -> None:
    appeared = OptionChange(contract=P430, before=Decimal(0), change=Decimal(-2))
    assert told(appeared, gone(P440, -2)) == []


def test_stock_under_another_identity_is_a_corporate_action() -> None:
    other = Stock(ref="999", symbol="SPY")
    moved = StockChange(stock=other, change=Decimal(100), before=Decimal(0))
    (old, new) = explain([], [moved, stock(-100, before=100)])
    assert (old.kind, old.successor, new.change) == (K.CORPORATE_ACTION, other, 100)


def test_quantities_multiplied_alike_are_an_adjustment_in_place() -> None:
    grown = [
        OptionChange(contract=P440, before=Decimal(-2), change=Decimal(-2), confirmed=True),
        OptionChange(contract=P435, before=Decimal(2), change=Decimal(2), confirmed=True),
    ]
    assert {e.kind for e in explain(grown)} == {K.CORPORATE_ACTION}
    assert {e.ratio for e in explain(grown)} == {Decimal(2)}


def test_every_confirmed_change_gets_its_name() -> None:
    sure = {"confirmed": True}
    assert told(gone(P440, -2, **sure)) == [(P440.name, K.SUSPECT, 2, 0)]
    assert told(gone(P440, -2, settled=True, **sure)) == [(P440.name, K.EXPIRED, 2, 0)]
    assert told(gone(P440, -2, cash_settled=True, **sure)) == [(P440.name, K.CASH_SETTLED, 2, 0)]
    assert told(gone(P440, -2, -3, **sure)) == [(P440.name, K.EXTERNAL, -1, 0)]
    assert told(stock(50, **sure)) == [("SPY", K.EXTERNAL, 50, 0)]


def test_what_an_execution_may_still_explain_is_left_alone() -> None:
    assert told(gone(P440, -2, doubtful=True, confirmed=True), stock(200)) == []
    assert told(gone(P440, -2), stock(200, doubtful=True)) == []


flags = st.fixed_dictionaries(
    {name: st.booleans() for name in ("settled", "cash_settled", "fresh", "confirmed", "doubtful")}
)
changes = st.builds(
    lambda contract, before, change, more: OptionChange(
        contract=contract, before=Decimal(before), change=Decimal(change), **more
    ),
    st.sampled_from(CONTRACTS),
    st.integers(-4, 4),
    st.integers(-4, 4),
    flags,
)
stocks = st.builds(
    lambda change, before, fresh, sure, doubt: StockChange(
        stock=SPY,
        change=Decimal(change),
        before=Decimal(before),
        fresh=fresh,
        confirmed=sure,
        doubtful=doubt,
    ),
    st.sampled_from([-400, -200, -100, -24, 10, 20, 24, 50, 100, 200, 300, 400]),
    st.sampled_from([0, 0, 100, 200, -100]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(
    options=st.lists(changes, max_size=5, unique_by=lambda c: c.contract.ref),
    shares=st.lists(stocks, max_size=1),
)
def test_explanation_is_total_conserves_quantities_and_knows_no_order(
    options: list[OptionChange], shares: list[StockChange]
) -> None:
    found = explain(options, shares)
    by_ref = {c.contract.ref: c.change for c in options} | {c.stock.ref: c.change for c in shares}
    explained: dict[str, Decimal] = {}
    for one in found:
        add(explained, one.instrument.ref, one.change)
        if one.stock is not None:
            add(explained, one.stock.ref, one.shares)
    for ref, quantity in explained.items():
        assert quantity * by_ref[ref] >= 0
        assert abs(quantity) <= abs(by_ref[ref])
    for order in list(permutations(options))[:24]:
        assert sorted(map(repr, explain(order, shares))) == sorted(map(repr, found))


def add(sums: dict[str, Decimal], ref: str, quantity: Decimal) -> None:
    sums[ref] = sums.get(ref, Decimal(0)) + quantity


@settings(max_examples=200, deadline=None)
@given(
    spot=st.integers(425, 475),
    pinned=st.integers(0, 2),
    books=st.fixed_dictionaries({c.ref: st.integers(-3, 3) for c in (P440, P435, C460, C465)}),
)
def test_an_expiry_by_price_comes_out_with_the_shares_it_moved(
    spot: int, pinned: int, books: dict[str, int]
) -> None:
    """At the last close every contract in the money is delivered, one at the strike in part."""
    moved, legs = 0, []
    for contract in (P440, P435, C460, C465):
        held = books[contract.ref]
        if not held:
            continue
        depth = (contract.strike - spot) * (1 if contract.right is Right.PUT else -1)
        count = abs(held) if depth > 0 else 0
        if depth == 0:
            count = min(pinned, abs(held))
        change = gone(contract, held, settled=True, confirmed=True)
        moved += int(change.unit) * count
        legs.append(change)
    found = explain(legs, [stock(moved, confirmed=True)] if moved else [])
    assert all(e.kind in (K.ASSIGNED, K.EXERCISED, K.EXPIRED, K.EXTERNAL) for e in found)
    told_shares = sum(e.shares for e in found)
    assert told_shares == moved
