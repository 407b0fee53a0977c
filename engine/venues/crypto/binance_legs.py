"""The legs of Binance's order lists: two orders that are one order of ours.

Our id names the list; its legs are named by it and "tp" or "sl". A list is done when both its legs
are, and filled when they sold all of it together.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from engine.desk.facts import CloseType, OrderReport
from engine.desk.orders import is_ours
from engine.venues.crypto.markets import ZERO

TAKE_PROFIT, STOP_LOSS = "tp", "sl"
_CLOSE_TYPES = {TAKE_PROFIT: CloseType.TAKE_PROFIT, STOP_LOSS: CloseType.STOP_LOSS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An order of ours by its client id at the venue; leg is "tp", "sl" or empty."""

    own: str
    leg: str = ""

    @classmethod
    def of(cls, client_id: str) -> "Named | None":
        """Read a client id; None where it is not ours."""
        own, leg = client_id[:-2], client_id[-2:]
        if is_ours(client_id):
            return cls(own=client_id)
        if leg in _CLOSE_TYPES and is_ours(own):
            return cls(own=own, leg=leg)
        return None

    @property
    def close_type(self) -> CloseType | None:
        return _CLOSE_TYPES.get(self.leg)


@dataclass(slots=True)
class Leg:
    report: OrderReport
    filled: Decimal
    quantity: Decimal

    @property
    def is_live(self) -> bool:
        return self.report is OrderReport.WORKING


@dataclass(slots=True)
class Legs:
    """by_name: "tp" and "sl" -> what was last said of it."""

    by_name: dict[str, Leg] = field(default_factory=dict)

    def take(self, name: str, report: OrderReport, filled: Decimal, quantity: Decimal) -> None:
        """Take what the venue says of a leg. One that is done does not come back."""
        before = self.by_name.get(name)
        if before is not None:
            filled = max(filled, before.filled)
            if not before.is_live and report is OrderReport.WORKING:
                report = before.report
        self.by_name[name] = Leg(report, filled, quantity)

    @property
    def filled(self) -> Decimal:
        return sum((leg.filled for leg in self.by_name.values()), ZERO)

    @property
    def report(self) -> OrderReport | None:
        """What became of the list; None while only one leg is known, and that one is done."""
        legs = self.by_name.values()
        if any(leg.is_live for leg in legs):
            return OrderReport.WORKING
        if len(legs) < len(_CLOSE_TYPES):
            return None
        whole = max(leg.quantity for leg in legs)
        return OrderReport.FILLED if self.filled >= whole else OrderReport.CANCELLED

    @property
    def orphan(self) -> str:
        """The leg that lives alone, empty where there is none: the other is done, so this is no
        bracket any more, and it keeps what it has not sold from being protected."""
        live = [name for name, leg in self.by_name.items() if leg.is_live]
        return live[0] if len(self.by_name) == len(_CLOSE_TYPES) and len(live) == 1 else ""
