import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderUnanswered,
    PositionReported,
    Side,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import Right, Session, Stock
from engine.venues.paper.contracts import is_open

PUT = Right.PUT


async def test_at_start_it_describes_the_book_then_says_ready(rig, words):
    put = words.option(PUT, 440)
    async with rig.running(rig.venue(words.held(put, -2))) as sink:
        kinds = [type(fact) for batch in sink.batches for fact in batch]
        assert kinds == [
            VenueChanged,
            ContractDescribed,
            ContractDescribed,
            BookSnapshot,
            VenueChanged,
        ]
        assert [it.state for it in sink.of(VenueChanged)] == [
            VenueState.SYNCING,
            VenueState.READY,
        ]
        (book,) = sink.of(BookSnapshot)
        assert book.positions == (words.held(put, -2),)
        assert book.accounts == ("DEMO0001",)
        assert {spec.spec.ref for spec in sink.of(ContractDescribed)} == {put.ref, "SPY"}
        assert set(sink.quotes) == {put.ref, "SPY"}
        for described in sink.of(ContractDescribed):
            assert is_open(described.spec.liquid, words.now)


async def test_each_tick_quotes_what_is_held_its_underlying_and_what_is_watched(rig, words):
    venue = rig.venue(words.held(words.option(PUT, 440), -2))
    async with rig.running(venue) as sink:
        watched = words.option(Right.CALL, 460)
        venue.watch([watched])
        before = sink.quoted
        await rig.tick(0.25)
        assert sink.quoted == before + 3
        assert watched.ref in sink.quotes
        assert watched.ref in {it.spec.ref for it in sink.of(ContractDescribed)}
        assert sink.quotes["SPY"].at == rig.now


async def test_hours_are_told_anew_on_the_next_day(rig, words):
    async with rig.running(rig.venue(words.held(words.spy, 100))) as sink:
        await rig.tick(60)
        assert len(sink.of(ContractDescribed)) == 1
        await rig.tick(86_400)
        assert len(sink.of(ContractDescribed)) == 2
        assert is_open(sink.of(ContractDescribed)[-1].spec.liquid, rig.now)


async def test_a_market_order_fills_at_the_touch_one_report_a_turn(rig, words):
    venue = rig.venue(words.held(words.spy, 200))
    async with rig.running(venue) as sink:
        bid = sink.quotes["SPY"].bid
        sink.batches.clear()
        venue.place(words.priced("c1", words.spy, Side.SELL, 200))
        assert sink.batches == []
        seen = []
        for _ in range(10):
            await asyncio.sleep(0)
            seen.append(len(sink.batches))
        assert all(after - before <= 1 for before, after in pairwise(seen))
        assert sink.story() == [
            ("WORKING", 0),
            ("executed", 200),
            ("holds", "SPY", 0),
            ("FILLED", 200),
        ]
        assert all(len(batch) == 1 for batch in sink.batches)
        (done,) = sink.of(ExecutionReported)
        assert done.execution.price == Decimal(f"{bid:.2f}")
        assert done.execution.origin is ExecutionOrigin.OURS
        assert done.execution.client_order_id == "c1"


async def test_an_order_above_the_displayed_size_fills_in_two_parts(rig, words):
    put = words.option(PUT, 440)
    venue = rig.venue(words.held(put, -15))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", put, Side.BUY, 15))
        await rig.settle()
        assert sink.story()[-1] == ("WORKING", 10)
        await rig.tick()
        assert sink.story() == [
            ("WORKING", 0),
            ("executed", 10),
            ("holds", put.ref, -5),
            ("WORKING", 10),
            ("executed", 5),
            ("holds", put.ref, 0),
            ("FILLED", 15),
        ]
        ids = [it.execution.execution_id for it in sink.of(ExecutionReported)]
        assert len(set(ids)) == 2


async def test_a_limit_away_from_the_touch_rests_until_the_quote_crosses_it(rig, words):
    venue = rig.venue(words.held(words.spy, -100))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.BUY, 100, "449.00"))
        await rig.tick()
        assert sink.story() == [("WORKING", 0)]
        rig.market.move("SPY", 448.50)
        await rig.tick()
        assert sink.story()[-1] == ("FILLED", 100)
        (done,) = sink.of(ExecutionReported)
        assert done.execution.price <= Decimal("449.00")


async def test_a_marketable_limit_fills_at_the_touch_not_at_its_limit(rig, words):
    venue = rig.venue(words.held(words.spy, -100))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.BUY, 100, "460.00"))
        await rig.settle()
        (done,) = sink.of(ExecutionReported)
        assert done.execution.price == Decimal(f"{sink.quotes['SPY'].ask:.2f}")


async def test_the_same_order_id_is_never_executed_twice(rig, words):
    venue = rig.venue(words.held(words.spy, 200))
    async with rig.running(venue) as sink:
        order = words.priced("c1", words.spy, Side.SELL, 200)
        venue.place(order)
        venue.place(order)
        await rig.settle()
        venue.place(order)
        await rig.settle()
        assert len(sink.of(ExecutionReported)) == 1
        assert sink.story()[-1] == ("FILLED", 200)


async def test_selling_more_than_is_held_goes_short_as_a_broker_lets_it(rig, words):
    venue = rig.venue(words.held(words.spy, 100))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.SELL, 300))
        await rig.settle()
        assert sink.of(PositionReported)[-1].row.quantity == -200


