"""What the terminal shows and what it should show, cell by cell, and the least that makes them one.

Textual sends whole spans with a full colour code each; over a slow line that is most of the bytes.
Drawing goes into the wanted screen here, everything else passes through as it is.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import get_character_cell_size

SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
_TOKEN = re.compile(
    r"\x1b\[(?P<y>\d+);(?P<x>\d+)H"
    r"|\x1b\[(?P<sgr>[\d;:]*)m"
    r"|(?P<text>[^\x00-\x1f\x7f\x9b]+)"
    r"|(?P<newline>\n)"
    r"|(?P<other>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[<-?]?[\d;:]*[ -/]*[@-~]|\x1b[ -/]?.|.)",
    re.DOTALL,
)
_SCREEN_RESET = ("\x1b[?1049h", "\x1b[2J")
_WORTH_JUMPING = 4
_MOST_COLUMNS, _MOST_ROWS = 1000, 500


class Cell(NamedTuple):
    """One character and the parameters of its colour code; "" is the right half of a wide one."""

    text: str
    style: str


_BLANK = Cell(" ", "")


class Painter:
    def __init__(self) -> None:
        self._wanted: dict[int, list[Cell]] = {}
        self._shown: dict[int, list[Cell]] = {}
        self._dirty: set[int] = set()
        self._x = self._y = 0
        self._style = ""
        self._rest = (0, 0)
        self._rested = (0, 0)
        self._synchronised = False

    def take(self, data: str) -> str:
        """Put drawing into the wanted screen; return the rest, to be sent at once."""
        passed: list[str] = []
        for token in _TOKEN.finditer(data):
            kind = token.lastgroup
            if kind == "text":
                self._draw(token["text"])
                self._rest = (0, 0)
            elif kind == "sgr":
                self._style = _combined(self._style, token["sgr"])
            elif kind == "x":
                self._x, self._y = int(token["x"]) - 1, int(token["y"]) - 1
                self._rest = (self._x, self._y)
            elif kind == "newline":
                self._y += 1
            else:
                self._other(token[0], passed)
        return "".join(passed)

    def _other(self, sequence: str, passed: list[str]) -> None:
        if sequence == SYNC_START:
            self._synchronised = True
        elif sequence == SYNC_END:
            pass
        else:
            if sequence in _SCREEN_RESET:
                self.forget()
            passed.append(sequence)

    def forget(self) -> None:
        """What the terminal shows is not known any more, and all will be drawn anew."""
        self._wanted.clear()
        self._shown.clear()
        self._dirty.clear()

    def redraw(self) -> None:
        """Send the wanted screen once more: something else wrote on the terminal."""
        self._shown.clear()
        self._dirty = set(self._wanted)

    def _draw(self, text: str) -> None:
        if self._y >= _MOST_ROWS or self._x >= _MOST_COLUMNS:
            return
        row = self._wanted.setdefault(self._y, [])
        if len(row) < self._x:
            row.extend([_BLANK] * (self._x - len(row)))
        cells = _cells(text, self._style)
        end = self._x + len(cells)
        _split_wide(row, self._x, end)
        row[self._x : end] = cells
        self._x = end
        self._dirty.add(self._y)

    def difference(self) -> str:
        """Return what makes the terminal show the wanted screen, and take it as sent."""
        pen = _Pen()
        for y in sorted(self._dirty):
            wanted, shown = self._wanted[y], self._shown.get(y, [])
            if wanted != shown:
                _difference(y, wanted, shown, pen)
                self._shown[y] = wanted.copy()
        self._dirty.clear()
        if not pen.out and self._rest in (self._rested, (0, 0)):
            return ""
        pen.finish(self._rest)
        self._rested = self._rest
        drawn = "".join(pen.out)
        if self._synchronised and pen.jumps > 1:
            return f"{SYNC_START}{drawn}{SYNC_END}"
        return drawn


class _Pen:
    """Where the terminal's cursor is and which colour code is in force while a difference is
    written; every difference begins and ends without a colour."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.jumps = 0
        self._x = self._y = -1
        self._style = ""

    def put(self, x: int, y: int, cells: Sequence[Cell]) -> None:
        self._go(x, y)
        for text, style in cells:
            if style != self._style:
                self.out.append(_change(self._style, style))
                self._style = style
            self.out.append(text)
        self._x = x + len(cells)

    def _go(self, x: int, y: int) -> None:
        if (x, y) == (self._x, self._y):
            return
        forward = x - self._x
        if y == self._y and 0 < forward < 100 and self._x > 0:
            self.out.append(f"\x1b[{forward}C" if forward > 1 else "\x1b[C")
        else:
            self.out.append(f"\x1b[{y + 1};{x + 1}H")
        self.jumps += 1
        self._x, self._y = x, y

    def finish(self, rest: tuple[int, int]) -> None:
        if self._style:
            self.out.append("\x1b[0m")
        if rest != (0, 0):
            self.out.append(f"\x1b[{rest[1] + 1};{rest[0] + 1}H")


