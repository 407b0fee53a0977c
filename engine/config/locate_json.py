"""Where each key and value of a JSON text stands, for text the json module has already accepted."""

from __future__ import annotations

import json
import re

from engine.config.locate import Places, ScanError
from engine.config.text import Path

_BLANK = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]+")


def json_places(text: str) -> Places:
    """Locate everything in a JSON text. Raises ScanError where it cannot be followed."""
    places = Places(text)
    scanner = _JsonScanner(places)
    scanner.blank()
    scanner.value(())
    return places


class _JsonScanner:
    def __init__(self, places: Places) -> None:
        self.places = places
        self.text = places.text
        self.at = 0

    def value(self, path: Path) -> None:
        match self.text[self.at : self.at + 1]:
            case "{":
                self.members(path)
            case "[":
                self.items(path)
            case '"':
                self.take(_STRING)
            case _:
                self.take(_SCALAR)

    def members(self, path: Path) -> None:
        self.at += 1
        while not self.closed("}"):
            start = self.at
            key = str(json.loads(self.take(_STRING), strict=False))
            self.blank()
            self.at += 1
            self.blank()
            self.value(self.places.write((*path, key), start, self.at))
            self.comma()

    def items(self, path: Path) -> None:
        self.at += 1
        index = 0
        while not self.closed("]"):
            self.places.write((*path, index), self.at, self.at)
            self.value((*path, index))
            index += 1
            self.comma()

    def closed(self, bracket: str) -> bool:
        self.blank()
        if not self.text.startswith(bracket, self.at):
            return False
        self.at += 1
        return True

    def comma(self) -> None:
        self.blank()
        if self.text.startswith(",", self.at):
            self.at += 1

    def blank(self) -> None:
        self.take(_BLANK)

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ScanError(self.at)
        self.at = found.end()
        return found.group()
