from decimal import Decimal

import pytest

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderType,
    PositionReported,
    Side,
    TimeInForce,
    VenueState,
)
from engine.desk.instruments import Perpetual
from engine.desk.intents import Purpose
from tests.engine.venues.crypto.crypto_harness import (
    Sink,
    an_order,
    order_id,
    snapshot_after,
    venue_at,
)
from tests.fakes.exchange import Fault
from tests.fakes.exchange import Side as FakeSide
from tests.fakes.krakenfutures import FillType, KrakenFutures

BTC = Perpetual(ref="PF_XBTUSD", symbol="BTC-USD", base="BTC", quote="USD")
TWO = Decimal(2)


async def test_what_is_held_at_the_start_is_in_the_first_snapshot() -> None:
    async with KrakenFutures() as kraken:
        kraken.set_position("PF_XBTUSD", Decimal("-0.5"), Decimal(64000))
        async with venue_at(kraken, "krakenfutures", forget=False) as (_, sink):
            (told,) = sink.all(BookSnapshot)
            (row,) = told.positions
            assert (row.instrument, row.quantity, row.average_cost) == (
                BTC,
                Decimal("-0.5"),
                Decimal(64000),
            )
            assert told.accounts == ("main",)
            (spec,) = [it.spec for it in sink.all(ContractDescribed)]
            assert (spec.ref, spec.quantity_step) == ("PF_XBTUSD", Decimal("0.0001"))
            assert spec.price_steps[0].increment == Decimal(1)
            facts = [fact for batch in sink.batches for fact in batch]
            assert facts.index(sink.all(ContractDescribed)[0]) < facts.index(told)
            assert sink.state is VenueState.READY


async def test_an_assignee_fill_is_told_with_its_origin_and_its_row() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (_, sink):
        fill = kraken.assign("PF_XBTUSD", TWO, Decimal(64000))
        (told,) = await sink.until_count(ExecutionReported)
        execution = told.execution
        assert execution.execution_id == fill.id
        assert execution.origin is ExecutionOrigin.ASSIGNEE
        assert (execution.side, execution.quantity) == (Side.BUY, TWO)
        assert execution.price == Decimal(64000)
        assert execution.client_order_id is None
        await sink.until_count(PositionReported)
        assert sink.held("PF_XBTUSD") == TWO


async def test_a_close_fills_and_the_position_is_flat() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.assign("PF_XBTUSD", TWO, Decimal(64000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == TWO)
        order = an_order(BTC, limit="64300", lasts=TimeInForce.IOC)
        venue.place(order)
        row = await sink.until_report(order_id(), OrderReport.FILLED)
        assert row.filled == TWO
        await sink.until(lambda: sink.held("PF_XBTUSD") == 0 and len(sink.executions) == 2)
        ours = sink.executions[-1]
        assert ours.client_order_id == order_id()
        assert ours.origin is ExecutionOrigin.OURS
        assert ours.fee > 0
        assert ours.fee_currency == "USD"
        (sent,) = kraken.requests("sendorder", "POST")
        assert sent.params["orderType"] == "ioc"
        assert sent.params["reduceOnly"] == "true"
        assert sent.params["size"] == "2"
        assert sent.params["limitPrice"] == "64300"


async def test_quantities_are_rounded_down_to_the_step() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == TWO)
        venue.place(an_order(BTC, quantity="1.99999"))
        await sink.until(lambda: order_id() in [it.client_order_id for it in sink.executions])
        (sent,) = kraken.requests("sendorder", "POST")
        assert sent.params["size"] == "1.9999"


async def test_an_immediate_order_that_finds_half_is_cancelled_with_what_it_filled() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        kraken.set_quote("PF_XBTUSD", Decimal(64000), Decimal(64001), bid_size=Decimal("1.2"))
        venue.place(an_order(BTC, limit="63900", lasts=TimeInForce.IOC))
        row = await sink.until_report(order_id(), OrderReport.CANCELLED)
        assert row.filled == Decimal("1.2")


async def test_an_immediate_order_that_finds_nothing_is_cancelled_not_refused() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        venue.place(an_order(BTC, limit="70000", lasts=TimeInForce.IOC))
        row = await sink.until_report(order_id(), OrderReport.CANCELLED)
        assert (row.filled, row.reason) == (Decimal(0), "nothing could be executed at once")


