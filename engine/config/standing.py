"""Where the engine of a config file has its socket, whatever is wrong with the rest of the file:
who broke it must still reach the engine that runs.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from engine.config.errors import ConfigError, PathError
from engine.config.load import read_text
from engine.config.model import Config
from engine.config.paths import StatePaths


def standing_paths(path: Path) -> StatePaths | None:
    """Read [engine] of a faulty file alone; None where even that cannot be read, or where no engine
    has left a socket."""
    try:
        raw = tomllib.loads(_engine_table(read_text(path)))
        paths = Config.model_validate(raw, context={"folder": path.absolute().parent}).engine.paths
    except (ConfigError, PathError, ValidationError, tomllib.TOMLDecodeError):
        return None
    return paths if paths.socket.exists() else None


def _engine_table(text: str) -> str:
    """Cut the lines of [engine] out of text that may be no TOML as a whole."""
    kept, inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            inside = line.replace(" ", "").startswith("[engine]")
        if inside:
            kept.append(line)
    return "\n".join(kept)
