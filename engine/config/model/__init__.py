"""The models of bulkhead.toml, one file for each desk."""

from engine.config.model.allocation import (
    INTERVAL_SECONDS,
    AllocationConfig,
    Interval,
    ParameterSet,
    ScoreOf,
)
from engine.config.model.config import AlertsConfig, Config, EngineConfig, Mode
from engine.config.model.options import (
    Escalation,
    ExitConfig,
    Leg,
    OptionsConfig,
    PartialAssignment,
    Strategy,
)
from engine.config.model.perps import AssignmentManager, OrderType
from engine.config.model.shapes import Right, StrategyKind
from engine.config.model.terminal import TerminalConfig
from engine.config.model.venues import CcxtVenue, Connector, IbVenue, Venue

__all__ = [
    "INTERVAL_SECONDS",
    "AlertsConfig",
    "AllocationConfig",
    "AssignmentManager",
    "CcxtVenue",
    "Config",
    "Connector",
    "EngineConfig",
    "Escalation",
    "ExitConfig",
    "IbVenue",
    "Interval",
    "Leg",
    "Mode",
    "OptionsConfig",
    "OrderType",
    "ParameterSet",
    "PartialAssignment",
    "Right",
    "ScoreOf",
    "Strategy",
    "StrategyKind",
    "TerminalConfig",
    "Venue",
]
