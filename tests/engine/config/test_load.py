"""A config file is read whole, or every fault in it is named with its line."""

import os
from pathlib import Path

import pytest

from engine.config import ConfigError, PathError, SaveError, SecretError, load, load_text
from engine.errors import InputError

TEN = """\
# ten faults, and a table in a comment: [venues.ibkr]
mode = "papper"

[venues.ibkr]
kind = "ib"
port = 99999
accounts = ["DU1"]

[venues.kraken]
kind = "ccxt"
api_key = "abc123plain"
secrt = "env:X"
endpoint = "localhost:80"

[options]
venue = "ibrk"

[[options.strategies]]
id = "SPY-1"
kind = "vertical"
underlying = "SPY"
legs = [
  # brackets ] } in a comment
  { right = "P", strike = "440", expiry = "2026-02-30", quantity = -2 },
  { right = "P", strike = "x]", expiry = "2026-12-18", quantity = 2 } ]

[[assignment_managers]]
venue = "kraken"
close_percent = 100.5
note = \"\"\"
port = 1
[options]
\"\"\"

[[allocation.parameter_sets]]
symbol = "BTCUSDT"
allocation_percent = "60"
z_score_threshold = "5"
profit_percent = "15"
"""


def test_ten_faults_in_one_file_are_all_named_on_their_lines(faults):
    found = {(fault.line, fault.field) for fault in faults(TEN)}
    assert found == {
        (2, "mode"),
        (6, "venues.ibkr.port"),
        (11, "venues.kraken.api_key"),
        (12, "venues.kraken.secrt"),
        (13, "venues.kraken.endpoint"),
        (16, "options.venue"),
        (24, "options.strategies[0].legs[0].expiry"),
        (25, "options.strategies[0].legs[1].strike"),
        (29, "assignment_managers[0].close_percent"),
        (30, "assignment_managers[0].note"),
        (35, "allocation.venue"),
        (35, "allocation.parameter_sets[0].stop_loss_percent"),
    }


def test_faults_print_one_plain_line_each_in_the_order_of_the_file(faults):
    lines = [str(fault) for fault in faults(TEN)]
    assert lines[1] == "bulkhead.toml:6: venues.ibkr.port: 99999 is not a port; allowed: 1 to 65535"
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)
    assert not any("\n" in line for line in lines)


def test_a_plain_secret_is_refused_and_never_shown(faults):
    text = "\n".join(str(fault) for fault in faults(TEN))
    assert "abc123plain" not in text
    assert "env:NAME, file:PATH or keyring:SERVICE/NAME" in text


IB = '[venues.ib]\nkind = "ib"\naccounts = ["DU1"]\n'
KRAKEN = '[venues.k]\nkind = "ccxt"\nconnector_name = "kraken_perpetual"\n'
SPOT = '[venues.b]\nkind = "ccxt"\nconnector_name = "binance"\n'
MANAGER = KRAKEN + '[[assignment_managers]]\nvenue = "k"\n'
OPTIONS = IB + '[options]\nvenue = "ib"\n'
ALLOCATION = SPOT + '[allocation]\nvenue = "b"\n'
SET = """[[allocation.parameter_sets]]
symbol = "BTCUSDT"
allocation_percent = "50"
z_score_threshold = 5.0
profit_percent = 15
stop_loss_percent = "2"
"""
STRATEGY = """[[options.strategies]]
id = "A"
kind = "single"
underlying = "SPY"
legs = [{ right = "P", strike = 440, expiry = 2026-12-18, quantity = -2 }]
"""

