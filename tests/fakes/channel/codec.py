"""Records as JSON and back, guided by type hints: what the control channel is spoken in.

A Decimal is a string, an instant ISO 8601, a duration seconds, a record an object by field names.
"""

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class NotAllowed(ValueError):
    """A value does not fit the type it is to become."""


def to_json(value: object) -> Json:
    """Turn a record, or a plain value, into JSON."""
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise NotAllowed(f"{type(value).__name__} cannot be said in JSON")


def from_json(hint: Any, value: Any) -> Any:
    """Turn JSON into what the hint names."""
    origin = get_origin(hint)
    if hint is Any or hint is object:
        return value
    if hint is None or hint is type(None):
        if value is not None:
            raise NotAllowed(f"{value!r} instead of null")
        return None
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        (only,) = (one for one in get_args(hint) if one is not type(None))
        return from_json(only, value)
    if origin is tuple:
        return _tuple(get_args(hint), value)
    if hint is Decimal:
        return Decimal(str(value))
    if hint in (datetime, date):
        return hint.fromisoformat(value)
    if hint is timedelta:
        return timedelta(seconds=value)
    if dataclasses.is_dataclass(hint):
        return _record(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if isinstance(hint, type) and isinstance(value, hint):
        return value
    if hint is float and isinstance(value, int):
        return float(value)
    raise NotAllowed(f"{value!r} is no {hint}")


def _tuple(parts: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(from_json(parts[0], one) for one in value)
    return tuple(from_json(part, one) for part, one in zip(parts, value, strict=True))


def _record(kind: Any, value: Any) -> Any:
    hints = get_type_hints(kind)
    unknown = set(value) - {field.name for field in dataclasses.fields(kind)}
    if unknown:
        raise NotAllowed(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**{name: from_json(hints[name], one) for name, one in value.items()})
