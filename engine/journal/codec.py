"""Facts and intents as JSON text, and back to equal objects.

One encoder and one decoder are built for every class when the module is loaded, from the types of
its fields; the hot path only runs them. What a newer version wrote and this one does not know is
refused by name, never skipped: a desk that missed a fact would trade on a wrong book.
"""

import json
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from json.encoder import encode_basestring_ascii as quote
from operator import attrgetter
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from engine.desk.facts import Fact
from engine.desk.intents import Intent
from engine.journal.errors import JournalError

Kind = Literal["fact", "intent"]
Encoder = Callable[[Any], str]
Decoder = Callable[[Any], Any]
Codec = tuple[Encoder, Decoder]

_TAG = "is"
_UNWRITABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)


class _UnknownHereError(Exception):
    """A class, field or member this version does not have."""


def encode(item: Fact | Intent) -> tuple[Kind, str, str]:
    """Return kind, class name and JSON text of a fact or an intent. Raises JournalError."""
    try:
        kind, name, encoder = _ENCODERS[type(item)]
        return kind, name, encoder(item)
    except _UNWRITABLE as error:
        raise JournalError(
            f"A {type(item).__name__} cannot be written to the journal: {error}"
        ) from error


def decode(name: str, body: str) -> Fact | Intent:
    """Return the equal of what was encoded. Raises JournalError, also for a newer version's."""
    try:
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise _UnknownHereError(name)
        item: Fact | Intent = decoder(json.loads(body))
        return item
    except _UnknownHereError as unknown:
        raise JournalError(
            f"The journal holds {unknown}, which this version of Bulkhead does not know: a newer "
            "version wrote it. Start that version, or a newer one."
        ) from None
    except _UNWRITABLE as error:
        raise JournalError(f"A {name} in the journal cannot be read: {error}") from error


@cache
def _codec(hint: Any) -> Codec:
    origin = get_origin(hint)
    if origin is Union or origin is UnionType:
        return _union(get_args(hint))
    if origin is tuple:
        return _tuple(get_args(hint))
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return quote, _member(hint)
    if is_dataclass(hint):
        return _record(hint)
    raise TypeError(f"a journal cannot hold {hint}")


def _record(cls: Any, tag: str | None = None) -> Codec:
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    codecs = [_codec(hints[name]) for name in names]
    encoders = [encoder for encoder, _ in codecs]
    decoders = {name: decoder for name, (_, decoder) in zip(names, codecs, strict=True)}
    keys = [f",{quote(name)}:" for name in names]
    head = "{"
    if tag is not None:
        head = f"{{{quote(_TAG)}:{quote(tag)}"
    elif keys:
        keys[0] = keys[0][1:]
    values_of = _values_of(names)
    parts = list(zip(keys, encoders, strict=True))

    def encode_record(item: Any) -> str:
        text = head
        for (key, encoder), value in zip(parts, values_of(item), strict=True):
            text += key + encoder(value)
        return text + "}"

    def decode_record(data: Any) -> Any:
        values = {}
        for name, value in data.items():
            decoder = decoders.get(name)
            if decoder is None:
                raise _UnknownHereError(f"{cls.__name__}.{name}")
            values[name] = decoder(value)
        return cls(**values)

    return encode_record, decode_record


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    # attrgetter answers with a bare value for one name, and cannot be made for none.
    if not names:
        return lambda item: ()
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda item: (only(item),)
    return attrgetter(*names)


def _union(members: tuple[Any, ...]) -> Codec:
    present = tuple(member for member in members if member is not type(None))
    if len(present) < len(members):
        return _optional(_codec(present[0]) if len(present) == 1 else _union(present))
    if not all(map(is_dataclass, members)):
        raise TypeError(f"a journal cannot tell {members} apart")
    codecs = {member: _record(member, tag=member.__name__) for member in members}
    encoders = {member: encoder for member, (encoder, _) in codecs.items()}
    decoders = {member.__name__: decoder for member, (_, decoder) in codecs.items()}

    def encode_member(item: Any) -> str:
        return encoders[type(item)](item)

    def decode_member(data: Any) -> Any:
        name = data.pop(_TAG)
        if name not in decoders:
            raise _UnknownHereError(name)
        return decoders[name](data)

    return encode_member, decode_member


def _optional(codec: Codec) -> Codec:
    encoder, decoder = codec
    return (
        lambda value: "null" if value is None else encoder(value),
        lambda data: None if data is None else decoder(data),
    )


def _tuple(arguments: tuple[Any, ...]) -> Codec:
    if len(arguments) != 2 or arguments[1] is not Ellipsis:
        raise TypeError("a journal holds tuples of one kind of thing only")
    encoder, decoder = _codec(arguments[0])
    return (
        lambda values: "[" + ",".join([encoder(value) for value in values]) + "]",
        lambda data: tuple([decoder(value) for value in data]),
    )


def _member(enum: type[StrEnum]) -> Decoder:
    members: dict[str, StrEnum] = {member.value: member for member in enum}

    def decode_member(data: Any) -> StrEnum:
        member = members.get(data)
        if member is None:
            raise _UnknownHereError(f"{enum.__name__} {data!r}")
        return member

    return decode_member


def _encode_float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return repr(float(value))


def _encode_decimal(value: Decimal) -> str:
    # An empty sum() is the int 0; written as it stands, other things could not be read back.
    return f'"{value}"' if type(value) is Decimal else f'"{Decimal(value)}"'


def _only(*types: type) -> Decoder:
    def check(data: Any) -> Any:
        if type(data) not in types:
            raise TypeError(f"{data!r} stands where a {types[0].__name__} belongs")
        return data

    return check


_text = _only(str)

_SCALARS: dict[Any, Codec] = {
    str: (quote, _text),
    bool: (lambda value: "true" if value else "false", _only(bool)),
    int: (int.__repr__, _only(int)),
    float: (_encode_float, _only(float, int)),
    Decimal: (_encode_decimal, lambda data: Decimal(_text(data))),
    datetime: (lambda value: f'"{value.isoformat()}"', datetime.fromisoformat),
    date: (lambda value: f'"{value.isoformat()}"', date.fromisoformat),
}

FACTS: tuple[type, ...] = get_args(Fact)
INTENTS: tuple[type, ...] = get_args(Intent)

_ENCODERS: dict[type, tuple[Kind, str, Encoder]] = {
    **{cls: ("fact", cls.__name__, _codec(cls)[0]) for cls in FACTS},
    **{cls: ("intent", cls.__name__, _codec(cls)[0]) for cls in INTENTS},
}
_DECODERS: dict[str, Decoder] = {cls.__name__: _codec(cls)[1] for cls in (*FACTS, *INTENTS)}
