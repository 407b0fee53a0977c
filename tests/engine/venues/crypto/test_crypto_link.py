import asyncio
import logging
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from engine.desk.facts import (
    BookSnapshot,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderUnanswered,
    PositionReported,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import Perpetual
from engine.errors import InputError
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.venue import CryptoVenue
from tests.engine.venues.crypto.crypto_harness import (
    NAME,
    Pauses,
    Sink,
    an_order,
    order_id,
    snapshot_after,
    venue_at,
)
from tests.fakes.exchange import Fault
from tests.fakes.krakenfutures import KrakenFutures

BTC = Perpetual(ref="PF_XBTUSD", symbol="BTC-USD", base="BTC", quote="USD")
ETH = Perpetual(ref="PF_ETHUSD", symbol="ETH-USD", base="ETH", quote="USD")
KRAKEN = "krakenfutures"


async def test_the_venue_becomes_ready_step_by_step() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN, forget=False) as (venue, sink):
        states = [change.state for change in sink.all(VenueChanged)]
        assert list(dict.fromkeys(states)) == [
            VenueState.CONNECTING,
            VenueState.SYNCING,
            VenueState.READY,
        ]
        assert sink.can_trade is True
        assert venue.clock_skew_seconds == pytest.approx(0, abs=0.5)


async def test_private_streams_are_subscribed_before_quotes_and_fills_before_all() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN):
        said = kraken.messages('"subscribe"')
        feeds = [text.split('"feed":"')[1].split('"')[0] for text in said]
        assert feeds == ["fills", "open_positions", "open_orders", "ticker"]


async def test_a_wrong_key_is_said_in_words_and_nothing_can_be_done() -> None:
    pauses = Pauses()
    async with (
        KrakenFutures() as kraken,
        venue_at(
            kraken,
            KRAKEN,
            api_key="wrong-key-of-ours",
            state=VenueState.DOWN,
            sleep=pauses,
            forget=False,
        ) as (venue, sink),
    ):
        assert sink.can_trade is False
        assert "cannot act: the exchange refused the API key" in sink.detail
        assert "wrong-key-of-ours" not in str(sink.batches)
        assert not sink.all(BookSnapshot)
        await pauses.reached(1)
        venue.place(an_order(BTC))
        row = await sink.until_report(order_id(), OrderReport.REJECTED)
        assert row.reason.startswith("not sent")


async def test_a_key_that_may_not_trade_watches_all_the_same() -> None:
    async with KrakenFutures() as kraken:
        kraken.fault(Fault.SERVER_ERROR, "cancelorder")
        async with venue_at(kraken, KRAKEN) as (_, sink):
            assert sink.can_trade is None


async def test_nobody_there_is_said_once_however_often_it_is_tried() -> None:
    kraken = KrakenFutures()
    await kraken.start()
    await kraken.stop()
    pauses = Pauses()
    async with venue_at(kraken, KRAKEN, state=VenueState.DOWN, sleep=pauses, forget=False) as (
        _,
        sink,
    ):
        for tries in (1, 2, 3):
            await pauses.reached(tries)
            pauses.let_go()
        await pauses.reached(4)
        assert [change.state for change in sink.all(VenueChanged)] == [
            VenueState.CONNECTING,
            VenueState.DOWN,
        ]
        assert pauses.seconds == [2.0, 4.0, 8.0, 16.0]
        assert "Kraken Futures" in sink.detail


async def test_a_lost_stream_is_down_and_then_connected_anew() -> None:
    pauses = Pauses()
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN, sleep=pauses) as (_, sink):
        kraken.drop_sockets()
        await sink.until_state(VenueState.DOWN)
        await pauses.reached(1)
        kraken.set_position("PF_XBTUSD", Decimal(1), Decimal(64000))
        pauses.let_go()
        await sink.until_state(VenueState.READY)
        assert sink.held("PF_XBTUSD") == 1


