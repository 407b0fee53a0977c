"""What goes wrong at the exchange while the allocation desk trades, through processes: nothing is
sent twice, no position stays naked, money comes back once."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.desk.snapshot import SetState
from tests.engine.allocation_bench import (
    BNB,
    BTC,
    BUY,
    OCO,
    AllocationBench,
    allocation_bench,
    arrived,
    held,
    in_state,
    ready,
    waiting,
)
from tests.fakes.exchange import Fault, Order
from tests.fakes.exchange import State as FakeState

D = Decimal


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AllocationBench]:
    with allocation_bench(tmp_path) as found:
        yield found


def live_bracket(bench: AllocationBench) -> tuple[Order, Order]:
    """Target and stop of the one OCO that works."""
    [found] = [(t, s) for _, t, s in bench.brackets() if t.state.live and s.state.live]
    return found


async def test_a_refused_oco_is_sold_at_market_at_once(bench: AllocationBench) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.control.refuse_next_oco()
        bench.bar(BTC, 5.2)
        await bench.seen(lambda s: waiting(BTC)(s) and bool(s.orders), engine)
        assert bench.sent() == ["buy BTCUSDT", "oco BTCUSDT", "sell BTCUSDT"]
        [sale] = bench.sales()
        assert (sale.state, sale.quantity) == (FakeState.FILLED, D("0.00661"))
        assert bench.closings()[0].startswith("BTCUSDT: closed, emergency")
        assert bench.status()["totalReserved"] == 0.0
        assert bench.lines().count("Released $333.00 for BTCUSDT") == 1


@pytest.mark.parametrize(("price", "why"), [(60000, "take profit"), (40000, "stop loss")])
async def test_a_price_through_the_bracket_before_it_stands_is_sold_at_once(
    bench: AllocationBench, price: int, why: str
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.control.hold("user")
        bench.control.fault(Fault.SILENT_AFTER, BUY, "POST")
        bench.bar(BTC, 5.2)
        await arrived(lambda: bool(bench.buys()))
        bench.quote(BTC, D(price))
        bench.control.release("user")
        await bench.seen(lambda s: waiting(BTC)(s) and bool(s.orders), engine)
        assert bench.sent() == ["buy BTCUSDT", "oco BTCUSDT", "sell BTCUSDT"]
        [sale] = bench.sales()
        assert (sale.state, sale.average_price) == (FakeState.FILLED, price)
        assert bench.closings()[0].startswith(f"BTCUSDT: closed, {why}")
        assert bench.status()["totalReserved"] == 0.0


@pytest.mark.parametrize(
    "fault", [Fault.SILENT_AFTER, Fault.SERVER_ERROR_AFTER, Fault.SERVER_ERROR]
)
@pytest.mark.parametrize("path", [BUY, OCO])
async def test_an_order_without_an_answer_is_asked_for_and_not_done_twice(
    bench: AllocationBench, path: str, fault: Fault
) -> None:
    """The stream is silent too, so that only asking for it can tell."""
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.control.fault(fault, path, "POST")
        bench.control.hold("user")
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        sent = {BUY: "buy BTCUSDT", OCO: "oco BTCUSDT"}
        again = [sent[path]] if fault is Fault.SERVER_ERROR else []
        assert sorted(bench.sent()) == sorted([*sent.values(), *again])
        assert [order.quantity for order in bench.buys()] == [D("0.00662")]
        target, stop = live_bracket(bench)
        assert (target.quantity, stop.quantity) == (D("0.00661"), D("0.00661"))
        assert bench.status()["totalReserved"] == 333.0
        bench.control.release("user")
        bench.quote(BTC, D(57800))
        await bench.seen(waiting(BTC), engine)
        assert bench.sales() == []
        assert bench.lines().count("Released $333.00 for BTCUSDT") == 1
        assert bench.bulkhead("journal", "verify").returncode == 0


@pytest.mark.parametrize(
    ("symbol", "z", "in_bnb", "sellable"),
    [
        (BTC, 5.2, False, "0.00661"),
        (BTC, 5.2, True, "0.00662"),
        (BNB, 7.3, False, "0.660"),
        (BNB, 7.3, True, "0.660"),
    ],
)
async def test_the_oco_holds_what_commissions_left(
    bench: AllocationBench, symbol: str, z: float, in_bnb: bool, sellable: str
) -> None:
    bench.control.set_balance("BNB", D(1) if in_bnb and symbol != BNB else D(0))
    bench.control.set_commission(in_bnb=in_bnb)
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(symbol, z)
        await bench.seen(held(symbol), engine)
        target, stop = live_bracket(bench)
        assert (target.quantity, stop.quantity) == (D(sellable), D(sellable))
        [fee] = {fill.fee_currency for fill in bench.control.fills()}
        assert fee == ("BNB" if in_bnb else symbol.removesuffix("USDT"))
        bench.control.fill_leg(bench.list_id(symbol), stop=False)
        await bench.seen(waiting(symbol), engine)
        assert bench.closings()[0].startswith(f"{symbol}: closed, take profit")


async def test_the_rest_of_a_target_filled_in_part_is_protected_again(
    bench: AllocationBench,
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        first = bench.list_id(BTC)
        bench.control.fill_leg(first, stop=False, quantity=D("0.003"))
        [(_, _, stop)] = bench.brackets()
        assert not stop.state.live
        await bench.seen(lambda s: len(bench.brackets()) == 2 and held(BTC)(s), engine)
        target, stop = live_bracket(bench)
        assert bench.list_id(BTC) != first
        assert (target.quantity, stop.quantity) == (D("0.00361"), D("0.00361"))
        assert (target.limit_price, stop.stop_price) == (D("57799.02"), D("49254.81"))
        assert bench.status()["totalReserved"] == 333.0
        bench.quote(BTC, D(49000))
        await bench.seen(waiting(BTC), engine)
        assert bench.closings()[0].startswith("BTCUSDT: closed, stop loss")
        assert bench.lines().count("Released $333.00 for BTCUSDT") == 1
        assert bench.sales() == []


async def test_a_buy_filled_in_part_is_protected_and_the_rest_of_its_money_released(
    bench: AllocationBench,
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.offered = D("0.004")
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        [buy] = bench.buys()
        assert buy.filled == D("0.004")
        target, _ = live_bracket(bench)
        assert target.quantity == D("0.00399")
        spent = buy.filled * buy.average_price
        [reservation] = bench.status()["reservations"]
        assert 0 <= D(repr(reservation["reservedAmount"])) - spent < D("0.01")


async def test_a_buy_the_exchange_refuses_gives_everything_back(bench: AllocationBench) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.control.refuse_next_order()
        bench.bar(BTC, 5.2)
        await bench.seen(lambda s: waiting(BTC)(s) and bool(s.orders), engine)
        assert bench.status()["totalReserved"] == 0.0
        assert bench.control.orders() == ()
        bench.bar(BTC, 6.0)
        await bench.seen(held(BTC), engine)
        assert bench.sent() == ["buy BTCUSDT", "buy BTCUSDT", "oco BTCUSDT"]


async def test_a_sale_the_exchange_refuses_is_tried_again_until_it_goes(
    bench: AllocationBench,
) -> None:
    with bench.running() as engine:
        await bench.seen(ready, engine)
        bench.bar(BTC, 5.2)
        await bench.seen(held(BTC), engine)
        bench.control.refuse_next_order()
        bench.bar(BTC, -0.5)
        await bench.seen(in_state(SetState.ATTENTION, BTC), engine)
        assert bench.status()["totalReserved"] == 333.0
        await bench.seen(waiting(BTC), engine)
        assert bench.sent()[2:] == ["cancel oco BTCUSDT", "sell BTCUSDT", "sell BTCUSDT"]
        assert bench.status()["totalReserved"] == 0.0
