"""For tests: what goes out on a venue's user data stream, and how it compares with recordings."""

import asyncio
from typing import Any

from tests.fakes.binance_spot.venue import USER, BinanceVenue
from tests.fakes.exchange.wire import Socket


async def user_stream(venue: BinanceVenue, client: Any) -> list[dict[str, Any]]:
    """Have a ccxt.pro client subscribe to the user data stream; the list returned grows with
    every message that goes out on it from then on."""
    waiting = asyncio.create_task(client.watch_orders())
    await venue.until(lambda: user_sockets(venue) != [])
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    heard: list[dict[str, Any]] = []
    (socket,) = user_sockets(venue)

    def hear(message: Any) -> None:
        heard.append(message)
        Socket.send(socket, message)

    socket.send = hear  # type: ignore[method-assign]
    return heard


def user_sockets(venue: BinanceVenue) -> list[Socket]:
    """The connections that are told of the account."""
    return [socket for socket in venue.clients if USER in socket.subscriptions]


def shape(value: Any) -> Any:
    """A value with its leaves replaced by the names of their types; of a list, its first row's."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def lacks(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where a shape of ours lacks what theirs has, or has it of another type."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            return [f"{at}: {ours} for an object"]
        missing = [f"{at}.{key} is missing" for key in theirs if key not in ours]
        return missing + [
            fault
            for key in theirs
            if key in ours
            for fault in lacks(ours[key], theirs[key], f"{at}.{key}")
        ]
    if isinstance(theirs, list):
        if not isinstance(ours, list):
            return [f"{at}: {ours} for a list"]
        return lacks(ours[0], theirs[0], f"{at}[]") if theirs and ours else []
    return [] if ours == theirs else [f"{at}: {ours}, recorded {theirs}"]
