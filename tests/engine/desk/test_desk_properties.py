"""What holds whatever happens in whatever order: replay, guard, one close at a time."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.desk import Desk
from engine.desk.facts import CloseRequested, OrderReport, OrderUnanswered
from engine.desk.instruments import Instrument, Stock
from engine.desk.orders import client_order_id, is_ours
from engine.desk.picture import picture
from tests.engine.desk.world import C460, C465, MORNING, NIGHT, P435, P440, SPY, World

LEGS: tuple[Instrument, ...] = (P440, P435, C460, C465)

happenings = st.one_of(
    st.tuples(st.just("assign"), st.sampled_from([P440, C460]), st.integers(1, 2), st.booleans()),
    st.tuples(st.just("row"), st.sampled_from((*LEGS, SPY)), st.integers(-3, 3), st.booleans()),
    st.tuples(st.just("hand"), st.sampled_from((*LEGS, SPY)), st.integers(-2, 2), st.booleans()),
    st.tuples(st.just("fill"), st.integers(0, 9), st.integers(1, 2), st.booleans()),
    st.tuples(st.just("reject"), st.integers(0, 9), st.just(0), st.booleans()),
    st.tuples(st.just("lose"), st.integers(0, 9), st.just(0), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 50, 600]), st.just(0), st.booleans()),
    st.tuples(st.just("snapshot"), st.just(0), st.just(0), st.booleans()),
    st.tuples(st.just("close"), st.just(0), st.just(0), st.booleans()),
)


def live(world: World, story: list[tuple[str, object, int, bool]]) -> None:
    """Let a story happen: assignments, fills, rejections, lost answers, snapshots."""
    for word, what, number, flag in story:
        known = world.desk.floor.orders
        open_orders = [
            order
            for order in {o.client_order_id: o for o in world.orders}.values()
            if order.client_order_id in known and not known[order.client_order_id].is_terminal
        ]
        if word == "assign" and isinstance(what, type(P440)):
            held = int(world.book.get(("DU1234567", what), Decimal(0)))
            part = min(number, -held)
            if part > 0:
                shares = int(world.book.get(("DU1234567", SPY), Decimal(0)))
                moved = part * 100 * (1 if what is P440 else -1)
                facts = [world.row_fact(what, held + part), world.row_fact(SPY, shares + moved)]
                for fact in facts if flag else reversed(facts):
                    world.tell(fact)
        elif word == "row" and isinstance(what, type(P440) | Stock):
            world.row(what, number * (100 if what is SPY else 1))
        elif word == "hand" and number and isinstance(what, type(P440) | Stock):
            signed = number * (100 if what is SPY else 1)
            before = int(world.book.get(("DU1234567", what), Decimal(0)))
            world.trade(what, signed)
            if flag:
                world.row(what, before + signed)
        elif (
            word in ("fill", "reject", "lose") and isinstance(what, int) and what < len(open_orders)
        ):
            order = open_orders[what]
            if word == "fill":
                left = world.desk.floor.orders[order.client_order_id].remaining
                world.fill(order, min(left, Decimal(number * 100)))
            elif word == "reject":
                world.report(order, OrderReport.REJECTED, reason="201")
            else:
                world.tell(OrderUnanswered(client_order_id=order.client_order_id, reason="lost"))
        elif word == "wait" and isinstance(what, int):
            world.later(what)
        elif word == "snapshot":
            world.now += timedelta(milliseconds=5)
            world.tell(world.snapshot())
        elif word == "close":
            world.tell(
                CloseRequested(request_id="r", strategy_id="SPY-IC-1", emergency=flag, by="me")
            )


@settings(max_examples=150, deadline=None)
@given(story=st.lists(happenings, max_size=25), night=st.booleans())
def test_a_replayed_journal_is_the_state(
    story: list[tuple[str, object, int, bool]], night: bool
) -> None:
    world = World(now=NIGHT if night else MORNING)
    live(world, story)
    again = Desk()
    for at, facts in world.batches:
        again.apply(facts, at)
    drawn = picture(again, now=world.now, mode="paper", started_at=NIGHT, venues=(), quotes={})
    assert drawn == world.picture()


@settings(max_examples=150, deadline=None)
@given(story=st.lists(happenings, max_size=25))
def test_never_two_closes_of_one_instrument_and_never_more_than_held(
    story: list[tuple[str, object, int, bool]],
) -> None:
    world = World(now=MORNING)
    for happening in story:
        live(world, [happening])
        orders = world.desk.floor.orders
        blocking = [o.intent.instrument.ref for o in orders.values() if o.blocks]
        assert len(blocking) == len(set(blocking))
    sent = [order.client_order_id for order in world.orders]
    may_resend = {word for word, *_ in story} & {"lose", "wait"}
    assert may_resend or len(sent) == len(set(sent))


def test_an_earlier_version_derived_the_same_id() -> None:
    """Or its orders would not be known after an update, and be sent again."""
    derived = client_order_id("DU1", "S1", "S1/1", "756733", 1)
    assert derived == "bhneloqio5ksx2vxatetdsqowy6g"


@given(st.text(), st.text(), st.text(), st.text(), st.integers(0, 99))
def test_derived_order_ids_fit_every_venue(a: str, s: str, e: str, r: str, n: int) -> None:
    derived = client_order_id(a, s, e, r, n)
    assert is_ours(derived)
    assert derived == client_order_id(a, s, e, r, n)
    assert derived != client_order_id(a, s, e, r, n + 1)
