"""bulkhead.toml: its models, its faults in plain words, its secrets, paths and safe edits.

`engine.config.save` and `engine.config.parameter_sets` are imported by those who need them.
"""

from engine.config.errors import (
    ConfigError,
    Fault,
    FileChangedError,
    PathError,
    SaveError,
    SecretError,
)
from engine.config.load import load, load_text
from engine.config.model import Config
from engine.config.paths import StatePaths, default_config_path, default_state_dir
from engine.config.sample import SAMPLE
from engine.config.secrets import SecretRef

__all__ = [
    "SAMPLE",
    "Config",
    "ConfigError",
    "Fault",
    "FileChangedError",
    "PathError",
    "SaveError",
    "SecretError",
    "SecretRef",
    "StatePaths",
    "default_config_path",
    "default_state_dir",
    "load",
    "load_text",
]
