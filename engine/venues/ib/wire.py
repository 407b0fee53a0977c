"""The library's wire code, guarded: ib_insync's Client and Decoder.

The library logs and swallows what goes wrong in a callback or in a message it cannot read. Here
each such failure is handed to the listener, so that nothing of the book is lost in silence. What
comes by the thousand and what somebody's position waits for takes a shorter way to the same end.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from struct import pack
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from ib_insync.client import Client as LibraryClient
from ib_insync.contract import Contract
from ib_insync.decoder import Decoder
from ib_insync.objects import ExecutionFilter
from ib_insync.order import Order as IbOrder
from ib_insync.util import UNSET_DOUBLE, UNSET_INTEGER

from engine.venues.ib.hours import parse_instant

__all__ = ["Client", "Connection", "ExecutionFilter", "IbOrder", "make_connection"]

_Decoder: Any = Decoder

# Without a handler of its own, the library's log would go to stderr.
for _name in ("ib_insync", "eventkit"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

# Frequent messages nobody here listens to: option greeks and such, the account's figures,
# commissions. Not decoding them keeps the loop free.
_UNHEARD = (6, 7, 8, 21, 45, 46, 47, 54, 57, 59, 81, 84)
_POSITION = 61
_EXECUTION = 11
_EXECUTION_TIME = 15
_MOST_READ_BYTES = 8 * 1024
"""What is read at once is taken at once: a book of thousands must not hold the loop for long."""


class Client(Protocol):
    """The part of the library's client that is used. Source: ib_insync 0.9.86, Client."""

    async def connectAsync(
        self, host: str, port: int, clientId: int, _timeout: float | None
    ) -> None: ...
    def disconnect(self) -> None: ...
    def isConnected(self) -> bool: ...
    def getAccounts(self) -> list[str]: ...
    def getReqId(self) -> int: ...
    def updateReqId(self, minReqId: int) -> None: ...
    def placeOrder(self, orderId: int, contract: Contract, order: IbOrder) -> None: ...
    def cancelOrder(self, orderId: int) -> None: ...
    def reqPositions(self) -> None: ...
    def reqOpenOrders(self) -> None: ...
    def reqAllOpenOrders(self) -> None: ...
    def reqCompletedOrders(self, apiOnly: bool) -> None: ...
    def reqExecutions(self, reqId: int, execFilter: ExecutionFilter) -> None: ...
    def reqContractDetails(self, reqId: int, contract: Contract) -> None: ...
    def reqMarketRule(self, marketRuleId: int) -> None: ...
    def reqMktData(
        self,
        reqId: int,
        contract: Contract,
        genericTickList: str,
        snapshot: bool,
        regulatorySnapshot: bool,
        mktDataOptions: list[object],
    ) -> None: ...
    def cancelMktData(self, reqId: int) -> None: ...
    def reqMarketDataType(self, marketDataType: int) -> None: ...
    def reqAccountSummary(self, reqId: int, groupName: str, tags: str) -> None: ...
    def cancelAccountSummary(self, reqId: int) -> None: ...
    def reqIds(self, numIds: int) -> None: ...
    def reqCurrentTime(self) -> None: ...


class FaultListener(Protocol):
    def fault(self, fields: list[str], error: BaseException | None) -> None:
        """Hear of a message that could not be read or taken; fields is the whole message."""


class _Faults:
    """Stands where the decoder's logger stands, because that is where its failures go."""

    def __init__(self, decoder: "_GuardedDecoder", listener: FaultListener) -> None:
        self._decoder = decoder
        self._listener = listener

    def exception(self, _message: str) -> None:
        self._listener.fault(self._decoder.fields, sys.exc_info()[1])


