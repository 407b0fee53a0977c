"""The IB venue and its link: refused, taken, lost, restored, silent, dropped."""

import asyncio
from decimal import Decimal

from engine.desk.facts import (
    BookSnapshot,
    OrderReport,
    PositionReported,
    VenueChanged,
    VenueState,
)
from engine.venues.ib.settings import IbSettings
from engine.venues.ib.venue import IbVenue
from tests.engine.venues.ib.ib_harness import (
    CLIENT_ID,
    NAME,
    Pauses,
    Sink,
    an_order,
    arrived,
    order_id,
    real_orders,
    snapshot_after,
    venue_at,
)
from tests.fakes.tws import LoopbackTws, condor_scene
from tests.fakes.tws.policy import rest, silent
from tests.fakes.tws.records import EndMark, Rows
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import PUT_440, SPY

READY, SYNCING, DOWN, STALE = (
    VenueState.READY,
    VenueState.SYNCING,
    VenueState.DOWN,
    VenueState.STALE,
)
REF = order_id()


async def test_a_client_id_in_use_is_said_at_once_and_tried_again_later() -> None:
    pauses = Pauses()
    async with LoopbackTws(condor_scene()) as tws:
        tws.occupy_client_id(CLIENT_ID)
        async with venue_at(tws, sleep=pauses, state=DOWN, connect_seconds=600) as (_, sink):
            assert f"client id {CLIENT_ID} is in use" in sink.detail
            for attempt in range(1, 8):
                await pauses.reached(attempt)
                pauses.let_go()
            await pauses.reached(8)
            assert pauses.seconds == [2, 4, 8, 16, 30, 30, 30, 30]
            assert len(sink.all(VenueChanged)) == 1
            tws.free_client_id(CLIENT_ID)
            pauses.let_go()
            await sink.until_state(READY)


async def test_pauses_are_jittered_and_never_shorter_than_a_second() -> None:
    pauses = Pauses()
    async with LoopbackTws(condor_scene()) as tws:
        tws.occupy_client_id(CLIENT_ID)
        async with venue_at(tws, sleep=pauses, jitter=0.0, state=DOWN):
            for attempt in range(1, 4):
                await pauses.reached(attempt)
                pauses.let_go()
            await pauses.reached(4)
            assert pauses.seconds == [1, 2, 4, 8]


async def test_nothing_listening_is_said_in_words() -> None:
    tws = LoopbackTws(condor_scene())
    async with tws:
        tws.stop_accepting()
        async with venue_at(tws, state=DOWN) as (_, sink):
            assert "nothing listens at 127.0.0.1:" in sink.detail


async def test_a_host_without_a_name_is_said_in_words() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, host="no.such.host.invalid", state=DOWN) as (_, sink),
    ):
        assert "no.such.host.invalid" in sink.detail


async def test_a_tws_that_never_answers_is_given_up_in_time() -> None:
    tws = LoopbackTws(condor_scene())
    tws.go_silent()
    async with tws, venue_at(tws, connect_seconds=0.05, state=DOWN) as (_, sink):
        assert "does not answer" in sink.detail


async def test_a_dropped_link_is_down_and_then_everything_is_asked_anew() -> None:
    pauses = Pauses()
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws, sleep=pauses) as (_, sink):
        tws.drop_link()
        await sink.until_state(DOWN)
        assert "closed the connection" in sink.detail
        tws.assign(PUT_440)
        await pauses.reached(1)
        pauses.let_go()
        (snapshot,) = await sink.until_count(BookSnapshot)
        held = {row.instrument.ref: row.quantity for row in snapshot.positions}
        assert str(PUT_440) not in held
        assert held[str(SPY)] == 200
        assert not sink.all(PositionReported)
        assert sink.states[-3:] == [DOWN, SYNCING, READY]


async def test_an_order_without_an_answer_is_unanswered_when_the_link_drops() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(silent())
        venue.place(an_order())
        await arrived(tws, 1)
        tws.drop_link(reset=True)
        await sink.until_state(DOWN)
        assert sink.unanswered() == [REF]
        batch = next(b for b in sink.batches if any(isinstance(f, VenueChanged) for f in b[1:]))
        assert isinstance(batch[-1], VenueChanged)


async def test_a_tws_that_falls_silent_is_asked_the_time_and_then_given_up() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, tick_seconds=0.01, quiet_seconds=0.02, dead_seconds=0.1) as (_, sink),
    ):
        tws.go_silent()
        await sink.until_state(DOWN)
        assert "nothing heard from TWS" in sink.detail
        assert tws.requests_of(Ask.CURRENT_TIME) > 0


async def test_a_quiet_link_that_answers_is_kept() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, tick_seconds=0.01, quiet_seconds=0.0, dead_seconds=0.3) as (_, sink),
    ):
        await tws.requests_reached(Ask.CURRENT_TIME, 10)
        assert sink.state is READY


async def test_an_answered_order_is_not_unanswered_when_the_link_drops() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF) != [])
        tws.drop_link()
        await sink.until_state(DOWN)
        assert sink.unanswered() == []


async def test_an_order_after_the_drop_is_surely_not_sent() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.drop_link()
        await sink.until_state(DOWN)
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF) == [OrderReport.REJECTED])
        assert sink.reason(REF).startswith("not sent: ")
        assert not real_orders(tws)


