"""How one change of a contract falls on the strategies that share it. Pure; it changes nothing.

One strategy that fits it exactly takes it: the fewest are broken. Else the first declared takes up
to what it expects, then the next. What nobody expects falls on nobody.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from engine.desk.options.strategies import Leg, Strategy

ZERO = Decimal(0)


class Part(Struct, frozen=True, kw_only=True):
    """What of a change falls on one leg, signed like the change."""

    strategy: Strategy
    leg: Leg
    change: Decimal


class Shared(Struct, frozen=True, kw_only=True):
    """rest falls on nobody. rivals: strategies on which the change could have fallen just as
    well."""

    parts: tuple[Part, ...]
    rest: Decimal
    rivals: tuple[Strategy, ...] = ()


def share_out(claims: Sequence[tuple[Strategy, Leg]], change: Decimal) -> Shared:
    """Divide a change (toward zero) among the legs that claim its contract."""
    able = [(s, leg) for s, leg in claims if not s.closed and leg.expected * change < 0]
    exact = [(s, leg) for s, leg in able if leg.expected == -change]
    parts, rest = [], change
    for strategy, leg in exact[:1] or able:
        part = toward_zero(leg.expected, rest)
        if part:
            parts.append(Part(strategy=strategy, leg=leg, change=part))
            rest -= part
    whole = sum((leg.expected for _, leg in able), ZERO) == -change
    taken = {part.strategy.id for part in parts}
    unclear = not whole and len(exact) != 1
    rivals = [strategy for strategy, _ in able if strategy.id not in taken or len(taken) > 1]
    return Shared(parts=tuple(parts), rest=rest, rivals=tuple(rivals) if unclear else ())


def toward_zero(expected: Decimal, change: Decimal) -> Decimal:
    """The part of change that takes expected toward zero, never past it."""
    if expected * change >= 0:
        return ZERO
    return change if abs(change) <= abs(expected) else -expected
