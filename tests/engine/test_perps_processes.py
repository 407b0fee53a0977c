"""Assigned positions at Kraken Futures: the engine as its own process, the exchange as another."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path

import pytest

from engine.desk.snapshot import AssignmentState, BarrierView, Snapshot
from tests.engine.perps_bench import Desk, PerpsBench, end, in_words, perps_bench, ready
from tests.fakes.exchange import Fault, Side, State
from tests.fakes.krakenfutures import KrakenFutures

SOL, BTC, ETH = "PF_SOLUSD", "PF_XBTUSD", "PF_ETHUSD"
# 0.2 USD of fees on 1 SOL at 100 USD.
FEE_RATE = Decimal("0.002")
STOP = 'time_limit = 3600\nstop_loss_pct = "0.05"\n'
ALL_BARRIERS = f"""{STOP}take_profit_pct = "0.10"
trailing_stop_activation_pct = "0.03"
trailing_stop_trailing_delta_pct = "0.01"
"""


@contextmanager
def kraken(folder: Path, *managers: str) -> Iterator[PerpsBench]:
    desk = Desk(exchange=KrakenFutures, connector="kraken_perpetual", managers=managers)
    with perps_bench(folder, desk) as bench:
        bench.control.set_quote(SOL, Decimal("99.99"), Decimal("100.01"))
        yield bench


def show(bench: PerpsBench, side: Side, price: str) -> None:
    """Have a position of that side be worth a price; the mark that stops watch stays at 100."""
    touch, spread = Decimal(price), Decimal("0.02")
    bid, ask = (touch, touch + spread) if side is Side.BUY else (touch - spread, touch)
    bench.control.set_quote(SOL, bid, ask, mark=Decimal(100))


def assign(bench: PerpsBench, side: Side) -> None:
    """Put 1 SOL at 100 on the book."""
    bench.control.force_fill(
        SOL, side, Decimal(1), Decimal(100), marker="assignee", fee_rate=FEE_RATE
    )


def closed(count: int) -> Callable[[Snapshot], bool]:
    """Tell of a picture whether so many assignments came and are all closed."""

    def holds(snapshot: Snapshot) -> bool:
        states = [event.state for event in snapshot.assignments]
        return states == [AssignmentState.CLOSED] * count

    return holds


async def held_at(bench: PerpsBench, engine: subprocess.Popen[bytes], price: str) -> BarrierView:
    """Wait until the barrier has seen a price, which must not have fired it."""
    found: list[BarrierView] = []

    def holds(snapshot: Snapshot) -> bool:
        found[:] = snapshot.barriers[-1:]
        return found[0].mark_price == Decimal(price) and found[0].state == "HOLDING"

    assert await bench.until(holds, engine)
    return found[0]


async def test_each_manager_closes_its_pairs_at_once_or_when_their_time_is_over(
    tmp_path: Path,
) -> None:
    half = 'trading_pairs = ["BTC-USD", "SOL-USD"]\nclose_percent = "50"'
    a_second = 'trading_pairs = ["ETH-USD"]\ntime_limit = 1'
    with kraken(tmp_path, half, a_second) as bench, bench.engine() as engine:
        assert await bench.until(ready, engine)
        fill = bench.control.assign(BTC, Decimal("0.0303"), Decimal(64401))
        assert await bench.until(closed(1), engine)
        bench.control.repeat_fill(fill.id)
        bench.control.assign(SOL, Decimal(-3), Decimal(100))
        assert await bench.until(closed(2), engine)
        bench.control.assign(ETH, Decimal(1), Decimal(3162))
        assert await bench.until(closed(3), engine)
        status, story = bench.status(), bench.done("journal")
        assert end(engine) == 0
        # Half of 0.0303 is 0.01515, and the step 0.0001.
        assert bench.sent() == [
            f"sell 0.0151 {BTC} limit reduce-only",
            f"buy 1.5 {SOL} limit reduce-only",
            f"sell 1 {ETH} limit reduce-only",
        ]
        assert [o.limit_price for o in bench.orders()[:2]] == [Decimal(64337), Decimal("100.11")]
        assert bench.control.held(BTC) == Decimal("0.0152")
    first = status["assignments"][0]
    assert (first["kind"], first["quantity"], first["state"]) == ("ASSIGNEE", "0.0303", "CLOSED")
    assert [o["filled"] for o in status["orders"]] == ["0.0151", "1.5", "1"]
    purposes = [o["purpose"] for o in status["orders"]]
    assert purposes == ["CLOSE_ASSIGNED", "CLOSE_ASSIGNED", "BARRIER_EXIT"]
    (barrier,) = status["barriers"]
    assert (barrier["set_by"], barrier["close_type"]) == ("assignment manager 2", "TIME_LIMIT")
    since, limit = (datetime.fromisoformat(barrier[name]) for name in ("since", "time_limit_at"))
    assert limit - since == timedelta(seconds=1)
    assert "bought 0.0303 BTC-USD at 64401" in story
    assert "assigned to us" in story
    assert "SELL 0.0151 BTC-USD (CLOSE_ASSIGNED)" in story


async def test_a_limit_close_rests_at_the_touch_and_is_priced_anew_when_it_is_old(
    tmp_path: Path,
) -> None:
    manager = 'order_type = "LIMIT"\nmax_order_age = 1'
    with kraken(tmp_path, manager) as bench, bench.engine() as engine:
        assert await bench.until(ready, engine)
        quote = bench.control.set_quote
        quote(SOL, Decimal(100), Decimal(101), bid_size=Decimal("0.4"), mark=Decimal(100))
        bench.control.assign(SOL, Decimal(1), Decimal(100))
        await bench.settled(lambda: bench.control.held(SOL) == Decimal("0.6"))
        quote(SOL, Decimal(99), Decimal(101), mark=Decimal(100))
        assert await bench.until(closed(1), engine)
        assert end(engine) == 0
        first, second = bench.orders()
        assert (first.limit_price, first.filled, first.state) == (
            Decimal(100),
            Decimal("0.4"),
            State.CANCELLED,
        )
        assert (second.limit_price, second.filled) == (Decimal(99), Decimal("0.6"))
        assert second.created_at - first.created_at >= timedelta(seconds=1)
        assert not bench.control.positions()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of barriers: the prices that pass and the one that fires.

    net is what is won in the end: the price's, less 0.2 for the entry and 0.05% for the exit.
    """

    passes: tuple[str, ...]
    fires: str
    why: str
    net: str


