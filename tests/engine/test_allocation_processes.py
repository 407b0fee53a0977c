"""The allocation desk through processes: signals from bars, reservations, buys, OCOs, releases."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.snapshot import SetState
from tests.engine.allocation_bench import (
    BNB,
    BTC,
    BUY,
    ETH,
    PATIENCE_SECONDS,
    AllocationBench,
    allocation_bench,
    arrived,
    held,
    in_state,
    ready,
    set_of,
    waiting,
)
from tests.fakes.exchange import Fault
from tests.fakes.exchange import State as FakeState

D = Decimal


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AllocationBench]:
    with allocation_bench(tmp_path) as found:
        yield found


# --- the owner's example -------------------------------------------------------------------------


async def test_three_signals_at_once_fill_the_account_and_each_release_makes_room(
    bench: AllocationBench,
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        for symbol, z in ((BTC, 5.2), (ETH, 6.1), (BNB, 7.3)):
            bench.bar(symbol, z)
        await bench.seen(held(BTC, ETH, BNB), engine)

        assert {o.market: (o.quantity, o.average_price) for o in bench.buys()} == {
            BTC: (D("0.00662"), D("50260.01")),
            ETH: (D("0.1323"), D("2515.27")),
            BNB: (D("0.661"), D("503.67")),
        }
        assert {
            market: (target.quantity, target.limit_price, stop.quantity, stop.stop_price)
            for market, target, stop in bench.brackets()
        } == {
            BTC: (D("0.00661"), D("57799.02"), D("0.00661"), D("49254.81")),
            ETH: (D("0.1321"), D("3068.63"), D("0.1321"), D("2364.36")),
            BNB: (D("0.660"), D("604.41"), D("0.660"), D("352.57")),
        }
        assert bench.spends() == ["333"] * 3
        found = bench.status()
        assert found["totalBalance"] == 1000.0
        assert found["totalReserved"] == 999.0
        assert found["availableBalance"] == 1.0
        assert found["allocationPercentage"] == 99.9
        reservations = found["reservations"]
        assert [one["symbol"] for one in reservations] == [BTC, ETH, BNB]
        assert [one["reservedAmount"] for one in reservations] == [333.0] * 3
        assert {one["orderId"] for one in reservations} == {o.client_id for o in bench.buys()}
        assert all(one["timestamp"].endswith("Z") for one in reservations)

        btc = next(one for one in found["sets"] if one["symbol"] == BTC)
        assert (btc["take_profit"], btc["stop_loss"]) == ("57799.0115", "49254.8098")
        assert btc["mark_price"] == "50260.005"

        bench.bar(BTC, 5.5)
        await bench.seen(lambda s: (set_of(s, BTC).z_score or 0) >= 5.5, engine)

        bench.quote(BTC, D(57800))
        await bench.seen(waiting(BTC), engine)
        bench.quote(ETH, D(2364))
        await bench.seen(waiting(ETH), engine)
        assert [title.split(", ")[:2] for title in bench.closings()] == [
            ["BTCUSDT: closed", "take profit"],
            ["ETHUSDT: closed", "stop loss"],
        ]
        found = bench.status()
        assert [one["symbol"] for one in found["reservations"]] == [BNB]
        assert found["totalReserved"] == 333.0
        cash = bench.control.free("USDT")
        in_bnb = D("0.661") * D("503.67")
        assert D(repr(found["totalBalance"])) == cash + in_bnb
        assert found["availableBalance"] + found["totalReserved"] == found["totalBalance"]

        bench.bar(BTC, 6.0)
        await bench.seen(held(BTC), engine)
        assert [o.market for o in bench.buys()[3:]] == [BTC]
        share = (D(repr(found["totalBalance"])) * D("0.333")).quantize(D("0.01"), "ROUND_DOWN")
        assert bench.status()["reservations"][1]["reservedAmount"] == float(share)
        assert len(bench.brackets()) == 4
        told = bench.lines()
        story = bench.bulkhead("journal").stdout
        assert bench.bulkhead("journal", "verify").returncode == 0
    assert "bought 0.00662 BTCUSDT at 50260.01" in story
    assert "as OCO: 57799.02 or 49254.81 " in story
    for line, times in (
        ("Account balance updated: $1000.00", 1),
        ("Reserved $333.00 (33.3%) for BTCUSDT", 1),
        ("Reserved $333.00 (33.3%) for BNBUSDT", 1),
        ("Total reserved: $999.00 / $1000.00", 1),
        ("LIVE BUY: BTCUSDT - Market order executed", 2),
        ("Already have position in BTCUSDT, skipping buy signal", 1),
        ("Released $333.00 for BTCUSDT", 1),
        ("Released $333.00 for ETHUSDT", 1),
        (f"Reserved ${share} (33.3%) for BTCUSDT", 1),
    ):
        assert told.count(line) == times, line
        assert line in story
    assert told.index("Total reserved: $333.00 / $1000.00") < told.index(
        "Total reserved: $666.00 / $1000.00"
    )


async def test_a_signal_the_money_does_not_reach_for_sends_nothing(bench: AllocationBench) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        bench.bar(ETH, 6.1)
        await bench.seen(held(BTC, ETH), engine)
        left = bench.control.balance("USDT") - 200
        bench.control.set_balance("USDT", left)
        # Balances and bars come on sockets of their own, in any order.
        await arrived(lambda: f"balance: {left} USDT" in bench.bulkhead("journal").stdout)
        bench.bar(BNB, 7.3)
        failed = "Failed to reserve funds for BNBUSDT: Insufficient funds"
        await bench.seen(lambda s: set_of(s, BNB).reason == failed, engine)
        await bench.seen(lambda s: s.allocation.totalBalance == 800.0, engine)
        found = bench.status()
        assert (found["totalReserved"], found["availableBalance"]) == (666.0, 134.0)
        assert failed in bench.lines()
        assert f"warning  binance       {failed}\n" in bench.bulkhead("doctor").stdout
        assert BNB not in {order.market for order in bench.control.orders()}


async def test_on_paper_the_market_is_real_and_no_order_reaches_it(bench: AllocationBench) -> None:
    with bench.running("--paper") as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        [reservation] = bench.status()["reservations"]
        assert (reservation["symbol"], reservation["reservedAmount"]) == (BTC, 333.0)
        bench.quote(BTC, D(57800))
        await bench.seen(waiting(BTC), engine)
        assert bench.closings()[0].startswith("BTCUSDT: closed, take profit")
        assert "PAPER BUY: BTCUSDT - Market order executed" in bench.lines()
        assert bench.control.orders() == ()
        assert bench.sent() == []
        assert bench.control.free("USDT") == 1000


async def test_stopping_says_what_only_the_exchange_guards_then(bench: AllocationBench) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        answer = bench.bulkhead("stop")
        assert answer.returncode == 0
        assert "only its bracket at the venue guards BTCUSDT" in answer.stdout
        assert engine.wait(PATIENCE_SECONDS) == 0
    assert len(bench.control.order_lists(live_only=True)) == 1


# --- other ways out ------------------------------------------------------------------------------


async def test_a_reversal_cancels_the_oco_first_then_sells_then_releases(
    bench: AllocationBench,
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        bench.bar(BTC, -0.5)
        await bench.seen(waiting(BTC), engine)
        assert bench.sent() == ["buy BTCUSDT", "oco BTCUSDT", "cancel oco BTCUSDT", "sell BTCUSDT"]
        [sale] = bench.sales()
        assert (sale.state, sale.quantity) == (FakeState.FILLED, D("0.00661"))
        assert bench.closings()[0].startswith("BTCUSDT: closed, reversal")
        assert bench.status()["totalReserved"] == 0.0
        assert bench.lines().count("Released $333.00 for BTCUSDT") == 1


async def test_a_person_closes_one_position_and_the_others_stay(bench: AllocationBench) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        bench.bar(ETH, 6.1)
        await bench.seen(held(BTC, ETH), engine)
        asked = bench.bulkhead("close", BTC)
        assert asked.returncode == 2
        assert "--yes" in asked.stderr
        answer = bench.bulkhead("close", BTC, "--yes")
        assert (answer.returncode, answer.stdout) == (0, "Closing BTCUSDT.\n")
        await bench.seen(waiting(BTC), engine)
        assert bench.sent()[-2:] == ["cancel oco BTCUSDT", "sell BTCUSDT"]
        assert bench.closings()[0].startswith("BTCUSDT: closed, emergency")
        found = bench.status()
        assert [one["symbol"] for one in found["reservations"]] == [ETH]
        again = bench.bulkhead("close", BTC, "--yes")
        assert again.returncode == 1
        assert "Nothing is held of BTCUSDT." in again.stderr
        assert bench.bulkhead("close", "--all", "--yes").returncode == 0
        await bench.seen(waiting(ETH), engine)
        assert bench.status()["totalReserved"] == 0.0
        assert bench.control.order_lists(live_only=True) == ()


async def test_a_reset_keeps_what_a_position_stands_behind_and_says_so(
    bench: AllocationBench,
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        bench.control.fault(Fault.DROPPED, BUY, "POST")
        bench.bar(ETH, 6.1)
        await bench.seen(in_state(SetState.BUYING, ETH), engine)
        assert bench.bulkhead("disarm").returncode == 0
        await bench.seen(lambda s: set_of(s, ETH).reason.startswith("disarmed"), engine)
        asked = bench.bulkhead("reset-allocations")
        assert asked.returncode == 2
        answer = bench.bulkhead("reset-allocations", "--yes")
        assert answer.returncode == 0
        assert answer.stdout == (
            "Released $333.00 for ETHUSDT. "
            "Kept BTCUSDT: a position of 0.00661338 BTC stands behind it.\n"
        )
        found = bench.status()
        assert [one["symbol"] for one in found["reservations"]] == [BTC]
        assert [order.market for order in bench.buys()] == [BTC]

        answer = bench.bulkhead("reset-allocations", "--yes", "--force")
        assert answer.returncode == 0
        assert "Released $333.00 for BTCUSDT, though a position of" in answer.stdout
        assert "it stays tracked" in answer.stdout
        found = bench.status()
        assert found["reservations"] == []
        assert found["totalReserved"] == 0.0
        # The position counts against what is available, at what it cost.
        assert D(repr(found["availableBalance"])) == 1000 - D("0.00662") * D("50260.01")
        assert len(bench.control.order_lists(live_only=True)) == 1

        bench.quote(BTC, D(57800))
        await bench.seen(waiting(BTC), engine)
        assert bench.closings()[0].startswith("BTCUSDT: closed, take profit")
        assert bench.lines().count("Released $333.00 for BTCUSDT") == 0
