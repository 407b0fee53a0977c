from datetime import timedelta
from decimal import Decimal

import pytest

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    ExecutionReported,
    OrderReported,
    PositionReported,
    Side,
)
from engine.desk.instruments import OptionContract, Right, Stock
from engine.venues.paper.demo import contract_of, demo_scene
from engine.venues.paper.exercise import DrillRefused
from engine.venues.paper.market import expires_at

PUT, CALL = Right.PUT, Right.CALL


def rows_of(sink):
    return [(it.row.instrument.ref, it.row.quantity) for it in sink.of(PositionReported)]


async def test_the_option_row_comes_first_and_the_shares_a_tick_later(rig, words):
    put = words.option(PUT, 440)
    venue = rig.venue(words.held(put, -2), words.held(words.option(CALL, 470), -2))
    async with rig.running(venue) as sink:
        said = venue.drill_assignment()
        assert sink.of(PositionReported) == []
        await rig.settle()
        assert rows_of(sink) == [(put.ref, 0)]
        await rig.tick()
        assert rows_of(sink) == [(put.ref, 0), ("SPY", 200)]
        assert sink.of(PositionReported)[-1].row.average_cost == Decimal(440)
        assert sink.quotes["SPY"].ask < 440
        assert sink.of(ExecutionReported) == []
        assert said == (
            "SPY is at 436.48: 2 SPY 10Apr26 440 P of DEMO0001 assigned, 200 shares came in at 440."
        )


async def test_an_assigned_call_takes_shares(rig, words):
    call = words.option(CALL, 460)
    venue = rig.venue(words.held(call, -1), words.held(words.spy, 100))
    async with rig.running(venue) as sink:
        said = venue.drill_assignment(ref=call.ref)
        await rig.tick()
        assert rows_of(sink) == [(call.ref, 0), ("SPY", 0)]
        assert "100 shares were taken at 460" in said
        venue.ask()
        await rig.settle()
        assert sink.of(BookSnapshot)[-1].positions == ()


async def test_between_the_two_rows_a_fresh_book_shows_no_shares_yet(rig, words):
    venue = rig.venue(words.held(words.option(PUT, 440), -2))
    async with rig.running(venue) as sink:
        venue.drill_assignment()
        venue.ask()
        await rig.settle()
        assert sink.of(BookSnapshot)[-1].positions == ()
        await rig.tick()
        venue.ask()
        await rig.settle()
        assert [row.quantity for row in sink.of(BookSnapshot)[-1].positions] == [200]


async def test_part_of_a_leg_can_be_assigned_and_the_rest_the_next_night(rig, words):
    put = words.option(PUT, 440)
    venue = rig.venue(words.held(put, -3))
    async with rig.running(venue) as sink:
        venue.drill_assignment(quantity=Decimal(2))
        await rig.tick()
        venue.drill_assignment()
        await rig.tick()
        assert rows_of(sink) == [(put.ref, -1), ("SPY", 200), (put.ref, 0), ("SPY", 300)]
        assert sink.of(PositionReported)[-1].row.average_cost == Decimal(440)


async def test_the_deepest_leg_is_taken_and_a_leg_in_the_money_needs_no_move(rig, words):
    deep = words.option(CALL, 430)
    venue = rig.venue(
        words.held(words.option(CALL, 445), -1),
        words.held(deep, -1),
        words.held(words.option(PUT, 500), 1),
    )
    async with rig.running(venue) as sink:
        assert venue.drill_assignment().startswith("SPY is at 450.00: 1 SPY 10Apr26 430 C")
        await rig.tick()
        assert rows_of(sink) == [(deep.ref, 0), ("SPY", -100)]


async def test_the_account_asked_for_is_the_one_that_is_assigned(rig, words):
    put = words.option(PUT, 440)
    venue = rig.venue(words.held(put, -2), words.held(put, -2, "DEMO0002"))
    async with rig.running(venue) as sink:
        venue.drill_assignment("DEMO0002")
        await rig.tick()
        assert {it.row.account for it in sink.of(PositionReported)} == {"DEMO0002"}


async def test_without_a_short_option_the_drill_is_refused(rig, words):
    venue = rig.venue(words.held(words.option(PUT, 440), 2))
    with pytest.raises(DrillRefused, match="there is nothing to assign"):
        venue.drill_assignment()
    venue = rig.venue(words.held(words.option(PUT, 440), -2))
    with pytest.raises(DrillRefused, match="2 contracts can be assigned, not 3"):
        venue.drill_assignment(quantity=Decimal(3))


