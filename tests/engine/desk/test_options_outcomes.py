"""What the desk makes of assignments that are not the plain one: parts, both shorts, shared
contracts, netting shares, expiry, the broker's own executions, corporate actions, other people."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk.facts import (
    CloseRequested,
    ContractDescribed,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
)
from engine.desk.instruments import Instrument, Stock
from engine.desk.options.definitions import (
    OptionSettings,
    PartialAssignmentPolicy,
    StrategyDefinition,
)
from engine.desk.snapshot import AssignmentKind, AssignmentState, AssignmentTiming, StrategyStatus
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

K = AssignmentKind
UNITS = OptionSettings(venue=VENUE, on_partial_assignment=PartialAssignmentPolicy.UNITS)
AFTER_EXPIRY = MORNING.replace(month=12, day=19)
P430 = option("P", 430, "1005")
VERTICAL = {P440: Decimal(-2), P435: Decimal(2)}


def kinds(world: World) -> list[AssignmentKind]:
    return [event.kind for event in world.picture().assignments]


def status(world: World, number: int = 0) -> StrategyStatus:
    return world.picture().strategies[number].status


def held(world: World) -> dict[str, int]:
    return {i.name: int(q) for (_, i), q in world.book.items() if q}


def confirm(world: World) -> None:
    """Two fresh snapshots, as far apart as it takes."""
    world.tell(world.snapshot())
    world.later(46)
    world.tell(world.snapshot())


def open_market(world: World) -> None:
    """Go on to the next morning's opening."""
    world.later((MORNING - world.now).total_seconds() + 1)


# --- parts ---------------------------------------------------------------------------------------


def test_part_assigned_closes_the_whole_strategy_by_default() -> None:
    world = World()
    world.row(P440, -1)
    world.row(SPY, 100)
    assert kinds(world) == [K.ASSIGNED]
    assert world.sent() == ["SELL 100 SPY"]
    open_market(world)
    world.fill_all()
    assert held(world) == {}
    assert status(world) is StrategyStatus.CLOSED


def test_part_assigned_closes_only_as_many_units_if_told_so() -> None:
    world = World(settings=UNITS)
    world.row(P440, -1)
    world.row(SPY, 100)
    open_market(world)
    assert world.fill_all() == [
        "SELL 100 SPY",
        "BUY 1 SPY 18Dec26 460 C",
        "SELL 1 SPY 18Dec26 435 P",
        "SELL 1 SPY 18Dec26 465 C",
    ]
    view = world.picture().strategies[0]
    assert view.status is StrategyStatus.INTACT
    assert [(leg.expected, leg.held) for leg in view.legs] == [(-1, -1), (1, 1), (-1, -1), (1, 1)]
    assert [e.state for e in world.picture().assignments] == [AssignmentState.CLOSED]


def test_units_are_closed_again_when_the_rest_is_assigned() -> None:
    world = World(settings=UNITS)
    world.row(P440, -1)
    world.row(SPY, 100)
    open_market(world)
    world.fill_all()
    world.row(P440, 0)
    world.row(SPY, 100)
    world.tell(world.snapshot())
    world.fill_all()
    assert held(world) == {}
    assert status(world) is StrategyStatus.CLOSED
    assert kinds(world) == [K.ASSIGNED, K.ASSIGNED]


def test_covered_calls_assigned_in_part_are_as_designed_by_units() -> None:
    calls = {C460: Decimal(-3)}
    world = World(
        held={**calls, SPY: Decimal(300)},
        strategies=(definition("CC", "covered_call", calls, shares=300),),
        settings=UNITS,
    )
    world.row(C460, -1)
    world.row(SPY, 100)
    assert kinds(world) == [K.ASSIGNED]
    assert world.orders == []
    view = world.picture().strategies[0]
    assert (view.status, view.shares, view.legs[0].expected) == (StrategyStatus.INTACT, 100, -1)


def test_second_part_next_night_is_another_event_and_nothing_is_closed_twice() -> None:
    world = World(held={P440: Decimal(-3)}, strategies=(short_puts(3),), armed=False)
    world.row(P440, -1)
    world.row(SPY, 200)
    world.later(24 * 3600)
    world.row(P440, 0)
    world.row(SPY, 300)
    assert [(e.kind, e.quantity) for e in world.picture().assignments] == [
        (K.ASSIGNED, 2),
        (K.ASSIGNED, 1),
    ]
    assert [line.quantity for line in world.picture().strategies[0].plan] == [300]


