"""An engine and the stand-in of a crypto exchange, each a process of its own, and the command."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.attach import AttachClient, AttachError, Role
from engine.desk.orders import is_ours
from engine.desk.snapshot import Snapshot
from tests.fakes.exchange import ExchangeServer, Order
from tests.fakes.exchange.process import exchange_process

PATIENCE_SECONDS = 30.0
VENUE = "perps"
# The only key, secret and passphrase a stand-in knows.
_KEYS = {
    "BENCH_KEY": "loopback-key",
    "BENCH_SECRET": "bG9vcGJhY2stc2VjcmV0LWZvci10ZXN0cw==",
    "BENCH_PASSWORD": "loopback-pass",
}
_CONFIG = """\
mode = "live"
[engine]
state_dir = "{state}"
[venues.{venue}]
kind = "ccxt"
connector_name = "{connector}"
api_key = "env:BENCH_KEY"
secret = "env:BENCH_SECRET"
password = "env:BENCH_PASSWORD"
endpoint = "{url}"
"""
_MANAGER = """\
[[assignment_managers]]
venue = "{venue}"
all_trading_pairs = {every}
{fields}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one bench is: an exchange, the connector's name, and the managers' own fields; those
    that name no trading_pairs watch every pair."""

    exchange: type[ExchangeServer]
    connector: str
    managers: tuple[str, ...] = ()


class PerpsBench:
    """A config, an exchange (control has its commands), and the command."""

    def __init__(self, folder: Path, url: str, control: Any, desk: Desk) -> None:
        self.control = control
        self.state = folder / "s"
        self.config = folder / "bulkhead.toml"
        head = _CONFIG.format(state=self.state, venue=VENUE, connector=desk.connector, url=url)
        self.config.write_text(head + "".join(map(_manager, desk.managers)))
        self.config.chmod(0o600)

    # --- the engine ------------------------------------------------------------------------------

    @contextmanager
    def engine(self, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run an engine; it is killed in the end if it still runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "engine", "--config", str(self.config)],
            env={**os.environ, **_KEYS, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE_SECONDS)

    def bulkhead(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "engine.cli", *words, "--config", str(self.config)],
            env={**os.environ, **_KEYS},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def done(self, *words: str) -> str:
        """Run a command that must succeed; what it said."""
        answer = self.bulkhead(*words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.done("status", "--json"))
        return document

    # --- waiting ---------------------------------------------------------------------------------

    async def until(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> bool:
        """Watch as a terminal does until the picture shows it; False when the engine died."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._watch(holds, engine)
        except TimeoutError:
            seen = self.bulkhead("status").stdout
            story = self.bulkhead("journal").stdout
            sent = "\n".join(self.sent())
            raise AssertionError(f"never came true:\n{seen}\n{story}\n{sent}") from None

    async def _watch(
        self, holds: Callable[[Snapshot], bool], engine: subprocess.Popen[bytes]
    ) -> bool:
        while engine.poll() is None:
            with contextlib.suppress(AttachError):
                client = await AttachClient.connect(
                    self.state / "bulkhead.sock", role=Role.READ_ONLY, client_name="test"
                )
                async with client:
                    async for snapshot in client.snapshots():
                        if holds(snapshot):
                            return True
            await asyncio.sleep(0.02)
        return False

    async def settled(self, holds: Callable[[], bool]) -> None:
        """Look at the exchange until it shows it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await asyncio.sleep(0.02)

    # --- what the exchange has seen --------------------------------------------------------------

    def orders(self) -> tuple[Order, ...]:
        """What the engine sent, oldest first; not those a trigger spawned."""
        return tuple(
            order
            for order in self.control.orders()
            if is_ours(order.client_id or "") and order.parent_id is None
        )

    def open_orders(self) -> tuple[Order, ...]:
        return tuple(self.control.orders(open_only=True))

    def sent(self) -> list[str]:
        return [in_words(order) for order in self.orders()]


def _manager(fields: str) -> str:
    every = "false" if "trading_pairs" in fields else "true"
    return _MANAGER.format(venue=VENUE, every=every, fields=fields)


def in_words(order: Order) -> str:
    only = " reduce-only" if order.reduce_only else ""
    kind = order.kind.value if order.stop_price is None else f"stop at {order.stop_price:f}"
    return f"{order.side} {order.quantity.normalize():f} {order.market} {kind}{only}"


@contextmanager
def perps_bench(folder: Path, desk: Desk) -> Iterator[PerpsBench]:
    with exchange_process(desk.exchange) as exchange:
        yield PerpsBench(folder, exchange.url, exchange.control, desk)


def end(engine: subprocess.Popen[bytes]) -> int:
    engine.send_signal(signal.SIGTERM)
    return engine.wait(PATIENCE_SECONDS)


def kill(engine: subprocess.Popen[bytes]) -> None:
    """End it as `kill -9` does."""
    engine.kill()
    assert engine.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def ready(snapshot: Snapshot) -> bool:
    venue = snapshot.venues[0]
    return venue.state == "ready" and venue.can_trade is not False
