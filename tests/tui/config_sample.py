"""A config as a real engine draws and judges it."""

import atexit
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.service.settings import Edit, Settings
from tui.link import Change

TEXT = """\
mode = "paper"
armed = true
[engine]
state_dir = "/home/me/state"
[alerts]
urls = ["env:BULKHEAD_ALERT_URL"]
[venues.ibkr]
kind = "ib"
port = 4002
accounts = ["DU1234567"]
[venues.kraken]
kind = "ccxt"
connector_name = "kraken_perpetual"
api_key = "env:KRAKEN_KEY"
secret = "env:KRAKEN_SECRET"
[venues.binance]
kind = "ccxt"
connector_name = "binance"
api_key = "env:BINANCE_KEY"
secret = "env:BINANCE_SECRET"
[options]
venue = "ibkr"
close_at_dte = 1
[[options.strategies]]
id = "SPY-IC-1"
kind = "iron_condor"
underlying = "SPY"
legs = [
  { right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 },
  { right = "P", strike = "435", expiry = "2026-12-18", quantity = 2 },
  { right = "C", strike = "460", expiry = "2026-12-18", quantity = -2 },
  { right = "C", strike = "465", expiry = "2026-12-18", quantity = 2 },
]
[[assignment_managers]]
venue = "kraken"
trading_pairs = ["BTC-USD", "ETH-USD"]
order_type = "MARKET"
time_limit = 14400
stop_loss_pct = "0.05"
take_profit_pct = "0.10"
[allocation]
venue = "binance"
z_score_window = 100
[[allocation.parameter_sets]]
symbol = "BTCUSDT"
allocation_percent = "33.3"
z_score_threshold = "5.0"
profit_percent = "15"
stop_loss_percent = "2"
[[allocation.parameter_sets]]
symbol = "BNBUSDT"
allocation_percent = "33.3"
z_score_threshold = "7.0"
profit_percent = "15"
stop_loss_percent = "2"
[[allocation.parameter_sets]]
symbol = "ETHUSDT"
allocation_percent = "33.3"
z_score_threshold = "6.0"
profit_percent = "15"
stop_loss_percent = "2"
[terminal.keys]
log = "L"
"""


def settings_of(folder: Path) -> Settings:
    file = folder / "bulkhead.toml"
    file.write_text(TEXT)
    return Settings(file, lambda fact: None)


_FOLDER = tempfile.TemporaryDirectory()
atexit.register(_FOLDER.cleanup)
_ENGINE = settings_of(Path(_FOLDER.name))
CONFIG: Any = {
    **_ENGINE.read(),
    "path": "/home/me/.config/bulkhead/bulkhead.toml",
    "fingerprint": "f1",
}


def judge(changes: tuple[Change, ...]) -> dict[str, Any]:
    """Answer CheckConfig as the engine does."""
    return _ENGINE.check([Edit(**asdict(change)) for change in changes])
