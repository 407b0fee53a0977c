"""Requests and answers as a stand-in sees them, and one client's WebSocket.

A socket writes from a queue, so that code which is not async can send, and order is kept.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request. query and body are as sent (undecoded, so that signatures can be checked);
    at_seconds is monotonic."""

    at_seconds: float
    method: str
    path: str
    query: str = ""
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    route: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def part(self, name: str) -> str:
        """What the path has where the route has {name}."""
        return dict(self.route)[name]

    @property
    def params(self) -> dict[str, Any]:
        """Query and body together: a form's or a JSON object's fields."""
        found: dict[str, Any] = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.body.lstrip().startswith("{"):
            found.update(json.loads(self.body))
        else:
            found.update(parse_qsl(self.body, keep_blank_values=True))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to answer: anything JSON, or text as it is."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class VenueError(Exception):
    """Raise it anywhere in a handler to answer with it."""

    def __init__(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None):
        super().__init__(str(body))
        self.answer = Answer(body=body, status=status, headers=headers or {})


class Socket:
    """One client's WebSocket. `memory` is the venue's to keep what it knows of the client."""

    def __init__(
        self,
        path: str,
        query: str,
        response: web.WebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        self.path = path
        self.transport = transport
        self.query = query
        self.memory: dict[str, Any] = {}
        self.subscriptions: set[str] = set()
        self.mute = False
        self.response = response
        self._outgoing: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    def send(self, message: Any) -> None:
        """Send JSON, or text as it is. A mute socket loses it."""
        if not self.mute:
            text = message if isinstance(message, str) else json.dumps(message)
            self._outgoing.put_nowait(text)

    def pong(self, payload: bytes) -> None:
        self._outgoing.put_nowait(payload)

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close once everything sent so far is out."""
        self._outgoing.put_nowait(None)

    async def write(self) -> None:
        """Write what is sent until closed."""
        with contextlib.suppress(ConnectionError):
            while (message := await self._outgoing.get()) is not None:
                if isinstance(message, bytes):
                    await self.response.pong(message)
                else:
                    await self.response.send_str(message)
            await self.response.close()
