"""The allocation desk as people run it: an engine process at a Binance of ours in a process of its
own, asked with the real command. Signals come from bars pushed onto a history that is seeded.
"""

import asyncio
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from engine.attach import AttachClient, AttachError, Role
from engine.desk.snapshot import AllocationSetView, SetState, Snapshot
from tests.fakes.binance_spot import Bar, BinanceSpot
from tests.fakes.channel.process import Running
from tests.fakes.exchange import Order, Request
from tests.fakes.exchange import Side as FakeSide
from tests.fakes.exchange.process import exchange_process

PATIENCE_SECONDS = 30.0
BUY, OCO = "/api/v3/order", "/api/v3/orderList/oco"
BTC, BNB, ETH = "BTCUSDT", "BNBUSDT", "ETHUSDT"
WINDOW = 10
HOUR = timedelta(hours=1)
CENT = Decimal("0.01")
PRICES = {BTC: Decimal(50000), BNB: Decimal(500), ETH: Decimal(2500)}
OWNERS = """\
{
  "parameterSets": [
    {
      "symbol": "BTCUSDT",
      "allocationPercent": 33.3,
      "zScoreThreshold": 5.0,
      "profitPercent": 15.0,
      "stopLossPercent": 2
    },
    {
      "symbol": "BNBUSDT", 
      "allocationPercent": 33.3,
      "zScoreThreshold": 7.0,
      "profitPercent": 20.0,
      "stopLossPercent": 30
    },
    {
      "symbol": "ETHUSDT",
      "allocationPercent": 33.3,
      "zScoreThreshold": 6.0,
      "profitPercent": 22.0,
      "stopLossPercent": 6
    }
  ]
}
"""  # noqa: W291  as the owner wrote it
CONFIG = """\
mode = "live"
[engine]
state_dir = "{state}"
[venues.binance]
kind = "ccxt"
connector_name = "binance"
api_key = "env:BINANCE_KEY"
secret = "env:BINANCE_SECRET"
endpoint = "{url}"
[allocation]
venue = "binance"
z_score_window = 10
z_score_interval = "1h"
"""
Story = list[dict[str, Any]]


class Market:
    """The closed bars of one symbol, the last of them closed as the test begins.

    Bars wobble by a thousandth around a price, so the next one's z-score can be chosen.
    """

    def __init__(self, price: Decimal, until: datetime) -> None:
        wobble = price / 1000
        self._closes = deque(
            (price + (wobble if n % 2 else -wobble) for n in range(WINDOW)), maxlen=WINDOW
        )
        self.bars = tuple(
            Bar.flat(until - HOUR * (WINDOW - n), close) for n, close in enumerate(self._closes)
        )
        self._at = until

    def close_of(self, z: float) -> Decimal:
        """The close, to the cent, that scores z or a little more."""
        mean = sum(self._closes, Decimal(0)) / WINDOW
        deviation = math.sqrt(sum((one - mean) ** 2 for one in self._closes) / WINDOW)
        return (mean + Decimal(repr(z * deviation + 0.005))).quantize(CENT, ROUND_HALF_EVEN)

    def next_bar(self, close: Decimal) -> Bar:
        bar = Bar.flat(self._at, close)
        self._at += HOUR
        self._closes.append(close)
        return bar


