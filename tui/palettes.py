"""Palettes are data: one TOML file each in `themes/`, layout apart from them in `layout.tcss`.

A person's own palettes are read the same way from a folder of theirs; what one leaves out, it has
from the palette it names as its base, else from the default.
"""

import tomllib
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


def from_folder(folder: Path) -> tuple[tuple[Theme, ...], tuple[str, ...]]:
    """Read a person's palettes; returns them and, in words, what is wrong with the others."""
    found: list[Theme] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(_own(path))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            faults.append(f"palette {path.name}: {error}")
    return tuple(found), tuple(faults)


def _own(path: Path) -> Theme:
    if path.stat().st_size > _LARGEST_BYTES:
        raise ValueError("is too large for a palette")
    data = tomllib.loads(path.read_text("utf-8"))
    base = data.get("base", DEFAULT)
    under = next((theme for theme in palettes() if theme.name == base), None)
    if under is None:
        raise ValueError(f"there is no palette {base} to build on")
    colors = {**_colors_of(under), **_table(data, "colors")}
    variables = {**under.variables, **_table(data, "variables")}
    unknown = (colors.keys() - _colors_of(under)) | (variables.keys() - under.variables)
    if unknown:
        raise ValueError(f"does not know {', '.join(sorted(unknown))}")
    for name, value in (*colors.items(), *variables.items()):
        _check(name, value)
    palette = {
        "name": str(data.get("name", path.stem)),
        "dark": bool(data.get("dark", under.dark)),
        "ansi": under.ansi,
        "colors": colors,
        "variables": variables,
    }
    return _theme(palette)


def _table(data: dict[str, Any], name: str) -> dict[str, str]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"[{name}] is not a table")
    return {key: str(value) for key, value in table.items()}


def _check(name: str, value: str) -> None:
    if name.endswith("-text-style"):
        return
    try:
        Color.parse(value)
    except ColorParseError:
        raise ValueError(f"{name}: {value} is not a colour") from None


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
