"""What of the terminal's own choices cannot be followed. Only the terminal knows which actions and
palettes there are, so `bulkhead check` asks it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.config import ConfigError, Fault
from engine.config.load import located, parse, read_text
from engine.config.locate import toml_places
from engine.config.model.base import Problem
from engine.config.terminal import PALETTES


def terminal_problems(raw: Mapping[str, Any], file: Path) -> list[Problem]:
    """Find keys that no action has, keys that two would have, and palettes there are none of; raw
    is the whole config, which may be faulty."""
    from tui.keys import keymap_of
    from tui.palettes import names_with

    terminal = _table(raw.get("terminal"))
    keys = {name: one for name, one in _table(terminal.get("keys")).items() if isinstance(one, str)}
    problems = [
        Problem(("terminal", "keys", fault.action_id), fault.text, fault.allowed)
        for fault in keymap_of(keys)[1]
    ]
    chosen = terminal.get("palette")
    if isinstance(chosen, str) and chosen:
        names = names_with(file.absolute().parent / PALETTES)
        if chosen not in names:
            text = f"there is no palette {chosen}"
            problems.append(Problem(("terminal", "palette"), text, ", ".join(names)))
    return problems


def palette_faults(file: Path) -> list[Fault]:
    """Find what is wrong with a person's own palettes, each with its file and line."""
    from tui.palettes import from_folder

    found: list[Fault] = []
    for fault in from_folder(file.absolute().parent / PALETTES)[1]:
        try:
            text = read_text(fault.file)
            raw = parse(text, str(fault.file))
            problem = Problem(fault.key, fault.text)
            found += located([problem], toml_places(text), raw, str(fault.file))
        except ConfigError as error:
            found += error.faults
    return found


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
