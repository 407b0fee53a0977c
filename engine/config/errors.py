"""The errors of the config: the input is bad, so it is refused, in plain lines, no traceback.

InputError
    ConfigError          faults in bulkhead.toml or in a parameter-set file
    SecretError          a secret reference leads nowhere, or to something unsafe
    SaveError            an edit cannot be written
        FileChangedError the file changed on disk since it was read
    PathError            the state directory or the socket path cannot be used
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.config.text import plain
from engine.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in one file. line and column are 1-based, None when there is no place."""

    file: str
    line: int | None
    column: int | None
    field: str
    problem: str
    allowed: str = ""

    def __str__(self) -> str:
        place = plain(self.file) if self.line is None else f"{plain(self.file)}:{self.line}"
        field = f" {self.field}:" if self.field else ""
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{place}:{field} {self.problem}{allowed}"


class ConfigError(InputError):
    """Every fault of a file at once, in the order of its lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        ordered = sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))
        self.faults: tuple[Fault, ...] = tuple(ordered)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SecretError(InputError):
    """A secret could not be had. The text names the reference, never the secret."""


class SaveError(InputError):
    """An edit was not written; the file on disk is as it was."""


class FileChangedError(SaveError):
    """Somebody else changed the file after it was read, so writing would undo their change."""


class PathError(InputError):
    """A file or folder the engine needs cannot be used as it stands."""
