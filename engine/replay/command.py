"""From what a person typed to a report: parameter sets, files, and what the account pays."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.config.parameter_sets import load_parameter_sets
from engine.desk.allocation.definitions import AllocationSettings, ParameterSet, ScoreOf
from engine.errors import InputError
from engine.replay.files import bar_files
from engine.replay.market import VENUE
from engine.replay.report import Report
from engine.replay.run import Costs, Progress, interval_of, replay

SHORTEST_WINDOW, LONGEST_WINDOW = 10, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """interval_seconds None: as the files' bars are apart. The rest as in [allocation]."""

    window: int = 100
    interval_seconds: int | None = None
    score_of: ScoreOf = ScoreOf.PRICE
    exit_z_score: Decimal = Decimal(0)
    scale_to_full: bool = False
    quote_currency: str = "USDT"
    costs: Costs = field(default_factory=Costs)


def replay_files(
    bars: Sequence[str],
    parameter_sets: str | os.PathLike[str],
    *,
    options: ReplayOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Replay files of bars (path or SYMBOL=path) with the owner's JSON of parameter sets.

    Raises ConfigError and InputError, each with plain lines for a person.
    """
    options = options or ReplayOptions()
    _check(options)
    sets = tuple(
        ParameterSet(
            symbol=one.symbol,
            allocation_percent=one.allocation_percent,
            z_score_threshold=one.z_score_threshold,
            profit_percent=one.profit_percent,
            stop_loss_percent=one.stop_loss_percent,
        )
        for one in load_parameter_sets(parameter_sets)
    )
    for one in sets:
        if one.z_score_threshold <= options.exit_z_score:
            raise InputError(
                f"{parameter_sets}: {one.symbol} is bought at a z-score of {one.z_score_threshold} "
                f"and would be sold at once, at {options.exit_z_score}."
            )
    files = bar_files(bars, [one.symbol for one in sets], options.quote_currency)
    apart = {file: interval_of(file) for file in files}
    seconds = options.interval_seconds or min(apart.values(), default=60)
    for file, found in apart.items():
        if found != seconds:
            raise InputError(f"{file.path}: its bars are {found} s apart, not {seconds} s.")
    settings = AllocationSettings(
        venue=VENUE,
        sets=sets,
        window=options.window,
        interval_seconds=seconds,
        score_of=options.score_of,
        exit_z_score=options.exit_z_score,
        scale_to_full=options.scale_to_full,
        quote_currency=options.quote_currency,
    )
    return replay(files, settings, costs=options.costs, progress=progress)


def _check(options: ReplayOptions) -> None:
    """Refuse figures no account has, by the limits the config sets. Raises InputError."""
    costs = options.costs
    if not SHORTEST_WINDOW <= options.window <= LONGEST_WINDOW:
        allowed = f"from {SHORTEST_WINDOW} to {LONGEST_WINDOW}"
        raise InputError(f"A window of {options.window} bars cannot be used; allowed: {allowed}.")
    if costs.cash <= 0:
        raise InputError(f"An account cannot begin with {costs.cash}; allowed: more than 0.")
    for name, percent in (("fee", costs.fee_percent), ("spread", costs.spread_percent)):
        if not 0 <= percent < 100:
            raise InputError(f"A {name} of {percent}% cannot be; allowed: from 0 to under 100.")
