"""Every row of the barrier table, and its mirror for a short position, told to the desk."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.desk.facts import CloseType, ExecutionOrigin, Side
from engine.desk.instruments import Perpetual
from engine.desk.perps.barriers import fault, fee_in_price, fee_in_quote, gross, solve
from engine.desk.perps.definitions import BarrierSettings
from tests.engine.desk.perps.perps_world import ETH, D, World, manager

BOTH = pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])


def held(sign: int, fee: str = "0.2", **barriers: Any) -> World:
    """One unit assigned at 100, between barriers; no stop rests at the venue."""
    world = World(manager(resident_stop=False, **barriers))
    world.assigned(sign, fee=fee)
    assert world.closes() == []
    return world


def path(world: World, sign: int, *prices: float) -> list[float]:
    """Show prices (a long's; a short sees them mirrored at 100); those at which something fired."""
    fired = []
    for price in prices:
        before = len(world.closes())
        world.quote(price if sign > 0 else round(200 - price, 4))
        if len(world.closes()) > before:
            fired.append(price)
    return fired


@BOTH
def test_stop_loss_fires_where_the_fees_are_counted(sign: int) -> None:
    world = held(sign, stop_loss=D("0.05"))
    assert path(world, sign, 96, 95.3, 95.21, 95.2) == [95.2]
    assert world.barrier().close_type == CloseType.STOP_LOSS
    assert world.closes() == ["SELL 1 BTC-USD" if sign > 0 else "BUY 1 BTC-USD"]
    assert world.held() == 0


@BOTH
def test_take_profit_fires_at_its_price_and_not_a_cent_before(sign: int) -> None:
    world = held(sign, take_profit=D("0.10"))
    assert path(world, sign, 110, 110.19, 110.2) == [110.2]
    assert world.barrier().close_type == CloseType.TAKE_PROFIT


@BOTH
def test_trailing_stop_turns_on_beyond_its_activation_and_follows_the_peak(sign: int) -> None:
    world = held(sign, trailing_activation=D("0.03"), trailing_delta=D("0.01"))
    assert path(world, sign, 103.2) == []
    trailing = world.barrier().trailing
    assert trailing is not None
    assert not trailing.active
    assert trailing.activation == (D("103.2") if sign > 0 else D("96.8"))
    assert path(world, sign, 103.21) == []
    trailing = world.barrier().trailing
    assert trailing is not None
    assert trailing.active
    assert trailing.trigger == (D("102.21") if sign > 0 else D("97.79"))
    assert path(world, sign, 106, 105, 104.99) == [104.99]
    assert world.barrier().close_type == CloseType.TRAILING_STOP
    trailing = world.barrier().trailing
    assert trailing is not None
    assert trailing.trigger == (D(105) if sign > 0 else D(95))


@BOTH
def test_time_limit_counts_from_the_assignment_and_needs_no_quote(sign: int) -> None:
    world = held(sign, time_limit_seconds=60)
    world.later(59)
    assert world.closes() == []
    world.later(1)
    assert len(world.closes()) == 1
    assert world.barrier().close_type == CloseType.TIME_LIMIT


@BOTH
def test_stop_and_time_limit_together_are_one_stop(sign: int) -> None:
    world = held(sign, stop_loss=D("0.05"), time_limit_seconds=60)
    world.now += timedelta(seconds=61)
    assert path(world, sign, 70) == [70]
    world.later(60)
    assert len(world.closes()) == 1
    assert world.barrier().close_type == CloseType.STOP_LOSS


@BOTH
def test_trailing_wider_than_its_activation_protects_too(sign: int) -> None:
    world = held(sign, "0", trailing_activation=D("0.005"), trailing_delta=D("0.01"))
    assert path(world, sign, 101, 100.4, 100, 98) == [98]
    assert world.barrier().close_type == CloseType.TRAILING_STOP


@BOTH
def test_trailing_never_fires_on_the_tick_that_turns_it_on(sign: int) -> None:
    world = held(sign, trailing_activation=D("0.03"), trailing_delta=D("0.01"))
    assert path(world, sign, 120) == []
    assert path(world, sign, 118.99) == [118.99]


@BOTH
def test_a_gap_through_stop_and_trailing_is_one_close(sign: int) -> None:
    world = held(sign, stop_loss=D("0.05"), trailing_activation=D("0.01"), trailing_delta=D("0.02"))
    assert path(world, sign, 103, 80, 79, 110) == [80]
    assert world.barrier().close_type == CloseType.STOP_LOSS
    world.later(60)
    assert len(world.closes()) == 1


@BOTH
def test_a_tick_that_turns_trailing_on_and_takes_profit_takes_profit(sign: int) -> None:
    world = held(
        sign,
        take_profit=D("0.05"),
        trailing_activation=D("0.03"),
        trailing_delta=D("0.01"),
    )
    assert path(world, sign, 107) == [107]
    assert world.barrier().close_type == CloseType.TAKE_PROFIT


def test_a_long_is_judged_by_the_bid_and_a_short_by_the_ask() -> None:
    long, short = held(1, "0", stop_loss=D("0.05")), held(-1, "0", stop_loss=D("0.05"))
    long.quote(95.01, 120)
    short.quote(80, 104.99)
    assert long.closes() == short.closes() == []
    long.quote(95, 120)
    short.quote(80, 105)
    assert (len(long.closes()), len(short.closes())) == (1, 1)


def test_gross_and_net_are_shown_beside_the_fees() -> None:
    world = held(1, stop_loss=D("0.05"))
    world.quote(103)
    view = world.barrier()
    assert (view.gross, view.fees, view.net) == (D(3), D("0.2"), D("2.8"))
    assert (view.mark_price, view.stop_loss) == (D("103.0"), D("95.2"))
    assert view.state == "HOLDING"
    assert view.set_by == "assignment manager 1"


def test_a_shrunk_position_keeps_its_prices_for_its_fees_left_with_the_rest() -> None:
    world = World(manager(resident_stop=False, stop_loss=D("0.05")))
    world.assigned(2, fee="0.4")
    assert world.barrier().stop_loss == D("95.2")
    world.happens(ExecutionOrigin.HAND, -1)
    view = world.barrier()
    assert (view.quantity, view.stop_loss, view.fees) == (D(1), D("95.2"), D("0.2"))


def test_fees_move_the_prices_by_what_they_weigh() -> None:
    inverse = Perpetual(ref="PI_XBTUSD", symbol="BTC-USD", base="BTC", quote="USD", inverse=True)
    linear = fee_in_price(ETH, entry=D(100), quantity=D(4), fees=D(2))
    assert linear == D("0.5")
    # 100 contracts of 1 USD bought at 100 with a fee of 1 USD: one percent of their worth.
    assert fee_in_price(inverse, entry=D(100), quantity=D(100), fees=D(1)) == D(1)
    assert fee_in_quote(inverse, D("0.01"), "BTC", D(100)) == D(1)
    assert fee_in_quote(inverse, D("0.01"), "KFEE", D(100)) == 0
    assert gross(inverse, side=Side.BUY, entry=D(100), price=D(110), quantity=D(50)) == D(5)
    assert gross(ETH, side=Side.SELL, entry=D(100), price=D(110), quantity=D(50)) == D(-500)


@pytest.mark.parametrize("side", list(Side))
def test_solved_prices_give_back_the_fractions(side: Side) -> None:
    settings = BarrierSettings(
        stop_loss=D("0.07"),
        take_profit=D("0.11"),
        trailing_activation=D("0.02"),
        trailing_delta=D("0.004"),
    )
    entry, quantity, fees = D("91234.5"), D("0.7"), D("31.07")
    fee = fee_in_price(ETH, entry=entry, quantity=quantity, fees=fees)
    levels = solve(settings, side=side, entry=entry, fee=fee)

    def net(price: Decimal | None) -> Decimal:
        assert price is not None
        return (side.sign * (price - entry) * quantity - fees) / (entry * quantity)

    assert round(net(levels.stop), 20) == D("-0.07")
    assert round(net(levels.take), 20) == D("0.11")
    assert round(net(levels.activation), 20) == D("0.02")
    assert levels.distance == entry * D("0.004")


@pytest.mark.parametrize(
    ("settings", "side", "says"),
    [
        (BarrierSettings(), Side.BUY, "at least one"),
        (BarrierSettings(stop_loss=D(1)), Side.BUY, "stop loss"),
        (BarrierSettings(stop_loss=D("-0.1")), Side.BUY, "stop loss"),
        (BarrierSettings(take_profit=D("1.5")), Side.SELL, "take profit"),
        (BarrierSettings(trailing_activation=D("0.1")), Side.BUY, "trailing"),
        (BarrierSettings(stop_loss=D("0.1"), time_limit_seconds=-1), Side.BUY, "time limit"),
    ],
)
def test_what_is_wrong_with_barriers_is_said(
    settings: BarrierSettings, side: Side, says: str
) -> None:
    assert says in fault(settings, side)
    assert fault(BarrierSettings(take_profit=D("1.5")), Side.BUY) == ""
