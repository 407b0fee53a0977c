"""The figures of a replay, against a few lines of numpy that know nothing of the desk."""

import gzip
import math
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.replay import BarFile, Costs, Report, replay
from tests.engine.replay.bars_made import walk, write
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED.parent / "btc_perp_1m_2022-01.csv.gz"
WINDOW, SHARE, FEE, HALF = 50, 0.6, 0.001, 0.0001
PROFIT, STOP = 0.02, 0.008


@dataclass
class Figures:
    signals: int = 0
    entries: int = 0
    exits: dict[str, int] = field(default_factory=dict)
    highest_z: float = 0.0
    equity: float = 0.0
    drawdown: float = 0.0


def by_numpy(bars: np.ndarray, threshold: float) -> Figures:
    """Columns: open, high, low, close."""
    opens, highs, lows, closes = bars.T
    windows = np.lib.stride_tricks.sliding_window_view(closes, WINDOW)[:-1]
    z = np.full(len(closes), np.nan)
    z[WINDOW:] = (closes[WINDOW:] - windows.mean(axis=1)) / windows.std(axis=1)
    found = Figures(signals=int((z >= threshold).sum()), highest_z=float(np.nanmax(z)))
    cash, held, entry, peak = 1000.0, 0.0, 0.0, 1000.0

    def sell(price: float, why: str) -> None:
        nonlocal cash, held
        cash += math.floor(held * 1e8) / 1e8 * price * (1 - FEE)
        held = 0.0
        found.exits[why] = found.exits.get(why, 0) + 1

    for n, score in enumerate(z):
        if held and lows[n] <= entry * (1 - STOP):
            sell(min(entry * (1 - STOP), opens[n]) * (1 - HALF), "STOP_LOSS")
        elif held and highs[n] >= entry * (1 + PROFIT):
            sell(entry * (1 + PROFIT), "TAKE_PROFIT")
        if score >= threshold and not held:
            entry = closes[n] * (1 + HALF)
            quantity = math.floor(math.floor(cash * SHARE * 100) / 100 / entry * 1e8) / 1e8
            cash -= quantity * entry
            held = quantity * (1 - FEE)
            found.entries += 1
        elif held and score <= 0:
            sell(closes[n] * (1 - HALF), "REVERSAL")
        worth = cash + held * closes[n]
        peak = max(peak, worth)
        found.drawdown = max(found.drawdown, (peak - worth) / peak)
    found.equity = cash + held * closes[-1]
    return found


def by_desk(path: Path, threshold: str) -> Report:
    one = ParameterSet(
        symbol="BTCUSDT",
        allocation_percent=Decimal(60),
        z_score_threshold=Decimal(threshold),
        profit_percent=Decimal(2),
        stop_loss_percent=Decimal("0.8"),
    )
    settings = AllocationSettings(venue="binance", sets=(one,), window=WINDOW)
    return replay([BarFile(symbol="BTCUSDT", path=path)], settings, costs=Costs())


def assert_agree(report: Report, figures: Figures) -> None:
    [one] = report.symbols
    entries = [signal for signal in report.signals if signal.kind == "ENTRY"]
    assert len(entries) == one.reached == figures.signals
    assert sum(signal.taken for signal in entries) == one.entries == figures.entries
    assert one.exits == figures.exits
    assert one.highest_z == pytest.approx(figures.highest_z, rel=1e-9)
    assert float(report.final_equity) == pytest.approx(figures.equity, abs=1e-4)
    assert report.equity[-1] == pytest.approx(figures.equity, abs=1e-4)
    assert report.max_drawdown_percent == pytest.approx(figures.drawdown * 100, abs=1e-4)


def read(path: Path) -> np.ndarray:
    with gzip.open(path, "rt") as text:
        return np.loadtxt(text, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4))


@pytest.mark.parametrize("seed", range(4))
def test_a_made_up_file_comes_to_what_numpy_says(tmp_path: Path, seed: int) -> None:
    path = write(tmp_path / "BTCUSDT-1m.csv.gz", walk(seed=seed))
    figures = by_numpy(read(path), 3.0)
    assert figures.entries > 5
    assert len(figures.exits) >= 2
    assert_agree(by_desk(path, "3.0"), figures)


@pytest.mark.skipif(not RECORDED.exists(), reason="recorded bars are not here")
@pytest.mark.parametrize("threshold", ["3.0", "5.0"])
def test_a_recorded_month_comes_to_what_numpy_says(threshold: str) -> None:
    figures = by_numpy(read(RECORDED), float(threshold))
    assert figures.entries > 5
    assert_agree(by_desk(RECORDED, threshold), figures)
