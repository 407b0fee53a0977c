import json
import stat
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderUnanswered,
    PositionRow,
    Side,
    VenueChanged,
    VenueFact,
    VenueState,
    VenueWarned,
)
from engine.desk.instruments import ContractSpec, Right, Session
from engine.errors import InputError
from tests.engine.venues.paper.overlay_stage import ACCOUNT, Stage


async def test_a_market_order_fills_at_the_touch_and_is_told_in_order(rig, words):
    async with Stage(rig, words.held(words.spy, 100)).running() as stage:
        await stage.quote(words.spy, 450.11, 450.13)
        await stage.place(words.priced("a", words.spy, Side.SELL, 100))
        assert stage.sink.story() == [
            ("WORKING", 0),
            ("executed", 100),
            ("holds", "SPY", 0),
            ("FILLED", 100),
        ]
        (told,) = stage.sink.of(ExecutionReported)
        assert told.execution.price == Decimal("450.11")
        assert told.execution.origin is ExecutionOrigin.OURS
        assert told.execution.client_order_id == "a"


async def test_the_real_venue_is_never_sent_an_order_or_a_cancel(rig, words):
    stage = Stage(rig, words.held(words.spy, 100))
    real_one = OrderRow(
        client_order_id="real", venue_order_id="9", report=OrderReport.WORKING, filled=Decimal(0)
    )
    stage.real.orders = (real_one,)
    await stage.place(words.priced("early", words.spy, Side.SELL, 1))
    async with stage.running():
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(
            words.priced("market", words.spy, Side.SELL, 10),
            words.priced("crosses", words.spy, Side.BUY, 10, "451.00"),
            words.priced("rests", words.spy, Side.BUY, 10, "440.00"),
            words.priced("refused", words.spy, Side.BUY, 10, account="OTHER"),
            words.priced("market", words.spy, Side.SELL, 10),
        )
        for name in ("rests", "market", "real", "unknown"):
            stage.paper.cancel(words.priced(name, words.spy, Side.BUY, 1))
        await rig.settle()
        stage.real.turn(VenueState.DOWN)
        await stage.place(words.priced("late", words.spy, Side.SELL, 1))
    assert stage.real.sent == []
    (warned,) = stage.sink.of(VenueWarned)
    assert "real" in warned.text


async def test_nothing_is_told_within_the_call_and_each_report_has_its_own_batch(rig, words):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        before = len(stage.sink.batches)
        stage.paper.place(words.priced("a", words.spy, Side.BUY, 1))
        assert len(stage.sink.batches) == before
        await rig.settle()
        assert [len(batch) for batch in stage.sink.batches[before:]] == [1, 1, 1, 1]


async def test_two_orders_of_one_instrument_are_told_one_after_the_other(rig, words):
    async with Stage(rig, words.held(words.spy, 100)).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(
            words.priced("a", words.spy, Side.SELL, 30), words.priced("b", words.spy, Side.SELL, 20)
        )
        moves = [it for it in stage.sink.story() if it[0] in ("executed", "holds")]
        assert moves == [
            ("executed", 30),
            ("holds", "SPY", 70),
            ("executed", 20),
            ("holds", "SPY", 50),
        ]


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "450.20", "450.1"),
        (Side.BUY, "450.10", "450.1"),
        (Side.BUY, "450.09", None),
        (Side.SELL, "449.90", "450.0"),
        (Side.SELL, "450.01", None),
    ],
)
async def test_a_limit_fills_at_the_touch_or_rests(rig, words, side, limit, price):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, side, 10, limit))
        filled = [it.execution.price for it in stage.sink.of(ExecutionReported)]
        assert filled == ([] if price is None else [Decimal(price)])


async def test_a_resting_order_fills_when_a_later_quote_crosses_it(rig, words):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, Side.BUY, 10, "449.50"))
        await stage.quote(words.spy, 449.5, 449.6)
        assert stage.sink.of(ExecutionReported) == []
        stage.real.quote(words.spy, 449.3, 449.4)
        stage.real.quote(words.spy, 449.6, 449.7)
        await rig.settle()
        assert [it.execution.price for it in stage.sink.of(ExecutionReported)] == [Decimal("449.4")]
        assert stage.sink.story()[-1] == ("FILLED", 10)