async def test_silent_streams_are_stale_and_rest_is_asked_instead() -> None:
    patience: dict[str, Any] = {"stale_seconds": 0.3, "poll_seconds": 0.1, "tick_seconds": 0.05}
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, **patience) as (venue, sink),
    ):
        kraken.mute_sockets()
        kraken.set_quote("PF_XBTUSD", Decimal(50000), Decimal(50001))
        await sink.until_state(VenueState.STALE)
        kraken.assign("PF_XBTUSD", Decimal(2), Decimal(50000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == 2)
        await sink.until(lambda: sink.quotes["PF_XBTUSD"].bid == 50000)
        assert sink.executions[-1].quantity == 2
        # What was seen over REST can be acted on over REST.
        venue.place(an_order(BTC))
        await sink.until_report(order_id(), OrderReport.FILLED)


async def test_streams_that_speak_again_end_the_staleness() -> None:
    patience: dict[str, Any] = {"stale_seconds": 0.3, "poll_seconds": 0.1, "tick_seconds": 0.05}
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN, **patience) as (_, sink):
        await sink.until_state(VenueState.STALE)
        kraken.set_quote("PF_XBTUSD", Decimal(50000), Decimal(50001))
        await sink.until_state(VenueState.READY)


async def test_streams_dead_for_long_are_replaced_without_the_venue_going_down() -> None:
    patience: dict[str, Any] = {
        "stale_seconds": 0.2,
        "dead_seconds": 0.5,
        "poll_seconds": 0.1,
        "tick_seconds": 0.05,
    }
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN, **patience) as (_, sink):
        kraken.mute_sockets()
        await sink.until_state(VenueState.STALE)
        kraken.mute_sockets(False)
        for socket in kraken.clients:
            socket.mute = True
        kraken.assign("PF_XBTUSD", Decimal(2), Decimal(50000))
        await kraken.until(lambda: len(kraken.messages("open_positions")) == 2)
        await sink.until_state(VenueState.READY)
        assert {change.state for change in sink.all(VenueChanged)} == {
            VenueState.READY,
            VenueState.STALE,
        }
        assert sink.held("PF_XBTUSD") == 2


async def test_an_account_stream_that_never_opens_is_stale_and_tried_anew() -> None:
    patience: dict[str, Any] = {
        "answer_seconds": 0.3,
        "dead_seconds": 0.4,
        "poll_seconds": 0.1,
        "tick_seconds": 0.05,
    }
    async with KrakenFutures() as kraken:
        kraken.hold("fills")
        async with venue_at(kraken, KRAKEN, state=VenueState.STALE, forget=False, **patience) as (
            venue,
            sink,
        ):
            kraken.assign("PF_XBTUSD", Decimal(2), Decimal(64000))
            await sink.until(lambda: sink.held("PF_XBTUSD") == 2)
            venue.place(an_order(BTC))
            await sink.until_report(order_id(), OrderReport.FILLED)
            await kraken.until(lambda: len(kraken.messages("open_positions")) >= 2)
            kraken.release("fills")
            await sink.until_state(VenueState.READY)


async def test_without_keys_silence_ends_with_the_first_quote() -> None:
    patience: dict[str, Any] = {"stale_seconds": 0.2, "poll_seconds": 0.1, "tick_seconds": 0.05}
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, api_key="", **patience) as (_, sink),
    ):
        await sink.until_state(VenueState.STALE)
        kraken.set_quote("PF_XBTUSD", Decimal(50000), Decimal(50001))
        await sink.until_state(VenueState.READY)


async def test_ten_closes_in_one_second_go_out_inside_the_budget_before_the_polls() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (venue, sink):
        kraken.set_position("PF_XBTUSD", Decimal(20), Decimal(64000))
        for _ in range(60):
            kraken.assign("PF_ETHUSD", Decimal(1), Decimal(3000))
            venue.ask()
        for attempt in range(1, 11):
            venue.place(an_order(BTC, quantity="2", attempt=attempt))
        wanted = {order_id(attempt) for attempt in range(1, 11)}
        await sink.until(
            lambda: wanted <= {it.client_order_id for it in sink.executions}, within_seconds=3
        )
        sent = kraken.requests("sendorder")
        assert sent[-1].at_seconds - sent[0].at_seconds < 1
        assert kraken.budget_refusals() == 0


