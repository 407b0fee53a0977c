"""Which contracts details and quotes are kept coming for: what is held, written on or watched."""

import asyncio
from collections.abc import Iterable, Iterator

from ib_insync.contract import Contract

from engine.desk.instruments import Instrument, OptionContract
from engine.venues.ib.details import Details
from engine.venues.ib.lines import Lines
from engine.venues.ib.sending import Sending
from engine.venues.ib.translate import contract_of

_NEW, _TURN = 15, 2000
"""What a contract never seen before costs, in those that were, and how many are taken in one turn
of the loop: one or two milliseconds."""


class Coverage:
    """Underlyings are known only by their options' details, and come first.

    Within: seen is ref -> instrument and what IB calls it; left, wanted and underlyings are of the
    enquiry under way.
    """

    def __init__(self, details: Details, lines: Lines, sending: Sending) -> None:
        self._details = details
        self._lines = lines
        self._sending = sending
        self._seen: dict[str, tuple[Instrument, Contract | None]] = {}
        self._left: Iterator[Instrument] = iter(())
        self._wanted: dict[str, Contract] = {}
        self._underlyings: dict[str, Contract] = {}
        self._next: asyncio.Handle | None = None

    def cover(self, instruments: Iterable[Instrument]) -> None:
        """Cover exactly these; many of them are taken in several turns of the loop."""
        self._left = iter(tuple(instruments))
        self._wanted, self._underlyings = {}, {}
        if self._next is not None:
            self._next.cancel()
        self._go_on()

    def _go_on(self) -> None:
        self._next = None
        cost = 0
        for instrument in self._left:
            cost += self._take(instrument)
            if cost >= _TURN:
                self._next = asyncio.get_running_loop().call_soon(self._go_on)
                return
        self._lines.want((self._underlyings | self._wanted).items())

    def _take(self, instrument: Instrument) -> int:
        """Have one covered; what that cost."""
        ref, cost = instrument.ref, 1
        seen = self._seen.get(ref)
        if seen is None or seen[0] is not instrument:
            seen = self._seen[ref] = instrument, contract_of(instrument)
            cost = _NEW
            if seen[1] is not None:
                self._sending.prepare(ref, seen[1])
                self._details.want(ref, seen[1])
        contract = seen[1]
        if contract is not None:
            self._wanted[ref] = contract
            if isinstance(instrument, OptionContract):
                self._take_underlying(ref)
        return cost

    def _take_underlying(self, ref: str) -> None:
        under = self._details.underlying_of(ref)
        if under is None or under in self._underlyings:
            return
        self._details.want(under, Contract(conId=int(under)))
        known = self._details.contract_of(under)
        if known is not None:
            self._underlyings[under] = known
