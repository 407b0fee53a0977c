"""The painter sends less, and the screen is the same as if everything had been sent."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.emulator import Terminal
from tui.painter import SYNC_END, SYNC_START, Painter

WIDTH, HEIGHT = 12, 4
STYLES = ("1", "2;31", "38;2;1;2;3;48;2;4;5;6", "1;38;2;1;2;3;48;2;4;5;6", "38;5;7", "7")


@st.composite
def spans(draw: st.DrawFn) -> str:
    """One span as Textual writes it: a move, a colour, text, no colour."""
    text = draw(st.text(alphabet="ab 漢●", min_size=1, max_size=6))
    room = WIDTH - sum(2 if character == "漢" else 1 for character in text)
    x = draw(st.integers(0, max(0, room)))
    y = draw(st.integers(0, HEIGHT - 1))
    if room < 0:
        text = text.replace("漢", "x")
    style = draw(st.sampled_from(("", *STYLES)))
    drawn = f"\x1b[{style}m{text}\x1b[0m" if style else text
    return f"\x1b[{y + 1};{x + 1}H{drawn}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(spans(), max_size=6), max_size=8))
def test_the_screen_is_what_textual_meant(frames: list[list[str]]) -> None:
    meant, seen, painter = Terminal(WIDTH, HEIGHT), Terminal(WIDTH, HEIGHT), Painter()
    for frame in frames:
        meant.feed("".join(frame))
        assert painter.take("".join(frame)) == ""
        seen.feed(painter.difference())
        for place, cell in meant.cells.items():
            assert seen.cells.get(place, (" ", frozenset())) == cell


def shown(painter: Painter, data: str) -> str:
    painter.take(data)
    return painter.difference()


def test_a_digit_that_changed_is_a_few_bytes() -> None:
    painter = Painter()
    line = "\x1b[3;1H\x1b[38;2;1;2;3;48;2;4;5;6m   439.{} bid\x1b[0m"
    shown(painter, line.format(10))
    changed = shown(painter, line.format(12))
    assert changed == "\x1b[3;9H\x1b[38;2;1;2;3;48;2;4;5;6m2\x1b[0m"


def test_what_stands_already_is_not_sent_again() -> None:
    painter = Painter()
    assert shown(painter, "\x1b[1;1Hsame") != ""
    assert shown(painter, "\x1b[1;1Hsame") == ""


def test_neighbours_share_what_is_alike_in_their_colours() -> None:
    painter = Painter()
    both = "\x1b[1;1H\x1b[31;44ma\x1b[0m\x1b[32;44mb\x1b[0m"
    assert shown(painter, both) == "\x1b[1;1H\x1b[31;44ma\x1b[32mb\x1b[0m"


def test_what_is_no_drawing_passes_as_it_is() -> None:
    painter = Painter()
    assert painter.take("\x1b]0;2 BROKEN\x07\x07\x1b[?25l\x1b[>1u") == (
        "\x1b]0;2 BROKEN\x07\x07\x1b[?25l\x1b[>1u"
    )
    assert painter.difference() == ""


def test_several_changes_are_shown_at_once_where_the_terminal_can() -> None:
    painter = Painter()
    frame = f"{SYNC_START}\x1b[1;1Ha\x1b[4;4Hb{SYNC_END}"
    sent = shown(painter, frame)
    assert sent.startswith(SYNC_START)
    assert sent.endswith(SYNC_END)
    assert shown(painter, f"{SYNC_START}{SYNC_END}") == ""


def test_after_a_new_size_everything_is_sent() -> None:
    painter = Painter()
    shown(painter, "\x1b[1;1Hsame")
    painter.forget()
    assert "same" in shown(painter, "\x1b[1;1Hsame")


def test_a_garbled_terminal_is_drawn_again() -> None:
    painter = Painter()
    shown(painter, "\x1b[1;1Hsame")
    painter.redraw()
    assert "same" in painter.difference()


def test_the_cursor_of_an_entry_is_put_back() -> None:
    painter = Painter()
    assert shown(painter, "\x1b[1;1Ha\x1b[2;5H").endswith("\x1b[2;5H")
    assert shown(painter, "\x1b[2;5H") == ""