SINGLE = [
    ("armd = true", 1, "armd", "did you mean armed?"),
    ("[engin]\nstate_dir = '/x'", 1, "engin", "did you mean engine?"),
    ("[engine]\nmode = 'live'", 2, "engine.mode", "above the first [table]"),
    ("armed = 1", 1, "armed", "true or false"),
    ("mode = 5", 1, "mode", "paper, live"),
    ("engine = 5", 1, "engine", "not a table"),
    ("[engine]\nstate_dir = '~nobody-here/x'", 2, "engine.state_dir", "home folder"),
    (f"[engine]\nstate_dir = '/{'x' * 120}'", 2, "engine.state_dir", "107"),
    ("[alerts]\nurls = 'x'", 2, "alerts.urls", "not a list"),
    ("[alerts]\nurls = ['env:A',\n\n 'not a url']", 4, "alerts.urls[1]", "apprise"),
    ("venues = 3", 1, "venues", "not a table"),
    ("[venues.x]\n\nkind = 'fix'", 3, "venues.x.kind", "ib, ccxt"),
    ("\n[venues.x]\nhost = 'a'", 2, "venues.x.kind", "is missing"),
    ("[venues.'a b']\nkind = 'ib'\naccounts = ['DU1']", 1, 'venues."a b"', "venue name"),
    (IB + "port = 0", 4, "venues.ib.port", "1 to 65535"),
    (IB + "port = '4002'", 4, "venues.ib.port", '"4002" is not a port'),
    (IB + "port = 4002.0", 4, "venues.ib.port", "is not a port"),
    (IB + "port = true", 4, "venues.ib.port", "true is not a port"),
    (IB + "client_id = -1", 4, "venues.ib.client_id", "client id"),
    (IB + "host = 'a b'", 4, "venues.ib.host", "is not a host"),
    ("[venues.ib]\nkind = 'ib'", 1, "venues.ib.accounts", "is missing"),
    ("[venues.ib]\nkind = 'ib'\naccounts = []", 3, "venues.ib.accounts", "is empty"),
    ("[venues.ib]\nkind='ib'\naccounts=['A','A']", 3, "venues.ib.accounts[1]", "twice"),
    (KRAKEN + "api_key = 12345", 4, "venues.k.api_key", "secret reference"),
    (KRAKEN + "secret = 'env:1X'", 4, "venues.k.secret", "env: reference"),
    (KRAKEN + "secret = 'keyring:only'", 4, "venues.k.secret", "keyring: reference"),
    (KRAKEN + "endpoint = 'http://h:99999'", 4, "venues.k.endpoint", "http://host:port"),
    (KRAKEN + "endpoint = 'http://u:p@h:1'", 4, "venues.k.endpoint", "http://host:port"),
    (KRAKEN.replace("kraken_p", "krakn_p"), 3, "venues.k.connector_name", "did you mean kraken"),
    (OPTIONS + "close_at_dte = -1", 6, "options.close_at_dte", "0 to 365"),
    (OPTIONS + "on_partial_assignment = 'unit'", 6, "options.on_partial_assignment", "units"),
    (OPTIONS + "exit.escalate = 'cry'", 6, "options.exit.escalate", "market, alarm"),
    (KRAKEN + "[options]\nvenue = 'k'", 5, "options.venue", "not of kind ib"),
    (
        OPTIONS + STRATEGY + "venue_account = 'DU9'",
        11,
        "options.strategies[0].venue_account",
        "DU1",
    ),
    (OPTIONS + STRATEGY + STRATEGY, 12, "options.strategies[1].id", "earlier strategy"),
    (OPTIONS + STRATEGY.replace('"A"', '"../A"'), 7, "options.strategies[0].id", "strategy id"),
    (OPTIONS + STRATEGY + "shares = 5", 11, "options.strategies[0].shares", "single"),
    (OPTIONS + STRATEGY.replace("-2 }", "0 }"), 10, "options.strategies[0].legs[0].quantity", "0"),
    (
        OPTIONS + STRATEGY.replace("440", "nan"),
        10,
        "options.strategies[0].legs[0].strike",
        "strike",
    ),
    (OPTIONS + STRATEGY.replace('"P"', '"put"'), 10, "options.strategies[0].legs[0].right", "P, C"),
    (MANAGER + "order_type = 'market'", 6, "assignment_managers[0].order_type", "MARKET, LIMIT"),
    (MANAGER + "trading_pairs = ['BTCUSD']", 6, "assignment_managers[0].trading_pairs[0]", "BASE"),
    (MANAGER + "trading_pairs = []", 6, "assignment_managers[0].trading_pairs", "is empty"),
    (MANAGER + "stop_loss_pct = '5%'", 6, "assignment_managers[0].stop_loss_pct", "fraction"),
    (MANAGER + "stop_loss_pct = 1", 6, "assignment_managers[0].stop_loss_pct", "less than 1"),
    (
        MANAGER + "trailing_stop_activation_pct = '0.1'",
        4,
        "assignment_managers[0].trailing_stop_trailing_delta_pct",
        "needs both",
    ),
    (MANAGER + MANAGER[len(KRAKEN) :], 6, "assignment_managers[1].trading_pairs", "two managers"),
    ("[[assignment_managers]]\nvenue='k'", 2, "assignment_managers[0].venue", "names no venue"),
    (SPOT + "[[assignment_managers]]\nvenue='b'", 5, "assignment_managers[0].venue", "spot"),
    (KRAKEN + "[allocation]\nvenue = 'k'", 5, "allocation.venue", "trades spot"),
    (ALLOCATION + "z_score_window = 9", 6, "allocation.z_score_window", "10 to 10000"),
    (ALLOCATION + "z_score_interval = '7m'", 6, "allocation.z_score_interval", "1m, 3m"),
    (ALLOCATION + SET + SET, 13, "allocation.parameter_sets[1].symbol", "already"),
    (
        ALLOCATION + SET.replace('"50"', "50.01") + SET.replace("BTC", "ETH"),
        6,
        "allocation.parameter_sets",
        "100.01 percent",
    ),
    (
        ALLOCATION + "z_score_exit = 6\n" + SET,
        10,
        "allocation.parameter_sets[0].z_score_threshold",
        "more than 6",
    ),
    ("mode = 'live'\n" + MANAGER + "[engine]", 2, "venues.k.api_key", "live orders need it"),
    ("mode = 'live'\n[allocation]\nvenue = 'binance'", 3, "allocation.venue", "names no venue"),
]


