"""What the tests of the OKX and Bybit stand-ins share: running ones, ccxt clients of them, and
the collecting of what a ccxt watch method tells."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from ccxt.base import errors

from tests.fakes.bybit import Bybit
from tests.fakes.exchange import ExchangeServer, Fault, client_of
from tests.fakes.okx import Okx

# ccxt marks none of its classes as exported, so they are taken untyped.
PRO: Any = import_module("ccxt.pro")
REST: Any = import_module("ccxt.async_support")

BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"


@asynccontextmanager
async def okx(**config: Any) -> AsyncIterator[tuple[Okx, Any]]:
    """An OKX and a `ccxt.pro.okx` that has loaded its markets."""
    options = {"defaultType": "swap", **config.pop("options", {})}
    async with Okx() as venue, client_of(PRO.okx, venue, options=options, **config) as client:
        await client.load_markets()
        yield venue, client


@asynccontextmanager
async def bybit(**config: Any) -> AsyncIterator[tuple[Bybit, Any]]:
    """A Bybit and a `ccxt.pro.bybit` that has loaded its markets."""
    async with Bybit() as venue, client_of(PRO.bybit, venue, **config) as client:
        await client.load_markets()
        yield venue, client


@contextlib.contextmanager
def impatient(client: Any, fault: Fault) -> Iterator[None]:
    """Have the client give up soon on an answer that the fault keeps from coming."""
    patient = client.timeout
    if fault in (Fault.SILENT, Fault.SILENT_AFTER):
        client.timeout = 100
    try:
        yield
    finally:
        client.timeout = patient


class Heard:
    """Everything one watch method told, in order; errors end it and are kept.

    Rows are copied as they come, for ccxt changes those it has handed out.
    """

    def __init__(self) -> None:
        self.all: list[Any] = []
        self.error: BaseException | None = None
        self._news = asyncio.Event()

    async def listen(self, watch: Callable[[], Awaitable[Any]]) -> None:
        try:
            while True:
                told = await watch()
                self.all.extend(dict(one) for one in (told if isinstance(told, list) else [told]))
                self._news.set()
        except errors.BaseError as error:
            self.error = error
            self._news.set()

    async def until(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until what was told is enough, and return it all. Raises TimeoutError."""
        async with asyncio.timeout(5):
            while not enough(self.all) and self.error is None:
                self._news.clear()
                await self._news.wait()
        return self.all

    async def failed(self) -> BaseException:
        """Wait until watching fails, and return how."""
        await self.until(lambda _: False)
        assert self.error is not None
        return self.error


@asynccontextmanager
async def heard(
    venue: ExchangeServer, channel: str, *watches: Callable[[], Awaitable[Any]]
) -> AsyncIterator[Any]:
    """Listen to watch methods from when the venue has heard of the channel's subscription."""
    before = subscriptions(venue, channel)
    ears = [Heard() for _ in watches]
    tasks = [
        asyncio.create_task(ear.listen(watch)) for ear, watch in zip(ears, watches, strict=True)
    ]
    try:
        await venue.until(lambda: subscriptions(venue, channel) > before)
        yield ears[0] if len(ears) == 1 else ears
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def subscriptions(venue: ExchangeServer, channel: str) -> int:
    """How often clients subscribed to a channel or topic."""
    said = [json.loads(one) for one in venue.messages('"subscribe"')]
    args = [arg for one in said for arg in one["args"]]
    return sum(channel == (arg if isinstance(arg, str) else arg["channel"]) for arg in args)


def shape(value: Any) -> Any:
    """Keys and types of a message."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return type(value).__name__


def lacking(ours: Any, recorded: Any, at: str = "") -> list[str]:
    """What a recorded message has that ours has not, or has of another type."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        return [
            fault
            for key, one in recorded.items()
            for fault in (
                lacking(ours[key], one, f"{at}.{key}") if key in ours else [f"{at}.{key}"]
            )
        ]
    if isinstance(recorded, list) and isinstance(ours, list):
        return lacking(ours[0], recorded[0], f"{at}[]") if recorded and ours else []
    same = shape(ours) == shape(recorded)
    return [] if same else [f"{at} is {shape(ours)}, recorded as {shape(recorded)}"]
