from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import market
from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    CloseType,
    ContractDescribed,
    ExecutionOrigin,
    OrderReport,
    OrderType,
    Side,
    TimeInForce,
    VenueState,
)
from engine.desk.instruments import PriceBand, SpotPair
from engine.desk.intents import Purpose
from engine.venues.crypto.venue import CryptoVenue
from engine.venues.port import PricedOrder
from tests.engine.venues.crypto.crypto_harness import (
    Pauses,
    Sink,
    an_order,
    order_id,
    snapshot_after,
    venue_at,
)
from tests.fakes.binance_spot.bars import Bar
from tests.fakes.binance_spot.server import BinanceSpot
from tests.fakes.exchange import Fault
from tests.fakes.exchange import Side as FakeSide

BTC = SpotPair(ref="BTCUSDT", symbol="BTCUSDT", base="BTC", quote="USDT")
HALF = Decimal("0.5")


@asynccontextmanager
async def spot(**changes: object) -> AsyncIterator[tuple[BinanceSpot, CryptoVenue, Sink]]:
    """A stand-in with 1000 USDT and a price of 50,000, and the venue ready at it."""
    async with BinanceSpot() as binance:
        binance.set_balance("USDT", Decimal(1000))
        binance.set_balance("BTC", Decimal(0))
        binance.set_quote("BTCUSDT", Decimal(49999), Decimal(50000), last=Decimal(50000))
        usual: dict[str, object] = {"symbols": ("BTCUSDT",), "is_spot": True, **changes}
        async with venue_at(binance, "binance", **usual) as (venue, sink):  # type: ignore[arg-type]
            yield binance, venue, sink


def a_buy(spend: str = "333") -> PricedOrder:
    return an_order(
        BTC,
        side=Side.BUY,
        quantity="0.00666",
        spend=spend,
        reduce_only=False,
        purpose=Purpose.ENTRY,
    )


def a_bracket(
    above: str = "52000", below: str = "49000", quantity: str = "0.01", attempt: int = 2
) -> PricedOrder:
    return an_order(
        BTC,
        kind=OrderType.OCO,
        quantity=quantity,
        limit=above,
        stop=below,
        reduce_only=False,
        purpose=Purpose.BRACKET,
        attempt=attempt,
    )


BRACKET = order_id(2)


async def test_the_account_and_its_markets_are_told() -> None:
    async with BinanceSpot() as binance:
        binance.set_balance("USDT", Decimal(1000))
        binance.set_balance("ETH", Decimal(3))
        async with venue_at(
            binance, "binance", symbols=("BTCUSDT",), is_spot=True, forget=False
        ) as (_, sink):
            balances = {it.currency: (it.free, it.total) for it in sink.all(BalanceReported)}
            thousand, nothing = Decimal(1000), Decimal(0)
            assert balances == {"USDT": (thousand, thousand), "BTC": (nothing, nothing)}
            (spec,) = [it.spec for it in sink.all(ContractDescribed)]
            assert spec.ref == "BTCUSDT"
            assert spec.price_steps[0].increment == Decimal("0.01")
            assert spec.quantity_step == Decimal("0.00001")
            assert spec.minimum_quantity == Decimal("0.00001")
            assert spec.minimum_notional == 5
            assert spec.sell_band == PriceBand(lowest=Decimal("0.2"), highest=Decimal(5))
            assert sink.can_trade is True
            assert sink.all(BookSnapshot)[-1].positions == ()


async def test_a_buy_spends_its_amount_and_says_what_it_cost() -> None:
    async with spot() as (binance, venue, sink):
        venue.place(a_buy())
        row = await sink.until_report(order_id(), OrderReport.FILLED)
        assert row.filled == Decimal("0.00666")
        await sink.until(lambda: bool(sink.executions))
        (execution,) = sink.executions
        assert execution.instrument == BTC
        assert (execution.side, execution.quantity) == (Side.BUY, Decimal("0.00666"))
        assert (execution.fee, execution.fee_currency) == (Decimal("0.00000666"), "BTC")
        assert execution.client_order_id == order_id()
        assert execution.exit_leg is None
        (sent,) = binance.requests("/api/v3/order", "POST")
        assert sent.params["quoteOrderQty"] == "333"
        assert "quantity" not in sent.params
        await sink.until(lambda: bool(sink.all(BalanceReported)))
        newest = {it.currency: it.free for it in sink.all(BalanceReported)}
        assert newest["BTC"] == Decimal("0.00665334")


