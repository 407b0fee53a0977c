"""The sheets that end a config form: what is saved and what it does, or what would be lost."""

from collections.abc import Callable, Sequence

from tui.config_draft import Difference
from tui.rows.cells import BLANK, Row, Span, Tone, line
from tui.rows.text import clean, wrap
from tui.screens.sheet import Sheet
from tui.view import LinkState, View


class SaveSheet(Sheet):
    """`y` saves; effects are the engine's own words."""

    def __init__(
        self,
        path: str,
        differences: Sequence[Difference],
        effects: Sequence[str],
        save: Callable[[], None],
    ) -> None:
        super().__init__("Save  y")
        self._path = path
        self._differences = differences
        self._effects = effects
        self._save = save

    def title_text(self, view: View) -> str:
        count = len(self._differences)
        return f"Save {count} change{'' if count == 1 else 's'} to {self._path}"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        rows = [line(Span("What changes", Tone.TITLE), width=width, band=True)]
        for one in self._differences:
            rows += _difference_rows(one, width)
        rows += [BLANK, line(Span("What it does", Tone.TITLE), width=width, band=True)]
        for effect in self._effects or ("Nothing that is held is touched.",):
            first, *more = wrap(effect, width - 2) or ("",)
            rows.append(line(Span("• ", Tone.NOTICE), Span(first), width=width))
            rows += [line(Span("  "), Span(text), width=width) for text in more]
        return (), tuple(rows)

    def foot(self, view: View) -> str:
        return "The file keeps its comments; it is written whole or not at all."

    def why_not(self, view: View) -> str | None:
        if view.read_only:
            return "This terminal is read-only: nothing is saved from here."
        if view.link is not LinkState.UP:
            return "ENGINE LOST: nothing can be saved from here."
        return None

    def act(self) -> None:
        self._save()


def _difference_rows(one: Difference, width: int) -> list[Row]:
    place = clean(f"{one.where} › {one.what}" if one.what else one.where)
    change = clean(f"{one.before} → {one.after}" if one.before else one.after)
    live = f"  ({clean(one.live)})" if one.live else ""
    if len(place) + len(change) + len(live) + 2 <= width:
        return [
            line(
                Span(f"{place}  "),
                Span(change, Tone.STRONG),
                Span(live, Tone.MUTED),
                width=width,
            )
        ]
    rows = [line(Span(part), width=width) for part in wrap(place, width)]
    words = wrap(f"{change}{live}", width - 4)
    return [*rows, *(line(Span("    "), Span(text, Tone.STRONG), width=width) for text in words)]


class LeaveSheet(Sheet):
    """Asks before typed changes are lost."""

    def __init__(self, count: int, leave: Callable[[], None]) -> None:
        super().__init__("Discard  y")
        self._count = count
        self._leave = leave

    def title_text(self, view: View) -> str:
        return "Leave without saving"

    def rows(self, view: View, width: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        changes = "1 change is" if self._count == 1 else f"{self._count} changes are"
        text = f"{changes} not saved. The file and the engine are as they were."
        return (), tuple(line(Span(part), width=width) for part in wrap(text, width))

    def act(self) -> None:
        self._leave()
