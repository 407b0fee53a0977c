"""The terminal's own choices: from the config file to the screen, and their faults by line."""

import asyncio
import base64
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.attach import AttachServer, Caller, Reply, Request
from engine.cli import main
from engine.config.terminal import read_terminal
from engine.service.requests import Requests
from engine.service.settings import Settings
from tests.tui import samples
from tests.tui.emulator import Terminal
from tui.app import BulkheadApp
from tui.link import attach_factory
from tui.screens.config import ConfigForm
from tui.screens.save_sheet import SaveSheet

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def config(home: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        file = home / "bulkhead.toml"
        file.write_text(f'mode = "paper"\n[engine]\nstate_dir = "{home}"\n{text}')
        return file

    return written


def told(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """What `bulkhead check` ends with, and the lines it says without the folder."""
    with pytest.raises(SystemExit) as ended:
        main(["check", "--config", str(file)])
    said = capsys.readouterr()
    lines = (said.out + said.err).replace(f"{file.parent}/", "").splitlines()
    assert isinstance(ended.value.code, int)
    return ended.value.code, lines


# --- check ---------------------------------------------------------------------------------------


def test_check_names_every_choice_the_terminal_cannot_follow(
    config: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(
        '[terminal]\npalette = "neon"\nbell = "loud"\nvolume = 3\n[terminal.keys]\n'
        'clos-all = "F9"\nclose-selected = "X"\nhelp = 3\narm = "ctrl+p"\nlog = "ctrlx"\n'
    )
    code, lines = told(file, capsys)
    assert code == 2
    wanted = (
        "bulkhead.toml:5: terminal.palette: there is no palette neon; allowed: night, day",
        'bulkhead.toml:6: terminal.bell: "loud" is not true or false',
        "bulkhead.toml:7: terminal.volume: is not a known key",
        "bulkhead.toml:9: terminal.keys.clos-all: there is no such action; did you mean close-all?",
        "bulkhead.toml:10: terminal.keys.close-selected: takes a key of close-all (X)",
        "bulkhead.toml:11: terminal.keys.help: 3 is not keys as text",
        "bulkhead.toml:12: terminal.keys.arm: ctrl+p always opens the command palette",
        "bulkhead.toml:13: terminal.keys.log: ctrlx is no key",
    )
    assert len(lines) == len(wanted)
    assert all(line.startswith(start) for line, start in zip(lines, wanted, strict=True)), lines


def test_check_names_what_is_wrong_with_a_palette_of_ones_own(
    config: Callable[[str], Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = config('[terminal]\npalette = "sea"\n')
    (home / "palettes").mkdir()
    sea = home / "palettes" / "sea.toml"
    sea.write_text('base = "day"\n[colors]\nprimary = "#00446"\n')
    code, lines = told(file, capsys)
    assert (code, lines[0]) == (2, "palettes/sea.toml:3: colors.primary: #00446 is not a colour")
    assert lines[1].startswith("bulkhead.toml:5: terminal.palette: there is no palette sea")
    sea.write_text('base = "day\n')
    assert told(file, capsys)[1][0].startswith("palettes/sea.toml:1: is not valid TOML")
    sea.write_text('base = "day"\n[colors]\nprimary = "#004466"\n')
    assert told(file, capsys) == (0, ["bulkhead.toml: no faults."])


def test_faults_elsewhere_leave_the_terminal_as_it_was_chosen(
    config: Callable[[str], Path],
) -> None:
    chosen, faults = read_terminal(config('[terminal]\npalette = "day"\n[options]\nvenue = 3\n'))
    assert (chosen.palette, faults) == ("day", ())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[terminal]\nbell = 3\n", ":5: terminal.bell: 3 is not true or false"),
        ("[terminal]\nbell = \n", ":5: is not valid TOML"),
        ("terminal = 3\n", "terminal: a number is not a table"),
    ],
)
def test_a_fault_among_the_choices_is_said_and_the_defaults_hold(
    config: Callable[[str], Path], text: str, fault: str
) -> None:
    file = config("")
    file.write_text(text if text.startswith("terminal") else file.read_text() + text)
    chosen, faults = read_terminal(file)
    assert chosen.bell
    assert fault in faults[0]


def test_no_file_is_no_fault(tmp_path: Path) -> None:
    assert read_terminal(tmp_path / "none.toml")[1] == ()


# --- on a real terminal --------------------------------------------------------------------------


class Seen:
    """`bulkhead attach` on a pseudo-terminal of 80x24, and what it wrote there."""

    def __init__(self, file: Path, **environ: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "attach", "--config", str(file)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environ},
            start_new_session=True,
        )
        os.close(slave)
        self.screen = Terminal(80, 24)
        self.written = ""

    def _read(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, self.screen.text
            if select.select([self._master], [], [], 0.1)[0]:
                data = os.read(self._master, 65_536).decode("utf-8", "replace")
                self.written += data
                self.screen.feed(data)

    async def shows(self, text: str) -> None:
        await asyncio.to_thread(self._read, lambda: text in self.screen.text)

    @property
    def rang(self) -> bool:
        return "\x07" in re.sub(r"\x1b\][^\x07]*\x07", "", self.written)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    async def leave(self) -> int:
        self.press("\x03")
        await asyncio.to_thread(self._read, lambda: "\x1b[?1049l" in self.written)
        code = await asyncio.to_thread(self.process.wait, PATIENCE_SECONDS)
        os.close(self._master)
        return code


@pytest.fixture
async def server(home: Path) -> AsyncGenerator[AttachServer, None]:
    async def handle(request: Request, caller: Caller) -> Reply:
        return request.refused("Not now.")

    server = AttachServer(home / "bulkhead.sock", lambda: samples.TROUBLE, handle)
    await server.start()
    yield server
    await server.stop()


async def test_palette_keys_bell_and_mouse_come_from_the_config(
    config: Callable[[str], Path], home: Path, server: AttachServer
) -> None:
    (home / "palettes").mkdir()
    (home / "palettes" / "sea.toml").write_text('[colors]\nprimary = "#0a0b0c"\n')
    file = config(
        '[terminal]\npalette = "sea"\nbell = false\nmouse = false\n'
        '[terminal.keys]\nclose-selected = "f9"\n'
    )
    seen = Seen(file)
    await seen.shows("f9 close")
    seen.press("x\x1b[20~")
    await seen.shows("Cancel")
    assert await seen.leave() == 0
    assert "38;2;10;11;12" in seen.written
    assert "\x1b[?1000h" not in seen.written
    assert not seen.rang


async def test_without_any_choice_the_bell_rings_and_x_closes(
    config: Callable[[str], Path], server: AttachServer
) -> None:
    seen = Seen(config(""))
    await seen.shows("x close")
    seen.press("x")
    await seen.shows("Cancel")
    assert await seen.leave() == 0
    assert "\x1b[?1000h" in seen.written
    assert seen.rang


async def test_a_hidden_tab_shows_the_worst_state_and_gets_its_own_title_back(
    config: Callable[[str], Path], server: AttachServer
) -> None:
    seen = Seen(config(""))
    await seen.shows("x close")
    assert await seen.leave() == 0
    assert "\x1b]0;1 BROKEN | bulkhead DEMO\x07" in seen.written
    assert seen.written.index("\x1b[22;0t") < seen.written.index("\x1b]0;")
    assert seen.written.rindex("\x1b[23;0t") > seen.written.rindex("\x1b]0;")


async def test_what_is_copied_goes_to_the_clipboard_of_the_person(
    config: Callable[[str], Path], server: AttachServer
) -> None:
    seen = Seen(config(""))
    await seen.shows("x close")
    seen.press("\r")
    await seen.shows("Strategy SPY-IC-1")
    seen.press("y")
    await seen.shows("Copied")
    assert await seen.leave() == 0
    (sent,) = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", seen.written)
    assert "iron condor" in base64.b64decode(sent).decode()


async def test_a_choice_that_cannot_be_followed_is_said_and_nothing_else_is_lost(
    config: Callable[[str], Path], server: AttachServer
) -> None:
    seen = Seen(config('[terminal.keys]\nlogg = "f9"\n'))
    await seen.shows("there is no such action")
    await seen.shows("x close")
    assert await seen.leave() == 0


@pytest.mark.parametrize("by", ["config", "environment"])
async def test_without_colour_no_colour_is_sent(
    config: Callable[[str], Path], server: AttachServer, by: str
) -> None:
    text, environ = (
        ("[terminal]\nno_color = true\n", {}) if by == "config" else ("", {"NO_COLOR": "1"})
    )
    seen = Seen(config(text), **environ)
    await seen.shows("x close")
    seen.press("x")
    await seen.shows("Cancel")
    assert await seen.leave() == 0
    assert seen.rang
    sent = {part for _, style in seen.screen.cells.values() for part in style}
    assert sent <= {"1", "2", "4", "7", "39", "49"}


async def test_a_bare_console_is_sent_sixteen_colours_and_ascii_alone(
    config: Callable[[str], Path], server: AttachServer
) -> None:
    seen = Seen(config(""), TERM="linux", COLORTERM="")
    await seen.shows("x close")
    seen.press("x")
    await seen.shows("Cancel")
    shown = seen.screen.text
    assert await seen.leave() == 0
    assert "38;2" not in seen.written
    assert "38;5" not in seen.written
    assert shown.isascii()


# --- the form and the engine's own settings ------------------------------------------------------


async def test_the_form_is_read_checked_and_saved_by_the_real_engine(
    config: Callable[[str], Path], home: Path
) -> None:
    file = config(
        '# mine\n[venues.ibkr]\nkind = "ib"\naccounts = ["DU1"]\n'
        '[options]\nvenue = "ibkr"  # the broker\nclose_at_dte = 1\n'
    )
    applied: list[Any] = []
    requests = Requests(
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        drill=str,
        stop=lambda: None,
        settings=Settings(file, applied.append),
    )
    server = AttachServer(home / "engine.sock", lambda: samples.TROUBLE, requests.handle)
    await server.start()
    app = BulkheadApp(attach_factory(home / "engine.sock", read_only=False))

    async def until(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end
            await asyncio.sleep(0.01)

    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.view.picture is not None)
        await pilot.press("c")
        form = app.screen
        assert isinstance(form, ConfigForm)
        await until(lambda: form._draft is not None)
        await pilot.press(
            "slash", *"close at dte", "enter", "j", "enter", "backspace", "9", "enter"
        )
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, SaveSheet))
        await pilot.press("y")
        await until(lambda: "close_at_dte = 9" in file.read_text())
        await until(lambda: "Saved" in (app.view.said.text if app.view.said else ""))
    await server.stop()
    assert "# mine" in file.read_text()
    assert '"ibkr"  # the broker' in file.read_text()
    assert [fact.options.close_at_dte for fact in applied] == [9]
