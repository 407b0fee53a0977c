"""A terminal's screen, as far as the app uses one: moves, colour codes, text, wide characters."""

import re
import unicodedata
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"\x1b\[(?P<csi>[?<=>]?[\d;]*)(?P<final>[@-~])|\x1b\](?P<osc>[^\x07]*)\x07|(?P<text>[^\x1b])"
)
_UNFINISHED = re.compile(r"\x1b(\[[?<=>]?[\d;]*|\][^\x07]*)?$")
Shown = tuple[str, frozenset[str]]
BLANK: Shown = (" ", frozenset())


@dataclass
class Terminal:
    """What a person would see, cell by cell: a character and what its colour code sets."""

    width: int
    height: int
    cells: dict[tuple[int, int], Shown] = field(default_factory=dict)
    x: int = 0
    y: int = 0
    style: dict[str, str] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    rest: str = ""

    def feed(self, data: str) -> None:
        data = self.rest + data
        cut = _UNFINISHED.search(data)
        self.rest = "" if cut is None else data[cut.start() :]
        data = data[: len(data) - len(self.rest)]
        for token in _TOKEN.finditer(data):
            if token["final"] is not None:
                self._control(token["csi"], token["final"], token[0])
            elif token["osc"] is not None:
                self.titles.append(token["osc"])
            elif token["text"] == "\n":
                self.y += 1
            elif token["text"] >= " ":
                self._put(token["text"])

    def line(self, y: int) -> str:
        return "".join(self.cells.get((x, y), BLANK)[0] for x in range(self.width))

    @property
    def text(self) -> str:
        return "\n".join(self.line(y).rstrip() for y in range(self.height))

    def _control(self, parameters: str, final: str, whole: str) -> None:
        if final == "H":
            row, _, column = parameters.partition(";")
            self.y, self.x = int(row or 1) - 1, int(column or 1) - 1
        elif final == "C":
            self.x += int(parameters or 1)
        elif final == "m":
            self._colour(parameters.split(";"))
        elif whole in ("\x1b[?1049h", "\x1b[2J"):
            self.cells.clear()
        else:
            self.passed.append(whole)

    def _colour(self, numbers: list[str]) -> None:
        at = 0
        while at < len(numbers):
            number = int(numbers[at] or 0)
            length = 1
            if number in (38, 48):
                length = 5 if numbers[at + 1] == "2" else 3
                name = "fore" if number == 38 else "back"
                self.style[name] = ";".join(numbers[at : at + length])
            elif number == 0:
                self.style.clear()
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self.style["fore"] = str(number)
            elif 40 <= number <= 47 or 100 <= number <= 107:
                self.style["back"] = str(number)
            else:
                self.style[str(number)] = str(number)
            at += length

    def _put(self, character: str) -> None:
        if unicodedata.combining(character):
            return
        style = frozenset(self.style.values())
        wide = unicodedata.east_asian_width(character) in "WF"
        self._break(self.x)
        self.cells[self.x, self.y] = (character, style)
        if wide:
            self._break(self.x + 1)
            self.cells[self.x + 1, self.y] = ("", style)
        self.x += 2 if wide else 1

    def _break(self, x: int) -> None:
        """Half of a wide character that is overwritten takes the other half with it."""
        here = self.cells.get((x, self.y), BLANK)
        if here[0] == "":
            self.cells[x - 1, self.y] = (" ", self.cells[x - 1, self.y][1])
        right = self.cells.get((x + 1, self.y))
        if right is not None and right[0] == "":
            self.cells[x + 1, self.y] = (" ", right[1])
