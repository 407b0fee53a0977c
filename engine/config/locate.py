"""Where each key and value of a TOML text stands. It finds places only; tomllib reads the meaning.

The scanner is exact for text that tomllib accepts. For text that it refuses, the scanner gives up
with a ScanError or knows about a key written twice, and so points better than the parser does.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass

from engine.config.text import Path

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRINGS = (
    ('"""', re.compile(r'"{3}(?:\\.|[^\\])*?"{3,5}', re.DOTALL)),
    ("'''", re.compile(r"'{3}.*?'{3,5}", re.DOTALL)),
    ('"', re.compile(r'"(?:\\.|[^"\\\n])*"')),
    ("'", re.compile(r"'[^'\n]*'")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """1-based line and columns. key_column is where the key starts, column where its value does."""

    line: int
    column: int
    key_column: int


@dataclass(frozen=True, slots=True)
class Twice:
    """A key or table that is written a second time."""

    path: Path
    first: Place
    second: Place


class ScanError(Exception):
    """The text cannot be followed any further; opened_at is where the unfinished thing began."""

    def __init__(self, opened_at: int, unclosed: str = "") -> None:
        super().__init__(unclosed)
        self.opened_at = opened_at
        self.unclosed = unclosed


class Places:
    """The places of one document, by path."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self._line_starts = [0, *(m.end() for m in re.finditer("\n", self.text))]
        self._places: dict[Path, Place] = {}
        self._written: set[Path] = set()
        self.twice: list[Twice] = []

    @property
    def last_line(self) -> int:
        """The last line that holds anything."""
        return self.text.rstrip("\n").count("\n") + 1

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Turn an offset into 1-based line and column."""
        row = bisect_right(self._line_starts, offset)
        return row, offset - self._line_starts[row - 1] + 1

    def nearest(self, path: Path) -> Place:
        """Find the place of a path, or of the closest table around it, or the file's first line."""
        for length in range(len(path), 0, -1):
            place = self._places.get(path[:length])
            if place is not None:
                return place
        return Place(1, 1, 1)

    def imply(self, path: Path, start: int) -> None:
        """Note a table that a longer key brings into being."""
        if path not in self._places:
            self._places[path] = self._place(start, start)

    def write(self, path: Path, key_start: int, value_start: int) -> Path:
        """Note a key with a value, or a table with a header of its own.

        Returns the path to note what is inside under: for a second mention one that no document
        has, so that the first mention's places stand.
        """
        place = self._place(key_start, value_start)
        if path in self._written:
            self.twice.append(Twice(path, self._places[path], place))
            return (-len(self.twice),)
        self._written.add(path)
        self._places[path] = place
        return path

    def _place(self, key_start: int, value_start: int) -> Place:
        line, column = self.line_and_column(value_start)
        return Place(line, column, self.line_and_column(key_start)[1])


def toml_places(text: str) -> Places:
    """Locate everything in a TOML text. Raises ScanError where it cannot be followed."""
    places = Places(text)
    _TomlScanner(places).document()
    return places


class _TomlScanner:
    def __init__(self, places: Places) -> None:
        self.places = places
        self.text = places.text
        self.at = 0
        self.counts: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while True:
            self.skip(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        start = self.at
        width = 2 if self.text.startswith("[[", start) else 1
        self.at += width
        keys = self.key()
        self.expect("]" * width)
        path: Path = ()
        for key in keys[:-1]:
            path = (*path, key)
            self.places.imply(path, start)
            path = self.newest(path)
        path = (*path, keys[-1])
        if width == 1:
            path = self.newest(path)
            self.places.write(path, start, start)
            return path
        self.places.imply(path, start)
        self.counts[path] = self.counts.get(path, 0) + 1
        path = self.newest(path)
        self.places.write(path, start, start)
        return path

    def newest(self, path: Path) -> Path:
        """A header that goes through an array of tables means its latest table."""
        count = self.counts.get(path)
        return path if count is None else (*path, count - 1)

    def pair(self, table: Path) -> None:
        start = self.at
        keys = self.key()
        for length in range(1, len(keys)):
            self.places.imply((*table, *keys[:length]), start)
        self.expect("=")
        self.skip(_SPACE)
        self.value(self.places.write((*table, *keys), start, self.at))

    def key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self.skip(_SPACE)
            parts.append(self.key_part())
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def key_part(self) -> str:
        start = self.at
        if self.text.startswith(("'", '"'), start):
            self.string()
            try:
                return str(tomllib.loads("k=" + self.text[start : self.at])["k"])
            except ValueError:
                raise ScanError(start) from None
        bare = _BARE_KEY.match(self.text, start)
        if bare is None:
            raise ScanError(start)
        self.at = bare.end()
        return bare.group()

    def value(self, path: Path) -> None:
        match self.text[self.at : self.at + 1]:
            case '"' | "'":
                self.string()
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case _:
                scalar = _SCALAR.match(self.text, self.at)
                if scalar is None:
                    raise ScanError(self.at)
                self.at = scalar.end()

    def string(self) -> None:
        for opening, pattern in _STRINGS:
            if self.text.startswith(opening, self.at):
                found = pattern.match(self.text, self.at)
                if found is None:
                    raise ScanError(self.at, f"this {opening} is never closed")
                self.at = found.end()
                return

    def array(self, path: Path) -> None:
        start, index = self.at, 0
        self.at += 1
        while not self.closed("]", start):
            item = (*path, index)
            self.places.write(item, self.at, self.at)
            self.value(item)
            index += 1
            self.comma()

    def inline_table(self, path: Path) -> None:
        start = self.at
        self.at += 1
        while not self.closed("}", start):
            self.pair(path)
            self.comma()

    def closed(self, bracket: str, start: int) -> bool:
        self.skip(_BLANK)
        if self.at >= len(self.text):
            raise ScanError(start, f"this {self.text[start]} is never closed")
        if not self.text.startswith(bracket, self.at):
            return False
        self.at += 1
        return True

    def comma(self) -> None:
        self.skip(_BLANK)
        if self.text.startswith(",", self.at):
            self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def expect(self, literal: str) -> None:
        self.skip(_SPACE)
        if not self.text.startswith(literal, self.at):
            raise ScanError(self.at)
        self.at += len(literal)
