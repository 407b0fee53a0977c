"""What is kept between pictures: each strategy's view and what of it no quote changes, and the
tables over the whole account."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from engine.desk.facts import VenueState
from engine.desk.instruments import ContractSpec
from engine.desk.market import Quote
from engine.desk.options.exit_plan import PlanLine
from engine.desk.snapshot import (
    CandidateView,
    DifferenceView,
    MarginView,
    StrategyStatus,
    StrategyView,
)

Key = tuple[str, str]
"""(venue, ref)."""


class Ground(NamedTuple):
    """What every plan stands on besides its strategy. Compared for each strategy of each picture,
    which a tuple does fastest."""

    state: VenueState
    detail: str
    can_trade: bool | None
    armed: bool
    today: date


@dataclass(slots=True)
class Shape:
    """What no quote changes of a view, good while revision, ground and specs are the same and until
    the next session begins or ends.

    lines: the plan; margins: what the venue says of each line, empty where it says nothing.
    advised: whether exercise is compared with sale. quoted: keys of the stock, of each leg and of
    each line, in that order.
    """

    revision: int
    ground: Ground
    until: datetime | None
    specs: tuple[tuple[Key, ContractSpec | None], ...]
    status: StrategyStatus
    reason: str
    dte: int | None
    lines: tuple[PlanLine, ...]
    margins: tuple[MarginView | None, ...]
    advised: bool
    quoted: tuple[Key | None, ...]


@dataclass(slots=True)
class Drawn:
    """quotes: those the view shows, in the order of shape.quoted."""

    shape: Shape
    quotes: list[Quote | None]
    view: StrategyView


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """state: what they were drawn of."""

    state: tuple[object, ...] = ()
    differences: tuple[DifferenceView, ...] = ()
    candidates: tuple[CandidateView, ...] = ()