LONG = (
    Row(passes=("96", "95.3"), fires="95.2", why="STOP_LOSS", net="-5.0476"),
    Row(passes=("110", "110.19"), fires="110.2", why="TAKE_PROFIT", net="9.9449"),
    Row(
        passes=("103.2", "103.21", "106", "105"),
        fires="104.99",
        why="TRAILING_STOP",
        net="4.737505",
    ),
)
SHORT = (
    Row(passes=("104", "104.7"), fires="104.8", why="STOP_LOSS", net="-5.0524"),
    Row(passes=("90", "89.81"), fires="89.8", why="TAKE_PROFIT", net="9.9551"),
    Row(passes=("96.8", "96.79", "94", "95"), fires="95.01", why="TRAILING_STOP", net="4.742495"),
)


@pytest.mark.parametrize(
    ("side", "stop", "rows"), [(Side.BUY, "95.2", LONG), (Side.SELL, "104.8", SHORT)]
)
async def test_each_barrier_fires_at_its_price_to_the_cent(
    tmp_path: Path, side: Side, stop: str, rows: tuple[Row, ...]
) -> None:
    close = f"{side.other} 1 {SOL}"
    with kraken(tmp_path, ALL_BARRIERS) as bench, bench.engine() as engine:
        assert await bench.until(ready, engine)
        for count, row in enumerate(rows, start=1):
            show(bench, side, "100")
            assign(bench, side)
            assert await bench.until(rests(stop, count), engine)
            resident = [f"{close} stop at {stop} reduce-only"]
            assert [in_words(order) for order in bench.open_orders()] == resident
            for price in row.passes:
                show(bench, side, price)
                await held_at(bench, engine, price)
            show(bench, side, row.fires)
            assert await bench.until(closed(count), engine)
            assert bench.sent()[2 * (count - 1) :] == [*resident, f"{close} limit reduce-only"]
            assert not bench.open_orders()
            assert not bench.control.positions()
        status, story = bench.status(), bench.done("journal")
        assert end(engine) == 0
    for barrier, row in zip(status["barriers"], rows, strict=True):
        assert (barrier["state"], barrier["close_type"]) == ("CLOSED", row.why)
        assert Decimal(barrier["net"]) == Decimal(row.net)
        assert f"{row.why} at {row.fires}" in story


