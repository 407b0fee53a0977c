"""What the broker's answers do to a close: off-step prices, late cancels, no quotes, resting
orders, a client id in use; and the rules and offers that need no assignment at all."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from engine.desk.options.definitions import Escalation, OptionSettings
from engine.desk.snapshot import AssignmentKind, OrderState, Snapshot, StrategyStatus
from tests.engine.desk.world import VENUE
from tests.engine.service.house import MORNING, House
from tests.engine.service.stage import holding, on_days
from tests.fakes.tws import condor_scene
from tests.fakes.tws.policy import CancelAnswer, reject, rest
from tests.fakes.tws.records import Quote
from tests.fakes.tws.scenes import CALL_460, PUT_440, SPY

K = AssignmentKind
MARKET = OptionSettings(venue=VENUE, escalate=Escalation.MARKET)
DAY_BEFORE = MORNING.replace(month=12, day=16) + timedelta(hours=14)
"""23:30 in New York: half an hour before the day before the expiry begins."""


async def test_26_price_off_its_steps_is_sent_once_more_at_once(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(reject(110, times=1), CALL_460)
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent().count("BUY 2 C460") == 2
        prices = [o.limit_price for o in house.tws.order_records() if o.con_id == CALL_460]
        assert all(price is None or price % Decimal("0.05") == 0 for price in prices)
        assert house.held() == {}


async def test_26_price_off_its_steps_twice_is_an_alarm_and_no_loop(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(reject(110), CALL_460)
        house.tws.assign(PUT_440)
        snapshot = await house.status_is(StrategyStatus.ATTENTION)
        assert "110" in snapshot.strategies[0].reason
        await house.until(lambda s: house.held() == {"C460": -2, "C465": 2})
        assert house.sent().count("BUY 2 C460") == 2


async def test_27_cancel_that_finds_the_order_filled_sends_nothing_again(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(rest(), CALL_460)
        house.tws.set_cancel_answer(CancelAnswer.FILL_FIRST)
        house.tws.assign(PUT_440)
        await house.until(lambda s: house.held() == {"C460": -2, "C465": 2})
        await house.until(lambda s: any(o.state is OrderState.WORKING for o in s.orders))
        house.clock.advance(6)
        await house.tws.cancels_reached(1)
        await house.status_is(StrategyStatus.CLOSED)
        assert house.sent().count("BUY 2 C460") == 1
        assert house.held() == {}


def resting(number: int) -> Callable[[Snapshot], bool]:
    """That the buy-back was sent so often, and the last one works at the broker."""

    def holds(snapshot: Snapshot) -> bool:
        closes = [o for o in snapshot.orders if "460 C" in o.instrument]
        return len(closes) == number and closes[-1].state is OrderState.WORKING

    return holds


async def test_resting_close_is_cancelled_and_priced_anew_within_its_bounds(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_order_policy(rest(), CALL_460)
        house.tws.assign(PUT_440)
        for number in range(1, 6):
            await house.until(resting(number))
            if number < 5:
                house.clock.advance(6)
        await house.status_is(StrategyStatus.ATTENTION)
        limits = [o.limit_price for o in house.tws.order_records() if o.con_id == CALL_460]
        assert limits[:4] == [Decimal(x) for x in ("4.25", "4.35", "4.50", "4.65")]
        assert sum(v.con_id == CALL_460 and not v.status.is_done for v in house.views()) == 1


async def test_29_no_quote_goes_out_at_market_where_told_so(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING, settings=MARKET) as house:
        house.tws.set_quote(CALL_460, Quote(bid=Decimal(-1), ask=Decimal(-1)))
        await house.until(
            lambda s: any(leg.strike == 460 and leg.ask is None for leg in s.strategies[0].legs)
        )
        house.tws.assign(PUT_440)
        await house.until(lambda s: any("no ask" in o.reason for o in s.orders))
        house.clock.advance(21)
        await house.until(lambda s: "BUY 2 C460" in house.sent())
        (order,) = [o for o in house.tws.order_records() if o.con_id == CALL_460]
        assert order.order_type == "MKT"


async def test_29_no_quote_calls_its_owner_where_told_so(tmp_path: Path) -> None:
    async with House(tmp_path, now=MORNING) as house:
        house.tws.set_quote(CALL_460, Quote(bid=Decimal(-1), ask=Decimal(-1)))
        await house.until(
            lambda s: any(leg.strike == 460 and leg.ask is None for leg in s.strategies[0].legs)
        )
        house.tws.assign(PUT_440)
        await house.until(lambda s: any("no ask" in o.reason for o in s.orders))
        house.clock.advance(21)
        await house.status_is(StrategyStatus.ATTENTION)
        assert "BUY 2 C460" not in house.sent()


async def test_32_client_id_in_use_is_said_and_nothing_is_sent_until_it_is_free(
    tmp_path: Path,
) -> None:
    async with House(tmp_path) as house:
        house.tws.occupy_client_id(17)
        house.tws.drop_link()
        snapshot = await house.until(lambda s: "17" in s.venues[0].detail)
        assert snapshot.venues[0].state == "down"
        house.tws.assign(PUT_440)
        assert house.sent() == []
        house.tws.free_client_id(17)
        await house.kind_is(K.ASSIGNED)
        await house.tws.flat(SPY)
        assert house.sent() == ["SELL 200 SPY"]


async def test_33_time_exit_closes_once_when_its_day_begins(tmp_path: Path) -> None:
    scene = on_days(condor_scene(now=DAY_BEFORE), DAY_BEFORE.date(), days=3)
    async with House(tmp_path, now=DAY_BEFORE, scene=scene) as house:
        await house.status_is(StrategyStatus.INTACT)
        house.clock.advance(1800)
        snapshot = await house.status_is(StrategyStatus.CLOSING)
        assert "TimeExit" in snapshot.strategies[0].reason
        assert house.sent() == []
        house.clock.advance(9.5 * 3600)
        snapshot = await house.status_is(StrategyStatus.CLOSED)
        assert sum("TimeExit" in alert.title for alert in snapshot.alerts) == 1
        assert len(house.sent()) == 4
        assert house.held() == {}


async def test_33_time_exit_leaves_a_broken_strategy_to_its_owner(tmp_path: Path) -> None:
    settings = OptionSettings(venue=VENUE, auto_close_on_assignment=False)
    scene = on_days(condor_scene(now=DAY_BEFORE), DAY_BEFORE.date(), days=3)
    async with House(tmp_path, now=DAY_BEFORE, scene=scene, settings=settings) as house:
        house.tws.assign(PUT_440)
        await house.status_is(StrategyStatus.ATTENTION)
        house.clock.advance(12 * 3600)
        await house.reconciled()
        await house.status_is(StrategyStatus.ATTENTION)
        assert house.sent() == []


async def test_35_strategy_nobody_registered_is_offered(tmp_path: Path) -> None:
    async with House(tmp_path, strategies=()) as house:
        snapshot = await house.until(lambda s: bool(s.candidates))
        (offer,) = snapshot.candidates
        assert (offer.id, offer.kind, len(offer.legs)) == ("SPY-IC-1", "iron_condor", 4)


async def test_35_covered_call_is_offered_with_its_shares(tmp_path: Path) -> None:
    scene = holding(condor_scene(now=MORNING), {CALL_460: -2, SPY: 250})
    async with House(tmp_path, now=MORNING, scene=scene, strategies=()) as house:
        snapshot = await house.until(lambda s: bool(s.candidates))
        assert [(c.kind, c.shares) for c in snapshot.candidates] == [("covered_call", 200)]
