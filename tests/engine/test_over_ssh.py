"""The terminal as its user reaches it: through a real sshd, with a line that breaks or stops."""

import asyncio
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.test_in_tmux import Tmux
from tests.engine.test_two_processes import Bench, closed, end, ready
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import Quote
from tests.fakes.tws.scenes import CALL_460, CALL_465, PUT_435, PUT_440, SPY

ROOT = Path(__file__).parents[2]
SSHD = shutil.which("sshd", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
MISSING = [name for name in ("ssh", "ssh-keygen", "tmux") if shutil.which(name) is None]
MISSING += [] if SSHD else ["sshd"]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

PATIENCE_SECONDS = 20.0
FROZEN_SECONDS = 30.0
# The engine answers in about a millisecond; one that waits for a terminal would take seconds.
REACTION_SECONDS = 0.25
MARKET = {SPY: "450.00", PUT_440: "4.10", PUT_435: "3.05", CALL_460: "4.20", CALL_465: "2.90"}
ORDERS = ["BUY 2 C460", "SELL 2 C465", "SELL 2 P435", "SELL 200 SPY"]
SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/mine.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


class Sshd:
    """A server of the test's own: own keys, own port, logs in the user who runs the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("host", "mine"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(made, check=True)
        self._started()

    def _started(self) -> None:
        assert SSHD is not None
        if os.geteuid() == 0:
            # Debian's service makes it; without it root's sshd does not start.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        # Between asking for a free port and using it somebody else may: then with another.
        for _ in range(3):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = int(free.getsockname()[1])
            config = self.folder / "sshd_config"
            config.write_text(SSHD_CONFIG.format(port=self.port, folder=self.folder))
            with (self.folder / "log").open("wb") as log:
                self.process = subprocess.Popen(
                    [SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log
                )
            if wait(self._greets) and self.process.poll() is None:
                return
        raise AssertionError((self.folder / "log").read_text())

    def _greets(self) -> bool:
        if self.process.poll() is not None:
            return True
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as caller:
                return caller.recv(4) == b"SSH-"
        except OSError:
            return False

    def stop(self) -> None:
        for pid in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def sessions(self) -> list[int]:
        """The server's end of every login."""
        found, above = [], {self.process.pid}
        while above:
            above = {pid for pid, parent, name in processes() if parent in above and "sshd" in name}
            found += above
        return found

    def command(self, remote: str) -> str:
        """What logs in on a terminal of its own and runs remote, in a shell that stays its parent:
        tmux itself would wake up a client that was stopped."""
        key = (self.folder / "host.pub").read_text().split()
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n")
        words = ["ssh", "-F", os.devnull, "-tt", "-p", str(self.port), "-i", f"{self.folder}/mine"]
        for option in (
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "BatchMode=yes",
        ):
            words += ["-o", option]
        user = pwd.getpwuid(os.getuid()).pw_name
        return f"{shlex.join([*words, f'{user}@127.0.0.1', remote])}; true"


class Login:
    """One person at the terminal, over ssh."""

    def __init__(self, sshd: Sshd, bench: Bench, folder: Path) -> None:
        self.mark = f"{bench.config.parent}/{folder.name}"
        folder.mkdir()
        remote = (
            f"cd {shlex.quote(str(ROOT))} && exec env PYTHONPATH={shlex.quote(str(ROOT))} "
            f"BULKHEAD_TEST_MARK={shlex.quote(self.mark)} "
            f"{sys.executable} -m engine.cli attach --config {shlex.quote(str(bench.config))}"
        )
        self._sshd = sshd
        known = set(sshd.sessions())
        self.screen = Tmux(folder, sshd.command(remote))
        self.screen.shows("SPY-IC-1")
        self.server = [pid for pid in sshd.sessions() if pid not in known]
        self.client = [
            pid
            for pid, _, name in processes()
            if name == "ssh" and self.mark in _read(pid, "cmdline")
        ]
        assert len(self.client) == 1

    def send(self, number: signal.Signals, end_of_line: str) -> None:
        """Signal one end of the line: "client", or "server", which may be several processes."""
        for pid in self.client if end_of_line == "client" else self.server:
            os.kill(pid, number)

    def is_gone(self) -> bool:
        """Whether no process that ran for this login on the server is left."""
        marked = f"BULKHEAD_TEST_MARK={self.mark}\0"
        left = [pid for pid, _, _ in processes() if marked in _read(pid, "environ")]
        return not left and not set(self.server) & set(self._sshd.sessions())


def processes() -> list[tuple[int, int, str]]:
    """Every process that is not a zombie: pid, parent, name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        name, _, rest = _read(int(folder.name), "stat").partition(") ")
        if rest and rest[0] != "Z":
            found.append((int(folder.name), int(rest.split()[1]), name.partition("(")[2]))
    return found


def _read(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text(errors="replace")
    except OSError:
        return ""


def wait(holds: Callable[[], bool]) -> bool:
    """Wait until something holds; False when it did not come about."""
    end_at = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end_at:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with tws_process(scene="condor") as tws:
        yield Bench(tmp_path, tws)


@pytest.fixture
def engine(bench: Bench) -> Iterator[subprocess.Popen[bytes]]:
    process = bench.engine()
    yield process
    process.kill()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    sshd = Sshd(tmp_path / "sshd")
    yield sshd
    sshd.stop()


@pytest.fixture
def login(bench: Bench, sshd: Sshd, tmp_path: Path) -> Iterator[Callable[[str], Login]]:
    logins: list[Login] = []

    def enter(name: str) -> Login:
        logins.append(Login(sshd, bench, tmp_path / name))
        return logins[-1]

    yield enter
    for one in logins:
        one.screen.kill()


async def reaction_seconds(bench: Bench, engine: subprocess.Popen[bytes]) -> float:
    """Assign a leg and see it closed; from its second row to the first order."""
    event = bench.tws.control.assign(PUT_440)
    assert await bench.until(closed, engine)
    assert sorted(bench.sent()) == ORDERS
    assert event.second_row_ns is not None
    orders = [o for o in bench.tws.control.order_records() if not o.what_if]
    return (orders[0].arrived_ns - event.second_row_ns) / 1e9


async def test_an_assignment_arrives_on_the_screen_and_two_keys_close_it(
    bench: Bench, login: Callable[[str], Login], request: pytest.FixtureRequest
) -> None:
    by_hand = "[options]\nauto_close_on_assignment = false\n"
    bench.config.write_text(bench.config.read_text().replace("[options]\n", by_hand))
    engine: subprocess.Popen[bytes] = request.getfixturevalue("engine")
    assert await bench.until(ready, engine)
    here = login("one")
    here.screen.shows("LIVE")
    bench.tws.control.assign(PUT_440)
    here.screen.shows("short 2 SPY 440 put assigned")
    assert bench.sent() == []
    here.screen.press("x")
    here.screen.shows("Cancel")
    here.screen.press("y")
    assert await bench.until(closed, engine)
    here.screen.shows("CLOSED")
    assert sorted(bench.sent()) == ORDERS
    here.screen.press("q")
    assert wait(here.is_gone)
    assert end(engine) == 0


@pytest.mark.parametrize("cut", ["client", "server"])
async def test_a_line_cut_over_an_open_key_sheet_changes_nothing_for_the_engine(
    bench: Bench, engine: subprocess.Popen[bytes], login: Callable[[str], Login], cut: str
) -> None:
    assert await bench.until(ready, engine)
    here = login("one")
    here.screen.press("x")
    here.screen.shows("Cancel")
    here.send(signal.SIGKILL, cut)
    assert wait(here.is_gone)
    assert await reaction_seconds(bench, engine) < REACTION_SECONDS
    again = login("two")
    again.screen.shows("CLOSED")
    again.screen.shows("short 2 SPY 440 put assigned")
    again.screen.press("q")
    assert wait(again.is_gone)
    assert end(engine) == 0


@pytest.mark.parametrize("frozen", ["client", "server"])
async def test_a_line_frozen_over_an_open_key_sheet_changes_nothing_for_the_engine(
    bench: Bench, engine: subprocess.Popen[bytes], login: Callable[[str], Login], frozen: str
) -> None:
    assert await bench.until(ready, engine)
    here = login("one")
    here.screen.press("x")
    here.screen.shows("Cancel")
    here.send(signal.SIGSTOP, frozen)
    thawing_at = time.monotonic() + FROZEN_SECONDS
    await moving_market(bench, time.monotonic() + FROZEN_SECONDS / 2)
    assert await reaction_seconds(bench, engine) < REACTION_SECONDS
    again = login("two")
    again.screen.shows("CLOSED")
    await moving_market(bench, thawing_at)
    here.send(signal.SIGCONT, frozen)
    here.screen.shows("CLOSED")
    here.screen.press("Escape")
    # Together with the key that follows it would be another key.
    assert wait(lambda: "Cancel" not in here.screen.shows("SPY-IC-1"))
    for one in (here, again):
        one.screen.press("q")
        assert wait(one.is_gone)
    assert end(engine) == 0


async def moving_market(bench: Bench, until: float) -> None:
    """Move every quote, so that a terminal has something to draw, until a monotonic instant."""
    moves = 0
    while time.monotonic() < until:
        moves += 1
        for con_id, price in MARKET.items():
            bid = Decimal(price) + Decimal(moves % 10) / 20
            bench.tws.control.set_quote(con_id, Quote(bid=bid, ask=bid + Decimal("0.05")))
        await asyncio.sleep(0.1)
