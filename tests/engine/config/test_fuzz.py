"""Whatever a file holds, loading it gives a config or faults, and nothing else."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import SAMPLE, ConfigError, Fault, load, load_text
from engine.config.parameter_sets import load_parameter_sets_text

OWNERS = (
    '{"parameterSets": [{"symbol": "BTCUSDT", "allocationPercent": 33.3,\n'
    '"zScoreThreshold": 5.0, "profitPercent": 15.0, "stopLossPercent": 2}]}'
)
SETTINGS = settings(max_examples=150, deadline=None, database=None)

WORDS = "mode armed engine alerts urls venues ibkr kind ib ccxt port options strategies legs shares"
MORE = "assignment_managers venue allocation parameter_sets symbol exit right id trading_pairs live"
keys = st.sampled_from([*WORDS.split(), *MORE.split()]) | st.text(min_size=1, max_size=5)
scalars = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.sampled_from(
        ["ib", "ccxt", "iron_condor", "P", "440", "env:X", "binance", "live", "kraken"]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def faults_of(read: Callable[[], object]) -> tuple[Fault, ...]:
    """Run a reader; it may raise ConfigError with at least one fault, and nothing else."""
    try:
        read()
    except ConfigError as error:
        return error.faults or (Fault(file="", line=-1, column=None, field="", problem=""),)
    return ()


def check(text: str) -> None:
    last = text.count("\n") + 1
    for fault in faults_of(lambda: load_text(text, file="b.toml")):
        assert fault.line is None or 1 <= fault.line <= last
        assert str(fault).isprintable()


@SETTINGS
@given(st.text())
def test_any_text_loads_or_is_faulty(text):
    check(text)


@SETTINGS
@given(st.dictionaries(keys, values, max_size=6))
def test_any_tables_load_or_are_faulty(tables):
    check(tomlkit.dumps(tables))


@SETTINGS
@given(st.integers(0, len(SAMPLE)), st.integers(0, 60), st.text(max_size=6))
def test_a_damaged_sample_loads_or_is_faulty(start, length, patch):
    check(SAMPLE[:start] + patch + SAMPLE[start + length :])


@SETTINGS
@given(st.integers(0, SAMPLE.count("\n") - 1), values)
def test_a_sample_with_one_value_replaced_loads_or_is_faulty(row, value):
    lines = SAMPLE.splitlines(keepends=True)
    key = lines[row].split("=")[0].strip()
    if "=" in lines[row] and not lines[row].startswith((" ", "legs", "#")):
        lines[row] = f"{key} = {tomlkit.item(value).as_string()}\n"
    check("".join(lines))


@SETTINGS
@given(st.binary())
def test_any_bytes_load_or_are_faulty(content):
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        assert all(fault.line != -1 for fault in faults_of(lambda: load(file.name)))


@SETTINGS
@given(st.integers(0, len(OWNERS)), st.integers(0, 20), st.text(max_size=6))
def test_damaged_parameter_sets_load_or_are_faulty(start, length, patch):
    text = OWNERS[:start] + patch + OWNERS[start + length :]
    found = faults_of(lambda: load_parameter_sets_text(text, file="p.json"))
    assert all(str(fault).isprintable() for fault in found)


@pytest.mark.parametrize("depth", range(100, 1100, 50))
def test_nesting_of_any_depth_loads_or_is_faulty(depth):
    check("deep = " + "[" * depth + "]" * depth)
    check("deep = " + "{a=" * depth + "1" + "}" * depth)
    text = '{"deep": ' + "[" * depth + "]" * depth + "}"
    assert faults_of(lambda: load_parameter_sets_text(text, file="p.json"))