async def test_a_lost_link_freezes_once_however_often_it_is_said() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        for _ in range(3):
            tws.send_error(1100)
        await sink.until_state(DOWN)
        assert "frozen" in sink.detail
        venue.place(an_order())
        venue.ask()
        await sink.until(lambda: sink.reports(REF) == [OrderReport.REJECTED])
        assert not real_orders(tws)
        assert sink.states.count(DOWN) == 1


async def test_the_link_restored_asks_for_everything_again() -> None:
    for code in (1101, 1102):
        async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
            await tws.requests_reached(Ask.MARKET_DATA, 5)
            tws.send_error(1100)
            await sink.until_state(DOWN)
            tws.mute_live_rows()
            tws.assign(PUT_440)
            tws.send_error(code)
            (snapshot,) = await sink.until_count(BookSnapshot)
            assert {row.instrument.ref: row.quantity for row in snapshot.positions}[str(SPY)] == 200
            assert sink.states[-3:] == [DOWN, SYNCING, READY]
            if code == 1101:
                await tws.requests_reached(Ask.MARKET_DATA, 10)


async def test_a_question_that_was_out_when_the_link_was_lost_makes_nobody_flat() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.withhold_end(EndMark.POSITIONS)
        venue.ask()
        await tws.requests_reached(Ask.POSITIONS, 2)
        tws.send_error(1100)
        await sink.until_state(DOWN)
        tws.send_error(1102)
        tws.restore_end(EndMark.POSITIONS)
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert len(snapshot.positions) == 4


async def test_what_happens_to_an_order_while_frozen_is_in_the_next_picture() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(rest())
        venue.place(an_order())
        (record,) = await arrived(tws, 1)
        await sink.until(lambda: sink.reports(REF) != [])
        tws.send_error(1100)
        await sink.until_state(DOWN)
        tws.fill_order(record.order_id)
        tws.send_error(1102)
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert [(row.report, row.filled) for row in snapshot.orders] == [
            (OrderReport.FILLED, Decimal(200))
        ]
        assert len(snapshot.executions) == 1


async def test_the_other_words_for_a_lost_link_freeze_too() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        tws.send_error(2110)
        await sink.until_state(DOWN)
        tws.send_error(2110, text="Connectivity between TWS and server has been restored.")
        await sink.until_state(READY)


async def test_a_broken_data_farm_makes_quotes_stale_and_freezes_nothing() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.send_error(2103)
        await sink.until_state(STALE)
        assert "usfarm" in sink.detail
        tws.send_error(2103, text="Market data farm connection is broken:usopt")
        tws.send_error(2104)
        venue.place(an_order())
        await sink.until(lambda: sink.reports(REF)[-1:] == [OrderReport.FILLED])
        assert sink.state is STALE
        tws.send_error(2104, text="Market data farm connection is OK:usopt")
        await sink.until_state(READY)


async def test_farm_notices_are_no_news() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        for code in (2104, 2106, 2158, 2107):
            tws.send_error(code)
        await snapshot_after(venue, sink)
        assert sink.state is READY


async def test_an_unknown_system_message_is_passed_on_once() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        for _ in range(3):
            tws.send_error(10282, text="some\x1b[31m notice")
        await snapshot_after(venue, sink)
        (warned,) = sink.warnings("10282")
        assert warned.text == "some[31m notice"
        assert not warned.critical


async def test_a_message_that_cannot_be_read_is_said_and_hurts_nothing() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        for started in tws._started():
            started.session.send(("3", "x", "Filled"))
            started.session.send(("999", "1"))
        await sink.until(lambda: len(sink.warnings("fault")) == 2)
        await snapshot_after(venue, sink)
        assert sink.state is READY


async def test_an_execution_that_cannot_be_read_is_asked_for() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        before = tws.requests_of(Ask.EXECUTIONS)
        for started in tws._started():
            started.session.send(("11", "-1", "5"))
        await tws.requests_reached(Ask.EXECUTIONS, before + 1)
        assert sink.warnings("fault")[0].critical


async def test_bytes_that_are_no_messages_end_the_connection() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        for started in tws._started():
            transport = started.session._transport
            assert transport is not None
            transport.write(b"\x00\x00\x00\x05\xff\xfe\xfd\x00\x00")
        await sink.until(lambda: bool(sink.warnings("fault")))


async def test_stopping_says_down_and_leaves_no_client_behind() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        async with venue_at(tws) as (_, sink):
            pass
        await tws.clients_reached(0)
        assert sink.state is DOWN


async def test_a_venue_that_does_not_run_refuses_orders_and_forgets_questions() -> None:
    sink = Sink()
    venue = IbVenue(NAME, sink, IbSettings(host="127.0.0.1", port=1, client_id=1))
    venue.ask()
    venue.cancel(an_order())
    venue.watch([])
    venue.place(an_order())
    await asyncio.sleep(0)
    assert sink.reports(REF) == [OrderReport.REJECTED]


async def test_an_assignment_in_two_packets_is_two_batches() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        event = tws.assign(PUT_440, rows=Rows.OPTION_ONLY)
        await sink.until_count(PositionReported, 1)
        tws.deliver(event.event_id)
        await sink.until_count(PositionReported, 2)
        telling = [b for b in sink.batches if any(isinstance(f, PositionReported) for f in b)]
        assert len(telling) == 2
