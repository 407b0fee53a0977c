"""What a tick costs the trigger book, beside a loop over every barrier.

Run `python -m tests.benchmarks.triggers`; with `--nautilus` also beside NautilusTrader's
OrderEmulator, which is installed into a temporary environment and gone afterwards. Prints ratios;
everything is measured in the same run.
"""

import argparse
import gc
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter_ns

from engine.desk.desk import Desk
from engine.desk.facts import BarrierFired, Side
from engine.desk.market import Quote
from engine.desk.perps.barriers import Levels
from engine.desk.perps.triggers import TriggerBook

PLACE = ("kraken", "PF_XBTUSD")
SIZES = (10, 1_000, 100_000)
TICKS = 20_000
ROUNDS = 7
PEER = 10_000
NAUTILUS = "nautilus_trader==1.221.0"


def levels(number: int) -> tuple[Side, Levels]:
    """Barriers around 100 that nothing between 99 and 101 reaches; a third of them trail."""
    rng = random.Random(number)
    side = Side.BUY if number % 2 else Side.SELL
    away = [Decimal(rng.randrange(150, 4_000)) / 100 for _ in range(3)]
    return side, Levels(
        stop=Decimal(100) - side.sign * away[0],
        take=Decimal(100) + side.sign * away[1],
        activation=Decimal(100) + side.sign * away[2] if number % 3 == 0 else None,
        distance=Decimal(1) if number % 3 == 0 else None,
    )


def book_of(size: int) -> TriggerBook:
    book = TriggerBook()
    for number in range(size):
        side, around = levels(number)
        book.put(f"b{number}", PLACE, side, around)
    return book


def quotes(count: int) -> list[tuple[float, float]]:
    rng = random.Random(1)
    bids = [round(100 + rng.uniform(-0.9, 0.8), 2) for _ in range(count)]
    return [(bid, round(bid + 0.05, 2)) for bid in bids]


def per_tick(tick: Callable[[float, float], object], shown: Sequence[tuple[float, float]]) -> float:
    """Microseconds a tick: the best of some rounds, without the loop around it."""
    best, idle = float("inf"), float("inf")
    for _ in range(ROUNDS):
        start = perf_counter_ns()
        for bid, ask in shown:
            tick(bid, ask)
        best = min(best, perf_counter_ns() - start)
        start = perf_counter_ns()
        for bid, ask in shown:
            _nothing(bid, ask)
        idle = min(idle, perf_counter_ns() - start)
    return max(0.0, best - idle) / len(shown) / 1000


def _nothing(bid: float, ask: float) -> None:
    return None


def quiet(size: int) -> float:
    book = book_of(size)

    def tick(bid: float, ask: float) -> object:
        return book.tick(PLACE, bid, ask)

    return per_tick(tick, quotes(TICKS))


def through_the_desk(size: int) -> float:
    """The same quiet ticks from Desk.quote on, where each quote is first judged for belief."""
    desk = Desk()
    for number in range(size):
        side, around = levels(number)
        desk.perps.guards.triggers.put(f"b{number}", PLACE, side, around)
    desk.perps.guards.sight.watch(PLACE, "BTC-USD", Decimal(100))
    at = datetime(2026, 11, 20, tzinfo=UTC)

    def tick(bid: float, ask: float) -> object:
        return desk.quote(*PLACE, shown[bid, ask])

    pairs = quotes(TICKS)
    shown = {pair: Quote(bid=pair[0], ask=pair[1], last=None, at=at) for pair in pairs}
    return per_tick(tick, pairs)


