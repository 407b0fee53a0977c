"""Many symbols race for one account at an exchange that fails at random."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.allocation.picture import allocation
from engine.desk.desk import Desk
from engine.desk.facts import CloseRequested, OrderReport, ResetRequested
from engine.desk.intents import Purpose
from tests.engine.desk.allocation.spot_exchange import SpotExchange
from tests.engine.desk.allocation.spot_world import Killed, SpotWorld, parameters

NAMES = [f"C{number:02d}USDT" for number in range(50)]
PURPOSES = [Purpose.ENTRY, Purpose.BRACKET, Purpose.SELL_POSITION]
some = st.integers(0, 11)

happenings = st.one_of(
    st.tuples(st.just("signal"), some),
    st.tuples(st.just("crowd"), st.integers(1, 50)),
    st.tuples(st.just("reversal"), some),
    st.tuples(st.just("up"), some),
    st.tuples(st.just("part"), some),
    st.tuples(st.just("down"), some),
    st.tuples(st.just("jump"), some),
    st.tuples(st.just("lose"), st.integers(0, 2)),
    st.tuples(st.just("vanish"), st.integers(0, 2)),
    st.tuples(st.just("refuse"), st.integers(0, 2)),
    st.tuples(st.just("fill part"), st.integers(0, 9)),
    st.tuples(st.just("strangle"), some),
    st.tuples(st.just("deliver"), st.integers(1, 40)),
    st.tuples(st.just("shuffle"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([1, 4, 11, 70, 400])),
    st.tuples(st.just("unlink"), st.just(0)),
    st.tuples(st.just("link"), st.just(0)),
    st.tuples(st.just("crash"), st.integers(1, 3)),
    st.tuples(st.just("reset"), st.integers(0, 1)),
    st.tuples(st.just("close"), some),
)


def crowd(percent: str = "7", fee_in: str = "base") -> SpotWorld:
    exchange = SpotExchange(fee=Decimal("0.001"), fee_in=fee_in, step=Decimal("0.001"))
    return SpotWorld(
        exchange=exchange,
        sets=[parameters(name, percent, "5", "10", "5") for name in NAMES],
        prices=dict.fromkeys(NAMES, Decimal(10)),
    )


def happen(world: SpotWorld, word: str, number: int) -> None:
    name = NAMES[number % len(NAMES)]
    price = world.exchange.prices[name]
    match word:
        case "signal" | "reversal":
            z = 9.0 if word == "signal" else -1.0
            world.raise_signal(world.signal_of(name, z), run=False)
        case "crowd":
            world.tell(*(world.signal_of(one, 9.0) for one in NAMES[:number]))
        case "up" | "part" | "down" | "jump":
            factor = {"up": "1.11", "part": "1.11", "down": "0.94", "jump": "1.3"}[word]
            part = Decimal("0.4") if word == "part" else Decimal(1)
            moved = max(min(price * Decimal(factor), Decimal(1000)), Decimal(1))
            said = world.exchange.move(name, moved.quantize(Decimal("0.01")), world.now, part)
            if world.linked:
                world.answers += said
        case "lose":
            world.lose.add(PURPOSES[number])
        case "vanish":
            world.vanish.add(PURPOSES[number])
        case "refuse":
            world.exchange.refuse[PURPOSES[number]] = "no"
        case "fill part":
            world.exchange.fill_part = Decimal(number) / 10
        case "strangle":
            for standing in list(world.exchange.orders.values()):
                if standing.order.instrument.ref == name and world.linked:
                    world.answers += world.exchange.cancel(standing.order.client_order_id)
        case "deliver":
            world.deliver(number)
        case "shuffle":
            world.answers.reverse()
        case "wait":
            world.later(number)
        case "unlink" if world.linked:
            world.unlink()
        case "link" if not world.linked:
            world.link()
        case "crash":
            world.kill_at = (world.commits + number, "before" if number % 2 else "after")
        case "reset":
            world.tell(ResetRequested(request_id="r", force=bool(number), by="me"))
        case "close":
            world.tell(CloseRequested(request_id="c", strategy_id=name, emergency=True, by="me"))


def live(world: SpotWorld, story: list[tuple[str, int]]) -> None:
    for word, number in story:
        try:
            happen(world, word, number)
        except Killed:
            world.kill_at = None
            world.start()


def bring_to_an_end(world: SpotWorld) -> None:
    """Let everything heal, and have every position sold."""
    world.kill_at = None
    world.lose.clear()
    world.vanish.clear()
    world.exchange.refuse.clear()
    world.exchange.fill_part = Decimal(1)
    if not world.linked:
        world.link()
    world.asked = True
    world.deliver()
    world.later(30)
    world.tell(CloseRequested(request_id="end", strategy_id=None, emergency=True, by="me"))
    world.deliver()
    world.later(700)


@settings(max_examples=120, deadline=None)
@given(story=st.lists(happenings, max_size=40), fee_in=st.sampled_from(["base", "quote", "BNB"]))
def test_every_reservation_is_released_in_the_end_and_nothing_stays_naked(
    story: list[tuple[str, int]], fee_in: str
) -> None:
    world = crowd(fee_in=fee_in)
    live(world, story)
    bring_to_an_end(world)
    assert world.desk.allocation.episodes == {}
    assert world.allocation.totalReserved == 0.0
    assert Decimal(repr(world.allocation.availableBalance)) == world.exchange.cash
    for standing in world.exchange.orders.values():
        assert standing.report is not OrderReport.WORKING
    dust = world.exchange.minimum_notional * 2
    for name, coins in world.exchange.coins.items():
        assert coins * world.exchange.prices[name] < dust


@settings(max_examples=60, deadline=None)
@given(story=st.lists(happenings, max_size=40))
def test_a_replayed_journal_is_the_same_picture(story: list[tuple[str, int]]) -> None:
    world = crowd()
    live(world, story)
    again = Desk()
    for at, facts in world.journal:
        again.apply(facts, at)
    assert allocation(again.allocation, {}) == world.allocation
    assert again.next_deadline() == world.desk.next_deadline()


@settings(max_examples=60, deadline=None)
@given(story=st.lists(happenings, max_size=40))
def test_a_symbol_has_one_order_at_a_time_and_none_larger_than_it_holds(
    story: list[tuple[str, int]],
) -> None:
    world = crowd()
    for happening in story:
        live(world, [happening])
        live_orders = [o.intent.instrument.ref for o in world.desk.floor.live.values()]
        assert len(live_orders) == len(set(live_orders))
    world.now += timedelta(seconds=1)
    for order in world.of(Purpose.BRACKET):
        assert order.quantity > 0