async def test_a_market_order_without_a_usable_quote_waits_for_one(rig, words):
    async with Stage(rig).running() as stage:
        await stage.place(words.priced("a", words.spy, Side.BUY, 10))
        await stage.quote(words.spy, 450.0, None)
        await stage.quote(words.spy, 450.2, 450.1)
        assert stage.sink.story() == [("WORKING", 0)]
        await stage.quote(words.spy, 450.0, 450.1)
        assert stage.sink.story()[-1] == ("FILLED", 10)


async def test_a_client_id_is_executed_once(rig, words):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        order = words.priced("a", words.spy, Side.BUY, 10)
        await stage.place(order, order)
        await stage.place(order)
        assert len(stage.sink.of(ExecutionReported)) == 1
        assert stage.held() == {"SPY": 10}
        assert stage.sink.story()[-1] == ("FILLED", 10)


async def test_an_order_of_an_unknown_account_or_a_contract_that_expired_is_rejected(rig, words):
    async with Stage(rig).running() as stage:
        rig.now += timedelta(days=60)
        await stage.place(
            words.priced("a", words.spy, Side.BUY, 1, account="OTHER"),
            words.priced("b", words.option(Right.PUT, 440), Side.BUY, 1),
            words.priced("c", words.spy, Side.BUY, 0),
        )
        told = [it.row for it in stage.sink.of(OrderReported)]
        assert [row.report for row in told] == [OrderReport.REJECTED] * 3
        assert all(row.reason for row in told)


# --- the overlay ---------------------------------------------------------------------------------


async def test_a_snapshot_is_the_real_book_with_the_simulated_trades_in_it(rig, words):
    put, call = words.option(Right.PUT, 440), words.option(Right.CALL, 460)
    stage = Stage(rig, words.held(put, -2), words.held(words.spy, 100))
    stage.real.executions = (
        Execution(
            execution_id="real",
            account=ACCOUNT,
            instrument=words.spy,
            side=Side.BUY,
            quantity=Decimal(100),
            price=Decimal(450),
            at=words.now,
            origin=ExecutionOrigin.HAND,
        ),
    )
    async with stage.running():
        for instrument in (put, call, words.spy):
            await stage.quote(instrument, 1.0, 1.1)
        await stage.place(
            words.priced("a", put, Side.BUY, 2),
            words.priced("b", call, Side.BUY, 1),
            words.priced("c", words.spy, Side.SELL, 40),
            words.priced("d", words.spy, Side.SELL, 5, "9.00"),
        )
        assert stage.held() == {call.ref: 1, "SPY": 60}
        book = stage.book()
        assert [it.client_order_id for it in book.executions] == [None, "a", "b", "c"]
        assert len({it.execution_id for it in book.executions}) == 4
        assert {it.client_order_id: it.report.value for it in book.orders} == {
            "a": "FILLED",
            "b": "FILLED",
            "c": "FILLED",
            "d": "WORKING",
        }


async def test_a_real_assignment_shows_under_the_simulated_trades(rig, words):
    put = words.option(Right.PUT, 440)
    async with Stage(rig, words.held(put, -2)).running() as stage:
        await stage.quote(words.spy, 430.0, 430.1)
        await stage.place(words.priced("a", words.spy, Side.SELL, 50))
        rig.sink.batches.clear()
        stage.real.hold(words.held(put, -1))
        stage.real.hold(words.held(words.spy, 100))
        assert rig.sink.story() == [("holds", put.ref, -1), ("holds", "SPY", 50)]
        await stage.place(words.priced("b", words.spy, Side.SELL, 50))
        assert ("holds", "SPY", 0) in rig.sink.story()
        assert stage.held() == {put.ref: -1}


