"""Bars that are made up: a quiet walk with spikes, some of which run on and some of which fall."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HEADER = "timestamp,open,high,low,close,volume"

Row = tuple[datetime, float, float, float, float, float]


def walk(count: int = 1500, seed: int = 3, start: float = 200.0) -> list[Row]:
    dice = np.random.default_rng(seed)
    drift = dice.normal(scale=0.0008, size=count)
    for spike in range(60, count - 80, 90):
        drift[spike] += 0.012
        after = dice.choice([0.004, -0.004, 0.0])
        drift[spike + 1 : spike + 8] += after
    closes = np.round(start * np.exp(drift.cumsum()), 2)
    opens = np.concatenate([[start], closes[:-1]])
    wide = np.abs(dice.normal(scale=0.1, size=count))
    highs = np.round(np.maximum(opens, closes) + wide, 2)
    lows = np.round(np.minimum(opens, closes) - wide, 2)
    return [
        (FIRST + timedelta(minutes=n), *map(float, (opens[n], highs[n], lows[n], closes[n])), 1.5)
        for n in range(count)
    ]


def flat(closes: Sequence[float]) -> list[Row]:
    """Bars that open, trade and close at one price each."""
    return [(FIRST + timedelta(minutes=n), c, c, c, c, 1.0) for n, c in enumerate(closes)]


def as_csv(rows: Sequence[Row], header: str = HEADER) -> str:
    lines = [header, *(f"{r[0]:%Y-%m-%d %H:%M:%S.%f}," + ",".join(map(repr, r[1:])) for r in rows)]
    return "\n".join(lines) + "\n"


def write(path: Path, rows: Sequence[Row]) -> Path:
    text = as_csv(rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path
