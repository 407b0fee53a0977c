"""The IB venue learns the book: snapshots, live rows, executions, against the loopback TWS."""

from dataclasses import replace
from decimal import Decimal

from engine.desk.facts import (
    BookSnapshot,
    ExecutionOrigin,
    ExecutionReported,
    PositionReported,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import OptionContract, Stock
from tests.engine.venues.ib.ib_harness import (
    CLIENT_ID,
    NAME,
    an_order,
    order_id,
    snapshot_after,
    venue_at,
)
from tests.fakes.tws import ACCOUNT, LoopbackTws, condor_scene, empty_scene
from tests.fakes.tws.happenings import TWS_UNSET_ORDER_ID
from tests.fakes.tws.policy import POSITION_FIRST, fill, fill_unsaid
from tests.fakes.tws.records import EndMark, ExecutionTiming, Position, Rows, SecType, Side
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import CALL_460, CALL_465, PUT_435, PUT_440, SPY

CONDOR = {PUT_440: -2, PUT_435: 2, CALL_460: -2, CALL_465: 2}


def held_in(snapshot: BookSnapshot) -> dict[int, Decimal]:
    return {int(row.instrument.ref): row.quantity for row in snapshot.positions}


async def test_the_snapshot_comes_before_ready_in_one_batch() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, forget=False) as (_, sink),
    ):
        batch = next(b for b in sink.batches if any(isinstance(f, BookSnapshot) for f in b))
        snapshot = next(fact for fact in batch if isinstance(fact, BookSnapshot))
        ready = next(fact for fact in batch if isinstance(fact, VenueChanged))
        assert ready.state is VenueState.READY
        assert batch.index(snapshot) < batch.index(ready)
        assert held_in(snapshot) == CONDOR
        assert snapshot.accounts == (ACCOUNT,)
        assert sink.states[:3] == [VenueState.CONNECTING, VenueState.SYNCING, VenueState.READY]
        assert sink.times_heard > 0


async def test_a_position_row_without_an_exchange_is_the_whole_contract() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws, forget=False) as (_, sink):
        (snapshot,) = sink.all(BookSnapshot)
        row = next(r for r in snapshot.positions if r.instrument.ref == str(PUT_440))
        assert isinstance(row.instrument, OptionContract)
        assert row.instrument.name == "SPY 18Dec26 440 P"
        assert row.instrument.multiplier == 100
        assert row.average_cost == 310


async def test_an_empty_account_is_a_snapshot_without_positions() -> None:
    async with LoopbackTws(empty_scene()) as tws, venue_at(tws, forget=False) as (_, sink):
        (snapshot,) = sink.all(BookSnapshot)
        assert snapshot.positions == ()


async def test_option_and_stock_rows_of_one_packet_are_one_batch() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        tws.assign(PUT_440)
        await sink.until_count(PositionReported, 2)
        batch = next(b for b in sink.batches if any(isinstance(f, PositionReported) for f in b))
        rows = [fact.row for fact in batch if isinstance(fact, PositionReported)]
        assert [(row.instrument.ref, row.quantity) for row in rows] == [
            (str(PUT_440), Decimal(0)),
            (str(SPY), Decimal(200)),
        ]
        assert isinstance(rows[1].instrument, Stock)


async def test_an_orphan_execution_in_the_packet_is_the_brokers_own() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        tws.assign(PUT_440, executions=ExecutionTiming.BEFORE)
        executions = [fact.execution for fact in await sink.until_count(ExecutionReported, 2)]
        assert {one.origin for one in executions} == {ExecutionOrigin.BROKER}
        assert {one.client_order_id for one in executions} == {None}


async def test_the_same_row_five_times_is_told_once() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.repeat_rows(5)
        tws.assign(PUT_440, rows=Rows.OPTION_ONLY)
        await snapshot_after(venue, sink)
        assert len(sink.all(PositionReported)) == 1


async def test_zero_rows_inside_a_snapshot_are_no_holdings() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.assign(PUT_440)
        tws.show_zero_rows()
        held = held_in(await snapshot_after(venue, sink))
        assert held[PUT_440] == 0
        assert held[SPY] == 200


async def test_a_missing_end_of_positions_is_syncing_and_never_flat() -> None:
    tws = LoopbackTws(condor_scene())
    tws.withhold_end(EndMark.POSITIONS)
    async with (
        tws,
        venue_at(tws, state=None, answer_seconds=0.05, settle_seconds=0.05) as (_, sink),
    ):
        await sink.until(
            lambda: bool(sink.batches) and sink.detail == "positions are not complete yet"
        )
        assert sink.state is VenueState.SYNCING
        await tws.requests_reached(Ask.POSITIONS, 3)
        assert not sink.all(BookSnapshot)
        tws.restore_end(EndMark.POSITIONS)
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert held_in(snapshot) == CONDOR
        assert sink.state is VenueState.READY