async def test_the_cost_is_the_real_one_until_the_position_turns(rig, words):
    bought = PositionRow(
        account=ACCOUNT,
        instrument=words.spy,
        quantity=Decimal(100),
        average_cost=Decimal(400),
    )
    async with Stage(rig, bought).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, Side.SELL, 40))
        assert stage.book().positions[0].average_cost == 400
        await stage.place(words.priced("b", words.spy, Side.SELL, 80))
        assert stage.book().positions[0].average_cost == 450


async def test_a_simulated_close_of_an_option_goes_when_the_real_option_expired(rig, words):
    put = words.option(Right.PUT, 440)
    async with Stage(rig, words.held(put, -2)).running() as stage:
        await stage.quote(put, 1.0, 1.1)
        await stage.place(words.priced("a", put, Side.BUY, 2))
        rig.now += timedelta(days=40)
        assert stage.held() == {}
        stage.real.hold(words.held(put, 0))
        assert rig.sink.story()[-1] == ("holds", put.ref, 0)
        assert stage.held() == {put.ref: 0}


async def test_simulated_rows_do_not_hide_that_an_account_looks_empty(rig, words):
    async with Stage(rig, words.held(words.spy, 100)).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, Side.SELL, 40))
        stage.real.rows.clear()
        assert stage.held() == {}
        assert stage.held() == {"SPY": -40}


async def test_quotes_are_kept_coming_for_what_is_only_on_paper(rig, words):
    call = words.option(Right.CALL, 460)
    async with Stage(rig).running() as stage:
        stage.paper.watch((words.spy,))
        assert stage.real.watched == (words.spy,)
        await stage.place(words.priced("a", call, Side.BUY, 1))
        assert stage.real.watched == (words.spy, call)


# --- the link ------------------------------------------------------------------------------------


async def test_a_read_only_api_may_trade_on_paper(rig, words):
    stage = Stage(rig)
    assert stage.paper.kind == "ib"
    async with stage.running():
        syncing, ready = stage.sink.of(VenueChanged)
        assert (syncing.state, syncing.can_trade) == (VenueState.SYNCING, None)
        assert (ready.state, ready.can_trade) == (VenueState.READY, True)
        assert ready.detail == "fills are simulated"
        stage.real.turn(VenueState.READY, "cannot act: the API is read-only")
        assert stage.sink.of(VenueChanged)[-1] == ready
        stage.real.can_trade = True
        stage.real.turn(VenueState.READY, "delayed quotes")
        assert stage.sink.of(VenueChanged)[-1].detail == "delayed quotes; fills are simulated"
        stage.real.turn(VenueState.DOWN, "no route")
        assert stage.sink.of(VenueChanged)[-1].detail == "no route"


async def test_an_order_while_the_link_is_down_is_unanswered_and_unknown(rig, words):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        stage.real.turn(VenueState.DOWN)
        await stage.place(words.priced("a", words.spy, Side.BUY, 1))
        (unanswered,) = stage.sink.of(OrderUnanswered)
        assert unanswered.client_order_id == "a"
        assert stage.book().orders == ()


async def test_nothing_fills_on_quotes_from_before_the_link_was_lost(rig, words):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        stage.real.turn(VenueState.DOWN)
        stage.real.turn(VenueState.READY)
        await stage.place(words.priced("a", words.spy, Side.BUY, 1))
        assert stage.sink.of(ExecutionReported) == []
        stage.real.turn(VenueState.SYNCING)
        await stage.quote(words.spy, 451.0, 451.1)
        assert stage.sink.of(ExecutionReported) == []
        stage.real.turn(VenueState.READY)
        await rig.settle()
        assert [it.execution.price for it in stage.sink.of(ExecutionReported)] == [Decimal("451.1")]


async def test_where_the_hours_are_told_nothing_fills_outside_them(rig, words):
    opens = words.now + timedelta(hours=1)
    session = Session(opens_at=opens, closes_at=opens + timedelta(hours=1))
    spec = ContractSpec(ref="SPY", trading=(session,), liquid=(session,))
    async with Stage(rig).running() as stage:
        stage.real.sink.facts((ContractDescribed(venue="ibkr", spec=spec),))
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, Side.BUY, 1))
        assert stage.sink.of(ExecutionReported) == []
        rig.now = opens
        await stage.quote(words.spy, 450.0, 450.1)
        assert len(stage.sink.of(ExecutionReported)) == 1


