"""The whole of bulkhead.toml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import ValidationInfo, model_validator

from engine.config.model.allocation import AllocationConfig
from engine.config.model.base import (
    SWITCH,
    AlertUrl,
    Folder,
    Section,
    Switch,
    entry,
    problems_error,
)
from engine.config.model.checks import cross_problems, with_implied_venue
from engine.config.model.options import OptionsConfig
from engine.config.model.perps import AssignmentManager
from engine.config.model.terminal import TerminalConfig
from engine.config.model.venues import Venue
from engine.config.paths import StatePaths, default_state_dir


class Mode(StrEnum):
    """Whether fills are simulated or orders are real."""

    PAPER = "paper"
    LIVE = "live"


class EngineConfig(Section):
    """The engine itself."""

    state_dir: Folder = entry(
        default_factory=default_state_dir,
        label="State folder",
        help="Holds the journal, the log and the socket; made readable by you alone.",
        group="Engine",
        noun="a path",
        allowed="a folder, ~ for your home",
    )

    @property
    def paths(self) -> StatePaths:
        """The engine's files. Raises PathError when the socket path would be too long."""
        return StatePaths.of(self.state_dir)


class AlertsConfig(Section):
    """Where alerts go besides the screen."""

    urls: tuple[AlertUrl, ...] = entry(
        (),
        label="Alert URLs",
        help="Apprise URLs, or references to them.",
        group="Alerts",
        noun="an alert URL",
        allowed="env:NAME, file:PATH, keyring:SERVICE/NAME or an apprise URL",
        secret=True,
        max_length=50,
    )


class Config(Section):
    """Everything bulkhead.toml says."""

    mode: Mode = entry(
        Mode.PAPER,
        label="Mode",
        help="paper simulates fills on real market data; live sends real orders.",
        group="General",
        noun="a mode",
        choices=tuple(Mode),
    )
    armed: Switch = entry(
        True,
        label="Armed",
        help="Disarmed: detect, alert and show the orders, send none.",
        group="General",
        **SWITCH,
    )
    engine: EngineConfig = entry(
        default_factory=EngineConfig,
        label="Engine",
        help="Where the engine keeps its files.",
        group="Engine",
    )
    alerts: AlertsConfig = entry(
        default_factory=AlertsConfig,
        label="Alerts",
        help="Where alerts go besides the screen.",
        group="Alerts",
    )
    venues: Mapping[str, Venue] = entry(
        default_factory=dict,
        label="Venues",
        help="The brokers and exchanges, each under a name of your own.",
        group="Venues",
        noun="a venue",
    )
    options: OptionsConfig | None = entry(
        None,
        label="Options",
        help="The options desk; leave out to do without.",
        group="Options",
    )
    assignment_managers: tuple[AssignmentManager, ...] = entry(
        (),
        label="Assignment managers",
        help="One for each venue, or for each group of pairs.",
        group="Assignment managers",
        noun="an assignment manager",
        allowed="at most 100 managers",
        max_length=100,
    )
    allocation: AllocationConfig | None = entry(
        None,
        label="Allocation",
        help="The allocation desk; leave out to do without.",
        group="Allocation",
    )
    terminal: TerminalConfig = entry(
        default_factory=TerminalConfig,
        label="Terminal",
        help="How the terminal looks, sounds and is worked.",
        group="Terminal",
    )

    @model_validator(mode="before")
    @classmethod
    def _imply_venue(cls, raw: Any) -> Any:
        return with_implied_venue(raw) if isinstance(raw, Mapping) else raw

    @model_validator(mode="after")
    def _sections_agree(self, info: ValidationInfo) -> Self:
        problems = cross_problems(self.model_dump(), (info.context or {}).get("folder"))
        if problems:
            raise problems_error(problems)
        return self
