"""How values and paths from a file are written in messages: on one line, no control characters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal

Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60


def plain(text: str, longest: int = 400) -> str:
    """Escape every control, bidi and other unprintable character, and cut to a length."""
    cut = text if len(text) <= longest else text[:longest] + "..."
    return "".join(_escaped(character) for character in cut)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shown(value: object) -> str:
    """Write a value the way a person would recognise it from the file."""
    match value:
        case str():
            return '"' + plain(value, _LONGEST).replace('"', '\\"') + '"'
        case bool():
            return "true" if value else "false"
        case int():
            return plain(str(value), _LONGEST) if value.bit_length() < 1000 else "a huge number"
        case Decimal() | float() | date() | time():
            return plain(str(value), _LONGEST)
        case _:
            return sort_of(value)


def sort_of(value: object) -> str:
    """Name what kind of TOML value this is, without showing it."""
    match value:
        case str():
            return "text"
        case bool():
            return "true" if value else "false"
        case int() | Decimal() | float():
            return "a number"
        case date() | time():
            return "a date or time"
        case Mapping():
            return "a table"
        case Sequence():
            return "a list"
        case _:
            return "something else"


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as `options.strategies[0].legs[2].strike`; odd keys are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        key = part if _BARE.fullmatch(part) else shown(part)
        text += f".{key}" if text else key
    return text


def listed(words: Sequence[str]) -> str:
    """Write words in a row, escaped."""
    return ", ".join(plain(word, _LONGEST) for word in words)
