"""What a person asks of guarded and unguarded positions, and which quotes are believed."""

import math

import pytest

from engine.desk.desk import Desk
from engine.desk.facts import ExecutionOrigin, VenueChanged, VenueState, VenueWarned
from engine.desk.intents import Severity
from engine.desk.market import Quote
from engine.desk.snapshot import AssignmentState
from tests.engine.desk.perps.perps_world import BTC, ETH, VENUE, D, World, manager

STOPPED = manager(stop_loss=D("0.05"))


# --- guard and release -------------------------------------------------------------------------


def test_a_position_of_ones_own_is_put_between_barriers_and_closed_by_them() -> None:
    world = World(held={BTC: D(3)})
    answer = world.guard(stop_loss="0.05", take_profit="0.1")
    assert answer.ok
    view = world.barrier()
    assert answer.message == f"{view.id}: 3 BTC-USD is between barriers."
    assert (view.quantity, view.entry_price, view.stop_loss) == (D(3), D(100), D(95))
    assert view.set_by == "me"
    assert world.picture().positions[0].barrier_id == view.id
    assert view.resident_stop == 95
    world.quote(110)
    assert world.closes() == ["SELL 3 BTC-USD"]
    assert world.exchange.working() == []


def test_a_guarded_short_has_its_barriers_on_the_other_side() -> None:
    world = World(held={BTC: D(-3)})
    assert world.guard(stop_loss="0.05", trailing_activation="0.02", trailing_delta="0.01").ok
    assert world.barrier().stop_loss == 105
    world.quote(97)
    world.quote(98.01)
    assert world.closes() == ["BUY 3 BTC-USD"]


def test_new_barriers_ask_once_to_be_shown_the_price_that_stands() -> None:
    world = World(held={BTC: D(3)})
    assert world.desk.unseen() == ()
    world.guard(stop_loss="0.05")
    assert world.desk.unseen() == ((VENUE, BTC.ref),)
    assert world.desk.unseen() == ()
    world.guard(take_profit="0.1")
    assert world.desk.unseen() == ((VENUE, BTC.ref),)


def test_what_cannot_be_guarded_is_refused_in_words() -> None:
    world = World(held={BTC: D(3)})
    assert "No perpetual" in world.guard(instrument=ETH, stop_loss="0.05").message
    assert "at least one" in world.guard().message
    world.happens(ExecutionOrigin.HAND, -3)
    assert "Nothing is held" in world.guard(stop_loss="0.05").message
    assert not any(answer.ok for answer in world.answers)
    assert world.orders == []


def test_an_assigned_position_is_not_guarded_twice() -> None:
    world = World(STOPPED)
    world.assigned(2)
    answer = world.guard(stop_loss="0.01")
    assert not answer.ok
    assert world.barrier().id in answer.message


def test_the_rest_beside_an_assigned_part_can_be_guarded() -> None:
    world = World(STOPPED, held={BTC: D(5)})
    world.assigned(2)
    assert world.guard(stop_loss="0.02", resident_stop=False).ok
    assert [b.quantity for b in world.picture().barriers] == [2, 5]
    world.quote(98)
    assert world.closes() == ["SELL 5 BTC-USD"]
    assert world.held() == 2


def test_guarding_anew_moves_the_barriers_and_takes_in_what_was_added() -> None:
    world = World(held={BTC: D(3)})
    world.guard(stop_loss="0.05", time_limit_seconds=60)
    world.happens(ExecutionOrigin.HAND, 1)
    assert world.barrier().quantity == 3
    answer = world.guard(stop_loss="0.1")
    assert answer.ok
    view = world.barrier()
    assert (view.quantity, view.stop_loss, view.time_limit_at) == (D(4), D(90), None)
    (stop,) = world.exchange.working()
    assert (stop.left, stop.terms.stop_price) == (D(4), D(90))
    world.later(120)
    world.quote(94)
    assert world.closes() == []
    world.quote(90)
    assert world.held() == 0


