"""Where the config, journal, socket, log and lock are. Makes the state directory private."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from engine.config.errors import PathError
from engine.config.text import plain

DEFAULT_STATE_DIR: Final = "~/.local/state/bulkhead"
LONGEST_SOCKET_PATH: Final = 107
"""Bytes a Unix socket path may have on Linux (sun_path less its NUL). Source: unix(7)."""
_SOCKET_NAME = "bulkhead.sock"


def expanded(text: str, folder: Path | None = None) -> Path:
    """Expand ~ and start a relative path at folder. Raises ValueError saying what is wrong."""
    if not text or "\0" in text:
        raise ValueError("is not a path")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError("names a home folder that is not known") from None
    return Path(os.path.normpath((folder or Path()).absolute() / path))


def default_config_path() -> Path:
    """Give $XDG_CONFIG_HOME/bulkhead/bulkhead.toml, or the same below ~/.config. It need not exist.

    A relative XDG_CONFIG_HOME is ignored. Source: XDG Base Directory Specification 0.8.
    """
    home = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path.home() / ".config"
    return base / "bulkhead" / "bulkhead.toml"


def default_state_dir() -> Path:
    """Give the state directory a config without [engine] has."""
    return expanded(DEFAULT_STATE_DIR)


def socket_path_problem(state_dir: Path) -> str:
    """Say why a state directory cannot hold the engine's socket; empty when it can."""
    length = len(os.fsencode(state_dir / _SOCKET_NAME))
    if length <= LONGEST_SOCKET_PATH:
        return ""
    return f"makes a socket path of {length} bytes; a Unix socket allows {LONGEST_SOCKET_PATH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePaths:
    """The files of one engine."""

    state_dir: Path
    socket: Path
    journal: Path
    log: Path
    lock: Path

    @classmethod
    def of(cls, state_dir: Path) -> Self:
        """Lay out a state directory. Raises PathError when the socket path would be too long."""
        problem = socket_path_problem(state_dir)
        if problem:
            raise PathError(f"{plain(str(state_dir))}: {problem}")
        return cls(
            state_dir=state_dir,
            socket=state_dir / _SOCKET_NAME,
            journal=state_dir / "journal.sqlite",
            log=state_dir / "bulkhead.log",
            lock=state_dir / "bulkhead.lock",
        )

    def prepare(self) -> None:
        """Make the state directory and set its mode to 0700. Raises PathError."""
        name = plain(str(self.state_dir))
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            about = self.state_dir.stat()
            if about.st_uid != os.geteuid():
                raise PathError(f"{name}: belongs to another user")
            if stat.S_IMODE(about.st_mode) != 0o700:
                self.state_dir.chmod(0o700)
        except FileExistsError:
            raise PathError(f"{name}: is not a folder") from None
        except OSError as error:
            raise PathError(f"{name}: cannot be used: {error.strerror}") from None
