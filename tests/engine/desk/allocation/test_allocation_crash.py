"""The engine is killed at every commit of a round trip: one buy, one bracket, one release."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.desk.allocation.picture import allocation
from engine.desk.desk import Desk
from engine.desk.facts import CloseType, OrderReport
from engine.desk.intents import Purpose
from tests.engine.desk.allocation.spot_world import Killed, SpotWorld, parameters

BTC = "BTCUSDT"
COMMITS = range(1, 40)


def one_set() -> SpotWorld:
    return SpotWorld(sets=[parameters(BTC, "50", "5", "15", "2")])


def round_trip(world: SpotWorld, way_out: str) -> list[Callable[[], object]]:
    """The steps of one trade; each may be taken again after a crash, as the market and the history
    of bars would."""
    entry, reversal = world.signal_of(BTC, 9.0), world.signal_of(BTC, -1.0)
    steps: list[Callable[[], object]] = [lambda: world.raise_signal(entry)]
    if way_out == "reversal":
        steps.append(lambda: world.raise_signal(reversal))
    else:
        price = {"target": "57500", "stop": "48000"}[way_out]
        steps.append(lambda: world.move(BTC, price))
    return [*steps, world.deliver]


def run(world: SpotWorld, steps: list[Callable[[], object]], again_after: int | None) -> int:
    """Take the steps; every time the engine is killed, start it again and take the step anew."""
    deaths, number = 0, 0
    while number < len(steps):
        try:
            steps[number]()
            number += 1
        except Killed:
            deaths += 1
            world.kill_at = None
            world.start()
            if again_after is not None:
                world.kill_at = (world.commits + again_after, "after")
            world.deliver()
    return deaths


def assert_one_of_each(world: SpotWorld) -> None:
    accepted = [s for s in world.exchange.orders.values() if s.filled]
    bought = [s for s in accepted if s.order.purpose is Purpose.ENTRY]
    assert len(bought) == 1
    assert world.exchange.coins[BTC] == 0
    working = [s for s in world.exchange.orders.values() if s.report is OrderReport.WORKING]
    assert working == []
    assert len(world.desk.allocation.trades) == 1
    view = world.allocation
    assert view.totalReserved == 0.0
    world.later(6)
    assert Decimal(repr(world.allocation.availableBalance)) == world.exchange.cash


@pytest.mark.parametrize("way_out", ["target", "stop", "reversal"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_commit_of_a_round_trip(way_out: str, when: str) -> None:
    deaths = 0
    for commit in COMMITS:
        world = one_set()
        steps = round_trip(world, way_out)
        world.kill_at = (world.commits + commit, when)
        deaths += run(world, steps, None)
        assert_one_of_each(world)
        brackets = [s for s in world.exchange.orders.values() if s.order.purpose is Purpose.BRACKET]
        assert len(brackets) == 1
    assert deaths >= 8


@pytest.mark.parametrize("apart", range(7, 20))
def test_killed_again_and_again(apart: int) -> None:
    world = one_set()
    steps = round_trip(world, "reversal")
    world.kill_at = (world.commits + 1, "after")
    run(world, steps, apart)
    assert_one_of_each(world)


def test_killed_between_reserve_and_buy_the_reservation_stands_and_the_buy_goes_out_once() -> None:
    world = one_set()
    entry = world.signal_of(BTC, 9.0)
    world.kill_at = (world.commits + 1, "after")
    with pytest.raises(Killed):
        world.raise_signal(entry)
    assert world.sent == []
    again = Desk()
    for at, facts in world.journal:
        again.apply(facts, at)
    view = allocation(again.allocation, {})
    assert view is not None
    assert view.totalReserved == 500.0
    world.kill_at = None
    world.start()
    world.deliver()
    assert world.told() == ["ENTRY 0.01 BTCUSDT", "BRACKET 0.01 BTCUSDT"]


def test_a_lost_journal_finds_the_buy_it_made_by_its_id() -> None:
    world = one_set()
    entry = world.signal_of(BTC, 9.0)
    world.raise_signal(entry, run=False)
    world.journal.clear()
    world.start()
    world.raise_signal(entry)
    world.later(1)
    world.tell(world.exchange.snapshot(world.now))
    world.deliver()
    assert world.told() == ["ENTRY 0.01 BTCUSDT", "BRACKET 0.01 BTCUSDT"]
    assert world.set(BTC).quantity == Decimal("0.01")


def test_a_stop_that_filled_while_the_engine_was_down_is_the_reason_shown() -> None:
    world = one_set()
    world.signal(BTC)
    world.exchange.move(BTC, Decimal(48000), world.now)
    world.start()
    world.deliver()
    [trade] = world.desk.allocation.trades
    assert trade.close_type is CloseType.STOP_LOSS
    assert sum("Released" in line for line in world.lines) == 1
