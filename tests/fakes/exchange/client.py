"""Points a ccxt exchange at a stand-in: the host of every URL replaced, nothing else changed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from tests.fakes.exchange.server import ExchangeServer

T = TypeVar("T")


def point(client: T, url: str) -> T:
    """Replace scheme and host of every URL in client.urls (paths stay; ws stays ws); returns it."""
    where: Any = client
    where.urls = repointed(where.urls, urlsplit(url).netloc)
    return client


def repointed(urls: Any, host: str) -> Any:
    """URLs, in whatever they are nested, with their host replaced and no TLS."""
    if isinstance(urls, dict):
        return {key: repointed(one, host) for key, one in urls.items()}
    if isinstance(urls, list):
        return [repointed(one, host) for one in urls]
    if not isinstance(urls, str) or "://" not in urls:
        return urls
    scheme, _, path, query, fragment = urlsplit(urls)
    return urlunsplit(("ws" if scheme.startswith("ws") else "http", host, path, query, fragment))


@asynccontextmanager
async def client_of(
    kind: Callable[[dict[str, Any]], T], venue: ExchangeServer, **config: Any
) -> AsyncIterator[T]:
    """A ccxt client of a running stand-in with its keys, closed in the end. Its throttle is off
    unless config turns it on, so that tests need not wait."""
    client = point(kind({**venue.credentials, "enableRateLimit": False, **config}), venue.url)
    try:
        yield client
    finally:
        closing: Any = client
        await closing.close()
