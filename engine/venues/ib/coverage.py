"""Which contracts details and quotes are kept coming for: what is held, written on or watched."""

from collections.abc import Iterable

from ib_insync.contract import Contract

from engine.desk.instruments import Instrument, OptionContract
from engine.venues.ib.details import Details
from engine.venues.ib.lines import Lines
from engine.venues.ib.sending import Sending
from engine.venues.ib.translate import contract_of


class Coverage:
    """Underlyings are known only by their options' details, and come first."""

    def __init__(self, details: Details, lines: Lines, sending: Sending) -> None:
        self._details = details
        self._lines = lines
        self._sending = sending

    def cover(self, instruments: Iterable[Instrument]) -> None:
        wanted: dict[str, Contract] = {}
        underlyings: dict[str, Contract] = {}
        for instrument in instruments:
            contract = contract_of(instrument)
            if contract is None:
                continue
            wanted[instrument.ref] = contract
            self._sending.prepare(instrument.ref, contract)
            self._details.want(instrument.ref, contract)
            if isinstance(instrument, OptionContract):
                underlyings |= self._underlying(instrument.ref)
        self._lines.want((underlyings | wanted).items())

    def _underlying(self, ref: str) -> dict[str, Contract]:
        under = self._details.underlying_of(ref)
        if under is None:
            return {}
        self._details.want(under, Contract(conId=int(under)))
        known = self._details.contract_of(under)
        return {} if known is None else {under: known}