async def test_barriers_are_shown_with_their_prices(tmp_path: Path) -> None:
    with kraken(tmp_path, ALL_BARRIERS) as bench, bench.engine() as engine:
        assert await bench.until(ready, engine)
        assign(bench, Side.BUY)
        assert await bench.until(rests("95.2"), engine)
        show(bench, Side.BUY, "103.2")
        trailing = (await held_at(bench, engine, "103.2")).trailing
        assert trailing is not None
        assert not trailing.active
        show(bench, Side.BUY, "103.21")
        await held_at(bench, engine, "103.21")
        (barrier,) = bench.status()["barriers"]
        assert end(engine) == 0
    since, limit = (datetime.fromisoformat(barrier[name]) for name in ("since", "time_limit_at"))
    assert limit - since == timedelta(hours=1)
    shown = {name: Decimal(barrier[name]) for name in ("stop_loss", "take_profit", "resident_stop")}
    assert list(shown.values()) == [Decimal("95.2"), Decimal("110.2"), Decimal("95.2")]
    shown_trailing = barrier["trailing"]
    assert shown_trailing["active"] is True
    assert Decimal(shown_trailing["activation"]) == Decimal("103.2")
    assert Decimal(shown_trailing["trigger"]) == Decimal("102.21")
    assert Decimal(barrier["gross"]) == Decimal("3.21")
    assert Decimal(barrier["net"]) == Decimal("3.01")
    assert barrier["side"] == "BUY"
    assert barrier["set_by"] == "assignment manager 1"


async def test_a_price_that_stood_there_before_fires_the_new_barrier(tmp_path: Path) -> None:
    """In a quiet market no newer quote comes that could."""
    with kraken(tmp_path, ALL_BARRIERS) as bench, bench.engine() as engine:
        show(bench, Side.BUY, "111")
        assert await bench.until(ready, engine)
        assign(bench, Side.BUY)
        assert await bench.until(closed(1), engine)
        story = bench.done("journal")
        assert end(engine) == 0
    assert "TAKE_PROFIT at 111" in story
    assert "stale" not in story


async def test_a_connection_lost_in_the_middle_of_a_close_leads_to_no_second_one(
    tmp_path: Path,
) -> None:
    with kraken(tmp_path, ALL_BARRIERS) as bench, bench.engine() as engine:
        assert await bench.until(ready, engine)
        assign(bench, Side.BUY)
        assert await bench.until(rests("95.2"), engine)
        bench.control.fault(Fault.SILENT_AFTER, "sendorder")
        streams = ("fills", "open_positions", "open_orders")
        for stream in streams:
            bench.control.hold(stream)
        show(bench, Side.BUY, "111")
        await bench.settled(lambda: not bench.control.positions())
        bench.control.drop_sockets()
        for stream in streams:
            bench.control.release(stream)
        assert await bench.until(closed(1), engine)
        (barrier,) = bench.status()["barriers"]
        story = bench.done("journal")
        assert end(engine) == 0
        assert bench.sent() == [
            f"sell 1 {SOL} stop at 95.2 reduce-only",
            f"sell 1 {SOL} limit reduce-only",
        ]
        assert not bench.open_orders()
    assert (barrier["state"], barrier["close_type"]) == ("CLOSED", "TAKE_PROFIT")
    assert "may or may not be at the venue" in story