def test_guarding_anew_begins_the_trailing_stop_anew() -> None:
    world = World(held={BTC: D(3)})
    world.guard(trailing_activation="0.02", trailing_delta="0.05")
    world.quote(110)
    world.guard(trailing_activation="0.02", trailing_delta="0.01")
    world.quote(101)
    assert world.closes() == []
    world.quote(103)
    world.quote(101.9)
    assert world.closes() == ["SELL 3 BTC-USD"]


def test_a_released_position_stays_held_and_its_stop_goes() -> None:
    world = World(held={BTC: D(3)})
    world.guard(stop_loss="0.05")
    view = world.barrier()
    assert world.release(view.id).ok
    assert world.exchange.working() == []
    assert world.barrier().state == "RELEASED"
    world.quote(50)
    world.later(60)
    assert world.closes() == []
    assert world.held() == 3
    assert world.picture().positions[0].barrier_id is None
    assert not world.release(view.id).ok
    assert not world.release("nobody").ok


def test_a_released_assignment_needs_nothing_more() -> None:
    world = World(STOPPED)
    world.assigned(2)
    world.release(world.barrier().id)
    assert world.events()[0].state is AssignmentState.NOTED


def test_what_is_being_closed_cannot_be_released() -> None:
    world = World(manager(stop_loss=D("0.05"), resident_stop=False))
    world.assigned(2)
    world.exchange.depth = D(0)
    world.quote(95)
    assert "is being closed" in world.release(world.barrier().id).message


# --- close -------------------------------------------------------------------------------------


def test_a_guard_is_closed_by_its_id() -> None:
    world = World(STOPPED, held={BTC: D(5)})
    world.assigned(2)
    answer = world.close(world.barrier().id)
    assert answer.ok
    assert world.closes() == ["SELL 2 BTC-USD"]
    assert world.barrier().close_type == "EMERGENCY"
    assert world.exchange.working() == []
    again = world.close(world.barrier().id)
    assert (again.ok, again.message) == (False, f"Nothing is held of {world.barrier().id}.")


def test_a_position_is_closed_whole_by_its_symbol() -> None:
    world = World(STOPPED, held={BTC: D(5), ETH: D(-1)})
    world.assigned(2)
    assert set(world.desk.perps.names()) == {world.barrier().id, "BTC-USD", "ETH-USD"}
    assert world.close("BTC-USD").ok
    assert world.held() == 0
    assert world.held(ETH) == -1
    assert sorted(world.closes()) == ["SELL 2 BTC-USD", "SELL 5 BTC-USD"]
    assert world.exchange.working() == []


def test_close_all_leaves_what_nobody_guards() -> None:
    world = World(manager(pairs=("BTC-USD",), stop_loss=D("0.05")), held={BTC: D(5), ETH: D(4)})
    world.assigned(2)
    world.assigned(-3, instrument=ETH)
    world.assigned(1, instrument=ETH)
    assert world.events()[2].state is AssignmentState.ATTENTION
    answer = world.close()
    assert answer.ok
    assert world.held() == 5
    assert world.held(ETH) == 1
    assert sorted(world.closes()) == ["SELL 1 ETH-USD", "SELL 2 BTC-USD"]
    assert not world.close().ok


def test_a_name_nobody_has_is_refused_with_those_that_are() -> None:
    world = World(held={BTC: D(5)})
    answer = world.close("SOL-USD")
    assert (answer.ok, answer.message) == (False, "No strategy SOL-USD. Known: BTC-USD.")


def test_an_emergency_close_does_not_wait_for_the_next_try() -> None:
    world = World(manager(at_once=True))
    world.exchange.depth = D(0)
    world.assigned(2)
    world.later(20)
    world.exchange.depth = None
    name = world.events()[0].strategy_id
    before = len(world.closes())
    assert world.close(name).ok
    assert len(world.closes()) == before + 1
    assert world.held() == 0


# --- quotes ------------------------------------------------------------------------------------


