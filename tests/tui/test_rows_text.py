"""Text from outside becomes one inert line of a known width, whatever it holds."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.samples import HOSTILE_TEXT
from tui.rows.text import clean, fit, wrap

_FORBIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me"}


def test_controls_and_bidi_marks_become_visible_replacements() -> None:
    assert clean("a\x1b[31m\u202eb\x9b") == "a�[31m�b�"


def test_markup_stays_the_characters_it_is() -> None:
    assert clean("[@click=app.close_all]x[/foo]") == "[@click=app.close_all]x[/foo]"


def test_accents_survive_and_stacked_marks_do_not() -> None:
    assert clean("Zu\u0308rich") == "Zürich"
    assert "\u0335" not in clean("Z\u0335\u0335\u0335\u0335")


def test_line_breaks_become_spaces() -> None:
    assert clean("one\r\ntwo\tthree") == "one  two three"


def test_a_wide_character_that_does_not_fit_leaves_the_width_exact() -> None:
    assert cell_len(fit("漢字漢字", 5)) == 5


def test_figures_stand_at_the_right() -> None:
    assert fit("1.20", 8, right=True) == "    1.20"


@given(st.text(max_size=80), st.integers(min_value=0, max_value=40))
def test_every_text_fits_exactly_and_is_inert(text: str, width: int) -> None:
    fitted = fit(text, width)
    assert cell_len(fitted) == width
    assert not {unicodedata.category(character) for character in fitted} & _FORBIDDEN


@given(st.text(max_size=200), st.integers(min_value=-3, max_value=30))
def test_wrapping_ends_and_keeps_within_the_width(text: str, width: int) -> None:
    assert all(cell_len(part) <= max(2, width) for part in wrap(text, width))


def test_more_lines_than_allowed_end_in_an_ellipsis() -> None:
    assert wrap("a b c d e f", 2, most=2) == ("a", "b…")


def test_hostile_text_is_inert_in_every_line() -> None:
    for part in wrap(HOSTILE_TEXT, 20):
        assert part.isprintable()