def _difference(y: int, wanted: list[Cell], shown: list[Cell], pen: _Pen) -> None:
    width, known = len(wanted), len(shown)
    x = 0
    while x < width:
        if x < known and wanted[x] == shown[x]:
            x += 1
            continue
        start = x
        while start > 0 and wanted[start].text == "":
            start -= 1
        last = x
        x += 1
        # A short stretch of what stands already is cheaper than a jump over it.
        while x < width and x - last <= _WORTH_JUMPING:
            if x >= known or wanted[x] != shown[x]:
                last = x
            elif wanted[x].style != wanted[last].style:
                break
            x += 1
        end = last + 1
        while end < width and wanted[end].text == "":
            end += 1
        pen.put(start, y, wanted[start:end])
        x = max(end, last + 1)


def _split_wide(row: list[Cell], start: int, end: int) -> None:
    """A wide character of which one half is overwritten leaves a blank."""
    if start < len(row) and row[start].text == "":
        row[start - 1] = Cell(" ", row[start - 1].style)
    if end < len(row) and row[end].text == "":
        row[end] = Cell(" ", row[end].style)


@lru_cache(maxsize=4096)
def _cells(text: str, style: str) -> tuple[Cell, ...]:
    if text.isascii():
        return tuple(Cell(character, style) for character in text)
    cells: list[Cell] = []
    for character in text:
        size = get_character_cell_size(character)
        if size == 0 and cells:
            cells[-1] = Cell(cells[-1].text + character, style)
        else:
            cells.append(Cell(character, style))
            cells.extend([Cell("", style)] * (size - 1))
    return tuple(cells)


@lru_cache(maxsize=4096)
def _combined(style: str, parameters: str) -> str:
    """The colour code in force after one more; a zero begins anew."""
    parts = _parts(parameters)
    for index, part in enumerate(parts):
        if part in ("", "0"):
            style = ""
            rest = parts[index + 1 :]
            return _combined(style, ";".join(rest)) if rest else ""
    return f"{style};{parameters}" if style else parameters


@lru_cache(maxsize=4096)
def _change(before: str, after: str) -> str:
    """The shortest colour code that leads from one style to another; "" is no colour at all."""
    if not after:
        return "\x1b[0m"
    old, new = _layers(before), _layers(after)
    whole = f"\x1b[{after}m" if not before else f"\x1b[0;{after}m"
    if old.keys() - new.keys():
        return whole
    parts = [part for layer, part in new.items() if old.get(layer) != part]
    return min(f"\x1b[{';'.join(parts)}m", whole, key=len)


def _layers(style: str) -> dict[str, str]:
    """A style as what it sets: fore, back, and each attribute by its own number."""
    layers: dict[str, str] = {}
    for part in _parts(style):
        number = int(part.split(";")[0].split(":")[0] or 0)
        if number == 38 or 30 <= number <= 37 or 90 <= number <= 97:
            layers["fore"] = part
        elif number == 48 or 40 <= number <= 47 or 100 <= number <= 107:
            layers["back"] = part
        elif number == 39:
            layers.pop("fore", None)
        elif number == 49:
            layers.pop("back", None)
        else:
            layers[part] = part
    return layers


def _parts(style: str) -> list[str]:
    """Split a colour code's parameters, keeping 38;2;r;g;b and 38;5;n in one piece."""
    numbers = style.split(";")
    parts: list[str] = []
    at = 0
    while at < len(numbers):
        length = 1
        if numbers[at] in ("38", "48") and at + 1 < len(numbers):
            length = {"2": 5, "5": 3}.get(numbers[at + 1], 1)
        parts.append(";".join(numbers[at : at + length]))
        at += length
    return parts
