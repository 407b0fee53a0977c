"""What holds at Binance USD-M, OKX and Bybit alike, each in its own words against its stand-in."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    ExecutionOrigin,
    OrderReport,
    OrderType,
    PositionReported,
    Side,
    TimeInForce,
    VenueState,
)
from engine.desk.instruments import Perpetual
from engine.desk.intents import Purpose
from engine.venues.crypto.venue import CryptoVenue
from tests.engine.venues.crypto.crypto_harness import (
    Pauses,
    Sink,
    an_order,
    order_id,
    snapshot_after,
    venue_at,
)
from tests.fakes.binanceusdm import BinanceUsdm
from tests.fakes.bybit import Bybit
from tests.fakes.exchange import Fault
from tests.fakes.exchange import Side as FakeSide
from tests.fakes.okx import Okx

ADL, LIQUIDATION = ExecutionOrigin.ADL, ExecutionOrigin.LIQUIDATION
SETTLEMENT, HAND = ExecutionOrigin.SETTLEMENT, ExecutionOrigin.HAND
PRICE = Decimal(60000)


@dataclass(frozen=True, kw_only=True)
class Place:
    """An exchange as these tests need it. lot: base units of one of its contracts; order_paths:
    where orders and stops are posted; forced: what it can do to a position of 2 base units."""

    connector: str
    make: Callable[[], Any]
    ref: str
    order_path: str
    stop_path: str
    lot: Decimal = Decimal(1)
    forced: dict[str, tuple[Callable[[Any, str], Any], ExecutionOrigin]] = field(
        default_factory=dict
    )

    @property
    def btc(self) -> Perpetual:
        return Perpetual(
            ref=self.ref, symbol="BTC-USDT", base="BTC", quote="USDT", contract_size=self.lot
        )

    def units(self, base: str) -> Decimal:
        """The venue's own units of a base quantity."""
        return Decimal(base) / self.lot


USDM = Place(
    connector="binanceusdm",
    make=BinanceUsdm,
    ref="BTCUSDT",
    order_path="/fapi/v1/order",
    stop_path="/fapi/v1/algoOrder",
    forced={
        "adl": (lambda it, ref: it.adl(ref, Decimal("0.5")), ADL),
        "adl as a trade": (
            lambda it, ref: it.adl(
                ref, Decimal("0.5"), status="NEW_ADL", execution="TRADE", pending=False
            ),
            ADL,
        ),
        "liquidation": (lambda it, ref: it.liquidate(ref, Decimal("0.5")), LIQUIDATION),
        "insurance": (
            lambda it, ref: it.liquidate(ref, Decimal("0.5"), insurance=True),
            LIQUIDATION,
        ),
        "settlement": (lambda it, ref: it.settle(ref), SETTLEMENT),
        "delivery": (lambda it, ref: it.deliver(ref), SETTLEMENT),
    },
)
OKX = Place(
    connector="okx",
    make=Okx,
    ref="BTC-USDT-SWAP",
    order_path="/trade/order",
    stop_path="/trade/order-algo",
    lot=Decimal("0.01"),
    forced={
        "adl": (lambda it, ref: it.adl(ref, Decimal(50), PRICE), ADL),
        "liquidation": (lambda it, ref: it.liquidate(ref, PRICE), LIQUIDATION),
        "part": (lambda it, ref: it.liquidate(ref, PRICE, Decimal(50)), LIQUIDATION),
        "delivery": (lambda it, ref: it.deliver(ref, PRICE), SETTLEMENT),
    },
)
BYBIT = Place(
    connector="bybit",
    make=Bybit,
    ref="BTCUSDT",
    order_path="/order/create",
    stop_path="/order/create",
    forced={
        "adl": (lambda it, ref: it.adl(ref, Decimal("0.5"), PRICE), ADL),
        "liquidation": (lambda it, ref: it.liquidate(ref, PRICE), LIQUIDATION),
        "settlement": (lambda it, ref: it.settle(ref, PRICE), SETTLEMENT),
        "delivery": (lambda it, ref: it.deliver(ref, PRICE), SETTLEMENT),
        "block": (lambda it, ref: it.block_trade(ref, FakeSide.SELL, Decimal(1), PRICE), HAND),
        "move": (lambda it, ref: it.move_position(ref, FakeSide.SELL, Decimal(1), PRICE), HAND),
    },
)
PLACES = (USDM, OKX, BYBIT)
at_each = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.connector)
FORCED = [
    pytest.param(place, name, id=f"{place.connector}: {name}")
    for place in PLACES
    for name in place.forced
]


