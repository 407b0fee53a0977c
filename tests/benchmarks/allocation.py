"""What the allocation desk costs: a reservation, a crowd of signals, a month of bars replayed.

Run `python -m tests.benchmarks.allocation`. Prints microseconds and seconds beside their limits.
"""

import asyncio
import contextlib
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.allocation.ledger import Ledger
from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    ConfigApplied,
    ContractDescribed,
    EngineStarted,
    Fact,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import ContractSpec, Instrument
from engine.desk.market import Bar
from engine.journal import Journal
from engine.replay import BarFile, Costs, replay
from engine.service.clock import SystemClock
from engine.service.engine import Engine
from engine.service.logs import configure_logging
from engine.venues.port import PricedOrder
from tests.recorded import TWS_RECORDED

SETS, ROUNDS = 1000, 10
WINDOW, MINUTE = 10, timedelta(minutes=1)
VENUE = "binance"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BARS = TWS_RECORDED.parent / "btc_perp_1m_2022-01.csv.gz"
MONTH = 44_640
NAMES = [f"C{number:04d}USDT" for number in range(SETS)]
STEP = Decimal("0.0001")


def main() -> None:
    reservations()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        configure_logging()
    for together in (1, SETS, SETS * ROUNDS):
        asyncio.run(crowd(together))
    if BARS.exists():
        month()
    else:
        print("recorded bars are not here: no replay was timed")


def reservations() -> None:
    """Reserve and release in a ledger that holds a reservation of each of 1,000 sets."""
    ledger = Ledger()
    ledger.tell(Decimal(10_000_000), NOON)
    for name in NAMES:
        ledger.reserve(name, Decimal(100), NOON, "x")
    name = NAMES[SETS // 2]
    taken = [
        _microseconds(lambda: ledger.release(name))
        + _microseconds(lambda: ledger.reserve(name, Decimal(100), NOON, "x"))
        for _ in range(5000)
    ]
    slowest = statistics.quantiles(taken, n=100)[98]
    print(
        f"release and reserve at {SETS} sets: median {statistics.median(taken):.1f} us, "
        f"99th percentile {slowest:.1f} us, limit 50 us each"
    )


class Exchange:
    """Takes orders and says nothing; keeps engine.venues.port.Venue."""

    name, kind, clock_skew_seconds = VENUE, "ccxt", None

    def __init__(self) -> None:
        self.orders: list[PricedOrder] = []

    async def run(self) -> None: ...

    def ask(self) -> None: ...

    def place(self, order: PricedOrder) -> None:
        self.orders.append(order)

    def cancel(self, order: PricedOrder) -> None: ...

    def watch(self, instruments: Iterable[Instrument]) -> None: ...


async def crowd(together: int) -> None:
    """Tell an engine ten bars of each of 1,000 sets, each a signal, so many in one turn of the
    loop; scored, decided, journaled, logged and sent as in life."""
    first = datetime.now(UTC).replace(microsecond=0) - MINUTE * (WINDOW + 1)
    with tempfile.TemporaryDirectory() as folder:
        async with await Journal.open(Path(folder) / "journal.sqlite", spare=True) as journal:
            engine, exchange = (
                Engine(mode="paper", journal=journal, clock=SystemClock()),
                Exchange(),
            )
            engine.use(venues={VENUE: exchange})
            engine.tell(*_started(first))
            quiet = [_bar(first, number, 100.0 + number % 2) for number in range(WINDOW)]
            for name in NAMES:
                engine.bars(VENUE, name, quiet)
            # Each bar closes at twice the one before: about 6 deviations above those in the window.
            rising = [_bar(first, WINDOW + number, 200.0 * 2**number) for number in range(ROUNDS)]
            bars = [(name, bar) for bar in rising for name in NAMES]
            await engine.drained()
            gc.collect()
            began = time.perf_counter()
            for start in range(0, len(bars), together):
                for name, bar in bars[start : start + together]:
                    engine.bars(VENUE, name, (bar,))
                await asyncio.sleep(0)
            decided = time.perf_counter() - began
            await engine.drained()
            took = time.perf_counter() - began
            engine.stop()
            signals = sum(one.name == "SignalRaised" for one in await journal.read())
    print(
        f"{signals} signals, {together} in a turn of the loop: {took:.2f} s with journal and log "
        f"({decided:.2f} s until the last was decided), limit 2 s; {len(exchange.orders)} bought"
    )


def _bar(first: datetime, number: int, close: float) -> Bar:
    at = first + number * MINUTE
    return Bar(at=at, open=close, high=close, low=close, close=close)


def month() -> None:
    """Replay 44,640 bars of each of three symbols."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for symbol in ("BTCUSDT", "BNBUSDT", "ETHUSDT"):
            path = Path(folder) / f"{symbol}.csv"
            path.write_text(_first_lines(MONTH + 1))
            files.append(BarFile(symbol=symbol, path=path))
        sets = tuple(
            _set(file.symbol, "33.3", threshold)
            for file, threshold in zip(files, ("5", "7", "6"), strict=True)
        )
        settings = AllocationSettings(venue=VENUE, sets=sets)
        began = time.perf_counter()
        report = replay(files, settings, costs=Costs())
        took = time.perf_counter() - began
    print(
        f"replay of {report.bars} bars: {took:.2f} s ({took / report.bars * 1e6:.1f} us a bar), "
        f"limit 3 s; {len(report.trades)} trades"
    )


def _first_lines(count: int) -> str:
    import gzip

    with gzip.open(BARS, "rt") as text:
        return "".join(line for line, _ in zip(text, range(count), strict=False))


def _started(at: datetime) -> tuple[Fact, ...]:
    sets = tuple(_set(name, "0.1", "5") for name in NAMES)
    cash = Decimal(1_000_000)
    return (
        EngineStarted(version="", mode="paper"),
        ConfigApplied(
            armed=True,
            options=None,
            strategies=(),
            allocation=AllocationSettings(venue=VENUE, sets=sets, window=WINDOW),
        ),
        *(
            ContractDescribed(venue=VENUE, spec=ContractSpec(ref=name, quantity_step=STEP))
            for name in NAMES
        ),
        BookSnapshot(venue=VENUE, asked_at=at, accounts=("main",), positions=()),
        VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=True),
        BalanceReported(venue=VENUE, account="main", currency="USDT", free=cash, total=cash),
    )


def _set(symbol: str, percent: str, threshold: str) -> ParameterSet:
    return ParameterSet(
        symbol=symbol,
        allocation_percent=Decimal(percent),
        z_score_threshold=Decimal(threshold),
        profit_percent=Decimal(15),
        stop_loss_percent=Decimal(2),
    )


def _microseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e6


if __name__ == "__main__":
    main()
