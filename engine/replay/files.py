"""Reads recorded bars: CSV as exchanges and their friends write it, gzipped or not.

Every fault names its file and line. Nothing is guessed that a line does not say.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

from engine.desk.market import Bar
from engine.errors import InputError

_GZIP = b"\x1f\x8b"
_TIME = ("timestamp", "open_time", "opentime", "datetime", "time", "date", "unix", "ts")
_OTHERS = (
    ("open", "o"),
    ("high", "h"),
    ("low", "l"),
    ("close", "c"),
    ("volume", "v", "vol"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_LINE = 100_000
Numbers = Callable[[str], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarFile:
    """A file of one symbol's bars."""

    symbol: str
    path: Path


class BarReader:
    """Iterates over a file's bars, oldest first. fraction: how much of the file is read, 0 to 1."""

    def __init__(self, file: BarFile) -> None:
        self.file = file
        self.line = 0
        try:
            if not file.path.is_file():
                raise InputError(f"{file.path} is not a file.")
            self._raw = file.path.open("rb")
        except (OSError, ValueError) as error:
            raise InputError(f"{file.path} cannot be read: {_why(error)}.") from None
        self._size = max(file.path.stat().st_size, 1)

    @property
    def fraction(self) -> float:
        return 1.0 if self._raw.closed else min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> Iterator[Bar]:
        with self._raw:
            try:
                yield from _oldest_first(self._bars())
            except InputError:
                raise
            except (OSError, EOFError, zlib.error) as error:
                raise InputError(f"{self.file.path} is damaged: {_why(error)}.") from None
            except UnicodeDecodeError:
                raise self._fault("is not text in UTF-8") from None
            except csv.Error as error:
                raise self._fault(f"is no CSV: {error}") from None

    def _bars(self) -> Iterator[Bar]:
        rows = self._rows()
        first = next(rows, None)
        if first is None:
            raise InputError(f"{self.file.path} holds no bars.")
        columns = _columns(first)
        if columns is None:
            missing = _missing(first)
            raise self._fault(f"names no column for {missing}")
        if _is_time(first[0]):
            yield self._bar(first, columns)
        for row in rows:
            yield self._bar(row, columns)

    def _rows(self) -> Iterator[list[str]]:
        packed = self._raw.read(2) == _GZIP
        self._raw.seek(0)
        binary = gzip.GzipFile(fileobj=self._raw) if packed else self._raw
        with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            self.line = 1
            head = text.readline(_LARGEST_LINE)
            # A line of plain text above the header is some exchanges' way of signing their files.
            while head and (not head.strip() or head.startswith("#") or _is_prose(head)):
                head = text.readline(_LARGEST_LINE)
                self.line += 1
            if not head:
                return
            above = self.line
            delimiter = max(",;\t|", key=head.count)
            yield [field.strip() for field in next(csv.reader([head], delimiter=delimiter))]
            reader = csv.reader(text, delimiter=delimiter)
            for row in reader:
                self.line = above + reader.line_num
                if row and not row[0].startswith("#") and (row[0] or len(row) > 1):
                    yield row

    def _bar(self, row: Sequence[str], columns: tuple[int, ...]) -> Bar:
        when, first, highest, lowest, last, traded = columns
        try:
            at = _instant(row[when])
            opened, high = float(row[first]), float(row[highest])
            low, close = float(row[lowest]), float(row[last])
            volume = float(row[traded] or 0) if traded >= 0 else 0.0
        except IndexError:
            raise self._fault(f"has {len(row)} columns, too few") from None
        except (ValueError, OverflowError) as error:
            raise self._fault(f"cannot be read: {error}") from None
        if not (0 < low <= opened <= high < inf and low <= close <= high):
            raise self._fault(f"is no bar: open {opened}, high {high}, low {low}, close {close}")
        return Bar(at=at, open=opened, high=high, low=low, close=close, volume=volume)

    def _fault(self, text: str) -> InputError:
        return InputError(f"{self.file.path}:{self.line}: {text}.")


