"""A person's own keys, palettes and bell: followed where they can be, and said where not."""

from pathlib import Path

import pytest
from textual.app import App

from tests.tui import samples
from tests.tui.conftest import OpenDesk
from tui.keys import keymap_of
from tui.palettes import DEFAULT, from_folder, palettes
from tui.screens.order_sheet import OrderSheet
from tui.settings import settings_of

# --- keys ----------------------------------------------------------------------------------------


async def test_a_key_of_ones_own_works_and_the_old_one_does_not(open_desk: OpenDesk) -> None:
    settings = settings_of(keys={"close-selected": "ctrl+x, f9"}, terminal="xterm")
    async with open_desk(samples.TROUBLE, settings=settings) as desk:
        await desk.press("x")
        assert not isinstance(desk.app.screen, OrderSheet)
        await desk.press("f9")
        assert isinstance(desk.app.screen, OrderSheet)


async def test_footer_help_and_hints_name_the_keys_that_work(open_desk: OpenDesk) -> None:
    settings = settings_of(keys={"close-selected": "ctrl+x"}, terminal="xterm")
    async with open_desk(samples.TROUBLE, settings=settings) as desk:
        assert desk.text("footer").split()[:2] == ["ctrl+x", "close"]
        assert "ctrl+x closes" in desk.text("bottom")
        await desk.press("question_mark")
        assert " ctrl+x " in desk.text("page-body")


@pytest.mark.parametrize(
    ("chosen", "fault"),
    [
        ({"close-al": "x"}, "close-al: there is no such action; did you mean close-all?"),
        ({"close-selected": ""}, "close-selected: has no key"),
        ({"close-selected": "X"}, "close-selected: takes a key of close-all (X)"),
        ({"help": "?,x"}, "help: takes a key of close-selected (x)"),
        ({"help": "ctrlx"}, "help: ctrlx is no key"),
        ({"help": "hyper+strg+x"}, "help: hyper+strg+x is no key"),
        ({"help": "ctrl+c"}, "help: ctrl+c always detaches"),
    ],
)
def test_a_choice_that_cannot_be_followed_is_said(chosen: dict[str, str], fault: str) -> None:
    keymap, faults = keymap_of(chosen)
    assert keymap.own == {}
    assert [str(one) for one in faults] == [f"keys: {fault}"]


def test_two_keys_may_change_places() -> None:
    keymap, faults = keymap_of({"acknowledge": "d", "arm": "a"})
    assert faults == ()
    assert keymap.own == {"acknowledge": "d", "arm": "a"}


def test_keys_may_be_written_as_characters() -> None:
    keymap, _ = keymap_of({"filter": "&", "help": "f1"})
    assert keymap.own == {"filter": "ampersand", "help": "f1"}


async def test_faults_are_said_on_the_screen(open_desk: OpenDesk) -> None:
    settings = settings_of(keys={"nothing": "x"}, palette="neon", terminal="xterm")
    async with open_desk(samples.CALM, settings=settings) as desk:
        assert "nothing: there is no such action" in desk.text("bottom")
        assert "there is no palette neon" in desk.text("bottom")
        assert desk.app.theme == DEFAULT


# --- palettes ------------------------------------------------------------------------------------


def test_the_palettes_that_come_along() -> None:
    names = [theme.name for theme in palettes()]
    assert names == ["night", "day", "contrast", "colourblind", "ansi", "phosphor"]


def test_every_palette_gives_every_variable_of_the_layout_a_colour() -> None:
    shared = set.intersection(*(set(theme.variables) for theme in palettes()))
    assert {"muted", "rule", "band", "cursor", "strong", "held", "reserved", "promised"} <= shared
    assert {"match", "alarm", "on-alarm", "mode-live", "mode-paper", "mode-demo"} <= shared


def test_a_palette_of_ones_own_builds_on_another(tmp_path: Path) -> None:
    (tmp_path / "sea.toml").write_text('base = "day"\n[colors]\nprimary = "#004466"\n')
    (theme,), faults = from_folder(tmp_path)
    day = next(one for one in palettes() if one.name == "day")
    assert faults == ()
    assert (theme.name, theme.primary, theme.dark) == ("sea", "#004466", False)
    assert theme.variables == day.variables


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[colors]\nprimary = "no colour"', "primary: no colour is not a colour"),
        ('[colors]\nwhatever = "#000000"', "does not know whatever"),
        ('base = "neon"', "there is no palette neon"),
        ("colors = 3", "[colors] is not a table"),
        ("= broken", "palette sea.toml"),
        ("\x00", "palette sea.toml"),
        ('name = "night"', "there is another palette called night"),
        ('colours = "#000000"', "does not know colours"),
    ],
)
def test_a_palette_that_is_wrong_is_said_and_left_out(
    tmp_path: Path, text: str, fault: str
) -> None:
    (tmp_path / "sea.toml").write_text(text)
    themes, faults = from_folder(tmp_path)
    assert themes == ()
    assert fault in str(faults[0])


async def test_ones_own_palette_is_used_and_t_goes_on_from_it(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    (tmp_path / "sea.toml").write_text('[colors]\nprimary = "#004466"\n')
    settings = settings_of(palette="sea", palette_folder=tmp_path, terminal="xterm")
    async with open_desk(samples.CALM, settings=settings) as desk:
        assert desk.app.theme == "sea"
        await desk.press("t")
        assert desk.app.theme == "night"


def test_a_bare_console_gets_sixteen_colours_and_plain_marks() -> None:
    console = settings_of(terminal="linux")
    assert (console.palette, console.plain_marks) == ("ansi", True)
    assert settings_of(terminal="linux", palette="day").palette == "day"
    assert not settings_of(terminal="xterm-256color").plain_marks


# --- the bell ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bell", [True, False])
async def test_the_bell_can_be_silent_from_the_start(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch, bell: bool
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(App, "bell", lambda self: rung.append("bell"))
    async with open_desk(samples.TROUBLE, settings=settings_of(bell=bell, terminal="xterm")):
        assert rung == ["bell"] * bell


async def test_a_muted_alert_does_not_ring_later(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(App, "bell", lambda self: rung.append("bell"))
    async with open_desk(samples.CALM) as desk:
        await desk.press("m")
        await desk.show(samples.TROUBLE)
        await desk.press("m")
        await desk.show(samples.TROUBLE)
        assert rung == []
