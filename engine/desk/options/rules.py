"""Exit rules: reasons to close a strategy that nothing broke.

A rule looks at one strategy and decides or does not; the desk asks all of them in the order of
their priority, the smallest number first, and follows the first that decides. A rule never sends
anything, and none is asked about a strategy that is broken, suspect or on its way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from engine.desk.hours import EASTERN, days_to_expiry
from engine.desk.options.definitions import OptionSettings
from engine.desk.options.strategies import Strategy


class Action(StrEnum):
    CLOSE = "CLOSE"


class Urgency(StrEnum):
    """NORMAL closes in the next regular session; there is no rush that would cost price."""

    NORMAL = "NORMAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a rule wants done, and why. metadata is what it looked at, in words."""

    action: Action
    reason: str
    rule: str
    urgency: Urgency
    priority: int
    metadata: Mapping[str, str] = field(default_factory=dict)


class Rule(Protocol):
    name: str
    priority: int

    def decide(
        self, strategy: Strategy, settings: OptionSettings, now: datetime
    ) -> Decision | None:
        """Decide about a strategy as it stands."""

    def due(self, strategy: Strategy, settings: OptionSettings) -> datetime | None:
        """The instant from which time alone makes it decide; None when time never will."""


class TimeExit:
    """Close when close_at_dte days or fewer are left to the first expiry of what is held.

    Days are counted in New York; the last day is 0.
    """

    name = "TimeExit"
    priority = 8

    def decide(
        self, strategy: Strategy, settings: OptionSettings, now: datetime
    ) -> Decision | None:
        expiry = _first_expiry(strategy)
        if expiry is None:
            return None
        dte = days_to_expiry(expiry, now)
        if not 0 <= dte <= settings.close_at_dte:
            return None
        days = "expires today" if dte == 0 else f"{dte} day{'s' * (dte > 1)} to expiry"
        return Decision(
            action=Action.CLOSE,
            reason=f"{days}, close_at_dte is {settings.close_at_dte}",
            rule=self.name,
            urgency=Urgency.NORMAL,
            priority=self.priority,
            metadata={"dte": str(dte), "expiry": expiry.isoformat()},
        )

    def due(self, strategy: Strategy, settings: OptionSettings) -> datetime | None:
        expiry = _first_expiry(strategy)
        if expiry is None:
            return None
        return _midnight(expiry - timedelta(days=settings.close_at_dte))


RULES: tuple[Rule, ...] = (TimeExit(),)


def decide(
    strategy: Strategy,
    settings: OptionSettings,
    now: datetime,
    rules: tuple[Rule, ...] = RULES,
) -> Decision | None:
    """Ask the rules, the most important first; the first decision stands."""
    for rule in sorted(rules, key=lambda rule: rule.priority):
        decision = rule.decide(strategy, settings, now)
        if decision is not None:
            return decision
    return None


def next_look(
    strategy: Strategy,
    settings: OptionSettings,
    now: datetime,
    rules: tuple[Rule, ...] = RULES,
) -> datetime | None:
    """The next instant at which time alone may make a rule decide."""
    dues = [due for rule in rules if (due := rule.due(strategy, settings)) and due > now]
    return min(dues, default=None)


@lru_cache(maxsize=500)
def _midnight(day: date) -> datetime:
    """When a day begins in New York. Hundreds of strategies share a few expiries."""
    return datetime.combine(day, time(), tzinfo=EASTERN).astimezone(UTC)


def _first_expiry(strategy: Strategy) -> date | None:
    return min((leg.declared.expiry for leg in strategy.legs if leg.held), default=None)