def short_puts(count: int) -> StrategyDefinition:
    return definition("P", "single", {P440: Decimal(-count)})


# --- both shorts, verticals, netting -------------------------------------------------------------


def test_both_shorts_assigned_at_once_leave_no_shares_and_close_the_longs() -> None:
    world = World()
    world.row(P440, 0)
    world.row(C460, 0)
    assert set(kinds(world)) == {K.SUSPECT}
    confirm(world)
    assert kinds(world) == [K.ASSIGNED, K.ASSIGNED]
    open_market(world)
    assert sorted(world.fill_all()) == ["SELL 2 SPY 18Dec26 435 P", "SELL 2 SPY 18Dec26 465 C"]
    assert status(world) is StrategyStatus.CLOSED


def test_both_shorts_assigned_unevenly_sell_the_shares_that_are_left() -> None:
    world = World()
    world.row(C460, -1)
    world.row(P440, 0)
    world.row(SPY, 100)
    assert kinds(world) == [K.ASSIGNED, K.ASSIGNED]
    assert world.sent() == ["SELL 100 SPY"]


def test_assigned_shares_that_net_against_a_short_position_need_no_order() -> None:
    world = World(held={**CONDOR, SPY: Decimal(-200)})
    world.row(P440, 0)
    world.row(SPY, 0)
    assert kinds(world) == [K.ASSIGNED]
    open_market(world)
    assert "SPY" not in [o.instrument.name for o in world.orders]
    world.fill_all()
    assert status(world) is StrategyStatus.CLOSED


def test_assigned_shares_beyond_a_short_position_are_sold_only_as_far() -> None:
    world = World(held={**CONDOR, SPY: Decimal(-150)})
    world.row(P440, 0)
    world.row(SPY, 50)
    assert world.sent() == ["SELL 50 SPY"]


def test_two_strategies_assigned_the_other_way_net_and_leave_held_shares_alone() -> None:
    puts, calls = {P440: Decimal(-2)}, {C460: Decimal(-1)}
    world = World(
        held={**puts, **calls, SPY: Decimal(150)},
        strategies=(definition("PUT", "single", puts), definition("CALL", "single", calls)),
    )
    world.tell(*(world.row_fact(P440, 0), world.row_fact(C460, 0), world.row_fact(SPY, 250)))
    assert kinds(world) == [K.ASSIGNED, K.ASSIGNED]
    assert world.fill_all() == ["SELL 100 SPY"]
    assert held(world) == {"SPY": 150}
    assert {status(world, 0), status(world, 1)} == {StrategyStatus.CLOSED}


def test_vertical_gone_at_expiry_without_shares_is_expired() -> None:
    world = World(now=AFTER_EXPIRY, held=dict(VERTICAL), strategies=(vertical(),))
    world.row(P440, 0)
    world.row(P435, 0)
    confirm(world)
    assert kinds(world) == [K.EXPIRED, K.EXPIRED]
    assert status(world) is StrategyStatus.CLOSED
    assert world.orders == []


def test_vertical_whose_rows_pass_through_shares_at_expiry_sells_nothing() -> None:
    world = World(now=AFTER_EXPIRY, held=dict(VERTICAL), strategies=(vertical(),))
    world.row(P440, 0)
    world.row(SPY, 200)
    world.later(3)
    assert kinds(world) == [K.ASSIGNED]
    assert world.orders == []
    assert "still being settled" in world.picture().strategies[0].plan[0].reason
    world.row(P435, 0)
    world.row(SPY, 0)
    world.later(3)
    assert kinds(world) == [K.ASSIGNED, K.EXERCISED]
    assert world.orders == []
    assert status(world) is StrategyStatus.CLOSED


def test_pin_with_the_long_expired_sells_the_shares_only() -> None:
    world = World(now=AFTER_EXPIRY, held=dict(VERTICAL), strategies=(vertical(),))
    world.tell(world.row_fact(P440, 0), world.row_fact(P435, 0), world.row_fact(SPY, 200))
    world.later(3)
    assert kinds(world) == [K.ASSIGNED, K.SUSPECT]
    assert world.orders == []
    confirm(world)
    assert kinds(world) == [K.ASSIGNED, K.EXPIRED]
    assert world.sent() == ["SELL 200 SPY"]
    world.fill_all()
    assert status(world) is StrategyStatus.CLOSED
    assert world.picture().assignments[0].type is AssignmentTiming.EXPIRATION


