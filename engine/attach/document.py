"""The public status document: what `status --json` prints and what travels on the socket.

Keys are the fields of the snapshot's records, so a field added there is in the document at once.
Decimals are strings in plain notation, instants ISO 8601 UTC, floats JSON numbers. Writing is on
the engine's loop and therefore quick and total: text that is no Unicode is mended and a float that
is no number becomes null. Reading happens in terminals only.
"""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from engine.desk.snapshot import Snapshot

Convert = Callable[[Any], Any]


def status_document(snapshot: Snapshot) -> dict[str, Any]:
    """Return the public document, exactly as the socket carries it."""
    document: dict[str, Any] = json.loads(encode_snapshot(snapshot))
    return document


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return the public document as UTF-8 JSON."""
    return to_json(_document_of(snapshot))


class DocumentWriter:
    """Writes one snapshot after another; a record that is the same object is written once.

    A desk of hundreds of strategies changes in a few places from one picture to the next.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, bytes]] = {}

    def write(self, snapshot: Snapshot) -> bytes:
        """Return the public document, as encode_snapshot does."""
        fresh: dict[int, tuple[object, bytes]] = {}
        parts = []
        for name in _FIELDS:
            value = getattr(snapshot, name)
            body = self._rows(value, fresh) if isinstance(value, tuple) else to_json(value)
            parts.append(b'"%s":%s' % (name.encode(), body))
        self._known = fresh
        return b"{%s}" % b",".join(parts)

    def _rows(self, records: tuple[object, ...], fresh: dict[int, tuple[object, bytes]]) -> bytes:
        rows = []
        for record in records:
            key = id(record)
            known = self._known.get(key)
            if known is None or known[0] is not record:
                known = (record, to_json(record))
            fresh[key] = known
            rows.append(known[1])
        return b"[%s]" % b",".join(rows)


def snapshot_from_document(document: dict[str, Any]) -> Snapshot:
    """Return the snapshot a document was made of; raises ValueError when it is none.

    Keys this version does not know are passed over.
    """
    return _reader().validate_python(document)


def to_json(value: Any) -> bytes:
    """Return value as UTF-8 JSON; Decimals, instants and records as in the document."""
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        lenient = json.dumps(value, default=_plain, ensure_ascii=False)
        text = _ENCODER.encode(json.loads(lenient, parse_constant=_no_number))
    return text.encode("utf-8", "replace")


def _no_number(_: str) -> None:
    return None


def _decimal(value: Decimal) -> str:
    text = str(value)
    return text if "E" not in text else format(value, "f")


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return _decimal(value)
        case datetime():
            return _instant(value)
        case date():
            return value.isoformat()
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _record(type(value))(value)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


_ENCODER = json.JSONEncoder(
    default=_plain,
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,
    separators=(",", ":"),
)


@cache
def _record(kind: type) -> Convert:
    """Build the function that turns one kind of record into a dict.

    It is compiled from the record's field names, as dataclasses are: a dict display is more than
    twice as fast as a loop over the fields, and this runs on the engine's loop.
    """
    hints = get_type_hints(kind)
    names: dict[str, Convert] = {}
    items = []
    for field in fields(kind):
        value = f"record.{field.name}"
        convert = _converter(hints[field.name])
        if convert is not None:
            names[f"convert_{field.name}"] = convert
            value = f"None if {value} is None else convert_{field.name}({value})"
        items.append(f"{field.name!r}: {value}")
    to_dict: Convert = eval(f"lambda record: {{{', '.join(items)}}}", names)
    return to_dict


def _converter(hint: Any) -> Convert | None:
    """Say how a field of this type is written; None when JSON takes it as it is."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        item = _converter(get_args(hint)[0])
        if item is None:
            return None
        return lambda values: [item(value) for value in values]
    if hint is Decimal:
        return _decimal
    if hint is datetime:
        return _instant
    if hint is date:
        return date.isoformat
    return _record(hint) if isinstance(hint, type) and is_dataclass(hint) else None


_document_of = _record(Snapshot)
_FIELDS = tuple(field.name for field in fields(Snapshot))


@cache
def _reader() -> TypeAdapter[Snapshot]:
    """Built at the first picture a terminal reads: the engine never needs it."""
    return TypeAdapter(Snapshot)
