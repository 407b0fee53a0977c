"""What a person declared about the allocation desk: shares of the account, signals, brackets."""

from decimal import Decimal
from enum import StrEnum

from engine.desk.journaled import Journaled


class ScoreOf(StrEnum):
    """What the z-score is taken of: a closed bar's price, or its return."""

    PRICE = "price"
    RETURN = "return"


class ParameterSet(Journaled, frozen=True, kw_only=True):
    """One symbol's share and bracket. Percents are percents (33.3 is 33.3 %)."""

    symbol: str
    allocation_percent: Decimal
    z_score_threshold: Decimal
    profit_percent: Decimal
    stop_loss_percent: Decimal


class AllocationSettings(Journaled, frozen=True, kw_only=True):
    """The [allocation] table. window counts closed bars of interval_seconds each."""

    venue: str
    sets: tuple[ParameterSet, ...]
    window: int = 100
    interval_seconds: int = 60
    score_of: ScoreOf = ScoreOf.PRICE
    exit_z_score: Decimal = Decimal(0)
    scale_to_full: bool = False
    quote_currency: str = "USDT"
