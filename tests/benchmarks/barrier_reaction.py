"""From a quote on an exchange's stream to the barrier's order there, beside a bare program; and
what 5,000 quotes a second cost the engine.

Run `python -m tests.benchmarks.barrier_reaction`. The bare program is ccxt.pro answering the same
quote of the same stand-in with createOrder and nothing else. Both instants are the stand-in's own.
Prints ratios, the engine's share of a core, and how long a fill takes to its close meanwhile.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.engine.perps_bench import Desk, PerpsBench, perps_bench, ready
from tests.fakes.exchange import Market, Quote
from tests.fakes.exchange.process import exchange_process
from tests.fakes.krakenfutures import KrakenFutures, markets

# A close costs 10 of the 500 that are allowed in 10 seconds; a stop and its cancel as much again.
# The bare program is measured at the same pace: what was idle for longer is slower to answer.
PACE_SECONDS, PACE_WITH_STOP_SECONDS = 0.3, 0.8
SHOTS = 10
SOL = "PF_SOLUSD"
INSTRUMENTS, QUOTES_A_SECOND, LOAD_SECONDS = 50, 5_000, 20
FILLS = 20

_BARE = """
import asyncio, sys
import ccxt.pro
from tests.fakes.exchange import point

async def main():
    keys = dict(zip(("apiKey", "secret"), sys.argv[2:]))
    client = point(ccxt.pro.krakenfutures({**keys, "enableRateLimit": False}), sys.argv[1])
    await client.load_markets()
    ioc = {"timeInForce": "ioc", "reduceOnly": True}
    waits = False
    print("ready", flush=True)
    while True:
        ticker = await client.watch_ticker("SOL/USD:USD")
        reached = ticker["bid"] >= 110.2
        if waits and reached:
            await client.create_order("SOL/USD:USD", "limit", "sell", 1, 110.89, ioc)
        waits = not reached

asyncio.run(main())
"""
_BARRIERS = "time_limit = 3600\ntake_profit_pct = '0.10'\n"
_NO_STOP = f"{_BARRIERS}resident_stop = false"
_STOP = f"{_BARRIERS}stop_loss_pct = '0.05'"


def shoot(exchange: Any, *, shots: int, pace_seconds: float) -> list[float]:
    """Assign 1 SOL at 100 and have the bid jump to 111, again and again; microseconds from that
    quote to the order."""
    found = []
    for _ in range(shots):
        show(exchange, 100)
        exchange.assign(SOL, Decimal(1), Decimal(100))
        time.sleep(pace_seconds / 2)
        before = len(exchange.orders())
        quote = show(exchange, 111)
        while exchange.held(SOL):
            time.sleep(0.005)
        close = next(o for o in exchange.orders()[before:] if o.stop_price is None)
        found.append((close.created_at - quote.at).total_seconds() * 1e6)
        time.sleep(pace_seconds / 2)
    return found


def show(exchange: Any, price: int) -> Quote:
    bid = Decimal(price)
    quote: Quote = exchange.set_quote(SOL, bid, bid + Decimal("0.02"), mark=Decimal(100))
    return quote


@contextmanager
def bare() -> Iterator[Any]:
    """The bare program at an exchange of its own; the exchange's commands."""
    keys = KrakenFutures()
    with exchange_process(KrakenFutures) as exchange:
        program = subprocess.Popen(
            [sys.executable, "-c", _BARE, exchange.url, keys.api_key, keys.secret],
            stdout=subprocess.PIPE,
        )
        assert program.stdout is not None
        try:
            program.stdout.readline()
            yield exchange.control
        finally:
            program.kill()
            program.wait()


@contextmanager
def bulkhead(manager: str) -> Iterator[Any]:
    """An engine with one manager at an exchange of its own; the exchange's commands."""
    desk = Desk(exchange=KrakenFutures, connector="kraken_perpetual", managers=(manager,))
    with (
        tempfile.TemporaryDirectory() as folder,
        perps_bench(Path(folder), desk) as bench,
        bench.engine() as engine,
    ):
        assert asyncio.run(bench.until(ready, engine))
        yield bench.control


# --- 5,000 quotes a second -----------------------------------------------------------------------


