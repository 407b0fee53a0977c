"""What holds whatever happens in whatever order, and wherever the engine is killed."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.desk import Desk
from engine.desk.facts import ExecutionOrigin, OrderReport
from engine.desk.instruments import Perpetual
from engine.desk.intents import Purpose
from engine.desk.perps.definitions import CloseOrderType, ManagerSettings
from engine.desk.snapshot import Snapshot
from tests.engine.desk.perps.perps_world import (
    BTC,
    ETH,
    Crashed,
    D,
    World,
    manager,
    still,
)

Happening = tuple[str, Any, int]

MANAGERS = (
    (manager(at_once=True),),
    (manager(stop_loss=D("0.05"), take_profit=D("0.05")),),
    (
        manager(
            percent="60",
            trailing_activation=D("0.01"),
            trailing_delta=D("0.02"),
            stop_loss=D("0.03"),
            time_limit_seconds=40,
            order_type=CloseOrderType.LIMIT,
            max_order_age_seconds=5,
        ),
        manager(at_once=True, percent="30"),
    ),
    (),
)

instruments = st.sampled_from([BTC, ETH])
numbers = st.integers(-3, 3)
happenings = st.one_of(
    st.tuples(st.just("assigned"), instruments, numbers),
    st.tuples(st.just("assigned"), instruments, numbers),
    st.tuples(st.just("hand"), instruments, numbers),
    st.tuples(st.just("adl"), instruments, numbers),
    st.tuples(st.just("row"), instruments, numbers),
    st.tuples(st.just("quote"), instruments, st.integers(90, 110)),
    st.tuples(st.just("quote"), instruments, st.integers(90, 110)),
    st.tuples(st.just("guard"), instruments, st.integers(1, 5)),
    st.tuples(st.just("release"), st.just(None), st.integers(0, 3)),
    st.tuples(st.just("close"), st.sampled_from([None, "BTC-USD", 0, 1]), st.just(0)),
    st.tuples(st.just("mood"), st.sampled_from(["told", "timeout", "lost"]), st.just(0)),
    st.tuples(st.just("depth"), st.just(None), st.integers(0, 2)),
    st.tuples(st.just("refuse"), st.sampled_from(["", "no", "would trigger"]), st.just(0)),
    st.tuples(st.just("blocks"), st.booleans(), st.just(0)),
    st.tuples(st.just("deaf"), st.booleans(), st.just(0)),
    st.tuples(st.just("wait"), st.just(None), st.sampled_from([1, 3, 15, 50])),
    st.tuples(st.just("link"), st.just(None), st.just(0)),
    st.tuples(st.just("restart"), st.just(None), st.just(0)),
)


def live(world: World, story: list[Happening]) -> None:
    for word, what, number in story:
        _happen(world, word, what, number)


def _happen(world: World, word: str, what: Any, number: int) -> None:
    exchange = world.exchange
    names = [barrier.id for barrier in world.picture().barriers]
    if word == "assigned" and number:
        world.assigned(number, instrument=what)
    elif word == "hand" and number:
        world.happens(ExecutionOrigin.HAND, number, instrument=what)
    elif word == "adl" and number:
        world.happens(ExecutionOrigin.ADL, number, instrument=what, row=False)
    elif word == "row":
        exchange.positions[what] = D(number)
        world.row(what)
    elif word == "quote":
        world.quote(number, number + 0.5, instrument=what)
    elif word == "guard":
        loss = str(number / 100)
        world.guard(instrument=what, stop_loss=loss, trailing_activation=loss, trailing_delta=loss)
    elif word == "release" and number < len(names):
        world.release(names[number])
    elif word == "close":
        if isinstance(what, int):
            what = names[what] if what < len(names) else "nobody"
        world.close(what)
    elif word == "mood":
        exchange.answers = str(what)
    elif word == "depth":
        exchange.depth = D(number) if number else None
    elif word == "refuse":
        exchange.refuse_stops = str(what)
    elif word == "blocks":
        exchange.resting_blocks = bool(what)
    elif word == "deaf":
        exchange.deaf_to_cancels = bool(what)
    elif word == "wait":
        world.later(number)
    elif word == "link":
        world.disconnect()
        world.connect()
    elif word == "restart":
        world.restart()


def seen(picture: Snapshot) -> Snapshot:
    return replace(picture, barriers=tuple(still(b) for b in picture.barriers))


@settings(max_examples=200, deadline=None)
@given(story=st.lists(happenings, min_size=8, max_size=40), managers=st.sampled_from(MANAGERS))
def test_a_replayed_journal_is_the_state(
    story: list[Happening], managers: tuple[ManagerSettings, ...]
) -> None:
    world = World(*managers, held={ETH: D(2)})
    live(world, story)
    again = world.replayed()
    # Time may have passed since the last thing worth a line in the journal.
    again.apply((), world.desk.floor.now)
    assert seen(world.picture(again)) == seen(world.picture())
    assert again.next_deadline() == world.desk.next_deadline()
    for ours, theirs in zip(world.picture().barriers, world.picture(again).barriers, strict=True):
        if ours.trailing is None or theirs.trailing is None:
            assert ours.trailing == theirs.trailing
        elif ours.trailing != theirs.trailing:
            seen_live, remembered = ours.trailing.trigger, theirs.trailing.trigger
            assert ours.trailing.active == theirs.trailing.active
            assert seen_live is not None
            assert remembered is not None
            # A tenth of the widest delta that is used here, five percent.
            assert abs(seen_live - remembered) <= ours.entry_price * D("0.005")


@settings(max_examples=200, deadline=None)
@given(story=st.lists(happenings, min_size=8, max_size=40), managers=st.sampled_from(MANAGERS))
def test_when_the_dust_settles_nothing_is_left_behind(
    story: list[Happening], managers: tuple[ManagerSettings, ...]
) -> None:
    """Every order is checked on its way out: reduce-only, one at a time, never more than held."""
    world = World(*managers, held={ETH: D(2)})
    live(world, story)
    world.exchange.answers, world.exchange.depth = "told", None
    world.exchange.refuse_stops = ""
    world.exchange.resting_blocks = world.exchange.deaf_to_cancels = False
    world.later(100)
    world.tell(world.exchange.snapshot(world.now))
    world.later(10)
    for instrument in (BTC, ETH):
        world.quote(100, 100.5, instrument=instrument)
    world.later(100)
    picture = world.picture()
    assert not [b for b in picture.barriers if b.state in ("CLOSING", "ATTENTION")]
    holding = {b.id: b.quantity for b in picture.barriers if b.state == "HOLDING" and b.stop_loss}
    stops = {o.intent.strategy_id: o.left for o in world.exchange.working()}
    assert stops == holding
    held = {(p.instrument): abs(p.quantity) for p in picture.positions}
    for barrier in picture.barriers:
        assert barrier.quantity <= held.get(barrier.instrument, 0)
    assert {p.instrument: p.quantity for p in picture.positions} == {
        i.symbol: q for i, q in world.exchange.positions.items() if q
    }


# --- killed ------------------------------------------------------------------------------------


def close_at_once(world: World) -> None:
    world.assigned(2)


def close_in_parts(world: World) -> None:
    world.exchange.depth = D("1.2")
    world.assigned(2)


def stop_then_target(world: World) -> None:
    world.assigned(2)
    world.quote(110)


def stop_then_trailing(world: World) -> None:
    world.assigned(2)
    for bid in (103, 106, 104):
        world.quote(bid)


def stop_resized_then_reached(world: World) -> None:
    world.assigned(2)
    world.happens(ExecutionOrigin.ADL, -0.5)
    world.quote(94)


def timed_out(world: World) -> None:
    world.exchange.answers = "timeout"
    world.assigned(2)
    world.exchange.answers = "told"
    world.later(5)


Story = Callable[[World], None]
OWN = {BTC: D(5)}
BETWEEN = manager(
    stop_loss=D("0.05"),
    take_profit=D("0.1"),
    trailing_activation=D("0.02"),
    trailing_delta=D("0.01"),
)
STORIES = [
    (manager(at_once=True), OWN, close_at_once),
    (manager(at_once=True), OWN, close_in_parts),
    (manager(at_once=True), OWN, timed_out),
    (BETWEEN, OWN, stop_then_target),
    (BETWEEN, OWN, stop_then_trailing),
    (BETWEEN, {}, stop_resized_then_reached),
]


@pytest.mark.parametrize("acts", [False, True], ids=["before_it_acts", "after_it_acted"])
@pytest.mark.parametrize(("rule", "own", "story"), STORIES, ids=[s[2].__name__ for s in STORIES])
def test_killed_anywhere_it_closes_once_and_leaves_no_stop(
    rule: ManagerSettings, own: dict[Perpetual, Decimal], story: Story, acts: bool
) -> None:
    whole = World(rule, held=own)
    first = len(whole.batches)
    story(whole)
    left = own.get(BTC, 0)
    assert whole.held() == left
    for crash_at in range(first + 1, len(whole.batches) + 1):
        world = World(rule, held=own)
        world.crash_at, world.crash_before_acting = crash_at, not acts
        with pytest.raises(Crashed):
            story(world)
        world.restart()
        world.exchange.depth, world.exchange.answers = None, "told"
        world.quote(94)
        world.later(60)
        assert world.held() == left, f"killed at {crash_at} of {len(whole.batches)}"
        assert world.exchange.working() == []
        assert sum(o.filled for o in world.exchange.all()) <= 2
        assert {event.state.value for event in world.events()} <= {"CLOSED", "NOTED"}


def test_killed_while_a_stop_rests_it_is_found_and_not_placed_again() -> None:
    world = World(manager(stop_loss=D("0.05")))
    world.assigned(2)
    for _ in range(3):
        world.restart()
        world.later(60)
    assert len(world.orders) == 1
    assert world.barrier().resident_stop == 95
    world.quote(110)
    world.quote(95)
    assert sum(o.filled for o in world.exchange.all()) == 2
    assert world.held() == 0
    assert world.exchange.working() == []


def test_a_stop_that_was_reached_while_the_engine_was_dead_closed_the_position() -> None:
    world = World(manager(stop_loss=D("0.05")))
    world.assigned(2)
    (stop,) = world.exchange.working()
    world.exchange.fill(stop, D(2), D(95), world.now)
    world.restart()
    view = world.barrier()
    assert (view.state, view.close_type) == ("CLOSED", "STOP_LOSS")
    assert world.closes() == []


def test_a_time_limit_that_passed_while_the_engine_was_dead_closes_at_the_start() -> None:
    world = World(manager(time_limit_seconds=60))
    world.assigned(2)
    world.now = world.now.replace(hour=13)
    world.restart()
    world.later(1)
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.barrier().close_type == "TIME_LIMIT"


def test_a_trailing_stop_remembers_its_peak_across_a_restart() -> None:
    world = World(
        manager(trailing_activation=D("0.02"), trailing_delta=D("0.01"), resident_stop=False)
    )
    world.assigned(2)
    for bid in (103, 103.05, 103.12):
        world.quote(bid)
    before = world.barrier().trailing
    assert before is not None
    assert before.trigger == D("102.12")
    world.restart()
    after = world.barrier().trailing
    assert after is not None
    assert after.active
    assert after.trigger == D("102.12")
    world.quote(102.11)
    assert world.closes() == ["SELL 2 BTC-USD"]


def test_a_lost_journal_does_not_close_a_second_time() -> None:
    world = World(manager(at_once=True))
    world.exchange.depth = D("1.2")
    world.assigned(2)
    world.exchange.depth = None
    assert world.held() == 0
    world.assigned(1, told=False)
    lost = world.desk
    world.desk = Desk()
    world.tell(*(fact for _, facts in world.batches[:2] for fact in facts))
    world.connect()
    assert world.desk is not lost
    assert world.held() == 0
    assert sum(o.filled for o in world.exchange.all()) == 3
    purposes = {o.intent.purpose for o in world.exchange.all()}
    assert purposes == {Purpose.CLOSE_ASSIGNED}
    assert all(o.report is not OrderReport.WORKING for o in world.exchange.all())
