"""The config as a form: tables of fields with label, help, limits and value, as plain data.

Everything a form says comes from the models. What a secret reference points at is never read, and
of the reference itself, as of an alert URL, only the kind leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from engine.config.fields import alternatives, described, model_at
from engine.config.model import Config
from engine.config.save import Document, parse_path, set_value
from engine.config.secrets import SecretKind
from engine.config.text import Path

# When a change takes hold, by the table it is in; a key of its own goes before its table.
_AT_ONCE, _LATER = "at once", "after a restart"
_LIVE = {
    "armed": _AT_ONCE,
    "options": _AT_ONCE,
    "options.venue": _LATER,
    "assignment_managers": "for new assignments",
    "allocation": _AT_ONCE,
    "allocation.venue": _LATER,
    "allocation.z_score_interval": _LATER,
    "terminal": "when a terminal attaches",
}
_REFERENCES = frozenset(SecretKind) - {SecretKind.PLAIN}


class Kind(StrEnum):
    """How a field is edited."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    LIST = "list"
    DATE = "date"
    SECRET = "secret"
    SECRETS = "secrets"


class Change(Protocol):
    """One edit: the value at a path, or its removal."""

    @property
    def path(self) -> str: ...
    @property
    def value(self) -> Any: ...
    @property
    def remove(self) -> bool: ...


def form_of(document: Document) -> dict[str, Any]:
    """Draw a file as a form: {path, fingerprint, sections}; fingerprint is "" for no file yet.

    A section is a table: {title, help, key, name, optional, present, fields, lists}; name is that
    of an entry of a list. A field is {key, label, help, group, kind, whole, choices, allowed, unit,
    value, default, required, live}; its key may have dots, and its value is None where the file
    does not say. A list is {key, title, help, noun, named, entries, add}, all tables; add holds
    what a new entry can begin as. Of a secret the value is the kind of its reference.
    """
    return {
        "path": str(document.path),
        "fingerprint": document.fingerprint or "",
        "sections": list(_sections(document.plain)),
    }


def edit(document: Document, changes: Sequence[Change]) -> None:
    """Make changes in a document: values first, then removals.

    An entry of a list goes by the place it has in the file as it was read, whatever else is
    removed. Raises SaveError.
    """
    for change in changes:
        if not change.remove:
            steps = parse_path(change.path)
            set_value(document, change.path, typed(document, steps, change.value))
    removed = [change.path for change in changes if change.remove]
    for path in sorted(removed, key=_from_the_end, reverse=True):
        set_value(document, path, None)


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
    if _kind(info) is Kind.NUMBER and _is_whole(info):
        text = value.strip().removeprefix("+")
        return int(text) if text.lstrip("-").isdecimal() and text.isascii() else value
    if _kind(info) is Kind.SWITCH:
        return {"true": True, "false": False}.get(value, value)
    return value


def _from_the_end(path: str) -> tuple[tuple[bool, int, str], ...]:
    return tuple(
        (True, step, "") if isinstance(step, int) else (False, 0, step) for step in parse_path(path)
    )


# --- tables --------------------------------------------------------------------------------------


