"""Palettes are data: one TOML file each in `themes/`, layout apart from them in `layout.tcss`."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from textual.theme import Theme

DEFAULT = "night"
LOW_COLOR = "contrast"
_FOLDER = Path(str(files("themes")))
LAYOUT = _FOLDER / "layout.tcss"


@cache
def palettes() -> tuple[Theme, ...]:
    """All palettes in the order `t` goes through them."""
    loaded = [tomllib.loads(path.read_text("utf-8")) for path in _FOLDER.glob("*.toml")]
    loaded.sort(key=lambda palette: int(palette["order"]))
    return tuple(
        Theme(
            name=palette["name"],
            dark=palette["dark"],
            variables=palette["variables"],
            **palette["colors"],
        )
        for palette in loaded
    )


def after(name: str) -> str:
    """The palette that follows this one, round and round."""
    names = [palette.name for palette in palettes()]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
