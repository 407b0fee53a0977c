"""What a person declared: the strategies to guard and the rules they are guarded by."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.desk.instruments import OptionContract, Right
from engine.desk.journaled import Journaled


class PartialAssignmentPolicy(StrEnum):
    """What a partial assignment closes: the whole strategy, or only the assigned units."""

    STRATEGY = "strategy"
    UNITS = "units"


class Escalation(StrEnum):
    MARKET = "market"
    ALARM = "alarm"


class LegDefinition(Journaled, frozen=True, kw_only=True):
    """One leg as declared; quantity is signed contracts, short negative."""

    right: Right
    strike: Decimal
    expiry: date
    quantity: Decimal

    def matches(self, contract: OptionContract) -> bool:
        return (
            contract.right is self.right
            and contract.strike == self.strike
            and contract.expiry == self.expiry
        )


class StrategyDefinition(Journaled, frozen=True, kw_only=True):
    """A declared strategy. account None means the venue's only account. shares is the stock that
    belongs to it (a covered call), signed."""

    id: str
    kind: str
    venue: str
    account: str | None
    underlying: str
    legs: tuple[LegDefinition, ...]
    shares: Decimal = Decimal(0)


class OptionSettings(Journaled, frozen=True, kw_only=True):
    """The [options] table. Durations are seconds; max_slippage is a fraction of the price."""

    venue: str
    auto_close_on_assignment: bool = True
    on_partial_assignment: PartialAssignmentPolicy = PartialAssignmentPolicy.STRATEGY
    close_at_dte: int = 1
    reconcile_seconds: float = 30
    missing_leg_seconds: float = 45
    reprice_seconds: float = 5
    max_slippage: Decimal = Decimal("0.10")
    escalate: Escalation = Escalation.ALARM
