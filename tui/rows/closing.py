"""What an emergency close would send, for whatever is selected: a strategy, a position between
barriers, an allocation.

A strategy's orders come from the engine's own plan; the others are one order each, which follows
from what is held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.desk.facts import Side
from engine.desk.intents import Purpose
from engine.desk.snapshot import (
    AllocationSetView,
    BarrierView,
    PlanLineView,
    Snapshot,
    StrategyView,
)
from tui.rows.barriers import unguarded
from tui.rows.figures import money, price, short_money


class Kind(StrEnum):
    STRATEGY = "strategy"
    BARRIER = "barrier"
    SET = "set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that can be closed; id is what the engine knows it by."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The orders that would go out for one target, in their order, and what else they lead to."""

    target: Target
    name: str
    detail: str
    lines: tuple[PlanLineView, ...]
    notes: tuple[str, ...] = ()


def closing_of(snapshot: Snapshot, target: Target) -> Closing | None:
    """What closing this target would send now; None when it is gone from the picture."""
    return next((one for one in _all(snapshot) if one.target == target), None)


def closing_of_all(snapshot: Snapshot) -> tuple[Closing, ...]:
    """What closing everything would send; what would send nothing is left out."""
    return tuple(one for one in _all(snapshot) if one.lines)


def left_alone(snapshot: Snapshot) -> tuple[str, ...]:
    """What closing everything would not touch, in words."""
    return tuple(
        f"{position.instrument} at {position.venue} stays: nobody guards it"
        for position in unguarded(snapshot)
    )


def _all(snapshot: Snapshot) -> Iterator[Closing]:
    for strategy in snapshot.strategies:
        yield _of_strategy(strategy)
    for barrier in snapshot.barriers:
        yield _of_barrier(barrier)
    for one in snapshot.allocation.sets if snapshot.allocation else ():
        yield _of_set(one)


def _of_strategy(strategy: StrategyView) -> Closing:
    return Closing(
        target=Target(kind=Kind.STRATEGY, id=strategy.id),
        name=strategy.id,
        detail=strategy.underlying,
        lines=strategy.plan,
    )


def _of_barrier(barrier: BarrierView) -> Closing:
    notes = []
    if barrier.resident_stop is not None:
        notes.append(f"The stop resting at {price(barrier.resident_stop)} is cancelled.")
    reason = "reduces the position to nothing"
    if barrier.net is not None:
        reason += f"; realises about {short_money(barrier.net)} after fees"
    planned = PlanLineView(
        instrument=barrier.instrument,
        side=Side.SELL if barrier.side is Side.BUY else Side.BUY,
        quantity=barrier.quantity,
        purpose=Purpose.BARRIER_EXIT,
        reason=reason,
        estimated_price=None if barrier.mark_price is None else float(barrier.mark_price),
    )
    return Closing(
        target=Target(kind=Kind.BARRIER, id=barrier.id),
        name=barrier.instrument,
        detail=f"perpetual at {barrier.venue}",
        lines=(planned,) if barrier.quantity > 0 and barrier.state.upper() != "CLOSED" else (),
        notes=tuple(notes),
    )


def _of_set(one: AllocationSetView) -> Closing:
    notes = []
    if one.take_profit is not None or one.stop_loss is not None:
        notes.append(f"The OCO of {one.symbol} is cancelled first.")
    if one.reserved:
        notes.append(f"{money(one.reserved)} reserved for {one.symbol} is released.")
    planned = PlanLineView(
        instrument=one.symbol,
        side=Side.SELL,
        quantity=one.quantity,
        purpose=Purpose.SELL_POSITION,
        reason="sells what was bought",
        estimated_price=None if one.mark_price is None else float(one.mark_price),
        multiplier=Decimal(1),
    )
    return Closing(
        target=Target(kind=Kind.SET, id=one.symbol),
        name=one.symbol,
        detail="allocation",
        lines=(planned,) if one.quantity > 0 else (),
        notes=tuple(notes) if one.quantity > 0 else (),
    )
