"""What is counted while bars go by: the equity curve, and each symbol's scores and trades."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.allocation.closing import ClosedTrade
from engine.desk.market import Bar
from engine.replay.report import SymbolReport


class Curve:
    """The account's worth over time. drawdown is a fraction of the peak before it."""

    def __init__(self, initial: float) -> None:
        self.times: list[datetime] = []
        self.values: list[float] = []
        self.drawdown = 0.0
        self.drawdown_at: datetime | None = None
        self._peak = initial

    def add(self, at: datetime, value: float) -> None:
        self.times.append(at)
        self.values.append(value)
        if value >= self._peak:
            self._peak = value
        elif (self._peak - value) / self._peak > self.drawdown:
            self.drawdown, self.drawdown_at = (self._peak - value) / self._peak, at


class SymbolTally:
    """steps_held: instants with a position; used: the sum of the shares reserved at each."""

    def __init__(self, symbol: str, threshold: Decimal) -> None:
        self.symbol = symbol
        self.newest: Bar | None = None
        self.steps_held = 0
        self.used = 0.0
        self._threshold = threshold
        self._least = float(threshold)
        self._bars = 0
        self._missing = 0
        self._skipped = 0
        self._reached = 0
        self._highest: float | None = None
        self._highest_at: datetime | None = None
        self._entries = 0
        self._exits: dict[str, int] = {}
        self._profit = Decimal(0)

    def count(self, bar: Bar, interval: timedelta) -> bool:
        """Count a bar; False for one that is not later than those before it."""
        newest = self.newest
        if newest is not None:
            step = bar.at - newest.at
            if step < interval:
                self._skipped += 1
                return False
            if step > interval:
                self._missing += int(step / interval) - 1
        self.newest = bar
        self._bars += 1
        return True

    def score(self, z: float | None, at: datetime) -> None:
        if z is None:
            return
        if z >= self._least:
            self._reached += 1
        if self._highest is None or z > self._highest:
            self._highest, self._highest_at = z, at

    def close(self, trade: ClosedTrade) -> None:
        if trade.close_type is not None:
            self._entries += 1
            name = trade.close_type.value
            self._exits[name] = self._exits.get(name, 0) + 1
            self._profit += trade.earned - trade.spent

    def notes(self) -> Iterator[str]:
        if self._missing:
            what = "1 bar is" if self._missing == 1 else f"{self._missing} bars are"
            yield f"{self.symbol}: {what} missing; scores go on over the holes."
        if self._skipped:
            what = "1 bar stands" if self._skipped == 1 else f"{self._skipped} bars stand"
            yield (
                f"{self.symbol}: {what} twice, out of order or too close together, and did not "
                "count."
            )

    def report(self, steps: int, *, fees: Decimal, held: Decimal, value: Decimal) -> SymbolReport:
        return SymbolReport(
            symbol=self.symbol,
            bars=self._bars,
            missing=self._missing,
            skipped=self._skipped,
            threshold=self._threshold,
            reached=self._reached,
            highest_z=self._highest,
            highest_z_at=self._highest_at,
            entries=self._entries + (held > 0),
            exits=self._exits,
            profit=self._profit,
            fees=fees,
            in_position_percent=100 * self.steps_held / steps,
            utilisation_percent=100 * self.used / steps,
            open_quantity=held,
            open_value=value,
        )
