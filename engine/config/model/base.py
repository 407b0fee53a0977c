"""What every section of the config shares: frozen, no unknown keys, types without surprises.

Each field is made with `entry`, so that a form, a message and a page of help can be written from
the model alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    Strict,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from engine.config.paths import expanded
from engine.config.secrets import SecretRef
from engine.config.text import Path

_NUMBER = re.compile(r"[+-]?\d{1,25}(?:\.\d{1,25})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOST_DECIMALS = 18
_LARGEST_POWER = 18


class Section(BaseModel):
    """A table of the config file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        validate_default=False,
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a path below the table that was checked."""

    path: Path
    text: str
    allowed: str = ""


def problems_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """Carry several problems out of a validator in one error."""
    summary = "; ".join(problem.text for problem in problems).replace("{", "(").replace("}", ")")
    return PydanticCustomError("problems", summary, {"problems": list(problems)})


def entry(
    default: Any = ...,
    *,
    label: str,
    help: str,
    group: str,
    noun: str = "",
    allowed: str = "",
    choices: Sequence[str] = (),
    unit: str = "",
    secret: bool = False,
    **limits: Any,
) -> Any:
    """Declare a field with what a form and a message need to know about it.

    noun completes "99999 is not ..."; allowed is shown after it, and is made from choices or
    limits unless given.
    limits are pydantic's: gt, ge, lt, le, min_length, max_length, default_factory.
    """
    extra: dict[str, Any] = {
        "label": label,
        "group": group,
        "noun": noun or ("a choice" if choices else "a valid value"),
        "allowed": allowed or ", ".join(choices) or _range(limits),
    }
    if choices:
        extra["choices"] = [str(choice) for choice in choices]
    if unit:
        extra["unit"] = unit
    if secret:
        extra["secret"] = True
    for bound in ("gt", "ge", "lt", "le"):
        if bound in limits:
            extra[bound] = limits[bound]
    if "default_factory" in limits:
        return Field(description=help, json_schema_extra=extra, **limits)
    return Field(default, description=help, json_schema_extra=extra, **limits)


def _range(limits: dict[str, Any]) -> str:
    low, high = limits.get("ge"), limits.get("le")
    if low is not None and high is not None:
        return f"{low} to {high}"
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    return " and ".join(f"{word} {limits[key]}" for key, word in words.items() if key in limits)


def bad(text: str = "has the wrong form", *, spoken: bool = False) -> PydanticCustomError:
    """Refuse a value; spoken when the text is to be shown instead of the field's noun."""
    return PydanticCustomError("spoken" if spoken else "shape", text)


def to_decimal(value: object) -> Decimal:
    """Read a number or a written number; a float by its shortest text, not its binary value."""
    match value:
        case bool():
            raise bad()
        case Decimal():
            number = value
        case int() if value.bit_length() <= 64:
            number = Decimal(value)
        case float():
            number = Decimal(repr(value))
        case str() if _NUMBER.fullmatch(value):
            number = Decimal(value)
        case _:
            raise bad()
    if not number.is_finite():
        raise bad()
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent < -_MOST_DECIMALS:
        raise bad(f"has more than {_MOST_DECIMALS} decimals", spoken=True)
    if number.adjusted() > _LARGEST_POWER:
        raise bad()
    return number


def to_day(value: object) -> date:
    """Read YYYY-MM-DD as text or as a TOML date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise bad() from None
    raise bad()


def _folder(info: ValidationInfo) -> FilePath | None:
    context = info.context or {}
    return context.get("folder")


def _to_path(value: object, info: ValidationInfo) -> FilePath:
    if isinstance(value, FilePath):
        value = str(value)
    if not isinstance(value, str):
        raise bad()
    try:
        return expanded(value, _folder(info))
    except ValueError as error:
        raise bad(str(error), spoken=True) from None


def _to_reference(
    parse: Callable[[str, FilePath | None], SecretRef],
) -> Callable[[object, ValidationInfo], SecretRef]:
    def read(value: object, info: ValidationInfo) -> SecretRef:
        if isinstance(value, SecretRef):
            return value
        if not isinstance(value, str):
            raise bad("is not a secret reference", spoken=True)
        try:
            return parse(value, _folder(info))
        except ValueError as error:
            raise bad(str(error), spoken=True) from None

    return read


def shaped(pattern: str) -> AfterValidator:
    """Refuse text that does not match a whole pattern."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise bad()
        return value

    return AfterValidator(check)


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list that names something twice, at the second mention."""
    twice = [i for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise problems_error([Problem((i,), "is in the list twice") for i in twice])
    return values


Number = Annotated[Decimal, BeforeValidator(to_decimal)]
Whole = Annotated[int, Strict()]
Switch = Annotated[bool, Strict()]
Day = Annotated[date, BeforeValidator(to_day)]
Folder = Annotated[FilePath, PlainValidator(_to_path), PlainSerializer(str, return_type=str)]
Name = Annotated[str, Strict(), shaped(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")]
Secret = Annotated[
    SecretRef,
    PlainValidator(_to_reference(SecretRef.parse)),
    PlainSerializer(str, return_type=str, when_used="json"),
]
AlertUrl = Annotated[
    SecretRef,
    PlainValidator(_to_reference(SecretRef.parse_alert_url)),
    PlainSerializer(str, return_type=str, when_used="json"),
]

SWITCH: dict[str, Any] = {"noun": "true or false", "allowed": "true, false"}
NAME_ALLOWED = "1 to 32 letters, digits, _ or -, a letter or digit first"