async def test_after_a_429_polls_wait_and_closes_do_not() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (venue, sink):
        kraken.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        kraken.fault(Fault.RATE_LIMITED, "openpositions", retry_after_seconds=30)
        venue.ask()
        await kraken.until(lambda: len(kraken.requests("openpositions")) == 3)
        await asyncio.sleep(0)
        venue.place(an_order(BTC))
        await sink.until_report(order_id(), OrderReport.FILLED)
        assert len(kraken.requests("openpositions")) == 3


async def test_an_order_on_its_way_when_the_streams_are_lost_is_unanswered() -> None:
    pauses = Pauses()
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, sleep=pauses) as (venue, sink),
    ):
        kraken.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        kraken.fault(Fault.SILENT_AFTER, "sendorder")
        order = an_order(BTC)
        sink.doubts = [order]
        venue.place(order)
        await kraken.until(lambda: bool(kraken.requests("sendorder")))
        kraken.drop_sockets()
        await sink.until_count(OrderUnanswered)
        assert sink.unanswered() == [order_id()]
        assert not [it for it in sink.reports(order_id()) if it is OrderReport.REJECTED]
        await pauses.reached(1)
        pauses.let_go()
        await sink.until_count(BookSnapshot)
        assert [it.report for it in sink.all(BookSnapshot)[-1].orders] == [OrderReport.FILLED]


async def test_a_placed_order_is_never_sent_twice_by_the_same_connection() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (venue, sink):
        kraken.set_position("PF_XBTUSD", Decimal(4), Decimal(64000))
        for _ in range(3):
            venue.place(an_order(BTC))
        await sink.until_report(order_id(), OrderReport.FILLED)
        venue.place(an_order(BTC))
        await snapshot_after(venue, sink)
        assert len(kraken.requests("sendorder")) == 1


async def test_an_incomplete_answer_tells_no_snapshot() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, poll_seconds=0.05) as (
            venue,
            sink,
        ),
    ):
        kraken.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        kraken.fault(Fault.SERVER_ERROR, "fills", times=2)
        await snapshot_after(venue, sink)
        assert len(sink.all(BookSnapshot)) == 1
        assert len(kraken.requests("openpositions")) == 5
        assert sink.state is VenueState.READY


async def test_a_book_that_cannot_be_asked_for_is_known_no_more() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, poll_seconds=0.05) as (
            venue,
            sink,
        ),
    ):
        kraken.fault(Fault.SERVER_ERROR, "openorders", times=4)
        venue.ask()
        await sink.until_state(VenueState.SYNCING)
        assert "cannot be asked for" in sink.detail
        await sink.until_state(VenueState.READY)


async def test_without_keys_public_data_is_read_and_nothing_can_be_done() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(
            kraken, KRAKEN, api_key="", secret="", password="", symbols=("ETH-USD",), forget=False
        ) as (venue, sink),
    ):
        assert sink.can_trade is False
        assert "no API key" in sink.detail
        await sink.until(lambda: "PF_ETHUSD" in sink.quotes)
        assert set(sink.quotes) == {"PF_ETHUSD"}
        (told,) = sink.all(BookSnapshot)
        assert told.positions == ()
        venue.place(an_order(BTC))
        await sink.until_report(order_id(), OrderReport.REJECTED)


async def test_what_is_watched_or_held_gets_quotes_and_specs() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, symbols=("BTC-USD",)) as (venue, sink),
    ):
        assert "PF_SOLUSD" not in sink.quotes
        kraken.assign("PF_SOLUSD", Decimal(5), Decimal(140))
        await sink.until(lambda: "PF_SOLUSD" in sink.quotes)
        venue.watch([ETH])
        await sink.until(lambda: "PF_ETHUSD" in sink.quotes)
        told = sink.all(ExecutionReported) + sink.all(PositionReported)
        assert told


async def test_a_position_closed_between_question_and_answer_is_not_brought_back() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (venue, sink):
        kraken.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == 2)
        venue.ask()
        await kraken.until(lambda: len(kraken.requests("openpositions")) == 3)
        kraken.set_position("PF_XBTUSD", Decimal(0), Decimal(64000))
        await sink.until_count(BookSnapshot)
        assert sink.held("PF_XBTUSD") == 0