class _GuardedDecoder(_Decoder):  # type: ignore[misc]  # the library is untyped
    """Remembers the message at hand, and gives execution times the zone they lack.

    The library would read a time without a zone in this machine's zone, and lose the whole
    execution when it does not know the zone's name. Position rows come by the thousand and mostly
    tell the same again: the same contract is then the same object. contracts: id -> its fields, and
    it.
    """

    def __init__(self, listener: FaultListener, login_zone: ZoneInfo) -> None:
        super().__init__(listener, 0)
        self.fields: list[str] = []
        self.logger = _Faults(self, listener)
        self._login_zone = login_zone
        for message_id in _UNHEARD:
            self.handlers[message_id] = lambda fields: None
        self._contracts: dict[str, tuple[tuple[str, ...], Contract]] = {}
        self.handlers[_POSITION] = self._position
        self._library_execution = self.handlers[_EXECUTION]
        self.handlers[_EXECUTION] = self._execution

    def interpret(self, fields: list[str]) -> None:
        self.fields = fields
        super().interpret(fields)

    def _position(self, fields: list[str]) -> None:
        _, _, account, *named, held, cost = fields
        known = self._contracts.get(named[0])
        told = tuple(named)
        if known is None or known[0] != told:
            known = self._contracts[named[0]] = told, _contract(*told)
        self.wrapper.position(account, known[1], float(held or 0), float(cost or 0))

    def _execution(self, fields: list[str]) -> None:
        at = parse_instant(fields[_EXECUTION_TIME], self._login_zone)
        fields[_EXECUTION_TIME] = str(int(at.timestamp()))
        self._library_execution(fields)


def _contract(
    con_id: str,
    symbol: str,
    kind: str,
    expiry: str,
    strike: str,
    right: str,
    multiplier: str,
    exchange: str,
    currency: str,
    local_symbol: str,
    trading_class: str,
) -> Contract:
    """Make the contract of a position row. Source: IB API, EWrapper.position, message 61."""
    return Contract(
        conId=int(con_id or 0),
        symbol=symbol,
        secType=kind,
        lastTradeDateOrContractMonth=expiry,
        strike=float(strike or 0),
        right=right,
        multiplier=multiplier,
        exchange=exchange,
        currency=currency,
        localSymbol=local_symbol,
        tradingClass=trading_class,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client and its socket."""

    client: Client
    library: Any

    @property
    def is_open(self) -> bool:
        return bool(self.library.conn.isConnected())

    def close(self) -> None:
        """Close the socket; at once when nobody reads what was written to it."""
        transport = self.library.conn.transport
        self.library.disconnect()
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()


def make_connection(
    listener: FaultListener,
    login_zone: ZoneInfo,
    *,
    started: Callable[[], None],
    failed: Callable[[str], None],
    lost: Callable[[str], None],
    broken: Callable[[object, BaseException], None],
) -> Connection:
    """Make a client for one connection; listener has the callbacks. It does not throttle.

    started: the API takes requests. failed: it never will, in the library's words. lost: the socket
    closed. broken: what arrived cannot be followed. The library keeps weak references to these.
    """
    library: Any = LibraryClient(listener)  # type: ignore[no-untyped-call]
    library.decoder = _GuardedDecoder(listener, login_zone)
    library.MaxRequests = 0
    library.send = partial(_send, library)
    library.apiStart.connect(started, error=broken)
    library.apiError += failed
    library.conn.disconnected += lost
    library.conn.hasData.error_event += broken
    library.conn.connection_made = _read_little
    return Connection(client=cast(Client, library), library=library)


def _send(library: Any, *fields: Any) -> None:
    """Send a request as the library spells it, in one pass: an order has over a hundred fields.

    Source: ib_insync 0.9.86, Client.send and sendMsg, which would keep a queue for its throttle.
    """
    if not library.isConnected():
        raise ConnectionError("Not connected")
    spelled = [f if type(f) is str else "" if f in _UNSET else _SPELLED[type(f)](f) for f in fields]
    message = ("\0".join(spelled) + "\0").encode()
    library.conn.sendMsg(pack(">I", len(message)) + message)


def _contract_text(contract: Contract) -> str:
    return "\0".join(
        (
            str(contract.conId),
            contract.symbol,
            contract.secType,
            contract.lastTradeDateOrContractMonth,
            str(contract.strike),
            contract.right,
            contract.multiplier,
            contract.exchange,
            contract.primaryExchange,
            contract.currency,
            contract.localSymbol,
            contract.tradingClass,
        )
    )


_UNSET = (None, UNSET_INTEGER, UNSET_DOUBLE)
_SPELLED: dict[type, Callable[[Any], str]] = {
    int: str,
    float: str,
    bool: lambda value: "1" if value else "0",
    list: lambda tags: "".join(f"{tag.tag}={tag.value};" for tag in tags),
    Contract: _contract_text,
}


def _read_little(transport: Any) -> None:
    # The loop's own limit is 256 KiB, two thousand position rows in one turn.
    transport.max_size = _MOST_READ_BYTES
