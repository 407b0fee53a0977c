"""One ccxt exchange object: how it is made, every request through the limiter, every failure told
apart, and each message of its sockets handed over before ccxt looks at it.

ccxt signs, connects, subscribes and keeps sockets alive; what messages mean is read elsewhere.
"""

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from decimal import localcontext
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from engine.errors import VenueError
from engine.venues.crypto.faults import UNREADABLE, Refused, Throttled, Unanswered, told_apart
from engine.venues.crypto.limiter import Cost, Lane, Limiter
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.words import Redactor, in_words

_LOGGER = "ccxt.base.exchange"
_HOLD_SECONDS = 5.0
_BAN_SECONDS = 60.0
_KEEP_ALIVE_MS = 10_000
_DEMO = frozenset({"binanceusdm"})
"""Whose test environment is demo trading. Source: ccxt, which refuses its former testnet."""

Heard = Callable[[Any], bool]
"""Takes a message; True when ccxt need not look at it."""


@dataclass(frozen=True, slots=True)
class Library:
    """ccxt as far as it is needed: one exchange's class, and the root of its errors."""

    exchange: Any
    error: type[Exception]


def load_library(connector: str) -> Library:
    """Import ccxt; takes most of a second, so call it in a thread.

    Its logger writes keys and signatures at DEBUG: that level is taken from it for good.
    """
    logger = logging.getLogger(_LOGGER)
    logger.setLevel(max(logging.INFO, logger.level))
    module = importlib.import_module(f"ccxt.pro.{connector}")
    errors = importlib.import_module("ccxt.base.errors")
    return Library(getattr(module, connector), errors.BaseError)


class Wire:
    """heard takes each message, opened the URL of each socket that opens; lost is told once a
    socket or its messages cannot go on. polls: the lane of requests that name none."""

    def __init__(
        self,
        library: Library,
        settings: CryptoSettings,
        limiter: Limiter,
        *,
        options: Mapping[str, Any],
        verdicts: Mapping[str, type[Refused | Unanswered]],
        heard: Heard,
        lost: Callable[[str], None],
        opened: Callable[[str], None],
    ) -> None:
        self.redact = Redactor(settings.secrets)
        self._library = library
        self._limiter = limiter
        self._verdicts = verdicts
        self._heard = heard
        self._lost = lost
        self._opened = opened
        self._closed = False
        self.polls = Lane.POLLS
        self.exchange = self._make(settings, options)

    async def ask(
        self,
        endpoint: str,
        params: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        cost: Cost,
        lane: Lane | None = None,
        leaving: Callable[[], None] | None = None,
    ) -> Any:
        """Call one of ccxt's endpoints when its turn has come; leaving is called as it goes.

        Raises the errors of engine.venues.crypto.faults.
        """
        await self._limiter.turn(self.polls if lane is None else lane, cost)
        if leaving is not None:
            leaving()
        asked = dict(params) if isinstance(params, Mapping) else [dict(it) for it in params]
        return await self.guarded(getattr(self.exchange, endpoint)(asked))

    async def guarded(self, asked: Awaitable[Any]) -> Any:
        """Await something of ccxt's. Raises the errors of engine.venues.crypto.faults."""
        try:
            # ccxt changes the rounding of the decimal context it runs in, and leaves it changed.
            with localcontext():
                return await asked
        except self._library.error as error:
            found = self._judged(error)
            if isinstance(found, Throttled):
                self._limiter.hold(self._pause(found), is_ban=found.is_ban)
            raise found from None
        except (*UNREADABLE, OSError, RuntimeError) as error:
            text = self.redact(f"an answer that cannot be read: {error!r}")
            raise Unanswered(text) from None

    def _judged(self, error: Exception) -> VenueError:
        text = self.redact(in_words(str(error)))
        for part, kind in self._verdicts.items():
            if part in text:
                return kind(text)
        return told_apart(error, text)

    def use_markets(self, exchange: Any) -> None:
        """Take over the markets another connection has loaded."""
        self.exchange.set_markets_from_exchange(exchange)

    async def close(self) -> None:
        self._closed = True
        await self.exchange.close()

    def _pause(self, error: Throttled) -> float:
        headers = self.exchange.last_response_headers or {}
        asked = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
        usual = _BAN_SECONDS if error.is_ban else _HOLD_SECONDS
        return max(float(asked), 1.0) if str(asked).isdigit() else usual

    def _make(self, settings: CryptoSettings, options: Mapping[str, Any]) -> Any:
        wire = self

        class Tapped(self._library.exchange):  # type: ignore[misc,name-defined]
            def handle_message(self, client: Any, message: Any) -> None:
                wire._take(super().handle_message, client, message)

            def on_error(self, client: Any, error: Any) -> None:
                super().on_error(client, error)
                wire._end(str(error))

            def on_connected(self, client: Any, message: Any = None) -> None:
                super().on_connected(client, message)
                wire._opened(client.url)

            def on_close(self, client: Any, error: Any) -> None:
                super().on_close(client, error)
                wire._end("the exchange closed the connection")

            def __del__(self) -> None:
                """ccxt warns here of what close() has not released; close() is always called."""

        exchange = Tapped(
            {
                "apiKey": settings.api_key,
                "secret": settings.secret,
                "password": settings.password,
                "enableRateLimit": False,
                "timeout": round(settings.answer_seconds * 1000),
                "number": str,
                "streaming": {"keepAlive": _KEEP_ALIVE_MS},
                "options": dict(options),
            }
        )
        # Currencies are asked for at private wallets that trading has no need of.
        exchange.has = {**exchange.has, "fetchCurrencies": False}
        exchange.number = str
        exchange.timeout_on_exit = 0
        if settings.sandbox and settings.connector in _DEMO:
            exchange.enable_demo_trading(True)
        elif settings.sandbox:
            exchange.set_sandbox_mode(True)
        if settings.endpoint:
            exchange.urls = moved(exchange.urls, settings.endpoint)
        return exchange

    def _take(self, pass_on: Callable[[Any, Any], None], client: Any, message: Any) -> None:
        """Hand a message over. A message nobody can read must not stop those after it."""
        if self._closed:
            return
        try:
            if not self._heard(message):
                with localcontext():
                    pass_on(client, message)
        except Exception as error:
            self._end(f"what the exchange sends cannot be followed: {error!r}")

    def _end(self, text: str) -> None:
        if not self._closed:
            self._lost(self.redact(text))


def moved(urls: Any, endpoint: str) -> Any:
    """Replace scheme and host of every URL in whatever it is nested; paths stay, ws stays ws."""
    if isinstance(urls, dict):
        return {name: moved(it, endpoint) for name, it in urls.items()}
    if isinstance(urls, list):
        return [moved(it, endpoint) for it in urls]
    if not isinstance(urls, str) or "://" not in urls:
        return urls
    old, new = urlsplit(urls), urlsplit(endpoint)
    scheme = new.scheme
    if old.scheme in ("ws", "wss"):
        scheme = "wss" if new.scheme == "https" else "ws"
    return urlunsplit((scheme, new.netloc, old.path, old.query, old.fragment))


async def completed(work: Coroutine[Any, Any, None]) -> None:
    """Do something to its end even when cancelled meanwhile: what is half closed leaks."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
