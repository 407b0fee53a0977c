"""The config as a form: sections of fields with label, help, limits and value, as plain data.

Everything a form says comes from the models. What a secret reference points at is never read, and
an alert URL, which may carry a password itself, is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from engine.config.fields import alternatives, described, model_at
from engine.config.model import Config
from engine.config.save import Document
from engine.config.secrets import SecretRef
from engine.config.text import Path, dotted

# What the engine takes over while it runs; the rest is read at its next start.
_LIVE = ("armed", "options", "assignment_managers", "allocation")


class Kind(StrEnum):
    """How a field is edited."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    SWITCH = "switch"
    CHOICE = "choice"
    LIST = "list"
    DATE = "date"
    SECRET = "secret"


def form_of(document: Document) -> dict[str, Any]:
    """Draw a file as a form: {path, fingerprint, sections}.

    A section is {title, help, path, fields, removable, add}; add is None, or how another entry of
    the list at its path is made: {path, noun, template}. A field is {path, label, help, group,
    kind, choices, allowed, unit, value, default, required, live}; value is None where the file does
    not say, text for numbers and dates, and "set" or None for what is secret.
    """
    sections = list(_sections(Config, document.plain, (), "General"))
    return {
        "path": str(document.path),
        "fingerprint": document.fingerprint or "",
        "sections": sections,
    }


def typed(document: Document, path: Path, value: Any) -> Any:
    """Turn what a form holds at a path into what the file holds: "17" into 17 for a whole number.

    What does not fit stays as it is, for the check to name.
    """
    if isinstance(value, Mapping):
        return {key: typed(document, (*path, key), one) for key, one in value.items()}
    if isinstance(value, list):
        return [typed(document, (*path, at), one) for at, one in enumerate(value)]
    steps = path[:-1] if path and isinstance(path[-1], int) else path
    model = model_at(steps[:-1], document.plain) if steps else None
    info = next((i for n, i in _fields(model) if n == steps[-1]), None) if model else None
    if info is None or not isinstance(value, str):
        return value
    match _kind(info):
        case Kind.WHOLE:
            text = value.strip().removeprefix("+")
            return int(text) if text.lstrip("-").isdecimal() and text.isascii() else value
        case Kind.SWITCH:
            return {"true": True, "false": False}.get(value, value)
        case _:
            return value


def _sections(
    model: type[BaseModel], raw: Any, path: Path, title: str, *, removable: bool = False
) -> Iterator[dict[str, Any]]:
    """Draw a table: its own fields first, then the tables in it."""
    table = raw if isinstance(raw, Mapping) else {}
    simple = [(name, info) for name, info in _fields(model) if _inner(info) is None]
    yield {
        "title": title,
        "help": _first_line(model.__doc__),
        "path": dotted(path) if path else "",
        "fields": [_field((*path, name), info, table.get(name)) for name, info in simple],
        "removable": removable,
        "add": None,
    }
    for name, info in _fields(model):
        inner = _inner(info)
        if inner is None:
            continue
        here, value = (*path, name), table.get(name)
        label = described(info).label or name
        if _is_list(info):
            yield from _list(inner, value, here, info)
        elif _is_mapping(info):
            yield from _mapping(value, here, info)
        elif value is None and not info.is_required() and info.default is None:
            yield _absent(inner, here, label, info)
        else:
            yield from _sections(inner, value, here, label, removable=info.default is None)


def _list(
    inner: type[BaseModel], value: Any, path: Path, info: FieldInfo
) -> Iterator[dict[str, Any]]:
    rows = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    noun = described(info).noun.removeprefix("an ").removeprefix("a ")
    for at, row in enumerate(rows):
        name = row.get("id") or row.get("symbol") if isinstance(row, Mapping) else None
        title = f"{noun.capitalize()} {name or at + 1}"
        yield from _sections(inner, row, (*path, at), title, removable=True)
    if len(path) == 1 or rows or path[-1] in ("strategies", "parameter_sets"):
        yield {
            "title": f"Add {described(info).noun}",
            "help": described(info).help,
            "path": dotted(path),
            "fields": [],
            "removable": False,
            "add": {
                "path": dotted((*path, len(rows))),
                "noun": noun,
                "template": _template(inner),
            },
        }