async def test_a_late_end_of_an_earlier_question_does_not_make_the_next_one_flat() -> None:
    tws = LoopbackTws(condor_scene())
    tws.withhold_end(EndMark.POSITIONS)
    async with tws, venue_at(tws, state=None, answer_seconds=0.05) as (venue, sink):
        await tws.requests_reached(Ask.POSITIONS, 2)
        tws.restore_end(EndMark.POSITIONS)
        await sink.until_state(VenueState.READY)
        for _ in range(3):
            assert held_in(await snapshot_after(venue, sink)) == CONDOR


async def test_a_cut_snapshot_concludes_nothing() -> None:
    tws = LoopbackTws(condor_scene())
    tws.cut_snapshot(2)
    async with (
        tws,
        venue_at(tws, state=None, answer_seconds=0.05, settle_seconds=0.05) as (_, sink),
    ):
        await tws.requests_reached(Ask.POSITIONS, 2)
        assert not sink.all(BookSnapshot)
        tws.cut_snapshot(None)
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert held_in(snapshot) == CONDOR


async def test_rows_that_come_while_syncing_are_only_gathered() -> None:
    tws = LoopbackTws(condor_scene())
    tws.withhold_end(EndMark.EXECUTIONS)
    async with tws, venue_at(tws, state=VenueState.SYNCING) as (_, sink):
        await tws.requests_reached(Ask.EXECUTIONS, 1)
        tws.assign(PUT_440, executions=ExecutionTiming.BEFORE)
        tws.restore_end(EndMark.EXECUTIONS)
        (snapshot,) = await sink.until_count(BookSnapshot)
        assert held_in(snapshot)[SPY] == 200
        assert len(snapshot.executions) == 2
        assert not sink.all(PositionReported)
        assert not sink.all(ExecutionReported)


async def test_completed_orders_nobody_tells_do_not_keep_the_venue_waiting_for_ever() -> None:
    tws = LoopbackTws(condor_scene())
    tws.withhold_end(EndMark.COMPLETED_ORDERS)
    async with tws, venue_at(tws, answer_seconds=0.05, forget=False) as (_, sink):
        assert held_in(sink.all(BookSnapshot)[0]) == CONDOR
        assert sink.warnings("incomplete")


async def test_questions_under_way_are_joined() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        before = tws.requests_of(Ask.POSITIONS)
        for _ in range(5):
            venue.ask()
        await sink.until_count(BookSnapshot)
        assert tws.requests_of(Ask.POSITIONS) == before + 1


async def test_rows_of_accounts_that_are_not_ours_are_left_alone() -> None:
    tws = LoopbackTws(condor_scene())
    tws.add_account("DU7654321")
    tws.set_position(
        Position(account="DU7654321", con_id=PUT_440, quantity=Decimal(-9)), push=False
    )
    async with tws, venue_at(tws, accounts=(ACCOUNT,), forget=False) as (_, sink):
        (snapshot,) = sink.all(BookSnapshot)
        assert {row.account for row in snapshot.positions} == {ACCOUNT}
        assert snapshot.accounts == (ACCOUNT,)


async def test_without_configured_accounts_all_managed_ones_are_watched() -> None:
    tws = LoopbackTws(condor_scene())
    tws.add_account("DU7654321")
    async with tws, venue_at(tws, forget=False) as (_, sink):
        assert sink.all(BookSnapshot)[0].accounts == (ACCOUNT, "DU7654321")


async def test_an_account_the_login_does_not_manage_is_named() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, accounts=("U999",), state=VenueState.DOWN) as (_, sink),
    ):
        assert "U999 is not managed by this login" in sink.detail
        assert ACCOUNT in sink.detail


async def test_a_future_is_said_to_be_unguarded_and_hurts_nothing() -> None:
    tws = LoopbackTws(condor_scene())
    tws.set_instrument(replace(tws.book.instrument(SPY), con_id=5, sec_type="FUT"))
    tws.set_position(Position(account=ACCOUNT, con_id=5, quantity=Decimal(1)), push=False)
    async with tws, venue_at(tws, forget=False) as (_, sink):
        assert held_in(sink.all(BookSnapshot)[0]) == CONDOR
        assert "FUT" in sink.warnings("unguarded")[0].text


async def test_a_position_row_that_cannot_be_read_keeps_the_book_unknown() -> None:
    tws = LoopbackTws(condor_scene())
    tws.set_instrument(replace(tws.book.instrument(PUT_440), expiry=None))
    async with tws, venue_at(tws, state=None, answer_seconds=0.05) as (_, sink):
        await sink.until(lambda: bool(sink.warnings("fault")))
        await sink.until(lambda: "could not be read" in sink.detail)
        assert sink.state is VenueState.SYNCING
        assert sink.warnings("fault")[0].critical
        assert not sink.all(BookSnapshot)


