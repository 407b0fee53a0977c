"""On new ground the strategies are placed and looked at in pieces; what comes of it, whatever else
happens meanwhile, is what would have come of it in one go."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.desk import Desk, Outcome
from engine.desk.facts import (
    CloseRequested,
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    ExecutionOrigin,
    Fact,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import Instrument, OptionContract, Right
from engine.desk.options.definitions import OptionSettings, StrategyDefinition
from engine.desk.picture import picture
from engine.desk.snapshot import Snapshot, StrategyStatus
from tests.engine.desk.test_desk_properties import happenings, live
from tests.engine.desk.world import (
    C460,
    C465,
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

Story = list[tuple[str, object, int, bool]]

ONE_GO = 10**9
P430 = option("P", 430, "1005")
SOON = OptionContract(
    ref="1006",
    underlying="SPY",
    right=Right.PUT,
    strike=Decimal(420),
    expiry=(NIGHT + timedelta(days=1)).date(),
)
HELD: dict[Instrument, Decimal] = {
    P440: Decimal(-6),
    P435: Decimal(4),
    C460: Decimal(-6),
    C465: Decimal(4),
    P430: Decimal(2),
    SOON: Decimal(-1),
    SPY: Decimal(200),
}
DECLARED = (
    definition("SPY-IC-1"),
    definition("CC-1", "covered_call", {C460: Decimal(-1)}, shares=100),
    definition("V", "vertical", {P440: Decimal(-2), P430: Decimal(2)}),
    definition("SOON", "single", {SOON: Decimal(-1)}),
    definition("IC-2"),
    definition("CC-2", "covered_call", {C460: Decimal(-1)}, shares=100),
    definition("NEVER", "single", {option("C", 500, "1009"): Decimal(-1)}),
    definition("OTHER", "single", {P435: Decimal(1)}, account="DU2"),
)


class Ground(World):
    """A desk that takes new ground in so many pieces."""

    def __init__(self, pieces: int, **more: object) -> None:
        self.pieces = pieces
        chosen = {"held": dict(HELD), "strategies": DECLARED, **more}
        super().__init__(**chosen)  # type: ignore[arg-type]

    def tell(self, *facts: Fact) -> Outcome:
        self.desk.options.pieces = self.pieces
        return super().tell(*facts)

    def turn(self) -> None:
        """Let the desk go on with what it put off, once."""
        if self.desk.is_behind:
            due = self.desk.next_deadline()
            assert due is not None
            assert due - self.now < timedelta(milliseconds=1)
            self.now = due
            self.tell(DeadlinePassed())

    def finish(self) -> None:
        while self.desk.is_behind:
            self.turn()

    def come(self) -> tuple[object, ...]:
        """What came of it all, without the instants, which are microseconds apart."""
        shown = self.picture()
        return (
            self.sent(),
            [order.client_order_id for order in self.orders],
            [cancel.client_order_id for cancel in self.cancels],
            [(alert.severity, alert.title, alert.body) for alert in self.alerts],
            shown.strategies,
            shown.differences,
            shown.candidates,
            [(one.kind, one.strategy_id, one.state) for one in shown.assignments],
        )


def redeclared(strategies: tuple[StrategyDefinition, ...]) -> ConfigApplied:
    return ConfigApplied(
        armed=True,
        options=OptionSettings(venue=VENUE, close_at_dte=0),
        strategies=strategies,
    )


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.integers(1, 30),
    turns=st.integers(0, 30),
    before=st.none() | st.lists(happenings, max_size=5),
    story=st.lists(happenings, max_size=8),
    night=st.booleans(),
)
def test_in_pieces_it_comes_to_the_same_whatever_happens_in_the_middle(
    pieces: int, turns: int, before: Story | None, story: Story, night: bool
) -> None:
    now = NIGHT if night else MORNING
    whole, parts = Ground(ONE_GO, now=now), Ground(pieces, now=now)
    if before is not None:
        parts.finish()
        whole.now = parts.now
        for world in (whole, parts):
            live(world, before)
            world.tell(redeclared(DECLARED[::-1]))
    for _ in range(turns):
        parts.turn()
    for happening in story:
        if happening[0] in ("fill", "reject", "lose"):
            # There is nothing to fill before it was sent.
            parts.finish()
        whole.now = parts.now = max(whole.now, parts.now)
        live(whole, [happening])
        live(parts, [happening])
    parts.finish()
    assert parts.come() == whole.come()


@settings(max_examples=100, deadline=None)
@given(
    pieces=st.integers(1, 30),
    turns=st.integers(0, 30),
    story=st.lists(happenings, max_size=5),
    config=st.booleans(),
)
def test_killed_in_the_middle_and_replayed_it_goes_on_as_it_would_have(
    pieces: int, turns: int, story: Story, config: bool
) -> None:
    world = Ground(pieces)
    if config:
        world.finish()
        world.tell(redeclared(DECLARED[::-1]))
    for _ in range(turns):
        world.turn()
    again = Desk()
    again.options.pieces = pieces
    for at, facts in world.batches:
        again.apply(facts, at)
    assert shown(again, world) == world.picture()
    lived = len(world.batches)
    live(world, story)
    world.finish()
    for at, facts in world.batches[lived:]:
        again.apply(facts, at)
    assert shown(again, world) == world.picture()


def shown(desk: Desk, world: World) -> Snapshot:
    return picture(desk, now=world.now, mode="paper", started_at=NIGHT, venues=(), quotes={})


@pytest.mark.parametrize("turns", range(6))
def test_an_assignment_in_the_middle_is_closed_once(turns: int) -> None:
    world = Ground(1, strategies=DECLARED[:1], held={P440: -2, P435: 2, C460: -2, C465: 2})
    for _ in range(turns):
        world.turn()
    world.tell(world.row_fact(P440, 0), world.row_fact(SPY, 200))
    assert world.sent() == ["SELL 200 SPY"]
    world.finish()
    assert world.sent() == ["SELL 200 SPY"]
    assert world.picture().strategies[0].status is StrategyStatus.CLOSING


@pytest.mark.parametrize("turns", range(6))
def test_an_emergency_close_in_the_middle_is_answered_and_sent_once_at_once(turns: int) -> None:
    world = Ground(1, now=MORNING, strategies=DECLARED[:1])
    for _ in range(turns):
        world.turn()
    asked = CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=True, by="me")
    outcome = world.tell(asked)
    assert [answer.ok for answer in outcome.answers] == [True]
    sent = world.sent()
    assert any(line.startswith("BUY 2 SPY 18Dec26 440 P") for line in sent)
    world.finish()
    assert world.sent() == sent


@pytest.mark.parametrize("turns", range(6))
def test_a_trade_by_hand_in_the_middle_is_booked_to_its_strategy(turns: int) -> None:
    world = Ground(1, now=MORNING, strategies=DECLARED[:1], held={P440: -2, P435: 2, C460: -2})
    for _ in range(turns):
        world.turn()
    world.trade(P440, 2, origin=ExecutionOrigin.HAND)
    leg = world.desk.options.strategies["SPY-IC-1"].legs[0]
    assert not leg.expected
    assert not leg.held


def test_meanwhile_nothing_is_shown_that_is_not_so() -> None:
    world = Ground(1, strategies=DECLARED[:3])
    calm = {StrategyStatus.ATTENTION, StrategyStatus.INTACT}
    while world.desk.is_behind:
        seen = world.picture()
        assert {strategy.status for strategy in seen.strategies} <= calm
        assert not seen.differences
        assert not seen.candidates
        world.turn()
    assert {s.status for s in world.picture().strategies} == {StrategyStatus.INTACT}


def test_strategies_that_stay_are_shown_as_they_were_while_another_is_declared() -> None:
    world = Ground(1, strategies=DECLARED[:3])
    world.finish()
    before = world.picture().strategies
    world.tell(redeclared(DECLARED[:3] + DECLARED[4:5]))
    turns = 0
    while world.desk.is_behind:
        assert world.picture().strategies[:3] == before
        world.turn()
        turns += 1
    assert turns > 5
    assert world.picture().strategies[:3] == before


def test_no_decision_looks_at_more_strategies_than_it_has_pieces() -> None:
    puts = [option("P", 300 + n, f"5{n}") for n in range(50)]
    world = Ground(
        4,
        held={put: Decimal(-1) for put in puts},
        strategies=tuple(
            definition(f"S{n}", "single", {p: Decimal(-1)}) for n, p in enumerate(puts)
        ),
    )
    looked = 0
    while world.desk.is_behind:
        world.turn()
        now = sum(s.seen_whole for s in world.desk.options.strategies.values())
        assert now - looked <= 4
        looked = now
    assert looked == 50


def test_a_row_that_is_no_news_hurries_a_replay_too() -> None:
    world = Ground(1)
    assert world.desk.is_behind
    world.tell(world.row_fact(P440, -6))
    assert not world.desk.is_behind
    again = Desk()
    again.options.pieces = 1
    for at, facts in world.batches:
        again.apply(facts, at)
    assert shown(again, world) == world.picture()


def test_what_moves_nothing_hurries_nothing() -> None:
    world = Ground(1)
    world.turn()
    while world.desk.is_behind:
        before = len(world.batches)
        world.tell(ContractDescribed(venue=VENUE, spec=world.spec(P440)))
        world.turn()
        assert len(world.batches) - before <= 1
    whole = Ground(ONE_GO)
    assert world.come() == whole.come()


def test_on_a_frozen_link_it_waits_for_the_link_and_not_for_the_clock() -> None:
    world = Ground(1, strategies=DECLARED[:1])
    world.finish()
    world.tell(VenueChanged(venue=VENUE, state=VenueState.DOWN, detail="gone"))
    world.tell(redeclared(DECLARED[:3]))
    world.finish()
    due = world.desk.next_deadline()
    assert due is None or due - world.now > timedelta(seconds=1)
    world.tell(VenueChanged(venue=VENUE, state=VenueState.READY))
    world.finish()
    assert {s.status for s in world.picture().strategies} == {StrategyStatus.INTACT}
