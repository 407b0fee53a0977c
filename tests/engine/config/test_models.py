"""The models hold the contract: its keys, defaults and example, and what forms need to know."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from engine.config import SAMPLE, load_text
from engine.config.fields import described, field_at, model_at
from engine.config.model import (
    AllocationConfig,
    AssignmentManager,
    CcxtVenue,
    Config,
    Connector,
    IbVenue,
    Leg,
    OptionsConfig,
    ParameterSet,
    Strategy,
    TerminalConfig,
)
from engine.config.model.config import AlertsConfig, EngineConfig
from engine.config.model.options import ExitConfig

EXAMPLE = """\
mode = "paper"                     # "paper": real market data, simulated fills; "live": real orders
armed = true
[engine]
state_dir = "~/.local/state/bulkhead"   # journal, log, socket; made 0700
[alerts]
urls = ["env:BULKHEAD_ALERT_URL"]       # apprise URLs
[venues.ibkr]
kind = "ib"
host = "127.0.0.1"
port = 4002
client_id = 17
accounts = ["DU1234567"]
[venues.kraken]
kind = "ccxt"
connector_name = "kraken_perpetual"     # "binance" for spot
api_key = "env:KRAKEN_KEY"
secret = "env:KRAKEN_SECRET"
sandbox = false
endpoint = ""
[options]
venue = "ibkr"
auto_close_on_assignment = true
on_partial_assignment = "strategy"      # or "units"
close_at_dte = 1
reconcile_seconds = 30
[[options.strategies]]
id = "SPY-IC-1"
kind = "iron_condor"
underlying = "SPY"
legs = [
  { right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 },
  { right = "P", strike = "435", expiry = "2026-12-18", quantity = 2 },
  { right = "C", strike = "460", expiry = "2026-12-18", quantity = -2 },
  { right = "C", strike = "465", expiry = "2026-12-18", quantity = 2 } ]
