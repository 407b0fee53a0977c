"""Parameter sets and replays as commands: what they print, where, and the code they end with."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.allocation_bench import CONFIG, OWNERS, allocation_bench, bulkhead
from tests.engine.replay.bars_made import Row, flat, walk, write
from tests.engine.replay.test_replay_figures import RECORDED, Figures, by_numpy

SET = {
    "symbol": "BTCUSDT",
    "allocationPercent": 60,
    "zScoreThreshold": 3.0,
    "profitPercent": 2,
    "stopLossPercent": 0.8,
}


def written(folder: Path, *sets: dict[str, Any]) -> str:
    path = folder / "sets.json"
    path.write_text(json.dumps({"parameterSets": sets or [SET]}, indent=2))
    return str(path)


# --- replay --------------------------------------------------------------------------------------


def replayed(bars: Path, sets: str) -> dict[str, Any]:
    """The one document a replay with --json prints."""
    answer = bulkhead("replay", str(bars), "--parameter-sets", sets, "--window", "50", "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def assert_agree(document: dict[str, Any], figures: Figures) -> None:
    [one] = document["symbols"]
    entries = [signal for signal in document["signals"] if signal["kind"] == "ENTRY"]
    assert len(entries) == one["thresholdReached"] == figures.signals
    assert sum(signal["taken"] for signal in entries) == one["entries"] == figures.entries
    assert one["exits"] == figures.exits
    assert one["highestZScore"] == pytest.approx(figures.highest_z, abs=1e-6)
    assert float(document["finalEquity"]) == pytest.approx(figures.equity, abs=0.0051)
    assert document["maxDrawdownPercent"] == pytest.approx(figures.drawdown * 100, abs=1e-4)


def test_a_replay_prints_one_document_that_numpy_confirms(tmp_path: Path) -> None:
    rows = walk(seed=3)
    figures = by_numpy(np.array([row[1:5] for row in rows]), 3.0)
    assert figures.entries > 5
    assert_agree(replayed(write(tmp_path / "BTCUSDT.csv", rows), written(tmp_path)), figures)


@pytest.mark.skipif(not RECORDED.exists(), reason="recorded bars are not here")
def test_a_replay_of_a_recorded_month_says_what_numpy_says(tmp_path: Path) -> None:
    with gzip.open(RECORDED, "rt") as text:
        bars = np.loadtxt(text, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4))
    figures = by_numpy(bars, 5.0)
    assert figures.entries > 5
    assert_agree(replayed(RECORDED, written(tmp_path, {**SET, "zScoreThreshold": 5.0})), figures)


def test_a_replay_draws_itself_into_80_columns(tmp_path: Path) -> None:
    bars = write(tmp_path / "BTCUSDT.csv.gz", walk(3000))
    answer = bulkhead("replay", str(bars), "--parameter-sets", written(tmp_path))
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "█" in answer.stdout
    for text in ("3,000 bars", "buy signals", "deepest fall", "BTCUSDT", "reached"):
        assert text in answer.stdout
    assert "\x1b" not in answer.stdout


def test_the_owners_three_sets_are_replayed_over_three_files(tmp_path: Path) -> None:
    sets = tmp_path / "live-params.json"
    sets.write_text(OWNERS)
    symbols = ("BTCUSDT", "BNBUSDT", "ETHUSDT")
    spike: list[Row] = flat([*[100.0, 101.0] * 6, 110.0, 110.0])
    files = [str(write(tmp_path / f"{symbol}.csv", spike)) for symbol in symbols]
    words = ("--parameter-sets", str(sets), "--window", "10", "--json")
    answer = bulkhead("replay", *files, *words)
    assert (answer.returncode, answer.stderr) == (0, "")
    document = json.loads(answer.stdout)
    assert [one["symbol"] for one in document["symbols"]] == list(symbols)
    assert [one["entries"] for one in document["symbols"]] == [1, 1, 1]


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"zScoreThreshold": 0}, "parameterSets[0].zScoreThreshold", "0"),
        ({"zScoreThreshold": "many"}, "parameterSets[0].zScoreThreshold", "many"),
        ({"stopLossPercent": 100}, "parameterSets[0].stopLossPercent", "100"),
        ({"allocationPercent": 0}, "parameterSets[0].allocationPercent", "0"),
        ({"profitPercent": -1}, "parameterSets[0].profitPercent", "-1"),
        ({"symbol": "btc"}, "parameterSets[0].symbol", "btc"),
        ({"leverage": 3}, "parameterSets[0].leverage", "leverage"),
    ],
)
def test_a_fault_in_the_sets_is_named_by_its_path(
    tmp_path: Path, change: dict[str, Any], path: str, said: str
) -> None:
    sets = written(tmp_path, {**SET, **change})
    bars = write(tmp_path / "BTCUSDT.csv", flat([1.0, 2.0]))
    for words in (("replay", str(bars)), ("engine", "--config", configured(tmp_path))):
        answer = bulkhead(*words, "--parameter-sets", sets, BINANCE_KEY="k", BINANCE_SECRET="s")
        assert (answer.returncode, answer.stdout) == (2, ""), words
        [line] = answer.stderr.splitlines()
        assert line.startswith(f"{sets}:")
        assert path in line
        assert said in line


def test_sets_that_do_not_fit_the_config_are_refused_by_their_own_path(tmp_path: Path) -> None:
    sets, config = written(tmp_path), Path(configured(tmp_path))
    config.write_text(config.read_text() + 'z_score_exit = "3.5"\n')
    keys = {"BINANCE_KEY": "k", "BINANCE_SECRET": "s"}
    answer = bulkhead("engine", "--config", str(config), "--parameter-sets", sets, **keys)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert f"{sets}: parameterSets[0].zScoreThreshold: 3.0 is not above" in answer.stderr


def test_what_cannot_be_replayed_is_refused_in_a_line(tmp_path: Path) -> None:
    sets = written(tmp_path)
    torn = tmp_path / "BTCUSDT.csv"
    torn.write_text("timestamp,open,high,low,close\n2026-01-05 00:00:00,1,2,1,1\nyesterday,1\n")
    strange = write(tmp_path / "XRPUSDT.csv", flat([1.0, 2.0]))
    broken = tmp_path / "broken.json"
    broken.write_text('{"parameterSets": [\n')
    for words, text in (
        ((str(tmp_path / "none.csv"), "--parameter-sets", sets), "none.csv"),
        ((str(torn), "--parameter-sets", sets), "BTCUSDT.csv:3: "),
        ((str(strange), "--parameter-sets", sets), "BTCUSDT"),
        ((str(torn), "--parameter-sets", str(tmp_path / "none.json")), "none.json"),
        ((str(torn), "--parameter-sets", str(broken)), "broken.json:2:"),
        ((str(torn),), "--parameter-sets"),
        ((str(torn), "--parameter-sets", sets, "--window", "ten"), "window"),
    ):
        answer = bulkhead("replay", *words)
        assert (answer.returncode, answer.stdout) == (2, ""), words
        assert text in answer.stderr, answer.stderr
        assert len(answer.stderr.strip().splitlines()) <= 2
        assert "Traceback" not in answer.stderr


# --- paper without a venue -----------------------------------------------------------------------


def test_alone_sets_try_the_demo(tmp_path: Path) -> None:
    """Parameter sets with no venue and no config are tried on the demo's market."""
    # The demo's socket stands under HOME, and the path of a socket must be short.
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    strange = {**SET, "symbol": "XRPUSDT", "allocationPercent": 40}
    sets = written(tmp_path, SET, strange)
    command = ("engine", "--paper", "--parameter-sets", sets)
    with subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *command],
        env={**os.environ, **home},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as engine:
        try:
            assert engine.stderr is not None
            assert b"engine started" in engine.stderr.readline()
            answer = bulkhead("status", "--json", **home)
            assert answer.returncode == 0, answer.stderr
            found = json.loads(answer.stdout)["allocation"]
            assert (found["venue"], found["totalBalance"]) == ("spot", 1000.0)
            assert [one["bars_seen"] for one in found["sets"]] == [100, 100]
        finally:
            engine.kill()