@pytest.mark.parametrize(
    ("text", "line", "field", "said"), SINGLE, ids=[str(i) for i in range(len(SINGLE))]
)
def test_one_fault_is_named_with_its_line_and_what_is_allowed(faults, text, line, field, said):
    found = [fault for fault in faults(text) if fault.field == field]
    assert len(found) == 1, [str(fault) for fault in faults(text)]
    assert found[0].line == line
    assert said in str(found[0])


@pytest.mark.parametrize("text", [IB, MANAGER, ALLOCATION + SET, OPTIONS + STRATEGY, ""])
def test_the_pieces_of_the_table_above_are_sound_themselves(faults, text):
    assert faults(text) == []


SYNTAX = [
    ("a = 1\nb 2\n", 2, "expected '='"),
    ('a = 1\n\nb = "x\nc = 2\n', 3, 'this " is never closed'),
    ("a = 1\nlegs = [\n 1,\n 2\n", 2, "this [ is never closed"),
    ('a = 1\nb = """\nx\n', 2, 'this """ is never closed'),
    ("[engine\nb = 1", 1, "expected ']'"),
    ("a = " + "[" * 100_000, None, "nested too deeply"),
    ("\na = " + "9" * 5000, 2, "too many digits"),
    ("a = 2026-13-01", 1, "expected newline"),
]


@pytest.mark.parametrize(("text", "line", "said"), SYNTAX, ids=[said for _, _, said in SYNTAX])
def test_a_syntax_fault_is_named_on_the_line_where_it_starts(faults, text, line, said):
    (fault,) = faults(text)
    assert fault.line == line
    assert said in fault.problem


def test_a_key_written_twice_is_named_at_its_second_place(faults):
    found = faults("[engine]\nx = [\n 1,\n]\n\nx = [\n 1,\n 2,\n]\nb = 1\n[engine]\n")
    assert [(f.line, f.field) for f in found] == [(6, "engine.x"), (11, "engine")]
    assert "first on line 2" in found[0].problem


def test_windows_line_ends_and_a_byte_order_mark_do_not_move_lines(faults):
    (fault,) = faults("\ufeffarmed = true\r\n\r\nmode = 'x'\r\n")
    assert (fault.line, fault.column) == (3, 8)


def test_hostile_text_is_escaped_in_messages(faults):
    text = 'mode = "\\u001b]52;c;x\\u0007\\u202e"\n"\\u001bkey\\n" = 1\n'
    said = "\n".join(str(fault) for fault in faults(text))
    assert said.count("\n") == 1
    assert all(ch.isprintable() or ch == "\n" for ch in said)
    assert "\\x1b]52" in said
    assert "\\u202e" in said


def test_a_number_of_ten_thousand_hex_digits_is_only_called_huge(faults):
    (fault,) = faults(IB + "port = 0x" + "f" * 10_000)
    assert fault.problem == "a huge number is not a port"


@pytest.mark.parametrize(
    "number", ["1e400", "-inf", "nan", "1e99999999999999999999", "'1_0'", "''"]
)
def test_a_number_beyond_reason_is_not_a_percent(faults, number):
    (fault,) = faults(MANAGER + f"close_percent = {number}")
    assert fault.line == 6
    assert "is not a percent" in fault.problem


def test_a_missing_file_is_one_fault_without_a_line(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml")
    (fault,) = caught.value.faults
    assert fault.line is None
    assert str(fault).endswith("none.toml: does not exist") or "does not exist" in fault.problem


def test_a_folder_a_pipe_and_a_huge_file_are_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"#" * (1024 * 1024 + 1))
    for name, said in [("", "regular file"), ("pipe", "regular file"), ("huge", "larger than")]:
        with pytest.raises(ConfigError, match=said):
            load(tmp_path / name)


def test_bytes_that_are_not_utf8_are_named_with_line_and_column(tmp_path: Path):
    file = tmp_path / "b.toml"
    file.write_bytes(b"# x\narmed = '\xff'\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (2, 10)
    assert "0xff" in fault.problem


def test_relative_paths_start_at_the_config_file(tmp_path: Path):
    file = tmp_path / "b.toml"
    file.write_text("[engine]\nstate_dir = 'state'\n")
    assert load(file).engine.state_dir == tmp_path / "state"


def test_live_mode_can_be_turned_to_paper_from_outside():
    text = "mode = 'live'\n" + MANAGER
    with pytest.raises(ConfigError):
        load_text(text, file="x")
    assert load_text(text, file="x", paper=True).mode == "paper"


def test_every_error_of_the_config_is_bad_input_to_the_house():
    for error in (ConfigError, PathError, SaveError, SecretError):
        assert issubclass(error, InputError)
