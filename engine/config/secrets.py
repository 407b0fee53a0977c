"""Secret references: env:NAME, file:PATH and keyring:SERVICE/NAME. The file holds no secret itself.

A SecretRef holds only where a secret is; the one exception, an alert URL written out in full, shows
its scheme alone.
"""

from __future__ import annotations

import importlib
import os
import re
import stat
from enum import StrEnum
from pathlib import Path
from typing import Final

from engine.config.errors import SecretError
from engine.config.files import NotRegularError, read_regular
from engine.config.text import plain

ALLOWED: Final = "env:NAME, file:PATH or keyring:SERVICE/NAME"
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://\S*")
_LARGEST_FILE = 64 * 1024


class SecretKind(StrEnum):
    """Where a secret is kept; PLAIN is an alert URL written out in the config file."""

    ENV = "env"
    FILE = "file"
    KEYRING = "keyring"
    PLAIN = "plain"


class SecretRef:
    """A pointer to a secret. Neither repr() nor str() ever shows a secret.

    `written` is the reference as it stands in the file, for saving; a PLAIN alert URL in full.
    """

    __slots__ = ("_folder", "_target", "_written", "kind")

    def __init__(self, kind: SecretKind, target: str, written: str, folder: Path) -> None:
        self.kind: Final = kind
        self._target = target
        self._written = written
        self._folder = folder

    @classmethod
    def parse(cls, text: str, folder: Path | None = None) -> SecretRef:
        """Read a reference; a relative file: path starts at folder.

        Raises ValueError, whose text completes "... is" and never quotes the input.
        """
        scheme, _, target = text.partition(":")
        match scheme:
            case "env" if _ENV_NAME.fullmatch(target):
                kind = SecretKind.ENV
            case "file" if target and "\0" not in target:
                kind = SecretKind.FILE
            case "keyring" if all(target.partition("/")) and target.isprintable():
                kind = SecretKind.KEYRING
            case "env" | "file" | "keyring":
                raise ValueError(f"is not a well formed {scheme}: reference")
            case _:
                raise ValueError("is a plain secret, which must not stand in this file")
        return cls(kind, target, text, folder or Path())

    @classmethod
    def parse_alert_url(cls, text: str, folder: Path | None = None) -> SecretRef:
        """Read a reference, or an apprise URL, which is kept but never shown."""
        if _URL.fullmatch(text) and text.isprintable():
            return cls(SecretKind.PLAIN, text, text, Path())
        try:
            return cls.parse(text, folder)
        except ValueError as error:
            if "plain" in str(error):
                raise ValueError("is not an apprise URL") from None
            raise

    @property
    def written(self) -> str:
        """The reference as written in the file."""
        return self._written

    def resolve(self) -> str:
        """Fetch the secret now. Raises SecretError, whose text names the reference only."""
        match self.kind:
            case SecretKind.ENV:
                secret = os.environ.get(self._target, "")
                if not secret:
                    raise SecretError(f"{self}: the environment variable is not set or empty")
                return secret
            case SecretKind.FILE:
                return self._from_file()
            case SecretKind.KEYRING:
                return self._from_keyring()
            case SecretKind.PLAIN:
                return self._target

    def _from_file(self) -> str:
        try:
            content, about = read_regular(self._path(), _LARGEST_FILE)
        except NotRegularError as error:
            raise SecretError(f"{self}: {error}") from None
        except OSError as error:
            raise SecretError(f"{self}: cannot be opened: {error.strerror}") from None
        mode = stat.S_IMODE(about.st_mode)
        if about.st_uid != os.geteuid():
            raise SecretError(f"{self}: belongs to another user")
        if mode & ~0o600:
            raise SecretError(f"{self}: has mode {mode:04o}; allowed: 0600 or stricter")
        if len(content) > _LARGEST_FILE:
            raise SecretError(f"{self}: is larger than {_LARGEST_FILE} bytes")
        try:
            secret = content.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise SecretError(f"{self}: is not UTF-8 text") from None
        if not secret:
            raise SecretError(f"{self}: is empty")
        return secret

    def _path(self) -> Path:
        try:
            return self._folder / Path(self._target).expanduser()
        except RuntimeError:
            raise SecretError(f"{self}: that home folder is not known") from None

    def _from_keyring(self) -> str:
        try:
            keyring = importlib.import_module("keyring")
            failure = importlib.import_module("keyring.errors").KeyringError
        except ImportError:
            raise SecretError(
                f"{self}: the keyring package is not installed; install it, or use env: or file:"
            ) from None
        service, _, name = self._target.partition("/")
        try:
            secret = keyring.get_password(service, name)
        except failure as error:
            raise SecretError(f"{self}: the keyring refused: {type(error).__name__}") from None
        if not secret:
            raise SecretError(f"{self}: the keyring has no such entry")
        return str(secret)

    def __str__(self) -> str:
        if self.kind is SecretKind.PLAIN:
            return f"{self._target.partition('://')[0]}://***"
        return plain(self._written)

    def __repr__(self) -> str:
        return f"SecretRef({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretRef):
            return NotImplemented
        return (self.kind, self._target, self._folder) == (
            other.kind,
            other._target,
            other._folder,
        )

    def __hash__(self) -> int:
        return hash((self.kind, self._target, self._folder))
