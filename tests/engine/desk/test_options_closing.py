"""How closes are worked: priced anew in bounded steps, escalated, sized by what is really left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.facts import (
    ArmedChanged,
    CloseRequested,
    ContractDescribed,
    ExecutionOrigin,
    OrderReport,
    OrderType,
    OrderUnpriced,
    Side,
)
from engine.desk.instruments import PriceStep, Session
from engine.desk.intents import AtMarket, Marketable, PlaceOrder, Purpose
from engine.desk.market import Quote
from engine.desk.options.definitions import Escalation, OptionSettings
from engine.desk.pricing import price
from engine.desk.snapshot import AssignmentState, StrategyStatus
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
)

MARKET = OptionSettings(venue=VENUE, escalate=Escalation.MARKET)
ONE_SHORT = definition("S", "single", {C460: Decimal(-2)})


def closing(settings: OptionSettings | None = None, **more: object) -> World:
    """A short call being closed in the open market, its order resting."""
    world = World(
        now=MORNING + timedelta(minutes=5),
        held={C460: Decimal(-2)},
        strategies=(ONE_SHORT,),
        settings=settings,
    )
    world.unquoted = set(more.pop("unquoted", set()))  # type: ignore[call-overload]
    world.tell(CloseRequested(request_id="r", strategy_id="S", emergency=True, by="me"))
    return world


def rest(world: World) -> None:
    world.report(world.orders[-1], OrderReport.WORKING)


def cancel(world: World) -> None:
    world.report(world.orders[-1], OrderReport.CANCELLED)


def reaches(world: World) -> list[Decimal | None]:
    """How far past the touch each order could go, None at market."""
    return [
        o.pricing.max_slippage if isinstance(o.pricing, Marketable) else None for o in world.orders
    ]


def work_through(world: World, until: Callable[[], bool], seconds: float = 5) -> None:
    """Let each order rest, be taken back and be cancelled, until something came true."""
    for _ in range(12):
        if until():
            return
        rest(world)
        asked = len(world.cancels)
        world.later(seconds)
        if len(world.cancels) > asked:
            cancel(world)


def critical(world: World) -> list[str]:
    return [a.title for a in world.alerts if a.severity == "CRITICAL"]


def test_resting_close_is_priced_anew_reaching_further_each_time_but_never_too_far() -> None:
    world = closing()
    work_through(world, lambda: len(world.orders) == 5)
    assert [round(float(r or 0), 4) for r in reaches(world)] == [0, 0.0333, 0.0667, 0.1, 0.1]
    assert len({o.client_order_id for o in world.orders}) == 5
    assert {o.quantity for o in world.orders} == {Decimal(2)}


def test_nothing_is_priced_anew_before_its_time() -> None:
    world = closing()
    rest(world)
    world.later(4.9)
    assert world.cancels == []
    world.later(0.2)
    assert len(world.cancels) == 1
    world.later(30)
    assert len(world.cancels) == 1
    assert len(world.orders) == 1


def test_close_nobody_meets_calls_its_owner_once_and_is_tried_on_calmly() -> None:
    world = closing()
    work_through(world, lambda: len(world.orders) == 5)
    assert world.picture().strategies[0].status is StrategyStatus.ATTENTION
    assert len(critical(world)) == 1
    assert "not filled" in critical(world)[0]
    rest(world)
    before = len(world.cancels)
    world.later(59)
    assert len(world.cancels) == before
    world.later(2)
    assert len(world.cancels) == before + 1
    assert len(critical(world)) == 1


def test_close_nobody_meets_goes_out_at_market_where_told_so() -> None:
    world = closing(MARKET)
    work_through(world, lambda: len(world.orders) == 5)
    assert isinstance(world.orders[-1].pricing, AtMarket)
    assert all(isinstance(o.pricing, Marketable) for o in world.orders[:-1])
    world.fill(world.orders[-1])
    assert world.picture().strategies[0].status is StrategyStatus.CLOSED


def test_market_order_that_rests_calls_its_owner_once_and_is_left_alone() -> None:
    world = closing(MARKET)
    work_through(world, lambda: len(world.orders) == 5)
    rest(world)
    cancels, called = len(world.cancels), len(critical(world))
    world.later(59)
    assert len(critical(world)) == called
    world.later(2)
    world.later(120)
    assert critical(world)[called:] == [
        "S: close of SPY 18Dec26 460 C not filled: at market for a minute"
    ]
    assert len(world.cancels) == cancels
    assert world.picture().strategies[0].status is StrategyStatus.ATTENTION
    world.fill(world.orders[-1])
    assert world.picture().strategies[0].status is StrategyStatus.CLOSED


def test_cancel_that_came_too_late_is_a_fill_and_nothing_is_sent_again() -> None:
    world = closing()
    rest(world)
    world.later(6)
    assert len(world.cancels) == 1
    world.fill(world.orders[0])
    assert len(world.orders) == 1
    assert world.picture().strategies[0].status is StrategyStatus.CLOSED


def test_part_filled_before_it_is_priced_anew_leaves_the_rest_to_the_next() -> None:
    world = closing()
    rest(world)
    world.fill(world.orders[0], Decimal(1))
    world.later(6)
    world.report(world.orders[0], OrderReport.CANCELLED, filled=Decimal(1))
    assert [o.quantity for o in world.orders] == [2, 1]


def test_cancel_that_is_not_answered_is_asked_again() -> None:
    world = closing()
    rest(world)
    world.later(5)
    world.later(61)
    assert len(world.cancels) == 2
    assert len(world.orders) == 1


def test_no_quote_is_no_price_and_its_owner_is_called_after_a_while() -> None:
    world = closing(unquoted={C460.ref})
    assert [o.state.value for o in world.picture().orders] == ["HELD"]
    assert world.picture().strategies[0].status is StrategyStatus.CLOSING
    world.later(21)
    assert world.picture().strategies[0].status is StrategyStatus.ATTENTION
    assert len(world.orders) == 1


def test_no_quote_goes_out_at_market_only_where_told_so() -> None:
    world = closing(MARKET, unquoted={C460.ref})
    world.later(19)
    assert len(world.orders) == 1
    world.later(2)
    assert [type(o.pricing) for o in world.orders] == [Marketable, AtMarket]


def test_nothing_goes_out_at_market_outside_the_regular_session() -> None:
    world = World(now=NIGHT, settings=MARKET)
    world.unquoted = {SPY.ref}
    world.row(P440, 0)
    world.row(SPY, 200)
    world.later(60)
    assert [type(o.pricing) for o in world.orders] == [Marketable]
    assert world.picture().strategies[0].status is StrategyStatus.ATTENTION


def test_shares_reach_a_hundredth_past_the_touch_at_most() -> None:
    world = World(now=NIGHT)
    world.row(P440, 0)
    world.row(SPY, 200)
    work_through(world, lambda: len(world.orders) == 4)
    assert [round(float(r or 0), 4) for r in reaches(world)] == [0, 0.0033, 0.0067, 0.01]


def test_a_new_wish_to_close_starts_over_at_the_touch() -> None:
    world = closing()
    work_through(world, lambda: len(world.orders) == 4)
    rest(world)
    world.tell(CloseRequested(request_id="r", strategy_id="S", emergency=True, by="me"))
    world.later(6)
    cancel(world)
    assert round(float(reaches(world)[-1] or 0), 4) == 0.0333


# --- prices --------------------------------------------------------------------------------------


def terms(slippage: str, ask: float, step: str = "0.05") -> Decimal | None:
    order = PlaceOrder(
        client_order_id="x",
        venue=VENUE,
        account=ACCOUNT,
        instrument=C460,
        side=Side.BUY,
        quantity=Decimal(1),
        purpose=Purpose.BUY_BACK_SHORT,
        strategy_id="S",
        episode="S/1",
        reason="",
        pricing=Marketable(max_slippage=Decimal(slippage)),
    )
    spec = replace(
        World().spec(C460),
        price_steps=(PriceStep(from_price=Decimal(0), increment=Decimal(step)),),
    )
    priced = price(order, Quote.of(at=NIGHT, bid=ask - 0.1, ask=ask), spec, NIGHT)
    assert not isinstance(priced, OrderUnpriced)
    assert priced.order_type is OrderType.LIMIT
    return priced.limit_price


def test_slippage_is_a_fraction_of_the_price_and_one_step_at_least() -> None:
    assert terms("0", 4.25) == Decimal("4.25")
    assert terms("0.10", 4.00) == Decimal("4.40")
    assert terms("0.03", 0.20) == Decimal("0.25")


# --- sizes ---------------------------------------------------------------------------------------


def test_close_larger_than_the_strategys_own_shares_is_taken_back_though_more_are_held() -> None:
    world = World(held={**CONDOR, SPY: Decimal(150)})
    world.row(P440, 0)
    world.row(SPY, 350)
    world.report(world.orders[0], OrderReport.WORKING)
    world.trade(SPY, -100)
    world.row(SPY, 250)
    assert len(world.cancels) == 1
    world.report(world.orders[0], OrderReport.CANCELLED)
    assert world.sent() == ["SELL 200 SPY", "SELL 100 SPY"]


def test_our_fill_that_a_person_met_too_is_undone() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    world.trade(SPY, -200)
    world.row(SPY, 0)
    world.fill(world.orders[0])
    assert world.book[ACCOUNT, SPY] == -200
    world.fill_all()
    assert world.book[ACCOUNT, SPY] == 0
    assert world.sent() == ["SELL 200 SPY", "BUY 200 SPY"]


def test_correction_that_lowers_our_fill_is_closed_again() -> None:
    world = closing()
    order = world.orders[0]
    ours = {"origin": ExecutionOrigin.OURS, "client_order_id": order.client_order_id}
    world.trade(C460, 2, execution_id="e", **ours)  # type: ignore[arg-type]
    world.trade(C460, 1, execution_id="e", revision=2, **ours)  # type: ignore[arg-type]
    assert world.picture().strategies[0].legs[0].held in (0, -1)


# --- waiting -------------------------------------------------------------------------------------


def test_every_waiting_line_says_until_when_it_waits() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    lines = world.picture().strategies[0].plan
    waiting = {line.purpose: line.waits_until for line in lines}
    assert waiting[Purpose.FLATTEN_SHARES] is None
    assert waiting[Purpose.BUY_BACK_SHORT] == MORNING
    assert any("opens Tue 09:30 ET" in line.reason for line in lines)


def test_hours_told_anew_are_honoured_at_once() -> None:
    world = World()
    world.row(P440, 0)
    world.row(SPY, 200)
    early = NIGHT + timedelta(hours=1)
    spec = world.spec(C460)
    session = Session(opens_at=early, closes_at=early + timedelta(hours=2))
    world.tell(ContractDescribed(venue=VENUE, spec=replace(spec, liquid=(session,))))
    assert any(x.waits_until == early for x in world.picture().strategies[0].plan)
    world.later(3601)
    assert "BUY 2 SPY 18Dec26 460 C" in world.sent()


def test_early_close_keeps_options_until_the_next_session() -> None:
    world = World(now=datetime(2026, 11, 27, 18, 30, tzinfo=UTC))
    friday = Session(
        opens_at=datetime(2026, 11, 27, 14, 30, tzinfo=UTC),
        closes_at=datetime(2026, 11, 27, 18, 0, tzinfo=UTC),
    )
    monday = Session(
        opens_at=datetime(2026, 11, 30, 14, 30, tzinfo=UTC),
        closes_at=datetime(2026, 11, 30, 21, 0, tzinfo=UTC),
    )
    for leg in CONDOR:
        spec = replace(world.spec(leg), trading=(friday, monday), liquid=(friday, monday))
        world.tell(ContractDescribed(venue=VENUE, spec=spec))
    world.row(P440, 0)
    world.row(SPY, 200)
    assert world.sent() == ["SELL 200 SPY"]
    assert any("opens Mon 09:30 ET" in x.reason for x in world.picture().strategies[0].plan)


def test_disarmed_then_armed_closes() -> None:
    world = World(now=MORNING, armed=False)
    world.row(P440, 0)
    world.row(SPY, 200)
    world.tell(world.snapshot())
    assert world.orders == []
    assert [e.state for e in world.picture().assignments] == [AssignmentState.CLOSING]
    world.tell(ArmedChanged(request_id="a", armed=True, by="me"))
    assert world.fill_all()[0] == "SELL 200 SPY"
    assert P435 not in {i for (_, i), q in world.book.items() if q}
