"""Dividing what was touched comes to the same as dividing everything, and costs no more for more
strategies; the venue is asked when an explanation is late, not at once."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.desk import Desk
from engine.desk.facts import ArmedChanged, CloseRequested, DeadlinePassed
from engine.desk.instruments import Instrument
from engine.desk.options.roster import Roster
from engine.desk.picture import draw_some, ground_of, picture
from engine.desk.snapshot import AssignmentKind, StrategyStatus
from tests.engine.desk.test_desk_properties import happenings, live
from tests.engine.desk.world import (
    ACCOUNT,
    C460,
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

P430 = option("P", 430, "1005")
SHARED: dict[Instrument, Decimal] = {
    **CONDOR,
    P440: Decimal(-4),
    P430: Decimal(2),
    C460: Decimal(-3),
    SPY: Decimal(100),
}
SHARING = (
    definition("IC"),
    definition("V", "vertical", {P440: Decimal(-2), P430: Decimal(2)}),
    definition("CC", "covered_call", {C460: Decimal(-1)}, shares=100),
    definition("OTHER", "single", {P435: Decimal(1)}, account="DU2"),
)


def divided(strategies: object) -> list[tuple[object, ...]]:
    assert isinstance(strategies, dict)
    return [
        (s.id, s.account, leg.contract, leg.held) for s in strategies.values() for leg in s.legs
    ]


def sharing_world(**more: object) -> World:
    world = World(held=dict(SHARED), strategies=SHARING, **more)  # type: ignore[arg-type]
    world.tell()
    return world


@settings(max_examples=120, deadline=None)
@given(story=st.lists(happenings, max_size=20), night=st.booleans())
def test_dividing_what_was_touched_is_dividing_everything(
    story: list[tuple[str, object, int, bool]], night: bool
) -> None:
    world = sharing_world(now=NIGHT if night else MORNING)
    for happening in story:
        live(world, [happening])
        scratch = Roster()
        scratch.declare(deepcopy(list(world.desk.options.strategies.values())))
        for _ in scratch.rebuild(world.desk.floor.book(VENUE), world.accounts):
            pass
        assert divided(world.desk.options.strategies) == divided(scratch.strategies)


@settings(max_examples=120, deadline=None)
@given(story=st.lists(happenings, max_size=20))
def test_a_kept_view_is_the_view_drawn_anew(story: list[tuple[str, object, int, bool]]) -> None:
    world = sharing_world(now=MORNING)
    for happening in story:
        live(world, [happening])
        kept = world.picture()
        world.desk.options.drawings.clear()
        drawn = picture(
            world.desk, now=world.now, mode="paper", started_at=NIGHT, venues=(), quotes={}
        )
        assert kept == drawn


@settings(max_examples=120, deadline=None)
@given(story=st.lists(happenings, max_size=20))
def test_no_share_of_a_contract_is_more_than_is_held(
    story: list[tuple[str, object, int, bool]],
) -> None:
    world = sharing_world(now=MORNING)
    for happening in story:
        live(world, [happening])
        book = world.desk.floor.book(VENUE)
        shares: dict[str, Decimal] = {}
        for strategy in world.desk.options.strategies.values():
            for leg in strategy.legs:
                if leg.contract is not None and strategy.account == ACCOUNT:
                    ref = leg.contract.ref
                    shares[ref] = shares.get(ref, Decimal(0)) + leg.held
        for ref, total in shares.items():
            assert total * book.effective(ACCOUNT, ref) >= 0
            assert abs(total) <= abs(book.effective(ACCOUNT, ref))


@settings(max_examples=120, deadline=None)
@given(story=st.lists(happenings, max_size=25), night=st.booleans())
def test_shared_contracts_replay_to_the_same_state_with_one_close_each(
    story: list[tuple[str, object, int, bool]], night: bool
) -> None:
    world = sharing_world(now=NIGHT if night else MORNING)
    for happening in story:
        live(world, [happening])
        orders = world.desk.floor.orders.values()
        closing = [(o.intent.account, o.intent.instrument.ref) for o in orders if o.blocks]
        assert len(closing) == len(set(closing))
    again = Desk()
    for at, facts in world.batches:
        again.apply(facts, at)
    drawn = picture(again, now=world.now, mode="paper", started_at=NIGHT, venues=(), quotes={})
    assert drawn == world.picture()


def test_only_the_strategy_whose_contract_moved_is_visited() -> None:
    puts = [option("P", 300 + n, f"5{n}") for n in range(50)]
    world = World(
        held={put: Decimal(-1) for put in puts},
        strategies=tuple(definition(f"S{n}", "single", {p: -1}) for n, p in enumerate(puts)),
    )
    world.later(1)
    before = {s.id: s.revision for s in world.desk.options.strategies.values()}
    world.row(puts[7], 0)
    after = {s.id: s.revision for s in world.desk.options.strategies.values()}
    assert [name for name in after if after[name] != before[name]] == ["S7"]


def test_the_venue_is_not_asked_while_the_second_row_may_be_on_its_way() -> None:
    world = World()
    world.row(P440, 0)
    assert world.picture().strategies[0].status is StrategyStatus.SUSPECT
    world.later(0.2)
    assert world.asked == 0
    world.row(SPY, 200)
    assert [e.kind for e in world.picture().assignments] == [AssignmentKind.ASSIGNED]
    world.later(5)
    assert world.asked == 0


def test_the_venue_is_asked_when_the_second_row_stays_away() -> None:
    world = World()
    world.row(P440, 0)
    world.later(0.25)
    assert world.asked == 1
    world.later(40)
    assert world.asked == 1


def test_in_session_the_venue_is_asked_as_soon_as_both_rows_are_there() -> None:
    world = World(now=MORNING)
    world.row(P440, 0)
    assert world.asked == 0
    world.now += timedelta(milliseconds=5)
    world.row(SPY, 200)
    assert world.asked == 1
    assert world.orders == []
    world.now += timedelta(milliseconds=50)
    world.tell(world.snapshot())
    assert "SELL 200 SPY" in world.sent()


def test_a_strategy_is_found_in_whichever_account_holds_it() -> None:
    world = World(held={}, accounts=(ACCOUNT, "DU2"))
    assert world.picture().strategies[0].account == ""
    for contract, quantity in CONDOR.items():
        world.row(contract, int(quantity), account="DU2")
    view = world.picture().strategies[0]
    assert view.account == "DU2"
    assert [leg.held for leg in view.legs] == list(CONDOR.values())


def test_two_contracts_of_the_same_terms_leave_a_leg_unbound_and_say_so() -> None:
    adjusted = option("P", 440, "9001")
    world = World(held={**CONDOR, adjusted: Decimal(-2)})
    view = world.picture().strategies[0]
    assert view.status is StrategyStatus.ATTENTION
    assert "1001, 9001" in view.reason
    world.tell(CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me"))
    assert not any(o.instrument in (P440, adjusted) for o in world.orders)


def test_a_picture_drawn_ahead_in_parts_is_taken_as_it_is() -> None:
    names = ("A", "B", "C")
    held = {leg: quantity * len(names) for leg, quantity in CONDOR.items()}
    world = World(held=held, strategies=tuple(definition(name) for name in names))
    place: int | None = 0
    while place is not None:
        place = draw_some(world.desk, {}, place, 2)
    ahead = {name: drawn.view for name, drawn in world.desk.options.drawings.items()}
    assert set(ahead) == set(names)
    shown = world.picture().strategies
    assert all(view is ahead[view.id] for view in shown)
    world.desk.options.drawings.clear()
    assert world.picture().strategies == shown


def test_what_a_picture_stands_on_is_another_when_it_is_disarmed_or_a_day_later() -> None:
    world = World()
    before = ground_of(world.desk)
    world.tell(DeadlinePassed())
    assert ground_of(world.desk) == before
    world.tell(ArmedChanged(request_id="r", armed=False, by="test"))
    disarmed = ground_of(world.desk)
    assert disarmed != before
    world.later(86_400)
    world.tell(DeadlinePassed())
    assert ground_of(world.desk) != disarmed
