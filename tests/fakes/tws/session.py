"""One client on the socket: the handshake, the frames, and what this client has subscribed to.

It stamps the arrival of bytes before it decodes any, and decides nothing about their meaning.
"""

import asyncio
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tests.fakes.tws import wire

_LONGEST_PROLOGUE_BYTES = 256


class Host(Protocol):
    """What a session needs of the TWS it belongs to."""

    def opened(self, session: "Session") -> None: ...

    def closed(self, session: "Session") -> None: ...

    def heard(self, session: "Session", arrived_ns: int, fields: tuple[str, ...]) -> None: ...

    def may_speak(self) -> bool: ...

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSubscription:
    con_id: int
    delayed: bool


class Session(asyncio.Protocol):
    """A client connection. client_id is None until startApi was accepted."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._prologue = b""
        self._greeted = False
        self._reader = wire.FrameReader()
        self.client_id: int | None = None
        self.wants_positions = False
        self.account_updates = ""
        self.account_summaries: dict[int, tuple[str, ...]] = {}
        self._packet: bytearray | None = None
        self.market_data_type = 1
        self.market_data: dict[int, DataSubscription] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._host.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._host.closed(self)

    def data_received(self, data: bytes) -> None:
        arrived_ns = time.monotonic_ns()
        if not self._greeted:
            data = self._greet(data)
        try:
            bodies = self._reader.feed(data)
        except wire.BadFrame:
            self.close()
            return
        for body in bodies:
            if self._transport is not None and not self._transport.is_closing():
                self._host.heard(self, arrived_ns, wire.split(body))

    def _greet(self, data: bytes) -> bytes:
        """Take `API\\0` and the version frame, answer with ours; return what came after."""
        self._prologue += data
        prologue = self._prologue
        if len(prologue) < 8:
            return b""
        end = 8 + int.from_bytes(prologue[4:8], "big")
        if prologue[:4] != b"API\0" or end > _LONGEST_PROLOGUE_BYTES:
            self.close()
            return b""
        if len(prologue) < end:
            return b""
        versions = prologue[8:end].decode("ascii", "replace").split(" ")[0].lstrip("v")
        low, _, high = versions.partition("..")
        if not (low.isdigit() and (high or low).isdigit()):
            self.close()
            return b""
        self._greeted = True
        if not int(low) <= wire.SERVER_VERSION <= int(high or low):
            self.send((4, 2, -1, 503, "The TWS is out of date and must be upgraded.", ""))
            self.close()
            return b""
        self.send((wire.SERVER_VERSION, f"{self._host.now():%Y%m%d %H:%M:%S} GMT"))
        return prologue[end:]

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, fields: tuple[wire.Field, ...]) -> None:
        """Hand one message to the socket now, unless TWS has gone silent or the link is gone."""
        if self._transport is not None and not self._transport.is_closing():
            encoded = wire.frame(fields)
            if not self._host.may_speak():
                return
            if self._packet is not None:
                self._packet += encoded
            else:
                self._transport.write(encoded)

    def gather(self) -> None:
        """Keep what is sent from now on, for one packet."""
        self._packet = bytearray()

    def let_go(self) -> None:
        """Hand what was gathered to the socket as one packet."""
        packet, self._packet = self._packet, None
        if packet and self._transport is not None and not self._transport.is_closing():
            self._transport.write(bytes(packet))

    def close(self, *, abort: bool = False) -> None:
        """Close after what was written, or reset at once."""
        if self._transport is None:
            return
        if abort:
            self._transport.abort()
        else:
            self._transport.close()
