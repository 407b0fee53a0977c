"""Palettes are data: one TOML file each in `themes/`, layout apart from them in `layout.tcss`.

A person's own palettes are read the same way from a folder of theirs; what one leaves out, it has
from the palette it names as its base, else from the default.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT, SIXTEEN = "night", "ansi"
_FOLDER = Path(str(files("themes")))
LAYOUT = _FOLDER / "layout.tcss"
_LARGEST_BYTES = 64 * 1024


@cache
def palettes() -> tuple[Theme, ...]:
    """The palettes that come along, in the order `t` goes through them."""
    loaded = [tomllib.loads(path.read_text("utf-8")) for path in _FOLDER.glob("*.toml")]
    loaded.sort(key=lambda palette: int(palette["order"]))
    return tuple(_theme(palette) for palette in loaded)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaletteFault:
    """What is wrong with a person's own palette, and at which key of its file, if at one."""

    file: Path
    text: str
    key: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = f"{'.'.join(self.key)}: " if self.key else ""
        return f"palette {self.file.name}: {at}{self.text}"


class _Bad(ValueError):
    def __init__(self, text: str, *key: str) -> None:
        super().__init__(text)
        self.key = key


def from_folder(folder: Path) -> tuple[tuple[Theme, ...], tuple[PaletteFault, ...]]:
    """Read a person's palettes; returns them, and what is wrong with the others."""
    found: list[Theme] = []
    faults: list[PaletteFault] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            theme = _own(path)
            if any(theme.name == other.name for other in (*palettes(), *found)):
                raise _Bad(f"there is another palette called {theme.name}", "name")
            found.append(theme)
        except _Bad as error:
            faults.append(PaletteFault(file=path, text=str(error), key=error.key))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            faults.append(PaletteFault(file=path, text=str(error)))
    return tuple(found), tuple(faults)


def names_with(folder: Path) -> tuple[str, ...]:
    """The names of the palettes that come along and of those in a folder that are sound."""
    return tuple(theme.name for theme in (*palettes(), *from_folder(folder)[0]))


def _own(path: Path) -> Theme:
    if path.stat().st_size > _LARGEST_BYTES:
        raise _Bad("is too large for a palette")
    data = tomllib.loads(path.read_text("utf-8"))
    base = data.get("base", DEFAULT)
    under = next((theme for theme in palettes() if theme.name == base), None)
    if under is None:
        raise _Bad(f"there is no palette {base} to build on", "base")
    tables = {
        "colors": {**_colors_of(under), **_table(data, "colors")},
        "variables": {**under.variables, **_table(data, "variables")},
    }
    known = {"colors": _colors_of(under), "variables": under.variables}
    for key in data.keys() - {"base", "name", "dark", *tables}:
        raise _Bad(f"does not know {key}", key)
    for table, values in tables.items():
        for name, value in values.items():
            if name not in known[table]:
                raise _Bad(f"does not know {name}", table, name)
            if not name.endswith("-text-style"):
                _check(value, table, name)
    palette = {
        "name": str(data.get("name", path.stem)),
        "dark": bool(data.get("dark", under.dark)),
        "ansi": under.ansi,
        **tables,
    }
    return _theme(palette)


def _table(data: dict[str, Any], name: str) -> dict[str, str]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise _Bad(f"[{name}] is not a table", name)
    return {key: str(value) for key, value in table.items()}


def _check(value: str, *key: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError:
        raise _Bad(f"{value} is not a colour", *key) from None


def _colors_of(theme: Theme) -> dict[str, str]:
    names = (
        "primary", "secondary", "accent", "foreground", "background", "surface", "panel",
        "success", "warning", "error",
    )  # fmt: skip
    return {name: str(getattr(theme, name)) for name in names}


def _theme(palette: dict[str, Any]) -> Theme:
    return Theme(
        name=palette["name"],
        dark=palette["dark"],
        ansi=palette.get("ansi", False),
        variables=palette["variables"],
        **palette["colors"],
    )