# --- check ---------------------------------------------------------------------------------------


def configured(folder: Path, *sets: str, window: str = "10") -> str:
    """Write a config with these parameter sets in TOML; return where."""
    path = folder / "bulkhead.toml"
    text = CONFIG.format(state=folder / "s", url="http://127.0.0.1:1")
    text = text.replace("z_score_window = 10", f"z_score_window = {window}")
    path.write_text(text + "".join(sets))
    path.chmod(0o600)
    return str(path)


def in_toml(
    symbol: str = "BTCUSDT",
    *,
    percent: str = "33.3",
    threshold: str = "5.0",
    profit: str = "15.0",
    stop: str = "2",
) -> str:
    return f"""\
[[allocation.parameter_sets]]
symbol = "{symbol}"
allocation_percent = "{percent}"
z_score_threshold = "{threshold}"
profit_percent = "{profit}"
stop_loss_percent = "{stop}"
"""


def test_the_owners_sets_in_the_config_have_no_faults(tmp_path: Path) -> None:
    sets = (in_toml(), in_toml("BNBUSDT", threshold="7.0"), in_toml("ETHUSDT", threshold="6.0"))
    answer = bulkhead("check", "--config", configured(tmp_path, *sets))
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize(
    ("sets", "window", "field", "reason"),
    [
        (
            (in_toml(percent="60"), in_toml("ETHUSDT", percent="40.1")),
            "10",
            "allocation.parameter_sets",
            "all sets together allocate 100.1 percent",
        ),
        (
            (in_toml(), in_toml("ETHUSDT"), in_toml()),
            "10",
            "allocation.parameter_sets[2].symbol",
            '"BTCUSDT" has a parameter set already',
        ),
        ((in_toml(threshold="0"),), "10", "allocation.parameter_sets[0].z_score_threshold", "0"),
        ((in_toml(threshold="-5"),), "10", "allocation.parameter_sets[0].z_score_threshold", "-5"),
        ((in_toml(),), "9", "allocation.z_score_window", "9"),
        ((in_toml(stop="100"),), "10", "allocation.parameter_sets[0].stop_loss_percent", "100"),
        ((in_toml(stop="250"),), "10", "allocation.parameter_sets[0].stop_loss_percent", "250"),
    ],
)
def test_check_refuses_what_could_not_be_traded(
    tmp_path: Path, sets: tuple[str, ...], window: str, field: str, reason: str
) -> None:
    path = configured(tmp_path, *sets, window=window)
    answer = bulkhead("check", "--config", path)
    assert (answer.returncode, answer.stdout) == (2, "")
    [line] = answer.stderr.splitlines()
    assert line.startswith(f"{path}:")
    assert field in line
    assert reason in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "takes what the parameter sets ask"),
        ({"symbol": "XRPUSDT"}, "XRPUSDT: there is no such market"),
        ({"profitPercent": 500}, "its take-profit at +500% lies outside"),
        ({"stopLossPercent": 99.5}, "under the venue's minimum of $5"),
        ({"allocationPercent": 0.01}, "$0.10 buys less than the smallest order"),
    ],
)
def test_doctor_says_what_the_exchange_would_not_take(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with allocation_bench(tmp_path) as bench:
        sets = written(tmp_path, {**SET, **change})
        answer = bench.bulkhead("doctor", "--parameter-sets", sets)
        assert answer.returncode == (1 if change else 0), answer.stdout
        assert said in answer.stdout
        checked = bench.bulkhead("check", "--parameter-sets", sets)
        *found, hint = checked.stdout.splitlines()
        assert found == [f"{p}: no faults." for p in (bench.config, sets)]
        assert hint.endswith("ask bulkhead doctor.")
        assert bench.control.orders() == ()
