"""Positions put between barriers with the command at each exchange, and what the exchange then
does to them by force: engine, exchange and command are processes of their own."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.desk.snapshot import Snapshot
from tests.engine.perps_bench import VENUE, Desk, PerpsBench, end, perps_bench, ready
from tests.fakes.binanceusdm import BinanceUsdm
from tests.fakes.bybit import Bybit
from tests.fakes.exchange import Force, Order, Side
from tests.fakes.krakenfutures import FillType, KrakenFutures
from tests.fakes.okx import Okx

Forced = Callable[[Any, str, Decimal, Decimal], object]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An exchange, a market there, its pair's name, and how it takes a quantity off a position.

    lot: 0.1 BTC in the exchange's own units; adl and liquidate take a signed quantity.
    """

    desk: Desk
    market: str
    pair: str
    lot: Decimal
    adl: Forced
    liquidate: Forced


def _adl(control: Any, market: str, quantity: Decimal, price: Decimal) -> object:
    return control.adl(market, quantity=quantity, price=price)


def _liquidate(control: Any, market: str, quantity: Decimal, price: Decimal) -> object:
    return control.liquidate(market, price=price)


def _kraken(fill_type: FillType) -> Forced:
    def happen(control: Any, market: str, quantity: Decimal, price: Decimal) -> object:
        return control.happen(fill_type, market, -quantity, price)

    return happen


PLACES = {
    "kraken": Place(
        desk=Desk(exchange=KrakenFutures, connector="kraken_perpetual"),
        market="PF_XBTUSD",
        pair="BTC-USD",
        lot=Decimal("0.1"),
        adl=_kraken(FillType.UNWIND_COUNTERPARTY),
        liquidate=_kraken(FillType.LIQUIDATION),
    ),
    "binance": Place(
        desk=Desk(exchange=BinanceUsdm, connector="binance_perpetual"),
        market="BTCUSDT",
        pair="BTC-USDT",
        lot=Decimal("0.1"),
        adl=_adl,
        liquidate=_liquidate,
    ),
    "okx": Place(
        desk=Desk(exchange=Okx, connector="okx_perpetual"),
        market="BTC-USDT-SWAP",
        pair="BTC-USDT",
        lot=Decimal(10),
        adl=_adl,
        liquidate=_liquidate,
    ),
    "bybit": Place(
        desk=Desk(exchange=Bybit, connector="bybit_perpetual"),
        market="BTCUSDT",
        pair="BTC-USDT",
        lot=Decimal("0.1"),
        adl=_adl,
        liquidate=_liquidate,
    ),
}
HALF = Decimal("0.05")
BARRIERS = ("--stop-loss", "5", "--take-profit", "10")


def show(bench: PerpsBench, place: Place, price: Decimal) -> None:
    bench.control.set_quote(place.market, price, price + 1, last=price, mark=price, index=price)


def held(snapshot: Snapshot) -> bool:
    return any(p.entry_price and p.mark_price for p in snapshot.positions)


def resting(snapshot: Snapshot) -> bool:
    return bool(snapshot.barriers) and snapshot.barriers[0].resident_stop is not None


