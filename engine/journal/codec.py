"""Facts and intents as JSON text, and back to equal objects.

They are Structs (see engine.desk.journaled), which msgspec writes and reads in C. What a newer
version wrote and this one does not know is refused by name, never skipped: a desk that missed a
fact would trade on a wrong book.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, cast, get_args

import msgspec
from msgspec import inspect

from engine.desk.facts import Fact
from engine.desk.intents import Intent
from engine.desk.journaled import TAG
from engine.journal.errors import JournalError

Kind = Literal["fact", "intent"]
Read = Callable[[str | bytes], Fact | Intent]

# The errors of msgspec are ValueErrors.
_UNWRITABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)

FACTS: tuple[type, ...] = get_args(Fact)
INTENTS: tuple[type, ...] = get_args(Intent)


def encode(item: Fact | Intent) -> tuple[Kind, str, str]:
    """Return kind, class name and ASCII JSON text of a fact or an intent. Raises JournalError."""
    cls = type(item)
    try:
        kind, read = _KNOWN[cls]
        try:
            body = _write(item)
        except UnicodeEncodeError:
            return kind, cls.__name__, _escaped(item)
        # Written as it stands, a wrong type or a float that is no number could not be read back.
        read(body)
        return kind, cls.__name__, body.decode() if body.isascii() else _escaped(item)
    except _UNWRITABLE as error:
        raise JournalError(f"A {cls.__name__} cannot be written to the journal: {error}") from error


def decode(name: str, body: str) -> Fact | Intent:
    """Return the equal of what was encoded. Raises JournalError, also for a newer version's."""
    cls = _NAMED.get(name)
    if cls is None:
        raise _newer(name)
    try:
        return _item(cls, body)
    except _UNWRITABLE as error:
        for unknown in _unknown_in(body, cls):
            raise _newer(unknown) from None
        raise JournalError(f"A {name} in the journal cannot be read: {error}") from error


def _escaped(item: Fact | Intent) -> str:
    """Write text that is not ASCII; half a surrogate pair has no UTF-8, but an escape."""
    text = json.dumps(msgspec.to_builtins(item), allow_nan=False, separators=(",", ":"))
    _item(type(item), text)
    return text


def _item(cls: type, body: str) -> Fact | Intent:
    try:
        return _KNOWN[cls][1](body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # No JSON, or half a surrogate pair's escape, which msgspec takes for none.
        return cast(Fact | Intent, msgspec.convert(json.loads(body), cls))


def _newer(unknown: str) -> JournalError:
    return JournalError(
        f"The journal holds {unknown}, which this version of Bulkhead does not know: a newer "
        "version wrote it. Start that version, or a newer one."
    )


def _unknown_in(body: str, cls: type) -> Iterator[str]:
    """Name what stands in a body and this version does not have: fields, classes, members."""
    try:
        data = json.loads(body)
    except ValueError:
        return
    yield from _unknown(inspect.type_info(cls), data)


def _unknown(kind: inspect.Type, data: Any) -> Iterator[str]:
    match kind, data:
        case inspect.StructType(), dict():
            fields = {field.name: field.type for field in kind.fields}
            for name, value in data.items():
                if name in fields:
                    yield from _unknown(fields[name], value)
                elif kind.tag is None or name != TAG:
                    yield f"{kind.cls.__name__}.{name}"
        case inspect.UnionType(), dict():
            tag = data.get(TAG)
            records = [one for one in kind.types if isinstance(one, inspect.StructType)]
            meant = [one for one in records if one.tag == tag]
            if meant:
                yield from _unknown(meant[0], data)
            elif tag is not None:
                yield str(tag)
        case inspect.UnionType(), _:
            for one in kind.types:
                yield from _unknown(one, data)
        case inspect.VarTupleType(), list():
            for value in data:
                yield from _unknown(kind.item_type, value)
        case inspect.EnumType(), str() if data not in [member.value for member in kind.cls]:
            yield f"{kind.cls.__name__} {data!r}"


_write = msgspec.json.Encoder().encode

_KNOWN: dict[type, tuple[Kind, Read]] = {
    **{cls: ("fact", msgspec.json.Decoder(cls).decode) for cls in FACTS},
    **{cls: ("intent", msgspec.json.Decoder(cls).decode) for cls in INTENTS},
}
_NAMED: dict[str, type] = {cls.__name__: cls for cls in _KNOWN}
