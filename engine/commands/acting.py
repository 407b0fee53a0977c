"""Asks the engine to do something: close, arm, guard, adopt, reset, drill."""

from decimal import Decimal
from typing import Annotated

from cyclopts import Parameter

from engine.attach import (
    AdoptStrategy,
    CloseStrategies,
    GuardPosition,
    ReleasePosition,
    ResetAllocations,
    RunDrill,
    SetArmed,
)
from engine.commands.link import (
    DONE,
    REFUSED,
    ConfigFile,
    Yes,
    ask,
    confirmed,
    say,
    status_of,
)
from engine.errors import InputError
from engine.report import candidates_text, close_text, closeable, positions_text, reset_text


def close(
    what: Annotated[str | None, Parameter(help="The strategy, barrier or symbol to close.")] = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative=(), help="Close everything.")] = False,
    config: ConfigFile = None,
    yes: Yes = False,
) -> int:
    """Emergency close; without --yes it prints the orders and asks."""
    if (what is None) is not all_:
        raise InputError("Say what to close: `bulkhead close ID`, or `bulkhead close --all`.")
    _, snapshot = status_of(config)
    known = closeable(snapshot)
    if what is not None and what not in known:
        raise InputError(f"No strategy {what}. Declared: {', '.join(known) or 'none'}.")
    if not yes:
        print(close_text(snapshot, what))
        if not confirmed("Send these orders?"):
            return REFUSED
    return say(ask(config, CloseStrategies(strategy_id=what, emergency=True)))


def arm(*, config: ConfigFile = None) -> int:
    """Arm the engine: closes are sent."""
    return say(ask(config, SetArmed(armed=True)))


def disarm(*, config: ConfigFile = None) -> int:
    """Disarm the engine: it detects, alerts and shows the orders, and sends none."""
    return say(ask(config, SetArmed(armed=False)))


def reset_allocations(
    *,
    config: ConfigFile = None,
    yes: Yes = False,
    force: Annotated[
        bool, Parameter(negative=(), help="Release also what a position stands behind.")
    ] = False,
) -> int:
    """Release reservations that no live order or position stands behind."""
    _, snapshot = status_of(config)
    if not yes:
        print(reset_text(snapshot, force=force))
        if not confirmed("Release them?"):
            return REFUSED
    return say(ask(config, ResetAllocations(force=force)))


Percent = Annotated[Decimal | None, Parameter(help="Percent of the entry value.")]


def guard(
    instrument: Annotated[str | None, Parameter(help="The position, as `guard` lists it.")] = None,
    /,
    *,
    stop_loss: Percent = None,
    take_profit: Percent = None,
    trailing_from: Percent = None,
    trailing_by: Percent = None,
    time_limit: Annotated[int | None, Parameter(help="Seconds from now.")] = None,
    release: Annotated[bool, Parameter(negative=(), help="Take its barriers away.")] = False,
    config: ConfigFile = None,
) -> int:
    """Put a perpetual position between barriers; without one, list what is held."""
    _, snapshot = status_of(config)
    if instrument is None:
        print(positions_text(snapshot))
        return DONE
    found = [p for p in snapshot.positions if instrument in (p.instrument, p.ref, p.barrier_id)]
    if len(found) != 1:
        listed = positions_text(snapshot)
        word = "Several positions are called" if found else "No perpetual position is called"
        raise InputError(f"{word} {instrument}. Held:\n{listed}")
    position = found[0]
    if release:
        if position.barrier_id is None:
            raise InputError(f"{position.instrument} is under no barriers.")
        return say(ask(config, ReleasePosition(barrier_id=position.barrier_id)))
    barriers = (stop_loss, take_profit, trailing_from, time_limit)
    if all(value is None for value in barriers):
        raise InputError("Give at least one of --stop-loss, --take-profit, --trailing-from.")
    if (trailing_from is None) is not (trailing_by is None):
        raise InputError("A trailing stop needs both --trailing-from and --trailing-by.")
    about = GuardPosition(
        venue=position.venue,
        account=position.account,
        ref=position.ref,
        stop_loss=_fraction("--stop-loss", stop_loss),
        take_profit=_fraction("--take-profit", take_profit),
        trailing_activation=_fraction("--trailing-from", trailing_from),
        trailing_delta=_fraction("--trailing-by", trailing_by),
        time_limit_seconds=_seconds(time_limit),
    )
    return say(ask(config, about))


def _fraction(name: str, percent: Decimal | None) -> str | None:
    if percent is None:
        return None
    if not Decimal(0) < percent <= Decimal(10_000):
        raise InputError(f"{name} {percent} is no percent: more than 0, at most 10000.")
    return f"{percent / 100:f}"


def _seconds(value: int | None) -> int | None:
    if value is not None and not 0 < value <= 366 * 86_400:
        raise InputError(f"--time-limit {value}: between 1 second and 366 days.")
    return value


def adopt(
    candidate: Annotated[str | None, Parameter(help="What `adopt` lists.")] = None,
    /,
    *,
    name: Annotated[str | None, Parameter(help="The id it gets in the config.")] = None,
    config: ConfigFile = None,
) -> int:
    """Register held legs that look like a strategy; without one, list them."""
    _, snapshot = status_of(config)
    if candidate is None:
        print(candidates_text(snapshot))
        return DONE
    if candidate not in {found.id for found in snapshot.candidates}:
        raise InputError(f"No candidate {candidate}.\n{candidates_text(snapshot)}")
    return say(ask(config, AdoptStrategy(candidate_id=candidate, strategy_id=name)))


def assignment(
    strategy_id: Annotated[str | None, Parameter(help="The strategy to hit.")] = None,
    /,
    *,
    config: ConfigFile = None,
) -> int:
    """Assign a leg, so that a person can practise."""
    return say(ask(config, RunDrill(strategy_id=strategy_id)))