def test_long_leg_that_expires_late_does_not_hold_the_shares_for_ever() -> None:
    world = World(now=AFTER_EXPIRY, held=dict(VERTICAL), strategies=(vertical(),))
    world.tell(world.row_fact(P440, 0), world.row_fact(SPY, 200))
    world.later(3)
    assert world.orders == []
    world.later(60)
    assert world.sent() == ["SELL 200 SPY"]


def vertical(name: str = "V") -> StrategyDefinition:
    return definition(name, "vertical", dict(VERTICAL))


def test_long_leg_exercised_breaks_the_strategy_and_its_shares_go() -> None:
    world = World()
    world.row(C465, 0)
    world.row(SPY, 200)
    assert world.orders == []
    world.later(3)
    assert kinds(world) == [K.EXERCISED]
    assert world.sent() == ["SELL 200 SPY"]
    assert world.picture().assignments[0].type is AssignmentTiming.EARLY


# --- one contract, several strategies ------------------------------------------------------------


def sharing() -> World:
    other = {P440: Decimal(-3), P430: Decimal(3)}
    both: dict[Instrument, Decimal] = {**CONDOR, P440: Decimal(-5), P430: Decimal(3)}
    return World(held=both, strategies=(definition(), definition("V", "vertical", other)))


def test_change_that_fits_one_of_the_strategies_exactly_is_its() -> None:
    world = sharing()
    world.row(P440, -2)
    world.row(SPY, 300)
    assert [(e.strategy_id, e.quantity) for e in world.picture().assignments] == [("V", 3)]
    assert status(world, 0) is StrategyStatus.INTACT
    open_market(world)
    world.fill_all()
    assert held(world) == {i.name: int(q) for i, q in CONDOR.items()}


def test_change_that_could_be_either_falls_on_the_first_and_says_so() -> None:
    world = sharing()
    world.row(P440, -4)
    world.row(SPY, 100)
    (event,) = world.picture().assignments
    assert (event.strategy_id, event.quantity) == ("SPY-IC-1", 1)
    assert "shared with V" in event.evidence
    open_market(world)
    world.fill_all()
    assert held(world) == {P440.name: -3, P430.name: 3}
    assert status(world, 1) is StrategyStatus.INTACT


def test_all_of_a_shared_contract_assigned_breaks_both() -> None:
    world = sharing()
    world.row(P440, 0)
    world.row(SPY, 500)
    assert [(e.strategy_id, e.quantity) for e in world.picture().assignments] == [
        ("SPY-IC-1", 2),
        ("V", 3),
    ]
    assert world.sent() == ["SELL 500 SPY"]
    assert "closed together with those of SPY-IC-1" in str(world.picture().strategies[1].plan)
    world.fill(world.orders[0], Decimal(350))
    assert [view.shares for view in world.picture().strategies] == [150, 0]
    world.fill(world.orders[0], Decimal(150))
    open_market(world)
    world.fill_all()
    assert held(world) == {}
    assert [o for o in world.sent() if o.endswith("SPY")] == ["SELL 500 SPY"]


def test_ten_assigned_at_once_are_closed_by_one_order_and_later_ones_by_the_next() -> None:
    puts = [option("P", 300 + n, f"5{n}") for n in range(12)]
    world = World(
        held={put: Decimal(-1) for put in puts},
        strategies=tuple(
            definition(f"S{n}", "single", {put: Decimal(-1)}) for n, put in enumerate(puts)
        ),
    )
    world.tell(*(world.row_fact(put, 0) for put in puts[2:]), world.row_fact(SPY, 1000))
    world.report(world.orders[0], OrderReport.WORKING)
    for number in (0, 1):
        world.row(puts[number], 0)
        world.row(SPY, 1100 + number * 100)
    assert world.sent() == ["SELL 1000 SPY"]
    assert world.cancels == []
    world.fill(world.orders[0])
    assert world.sent() == ["SELL 1000 SPY", "SELL 200 SPY"]
    world.fill_all()
    assert held(world) == {}
    assert {view.status for view in world.picture().strategies} == {StrategyStatus.CLOSED}


def test_assignments_that_follow_one_another_are_each_seen_at_once() -> None:
    puts = [option("P", 300 + n, f"5{n}") for n in range(4)]
    world = World(
        held={put: Decimal(-1) for put in puts},
        strategies=tuple(
            definition(f"S{n}", "single", {put: Decimal(-1)}) for n, put in enumerate(puts)
        ),
    )
    for number, put in enumerate(puts, 1):
        world.row(put, 0)
        world.row(SPY, number * 100)
        assert kinds(world) == [K.ASSIGNED] * number