@pytest.mark.parametrize("change", [False, True])
async def test_a_stop_the_venue_reached_first_leaves_nothing_to_send(
    tmp_path: Path, change: bool
) -> None:
    """A triggered stop may work on as an order of its own, without our id."""
    with kraken(tmp_path, STOP) as bench, bench.engine() as engine:
        bench.control.stops_change_ids(change)
        assert await bench.until(ready, engine)
        assign(bench, Side.BUY)
        assert await bench.until(rests("95.2"), engine)
        bench.control.set_quote(SOL, Decimal(96), Decimal("96.02"), mark=Decimal(95))
        assert await bench.until(closed(1), engine)
        (barrier,) = bench.status()["barriers"]
        story = bench.done("journal")
        assert end(engine) == 0
        assert bench.sent() == [f"sell 1 {SOL} stop at 95.2 reduce-only"]
        assert not bench.open_orders()
    assert (barrier["state"], barrier["close_type"]) == ("CLOSED", "STOP_LOSS")
    # The price's 4, and 0.2 and 0.048 in fees.
    assert Decimal(barrier["net"]) == Decimal("-4.248")
    assert "its resident stop was reached at the venue" in story


@pytest.mark.parametrize(
    ("manager", "count"),
    [("time_limit = 0", 10), (ALL_BARRIERS, 10), (ALL_BARRIERS, 25)],
    ids=["ten at once", "ten between barriers", "twenty-five between barriers"],
)
async def test_many_assignments_in_a_second_are_all_closed_inside_the_budget(
    tmp_path: Path, manager: str, count: int
) -> None:
    """With barriers each also has its stop placed, and taken back when all fire together: of 25
    that is more than the venue allows in ten seconds."""
    entries = {BTC: Decimal(64401), ETH: Decimal(3162), SOL: Decimal(100)}
    with kraken(tmp_path, manager) as bench, bench.engine() as engine:
        assert await bench.until(ready, engine)
        for market, entry in islice(cycle(entries.items()), count):
            bench.control.assign(market, Decimal(1), entry)
        if manager == ALL_BARRIERS:
            assert await bench.until(lambda s: all_rest(s, count), engine)
            for market, entry in entries.items():
                far = entry * 2
                bench.control.set_quote(market, far, far + 1, mark=entry)
        assert await bench.until(lambda s: not s.positions and all_closed(s, count), engine)
        assert end(engine) == 0
        assert bench.control.budget_refusals() == 0
        assert not bench.control.positions()
        assert not bench.open_orders()
        closes = [order for order in bench.orders() if order.stop_price is None]
        assert all(order.reduce_only and order.filled == order.quantity for order in closes)
        assert sum(order.quantity for order in closes) == count


def all_rest(snapshot: Snapshot, count: int) -> bool:
    """Tell whether so much is between barriers, each with its stop resting."""
    shown = snapshot.barriers
    return sum(b.quantity for b in shown) == count and all(b.resident_stop for b in shown)


def all_closed(snapshot: Snapshot, count: int) -> bool:
    """Tell whether so much was assigned and all of it is closed."""
    events = snapshot.assignments
    whole = sum(event.quantity for event in events) == count
    return whole and {event.state for event in events} == {AssignmentState.CLOSED}


def rests(price: str, count: int = 1) -> Callable[[Snapshot], bool]:
    """Tell of a picture whether it has so many barriers, the stop of the last resting there."""

    def holds(snapshot: Snapshot) -> bool:
        shown = snapshot.barriers
        return len(shown) == count and shown[-1].resident_stop == Decimal(price)

    return holds
