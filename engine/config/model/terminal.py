"""How the terminal looks, sounds and is worked. The engine keeps these and does nothing with them.

Which palettes and actions there are, the terminal alone knows: it says what it cannot follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Strict

from engine.config.model.base import SWITCH, Section, Switch, entry

Text = Annotated[str, Strict()]


class TerminalConfig(Section):
    """The terminal."""

    palette: Text | None = entry(
        None,
        label="Palette",
        help="Its colours: one that comes along, or one of yours in the folder palettes beside "
        "this file.",
        group="Terminal",
        noun="the name of a palette",
        allowed="night, day, contrast, colourblind, ansi, phosphor or one of yours",
        min_length=1,
        max_length=64,
    )
    no_color: Switch = entry(
        False,
        label="Without colour",
        help="Draw with marks, bold and reverse alone, as NO_COLOR in the environment does.",
        group="Terminal",
        **SWITCH,
    )
    plain_marks: Switch = entry(
        False,
        label="Marks in ASCII",
        help="For a font without the marks; a bare console (TERM=linux) always has them.",
        group="Terminal",
        **SWITCH,
    )
    bell: Switch = entry(
        True,
        label="Bell",
        help="Ring at a new critical alert.",
        group="Terminal",
        **SWITCH,
    )
    mouse: Switch = entry(
        True,
        label="Mouse",
        help="Off leaves the mouse to your terminal, for selecting text.",
        group="Terminal",
        **SWITCH,
    )
    keys: Mapping[str, Text] = entry(
        default_factory=dict,
        label="Keys",
        help="Keys of your own for an action, in place of its standard ones.",
        group="Keys",
        noun="keys as text",
        allowed='keys with commas between them, like "ctrl+x, f9"',
        max_length=200,
    )