def _sections(raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    simple = [
        _field(name, info, raw.get(name), _live((name,)))
        for name, info in _fields(Config)
        if _inner(info) is None
    ]
    yield _dressed("General", help="What holds for all desks.", fields=simple)
    for name, info in _fields(Config):
        inner, value = _inner(info), raw.get(name)
        told = described(info)
        if inner is None:
            continue
        if _is_list(info) or _is_mapping(info):
            yield _dressed(told.label, help=told.help, lists=[_list((name,), info, value)])
        else:
            optional = info.default is None
            yield _table(
                inner,
                value,
                (name,),
                title=told.label,
                help=told.help,
                key=name,
                optional=optional,
                present=not optional or value is not None,
            )


def _table(
    model: type[BaseModel], raw: Any, path: Path, *, title: str, **more: Any
) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    lists: list[dict[str, Any]] = []
    table = raw if isinstance(raw, Mapping) else {}
    for name, info in _fields(model):
        inner, value = _inner(info), table.get(name)
        if inner is not None and (_is_list(info) or _is_mapping(info)):
            lists.append(_list((*path, name), info, value))
        elif inner is not None:
            below = _table(inner, value, (*path, name), title="")
            fields += [{**one, "key": f"{name}.{one['key']}"} for one in below["fields"]]
        elif _is_mapping(info):
            fields += _named_texts(name, info, value, _live((*path, name)))
        else:
            fields.append(_field(name, info, value, _live((*path, name))))
    return _dressed(title, fields=fields, lists=lists, **more)


def _dressed(
    title: str,
    *,
    fields: Sequence[dict[str, Any]] = (),
    lists: Sequence[dict[str, Any]] = (),
    **more: Any,
) -> dict[str, Any]:
    table = {"help": "", "key": "", "name": "", "optional": False, "present": True, **more}
    return {"title": title, **table, "fields": list(fields), "lists": list(lists)}


def _list(path: Path, info: FieldInfo, value: Any) -> dict[str, Any]:
    told = described(info)
    named = _is_mapping(info)
    models = _models(info)
    noun = told.noun.removeprefix("an ").removeprefix("a ")
    # Where there are several sorts of entry, each is called what it is.
    titles = {one: noun.capitalize() if len(models) == 1 else _title(one) for one in models}
    entries: list[dict[str, Any]] = []
    if named:
        tables = value if isinstance(value, Mapping) else {}
        for name, row in tables.items():
            model = next((one for one in models if _kind_of(row) == _fixed_kind(one)), models[0])
            entries.append(_table(model, row, (*path, name), title=titles[model], name=str(name)))
    else:
        rows = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
        for at, row in enumerate(rows):
            entries.append(_table(models[0], row, (*path, at), title=titles[models[0]]))
    return {
        "key": path[-1],
        "title": told.label,
        "help": told.help,
        "noun": noun,
        "named": named,
        "entries": entries,
        "add": [_table(one, _beginning(one), (*path, 0), title=titles[one]) for one in models],
    }


def _beginning(model: type[BaseModel]) -> dict[str, Any]:
    kind = _fixed_kind(model)
    return {} if kind is None else {"kind": kind}


def _title(model: type[BaseModel]) -> str:
    """What an entry is, in the first words of its model: "A crypto exchange." """
    first = (model.__doc__ or model.__name__).strip().partition("\n")[0].rstrip(".")
    bare = first.removeprefix("An ").removeprefix("A ")
    return bare[:1].upper() + bare[1:]


def _named_texts(name: str, info: FieldInfo, value: Any, live: str) -> list[dict[str, Any]]:
    """A table of texts under names of a person's own: one field for each that is there."""
    texts = value if isinstance(value, Mapping) else {}
    made = []
    for key, text in texts.items():
        one = _field(f"{name}.{key}", info, None, live)
        made.append({**one, "label": str(key), "kind": Kind.TEXT.value, "value": _shown(text)})
        made[-1]["default"] = None
    return made


# --- fields --------------------------------------------------------------------------------------


def _field(key: str, info: FieldInfo, value: Any, live: str) -> dict[str, Any]:
    told = described(info)
    kind = _kind(info)
    is_secret = kind in (Kind.SECRET, Kind.SECRETS)
    fixed = _literal(info)
    return {
        "key": key,
        "label": told.label or key,
        "help": told.help,
        "group": told.group,
        "kind": kind.value,
        "whole": _is_whole(info),
        "choices": [fixed] if fixed is not None else list(told.choices),
        "allowed": told.allowed,
        "unit": told.unit,
        "value": _hidden(value) if is_secret else _shown(value),
        "default": None if is_secret else _shown(_default(info)),
        "required": info.is_required(),
        "live": live,
    }


def _live(path: Path) -> str:
    names = [str(part) for part in path]
    return _LIVE.get(".".join(names[:2])) or _LIVE.get(names[0], _LATER)


def _kind(info: FieldInfo) -> Kind:
    told = described(info)
    kinds = [one for one in alternatives(info.annotation) if one is not type(None)]
    kind = kinds[0] if kinds else str
    is_list = get_origin(kind) is tuple
    if told.secret:
        return Kind.SECRETS if is_list else Kind.SECRET
    if is_list:
        return Kind.LIST
    if told.choices:
        return Kind.CHOICE
    for of, found in ((bool, Kind.SWITCH), (int, Kind.NUMBER), (Decimal, Kind.NUMBER)):
        if isinstance(kind, type) and issubclass(kind, of):
            return found
    return Kind.DATE if isinstance(kind, type) and issubclass(kind, date) else Kind.TEXT


def _is_whole(info: FieldInfo) -> bool:
    return any(one is int for one in alternatives(info.annotation))


def _hidden(value: Any) -> Any:
    """The kind of a reference, or of each in a list; None where nothing is set."""
    if not value:
        return None
    if isinstance(value, str):
        scheme = value.partition(":")[0]
        return scheme if scheme in _REFERENCES else "url"
    return [_hidden(one) for one in value] if isinstance(value, Sequence) else "not a reference"


def _shown(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case list() | tuple():
            return [_shown(one) for one in value]
        case _:
            return str(value)


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


# --- what the models say -------------------------------------------------------------------------


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    return ((info.alias or name, info) for name, info in model.model_fields.items())


def _inner(info: FieldInfo) -> type[BaseModel] | None:
    """The model of the table, list of tables or named tables a field holds; None for a value."""
    models = _models(info)
    return models[0] if models else None


def _models(info: FieldInfo) -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []
    for one in alternatives(info.annotation):
        inside = [one]
        if get_origin(one) is tuple:
            inside = list(alternatives(get_args(one)[0]))
        elif _is_mapping_type(one):
            inside = list(alternatives(get_args(one)[1]))
        found += [part for part in inside if isinstance(part, type) and issubclass(part, BaseModel)]
    return found


def _is_list(info: FieldInfo) -> bool:
    return any(get_origin(one) is tuple for one in alternatives(info.annotation))


def _is_mapping(info: FieldInfo) -> bool:
    return any(_is_mapping_type(one) for one in alternatives(info.annotation))


def _is_mapping_type(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _literal(info: FieldInfo) -> str | None:
    """The only text a field may hold, None where there are several."""
    if get_origin(info.annotation) is not Literal:
        return None
    (first, *rest) = get_args(info.annotation)
    return None if rest else str(first)


def _fixed_kind(model: type[BaseModel]) -> str | None:
    info = model.model_fields.get("kind")
    return None if info is None else _literal(info)


def _kind_of(row: Any) -> Any:
    return row.get("kind") if isinstance(row, Mapping) else None