async def test_a_cancelled_order_does_not_fill_afterwards(rig, words):
    venue = rig.venue(words.held(words.spy, -100))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.BUY, 100, "440.00"))
        await rig.settle()
        venue.cancel(words.priced("c1", words.spy, Side.SELL, 100))
        await rig.settle()
        assert sink.story()[-1] == ("CANCELLED", 0)
        rig.market.move("SPY", 430.0)
        await rig.tick()
        assert sink.of(ExecutionReported) == []


async def test_a_cancel_too_late_or_of_a_stranger_says_what_the_order_really_is(rig, words):
    venue = rig.venue(words.held(words.spy, 100))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.SELL, 100))
        await rig.settle()
        venue.cancel(words.priced("c1", words.spy, Side.SELL, 100))
        venue.cancel(words.priced("nobody", words.spy, Side.SELL, 100))
        await rig.settle()
        late, stranger = sink.of(OrderReported)[-2:]
        assert late.row.report is OrderReport.FILLED
        assert stranger.row.report is OrderReport.REJECTED
        assert stranger.row.reason == "The venue never had this order"


async def test_a_question_is_answered_next_turn_and_joined_while_under_way(rig, words):
    venue = rig.venue(words.held(words.spy, 100), accounts=("DEMO0002",))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.SELL, 40))
        await rig.settle()
        sink.batches.clear()
        asked_at = rig.now
        venue.ask()
        rig.now += timedelta(seconds=1)
        venue.ask()
        assert sink.batches == []
        await rig.settle()
        (book,) = sink.of(BookSnapshot)
        assert book.asked_at == asked_at
        assert book.accounts == ("DEMO0002", "DEMO0001")
        assert [row.quantity for row in book.positions] == [60]
        assert [it.quantity for it in book.executions] == [40]
        assert [(it.client_order_id, it.report) for it in book.orders] == [
            ("c1", OrderReport.FILLED)
        ]


async def test_what_a_broker_would_refuse_is_rejected_with_a_reason(rig, words):
    put = words.option(PUT, 440)
    venue = rig.venue(words.held(put, -2))
    async with rig.running(venue) as sink:
        venue.place(words.priced("off-tick", put, Side.BUY, 1, "3.07"))
        venue.place(words.priced("no-price", put, Side.BUY, 1, "0"))
        venue.place(words.priced("no-size", put, Side.BUY, 0))
        venue.place(words.priced("no-account", put, Side.BUY, 1, account="U1"))
        await rig.settle()
        rows = {it.row.client_order_id: it.row for it in sink.of(OrderReported)}
        assert {row.report for row in rows.values()} == {OrderReport.REJECTED}
        assert rows["off-tick"].reason == "The price 3.07 is no multiple of 0.05"
        assert rows["no-account"].reason == "There is no account U1"
        assert sink.of(ExecutionReported) == []


async def test_before_it_runs_an_order_is_unanswered_not_rejected(rig, words):
    venue = rig.venue(words.held(words.spy, 100))
    venue.place(words.priced("c1", words.spy, Side.SELL, 100))
    assert rig.sink.batches == []
    await rig.settle()
    assert [it.client_order_id for it in rig.sink.of(OrderUnanswered)] == ["c1"]


async def test_a_closed_market_neither_quotes_nor_takes_orders(rig, words):
    venue = rig.venue(words.held(words.spy, 100), hours=lambda instrument, now: ((), ()))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.SELL, 100))
        await rig.tick()
        assert sink.quotes == {}
        assert sink.heard_count > 1
        assert [it.row.reason for it in sink.of(OrderReported)] == ["The market is closed"]


async def test_outside_regular_hours_only_a_limit_that_asks_for_it_trades(rig, words):
    evening = (
        Session(opens_at=words.now - timedelta(hours=1), closes_at=words.now + timedelta(hours=9)),
    )
    venue = rig.venue(words.held(words.spy, 300), hours=lambda instrument, now: (evening, ()))
    async with rig.running(venue) as sink:
        venue.place(words.priced("market", words.spy, Side.SELL, 100))
        venue.place(words.priced("regular", words.spy, Side.SELL, 100, "440"))
        venue.place(words.priced("late", words.spy, Side.SELL, 100, "440", outside_rth=True))
        await rig.settle()
        (done,) = sink.of(ExecutionReported)
        assert done.execution.client_order_id == "late"


async def test_a_resting_order_ends_with_its_day(rig, words):
    venue = rig.venue(words.held(words.spy, -100))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.BUY, 100, "1.00"))
        await rig.tick(86_400)
        last = sink.of(OrderReported)[-1].row
        assert last.report is OrderReport.CANCELLED
        assert last.reason == "The day the order was good for is over"


async def test_average_cost_and_cash_follow_the_fills(rig, words):
    abc = Stock(ref="ABC", symbol="ABC")
    venue = rig.venue(accounts=("DEMO0001",), cash=Decimal(1000))
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", abc, Side.BUY, 10))
        await rig.settle()
        row = sink.of(PositionReported)[-1].row
        paid = sink.of(ExecutionReported)[-1].execution.price
        assert row.average_cost == paid
        venue.place(words.priced("c2", abc, Side.SELL, 4))
        await rig.settle()
        assert sink.of(PositionReported)[-1].row.average_cost == paid
        got = sink.of(ExecutionReported)[-1].execution.price
        assert venue.state()["book"]["cash"] == {"DEMO0001": str(1000 - 10 * paid + 4 * got)}