def climbing(size: int) -> float:
    """A market that makes a new high at every tick, all stops trailing it from one best price."""
    book = TriggerBook()
    for number in range(size):
        away = Decimal(500) + Decimal(number % 997) / 100
        trailing = Levels(activation=Decimal(50), distance=away)
        book.put(f"b{number}", PLACE, Side.BUY, trailing)
    book.tick(PLACE, 51.0, 51.05)
    price = itertools.count(5_100_000)

    def tick(bid: float, ask: float) -> object:
        high = next(price) / 100_000
        return book.tick(PLACE, high, high + 0.05)

    return per_tick(tick, quotes(TICKS // 10))


def naive(size: int) -> float:
    """The same barriers, each looked at on every tick, as plain as Python can."""
    rows = []
    for number in range(size):
        side, around = levels(number)
        rows.append((side.sign, float(around.stop or 0), float(around.take or 0)))

    def tick(bid: float, ask: float) -> object:
        hit = []
        for row in rows:
            sign, stop, take = row
            price = bid if sign > 0 else ask
            if (price - stop) * sign <= 0 or (price - take) * sign >= 0:
                hit.append(row)
        return hit

    return per_tick(tick, quotes(max(5, 200_000 // size)))


def changes(size: int) -> tuple[list[float], list[float]]:
    """Microseconds of each addition and each removal in a book of that size."""
    book = book_of(size)
    put, removed = [], []
    gc.collect()
    for number in range(size, size + 5_000):
        side, around = levels(number)
        start = perf_counter_ns()
        book.put(f"b{number}", PLACE, side, around)
        put.append((perf_counter_ns() - start) / 1000)
    for number in random.Random(2).sample(range(size + 5_000), 5_000):
        start = perf_counter_ns()
        book.remove(f"b{number}")
        removed.append((perf_counter_ns() - start) / 1000)
    return put, removed


def fires() -> bool:
    """See that the book that was measured is one that works."""
    book = book_of(1_000)
    told = book.tick(PLACE, 1.0, 1.05)
    longs = {f"b{n}" for n in range(1_000) if n % 2}
    return longs <= {f.barrier_id for f in told if isinstance(f, BarrierFired)}


_EMULATOR = """
import sys
from decimal import Decimal
from time import perf_counter_ns
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, TriggerType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

count, ticks = int(sys.argv[1]), int(sys.argv[2])
instrument = TestInstrumentProvider.default_fx_ccy("AUD/USD")
took = []
FIRST = 1_700_000_000_000_000_000  # at the epoch itself it crashes

class Holder(Strategy):
    def on_start(self):
        self.subscribe_quote_ticks(instrument.id)
        for number in range(count):
            buy = number % 2 == 0
            price = Decimal("1.2") if buy else Decimal("0.8")
            price += Decimal(number % 997) / 100000 * (1 if buy else -1)
            self.submit_order(self.order_factory.stop_market(
                instrument_id=instrument.id,
                order_side=OrderSide.BUY if buy else OrderSide.SELL,
                quantity=instrument.make_qty(1000),
                trigger_price=instrument.make_price(price),
                emulation_trigger=TriggerType.BID_ASK,
            ))
    def on_quote_tick(self, tick):
        took.append(perf_counter_ns())

engine = BacktestEngine(BacktestEngineConfig(
    logging=LoggingConfig(bypass_logging=True),
    risk_engine=RiskEngineConfig(bypass=True)))
engine.add_venue(venue=Venue("SIM"), oms_type=OmsType.HEDGING, account_type=AccountType.MARGIN,
                 base_currency=USD, starting_balances=[Money(1_000_000_000, USD)])
engine.add_instrument(instrument)
engine.add_strategy(Holder())
engine.add_data([
    QuoteTick(
        instrument_id=instrument.id,
        bid_price=instrument.make_price(1 + n % 10 / 100000),
        ask_price=instrument.make_price(1.0001 + n % 10 / 100000),
        bid_size=instrument.make_qty(1000000), ask_size=instrument.make_qty(1000000),
        ts_event=FIRST + n * 1000000, ts_init=FIRST + n * 1000000)
    for n in range(ticks)])
engine.run()
emulated = len(engine.kernel.emulator.get_submit_order_commands())
assert emulated == count, f"{emulated} of {count} orders are emulated"
gaps = sorted(b - a for a, b in zip(took[5:], took[6:]))
print(gaps[len(gaps) // 2] / 1000)
"""


def nautilus(size: int) -> float:
    """Microseconds a tick of NautilusTrader's OrderEmulator with that many stop orders."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", NAUTILUS], check=True)
        found = subprocess.run(
            [python, "-c", _EMULATOR, str(size), "200"], check=True, capture_output=True, text=True
        )
    return float(found.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nautilus", action="store_true", help="install and measure it too")
    options = parser.parse_args()
    if not fires():
        sys.exit("the book that was to be measured does not fire")
    ticks = {size: quiet(size) for size in SIZES}
    for size in SIZES:
        print(
            f"{size:>7} barriers: {ticks[size]:.2f} us a tick that fires nothing, "
            f"{through_the_desk(size):.2f} us from Desk.quote on, "
            f"{climbing(size):.2f} us one that lifts all trailing stops"
        )
    print(f"100,000 beside 10: ratio {ticks[SIZES[-1]] / ticks[SIZES[0]]:.2f} (at most 2)")
    for size in (1_000, PEER):
        loop, ours = naive(size), quiet(size)
        print(f"{size:>7} barriers: plain loop {loop:.0f} us, {loop / ours:,.0f} times the book's")
    for name, took in zip(("adding", "removing"), changes(SIZES[-1]), strict=True):
        print(
            f"{name} at {SIZES[-1]:,}: median {statistics.median(took):.1f} us, "
            f"99th percentile {statistics.quantiles(took, n=100)[98]:.1f} us (median at most 20)"
        )
    if options.nautilus:
        peer, ours = nautilus(PEER), quiet(PEER)
        print(
            f"NautilusTrader's OrderEmulator at {PEER:,}: {peer:.0f} us a tick, "
            f"{peer / ours:,.0f} times the book's (at least 500)"
        )


if __name__ == "__main__":
    main()
