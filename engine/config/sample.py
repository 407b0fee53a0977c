"""The commented config a newcomer starts from; it says what the manual's example says."""

from __future__ import annotations

from typing import Final

SAMPLE: Final = """\
# Bulkhead. Secrets never stand in this file: write env:NAME, file:PATH (mode 0600) or
# keyring:SERVICE/NAME. `bulkhead check` names every fault with its line.

mode = "paper"                          # simulated fills on real market data; "live": real orders
armed = true                            # false: detect, alert, show the orders; send none

[engine]
state_dir = "~/.local/state/bulkhead"   # journal, log, socket; made readable by you alone

[alerts]
urls = ["env:BULKHEAD_ALERT_URL"]       # apprise URLs, or references to them

[venues.ibkr]
kind = "ib"
host = "127.0.0.1"
port = 4002                             # Gateway: 4002 paper, 4001 live; TWS: 7497 paper, 7496 live
client_id = 17                          # no other program on this TWS may use the same
accounts = ["DU1234567"]

[venues.kraken]
kind = "ccxt"
connector_name = "kraken_perpetual"     # or binance_, okx_, bybit_perpetual; "binance" is spot
api_key = "env:KRAKEN_KEY"
secret = "env:KRAKEN_SECRET"
sandbox = false
endpoint = ""                           # scheme://host:port that replaces every host

[options]
venue = "ibkr"
auto_close_on_assignment = true
on_partial_assignment = "strategy"      # or "units": close only as many units as were assigned
close_at_dte = 1                        # days to expiration
reconcile_seconds = 30

[[options.strategies]]
id = "SPY-IC-1"
kind = "iron_condor"
underlying = "SPY"
legs = [                                # negative is sold
  { right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 },
  { right = "P", strike = "435", expiry = "2026-12-18", quantity = 2 },
  { right = "C", strike = "460", expiry = "2026-12-18", quantity = -2 },
  { right = "C", strike = "465", expiry = "2026-12-18", quantity = 2 },
]

[[assignment_managers]]
venue = "kraken"
trading_pairs = ["BTC-USD", "ETH-USD", "SOL-USD"]
all_trading_pairs = false
order_type = "MARKET"                   # or "LIMIT"
close_percent = "100"                   # of the assigned quantity
slippage_buffer = "0.001"               # a fraction: 0.1% past the touch
max_order_age = 60                      # seconds, then cancelled and priced anew
time_limit = 0                          # 0 closes at once; more seconds: held between the barriers
stop_loss_pct = "0.05"                  # these four are optional fractions
take_profit_pct = "0.10"
trailing_stop_activation_pct = "0.03"
trailing_stop_trailing_delta_pct = "0.01"

[allocation]
venue = "binance"                       # paper mode needs no table for it: public data, no keys
z_score_window = 100                    # bars
z_score_interval = "1m"

[[allocation.parameter_sets]]
symbol = "BTCUSDT"
allocation_percent = "33.3"             # of the whole account
z_score_threshold = "5.0"
profit_percent = "15.0"
stop_loss_percent = "2"
"""