@asynccontextmanager
async def holding(
    place: Place, base: str = "2", **changes: Any
) -> AsyncIterator[tuple[Any, CryptoVenue, Sink]]:
    """A stand-in that holds some BTC at 60,000, and the venue ready at it."""
    async with place.make() as server:
        server.set_quote(place.ref, PRICE, PRICE + 1)
        if Decimal(base):
            server.set_position(place.ref, place.units(base), PRICE)
        async with venue_at(server, place.connector, **changes) as (venue, sink):
            yield server, venue, sink


@at_each
async def test_what_is_held_is_told_in_base_units(place: Place) -> None:
    async with holding(place, "-0.5", forget=False) as (_, _, sink):
        (told,) = sink.all(BookSnapshot)
        (row,) = told.positions
        assert row.instrument == place.btc
        assert (row.quantity, row.average_cost) == (Decimal("-0.5"), PRICE)
        specs = {it.spec.ref: it.spec for it in sink.all(ContractDescribed)}
        spec = specs[place.ref]
        assert spec.quantity_step <= Decimal("0.001")
        assert spec.price_steps[0].increment == Decimal("0.1")
        assert sink.can_trade is True
        assert sink.state is VenueState.READY


@at_each
async def test_a_close_at_market_fills_and_leaves_the_position_flat(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        venue.place(an_order(place.btc))
        row = await sink.until_report(order_id(), OrderReport.FILLED)
        assert row.filled == 2
        await sink.until(lambda: bool(sink.executions) and bool(sink.all(PositionReported)))
        await sink.until(lambda: sink.held(place.ref) == 0)
        (execution,) = sink.executions
        assert (execution.side, execution.quantity) == (Side.SELL, Decimal(2))
        assert execution.client_order_id == order_id()
        assert execution.origin is ExecutionOrigin.OURS
        fee = PRICE * 2 * server.account.rules.taker_fee
        assert (execution.fee, execution.fee_currency) == (fee, "USDT")
        (sent,) = server.requests(place.order_path, "POST")
        assert "educeOnly" in sent.body + sent.query
        told = await snapshot_after(venue, sink)
        assert told.positions == ()
        assert told.executions == (execution,)


@at_each
async def test_a_sweep_takes_what_is_there_and_cancels_the_rest(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        size = place.units("1.2")
        server.set_quote(place.ref, PRICE, PRICE + 1, bid_size=size)
        venue.place(an_order(place.btc, limit="59900", lasts=TimeInForce.IOC))
        row = await sink.until_report(order_id(), OrderReport.CANCELLED)
        assert row.filled == Decimal("1.2")
        await sink.until(lambda: sink.held(place.ref) == Decimal("0.8"))


@at_each
async def test_a_resting_close_is_cancelled_by_our_id(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        order = an_order(place.btc, limit="70000")
        venue.place(order)
        await sink.until_report(order_id(), OrderReport.WORKING)
        assert [one.client_id for one in server.orders(open_only=True)] == [order_id()]
        venue.cancel(order)
        row = await sink.until_report(order_id(), OrderReport.CANCELLED)
        assert row.filled == 0
        assert not server.orders(open_only=True)


@at_each
async def test_a_stop_rests_by_the_mark_price_and_closes_when_it_is_reached(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        venue.place(
            an_order(place.btc, kind=OrderType.STOP, stop="55000", purpose=Purpose.RESIDENT_STOP)
        )
        await sink.until_report(order_id(), OrderReport.WORKING)
        (resting,) = server.orders(open_only=True)
        assert (resting.stop_price, resting.signal.value) == (Decimal(55000), "mark")
        assert resting.reduce_only
        told = await snapshot_after(venue, sink)
        assert [(row.client_order_id, row.report) for row in told.orders] == [
            (order_id(), OrderReport.WORKING)
        ]
        server.set_quote(place.ref, Decimal(54990), Decimal(54991))
        row = await sink.until_report(order_id(), OrderReport.FILLED)
        assert row.filled == 2
        await sink.until(lambda: bool(sink.executions) and sink.held(place.ref) == 0)
        assert sink.executions[0].client_order_id == order_id()
        assert sink.executions[0].origin is ExecutionOrigin.OURS


@at_each
async def test_a_stop_is_cancelled_and_its_end_is_told(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        order = an_order(place.btc, kind=OrderType.STOP, stop="55000")
        venue.place(order)
        await sink.until_report(order_id(), OrderReport.WORKING)
        venue.cancel(order)
        await sink.until_report(order_id(), OrderReport.CANCELLED)
        assert not server.orders(open_only=True)


@at_each
async def test_a_stop_through_the_market_is_refused_in_words(place: Place) -> None:
    async with holding(place) as (_, venue, sink):
        venue.place(an_order(place.btc, kind=OrderType.STOP, stop="65000"))
        row = await sink.until_report(order_id(), OrderReport.REJECTED)
        assert row.reason
        assert "{" not in row.reason


@at_each
async def test_a_stop_that_fired_while_we_were_away_is_found(place: Place) -> None:
    async with place.make() as server:
        server.set_quote(place.ref, PRICE, PRICE + 1)
        server.set_position(place.ref, place.units("2"), PRICE)
        order = an_order(place.btc, kind=OrderType.STOP, stop="55000")
        async with venue_at(server, place.connector) as (venue, sink):
            venue.place(order)
            await sink.until_report(order_id(), OrderReport.WORKING)
        server.set_quote(place.ref, Decimal(54990), Decimal(54991))
        sink = Sink()
        sink.doubts = [order]
        async with venue_at(server, place.connector, sink=sink, forget=False):
            (told,) = sink.all(BookSnapshot)
            (row,) = told.orders
            assert (row.report, row.filled) == (OrderReport.FILLED, Decimal(2))
            (execution,) = told.executions
            assert execution.client_order_id == order_id()
            assert execution.origin is ExecutionOrigin.OURS
            assert told.positions == ()


@at_each
async def test_an_answer_that_never_came_is_looked_up_by_the_id(place: Place) -> None:
    async with holding(place, answer_seconds=0.5) as (server, venue, sink):
        server.fault(Fault.SILENT_AFTER, place.order_path, "POST")
        order = an_order(place.btc)
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        assert OrderReport.REJECTED not in sink.reports(order_id())
        told = await snapshot_after(venue, sink)
        assert [(row.report, row.filled) for row in told.orders] == [
            (OrderReport.FILLED, Decimal(2))
        ]
        assert len(server.requests(place.order_path, "POST")) == 1


@at_each
async def test_an_order_that_is_not_there_is_proven_absent_and_sent_again(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        server.fault(Fault.DROPPED, place.order_path, "POST")
        order = an_order(place.btc)
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        told = await snapshot_after(venue, sink)
        assert told.orders == ()
        venue.place(order)
        await sink.until_report(order_id(), OrderReport.FILLED)


@at_each
async def test_a_server_error_is_no_refusal(place: Place) -> None:
    async with holding(place) as (server, venue, sink):
        server.fault(Fault.SERVER_ERROR_AFTER, place.order_path, "POST")
        order = an_order(place.btc)
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        told = await snapshot_after(venue, sink)
        assert [row.report for row in told.orders] == [OrderReport.FILLED]
        assert OrderReport.REJECTED not in sink.reports(order_id())


@at_each
async def test_nothing_left_to_reduce_is_a_refusal_and_the_book_is_asked_for(place: Place) -> None:
    async with holding(place, "0") as (_, venue, sink):
        venue.place(an_order(place.btc))
        row = await sink.until_report(order_id(), OrderReport.REJECTED)
        assert "{" not in row.reason
        await sink.until_count(BookSnapshot)


@pytest.mark.parametrize(("place", "name"), FORCED)
async def test_a_forced_event_is_told_once_with_its_origin(place: Place, name: str) -> None:
    force, origin = place.forced[name]
    async with holding(place) as (server, venue, sink):
        await sink.until(lambda: place.ref in sink.quotes)
        force(server, place.ref)
        left = server.held(place.ref) * place.lot
        await sink.until(lambda: bool(sink.executions) and sink.held(place.ref) == left)
        (execution,) = sink.executions
        assert execution.origin is origin
        assert execution.side is Side.SELL
        assert execution.quantity == 2 - left
        assert execution.client_order_id is None
        told = await snapshot_after(venue, sink)
        assert [(it.execution_id, it.origin) for it in told.executions] == [
            (execution.execution_id, origin)
        ]


@pytest.mark.parametrize(("place", "name"), FORCED)
async def test_a_forced_event_while_we_were_away_is_in_the_snapshot(
    place: Place, name: str
) -> None:
    force, origin = place.forced[name]
    pauses = Pauses()
    async with holding(place, sleep=pauses) as (server, _, sink):
        server.drop_sockets()
        await sink.until_state(VenueState.DOWN)
        force(server, place.ref)
        await pauses.reached(1)
        pauses.let_go()
        await sink.until_state(VenueState.READY)
        told = sink.all(BookSnapshot)[-1]
        assert [it.origin for it in told.executions] == [origin]
        assert sink.held(place.ref) == server.held(place.ref) * place.lot


@at_each
async def test_a_trade_by_hand_is_told_as_one(place: Place) -> None:
    async with holding(place) as (server, _, sink):
        server.hand_trade(place.ref, FakeSide.BUY, place.units("1"), PRICE)
        await sink.until(lambda: bool(sink.executions) and sink.held(place.ref) == 3)
        (execution,) = sink.executions
        assert (execution.origin, execution.side) == (HAND, Side.BUY)


@at_each
async def test_quotes_follow_the_stream(place: Place) -> None:
    async with holding(place) as (server, _, sink):
        await sink.until(lambda: place.ref in sink.quotes)
        for step in (100, 200, 300):
            server.set_quote(place.ref, PRICE + step, PRICE + step + 1)
        await sink.until(lambda: sink.quotes[place.ref].bid == 60300)
        assert sink.quotes[place.ref].ask == 60301


@at_each
async def test_a_refused_login_is_said_and_nothing_can_be_done(place: Place) -> None:
    async with place.make() as server:
        server.refuse_logins()
        async with venue_at(server, place.connector, state=VenueState.DOWN, forget=False) as (
            _,
            sink,
        ):
            assert sink.can_trade is False
            assert "cannot act: the exchange refused the API key" in sink.detail
            assert "{" not in sink.detail


@at_each
async def test_ten_closes_at_once_are_all_taken(place: Place) -> None:
    async with holding(place, "20") as (server, venue, sink):
        server.set_quote(place.ref, PRICE, PRICE + 1)
        for attempt in range(1, 11):
            venue.place(an_order(place.btc, quantity="2", attempt=attempt))
        wanted = {order_id(attempt) for attempt in range(1, 11)}
        await sink.until(lambda: wanted <= {it.client_order_id for it in sink.executions})
        await sink.until(lambda: sink.held(place.ref) == 0)


async def test_funding_at_bybit_is_no_trade() -> None:
    async with holding(BYBIT) as (server, venue, sink):
        server.fund(BYBIT.ref, Decimal("0.0001"))
        server.hand_trade(BYBIT.ref, FakeSide.BUY, Decimal(1), PRICE)
        await sink.until(lambda: bool(sink.executions))
        told = await snapshot_after(venue, sink)
        assert [it.origin for it in told.executions] == [HAND]


async def test_an_expired_listen_key_makes_a_new_connection() -> None:
    pauses = Pauses(open_gate=True)
    async with holding(USDM, sleep=pauses) as (server, _, sink):
        server.expire_listen_key()
        await sink.until_state(VenueState.DOWN)
        await sink.until_state(VenueState.READY)
        server.hand_trade(USDM.ref, FakeSide.BUY, Decimal(1), PRICE)
        await sink.until(lambda: sink.held(USDM.ref) == 3)


async def test_a_stream_that_keeps_executions_to_itself_is_replaced() -> None:
    patience: dict[str, Any] = {"tick_seconds": 0.02, "confirm_seconds": 0.2, "deaf_seconds": 0.1}
    async with holding(USDM, **patience) as (server, _, sink):
        (socket,) = [it for it in server.clients if "listenKey" in it.query]
        socket.mute = True
        server.hand_trade(USDM.ref, FakeSide.BUY, Decimal(1), PRICE)
        await sink.until_state(VenueState.STALE)
        await sink.until_state(VenueState.READY)
        assert sink.held(USDM.ref) == 3
        server.hand_trade(USDM.ref, FakeSide.BUY, Decimal(1), PRICE)
        await sink.until(lambda: sink.held(USDM.ref) == 4)


async def test_a_block_trade_at_okx_shows_in_the_rows_alone() -> None:
    async with holding(OKX) as (server, _, sink):
        server.block_trade(OKX.ref, FakeSide.SELL, Decimal(100), PRICE)
        await sink.until(lambda: sink.held(OKX.ref) == 1)
        assert not sink.executions
