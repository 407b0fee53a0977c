"""A TWS on loopback: the real wire at server version 176, for the unmodified ib_insync.

Start with `LoopbackTws(condor_scene())` in a test, with `tws_process()` or
`python -m tests.fakes.tws` as a process. `policy` and `hours` are modules of helpers.
"""

from tests.fakes.tws import hours, policy
from tests.fakes.tws.policy import CancelAnswer, OrderPolicy, Row
from tests.fakes.tws.records import (
    EndMark,
    ExecutionTiming,
    Instrument,
    MarketDataAccess,
    OptionEvent,
    OrderRecord,
    Position,
    Quote,
    Right,
    Rows,
    Scene,
    Side,
    Status,
    index,
    option,
    stock,
)
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import ACCOUNT, cash_settled_scene, condor_scene, empty_scene
from tests.fakes.tws.server import LoopbackTws

__all__ = [
    "ACCOUNT",
    "Ask",
    "CancelAnswer",
    "EndMark",
    "ExecutionTiming",
    "Instrument",
    "LoopbackTws",
    "MarketDataAccess",
    "OptionEvent",
    "OrderPolicy",
    "OrderRecord",
    "Position",
    "Quote",
    "Right",
    "Row",
    "Rows",
    "Scene",
    "Side",
    "Status",
    "cash_settled_scene",
    "condor_scene",
    "empty_scene",
    "hours",
    "index",
    "option",
    "policy",
    "stock",
]
