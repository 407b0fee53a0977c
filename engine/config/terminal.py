"""The terminal's own choices, read alone: a fault elsewhere in the file is no reason to draw in
other colours, and a fault among them is said in the terminal and not followed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from engine.config.errors import ConfigError
from engine.config.explain import explained
from engine.config.load import located, parse, read_text
from engine.config.locate import toml_places
from engine.config.model.base import Problem
from engine.config.model.terminal import TerminalConfig

PALETTES: Final = "palettes"
"""The folder of a person's own palettes, beside the config file."""


def read_terminal(path: Path) -> tuple[TerminalConfig, tuple[str, ...]]:
    """Read [terminal] of a file that may be faulty or not there; returns it and, in words, what is
    wrong with it. Where something is, the defaults hold."""
    if not path.exists():
        return TerminalConfig(), ()
    try:
        text = read_text(path).removeprefix("\ufeff")
        raw = parse(text, str(path))
    except ConfigError as error:
        return TerminalConfig(), tuple(str(fault) for fault in error.faults)
    chosen = raw.get("terminal", {})
    try:
        return TerminalConfig.model_validate(chosen), ()
    except ValidationError as error:
        problems = [
            Problem(("terminal", *one.path), one.text, one.allowed)
            for one in explained(error, chosen, TerminalConfig)
        ]
    faults = located(problems, toml_places(text), raw, str(path))
    return TerminalConfig(), tuple(str(fault) for fault in faults)
