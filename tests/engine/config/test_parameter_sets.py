"""The owner's JSON of parameter sets is read as it is; faults are named by path and line."""

from decimal import Decimal

import pytest

from engine.config import ConfigError, load_text
from engine.config.parameter_sets import (
    load_parameter_sets,
    load_parameter_sets_text,
    with_parameter_sets,
)

OWNERS = """{
  "parameterSets": [
    {
      "symbol": "BTCUSDT",
      "allocationPercent": 33.3,
      "zScoreThreshold": 5.0,
      "profitPercent": 15.0,
      "stopLossPercent": 2
    },
    {
      "symbol": "BNBUSDT",
      "allocationPercent": 33.3,
      "zScoreThreshold": 7.0,
      "profitPercent": 20.0,
      "stopLossPercent": 30
    }
  ]
}
"""


def json_faults(text):
    with pytest.raises(ConfigError) as caught:
        load_parameter_sets_text(text, file="p.json")
    return [(fault.line, fault.field, fault.problem) for fault in caught.value.faults]


def test_the_owners_file_is_read_as_it_is(tmp_path):
    file = tmp_path / "live-params.json"
    file.write_text(OWNERS)
    first, second = load_parameter_sets(file)
    assert first.model_dump() == {
        "symbol": "BTCUSDT",
        "allocation_percent": Decimal("33.3"),
        "z_score_threshold": Decimal("5.0"),
        "profit_percent": Decimal("15.0"),
        "stop_loss_percent": Decimal(2),
    }
    assert second.stop_loss_percent == 30


def test_every_fault_is_named_by_its_json_path_and_line():
    text = (
        OWNERS.replace('"zScoreThreshold": 5.0', '"zScoreTreshold": 5.0')
        .replace('"stopLossPercent": 2\n', '"stopLossPercent": "two"\n')
        .replace("BNBUSDT", "bnb{usdt}")
        .replace("20.0,", "-20.0,")
        .replace('"stopLossPercent": 30', '"stopLossPercent": 100')
    )
    assert json_faults(text) == [
        (3, "parameterSets[0].zScoreThreshold", "is missing"),
        (
            6,
            "parameterSets[0].zScoreTreshold",
            "is not a known key; did you mean zScoreThreshold?",
        ),
        (8, "parameterSets[0].stopLossPercent", '"two" is not a percent'),
        (11, "parameterSets[1].symbol", '"bnb{usdt}" is not a symbol'),
        (14, "parameterSets[1].profitPercent", "-20.0 is not a percent"),
        (15, "parameterSets[1].stopLossPercent", "100 is not a percent"),
    ]


def test_a_symbol_twice_and_too_large_a_sum_are_named():
    text = OWNERS.replace("BNBUSDT", "BTCUSDT").replace("33.3", "60")
    assert json_faults(text) == [
        (2, "parameterSets", "all sets together allocate 120 percent"),
        (11, "parameterSets[1].symbol", '"BTCUSDT" has a parameter set already'),
    ]


def test_a_key_written_twice_is_named():
    text = OWNERS.replace('"profitPercent": 15.0', '"profitPercent": 1,\n"profitPercent": 15.0')
    assert json_faults(text) == [
        (8, "parameterSets[0].profitPercent", "is written twice; first on line 7")
    ]


@pytest.mark.parametrize(
    ("text", "line", "field", "said"),
    [
        ("", 1, "", "not valid JSON"),
        ('{"parameterSets": [\n{"symbol": }]}', 2, "", "not valid JSON"),
        ("[" * 200_000, None, "", "nested too deeply"),
        ('{"parameterSets": ' + "9" * 5000 + "}", 1, "", "too many digits"),
        ("{}", 1, "parameterSets", "is missing"),
        ('{\n"parametersets": []}', 2, "parametersets", "did you mean parameterSets?"),
        ('{"parameterSets": []}', 1, "parameterSets", "is empty"),
        ('{\n\n"parameterSets": {}}', 3, "parameterSets", "a table is not a list"),
        ('{"parameterSets": [\n5]}', 2, "parameterSets[0]", "a number is not a table"),
        ("[]", 1, "", "a list is not a table"),
        ("null", 1, "", "is not a table"),
    ],
)
def test_a_file_of_another_shape_is_refused(text, line, field, said):
    assert any(
        (at, where) == (line, field) and said in problem for at, where, problem in json_faults(text)
    )


def test_not_a_number_is_not_a_percent():
    text = OWNERS.replace("33.3", "NaN", 1)
    assert json_faults(text) == [(5, "parameterSets[0].allocationPercent", "NaN is not a percent")]


def test_the_sets_take_the_place_of_the_configs_own():
    config = load_text("[allocation]\nvenue = 'binance'\nz_score_window = 20\n", file="x")
    sets = load_parameter_sets_text(OWNERS, file="p.json")
    allocation = with_parameter_sets(config, sets, file="p.json").allocation
    assert allocation is not None
    assert allocation.parameter_sets == sets
    assert allocation.z_score_window == 20


def test_a_config_without_allocation_gets_one_at_its_spot_venue():
    sets = load_parameter_sets_text(OWNERS, file="p.json")
    spot = "[venues.mine]\nkind = 'ccxt'\nconnector_name = 'binance'\napi_key = 'env:K'\n"
    for text, venue in [(spot, "mine"), ("", "binance")]:
        config = with_parameter_sets(load_text(text, file="x"), sets, file="p.json")
        assert config.allocation is not None
        assert config.allocation.venue == venue
        assert venue in config.venues


def test_sets_that_do_not_fit_the_config_are_refused():
    config = load_text("[allocation]\nvenue = 'binance'\nz_score_exit = 6\n", file="x")
    sets = load_parameter_sets_text(OWNERS, file="p.json")
    with pytest.raises(ConfigError, match="not above z_score_exit") as caught:
        with_parameter_sets(config, sets, file="p.json")
    [fault] = caught.value.faults
    assert (fault.file, fault.field) == ("p.json", "parameterSets[0].zScoreThreshold")