def _mapping(value: Any, path: Path, info: FieldInfo) -> Iterator[dict[str, Any]]:
    tables = value if isinstance(value, Mapping) else {}
    models = {m.__name__: m for m in _models(get_args(info.annotation)[1])}
    for name, row in tables.items():
        kind = row.get("kind") if isinstance(row, Mapping) else None
        found = next((m for m in models.values() if kind in _kinds(m)), None)
        if found is not None:
            yield from _sections(found, row, (*path, name), f"Venue {name}", removable=True)
    for model in models.values():
        kind = next(iter(_kinds(model)), "")
        yield {
            "title": f"Add {_first_line(model.__doc__).rstrip('.').lower()}",
            "help": described(info).help,
            "path": dotted(path),
            "fields": [],
            "removable": False,
            "add": {
                "path": f"{dotted(path)}.",
                "noun": f"{kind} venue",
                "template": {**_template(model), "kind": kind},
            },
        }


def _absent(inner: type[BaseModel], path: Path, label: str, info: FieldInfo) -> dict[str, Any]:
    return {
        "title": label,
        "help": described(info).help,
        "path": dotted(path),
        "fields": [],
        "removable": False,
        "add": {"path": dotted(path), "noun": label.lower(), "template": _template(inner)},
    }


def _template(model: type[BaseModel]) -> dict[str, Any]:
    """The fields a new entry must have, empty; what has a default is left to it."""
    return {
        name: [_template(inner)] if (inner := _inner(info)) is not None else ""
        for name, info in _fields(model)
        if info.is_required()
    }


def _field(path: Path, info: FieldInfo, value: Any) -> dict[str, Any]:
    told = described(info)
    kind = _kind(info)
    secret = kind is Kind.SECRET
    return {
        "path": dotted(path),
        "label": told.label or str(path[-1]),
        "help": told.help,
        "group": told.group,
        "kind": kind.value,
        "choices": list(told.choices),
        "allowed": told.allowed,
        "unit": told.unit,
        "value": _hidden(value) if secret else _shown(value),
        "default": None if secret else _shown(_default(info)),
        "required": info.is_required(),
        "live": "at once" if path[0] in _LIVE else "after a restart",
    }


def _kind(info: FieldInfo) -> Kind:
    told = described(info)
    kinds = [one for one in alternatives(info.annotation) if one is not type(None)]
    kind = kinds[0] if kinds else str
    if told.secret:
        return Kind.SECRET
    if told.choices:
        return Kind.CHOICE
    if get_origin(kind) is tuple:
        return Kind.LIST
    for of, found in (
        (bool, Kind.SWITCH),
        (int, Kind.WHOLE),
        (Decimal, Kind.NUMBER),
        (date, Kind.DATE),
        (SecretRef, Kind.SECRET),
    ):
        if isinstance(kind, type) and issubclass(kind, of):
            return found
    return Kind.TEXT


def _hidden(value: Any) -> str | None:
    if not value:
        return None
    count = len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 1
    return "set" if count == 1 else f"{count} set"


def _shown(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case list() | tuple():
            return [_shown(one) for one in value]
        case _:
            return str(value)


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    return ((info.alias or name, info) for name, info in model.model_fields.items())


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [
        one
        for one in alternatives(annotation)
        if isinstance(one, type) and issubclass(one, BaseModel)
    ]


def _inner(info: FieldInfo) -> type[BaseModel] | None:
    """The model of the table, list of tables or named tables a field holds; None for a value."""
    for one in alternatives(info.annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
        if get_origin(one) is tuple or _is_mapping_type(one):
            found = _models(get_args(one)[1 if _is_mapping_type(one) else 0])
            if found:
                return found[0]
    return None


def _is_list(info: FieldInfo) -> bool:
    return any(get_origin(one) is tuple for one in alternatives(info.annotation))


def _is_mapping(info: FieldInfo) -> bool:
    return any(_is_mapping_type(one) for one in alternatives(info.annotation))


def _is_mapping_type(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _kinds(model: type[BaseModel]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