def guarded(sign: int = 1) -> World:
    world = World(manager(stop_loss=D("0.5"), take_profit=D("0.5"), resident_stop=False))
    world.assigned(2 * sign)
    world.quote(100)
    return world


def raw(world: World, bid: float | None, ask: float | None) -> None:
    """A quote as a careless venue would hand it over."""
    quote = Quote(bid=bid, ask=ask, last=None, at=world.now)
    fired = world.desk.quote(VENUE, BTC.ref, quote)
    if fired:
        world.tell(*fired)


@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        (math.nan, math.nan),
        (-1.0, -1.0),
        (0.0, 0.0),
        (1000.0, 1000.0),
        (10.0, 10.0),
        (200.0, 40.0),
        (math.inf, math.inf),
    ],
)
def test_what_is_no_price_fires_nothing_and_raises_one_alarm(
    bid: float, ask: float, sign: int
) -> None:
    world = guarded(sign)
    before = len(world.alerts)
    for _ in range(3):
        raw(world, bid, ask)
        world.later(1)
    assert world.closes() == []
    assert [a.severity for a in world.alerts[before:]] == [Severity.CRITICAL]
    assert "doubted" in world.barrier().reason
    assert world.barrier().mark_price is None
    raw(world, 100.0, 100.1)
    assert world.barrier().reason == ""
    raw(world, 151.0, 151.1) if sign > 0 else raw(world, 48.9, 49.0)
    assert len(world.closes()) == 1


def test_a_far_price_that_stays_is_believed_in_the_end() -> None:
    world = guarded()
    for _ in range(10):
        raw(world, 5.0, 5.1)
        world.later(1)
    assert world.closes() == []
    raw(world, 5.2, 5.3)
    assert world.barrier().close_type == "STOP_LOSS"


def test_far_prices_that_do_not_agree_are_never_believed() -> None:
    world = guarded()
    for price in (5.0, 1.0, 8.0, 0.1, 5.0, 1.0, 9.0, 2.0, 0.5, 7.0):
        raw(world, price, price)
        world.later(2)
    assert world.closes() == []


def test_one_side_is_enough_for_the_position_it_judges() -> None:
    world = guarded()
    raw(world, 49.0, None)
    assert world.barrier().close_type == "STOP_LOSS"
    short = guarded(-1)
    raw(short, 49.0, None)
    assert short.closes() == []


def test_a_position_whose_quotes_stop_is_told_of_once_while_others_come() -> None:
    world = guarded()
    before = len(world.alerts)
    for _ in range(30):
        world.later(5)
        world.quote(50, instrument=ETH)
    told = world.alerts[before:]
    assert [(a.severity, "BTC-USD" in a.title) for a in told] == [(Severity.CRITICAL, True)]
    assert "no quote" in world.barrier().reason
    world.quote(100)
    assert world.barrier().reason == ""


def test_an_old_quote_and_none_at_all_are_said() -> None:
    world = World(manager(stop_loss=D("0.5"), resident_stop=False), quoted=False)
    world.assigned(2)
    assert world.barrier().reason == "no quote yet: its barriers are blind"
    world.quote(100)
    assert world.barrier().reason == ""
    world.later(45)
    assert world.barrier().reason == "its quote is 45 s old"
    world.tell(VenueChanged(venue=VENUE, state=VenueState.DOWN, detail="no link"))
    assert world.barrier().reason == f"{VENUE} is down: no link"


def test_a_quote_of_nothing_guarded_costs_no_fact() -> None:
    desk = Desk()
    quote = Quote(bid=1.0, ask=1.1, last=None, at=guarded().now)
    assert desk.quote(VENUE, "nobody", quote) == ()


def test_alarms_about_quotes_come_as_facts() -> None:
    world = guarded()
    quote = Quote(bid=math.nan, ask=100.0, last=None, at=world.now)
    (fact,) = world.desk.quote(VENUE, BTC.ref, quote)
    assert isinstance(fact, VenueWarned)
    assert fact.critical