def test_shares_as_many_as_are_kept_wait_a_moment_for_a_split_to_show() -> None:
    world = World(held={**CONDOR, SPY: Decimal(100)})
    world.row(P440, 0)
    world.row(SPY, 300)
    assert kinds(world) == [K.SUSPECT]
    world.later(2)
    assert kinds(world) == [K.ASSIGNED]
    assert world.sent() == ["SELL 200 SPY"]


def test_close_refused_for_one_strategy_does_not_keep_the_others_shares() -> None:
    world = sharing()
    world.row(P440, 0)
    world.row(SPY, 500)
    world.report(world.orders[0], OrderReport.REJECTED, reason="201")
    assert world.sent() == ["SELL 500 SPY", "SELL 300 SPY"]


def test_hand_trade_in_a_shared_contract_asks_for_attention() -> None:
    world = sharing()
    world.trade(P440, 1)
    world.row(P440, -4)
    assert kinds(world) == [K.MANUAL]
    assert status(world, 0) is StrategyStatus.ATTENTION
    assert "could be V as well" in world.picture().strategies[0].reason


# --- the broker's own executions -----------------------------------------------------------------


def test_the_venues_own_executions_end_the_doubt_in_session() -> None:
    world = World(now=MORNING)
    world.trade(P440, 2, origin=ExecutionOrigin.BROKER)
    world.trade(SPY, 200, origin=ExecutionOrigin.BROKER)
    world.row(P440, 0)
    world.row(SPY, 200)
    assert kinds(world) == [K.ASSIGNED]
    assert "SELL 200 SPY" in world.sent()


def test_the_venues_own_executions_move_nothing_by_themselves() -> None:
    world = World(now=MORNING)
    world.trade(P440, 2, origin=ExecutionOrigin.BROKER)
    assert kinds(world) == []
    assert world.picture().strategies[0].legs[0].held == -2


def test_liquidator_takes_a_leg_and_nothing_is_sent_beside_it() -> None:
    world = World(now=MORNING)
    world.trade(P435, -2, origin=ExecutionOrigin.LIQUIDATION)
    world.row(P435, 0)
    assert kinds(world) == [K.LIQUIDATED]
    assert status(world) is StrategyStatus.ATTENTION
    assert world.orders == []
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    world.fill_all()
    assert held(world) == {}


def test_liquidator_sells_the_shares_beside_us_and_ours_is_taken_back() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    world.report(world.orders[0], OrderReport.WORKING)
    world.trade(SPY, -150, origin=ExecutionOrigin.LIQUIDATION)
    world.row(SPY, 50)
    assert [c.client_order_id for c in world.cancels] == [world.orders[0].client_order_id]
    world.report(world.orders[0], OrderReport.CANCELLED)
    assert world.sent() == ["SELL 200 SPY", "SELL 50 SPY"]


# --- corporate actions ---------------------------------------------------------------------------


def test_split_is_followed_and_nothing_is_closed_blindly() -> None:
    new = {c: replace(c, ref=f"2{c.ref}", strike=c.strike / 2) for c in (P440, P435, C460, C465)}
    world = World()
    world.tell(*(ContractDescribed(venue=VENUE, spec=world.spec(c)) for c in new.values()))
    for old, follows in new.items():
        quantity = int(CONDOR[old])
        world.row(old, 0)
        world.row(follows, quantity * 2)
    world.later(1)
    world.tell(world.snapshot())
    assert set(kinds(world)) == {K.CORPORATE_ACTION}
    world.later(120)
    confirm(world)
    assert world.orders == []
    view = world.picture().strategies[0]
    assert view.status is StrategyStatus.ATTENTION
    assert [leg.held for leg in view.legs] == [-4, 4, -4, 4]
    open_market(world)
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    world.fill_all()
    assert held(world) == {}


def test_symbol_change_of_a_covered_call_moves_no_share() -> None:
    calls = {C460: Decimal(-1)}
    renamed = replace(C460, ref="3001", underlying="SPYX")
    other = Stock(ref="3000", symbol="SPYX")
    world = World(
        held={**calls, SPY: Decimal(100)},
        strategies=(definition("CC", "covered_call", calls, shares=100),),
    )
    facts = [
        world.row_fact(SPY, 0),
        world.row_fact(C460, 0),
        world.row_fact(other, 100),
        world.row_fact(renamed, -1),
    ]
    world.tell(*facts)
    world.later(1)
    world.tell(world.snapshot())
    world.later(120)
    assert set(kinds(world)) == {K.CORPORATE_ACTION}
    assert world.orders == []
    view = world.picture().strategies[0]
    assert (view.status, view.shares) == (StrategyStatus.ATTENTION, 100)


