"""The symbols that are watched: their bars, and which bar is a signal. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.allocation.zscore import Series
from engine.desk.facts import SignalKind, SignalRaised
from engine.desk.instruments import SpotPair
from engine.desk.market import Bar


@dataclass(slots=True)
class Watched:
    """One parameter set with its bars. note says why its last signal came to nothing."""

    parameters: ParameterSet
    instrument: SpotPair
    series: Series
    threshold: float
    exit_z: float
    signalled: datetime | None = None
    note: str = ""

    def signal(self, *, trading: bool) -> SignalKind | None:
        """Tell what the newest bar says. trading: a position could be reversed."""
        series = self.series
        if series.z is None or series.newest is None:
            return None
        if series.z >= self.threshold:
            # The move into a bar after a hole is that of several bars at once.
            return None if series.after_hole else SignalKind.ENTRY
        return SignalKind.REVERSAL if trading and series.z <= self.exit_z else None

    def news(self, fact: SignalRaised, now: datetime) -> bool:
        """Tell whether a signal is of a later bar than any before, and that bar closed at most a
        bar ago: what is older is history."""
        if self.signalled is not None and fact.bar_at <= self.signalled:
            return False
        if now - fact.bar_at > 2 * self.series.interval:
            return False
        self.signalled = fact.bar_at
        return True


def watchlist(settings: AllocationSettings, before: dict[str, Watched]) -> dict[str, Watched]:
    """Return symbol -> Watched in the order of the config; bars known already are kept."""
    return {one.symbol: _watched(settings, one, before.get(one.symbol)) for one in settings.sets}


def take_bars(watched: Watched, bars: Sequence[Bar]) -> tuple[bool, list[str]]:
    """Score bars, oldest first; tell whether any was news, and what was missing."""
    series, fresh, gaps = watched.series, False, []
    for bar in bars:
        if series.take(bar):
            fresh = True
            if series.after_hole:
                gaps.append(f"{watched.parameters.symbol}: {series.gap}")
    return fresh, gaps


def _watched(
    settings: AllocationSettings, parameters: ParameterSet, before: Watched | None
) -> Watched:
    symbol, quote = parameters.symbol, settings.quote_currency
    base = symbol.removesuffix(quote) if symbol.endswith(quote) else ""
    series = Series(
        window=settings.window,
        interval_seconds=settings.interval_seconds,
        score_of=settings.score_of,
    )
    if before is not None:
        series = before.series.passed_on(series)
    return Watched(
        parameters=parameters,
        instrument=SpotPair(ref=symbol, symbol=symbol, base=base, quote=quote),
        series=series,
        threshold=float(parameters.z_score_threshold),
        exit_z=float(settings.exit_z_score),
        signalled=None if before is None else before.signalled,
    )


def exact(price: float) -> Decimal:
    """Return a price as it is written."""
    return Decimal(repr(price))