class Crowded(KrakenFutures):
    """The stand-in with as many perpetuals as quotes are sent for."""

    def __init__(self) -> None:
        super().__init__()
        sol = self.account.markets[SOL]
        for number in range(INSTRUMENTS - 1):
            market = replace(sol, id=f"PF_C{number}USD", base=f"C{number}")
            self.account.markets[market.id] = market
            self.set_quote(market.id, Decimal(100), Decimal("100.02"))
        self.set_quote(SOL, Decimal(100), Decimal("100.02"))
        self.crowd = [m for m in self.account.markets.values() if m.base.startswith("C")]
        self.walk = random.Random(1)

    def send_quotes(self, count: int) -> None:
        """Tell of new prices that reach no barrier."""
        for _ in range(count):
            market = self.walk.choice(self.crowd)
            self.publish(self._quote_of(market), channel=f"ticker:{market.id}")

    def _quote_of(self, market: Market) -> dict[str, object]:
        bid = round(100 + self.walk.uniform(-1, 1), 2)
        quote = self.account.quotes[market.id]
        row = markets.ticker(market, quote, self.now_ms())
        return row | {"bid": bid, "ask": round(bid + 0.02, 2)}


async def under_load() -> tuple[float, list[float]]:
    """The engine's share of a core, and microseconds from an assignment to its close, meanwhile."""
    at_once = 'trading_pairs = ["SOL-USD"]'
    held = f"{_BARRIERS}trading_pairs = [{', '.join(_pair(n) for n in range(INSTRUMENTS - 1))}]"
    desk = Desk(
        exchange=Crowded,
        connector="kraken_perpetual",
        managers=(at_once, f"{held}\nresident_stop = false"),
    )
    async with Crowded() as exchange:
        with tempfile.TemporaryDirectory() as folder:
            bench = PerpsBench(Path(folder), exchange.url, exchange, desk)
            with bench.engine() as engine:
                assert await bench.until(ready, engine)
                for market in exchange.crowd:
                    exchange.assign(market.id, Decimal(1), Decimal(100))
                assert await bench.until(lambda s: len(s.barriers) == len(exchange.crowd), engine)
                return await _measured(exchange, engine.pid)


async def _measured(exchange: Crowded, pid: int) -> tuple[float, list[float]]:
    closes: list[float] = []
    began, spent, sent = time.monotonic(), _cpu_seconds(pid), 0
    while (elapsed := time.monotonic() - began) < LOAD_SECONDS:
        due = int(elapsed * QUOTES_A_SECOND)
        exchange.send_quotes(due - sent)
        sent = due
        if len(closes) < elapsed / LOAD_SECONDS * FILLS and not exchange.held(SOL):
            before = len(exchange.orders())
            fill = exchange.assign(SOL, Decimal(1), Decimal(100))
            await exchange.until(lambda: not exchange.held(SOL))
            close = exchange.orders()[before]
            closes.append((close.created_at - fill.at).total_seconds() * 1e6)
        await asyncio.sleep(0.002)
    return (_cpu_seconds(pid) - spent) / (time.monotonic() - began), closes


def _pair(number: int) -> str:
    return f'"C{number}-USD"'


def _cpu_seconds(pid: int) -> float:
    """What a process has used. Source: proc(5), /proc/PID/stat, utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- both ----------------------------------------------------------------------------------------


def main() -> None:
    compare("without a stop", _NO_STOP, rounds=20, pace_seconds=PACE_SECONDS)
    compare("beside a stop", _STOP, rounds=10, pace_seconds=PACE_WITH_STOP_SECONDS)
    share, closes = asyncio.run(under_load())
    print(f"{QUOTES_A_SECOND} quotes a second over {INSTRUMENTS} instruments:")
    print(f"engine {share:.2f} of a core, a fill to its close {_at(closes, 50):.0f} us (median)")


def compare(name: str, manager: str, *, rounds: int, pace_seconds: float) -> None:
    """Measure both by turns, so that a busy machine is as busy for the one as for the other."""
    base: list[float] = []
    ours: list[float] = []
    with bare() as one, bulkhead(manager) as other:
        for _ in range(rounds):
            base += shoot(one, shots=SHOTS, pace_seconds=pace_seconds)
            ours += shoot(other, shots=SHOTS, pace_seconds=pace_seconds)
    for percentile, limit in ((50, 1.5), (99, 2.0)):
        b, o = _at(base, percentile), _at(ours, percentile)
        ratio = f"{o / b:.2f} (at most {limit})"
        print(f"{name}, {percentile}%: bare {b:.0f} us, bulkhead {o:.0f} us, {ratio}", flush=True)


def _at(values: list[float], percentile: int) -> float:
    return statistics.quantiles(values, n=100)[percentile - 1]


if __name__ == "__main__":
    main()
