"""The one place where text from outside is made harmless and cut to its column.

A venue's strings may carry escape sequences, right-to-left overrides or a thousand combining
marks. Here they become visible, inert characters of a known width; nothing is ever markup.
"""

import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

REPLACEMENT = "�"
LONGEST = 4000
_INERT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})
_SPACES = str.maketrans({"\n": " ", "\r": " ", "\t": " ", "\u00a0": " "})


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Return text as one inert line: controls, bidi marks and stray combining marks replaced."""
    if text.isascii() and text.isprintable():
        return text[:LONGEST]
    composed = unicodedata.normalize("NFC", text[:LONGEST]).translate(_SPACES)
    return "".join(
        REPLACEMENT if unicodedata.category(character) in _INERT else character
        for character in composed
    )


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return text cleaned and exactly width cells wide; what does not fit ends in an ellipsis."""
    if width <= 0:
        return ""
    line = clean(text)
    length = cell_len(line)
    if length > width:
        return set_cell_size(line, width - 1) + "…"
    padding = " " * (width - length)
    return padding + line if right else line + padding


@lru_cache(maxsize=4096)
def wrap(text: str, width: int, *, most: int = 40) -> tuple[str, ...]:
    """Break text at spaces into cleaned lines of at most width cells; keeps its own line breaks.

    Beyond `most` lines the rest is cut, and the last line ends in an ellipsis.
    """
    width = max(2, width)
    lines: list[str] = []
    for paragraph in text[:LONGEST].splitlines():
        line = ""
        for word in clean(paragraph).split():
            for piece in _pieces(word, width):
                candidate = f"{line} {piece}" if line else piece
                if cell_len(candidate) > width:
                    lines.append(line)
                    candidate = piece
                line = candidate
        lines.append(line)
        if len(lines) > most:
            return (*lines[: most - 1], fit(lines[most - 1] + " …", width).rstrip())
    return tuple(lines)


def _pieces(word: str, width: int) -> list[str]:
    """Cut a word that is wider than a line; a piece has at least one character."""
    if cell_len(word) <= width:
        return [word]
    pieces, piece, used = [], "", 0
    for character in word:
        cells = cell_len(character)
        if piece and used + cells > width:
            pieces.append(piece)
            piece, used = "", 0
        piece += character
        used += cells
    return [*pieces, piece]
