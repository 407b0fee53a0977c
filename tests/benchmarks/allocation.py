"""What the allocation desk costs: a reservation, a crowd of signals, a month of bars replayed.

Run `python -m tests.benchmarks.allocation`. Prints microseconds and seconds beside their limits.
"""

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.allocation.ledger import Ledger
from engine.desk.desk import Desk, Outcome
from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    ConfigApplied,
    ContractDescribed,
    EngineStarted,
    Fact,
    SignalKind,
    SignalRaised,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import ContractSpec
from engine.desk.pricing import price
from engine.journal import Journal, Record
from engine.replay import BarFile, Costs, replay
from tests.recorded import TWS_RECORDED

SETS, SIGNALS = 1000, 10_000
VENUE = "binance"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BARS = TWS_RECORDED.parent / "btc_perp_1m_2022-01.csv.gz"
MONTH = 44_640
NAMES = [f"C{number:04d}USDT" for number in range(SETS)]
SPEC = ContractSpec(ref="", quantity_step=Decimal("0.0001"))


def main() -> None:
    reservations()
    for together in (1, SIGNALS):
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


async def crowd(together: int) -> None:
    """Decide 10,000 signals of 1,000 sets, so many in one batch, journaled as the service does."""
    desk, decided, deciding = _desk(), 0, 0.0
    signals = [
        SignalRaised(
            venue=VENUE,
            symbol=NAMES[number % SETS],
            kind=SignalKind.ENTRY,
            z_score=9.0,
            price=Decimal(100),
            bar_at=NOON + timedelta(minutes=number // SETS),
        )
        for number in range(SIGNALS)
    ]
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        async with await Journal.open(Path(folder) / "journal.sqlite") as journal:
            began = time.perf_counter()
            tasks = []
            for start in range(0, SIGNALS, together):
                before = time.perf_counter()
                records = _decide(desk, signals[start : start + together], start)
                deciding += time.perf_counter() - before
                decided += together
                tasks.append(asyncio.create_task(journal.append(records, durable=False)))
                await asyncio.sleep(0)
            await asyncio.gather(*tasks)
            took = time.perf_counter() - began
    reserved = len(desk.allocation.ledger.claims)
    print(
        f"{decided} signals, {together} a batch: {took:.2f} s with the journal, the desk "
        f"{deciding:.2f} s ({deciding / SIGNALS * 1e6:.0f} us each), limit 2 s; {reserved} reserved"
    )


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


def _desk() -> Desk:
    desk = Desk()
    sets = tuple(_set(name, "0.1", "5") for name in NAMES)
    settings = AllocationSettings(venue=VENUE, sets=sets)
    started: list[Fact] = [
        EngineStarted(version="", mode="paper"),
        ConfigApplied(armed=True, options=None, strategies=(), allocation=settings),
        *(
            ContractDescribed(
                venue=VENUE, spec=ContractSpec(ref=name, quantity_step=SPEC.quantity_step)
            )
            for name in NAMES
        ),
        BookSnapshot(venue=VENUE, asked_at=NOON, accounts=("main",), positions=()),
        VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=True),
        BalanceReported(
            venue=VENUE,
            account="main",
            currency="USDT",
            free=Decimal(1_000_000),
            total=Decimal(1_000_000),
        ),
    ]
    desk.apply(started, NOON)
    return desk


def _set(symbol: str, percent: str, threshold: str) -> ParameterSet:
    return ParameterSet(
        symbol=symbol,
        allocation_percent=Decimal(percent),
        z_score_threshold=Decimal(threshold),
        profit_percent=Decimal(15),
        stop_loss_percent=Decimal(2),
    )


def _decide(desk: Desk, signals: list[SignalRaised], batch: int) -> list[Record]:
    outcome = desk.apply(signals, NOON)
    terms = [price(order.intent, None, SPEC, NOON) for order in desk.awaiting_price()]
    priced = desk.apply(terms, NOON) if terms else Outcome()
    desk.next_deadline()
    items = (*outcome.facts, *outcome.intents, *priced.facts, *priced.intents)
    return [Record(at=NOON, item=item, batch=batch) for item in items]


def _microseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e6


if __name__ == "__main__":
    main()