async def test_commissions_in_another_coin_are_told_as_such() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_quote("BNBUSDT", Decimal(500), Decimal(501))
        binance.set_balance("BNB", Decimal(1))
        binance.set_commission(in_bnb=True)
        venue.place(a_buy())
        await sink.until(lambda: bool(sink.executions))
        assert sink.executions[0].fee_currency == "BNB"


async def test_a_bracket_works_with_both_legs_under_ids_of_ours() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        venue.place(a_bracket())
        row = await sink.until_report(BRACKET, OrderReport.WORKING)
        assert row.filled == 0
        (made,) = binance.order_lists()
        assert made.client_id == BRACKET
        legs = {order.client_id: order for order in binance.orders(open_only=True)}
        assert legs[BRACKET + "tp"].limit_price == 52000
        assert legs[BRACKET + "sl"].stop_price == 49000


@pytest.mark.parametrize(
    ("stop", "leg"), [(False, CloseType.TAKE_PROFIT), (True, CloseType.STOP_LOSS)]
)
async def test_the_leg_that_fills_ends_the_bracket_and_is_named(stop: bool, leg: CloseType) -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        venue.place(a_bracket())
        await sink.until_report(BRACKET, OrderReport.WORKING)
        binance.fill_leg(BRACKET, stop=stop)
        row = await sink.until_report(BRACKET, OrderReport.FILLED)
        assert row.filled == Decimal("0.01")
        (execution,) = sink.executions
        assert execution.exit_leg is leg
        assert execution.client_order_id == BRACKET
        assert execution.origin is ExecutionOrigin.OURS


async def test_the_rest_of_a_target_filled_in_part_is_given_back() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", Decimal("0.01"))
        venue.place(a_bracket())
        await sink.until_report(BRACKET, OrderReport.WORKING)
        binance.fill_leg(BRACKET, stop=False, quantity=Decimal("0.004"))
        row = await sink.until_report(BRACKET, OrderReport.CANCELLED)
        assert row.filled == Decimal("0.004")
        assert "not protected" in row.reason
        assert binance.free("BTC") == Decimal("0.006")
        venue.place(a_bracket(quantity="0.006", attempt=3))
        await sink.until_report(order_id(3), OrderReport.WORKING)


async def test_a_target_that_fills_in_pieces_is_left_alone() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", Decimal("0.01"))
        venue.place(a_bracket())
        await sink.until_report(BRACKET, OrderReport.WORKING)
        for quantity in ("0.004", "0.005", "0.001"):
            binance.fill_leg(BRACKET, stop=False, quantity=Decimal(quantity))
        row = await sink.until_report(BRACKET, OrderReport.FILLED)
        assert row.filled == Decimal("0.01")
        assert not binance.requests("/api/v3/order", "DELETE")


async def test_a_stop_that_sells_only_in_part_ends_with_what_it_sold() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", Decimal("0.01"))
        venue.place(a_bracket())
        await sink.until_report(BRACKET, OrderReport.WORKING)
        binance.fill_leg(BRACKET, stop=True, quantity=Decimal("0.004"), price=Decimal(48000))
        row = await sink.until_report(BRACKET, OrderReport.CANCELLED)
        assert row.filled == Decimal("0.004")


async def test_a_bracket_is_cancelled_whole() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        venue.place(a_bracket())
        await sink.until_report(BRACKET, OrderReport.WORKING)
        venue.cancel(a_bracket())
        row = await sink.until_report(BRACKET, OrderReport.CANCELLED)
        assert row.filled == 0
        assert not binance.orders(open_only=True)


@pytest.mark.parametrize(("above", "below"), [("49900", "49000"), ("52000", "50100")])
async def test_a_price_through_the_bracket_is_refused_in_plain_words(
    above: str, below: str
) -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        venue.place(a_bracket(above=above, below=below))
        row = await sink.until_report(BRACKET, OrderReport.REJECTED)
        assert row.reason.startswith("the price is through the bracket already")
        assert "{" not in row.reason


async def test_too_little_money_is_a_refusal() -> None:
    async with spot() as (binance, venue, sink):
        venue.place(a_bracket())
        row = await sink.until_report(BRACKET, OrderReport.REJECTED)
        assert "insufficient balance" in row.reason
        assert not binance.order_lists()