async def test_a_trade_by_hand_is_the_hands() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        for order in (0, TWS_UNSET_ORDER_ID):
            tws.trade_by_hand(PUT_440, Side.BUY, Decimal(1), Decimal("4.15"), order_id=order)
        executions = [fact.execution for fact in await sink.until_count(ExecutionReported, 2)]
        assert [one.origin for one in executions] == [ExecutionOrigin.HAND] * 2
        assert executions[0].price == Decimal("4.15")
        assert executions[0].side == "BUY"


async def test_the_brokers_liquidation_is_told_apart_and_alarmed() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        tws.liquidate(PUT_435, Decimal(2), Decimal(3))
        (fact,) = await sink.until_count(ExecutionReported)
        assert fact.execution.origin is ExecutionOrigin.LIQUIDATION
        assert sink.warnings("2148")[0].critical


async def test_a_correction_has_the_same_id_and_a_higher_revision() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        exec_id = tws.trade_by_hand(PUT_440, Side.BUY, Decimal(2), Decimal(4))
        corrected = tws.correct_execution(exec_id, shares=Decimal(1))
        first, second = [fact.execution for fact in await sink.until_count(ExecutionReported, 2)]
        assert first.execution_id == second.execution_id == exec_id.rpartition(".")[0]
        assert (first.revision, second.revision) == (1, 2)
        assert corrected.endswith(".02")
        snapshot = await snapshot_after(venue, sink)
        assert [(one.revision, one.quantity) for one in snapshot.executions] == [(2, Decimal(1))]


async def test_a_repeated_execution_is_told_once() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        exec_id = tws.trade_by_hand(PUT_440, Side.BUY, Decimal(2), Decimal(4))
        tws.repeat_execution(exec_id)
        snapshot = await snapshot_after(venue, sink)
        await snapshot_after(venue, sink)
        assert len(sink.all(ExecutionReported)) == 1
        assert len(snapshot.executions) == 1


async def test_our_order_that_worked_before_the_restart_is_in_the_snapshot() -> None:
    tws = LoopbackTws(condor_scene())
    ref = order_id()
    tws.work_by_hand(
        PUT_440, Side.BUY, Decimal(2), Decimal(4), client_id=CLIENT_ID, order_id=5, order_ref=ref
    )
    async with tws, venue_at(tws, forget=False) as (venue, sink):
        (row,) = sink.all(BookSnapshot)[0].orders
        assert (row.client_order_id, row.report) == (ref, "WORKING")
        venue.cancel(an_order())
        await tws.cancels_reached(1)
        assert tws.cancels[0].order_id == 5


async def test_our_order_filled_while_we_were_away_is_found() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        tws.set_position(Position(account=ACCOUNT, con_id=SPY, quantity=Decimal(200)))
        tws.set_order_policy(fill_unsaid())
        async with venue_at(tws) as (venue, _):
            venue.place(an_order())
            await tws.flat(SPY)
        async with venue_at(tws, forget=False) as (_, sink):
            (snapshot,) = sink.all(BookSnapshot)
            (row,) = snapshot.orders
            assert (row.client_order_id, row.report, row.filled) == (order_id(), "FILLED", 200)
            (execution,) = snapshot.executions
            assert execution.client_order_id == order_id()
            assert execution.origin is ExecutionOrigin.OURS


async def test_hand_orders_are_no_rows_of_ours() -> None:
    tws = LoopbackTws(condor_scene())
    tws.work_by_hand(PUT_440, Side.BUY, Decimal(2), Decimal(4), order_ref="mine")
    async with tws, venue_at(tws, forget=False) as (_, sink):
        assert sink.all(BookSnapshot)[0].orders == ()


async def test_hostile_text_comes_out_clean() -> None:
    tws = LoopbackTws(condor_scene())
    evil = "SPY\x1b]52;c;eA==\x07\u202e[@click=app.close_all]x[/]"
    tws.set_instrument(replace(tws.book.instrument(SPY), symbol=evil, sec_type=SecType.STOCK))
    tws.set_position(Position(account=ACCOUNT, con_id=SPY, quantity=Decimal(1)), push=False)
    async with tws, venue_at(tws, forget=False) as (_, sink):
        symbols = {r.instrument.name for r in sink.all(BookSnapshot)[0].positions}
        assert all(name.isprintable() for name in symbols)
        assert NAME == "ibkr"


async def test_a_fill_told_by_position_before_execution_is_the_same_news() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.set_order_policy(fill(rows=POSITION_FIRST, price=Decimal(450)))
        venue.place(an_order())
        await sink.until(lambda: sink.reports(order_id())[-1:] == ["FILLED"])
        await sink.until_count(ExecutionReported)
        kinds = [type(f) for batch in sink.batches for f in batch]
        assert kinds.index(PositionReported) < kinds.index(ExecutionReported)
