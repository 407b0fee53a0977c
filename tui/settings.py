"""What a person chose for this terminal: palette, keys, bell. Faults are said, never fatal."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.theme import Theme

from tui import palettes
from tui.keys import STANDARD, Keymap, keymap_of

_CONSOLES = ("linux", "vt100", "vt220")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """palettes are a person's own, besides those that come along. plain_marks: marks in ASCII."""

    palette: str = palettes.DEFAULT
    palettes: tuple[Theme, ...] = ()
    keymap: Keymap = STANDARD
    bell: bool = True
    plain_marks: bool = False
    faults: tuple[str, ...] = ()


def settings_of(
    *,
    palette: str | None = None,
    palette_folder: Path | None = None,
    keys: Mapping[str, str] | None = None,
    bell: bool = True,
    plain_marks: bool = False,
    faults: Sequence[str] = (),
    terminal: str | None = None,
) -> Settings:
    """Read a person's choices. terminal is the value of TERM; a bare console gets marks of ASCII,
    and sixteen colours unless a palette was chosen. faults are said beside those found here."""
    terminal = os.environ.get("TERM", "") if terminal is None else terminal
    console = terminal in _CONSOLES
    own, palette_faults = palettes.from_folder(palette_folder) if palette_folder else ((), ())
    keymap, key_faults = keymap_of(keys or {})
    said = [*faults, *(str(fault) for fault in (*palette_faults, *key_faults))]
    chosen = palette or (palettes.SIXTEEN if console else palettes.DEFAULT)
    names = {theme.name for theme in (*palettes.palettes(), *own)}
    if chosen not in names:
        said.append(f"there is no palette {chosen}; there are {', '.join(sorted(names))}")
        chosen = palettes.DEFAULT
    return Settings(
        palette=chosen,
        palettes=own,
        keymap=keymap,
        bell=bell,
        plain_marks=console or plain_marks,
        faults=tuple(said),
    )