async def test_a_sale_at_market_and_a_limit_are_sent_as_such() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        venue.place(
            an_order(BTC, quantity="0.100009", reduce_only=False, purpose=Purpose.SELL_POSITION)
        )
        row = await sink.until_report(order_id(), OrderReport.FILLED)
        assert row.filled == Decimal("0.1")
        venue.place(
            an_order(
                BTC,
                quantity="0.1",
                limit="60000",
                lasts=TimeInForce.GTC,
                reduce_only=False,
                attempt=5,
            )
        )
        await sink.until_report(order_id(5), OrderReport.WORKING)
        (order,) = binance.orders(open_only=True)
        assert order.limit_price == 60000


async def test_a_buy_of_unknown_fate_is_found_by_its_id() -> None:
    async with spot(answer_seconds=0.4) as (binance, venue, sink):
        binance.fault(Fault.SILENT_AFTER, "/api/v3/order", "POST")
        order = a_buy()
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        told = await snapshot_after(venue, sink)
        (row,) = told.orders
        assert (row.report, row.filled) == (OrderReport.FILLED, Decimal("0.00666"))
        assert [it.client_order_id for it in told.executions] == [order_id()]


async def test_a_server_error_that_may_have_been_done_is_no_refusal() -> None:
    async with spot() as (binance, venue, sink):
        binance.server_error_says(-1007, "Timeout waiting for response from backend server.")
        binance.fault(Fault.SERVER_ERROR, "/api/v3/order", "POST")
        order = a_buy()
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [order_id()])
        told = await snapshot_after(venue, sink)
        assert told.orders == ()


@pytest.mark.parametrize("fault", [Fault.DROPPED_AFTER, Fault.DROPPED])
async def test_a_bracket_of_unknown_fate_is_found_or_proven_absent(fault: Fault) -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        binance.fault(fault, "/api/v3/orderList/oco")
        order = a_bracket()
        sink.doubts = [order]
        venue.place(order)
        await sink.until(lambda: sink.unanswered() == [BRACKET])
        told = await snapshot_after(venue, sink)
        reports = [row.report for row in told.orders]
        assert reports == ([OrderReport.WORKING] if fault is Fault.DROPPED_AFTER else [])
        venue.place(order)
        await sink.until_report(BRACKET, OrderReport.WORKING)
        assert len(binance.order_lists()) == 1


async def test_what_a_bracket_did_while_we_were_away_is_in_the_snapshot() -> None:
    pauses = Pauses()
    async with BinanceSpot() as binance:
        binance.set_balance("BTC", HALF)
        binance.set_quote("BTCUSDT", Decimal(49999), Decimal(50000), last=Decimal(50000))
        async with venue_at(binance, "binance", symbols=("BTCUSDT",), is_spot=True) as (
            venue,
            sink,
        ):
            venue.place(a_bracket())
            await sink.until_report(BRACKET, OrderReport.WORKING)
        binance.fill_leg(BRACKET, stop=True)
        sink = Sink()
        sink.doubts = [a_bracket()]
        async with venue_at(
            binance,
            "binance",
            sink=sink,
            sleep=pauses,
            symbols=("BTCUSDT",),
            is_spot=True,
            forget=False,
        ):
            (told,) = sink.all(BookSnapshot)
            (row,) = told.orders
            assert (row.client_order_id, row.report) == (BRACKET, OrderReport.FILLED)
            (execution,) = told.executions
            assert execution.exit_leg is CloseType.STOP_LOSS
            assert execution.client_order_id == BRACKET


async def test_an_open_bracket_is_in_the_snapshot_as_one_order() -> None:
    async with spot() as (binance, venue, sink):
        binance.set_balance("BTC", HALF)
        venue.place(a_bracket())
        await sink.until_report(BRACKET, OrderReport.WORKING)
        told = await snapshot_after(venue, sink)
        assert [(row.client_order_id, row.report) for row in told.orders] == [
            (BRACKET, OrderReport.WORKING)
        ]


async def test_a_trade_by_hand_is_told_as_one_by_stream_and_by_rest_alike() -> None:
    async with spot() as (binance, venue, sink):
        binance.hand_trade("BTCUSDT", FakeSide.BUY, Decimal("0.002"), Decimal(50000))
        await sink.until(lambda: bool(sink.executions))
        (execution,) = sink.executions
        assert execution.origin is ExecutionOrigin.HAND
        assert execution.client_order_id is None
        told = await snapshot_after(venue, sink)
        assert told.executions == (execution,)


async def test_a_deposit_is_seen() -> None:
    async with spot() as (binance, _, sink):
        binance.set_balance("USDT", Decimal(1500))
        await sink.until(lambda: any(it.free == 1500 for it in sink.all(BalanceReported)))