# --- other people --------------------------------------------------------------------------------


def test_long_leg_sold_by_hand_leaves_the_short_uncovered_and_says_so() -> None:
    world = World(now=MORNING)
    world.trade(P435, -2)
    world.row(P435, 0)
    assert status(world) is StrategyStatus.ATTENTION
    assert "2 short put no longer covered" in world.picture().strategies[0].reason
    assert world.orders == []


def test_strategy_closed_by_hand_leg_by_leg_is_closed() -> None:
    world = World(now=MORNING)
    for contract, quantity in CONDOR.items():
        world.trade(contract, -int(quantity))
        world.row(contract, 0)
    assert status(world) is StrategyStatus.CLOSED
    assert world.orders == []


def test_person_buying_back_the_short_we_buy_back_makes_us_undo_the_surplus() -> None:
    world = World(now=MORNING)
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    buy = next(o for o in world.orders if o.instrument == C460)
    world.trade(C460, 2)
    world.row(C460, 0)
    world.fill(buy)
    assert world.book[ACCOUNT, C460] == 2
    world.fill_all()
    assert held(world) == {}
    assert "SELL 2 SPY 18Dec26 460 C" in world.sent()


def test_leg_missing_is_a_naked_position_and_critical() -> None:
    world = World()
    world.row(P435, 0)
    confirm(world)
    assert any(a.severity == "CRITICAL" and "NAKED_POSITION" in a.title for a in world.alerts)
    assert status(world) is StrategyStatus.BROKEN


def test_leg_missing_waits_for_its_owner_when_told_so() -> None:
    world = World(settings=OptionSettings(venue=VENUE, auto_close_on_assignment=False))
    world.row(P435, 0)
    confirm(world)
    open_market(world)
    assert status(world) is StrategyStatus.ATTENTION
    assert world.orders == []


# --- order of rows -------------------------------------------------------------------------------

outcomes = st.fixed_dictionaries(
    {
        "put": st.integers(0, 2),
        "call": st.integers(0, 2),
        "before": st.sampled_from([0, 150, -300]),
    }
)


@settings(max_examples=40, deadline=None)
@given(outcome=outcomes)
def test_the_order_of_rows_within_the_settle_window_changes_nothing(
    outcome: dict[str, int],
) -> None:
    put, call, before = outcome["put"], outcome["call"], outcome["before"]
    rows = [(P440, put - 2), (C460, call - 2), (SPY, before + 100 * (put - call))]
    rows = [(i, q) for i, q in rows if q != {P440: -2, C460: -2, SPY: before}[i]]
    seen = set()
    for order in permutations(rows):
        world = World(now=NIGHT, held={**CONDOR, SPY: Decimal(before)})
        for instrument, quantity in order:
            world.now += timedelta(milliseconds=300)
            world.row(instrument, quantity)
        confirm(world)
        view = world.picture().strategies[0]
        events = sorted((e.instrument, e.kind, e.quantity) for e in world.picture().assignments)
        seen.add((tuple(events), view.shares, tuple(leg.held for leg in view.legs)))
    assert len(seen) <= 1
    for events, shares, _ in seen:
        assert {kind for _, kind, _ in events} <= {K.ASSIGNED}
        assert shares == 100 * (put - call)


def test_short_seen_uncovered_from_the_start_is_critical_and_left_alone() -> None:
    world = World(held={P440: Decimal(-2), C460: Decimal(-2), C465: Decimal(2)})
    assert any(
        a.severity == "CRITICAL" and "NAKED_POSITION, 2 short put" in a.title for a in world.alerts
    )
    assert status(world) is StrategyStatus.ATTENTION
    open_market(world)
    assert world.orders == []


def test_execution_older_than_the_book_changes_nothing() -> None:
    world = World(now=MORNING)
    before = world.now
    world.now -= timedelta(hours=2)
    old = world.trade(P440, 2, told=False)
    world.now = before
    world.tell(ExecutionReported(venue=VENUE, execution=old))
    assert kinds(world) == []
    assert world.picture().strategies[0].legs[0].held == -2