def bar_files(texts: Sequence[str], symbols: Sequence[str], quote: str) -> tuple[BarFile, ...]:
    """Tell which symbol each file holds: SYMBOL=path, or a file name that names one of symbols.

    Raises InputError for a file whose symbol is not known, or not one of symbols.
    """
    return tuple(_bar_file(text, symbols, quote) for text in texts)


def _bar_file(text: str, symbols: Sequence[str], quote: str) -> BarFile:
    said, equals, path = text.partition("=")
    known = ", ".join(symbols)
    if equals and re.fullmatch(r"[A-Za-z0-9]{2,40}", said) and not Path(text).exists():
        if said.upper() not in symbols:
            raise InputError(f"{said.upper()} has no parameter set. Known: {known}.")
        return BarFile(symbol=said.upper(), path=Path(path))
    name = Path(text).name.upper()
    squeezed = re.sub(r"[^A-Z0-9]", "", name)
    named = sorted((s for s in symbols if s in squeezed), key=len, reverse=True)
    if not named:
        words = re.split(r"[^A-Z0-9]+", name)
        named = [s for s in symbols if s.removesuffix(quote) in words]
        named = named if len(named) == 1 else []
    if not named:
        raise InputError(
            f"{text}: its name does not say which symbol it holds. "
            f"Write SYMBOL={text}, with one of: {known}."
        )
    return BarFile(symbol=named[0], path=Path(text))


def _oldest_first(bars: Iterator[Bar]) -> Iterator[Bar]:
    """Turn a file round that begins with its newest bar."""
    first, second = next(bars, None), next(bars, None)
    if first is None:
        return
    if second is not None and second.at < first.at:
        turned = [first, second, *bars]
        turned.reverse()
        yield from turned
        return
    yield first
    if second is not None:
        yield second
        yield from bars


def _columns(first: Sequence[str]) -> tuple[int, ...] | None:
    """Where time, open, high, low, close and volume stand; volume is -1 where there is none."""
    if _is_time(first[0]):
        return (0, 1, 2, 3, 4, 5 if len(first) > 5 else -1) if len(first) > 4 else None
    names = [_name(field) for field in first]
    found = [_first_of(names, _TIME)] + [_first_of(names, words) for words in _OTHERS]
    if found[-1] < 0:
        found[-1] = next((i for i, name in enumerate(names) if name.startswith("volume")), -1)
    return None if min(found[:-1]) < 0 else tuple(found)


def _missing(first: Sequence[str]) -> str:
    names = [_name(field) for field in first]
    wanted = (("timestamp", _TIME), *((words[0], words) for words in _OTHERS[:-1]))
    return ", ".join(word for word, words in wanted if _first_of(names, words) < 0)


def _first_of(names: Sequence[str], words: Sequence[str]) -> int:
    return next((names.index(word) for word in words if word in names), -1)


def _name(field: str) -> str:
    return field.strip().strip('"').lower().replace(" ", "_")


def _is_prose(line: str) -> bool:
    return not any(mark in line for mark in ",;\t|")


def _is_time(text: str) -> bool:
    try:
        _instant(text)
    except (ValueError, OverflowError):
        return False
    return True


def _instant(text: str) -> datetime:
    """Read ISO 8601 (UTC where it names no zone), or seconds since 1970 or parts of them."""
    if "-" in text[1:]:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    number = float(text)
    if not 0 <= number < 1e20:
        raise ValueError(f"{text!r} is no time")
    whole = int(text) if text.isdigit() else number
    for scale, top in ((1, 1e11), (10**3, 1e14), (10**6, 1e17)):
        if number < top:
            return _EPOCH + timedelta(microseconds=whole * (10**6 // scale))
    return _EPOCH + timedelta(microseconds=int(number) // 1000)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