async def test_a_stop_rests_by_the_mark_price_and_is_ours_when_it_fires() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == TWO)
        venue.place(an_order(BTC, kind=OrderType.STOP, stop="60000", purpose=Purpose.RESIDENT_STOP))
        await sink.until_report(order_id(), OrderReport.WORKING)
        (sent,) = kraken.requests("sendorder", "POST")
        assert (sent.params["orderType"], sent.params["triggerSignal"]) == ("stp", "mark")
        kraken.set_quote("PF_XBTUSD", Decimal(59990), Decimal(59991))
        await sink.until(lambda: sink.held("PF_XBTUSD") == 0 and bool(sink.executions))
        (execution,) = sink.executions
        assert execution.client_order_id == order_id()
        assert execution.origin is ExecutionOrigin.OURS


async def test_a_stop_that_goes_on_under_another_id_is_still_ours() -> None:
    async with KrakenFutures() as kraken:
        kraken.stops_change_ids(True, keep_client_id=False)
        async with venue_at(kraken, "krakenfutures") as (venue, sink):
            kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
            order = an_order(BTC, kind=OrderType.STOP, stop="60000")
            venue.place(order)
            sink.doubts = [order]
            await sink.until_report(order_id(), OrderReport.WORKING)
            kraken.set_quote("PF_XBTUSD", Decimal(59990), Decimal(59991))
            await sink.until(lambda: bool(sink.executions))
            (execution,) = sink.executions
            assert execution.client_order_id == order_id()
            await sink.until_count(BookSnapshot)
            (row,) = sink.all(BookSnapshot)[-1].orders
            assert row.filled == TWO
            assert row.report is not OrderReport.WORKING


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_stop_that_fired_while_nobody_was_there_is_ours_under_any_id(
    forgotten: bool,
) -> None:
    """The next life knows the stop from its journal, and its fill by neither of its ids; the
    exchange forgets an order's status within seconds."""
    async with KrakenFutures() as kraken:
        kraken.stops_change_ids(True, keep_client_id=False)
        order = an_order(BTC, kind=OrderType.STOP, stop="60000")
        async with venue_at(kraken, "krakenfutures") as (venue, sink):
            kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
            venue.place(order)
            await sink.until_report(order_id(), OrderReport.WORKING)
        kraken.set_quote("PF_XBTUSD", Decimal(59990), Decimal(59991))
        if forgotten:
            kraken.step_clock_aside(60)
        sink = Sink()
        sink.doubts = [order]
        async with venue_at(kraken, "krakenfutures", sink=sink, forget=False):
            (book,) = sink.all(BookSnapshot)
    (execution,) = book.executions
    assert (execution.client_order_id, execution.origin) == (order_id(), ExecutionOrigin.OURS)
    (row,) = book.orders
    assert row.report is not OrderReport.WORKING


async def test_a_resting_order_is_cancelled_by_our_id() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        order = an_order(BTC, limit="70000")
        venue.place(order)
        await sink.until_report(order_id(), OrderReport.WORKING)
        venue.cancel(order)
        row = await sink.until_report(order_id(), OrderReport.CANCELLED)
        assert row.filled == 0
        assert not kraken.orders(open_only=True)


async def test_cancelling_what_the_venue_has_no_longer_asks_for_the_book() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        venue.cancel(an_order(BTC, limit="70000"))
        await sink.until_count(BookSnapshot)


async def test_each_forced_fill_is_told_by_its_marker() -> None:
    origins = {
        FillType.ASSIGNOR: ExecutionOrigin.ASSIGNOR,
        FillType.LIQUIDATION: ExecutionOrigin.LIQUIDATION,
        FillType.PARTIAL_LIQUIDATION: ExecutionOrigin.LIQUIDATION,
        FillType.UNWIND_COUNTERPARTY: ExecutionOrigin.ADL,
        FillType.UNWIND_BANKRUPT: ExecutionOrigin.LIQUIDATION,
        FillType.MAKER: ExecutionOrigin.HAND,
    }
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (_, sink):
        kraken.set_position("PF_XBTUSD", Decimal(10), Decimal(64000))
        fills = {
            kraken.happen(kind, "PF_XBTUSD", Decimal(-1), Decimal(64000)).id: origin
            for kind, origin in origins.items()
        }
        await sink.until(lambda: len(sink.executions) == len(fills))
        assert {it.execution_id: it.origin for it in sink.executions} == fills


async def test_an_edited_order_of_ours_stays_ours() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (_, sink):
        kraken.force_fill(
            "PF_XBTUSD",
            FakeSide.BUY,
            Decimal(1),
            Decimal(64000),
            marker="takerAfterEdit",
            client_id=order_id(),
        )
        await sink.until(lambda: bool(sink.executions))
        assert sink.executions[0].origin is ExecutionOrigin.OURS