async def test_no_text_that_leaves_the_adapter_carries_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN, forget=False) as (venue, sink):
        kraken.fault(Fault.DROPPED, "sendorder")
        venue.place(an_order(BTC))
        await sink.until_count(OrderUnanswered)
        told = str(sink.batches) + caplog.text
        assert kraken.secret not in told
        assert kraken.api_key not in told


async def test_a_market_the_exchange_does_not_list_is_told_once_and_left_alone() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (_, sink):
        fill = kraken.assign("PF_ETHUSD", Decimal(1), Decimal(3000))
        await sink.until(lambda: len(sink.executions) == 1)
        row = kraken.snapshot("fills")["fills"][0] | {"instrument": "FI_XBTUSD_200925"}
        for _ in range(2):
            kraken.publish({"feed": "fills", "username": "a", "fills": [row]}, channel="fills")
            await sink.until(lambda: len(sink.warnings()) == 1)
        assert "FI_XBTUSD_200925" in sink.warnings()[0]
        kraken.assign("PF_ETHUSD", Decimal(1), Decimal(3000))
        await sink.until(lambda: len(sink.executions) == 2)
        assert sink.executions[0].execution_id == fill.id
        assert sink.state is VenueState.READY
        assert len(sink.warnings()) == 1


async def test_a_message_nobody_can_read_is_told_and_does_not_stop_the_next() -> None:
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (_, sink):
        kraken.publish({"feed": "fills", "fills": [{"instrument": "PF_ETHUSD"}]}, channel="fills")
        await sink.until(lambda: bool(sink.warnings()))
        kraken.assign("PF_ETHUSD", Decimal(1), Decimal(3000))
        await sink.until(lambda: sink.held("PF_ETHUSD") == 1 and len(sink.executions) == 1)


async def test_the_connection_for_orders_is_kept_warm() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, tick_seconds=0.02, warm_seconds=0.05),
    ):
        await kraken.until(lambda: len(kraken.requests("/tickers/")) >= 3)


async def test_rest_confirms_what_streams_tell_from_time_to_time() -> None:
    async with (
        KrakenFutures() as kraken,
        venue_at(kraken, KRAKEN, tick_seconds=0.02, confirm_seconds=0.1) as (_, sink),
    ):
        kraken.hold("open_positions")
        kraken.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        await sink.until(lambda: sink.held("PF_XBTUSD") == 2)


def test_ccxt_is_imported_only_by_a_connection() -> None:
    code = (
        "import sys, engine.venues.crypto.venue, engine.service.setup;"
        "print([name for name in sys.modules if name.split('.')[0] in ('ccxt', 'aiohttp')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert found.stdout.strip() == "[]"


def test_an_exchange_nobody_translates_is_refused() -> None:
    with pytest.raises(InputError, match="No exchange mtgox"):
        CryptoVenue(NAME, Sink(), CryptoSettings(connector="mtgox"))


async def test_an_order_before_any_connection_is_refused_as_not_sent() -> None:
    sink = Sink()
    venue = CryptoVenue(NAME, sink, CryptoSettings(connector=KRAKEN))
    venue.place(an_order(BTC))
    await sink.until_count(OrderReported)
    assert sink.rows(order_id())[0].reason.startswith("not sent: not connected")


async def test_a_close_met_by_a_429_is_asked_for_at_once_and_goes_again() -> None:
    """Whether it was done is asked in the lane of closes: polls wait as long as the venue says."""
    async with KrakenFutures() as kraken, venue_at(kraken, KRAKEN) as (venue, sink):
        kraken.set_position("PF_XBTUSD", Decimal(2), Decimal(64000))
        kraken.fault(Fault.RATE_LIMITED, "sendorder", retry_after_seconds=30)
        order = an_order(BTC)
        sink.doubts = [order]
        venue.place(order)
        await sink.until_count(OrderUnanswered)
        told = await snapshot_after(venue, sink)
        assert told.orders == ()
        venue.place(order)
        await sink.until_report(order_id(), OrderReport.FILLED)
        assert kraken.held("PF_XBTUSD") == 0
