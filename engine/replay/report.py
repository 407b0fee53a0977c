"""What a replay came to: every signal, fill and trade, the equity, how near each threshold came.

As a JSON document decimals are text and instants ISO 8601 UTC, as in the status.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.desk.allocation.closing import ClosedTrade
from engine.replay.market import Fill

_CENT = Decimal("0.01")
_MOST_POINTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal and what the desk made of it, in the log's words."""

    at: datetime
    symbol: str
    kind: str
    z_score: float
    price: Decimal
    outcome: str
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolReport:
    """One symbol. reached counts bars with a score at or above the threshold, whatever was held;
    utilisation is the percent of the account it had reserved, averaged over all bars. open_quantity
    is held at the end, worth open_value at the last close."""

    symbol: str
    bars: int
    missing: int
    skipped: int
    threshold: Decimal
    reached: int
    highest_z: float | None
    highest_z_at: datetime | None
    entries: int
    exits: dict[str, int]
    profit: Decimal
    fees: Decimal
    in_position_percent: float
    utilisation_percent: float
    open_quantity: Decimal
    open_value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """equity has one value for each instant of times; drawdown is from a peak to the lowest value
    after it, in percent of the peak."""

    currency: str
    started_at: datetime
    ended_at: datetime
    bars: int
    initial_equity: Decimal
    final_equity: Decimal
    max_drawdown_percent: float
    max_drawdown_at: datetime | None
    both_legs_in_one_bar: int
    symbols: tuple[SymbolReport, ...]
    signals: tuple[Signal, ...]
    fills: tuple[Fill, ...]
    trades: tuple[ClosedTrade, ...]
    times: tuple[datetime, ...]
    equity: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def return_percent(self) -> float:
        return float((self.final_equity / self.initial_equity - 1) * 100)

    @property
    def fees(self) -> Decimal:
        return sum((fill.fee for fill in self.fills), Decimal(0))

    def curve(self, most: int) -> list[tuple[datetime, float]]:
        """Return at most this many points of the equity curve, the last one always among them."""
        count = len(self.equity)
        if count <= most:
            return list(zip(self.times, self.equity, strict=True))
        picked = [(n + 1) * count // most - 1 for n in range(most)]
        return [(self.times[n], self.equity[n]) for n in picked]

    def as_document(self) -> dict[str, Any]:
        """Return the report as one JSON document; the equity curve has at most 1000 points."""
        return {
            "currency": self.currency,
            "startedAt": _time(self.started_at),
            "endedAt": _time(self.ended_at),
            "bars": self.bars,
            "initialEquity": _money(self.initial_equity),
            "finalEquity": _money(self.final_equity),
            "returnPercent": round(self.return_percent, 4),
            "fees": _money(self.fees),
            "maxDrawdownPercent": round(self.max_drawdown_percent, 4),
            "maxDrawdownAt": _time(self.max_drawdown_at),
            "bothLegsInOneBar": self.both_legs_in_one_bar,
            "symbols": [_symbol(one) for one in self.symbols],
            "signals": [_signal(one) for one in self.signals],
            "fills": [_fill(one) for one in self.fills],
            "trades": [_trade(one) for one in self.trades],
            "equity": [
                {"at": _time(at), "equity": f"{value:.2f}"}
                for at, value in self.curve(_MOST_POINTS)
            ],
            "notes": list(self.notes),
        }


def _symbol(one: SymbolReport) -> dict[str, Any]:
    return {
        "symbol": one.symbol,
        "bars": one.bars,
        "missingBars": one.missing,
        "skippedBars": one.skipped,
        "zScoreThreshold": f"{one.threshold:f}",
        "thresholdReached": one.reached,
        "highestZScore": None if one.highest_z is None else round(one.highest_z, 6),
        "highestZScoreAt": _time(one.highest_z_at),
        "entries": one.entries,
        "exits": one.exits,
        "profit": _money(one.profit),
        "fees": _money(one.fees),
        "inPositionPercent": round(one.in_position_percent, 4),
        "utilisationPercent": round(one.utilisation_percent, 4),
        "openQuantity": f"{one.open_quantity:f}",
        "openValue": _money(one.open_value),
    }


def _signal(one: Signal) -> dict[str, Any]:
    return {
        "at": _time(one.at),
        "symbol": one.symbol,
        "kind": one.kind,
        "zScore": round(one.z_score, 6),
        "price": f"{one.price:f}",
        "taken": one.taken,
        "outcome": one.outcome,
    }


def _fill(one: Fill) -> dict[str, Any]:
    return {
        "at": _time(one.at),
        "symbol": one.symbol,
        "side": one.side.value,
        "quantity": f"{one.quantity:f}",
        "price": _price(one.price),
        "fee": f"{one.fee:.8f}",
        "reason": one.reason,
    }


def _trade(one: ClosedTrade) -> dict[str, Any]:
    return {
        "symbol": one.symbol,
        "openedAt": _time(one.opened_at),
        "closedAt": _time(one.closed_at),
        "exitReason": None if one.close_type is None else one.close_type.value,
        "bought": f"{one.bought:f}",
        "entryPrice": _price(one.entry_price),
        "exitPrice": _price(one.exit_price),
        "spent": _money(one.spent),
        "earned": _money(one.earned),
        "profit": _money(one.earned - one.spent),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _money(value: Decimal) -> str:
    return f"{value.quantize(_CENT):f}"


def _price(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.8f}".rstrip("0").rstrip(".")