async def test_inverse_contracts_are_counted_as_the_venue_counts_them() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.assign("PI_XBTUSD", Decimal(-300), Decimal(64000))
        await sink.until(lambda: sink.held("PI_XBTUSD") == -300)
        row = sink.all(PositionReported)[-1].row
        instrument = row.instrument
        assert isinstance(instrument, Perpetual)
        assert instrument.inverse
        assert instrument.symbol == "BTC-USD"
        venue.place(an_order(instrument, side=Side.BUY, quantity="300"))
        await sink.until(lambda: sink.held("PI_XBTUSD") == 0)
        kraken.repeat_fill(kraken.fills()[0].id)


async def test_a_position_that_changes_without_a_fill_is_told() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (_, sink):
        kraken.move_position("PF_ETHUSD", Decimal("3.5"), Decimal(3000))
        await sink.until(lambda: sink.held("PF_ETHUSD") == Decimal("3.5"))
        kraken.move_position("PF_ETHUSD", Decimal("-3.5"), Decimal(3000))
        await sink.until(lambda: sink.held("PF_ETHUSD") == 0)
        assert not sink.executions


async def test_prices_alone_tell_no_rows() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (_, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == TWO)
        count = len(sink.all(PositionReported))
        kraken.set_quote("PF_XBTUSD", Decimal(65000), Decimal(65001))
        await sink.until(lambda: sink.quotes["PF_XBTUSD"].bid == 65000)
        assert len(sink.all(PositionReported)) == count


async def test_a_timeout_after_acceptance_is_unanswered_and_found_by_its_id() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, "krakenfutures", answer_seconds=0.5) as (venue, sink),
    ):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        kraken.fault(Fault.SILENT_AFTER, "sendorder")
        order = an_order(BTC)
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        assert not sink.reports(order_id()) or sink.reports(order_id()) == [OrderReport.FILLED]
        told = await snapshot_after(venue, sink)
        (row,) = told.orders
        assert (row.client_order_id, row.report, row.filled) == (
            order_id(),
            OrderReport.FILLED,
            TWO,
        )
        assert len(kraken.requests("sendorder")) == 1


async def test_an_order_that_never_arrived_is_proven_absent() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        kraken.fault(Fault.SERVER_ERROR, "sendorder")
        order = an_order(BTC)
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        told = await snapshot_after(venue, sink)
        assert told.orders == ()
        venue.place(order)
        await sink.until_report(order_id(), OrderReport.FILLED)


async def test_an_order_sent_before_is_not_taken_for_a_refusal() -> None:
    async with KrakenFutures() as kraken:
        kraken.set_position("PF_XBTUSD", TWO, Decimal(64000))
        async with venue_at(kraken, "krakenfutures") as (venue, sink):
            venue.place(an_order(BTC))
            await sink.until_report(order_id(), OrderReport.FILLED)
        # A restart that does not know: the venue says that it had this id.
        async with venue_at(kraken, "krakenfutures") as (venue, sink):
            sink.doubts = [an_order(BTC)]
            venue.place(an_order(BTC))
            await sink.until(lambda: sink.unanswered() == [order_id()])
            told = await snapshot_after(venue, sink)
            assert [row.report for row in told.orders] == [OrderReport.FILLED]
            assert len(kraken.orders()) == 1


async def test_a_refusal_is_reported_in_words() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (venue, sink):
        venue.place(an_order(BTC))
        row = await sink.until_report(order_id(), OrderReport.REJECTED)
        assert "nothing is left to reduce" in row.reason
        await sink.until_count(BookSnapshot)


async def test_history_told_again_after_a_reconnect_is_the_same_history() -> None:
    async with KrakenFutures() as kraken:
        seen = kraken.assign("PF_XBTUSD", TWO, Decimal(64000))
        async with venue_at(kraken, "krakenfutures", sleep=_at_once) as (_, sink):
            kraken.drop_sockets()
            await sink.until_state(VenueState.DOWN)
            unseen = kraken.assign("PF_XBTUSD", Decimal(1), Decimal(64100))
            await sink.until_state(VenueState.READY)
            ids = [it.execution_id for it in sink.all(BookSnapshot)[-1].executions]
            assert sorted(ids) == sorted([seen.id, unseen.id])
            assert sink.held("PF_XBTUSD") == 3
            assert not sink.all(ExecutionReported)


async def test_a_quote_is_told_once_for_a_burst() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, "krakenfutures") as (_, sink):
        for price in range(64000, 64050):
            kraken.set_quote("PF_XBTUSD", Decimal(price), Decimal(price + 1))
        await sink.until(lambda: sink.quotes["PF_XBTUSD"].bid == 64049)
        assert sink.quotes["PF_XBTUSD"].ask == 64050


async def _at_once(seconds: float) -> None:
    """Stands for the pause between tries."""
