"""Edits bulkhead.toml in place: comments and order stay, the write is whole or not at all.

An edit that would make the file invalid is refused before anything is written, and so is one made
on a file that somebody else changed meanwhile.
"""

from __future__ import annotations

import copy
import os
import re
import tempfile
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any, Final

import tomlkit
from pydantic import BaseModel
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable

from engine.config.errors import FileChangedError, SaveError
from engine.config.load import load_text, nested_too_deeply, parse, read_text
from engine.config.model import Config
from engine.config.model.options import Strategy
from engine.config.secrets import SecretRef
from engine.config.text import Path, dotted, plain

_STEP = re.compile(r"(?:^|\.)([A-Za-z0-9_-]+)|\[(\d{1,6})\]", re.ASCII)
_PRIVATE: Final = 0o600
_KEPT: Final = object()


@dataclass(slots=True)
class Document:
    """A config file that is being edited. fingerprint is None for a file that did not exist."""

    path: FilePath
    toml: tomlkit.TOMLDocument
    plain: dict[str, Any]
    fingerprint: str | None

    @property
    def text(self) -> str:
        return tomlkit.dumps(self.toml)


def open_document(path: str | os.PathLike[str]) -> Document:
    """Read a file for editing; a missing one starts empty. Raises ConfigError."""
    target = FilePath(path)
    if not target.exists():
        return Document(target, tomlkit.document(), {}, None)
    text = read_text(target).removeprefix("\ufeff")
    raw = parse(text, str(path))
    try:
        toml = tomlkit.parse(text)
    except TOMLKitError as error:
        raise SaveError(f"{plain(str(path))}: cannot be edited: {plain(str(error))}") from None
    except RecursionError:
        raise nested_too_deeply(str(path)) from None
    return Document(target, toml, raw, _fingerprint(target))


