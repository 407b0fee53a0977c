"""The framing of the TWS socket: a four-byte big-endian length, then NUL-terminated text fields.

Knows bytes, fields and how numbers are spelt; never what a message means.
"""

import struct
from decimal import Decimal

SERVER_VERSION = 176
UNSET_DOUBLE = "1.7976931348623157E308"
UNSET_INTEGER = "2147483647"
UNSET_LONG = "9223372036854775807"

_LENGTH = struct.Struct(">I")
_LARGEST_FRAME_BYTES = 16 * 1024 * 1024

Field = str | int | Decimal | bool | None


class BadFrame(ValueError):
    """What arrived, or was to be sent, is no frame of this protocol."""


def text(field: Field) -> str:
    """Spell one field: None is empty, a bool is 0 or 1, a Decimal has no exponent."""
    if isinstance(field, str):
        return field
    if field is None:
        return ""
    if isinstance(field, bool):
        return "1" if field else "0"
    if isinstance(field, Decimal):
        return number(field)
    return str(field)


def number(value: Decimal) -> str:
    """Spell a number the short way: 100, 196.52, 0."""
    if not value.is_finite():
        raise BadFrame(f"{value} cannot be sent")
    spelt = format(value, "f")
    if "." in spelt:
        spelt = spelt.rstrip("0").rstrip(".")
    return "0" if spelt in ("", "-0") else spelt


def double(value: Decimal) -> str:
    """Spell a number as a Java double prints it: 0.0, 440.0, 4.15."""
    spelt = number(value)
    return spelt if "." in spelt else f"{spelt}.0"


def frame(fields: tuple[Field, ...]) -> bytes:
    """Encode one message. A lone surrogate in text becomes the raw byte it stands for."""
    parts = [text(field) for field in fields]
    if any("\0" in part for part in parts):
        raise BadFrame("a field cannot hold NUL, which ends it")
    body = ("\0".join(parts) + "\0").encode("utf-8", "surrogateescape")
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a byte stream into frames, keeping what is incomplete for later."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived and return the body of every complete frame."""
        kept = self._kept + data if self._kept else data
        bodies: list[bytes] = []
        start = 0
        while len(kept) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(kept, start)
            if length > _LARGEST_FRAME_BYTES:
                raise BadFrame(f"a frame of {length} bytes")
            end = start + _LENGTH.size + length
            if end > len(kept):
                break
            bodies.append(kept[start + _LENGTH.size : end])
            start = end
        self._kept = kept[start:]
        return bodies


def split(body: bytes) -> tuple[str, ...]:
    """Decode the fields of one frame."""
    fields = body.decode("utf-8", "backslashreplace").split("\0")
    if fields and fields[-1] == "":
        fields.pop()
    return tuple(fields)
