"""Orders and cancels of the IB venue, and every answer a broker may give, over the real wire."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk.facts import (
    BookSnapshot,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    Side,
    VenueState,
)
from engine.desk.instruments import SpotPair
from tests.engine.venues.ib.ib_harness import (
    CLIENT_ID,
    LONG_PUT,
    SHORT_PUT,
    an_order,
    arrived,
    order_id,
    real_orders,
    snapshot_after,
    venue_at,
)
from tests.fakes.tws import ACCOUNT, LoopbackTws, condor_scene, empty_scene
from tests.fakes.tws import records as tws_records
from tests.fakes.tws.policy import (
    CancelAnswer,
    OrderPolicy,
    lose,
    partial,
    reject,
    rest,
    silent,
    warn,
)
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import PUT_435, PUT_440

WORKING, FILLED = OrderReport.WORKING, OrderReport.FILLED
CANCELLED, REJECTED = OrderReport.CANCELLED, OrderReport.REJECTED
REF = order_id()


async def test_an_order_carries_every_field_it_needs_and_no_other() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, _):
        venue.place(an_order(SHORT_PUT, side=Side.BUY, quantity=2, limit="4.15", outside_rth=True))
        (record,) = await arrived(tws, 1)
        assert (record.con_id, record.sec_type, record.exchange) == (PUT_440, "OPT", "SMART")
        assert (record.action, record.quantity) == ("BUY", 2)
        assert (record.order_type, record.limit_price) == ("LMT", Decimal("4.15"))
        assert (record.tif, record.account, record.order_ref) == ("DAY", ACCOUNT, REF)
        assert (record.oca_group, record.parent_id, record.aux_price) == ("", 0, None)
        assert record.transmit
        assert record.outside_rth
        assert not record.what_if


async def test_a_market_order_has_no_limit() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, _):
        venue.place(an_order())
        (record,) = await arrived(tws, 1)
        assert (record.order_type, record.limit_price) == ("MKT", None)
        assert not record.outside_rth


async def test_placing_writes_to_the_socket_within_the_call() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, _):
        session = venue._session
        assert session is not None
        before = session._connection.library.conn.numMsgSent
        venue.place(an_order())
        assert session._connection.library.conn.numMsgSent == before + 1


async def test_a_fill_is_told_as_filled_order_and_execution() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.place(an_order())
        (fact,) = await sink.until_count(ExecutionReported)
        assert fact.execution.client_order_id == REF
        assert fact.execution.origin is ExecutionOrigin.OURS
        assert fact.execution.quantity == 200
        await sink.until(lambda: sink.reports(REF)[-1:] == [FILLED])
        assert all(f.row.filled == 200 for f in sink.all(OrderReported) if f.row.report is FILLED)


async def test_a_part_filled_order_works_on() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(partial(Decimal(50), Decimal(30)))
        venue.place(an_order())
        await sink.until_count(ExecutionReported, 2)
        await sink.until(lambda: sink.all(OrderReported)[-1].row.filled == 80)
        assert sink.reports(REF)[-1] is WORKING


async def test_refusals_are_rejections_with_their_reason() -> None:
    for code in (201, 203, 200, 460):
        async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
            tws.set_order_policy(reject(code))
            venue.place(an_order())
            await sink.until(lambda sink=sink: REJECTED in sink.reports(REF))
            await snapshot_after(venue, sink)
            assert sink.reports(REF)[-1] is REJECTED
            assert sink.reason(REF).startswith(f"{code}: ")


async def test_a_bad_price_increment_is_a_rejection_that_says_so() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.place(an_order(SHORT_PUT, side=Side.BUY, quantity=2, limit="4.13"))
        await sink.until(lambda: sink.reports(REF) == [REJECTED])
        assert sink.reason(REF).startswith("bad price increment")
        assert sink.all(OrderReported)[-1].row.off_its_steps
        venue.place(an_order(SHORT_PUT, side=Side.BUY, quantity=2, limit="4.15"))
        await sink.until(lambda: sink.reports(REF)[-1] is FILLED)
        assert len(real_orders(tws)) == 2


async def test_information_about_an_order_never_ends_it() -> None:
    for code in (10349, 399, 2109, 404):
        async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
            tws.set_order_policy(warn(code))
            venue.place(an_order())
            await sink.until(lambda sink=sink: WORKING in sink.reports(REF))
            if code != 399:
                await sink.until(lambda sink=sink: sink.reports(REF)[-1] is FILLED)
            assert not {CANCELLED, REJECTED} & set(sink.reports(REF))


async def test_a_held_order_says_why_it_waits() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(warn(399))
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [WORKING])
        assert "next session opens" in sink.reason(REF)


async def test_a_cancelled_order_is_cancelled_once() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [WORKING])
        venue.cancel(an_order())
        await sink.until(lambda: sink.reports(REF)[-1] is CANCELLED)
        await snapshot_after(venue, sink)
        assert set(sink.reports(REF)) == {WORKING, CANCELLED}


async def test_a_cancel_that_comes_too_late_asks_and_finds_the_fill() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [WORKING])
        tws.set_cancel_answer(CancelAnswer.FILL_FIRST)
        venue.cancel(an_order())
        await sink.until_count(BookSnapshot)
        assert sink.reports(REF)[-1] is FILLED
        assert CANCELLED not in sink.reports(REF)


async def test_a_cancel_of_an_order_not_found_concludes_nothing() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [WORKING])
        tws.set_cancel_answer(CancelAnswer.NOT_FOUND)
        venue.cancel(an_order())
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert [row.report for row in snapshot.orders] == [WORKING]


async def test_a_cancel_of_an_order_nobody_knows_asks() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.cancel(an_order())
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert snapshot.orders == ()
        assert not tws.cancels


async def test_another_clients_order_cannot_be_cancelled_and_a_person_hears_it() -> None:
    tws = LoopbackTws(condor_scene())
    tws.work_by_hand(
        PUT_440, tws_records.Side.BUY, Decimal(2), Decimal(4), client_id=3, order_id=9,
        order_ref=REF,
    )  # fmt: skip
    async with tws, venue_at(tws, forget=False) as (venue, sink):
        assert sink.all(BookSnapshot)[0].orders[0].report is WORKING
        venue.cancel(an_order())
        await sink.until(lambda: bool(sink.warnings("cancel")))
        assert "API client 3" in sink.warnings("cancel")[0].text
        assert not tws.cancels


async def test_a_silent_broker_leaves_the_order_open_until_it_is_asked() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(silent())
        venue.place(an_order())
        await arrived(tws, 1)
        assert not sink.all(OrderReported)
        snapshot = await snapshot_after(venue, sink)
        assert [row.report for row in snapshot.orders] == [WORKING]


async def test_an_order_that_was_lost_is_absent_from_the_picture() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(lose())
        venue.place(an_order())
        await arrived(tws, 1)
        snapshot = await snapshot_after(venue, sink)
        assert snapshot.orders == ()
        assert not sink.all(OrderReported)


async def test_an_error_nobody_listed_leaves_the_fate_open_and_asks() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        (record,) = await arrived(tws, 1)
        tws.send_error(10999, record.order_id, "something new")
        await sink.until(lambda: sink.unanswered() == [REF])
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert [row.report for row in snapshot.orders] == [WORKING]


async def test_a_duplicate_order_id_is_no_rejection() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(OrderPolicy(answer=reject(103).answer, code=103, text="Duplicate"))
        venue.place(an_order())
        await sink.until(lambda: sink.unanswered() == [REF])
        await sink.until_count(BookSnapshot)
        await tws.requests_reached(Ask.IDS, 1)
        assert REJECTED not in sink.reports(REF)


async def test_the_same_order_is_not_sent_twice_while_it_lives() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [WORKING])
        venue.place(an_order())
        await snapshot_after(venue, sink)
        assert len(real_orders(tws)) == 1


async def test_a_filled_order_is_not_sent_again() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [FILLED])
        venue.place(an_order())
        await snapshot_after(venue, sink)
        assert len(real_orders(tws)) == 1


async def test_an_instrument_of_another_world_is_refused_before_it_is_sent() -> None:
    pair = SpotPair(ref="BTCUSDT", symbol="BTC/USDT", base="BTC", quote="USDT")
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.place(an_order(pair))
        await sink.until(lambda: sink.reports(REF) == [REJECTED])
        assert sink.reason(REF).startswith("not sent: ")
        assert not real_orders(tws)


async def test_an_order_while_syncing_is_surely_not_sent() -> None:
    tws = LoopbackTws(condor_scene())
    tws.withhold_end(tws_records.EndMark.POSITIONS)
    async with tws, venue_at(tws, state=VenueState.SYNCING) as (venue, sink):
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF) == [REJECTED])
        assert sink.reason(REF).startswith("not sent: ")
        assert not real_orders(tws)


async def test_two_legs_filled_at_once_are_kept_apart() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.place(an_order(SHORT_PUT, side=Side.BUY, quantity=2, limit="4.20", attempt=1))
        venue.place(an_order(LONG_PUT, side=Side.SELL, quantity=2, limit="3.05", attempt=2))
        await sink.until_count(ExecutionReported, 2)
        by_id = {f.execution.client_order_id: f.execution for f in sink.all(ExecutionReported)}
        assert by_id[order_id(1)].instrument.ref == str(PUT_440)
        assert by_id[order_id(2)].instrument.ref == str(PUT_435)


# Whether the API takes orders at all


async def test_the_probe_shows_early_that_orders_are_taken() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        await sink.until(lambda: sink.can_trade is True)
        (probe,) = tws.order_records()
        assert probe.what_if
        assert not tws.order_views()


async def test_a_read_only_api_is_ready_to_watch_and_says_that_it_cannot_act() -> None:
    async with (
        LoopbackTws(condor_scene(), read_only=True) as tws,
        venue_at(tws) as (venue, sink),
    ):
        assert sink.can_trade is False
        assert sink.detail.startswith("cannot act: ")
        assert "Read-Only" in sink.detail
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [REJECTED])


async def test_read_only_switched_off_is_noticed_without_reconnecting() -> None:
    async with (
        LoopbackTws(condor_scene(), read_only=True) as tws,
        venue_at(tws) as (venue, sink),
    ):
        tws.set_read_only(False)
        await snapshot_after(venue, sink)
        await sink.until(lambda: sink.can_trade is True)
        assert sink.detail == ""


async def test_a_refused_order_shows_read_only_where_nothing_was_held() -> None:
    async with LoopbackTws(empty_scene()) as tws, venue_at(tws) as (venue, sink):
        assert sink.can_trade is None
        tws.set_read_only()
        venue.place(an_order())
        await sink.until(lambda: sink.can_trade is False)
        assert sink.reports(REF) == [REJECTED]


async def test_the_probe_can_be_left_out() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, probe_orders=False) as (venue, sink),
    ):
        await snapshot_after(venue, sink)
        assert not tws.order_records()
        venue.place(an_order())
        await sink.until(lambda: sink.can_trade is True)


async def test_the_client_id_is_the_configured_one() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws):
        assert tws.connected_clients() == (CLIENT_ID,)


async def test_a_fraction_of_a_share_keeps_its_fraction() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, _):
        venue.place(replace(an_order(), quantity=Decimal("12.5")))
        (record,) = await arrived(tws, 1)
        assert record.quantity == Decimal("12.5")