def parse_path(text: str) -> Path:
    """Read `options.strategies[0].id` into its steps. Raises SaveError."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            break
        steps.append(found[1] if found[1] is not None else int(found[2]))
        at = found.end()
    if at < len(text) or not steps or isinstance(steps[0], int):
        raise SaveError(f"{plain(text)}: is not a path of a key")
    return tuple(steps)


def set_value(document: Document, path: str, value: object) -> None:
    """Set one key, making the tables above it; None removes the key, the index after a list's last
    entry adds one. Raises SaveError.

    A Decimal, a date and a secret reference are written as text, so they come back exactly.
    """
    steps = parse_path(path)
    written = _written(value)
    toml, raw = copy.deepcopy(document.toml), copy.deepcopy(document.plain)
    for root in (toml, raw):
        table = _table(root, steps[:-1], steps[-1], make=value is not None)
        if table is not None:
            new = written if root is raw else _in_the_files_way(table, steps[-1], written)
            if new is not _KEPT:
                _put(table, steps, new)
    document.toml, document.plain = toml, raw


def append_strategy(document: Document, strategy: Strategy) -> None:
    """Add a strategy after the last one. Raises SaveError when there is no [options] table."""
    if not isinstance(document.plain.get("options"), dict):
        raise SaveError("options: has no table to add a strategy to")
    fields = _written(strategy)
    count = len(document.plain["options"].get("strategies", ()))
    set_value(document, f"options.strategies[{count}]", fields)


def save(document: Document) -> Config:
    """Check the edit and write it. Returns the Config that now stands in the file.

    Raises ConfigError when the edited text is not a valid config, FileChangedError when the file
    is no longer the one that was read, SaveError when it cannot be written. The file then is as it
    was. Its mode becomes 0600; a symbolic link stays one, and what it points at is replaced.
    """
    text = document.text
    name = str(document.path)
    config = load_text(text, file=name, folder=document.path.absolute().parent)
    if parse(text, name) != document.plain:
        raise SaveError(f"{plain(name)}: the edit does not fit the way the file is written")
    target = document.path.resolve()
    if _fingerprint(target) != document.fingerprint:
        raise FileChangedError(f"{plain(name)}: changed on disk since it was read; read it again")
    try:
        _replace(target, text.encode())
    except OSError as error:
        raise SaveError(f"{plain(name)}: cannot be written: {error.strerror}") from None
    document.fingerprint = _fingerprint(target)
    return config


def _fingerprint(path: FilePath) -> str | None:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SaveError(f"{plain(str(path))}: cannot be read: {error.strerror}") from None


def _replace(target: FilePath, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(".tmp", f".{target.name}.", target.parent)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), _PRIVATE)
            if target.exists():
                _keep_owner(target, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_owner(target: FilePath, descriptor: int) -> None:
    about = target.stat()
    if (about.st_uid, about.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, about.st_uid, about.st_gid)


def _table(root: Any, steps: Path, last: str | int, *, make: bool) -> Any:
    """Find the table at steps, making missing ones; None when it is missing and not to be made.

    last is the step that comes after: a number makes a list.
    """
    here = root
    for depth, step in enumerate(steps):
        place = dotted(steps[: depth + 1])
        if isinstance(step, int):
            if not isinstance(here, list) or step >= len(here):
                raise SaveError(f"{place}: there is no such entry")
        elif not isinstance(here, MutableMapping):
            raise SaveError(f"{place}: stands in something that is not a table")
        elif step not in here:
            if not make:
                return None
            below = steps[depth + 1] if depth + 1 < len(steps) else last
            here[step] = _new_list(root) if isinstance(below, int) else _new_table(root, here)
        here = here[step]
    return here


def _new_table(root: object, parent: object) -> Any:
    if not isinstance(root, tomlkit.TOMLDocument):
        return {}
    return tomlkit.inline_table() if isinstance(parent, InlineTable) else tomlkit.table()


def _new_list(root: object) -> Any:
    return tomlkit.aot() if isinstance(root, tomlkit.TOMLDocument) else []


def _put(table: Any, steps: Path, written: object) -> None:
    last = steps[-1]
    match table, last:
        case list(), int() if last < len(table):
            is_there = True
        case list(), int() if last == len(table) and written is not None:
            if isinstance(table, AoT) and not isinstance(written, Mapping):
                raise SaveError(f"{dotted(steps)}: wants a table")
            table.append(copy.deepcopy(written))
            return
        case MutableMapping(), str():
            is_there = last in table
        case _:
            raise SaveError(f"{dotted(steps)}: there is no such place in the file")
    if written is not None:
        table[last] = copy.deepcopy(written)
    elif is_there:
        del table[last]


def _written(value: object) -> Any:
    """Turn a value into what TOML holds."""
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case Decimal() | float():
            return format(Decimal(str(value)), "f")
        case date():
            return value.isoformat()
        case SecretRef():
            return value.written
        case FilePath():
            return str(value)
        case BaseModel():
            fields = {name: getattr(value, name) for name in type(value).model_fields}
            return {key: _written(one) for key, one in fields.items() if one is not None}
        case Mapping():
            return {str(key): _written(one) for key, one in value.items() if one is not None}
        case list() | tuple():
            return [_written(one) for one in value]
        case _:
            raise SaveError(f"a {type(value).__name__} cannot be written to the file")


def _in_the_files_way(table: Any, last: str | int, written: Any) -> Any:
    """Give what is to be put into a document the shape the sample has; _KEPT where the list that
    stands there could be changed in place, so that its comments stay."""
    if isinstance(written, dict):
        return written if isinstance(table, Array) else _dressed(written)
    if not _is_rows(written) or not isinstance(table, MutableMapping):
        return written
    there = table.get(str(last))
    if isinstance(there, Array | AoT) and _changed_in_place(there, written):
        return _KEPT
    return _lines(written)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _changed_in_place(there: Any, rows: list[dict[str, Any]]) -> bool:
    """Make a list of tables hold these rows, if it takes no more than changing values in the rows
    there are, or removing some, or adding some at the end."""
    old = list(there.unwrap())
    if not _is_rows(old):
        return False
    if len(rows) < len(old):
        kept = iter(enumerate(old))
        places = [next((at for at, one in kept if one == row), None) for row in rows]
        if None in places:
            return False
        for at in sorted(set(range(len(old))) - set(places), reverse=True):
            del there[at]
        return True
    for table, before, after in zip(there, old, rows, strict=False):
        for key in before.keys() - after.keys():
            del table[key]
        for key, value in after.items():
            if before.get(key) != value or type(before.get(key)) is not type(value):
                table[key] = value
    for row in rows[len(old) :]:
        inline = tomlkit.inline_table()
        inline.update(row)
        there.append(inline if isinstance(there, Array) else _dressed(row))
    return True


def _dressed(fields: Mapping[str, Any]) -> Any:
    """Make a table of fields the way the sample writes one."""
    table = tomlkit.table()
    for key, value in fields.items():
        table.add(key, _lines(value) if _is_rows(value) else value)
    return table


def _lines(rows: list[dict[str, Any]]) -> Any:
    """Write tables as a list with one inline table on each line, the way the sample does."""
    array = tomlkit.array()
    for row in rows:
        inline = tomlkit.inline_table()
        inline.update(row)
        array.append(inline)
    return array.multiline(True)