async def test_a_balance_streamed_while_the_book_is_asked_for_is_the_newer_one() -> None:
    """A doubtful order holds the question open after the balances were answered."""
    async with spot(absence_seconds=1.0) as (binance, venue, sink):
        sink.doubts = [a_buy()]
        binance.forget_requests()
        venue.ask()
        await binance.until(lambda: bool(binance.requests("/api/v3/order", "GET")))
        binance.set_balance("USDT", Decimal(700))
        await sink.until_count(BookSnapshot)
        told = [it.free for it in sink.all(BalanceReported) if it.currency == "USDT"]
        assert told == [Decimal(700)]
        await snapshot_after(venue, sink)
        told = [it.free for it in sink.all(BalanceReported) if it.currency == "USDT"]
        assert set(told) == {Decimal(700)}


async def test_an_ended_stream_of_the_account_is_opened_anew() -> None:
    pauses = Pauses(open_gate=True)
    async with spot(sleep=pauses) as (binance, _, sink):
        binance.end_user_stream()
        await sink.until_state(VenueState.DOWN)
        await sink.until_state(VenueState.READY)
        binance.hand_trade("BTCUSDT", FakeSide.BUY, Decimal("0.002"), Decimal(50000))
        await sink.until(lambda: len(sink.executions) == 1)


async def test_history_comes_first_and_then_only_closed_bars() -> None:
    begins = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    closed = [Bar.flat(begins + timedelta(minutes=n), Decimal(50000 + n)) for n in range(8)]
    running = begins + timedelta(minutes=10)
    async with BinanceSpot() as binance:
        binance.set_quote("BTCUSDT", Decimal(49999), Decimal(50000))
        binance.seed_bars("BTCUSDT", "1m", (*closed, Bar.flat(running, Decimal(1), closed=False)))
        async with venue_at(
            binance, "binance", symbols=("BTCUSDT",), is_spot=True, history_bars=5
        ) as (_, sink):
            await sink.until(lambda: "BTCUSDT" in sink.closed_bars)
            told = sink.closed_bars["BTCUSDT"]
            assert [bar.close for bar in told] == [50003, 50004, 50005, 50006, 50007]
            assert told[-1].at == closed[-1].opened_at
            binance.push_bar("BTCUSDT", "1m", Bar.flat(running, Decimal(2), closed=False))
            binance.push_bar("BTCUSDT", "1m", Bar.flat(running, Decimal(3), closed=True))
            await sink.until(lambda: len(told) == 6)
            assert (told[-1].close, told[-1].at) == (3, running)


async def test_bars_wait_until_the_book_was_told() -> None:
    """The newest of them may be a signal, which nobody could act on earlier."""
    begins = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    closed = tuple(Bar.flat(begins + timedelta(minutes=n), Decimal(50000)) for n in range(8))
    states: list[VenueState | None] = []

    class Watcher(Sink):
        def bars(self, venue: str, ref: str, bars: Sequence[market.Bar]) -> None:
            states.append(self.state)
            super().bars(venue, ref, bars)

    async with BinanceSpot() as binance:
        binance.set_quote("BTCUSDT", Decimal(49999), Decimal(50000))
        binance.seed_bars("BTCUSDT", "1m", closed)
        binance.fault(Fault.SERVER_ERROR, "/api/v3/openOrders")
        sink = Watcher()
        async with venue_at(
            binance, "binance", symbols=("BTCUSDT",), is_spot=True, history_bars=5, sink=sink
        ):
            await sink.until(lambda: "BTCUSDT" in sink.closed_bars)
            assert states == [VenueState.READY]


async def test_quotes_are_told() -> None:
    async with spot() as (binance, _, sink):
        await sink.until(lambda: "BTCUSDT" in sink.quotes)
        binance.set_quote("BTCUSDT", Decimal(51000), Decimal(51001))
        await sink.until(lambda: sink.quotes["BTCUSDT"].bid == 51000)


async def test_a_ban_holds_everything_back_until_it_is_over() -> None:
    async with spot() as (binance, venue, sink):
        binance.ban(1)
        venue.place(a_buy())
        await sink.until(lambda: sink.unanswered() == [order_id()])
        venue.place(replace(a_buy(), client_order_id=order_id(7)))
        await sink.until_report(order_id(7), OrderReport.FILLED)
        assert len(binance.requests("/api/v3/order", "POST")) == 2