async def test_an_index_option_is_never_assigned_early(rig, words):
    venue = rig.venue(words.held(words.option(PUT, 4400, "SPX"), -1))
    with pytest.raises(DrillRefused):
        venue.drill_assignment()


async def test_the_delivered_shares_are_the_ones_already_held(rig, words):
    share = Stock(ref="756733", symbol="SPY")
    venue = rig.venue(words.held(words.option(PUT, 440), -2), words.held(share, 150))
    async with rig.running(venue) as sink:
        venue.drill_assignment()
        await rig.tick()
        assert rows_of(sink)[-1] == ("756733", 350)


async def test_the_demo_condor_is_assigned_and_can_be_closed_out(rig, words):
    positions, strategies = demo_scene(words.now)
    condor, vertical = strategies
    venue = rig.venue(*positions)
    async with rig.running(venue) as sink:
        venue.drill_assignment(strategy=condor)
        await rig.tick()
        short_put = contract_of("SPY", condor.legs[0])
        assert rows_of(sink) == [(short_put.ref, 0), ("SPY", 200)]
        venue.place(words.priced("flat", words.spy, Side.SELL, 200))
        for leg in condor.legs[1:]:
            side = Side.BUY if leg.quantity < 0 else Side.SELL
            contract = contract_of("SPY", leg)
            venue.place(words.priced(contract.ref, contract, side, abs(leg.quantity)))
        await rig.settle()
        venue.ask()
        await rig.settle()
        left = sink.of(BookSnapshot)[-1].positions
        assert {row.instrument.underlying for row in left} == {"QQQ"}
        assert len(left) == len(vertical.legs)


async def test_what_an_option_is_written_on_is_told_with_it_and_quoted(rig, words):
    positions, (condor, _) = demo_scene(words.now)
    async with rig.running(rig.venue(*positions)) as sink:
        await rig.tick()
        specs = {it.spec.ref: it.spec for it in sink.of(ContractDescribed)}
        assert specs[contract_of("SPY", condor.legs[0]).ref].underlying_ref == "SPY"
        assert specs["SPY"].underlying_ref is None
        assert "SPY" in sink.quotes


def test_the_demo_scene_declares_what_it_holds(words):
    positions, strategies = demo_scene(words.now, venue="demo", account="DEMO0007")
    assert [it.id for it in strategies] == ["SPY-IC-1", "QQQ-VS-1"]
    legs = [(it, leg) for it in strategies for leg in it.legs]
    assert len(legs) == len(positions) == 6
    for (strategy, leg), row in zip(legs, positions, strict=True):
        assert isinstance(row.instrument, OptionContract)
        assert leg.matches(row.instrument)
        assert row.instrument.underlying == strategy.underlying
        assert (row.account, row.quantity) == ("DEMO0007", leg.quantity)
        assert row.average_cost is not None
        assert row.average_cost > 0
        assert leg.expiry.weekday() == 4
        assert 15 <= leg.expiry.day <= 21
        assert 21 <= (leg.expiry - words.now.date()).days < 56
    assert [leg.strike for leg in strategies[0].legs] == [440, 435, 460, 465]
    assert {it.venue for it in strategies} == {"demo"}


async def test_at_expiry_what_is_in_the_money_is_exercised_and_the_rest_is_gone(rig, words):
    short, long_, worthless = (
        words.option(PUT, 460),
        words.option(PUT, 455),
        words.option(CALL, 460),
    )
    venue = rig.venue(words.held(short, -2), words.held(long_, 1), words.held(worthless, -2))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", short, Side.BUY, 1, "0.01"))
        await rig.settle()
        rig.now = expires_at(short) + timedelta(minutes=1)
        await rig.tick()
        assert rows_of(sink) == [(short.ref, 0), (long_.ref, 0), (worthless.ref, 0)]
        assert sink.of(OrderReported)[-1].row.reason == "The contract has expired"
        await rig.tick()
        assert rows_of(sink)[3:] == [("SPY", 200), ("SPY", 100)]


async def test_a_cash_settled_index_pays_and_delivers_nothing(rig, words):
    call = words.option(CALL, 4450, "SPX")
    venue = rig.venue(words.held(call, 1), cash=Decimal(0))
    async with rig.running(venue) as sink:
        rig.now = expires_at(call)
        await rig.tick()
        await rig.tick()
        assert rows_of(sink) == [(call.ref, 0)]
        assert Decimal(venue.state()["book"]["cash"]["DEMO0001"]) == Decimal(5000)
