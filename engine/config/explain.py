"""Turns what pydantic found into plain problems at paths of the file. Never shows a secret."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from engine.config.fields import field_at, model_at
from engine.config.model import Config
from engine.config.model.base import Problem
from engine.config.text import Path, listed, shown, sort_of

_NOT_A_TABLE = {"model_type", "model_attributes_type", "dict_type", "mapping_type"}
_NOT_A_LIST = {"tuple_type", "list_type"}
_MOST_KEYS_LISTED = 16


def explained(error: ValidationError, raw: object, root: type[BaseModel] = Config) -> list[Problem]:
    """Write every error in words, each at the path a person would look for."""
    problems: list[Problem] = []
    for detail in error.errors(include_url=False):
        problems += _one(cast("dict[str, Any]", detail), raw, root)
    return problems


def _one(detail: dict[str, Any], raw: object, root: type[BaseModel]) -> list[Problem]:
    path = _path(detail["loc"], root)
    given = detail["input"]
    match detail["type"]:
        case "problems":
            found = cast("list[Problem]", detail["ctx"]["problems"])
            return [Problem((*path, *one.path), one.text, one.allowed) for one in found]
        case "missing":
            return [_missing(path, raw, root)]
        case "union_tag_not_found":
            return [Problem((*path, "kind"), "is missing", "ib, ccxt")]
        case "union_tag_invalid":
            kind = given.get("kind") if isinstance(given, Mapping) else None
            return [Problem((*path, "kind"), f"{shown(kind)} is not a kind of venue", "ib, ccxt")]
        case "extra_forbidden":
            return [_unknown(path, raw, root)]
        case kind if kind in _NOT_A_TABLE:
            return [Problem(path, f"{sort_of(given)} is not a table", f"[{_header(path)}]")]
        case kind if kind in _NOT_A_LIST:
            return [Problem(path, f"{sort_of(given)} is not a list", "[ ... ]")]
        case "too_short" if given:
            return []
        case _:
            return [_value(path, detail, raw, root)]


def _value(path: Path, detail: dict[str, Any], raw: object, root: type[BaseModel]) -> Problem:
    kind, message, given = detail["type"], detail["msg"], detail["input"]
    field = field_at(path, raw, root)
    if kind == "too_short":
        return Problem(path, "is empty", field.allowed)
    if kind == "too_long":
        return Problem(path, "is too long", field.allowed)
    if field.secret:
        text = message if kind == "spoken" else f"{sort_of(given)} is not {field.noun}"
        return Problem(path, text, field.allowed)
    if kind == "spoken":
        return Problem(path, f"{shown(given)} {message}", field.allowed)
    near = get_close_matches(given, field.choices, 1) if isinstance(given, str) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return Problem(path, f"{shown(given)} is not {field.noun}{hint}", field.allowed)


def _missing(path: Path, raw: object, root: type[BaseModel]) -> Problem:
    field = field_at(path, raw, root)
    return Problem(path, "is missing", field.allowed)


def _unknown(path: Path, raw: object, root: type[BaseModel]) -> Problem:
    model = model_at(path[:-1], raw, root)
    known = [info.alias or name for name, info in model.model_fields.items()] if model else []
    key = str(path[-1])
    near = get_close_matches(key, known, 1, 0.6)
    if near:
        return Problem(path, f"is not a known key; did you mean {near[0]}?")
    if len(path) > 1 and key in root.model_fields:
        return Problem(path, f"is not a known key here; {key} stands above the first [table]")
    return Problem(path, "is not a known key", listed(known[:_MOST_KEYS_LISTED]))


def _path(loc: tuple[str | int, ...], root: type[BaseModel]) -> Path:
    """Drop the venue kind that pydantic puts between a venue's name and its key."""
    if root is Config and len(loc) > 2 and loc[0] == "venues":
        return (*loc[:2], *loc[3:])
    return loc


def _header(path: Path) -> str:
    names = [str(part) for part in path if isinstance(part, str)]
    return listed([".".join(names)])
