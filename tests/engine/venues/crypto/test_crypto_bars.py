"""Bars of Binance spot whatever comes first, twice, late or never: each told once, in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.desk.facts import VenueState
from tests.engine.venues.crypto.crypto_harness import Pauses, Sink, venue_at
from tests.fakes.binance_spot.bars import Bar
from tests.fakes.binance_spot.server import BinanceSpot
from tests.fakes.exchange import Fault

BTC, ETH = "BTCUSDT", "ETHUSDT"
KLINES, STREAM = "/api/v3/klines", "btcusdt@kline_1m"
MINUTE = timedelta(minutes=1)
SEEDED = 5
BEGAN = datetime.now(UTC).replace(second=0, microsecond=0) - 30 * MINUTE


def bar(number: int) -> Bar:
    """The numbered bar, whose time is over; its close is its number and 100."""
    return Bar.flat(BEGAN + number * MINUTE, Decimal(100 + number))


@asynccontextmanager
async def exchange() -> AsyncIterator[BinanceSpot]:
    """A stand-in that has the first five bars of Bitcoin."""
    async with BinanceSpot() as binance:
        for symbol in (BTC, ETH):
            binance.set_quote(symbol, Decimal(100), Decimal(101), last=Decimal(100))
        binance.seed_bars(BTC, "1m", tuple(bar(number) for number in range(SEEDED)))
        yield binance


@asynccontextmanager
async def bars_of(binance: BinanceSpot, *symbols: str, **changes: object) -> AsyncIterator[Sink]:
    usual: dict[str, object] = {
        "symbols": symbols or (BTC,),
        "is_spot": True,
        "history_bars": 10,
        "poll_seconds": 0.1,
        **changes,
    }
    async with venue_at(binance, "binance", **usual) as (_, sink):  # type: ignore[arg-type]
        yield sink


def told(sink: Sink, symbol: str = BTC) -> list[int]:
    return [round(one.close) - 100 for one in sink.closed_bars.get(symbol, [])]


async def streaming(binance: BinanceSpot) -> None:
    await binance.until(lambda: binance.subscribers(STREAM) > 0)


async def test_a_bar_that_closed_between_history_and_stream_is_asked_for() -> None:
    async with exchange() as binance, bars_of(binance) as sink:
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4])
        binance.seed_bars(BTC, "1m", (bar(5),))
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 5])


async def test_a_bar_told_too_early_waits_for_those_before_it() -> None:
    async with exchange() as binance, bars_of(binance, poll_seconds=60.0) as sink:
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4])
        await streaming(binance)
        binance.seed_bars(BTC, "1m", (bar(5), bar(6)))
        binance.push_bar(BTC, "1m", bar(7))
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 5, 6, 7])


async def test_a_hole_the_exchange_has_itself_is_passed_on_as_it_is() -> None:
    async with exchange() as binance, bars_of(binance, poll_seconds=60.0) as sink:
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4])
        await streaming(binance)
        binance.push_bar(BTC, "1m", bar(7))
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 7])
        binance.push_bar(BTC, "1m", bar(8))
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 7, 8])


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.DROPPED])
async def test_bars_told_twice_while_the_history_is_not_answered_are_told_once(
    fault: Fault,
) -> None:
    async with exchange() as binance:
        binance.fault(fault, KLINES)
        async with bars_of(binance) as sink:
            await streaming(binance)
            for number in (5, 6, 6, 5):
                binance.push_bar(BTC, "1m", bar(number))
            await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 5, 6])
            binance.push_bar(BTC, "1m", bar(6))
            binance.push_bar(BTC, "1m", bar(7))
            await sink.until(lambda: 7 in told(sink))
            assert told(sink) == [0, 1, 2, 3, 4, 5, 6, 7]


async def test_a_market_whose_history_is_refused_keeps_no_other_waiting() -> None:
    async with exchange() as binance:
        binance.seed_bars(ETH, "1m", (bar(0), bar(1)))
        binance.fault(Fault.SERVER_ERROR, KLINES, times=4)
        async with bars_of(binance, BTC, ETH) as sink:
            await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4] and told(sink, ETH) == [0, 1])
            assert sink.state is VenueState.READY


async def test_a_history_refused_again_and_again_is_said_once() -> None:
    async with exchange() as binance:
        binance.server_error_says(-1121, "Invalid symbol.", 400)
        binance.fault(Fault.SERVER_ERROR, KLINES, times=5)
        async with bars_of(binance, poll_seconds=0.02, forget=False) as sink:
            await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4])
            assert sink.state is VenueState.READY
            [warning] = [text for text in sink.warnings() if "bars of BTCUSDT" in text]
            assert "Invalid symbol" in warning


async def test_bars_that_closed_while_disconnected_come_with_the_next_connection() -> None:
    pauses = Pauses()
    async with exchange() as binance, bars_of(binance, sleep=pauses) as sink:
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4])
        binance.drop_sockets()
        await sink.until_state(VenueState.DOWN)
        binance.seed_bars(BTC, "1m", (bar(5), bar(6)))
        sink.closed_bars.clear()
        await pauses.reached(1)
        pauses.let_go()
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 5, 6])


async def test_a_connection_lost_during_warm_up_warms_up_again() -> None:
    pauses = Pauses(open_gate=True)
    async with exchange() as binance:
        binance.fault(Fault.SILENT, KLINES)
        async with bars_of(binance, sleep=pauses) as sink:
            await streaming(binance)
            binance.push_bar(BTC, "1m", bar(5))
            binance.drop_sockets()
            await sink.until_state(VenueState.DOWN)
            await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 5])
            assert sink.state is VenueState.READY


async def test_silent_streams_leave_no_bar_out() -> None:
    async with exchange() as binance, bars_of(binance, stale_seconds=0.3) as sink:
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4])
        binance.mute_sockets()
        binance.push_bar(BTC, "1m", bar(5))
        await sink.until(lambda: told(sink) == [0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize(("ahead", "ends_in", "count"), [(9, 3, 6), (-9, -3, 5)])
async def test_which_bar_is_closed_goes_by_the_exchanges_clock(
    ahead: int, ends_in: int, count: int
) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=ends_in)
    bars = tuple(Bar.flat(ends - n * MINUTE, Decimal(100)) for n in range(6, 0, -1))
    async with BinanceSpot() as binance:
        binance.step_clock_aside(ahead)
        binance.set_quote(BTC, Decimal(100), Decimal(101))
        binance.seed_bars(BTC, "1m", bars)
        async with bars_of(binance, poll_seconds=60.0) as sink:
            await sink.until(lambda: bool(told(sink)))
            assert len(told(sink)) == count