class AllocationBench:
    """A config, the owner's parameter sets, an exchange with 1000 USDT, and the command.

    offered: how much is for sale at each quote, None for as much as anybody wants.
    """

    def __init__(self, folder: Path, exchange: Running) -> None:
        self.control = exchange.control
        self.offered: Decimal | None = None
        self._pushed: list[tuple[str, Bar]] = []
        self.state = folder / "s"
        self.config = folder / "bulkhead.toml"
        self.config.write_text(CONFIG.format(state=self.state, url=exchange.url))
        self.config.chmod(0o600)
        self.sets = folder / "sets.json"
        self.sets.write_text(OWNERS)
        known = BinanceSpot()
        self._secrets = {"BINANCE_KEY": known.api_key, "BINANCE_SECRET": known.secret}
        # One bar is still to close before now: the first that is pushed is fresh for an hour.
        began = datetime.now(UTC).replace(second=0, microsecond=0) - HOUR
        self.markets = {symbol: Market(price, began) for symbol, price in PRICES.items()}
        self.control.set_balance("USDT", Decimal(1000))
        for symbol, market in self.markets.items():
            self.control.seed_bars(symbol, "1h", market.bars)
            self.quote(symbol, PRICES[symbol])

    # --- the processes ---------------------------------------------------------------------------

    def engine(self, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        with (self.state.parent / "engine.log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "engine.cli", "engine", "--config", str(self.config)),
                    *("--parameter-sets", str(self.sets), *words),
                ],
                env={**os.environ, **self._secrets, **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run an engine that is asked to end in the end, and must end well."""
        engine = self.engine(*words)
        try:
            yield engine
            assert end(engine) == 0
        finally:
            kill(engine)

    def bulkhead(self, *words: str) -> subprocess.CompletedProcess[str]:
        return bulkhead(*words, "--config", str(self.config), **self._secrets)

    def status(self) -> dict[str, Any]:
        """The allocation of `bulkhead status --json`."""
        answer = self.bulkhead("status", "--json")
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout)["allocation"]
        return found

    def lines(self) -> list[str]:
        """The log's lines, as the journal keeps them."""
        answer = self.bulkhead("journal", "--json")
        assert answer.returncode == 0, answer.stderr
        rows: Story = json.loads(answer.stdout)
        return [row["body"]["text"] for row in rows if row["name"] == "WriteLine"]

    def closings(self) -> list[str]:
        """What became of the trades that are over, oldest first."""
        alerts = json.loads(self.bulkhead("status", "--json").stdout)["alerts"]
        return [alert["title"] for alert in alerts if ": closed, " in alert["title"]]

    async def until(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> Snapshot | None:
        """Watch as a terminal does until the picture shows it; None when the engine died."""
        try:
            return await self._watch(holds, engine)
        except TimeoutError:
            told = self.bulkhead("status").stdout, self.bulkhead("journal").stdout
            raise AssertionError("never came true:\n" + "\n".join(told)) from None

    async def seen(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> Snapshot:
        """Watch until the picture shows it, on an engine that lives."""
        found = await self.until(holds, engine)
        assert found is not None, f"the engine died, {engine.returncode}"
        return found

    async def _watch(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> Snapshot | None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while engine.poll() is None:
                with contextlib.suppress(AttachError):
                    client = await AttachClient.connect(
                        self.state / "bulkhead.sock", role=Role.READ_ONLY, client_name="test"
                    )
                    async with client:
                        async for snapshot in client.snapshots():
                            if holds(snapshot):
                                return snapshot
                await asyncio.sleep(0.02)
        return None

    # --- the market ------------------------------------------------------------------------------

    def quote(self, symbol: str, price: Decimal) -> None:
        """Trade at a price: the bid is it, the ask a cent above."""
        asked = self.offered
        self.control.set_quote(symbol, price, price + CENT, last=price, ask_size=asked)

    def bar(self, symbol: str, z: float) -> Decimal:
        """Close the next bar at a price that scores z, which is also the quote; return it."""
        market = self.markets[symbol]
        close = market.close_of(z)
        self.quote(symbol, close)
        self._pushed.append((symbol, market.next_bar(close)))
        self.control.push_bar(symbol, "1h", self._pushed[-1][1])
        return close

    def tell_bars_again(self) -> None:
        """Push those bars again that end after now: no history has them yet."""
        now = datetime.now(UTC)
        for symbol, bar in self._pushed:
            if bar.opened_at + HOUR > now:
                self.control.push_bar(symbol, "1h", bar)

    # --- the exchange ----------------------------------------------------------------------------

    def buys(self) -> list[Order]:
        return [one for one in self.control.orders() if one.side is FakeSide.BUY]

    def sales(self) -> list[Order]:
        """Sales at market, outside of any OCO."""
        orders = self.control.orders()
        return [one for one in orders if one.side is FakeSide.SELL and not one.word("orderListId")]

    def brackets(self) -> list[tuple[str, Order, Order]]:
        """Each OCO: its market, its target, its stop."""
        orders = {one.id: one for one in self.control.orders()}
        found = []
        for made in self.control.order_lists():
            stop, target = (orders[one] for one in made.order_ids)
            found.append((made.market, target, stop))
        return found

    def list_id(self, symbol: str) -> str:
        """The client id of the symbol's newest OCO."""
        name: str = [one for one in self.control.order_lists() if one.market == symbol][
            -1
        ].client_id
        return name

    def sent(self) -> list[str]:
        """What was sent to trade, in the order it came in."""
        named = {
            ("POST", BUY): "order",
            ("POST", OCO): "oco",
            ("DELETE", "/api/v3/orderList"): "cancel oco",
            ("DELETE", BUY): "cancel order",
        }
        found: list[str] = []
        request: Request
        for request in self.control.requests():
            what = named.get((request.method, request.path))
            if what is not None:
                params = request.params
                what = params["side"].lower() if what == "order" else what
                found.append(f"{what} {params['symbol']}")
        return found

    def spends(self) -> list[str]:
        """The amounts that buys were sent for."""
        posted = (one.params for one in self.control.requests(BUY, "POST") if one.path == BUY)
        return [params["quoteOrderQty"] for params in posted if "quoteOrderQty" in params]


@contextmanager
def allocation_bench(folder: Path) -> Iterator[AllocationBench]:
    with exchange_process(BinanceSpot) as exchange:
        yield AllocationBench(folder, exchange)


def bulkhead(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command as in a terminal of 80 columns."""
    return subprocess.run(
        [sys.executable, "-m", "engine.cli", *words],
        env={**os.environ, "COLUMNS": "80", **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def end(engine: subprocess.Popen[bytes]) -> int:
    """Ask an engine to end and return its code; one that does not is killed, and that is raised."""
    engine.send_signal(signal.SIGTERM)
    try:
        return engine.wait(PATIENCE_SECONDS)
    finally:
        kill(engine)


def kill(engine: subprocess.Popen[bytes]) -> None:
    """End an engine at once, if it still lives."""
    if engine.poll() is None:
        engine.kill()
        engine.wait(PATIENCE_SECONDS)


async def arrived(happened: Callable[[], bool]) -> None:
    """Wait until the exchange, which is asked again and again, has something."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not happened():
            await asyncio.sleep(0.02)


# --- what a picture shows ------------------------------------------------------------------------


def ready(snapshot: Snapshot) -> bool:
    """The venue takes orders, quotes and the whole window are there."""
    allocation = snapshot.allocation
    return (
        allocation is not None
        and [(v.state, v.can_trade) for v in snapshot.venues] == [("ready", True)]
        and allocation.totalBalance > 0
        and len(allocation.sets) > 0
        and all(one.bars_seen >= WINDOW and one.mark_price for one in allocation.sets)
    )


def set_of(snapshot: Snapshot, symbol: str) -> AllocationSetView:
    assert snapshot.allocation is not None
    return next(one for one in snapshot.allocation.sets if one.symbol == symbol)


def in_state(state: SetState, *symbols: str) -> Callable[[Snapshot], bool]:
    return lambda snapshot: all(set_of(snapshot, one).state is state for one in symbols)


def held(*symbols: str) -> Callable[[Snapshot], bool]:
    return in_state(SetState.IN_POSITION, *symbols)


def waiting(*symbols: str) -> Callable[[Snapshot], bool]:
    return in_state(SetState.WAITING, *symbols)
