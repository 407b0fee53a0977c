"""Market data lines: one for each contract that is held, written on or watched, underlyings first.

Quotes are told once for each network packet, the newest only. IB gives about a hundred lines; what
finds no room has no quote, and a person hears of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from ib_insync.contract import Contract

from engine.desk.market import Quote
from engine.venues.ib import codes
from engine.venues.ib.link import Link
from engine.venues.ib.pacer import Lane
from engine.venues.port import VenueSink

_BIDS, _ASKS, _LASTS = frozenset({1, 66}), frozenset({2, 67}), frozenset({4, 68})
_LIVE, _DELAYED = 1, 3


@dataclass(slots=True)
class _Line:
    ref: str
    contract: Contract
    request: int = -1
    delayed: bool = False
    bid: float | None = None
    ask: float | None = None
    last: float | None = None


class Lines:
    """ref -> line, and request -> line for those that run."""

    def __init__(self, link: Link, sink: VenueSink, most: int) -> None:
        self._link = link
        self._sink = sink
        self._most = most
        self._lines: dict[str, _Line] = {}
        self._by_request: dict[int, _Line] = {}
        self._news: dict[str, _Line] = {}
        self._left_out = 0  # the most contracts that were said to get no quotes

    def want(self, contracts: Iterable[tuple[str, Contract]]) -> None:
        """Run exactly these, as far as there is room; the first ones matter most."""
        wanted = dict(contracts)
        if len(wanted) > self._most:
            left_out = len(wanted) - self._most
            if left_out > self._left_out:
                self._left_out = left_out
                self._link.warn("lines", f"{left_out} contracts get no quotes: too many data lines")
            wanted = dict(list(wanted.items())[: self._most])
        for ref in [ref for ref in self._lines if ref not in wanted]:
            self._stop(self._lines.pop(ref))
        for ref, contract in wanted.items():
            if ref not in self._lines:
                self._lines[ref] = _Line(ref=ref, contract=contract)
                self._start(self._lines[ref])

    def resubscribe(self) -> None:
        """Run every line anew: the broker forgot them."""
        self._by_request.clear()
        for line in self._lines.values():
            line.bid = line.ask = line.last = None
            self._start(line)

    def tick(self, request: int, tick_type: int, price: float) -> None:
        line = self._by_request.get(request)
        if line is None:
            return
        if tick_type in _BIDS:
            line.bid = price
        elif tick_type in _ASKS:
            line.ask = price
        elif tick_type in _LASTS:
            line.last = price
        else:
            return
        self._news[line.ref] = line

    def flush(self) -> None:
        """Hand over what changed since the last packet."""
        if not self._news:
            return
        now = self._link.now()
        news, self._news = self._news, {}
        for line in news.values():
            quote = Quote.of(at=now, bid=line.bid, ask=line.ask, last=line.last)
            self._sink.quote(self._link.venue, line.ref, quote)

    def error(self, request: int, code: int, text: str) -> bool:
        """Take an error; False when it is about none of our lines."""
        line = self._by_request.get(request)
        if line is None:
            return False
        if code in codes.SHOWN_DELAYED:
            self._link.warn("delayed", "market data is delayed: quotes are about 15 minutes old")
        elif code in codes.NOT_SUBSCRIBED and not line.delayed:
            line.delayed = True
            self._link.warn("delayed", "market data is delayed: quotes are about 15 minutes old")
            self._stop(line)
            self._start(line)
        elif code == codes.TOO_MANY_LINES:
            self._by_request.pop(request)
            self._most = max(1, len(self._by_request))
            self._link.warn(str(code), f"the broker gives only {self._most} market data lines")
        elif not codes.is_informative(code):
            self._by_request.pop(request)
            name = line.contract.localSymbol or line.contract.symbol or line.ref
            self._link.warn(str(code), f"no quotes for {name}: {text}")
        return True

    def _start(self, line: _Line) -> None:
        if line.delayed:
            self._ask_for_type(_DELAYED)
        self._link.ask(Lane.DATA, partial(self._send, line))
        if line.delayed:
            # The type holds for every request that follows: the others stay live.
            self._ask_for_type(_LIVE)

    def _send(self, line: _Line) -> None:
        if self._lines.get(line.ref) is not line:
            return
        line.request = self._link.client.getReqId()
        self._by_request[line.request] = line
        self._link.client.reqMktData(line.request, line.contract, "", False, False, [])

    def _stop(self, line: _Line) -> None:
        if self._by_request.pop(line.request, None) is not None:
            self._link.ask(Lane.DATA, partial(self._link.client.cancelMktData, line.request))

    def _ask_for_type(self, data_type: int) -> None:
        self._link.ask(Lane.DATA, partial(self._link.client.reqMarketDataType, data_type))
