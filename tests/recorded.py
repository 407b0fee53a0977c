"""Where recorded venue messages lie, beside the project or where BULKHEAD_DATA says."""

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
TWS_RECORDED = Path(os.environ.get("BULKHEAD_DATA", _BESIDE)) / "tws_recorded.txt"
