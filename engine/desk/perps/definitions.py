"""What a person declared about perpetuals: the barriers of a position, and who sets them."""

from decimal import Decimal
from enum import StrEnum

from engine.desk.journaled import Journaled


class CloseOrderType(StrEnum):
    """MARKET is an immediate-or-cancel limit within the slippage buffer, repeated for the
    remainder; LIMIT rests at the touch and is priced anew when it is too old."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


class BarrierSettings(Journaled, frozen=True, kw_only=True):
    """Barriers around one position; fractions of the entry value, seconds, None where unset.

    time_limit_seconds counts from the assignment, or from when a person put it under guard.
    """

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    trailing_activation: Decimal | None = None
    trailing_delta: Decimal | None = None
    time_limit_seconds: int | None = None
    order_type: CloseOrderType = CloseOrderType.MARKET
    slippage_buffer: Decimal = Decimal("0.001")
    max_order_age_seconds: int = 60
    resident_stop: bool = True


class ManagerSettings(Journaled, frozen=True, kw_only=True):
    """One [[assignment_managers]] table. trading_pairs are BASE-QUOTE; empty means every pair.

    at_once closes an assigned position without barriers (time_limit = 0). close_percent is of the
    assigned quantity.
    """

    venue: str
    trading_pairs: tuple[str, ...]
    close_percent: Decimal
    at_once: bool
    barriers: BarrierSettings

    def watches(self, venue: str, symbol: str) -> bool:
        return venue == self.venue and (not self.trading_pairs or symbol in self.trading_pairs)
