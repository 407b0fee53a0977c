"""A process killed at a write leaves all of it or nothing, and a journal that is whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.journal import CrashPoint, CrashWhen, Journal
from tests.engine.journal.samples import records

ROOT = Path(__file__).parents[3]

WRITER = """
import asyncio, sys
from pathlib import Path
from engine.journal import CrashPoint, CrashWhen, Journal
from tests.engine.journal.samples import records

async def main():
    crash = CrashPoint(at_write=3, when=CrashWhen(sys.argv[2]))
    async with await Journal.open(Path(sys.argv[1]), crash=crash) as journal:
        for number in range(5):
            await journal.append(records(4, start=4 * number), durable=False)
            print(number, flush=True)

asyncio.run(main())
"""

READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from engine.journal import Journal, JournalError

async def main():
    try:
        await Journal.open(Path(sys.argv[1]))
    except JournalError as error:
        print(error)

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
asyncio.run(main())
"""


def _run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("when", "kept"), [(CrashWhen.BEFORE, 8), (CrashWhen.AFTER, 12)])
async def test_kill_9_at_a_commit_leaves_all_or_nothing_of_it(
    tmp_path: Path, when: CrashWhen, kept: int
) -> None:
    path = tmp_path / "journal.db"
    died = _run(WRITER, str(path), when.value)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert died.stdout.split() == ["0", "1"]
    async with await Journal.open(path) as journal:
        assert [entry.item for entry in await journal.read()] == [r.item for r in records(kept)]
        assert (await journal.verify()).ok
        await journal.append(records(1))
        assert (await journal.verify()).entries == kept + 1


async def test_a_crash_point_that_is_not_reached_does_nothing(tmp_path: Path) -> None:
    crash = CrashPoint(at_write=99, when=CrashWhen.BEFORE)
    async with await Journal.open(tmp_path / "journal.db", crash=crash) as journal:
        await journal.append(records(1))
        assert len(await journal.read()) == 1


async def test_a_journal_that_may_not_be_written_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("read-only")
    path = folder / "journal.db"
    async with await Journal.open(path) as journal:
        await journal.append(records(1))
    path.chmod(0o400)
    opened_to: list[Path] = []
    if os.geteuid() == 0:
        # The superuser writes what it likes, so the script gives that up; it must get there first.
        os.chown(path, 65534, 65534)
        opened_to = [folder, folder.parent, folder.parent.parent]
        for parent in opened_to:
            parent.chmod(0o755)
    try:
        refused = _run(READ_ONLY, str(path))
    finally:
        for parent in opened_to:
            parent.chmod(0o700)
    assert "cannot be written" in refused.stdout, refused.stderr
