"""Reads bulkhead.toml into a Config, or says everything that is wrong with it and on which line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from engine.config.errors import ConfigError, Fault
from engine.config.explain import explained
from engine.config.fields import step_into
from engine.config.files import NotRegularError, read_regular
from engine.config.locate import Places, ScanError, Twice, toml_places
from engine.config.model import Config
from engine.config.model.base import Problem
from engine.config.model.checks import cross_problems, with_implied_venue
from engine.config.text import Path, dotted, plain

LARGEST_FILE: Final = 1024 * 1024
_BYTE_ORDER_MARK = "\ufeff"
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END = " (at end of document)"


def load(
    path: str | os.PathLike[str],
    *,
    paper: bool = False,
    more: Callable[[dict[str, Any]], list[Problem]] | None = None,
) -> Config:
    """Read a config file; paper turns live mode into paper; more finds faults of its own in the
    file as plain data. Raises ConfigError with every fault."""
    where = FilePath(path)
    folder = where.absolute().parent
    return load_text(read_text(where), file=str(path), folder=folder, paper=paper, more=more)


def load_text(
    text: str,
    *,
    file: str,
    folder: FilePath | None = None,
    paper: bool = False,
    more: Callable[[dict[str, Any]], list[Problem]] | None = None,
) -> Config:
    """Read the text of a config file; relative paths in it start at folder. Raises ConfigError."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    raw = parse(text, file)
    if paper and raw.get("mode") == "live":
        raw["mode"] = "paper"
    faults = [] if more is None else more(raw)
    try:
        config = Config.model_validate(raw, context={"folder": folder})
        if not faults:
            return config
    except ValidationError as error:
        faults = explained(error, raw) + cross_problems(with_implied_venue(raw), folder) + faults
    try:
        places = toml_places(text)
    except RecursionError:
        raise nested_too_deeply(file) from None
    raise ConfigError(located(faults, places, raw, file))


def read_text(path: FilePath) -> str:
    """Read a file a person wrote. Raises ConfigError when it is missing, huge, or not UTF-8."""
    name = str(path)
    try:
        content, _ = read_regular(path, LARGEST_FILE)
    except NotRegularError as error:
        raise _whole_file(name, str(error)) from None
    except FileNotFoundError:
        raise _whole_file(name, "does not exist") from None
    except OSError as error:
        raise _whole_file(name, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise _whole_file(name, "is not a path") from None
    if len(content) > LARGEST_FILE:
        raise _whole_file(name, f"is larger than {LARGEST_FILE} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        fault = Fault(
            file=name,
            line=before.count(b"\n") + 1,
            column=len(before) - before.rfind(b"\n"),
            field="",
            problem=f"byte 0x{content[error.start]:02x} is not UTF-8",
            allowed="UTF-8 text",
        )
        raise ConfigError([fault]) from None


def parse(text: str, file: str) -> dict[str, Any]:
    """Read TOML; a float becomes the Decimal that is written. Raises ConfigError."""
    try:
        return tomllib.loads(text, parse_float=written_decimal)
    except RecursionError:
        raise nested_too_deeply(file) from None
    except ValueError as error:
        raise ConfigError(_syntax_faults(text, str(error), file)) from None


def located(problems: Iterable[Problem], places: Places, raw: object, file: str) -> list[Fault]:
    """Give every problem its place, each once."""
    faults: dict[tuple[Path, str], Fault] = {}
    for problem in problems:
        place = places.nearest(problem.path)
        is_there = _holds(raw, problem.path)
        unknown = problem.text.startswith("is not a known key")
        faults[problem.path, problem.text] = Fault(
            file=file,
            line=place.line,
            column=place.key_column if unknown or not is_there else place.column,
            field=dotted(problem.path),
            problem=problem.text,
            allowed=problem.allowed,
        )
    return list(faults.values())


def twice_faults(twice: Iterable[Twice], file: str) -> list[Fault]:
    """Name every second mention of a key at its own place."""
    return [
        Fault(
            file=file,
            line=one.second.line,
            column=one.second.key_column,
            field=dotted(one.path),
            problem=f"is written twice; first on line {one.first.line}",
        )
        for one in twice
    ]


def written_decimal(written: str) -> Decimal:
    """Read a number exactly as written; one beyond all bounds is not a number."""
    try:
        return Decimal(written)
    except InvalidOperation:
        return Decimal("NaN")


def _holds(raw: object, path: Path) -> bool:
    try:
        for part in path:
            raw = step_into(raw, part)
    except LookupError:
        return False
    return True


def _syntax_faults(text: str, message: str, file: str) -> list[Fault]:
    places = Places(text)
    try:
        twice = toml_places(text).twice
    except ScanError as error:
        if error.unclosed:
            line, column = places.line_and_column(error.opened_at)
            return [_syntax(file, line, column, error.unclosed)]
        twice = []
    except RecursionError:
        twice = []
    if twice:
        return twice_faults(twice, file)
    found = _AT.search(message)
    if found is None:
        said = message.removesuffix(_AT_END)
        if "integer string conversion" in said:
            said = "a number has too many digits"
        return [_syntax(file, places.last_line, None, said)]
    return [_syntax(file, int(found[1]), int(found[2]), message[: found.start()])]


def _syntax(file: str, line: int, column: int | None, said: str) -> Fault:
    said = said[:1].lower() + said[1:]
    problem = f"is not valid TOML: {plain(said)}"
    return Fault(file=file, line=line, column=column, field="", problem=problem)


def nested_too_deeply(file: str) -> ConfigError:
    """Refuse a text whose lists and tables go deeper than any config needs."""
    return _whole_file(file, "is nested too deeply")


def _whole_file(file: str, problem: str) -> ConfigError:
    return ConfigError([Fault(file=file, line=None, column=None, field="", problem=problem)])
