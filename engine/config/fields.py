"""Which field a path of the config file means; forms and messages are written from it."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.config.model import Config
from engine.config.text import Path


@dataclass(frozen=True, slots=True)
class Field:
    """What is known about a field. Texts are empty where nothing is."""

    label: str = ""
    help: str = ""
    group: str = ""
    noun: str = "a valid value"
    allowed: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False


def model_at(path: Path, raw: object, root: type[BaseModel] = Config) -> type[BaseModel] | None:
    """Find the model that reads the table at a path; raw tells an ib venue from a ccxt one."""
    annotation: Any = root
    for part in path:
        annotation = _step(annotation, part, raw)
        raw = _value(raw, part)
    return _model(annotation, raw)


def field_at(path: Path, raw: object, root: type[BaseModel] = Config) -> Field:
    """Describe the field at a path; an entry of a list is described by its list."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    model = model_at(path[:-1], raw, root)
    if model is None and len(path) > 1:
        # A text under a name of a person's own is described by the table it stands in.
        return field_at(path[:-1], raw, root)
    info = _info(model, path[-1]) if path and model else None
    return described(info) if info is not None else Field()


def described(info: FieldInfo) -> Field:
    """Read what `entry` put into a field."""
    extra = info.json_schema_extra
    told: Mapping[str, Any] = extra if isinstance(extra, Mapping) else {}
    return Field(
        label=str(told.get("label", "")),
        help=info.description or "",
        group=str(told.get("group", "")),
        noun=str(told.get("noun", "a valid value")),
        allowed=str(told.get("allowed", "")),
        unit=str(told.get("unit", "")),
        choices=tuple(told.get("choices", ())),
        secret=bool(told.get("secret", False)),
    )


def _info(model: type[BaseModel], part: str | int) -> FieldInfo | None:
    for name, info in model.model_fields.items():
        if part == (info.alias or name):
            return info
    return None


def _step(annotation: Any, part: str | int, raw: object) -> Any:
    model = _model(annotation, raw)
    if model is not None:
        info = _info(model, part)
        return info.annotation if info is not None else None
    for one in alternatives(annotation):
        origin = get_origin(one)
        if origin is tuple and isinstance(part, int):
            return get_args(one)[0]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return get_args(one)[1]
    return None


def _model(annotation: Any, raw: object) -> type[BaseModel] | None:
    models = [
        one
        for one in alternatives(annotation)
        if isinstance(one, type) and issubclass(one, BaseModel)
    ]
    if len(models) < 2:
        return models[0] if models else None
    kind = raw.get("kind") if isinstance(raw, Mapping) else None
    for model in models:
        info = model.model_fields["kind"]
        if get_origin(info.annotation) is Literal and kind in get_args(info.annotation):
            return model
    return None


def alternatives(annotation: Any) -> Sequence[Any]:
    """The members of a union, Annotated taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return [one for part in get_args(annotation) for one in alternatives(part)]
    return [annotation]


def step_into(raw: object, part: str | int) -> object:
    """Go one step down plain data. Raises LookupError when there is nothing."""
    if isinstance(raw, Mapping):
        return raw[part]
    if isinstance(raw, list | tuple) and isinstance(part, int):
        return raw[part]
    raise LookupError(part)


def _value(raw: object, part: str | int) -> object:
    try:
        return step_into(raw, part)
    except LookupError:
        return None