# --- cancels -------------------------------------------------------------------------------------


async def test_a_cancel_ends_what_rests_and_tells_the_truth_of_the_rest(rig, words):
    async with Stage(rig).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(
            words.priced("rests", words.spy, Side.BUY, 1, "440.00"),
            words.priced("done", words.spy, Side.BUY, 1),
        )
        rig.sink.batches.clear()
        for name in ("rests", "done", "unknown"):
            stage.paper.cancel(words.priced(name, words.spy, Side.BUY, 1))
        await rig.settle()
        assert [it.row.report.value for it in stage.sink.of(OrderReported)] == [
            "CANCELLED",
            "FILLED",
            "REJECTED",
        ]
        await stage.quote(words.spy, 430.0, 430.1)
        assert stage.sink.of(ExecutionReported) == []


async def test_a_resting_order_ends_with_its_day(rig, words):
    async with Stage(rig).running() as stage:
        await stage.place(words.priced("a", words.spy, Side.BUY, 1, "440.00"))
        rig.now += timedelta(days=1)
        stage.real.quote(words.spy, 430.0, 430.1)
        stage.real.quote(words.spy, 430.0, 430.1)
        await rig.settle()
        assert stage.sink.story() == [("WORKING", 0), ("CANCELLED", 0)]


# --- on disk -------------------------------------------------------------------------------------


async def test_after_a_restart_the_simulated_trades_are_still_there(rig, words, tmp_path):
    file = tmp_path / "paper.json"
    row = words.held(words.spy, 100)
    async with Stage(rig, row, state_file=file).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(
            words.priced("done", words.spy, Side.SELL, 60),
            words.priced("rests", words.spy, Side.SELL, 40, "460.00"),
        )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rig.sink.batches.clear()
    async with Stage(rig, row, state_file=file).running() as again:
        (book,) = again.sink.of(BookSnapshot)
        assert [it.quantity for it in book.positions] == [40]
        assert [it.client_order_id for it in book.executions] == ["done"]
        await again.place(words.priced("done", words.spy, Side.SELL, 60))
        assert again.sink.of(ExecutionReported) == []
        assert words.spy in again.real.watched
        await again.quote(words.spy, 461.0, 461.1)
        (filled,) = again.sink.of(ExecutionReported)
        assert filled.execution.client_order_id == "rests"
        assert filled.execution.execution_id != book.executions[0].execution_id
        assert again.held() == {}


async def test_what_is_told_is_on_disk_already(rig, words, tmp_path):
    file = tmp_path / "paper.json"
    keep, saved = rig.sink.facts, []

    def facts(batch: Iterable[VenueFact]) -> None:
        batch = tuple(batch)
        keep(batch)
        if isinstance(batch[0], OrderReported | ExecutionReported):
            book = json.loads(file.read_text())["book"]
            saved.append((len(book["orders"]), len(book["executions"]), len(book["positions"])))

    rig.sink.facts = facts
    async with Stage(rig, state_file=file).running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, Side.BUY, 1))
    assert saved == [(1, 0, 0), (1, 1, 1), (1, 1, 1)]


async def test_a_disk_that_cannot_be_written_is_warned_of_once(rig, words, tmp_path):
    async with Stage(rig, state_file=tmp_path / "gone" / "paper.json").running() as stage:
        await stage.quote(words.spy, 450.0, 450.1)
        await stage.place(words.priced("a", words.spy, Side.BUY, 1))
        assert [it.code for it in stage.sink.of(VenueWarned)] == ["paper-save"]
        assert stage.held() == {"SPY": 1}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "book": {}}'])
async def test_a_file_that_is_no_such_state_is_refused_in_plain_words(rig, tmp_path, text):
    file = tmp_path / "paper.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"paper\.json cannot be read"):
        Stage(rig, state_file=file)