async def guard(bench: PerpsBench, engine: subprocess.Popen[bytes], place: Place) -> Order:
    """Buy 0.1 BTC by hand at 60,000 and put it between barriers; the stop that then rests."""
    show(bench, place, Decimal(60000))
    assert await bench.until(ready, engine)
    bench.control.hand_trade(place.market, Side.BUY, place.lot, Decimal(60000))
    assert await bench.until(held, engine)
    assert place.pair in bench.done("guard")
    assert "0.1" in bench.done("guard", place.pair, *BARRIERS)
    assert await bench.until(resting, engine)
    (stop,) = bench.open_orders()
    assert (stop.quantity, stop.reduce_only) == (place.lot, True)
    return stop


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
async def test_what_the_venue_takes_of_a_guarded_position_is_followed_and_never_closed(
    tmp_path: Path, place: Place
) -> None:
    half = place.lot / 2
    with perps_bench(tmp_path, place.desk) as bench, bench.engine() as engine:
        stop = await guard(bench, engine, place)
        place.adl(bench.control, place.market, half, Decimal(60000))
        await bench.settled(lambda: [o.quantity for o in bench.open_orders()] == [half])
        (resized,) = bench.open_orders()
        assert await bench.until(lambda s: resting(s) and s.barriers[0].quantity == HALF, engine)
        (barrier,) = bench.status()["barriers"]
        place.liquidate(bench.control, place.market, half, Decimal(59000))
        assert await bench.until(lambda s: s.barriers[0].state == "CLOSED", engine)
        assert await bench.until(lambda s: not s.positions, engine)
        await bench.settled(lambda: not bench.open_orders())
        status, story = bench.status(), bench.done("journal")
        assert end(engine) == 0
        assert [order.id for order in bench.orders()] == [stop.id, resized.id]
        assert resized.stop_price == stop.stop_price == Decimal(57000)
        assert resized.reduce_only
    assert (Decimal(barrier["quantity"]), barrier["state"]) == (HALF, "HOLDING")
    assert Decimal(barrier["stop_loss"]) == 57000
    assert Decimal(barrier["take_profit"]) == 66000
    told = [(one["kind"], Decimal(one["quantity"])) for one in status["assignments"]]
    parts = [("ADL", HALF), ("LIQUIDATION", HALF)]
    assert told == [("EXTERNAL", Decimal("0.1")), *parts]
    critical = [a["title"] for a in status["alerts"] if a["severity"] == "CRITICAL"]
    assert critical == [f"{VENUE}: 0.05 {place.pair} were liquidated by the venue"]
    # Venues take resting stops back before they liquidate: that is no news of its own.
    assert not [a["title"] for a in status["alerts"] if "stop is gone" in a["title"]]
    assert f"sold 0.05 {place.pair} at 60000 in main, auto-deleveraged" in story
    assert f"sold 0.05 {place.pair} at 59000 in main, by the liquidator" in story


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
async def test_a_guarded_position_is_closed_once_when_its_price_is_reached(
    tmp_path: Path, place: Place
) -> None:
    with perps_bench(tmp_path, place.desk) as bench, bench.engine() as engine:
        stop = await guard(bench, engine, place)
        show(bench, place, Decimal(65999))
        assert await bench.until(lambda s: s.barriers[0].mark_price == 65999, engine)
        show(bench, place, Decimal(66000))
        assert await bench.until(lambda s: s.barriers[0].state == "CLOSED", engine)
        (barrier,) = bench.status()["barriers"]
        story = bench.done("journal")
        assert end(engine) == 0
        (first, close) = bench.orders()
        assert first.id == stop.id
        assert (close.side, close.filled, close.reduce_only) == (Side.SELL, place.lot, True)
        # 0.1% below 66,000, the worst that the order takes.
        assert (close.limit_price, close.force) == (Decimal(65934), Force.IOC)
        assert not bench.open_orders()
        assert not bench.control.positions()
    assert barrier["close_type"] == "TAKE_PROFIT"
    assert Decimal(barrier["gross"]) == 600
    assert "TAKE_PROFIT at 66000" in story
    # No venue counts the stop that rests against the close beside it.
    assert "REJECTED" not in story


async def test_a_released_position_stays_held_and_its_stop_goes(tmp_path: Path) -> None:
    place = PLACES["kraken"]
    with perps_bench(tmp_path, place.desk) as bench, bench.engine() as engine:
        await guard(bench, engine, place)
        assert "nobody guards it" in bench.done("guard", place.pair, "--release")
        await bench.settled(lambda: not bench.open_orders())
        again = bench.bulkhead("guard", place.pair, "--release")
        show(bench, place, Decimal(50000))
        assert await bench.until(lambda s: s.positions[0].mark_price == 50000, engine)
        status = bench.status()
        assert end(engine) == 0
        assert len(bench.orders()) == 1
        assert bench.control.held(place.market) == place.lot
    assert (again.returncode, again.stderr) == (2, "BTC-USD is under no barriers.\n")
    assert status["barriers"][0]["state"] == "RELEASED"
    assert status["positions"][0]["barrier_id"] is None