[[assignment_managers]]
venue = "kraken"
trading_pairs = ["BTC-USD", "ETH-USD", "SOL-USD"]
all_trading_pairs = false
order_type = "MARKET"
close_percent = "100"
slippage_buffer = "0.001"
max_order_age = 60
time_limit = 0
stop_loss_pct = "0.05"                  # these four optional, fractions
take_profit_pct = "0.10"
trailing_stop_activation_pct = "0.03"
trailing_stop_trailing_delta_pct = "0.01"
[allocation]
venue = "binance"
z_score_window = 100
z_score_interval = "1m"
[[allocation.parameter_sets]]
symbol = "BTCUSDT"
allocation_percent = "33.3"
z_score_threshold = "5.0"
profit_percent = "15.0"
stop_loss_percent = "2"
"""

SECTIONS = [
    Config,
    EngineConfig,
    AlertsConfig,
    IbVenue,
    CcxtVenue,
    OptionsConfig,
    ExitConfig,
    Strategy,
    Leg,
    AssignmentManager,
    AllocationConfig,
    ParameterSet,
    TerminalConfig,
]


def test_the_sample_says_exactly_what_the_example_of_the_contract_says():
    assert tomllib.loads(SAMPLE) == tomllib.loads(EXAMPLE)


def test_the_example_of_the_contract_loads():
    config = load_text(EXAMPLE, file="example")
    assert config.engine.state_dir == Path("~/.local/state/bulkhead").expanduser()
    assert config.options is not None
    assert config.options.strategies[0].legs[0].contract == ("P", Decimal(440), date(2026, 12, 18))
    assert config.allocation is not None
    assert config.allocation.z_score_interval_seconds == 60


def test_an_empty_file_is_an_armed_paper_engine_without_desks():
    config = load_text("", file="x")
    assert (config.mode, config.armed, config.options, config.allocation) == (
        "paper",
        True,
        None,
        None,
    )
    assert config.engine.state_dir == Path("~/.local/state/bulkhead").expanduser()


def test_an_assignment_manager_has_the_defaults_its_users_know():
    assert AssignmentManager(venue="k").model_dump() == {
        "venue": "k",
        "trading_pairs": ("BTC-USD", "ETH-USD", "SOL-USD"),
        "all_trading_pairs": False,
        "order_type": "MARKET",
        "close_percent": Decimal(100),
        "slippage_buffer": Decimal("0.001"),
        "max_order_age": 60,
        "time_limit": 0,
        "stop_loss_pct": None,
        "take_profit_pct": None,
        "trailing_stop_activation_pct": None,
        "trailing_stop_trailing_delta_pct": None,
        "resident_stop": True,
    }


def test_the_options_and_allocation_desks_have_the_defaults_of_the_contract():
    options = OptionsConfig(venue="ib").model_dump()
    assert options == {
        "venue": "ib",
        "auto_close_on_assignment": True,
        "on_partial_assignment": "strategy",
        "close_at_dte": 1,
        "reconcile_seconds": 30,
        "missing_leg_seconds": 45,
        "exit": {"reprice_seconds": 5, "max_slippage": Decimal("0.10"), "escalate": "alarm"},
        "strategies": (),
    }
    assert AllocationConfig(venue="b").model_dump() == {
        "venue": "b",
        "z_score_window": 100,
        "z_score_interval": "1m",
        "z_score_of": "price",
        "z_score_exit": Decimal(0),
        "scale_to_full": False,
        "parameter_sets": (),
    }


def test_a_toml_float_means_what_is_written_not_its_binary_value():
    text = "[venues.k]\nkind='ccxt'\n[[assignment_managers]]\nvenue='k'\nslippage_buffer = 0.1\n"
    assert load_text(text, file="x").assignment_managers[0].slippage_buffer == Decimal("0.1")
    assert AssignmentManager(venue="k", slippage_buffer=0.1).slippage_buffer == Decimal("0.1")


def test_connectors_map_to_the_ccxt_ids_of_the_contract():
    assert {c.value: c.ccxt_id for c in Connector} == {
        "kraken_perpetual": "krakenfutures",
        "binance_perpetual": "binanceusdm",
        "okx_perpetual": "okx",
        "bybit_perpetual": "bybit",
        "binance": "binance",
    }


def test_in_paper_mode_a_bare_binance_for_allocation_is_a_keyless_spot_venue():
    config = load_text("[allocation]\nvenue = 'binance'\n", file="x")
    venue = config.venues["binance"]
    assert isinstance(venue, CcxtVenue)
    assert venue.connector_name.is_spot
    assert venue.references == ()


def test_a_config_can_be_built_from_models():
    config = Config(allocation=AllocationConfig(venue="binance"))
    assert "binance" in config.venues


def test_a_config_is_frozen():
    config = Config()
    with pytest.raises(ValidationError):
        config.armed = False


def test_barriers_beside_a_time_limit_of_zero_are_taken():
    assert AssignmentManager(venue="k", stop_loss_pct="0.05").time_limit == 0


@pytest.mark.parametrize(
    "endpoint", ["", "http://127.0.0.1:8080", "https://fake", "http://[::1]:9", "http://h:1/"]
)
def test_an_endpoint_is_scheme_host_and_port(endpoint):
    assert CcxtVenue(kind="ccxt", endpoint=endpoint).endpoint == endpoint.removesuffix("/")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_every_field_says_what_a_form_needs(section: type[BaseModel]):
    for name, info in section.model_fields.items():
        field = described(info)
        assert field.label, name
        assert field.help.endswith("."), name
        assert field.group, name


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_every_plain_field_says_what_is_allowed(section: type[BaseModel]):
    tables = {"engine", "alerts", "venues", "options", "exit", "allocation", "terminal"}
    for name, info in section.model_fields.items():
        assert described(info).allowed or name in tables, name


def test_a_field_is_found_through_tables_lists_and_kinds_of_venue():
    raw = {"venues": {"k": {"kind": "ccxt"}, "i": {"kind": "ib"}}}
    assert field_at(("venues", "k", "api_key"), raw).secret
    assert field_at(("venues", "i", "port"), raw).noun == "a port"
    assert field_at(("options", "strategies", 3, "legs", 1, "right"), raw).choices == ("P", "C")
    assert field_at(("assignment_managers", 0, "trading_pairs", 2), raw).label == "Trading pairs"
    assert field_at(("nothing", 0, "here"), raw).label == ""
    assert model_at(("options", "exit"), raw) is ExitConfig
    assert model_at(("venues", "none"), raw) is None
