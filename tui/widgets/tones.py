"""What each tone looks like in the palette in use: one table for all lists, read once a palette.

Every tone has a mark or a word beside it in the rows; without colour, reverse and bold carry what
must not be missed.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

from tui.rows.cells import Tone

_STALE_BLEND = 0.5


class _Look(NamedTuple):
    """Names of palette colours; empty means the row's own. plain: what it is without colour."""

    fore: str
    back: str = ""
    bold: bool = False
    plain: str = ""


_LOOKS = {
    Tone.PLAIN: _Look("foreground"),
    Tone.MUTED: _Look("muted", plain="dim"),
    Tone.STRONG: _Look("strong", bold=True),
    Tone.TITLE: _Look("strong", bold=True),
    Tone.ACTIVE: _Look("accent", bold=True),
    Tone.KEY: _Look("primary", bold=True),
    Tone.KEY_HINT: _Look("primary"),
    Tone.DANGER_KEY: _Look("error", bold=True),
    Tone.GOOD: _Look("success"),
    Tone.NOTICE: _Look("primary"),
    Tone.WARN: _Look("warning"),
    Tone.BAD: _Look("error", bold=True),
    Tone.ALARM: _Look("on-alarm", "alarm", True, "reverse"),
    Tone.RULE: _Look("rule", plain="dim"),
    Tone.BRAND: _Look("primary", bold=True),
    Tone.DEMO: _Look("on-mode", "mode-demo", True, "reverse"),
    Tone.PAPER: _Look("on-mode", "mode-paper", True, "reverse"),
    Tone.LIVE: _Look("on-mode", "mode-live", True, "reverse"),
    Tone.LOSS: _Look("error"),
    Tone.GAIN: _Look("success"),
    Tone.HELD: _Look("held"),
    Tone.RESERVED: _Look("reserved"),
    Tone.PROMISED: _Look("promised"),
    Tone.FREE: _Look("muted"),
    Tone.FOUND: _Look("accent", bold=True),
    Tone.MATCH: _Look("background", "match", True, "reverse"),
}
CURSOR, BAND = "cursor", "band"


def tone_style(
    tone: Tone,
    variables: Mapping[str, str],
    *,
    ground: Style,
    band: str = "",
    stale: bool = False,
    no_color: bool = False,
    dims: bool = False,
) -> Style:
    """The style of a tone on a row. ground is the list's own; band names the palette's colour for
    a row that is tinted. dims: blending is not to be had, the terminal's own dim is used."""
    look = _LOOKS[tone]
    back = _color(variables, look.back) or _color(variables, band) or ground.bgcolor
    fore = _color(variables, look.fore)
    if tone is Tone.MATCH and dims:
        fore, back = _color(variables, "match"), ground.bgcolor
    style = Style(
        color=fore,
        bgcolor=back,
        bold=look.bold or None,
        dim=True if no_color and look.plain == "dim" else None,
        reverse=True
        if look.plain == "reverse" and (no_color or (tone is Tone.MATCH and dims))
        else None,
    )
    return _faded(style, dims=dims or no_color) if stale else style


def _color(variables: Mapping[str, str], name: str) -> RichColor | None:
    value = variables.get(name, "") if name else ""
    return _parsed(value) if value else None


@lru_cache(maxsize=256)
def _parsed(value: str) -> RichColor:
    return Color.parse(value).rich_color


def _faded(style: Style, *, dims: bool) -> Style:
    """Halfway to the background; without true colours, the terminal's own dim."""
    if dims or style.color is None or style.bgcolor is None:
        return style + Style(dim=True, bold=False)
    front, back = style.color.get_truecolor(), style.bgcolor.get_truecolor()
    mixed = tuple(round(a + (b - a) * _STALE_BLEND) for a, b in zip(front, back, strict=True))
    return style + Style(color=f"rgb({mixed[0]},{mixed[1]},{mixed[2]})", bold=False)
