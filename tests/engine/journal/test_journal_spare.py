"""What the journal cannot take is put aside, and is in it, in order, once it can."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.desk.facts import Fact
from engine.desk.intents import Intent, WriteLine
from engine.journal import Journal, JournalError, Record
from engine.journal.chain import Head
from engine.journal.lines import Lines
from engine.journal.spare import Place, Spare
from tests.engine.journal.full_disk import full_from, log_bytes
from tests.engine.journal.samples import AT, anything, order, records, report

ROOT = Path(__file__).parents[3]

# Fills the log to its limit, puts two appends aside, and then dies as it was told to.
DIES = """
import asyncio, os, resource, signal, sys
from pathlib import Path
from engine.journal import CrashPoint, CrashWhen, Journal
from tests.engine.journal.samples import records

async def main():
    path, at_write, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    crash = CrashPoint(at_write=at_write, when=CrashWhen(when)) if at_write else None
    journal = await Journal.open(path, crash=crash, spare=True)
    await journal.append(records(2))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    size = path.with_name(path.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    await journal.append(records(3, start=2))
    await journal.append(records(1, start=5))
    assert journal.trouble
    if not at_write:
        os.kill(os.getpid(), signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await asyncio.Event().wait()

asyncio.run(main())
"""

# Commits twice with something put ahead, puts two more ahead, and dies as it was told to.
DIES_AHEAD = """
import asyncio, sys
from pathlib import Path
from engine.journal import CrashPoint, CrashWhen, Journal
from tests.engine.journal.samples import records

async def main():
    path, at_write, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    crash = CrashPoint(at_write=at_write, when=CrashWhen(when))
    journal = await Journal.open(path, crash=crash, spare=True)
    for number in range(2):
        append = journal.begin(records(1, start=number))
        assert journal.put_ahead(append)
        await journal.finish(append, durable=False)
    waiting = journal.begin(records(2, start=2))
    urgent = journal.begin(records(1, start=4))
    assert journal.put_ahead(urgent)
    await journal.finish(urgent, durable=False)
    await journal.finish(waiting, durable=False)

asyncio.run(main())
"""

HOLDS_THE_DATABASE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(tmp_path / "journal.db", spare=True) as opened:
        yield opened


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    """Another program is in the middle of a transaction of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_DATABASE, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate(timeout=10)


def dies(path: Path, at_write: int = 0, when: str = "after", script: str = DIES) -> None:
    """Leave a journal of two entries with two more appends in its spare log, or nearly so."""
    died = subprocess.run(
        [sys.executable, "-c", script, str(path), str(at_write), when],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr


async def whole(journal: Journal) -> None:
    """Wait until the journal says that it is well again."""
    over = asyncio.Event()
    journal.tell_trouble(lambda trouble: None if trouble else over.set())
    async with asyncio.timeout(10):
        while journal.trouble:
            await over.wait()


async def items(journal: Journal) -> list[object]:
    return [entry.item for entry in await journal.read()]


def told(count: int) -> list[object]:
    return [record.item for record in records(count)]


async def test_what_a_full_disk_refused_follows_in_order(journal: Journal) -> None:
    await journal.append(records(2))
    heard: list[str] = []
    journal.tell_trouble(heard.append)
    with full_from(log_bytes(journal) + 100):
        await journal.append(records(3, start=2))
        journal.put_ahead(journal.begin(records(1, start=5)))
        assert await items(journal) == told(2)
        await asyncio.sleep(0)
        assert len(heard) == 1
        assert "could not be written" in heard[0]
    await whole(journal)
    await journal.append(records(1, start=6))
    assert await items(journal) == told(7)
    assert (await journal.verify()).ok
    batches = [batch async for batch in journal.replay()]
    assert [batch.facts[0] for batch in batches] == told(7)


async def test_nothing_overtakes_what_waits_even_when_the_disk_has_room_again(
    journal: Journal,
) -> None:
    await journal.append(records(1))
    with full_from(log_bytes(journal)):
        await journal.append(records(1, start=1))
        await journal.ping()
    await journal.append(records(1, start=2))
    assert await items(journal) == told(1)
    await whole(journal)
    assert await items(journal) == told(3)


async def test_a_program_that_holds_the_database_delays_nobody(journal: Journal) -> None:
    await journal.append(records(1))
    with held_by_another(journal.path):
        begun = asyncio.get_running_loop().time()
        append = journal.begin(records(1, start=1))
        assert journal.put_ahead(append)
        await journal.finish(append)
        assert asyncio.get_running_loop().time() - begun < 1.0
        assert "Another program holds it" in journal.trouble
    await whole(journal)
    assert await items(journal) == told(2)


async def test_an_orderly_end_and_a_new_life_find_it_all(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with await Journal.open(path, spare=True) as journal:
        await journal.append([Record(at=AT, item=order())])
        with full_from(log_bytes(journal)):
            await journal.append(records(2))
    async with await Journal.open(path, spare=True) as journal:
        assert await items(journal) == [order(), *told(2)]
        assert (await journal.verify()).ok
        assert journal.trouble == ""


@pytest.mark.parametrize(
    ("at_write", "when", "known"),
    [(0, "after", 6), (2, "before", 2), (3, "before", 6), (3, "after", 6)],
)
async def test_killed_with_things_put_aside_the_next_life_has_each_once(
    tmp_path: Path, at_write: int, when: str, known: int
) -> None:
    """Killed with two appends put aside; before the first was; in the commit that brings them back;
    after it, with the spare log not cleared yet."""
    path = tmp_path / "journal.db"
    dies(path, at_write, when)
    async with await Journal.open(path, spare=True) as journal:
        assert await items(journal) == told(known)
        assert (await journal.verify()).ok
    async with await Journal.open(path, spare=True) as journal:
        assert len(await items(journal)) == known


@pytest.mark.parametrize(
    ("at_write", "when", "known"),
    [
        (1, "before", 0),
        (1, "after", 1),
        (2, "before", 1),
        (2, "after", 1),
        (3, "after", 2),
        (5, "before", 2),
        (5, "after", 4),
        (6, "after", 5),
        (7, "before", 5),
        (7, "after", 5),
    ],
)
async def test_killed_with_things_put_ahead_the_next_life_has_each_once(
    tmp_path: Path, at_write: int, when: str, known: int
) -> None:
    """Writes 1, 3, 5 and 6 put ahead; 2, 4 and 7 commit."""
    path = tmp_path / "journal.db"
    dies(path, at_write, when, DIES_AHEAD)
    for _ in range(2):
        async with await Journal.open(path, spare=True) as journal:
            assert await items(journal) == told(known)
            assert (await journal.verify()).ok


async def test_killed_between_a_commit_and_its_clearing_up_the_journal_knows_its_own(
    tmp_path: Path,
) -> None:
    """An order's later rows are filed under its strategy, which stands in an earlier row."""
    path = tmp_path / "lived" / "journal.db"
    async with await Journal.open(path, spare=True) as journal:
        await journal.append([Record(at=AT, item=order())])
        append = journal.begin([Record(at=AT, item=report())])
        assert journal.put_ahead(append)
        await journal.finish(append, durable=False)
        shutil.copytree(path.parent, tmp_path / "found")
    async with await Journal.open(tmp_path / "found" / "journal.db", spare=True) as journal:
        entries = await journal.read()
    assert [entry.item for entry in entries] == [order(), report()]
    assert [entry.strategy_id for entry in entries] == ["SPY-IC-1", "SPY-IC-1"]


@given(st.lists(anything(Fact | Intent), min_size=1, max_size=4))
def test_what_was_put_ahead_is_spelled_out_alike_in_the_next_life(
    items: list[Fact | Intent],
) -> None:
    told = [Record(at=AT, item=item, batch=number) for number, item in enumerate(items)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spare"
        last = Head(count=3, batch=2, hash=bytes(32), last=3)
        with closing(Spare.open(path, space_bytes=2**16)) as spare:
            if not spare.take_ahead(told, last):
                return
        with closing(Spare.open(path, space_bytes=2**16)) as found:
            assert [Lines().of(held) for held in found.appends] == [Lines().of(told)]
            assert found.after == Place.of(last)


async def test_what_was_put_ahead_leaves_the_spare_log_once_it_is_committed(
    journal: Journal,
) -> None:
    append = journal.begin(records(1))
    assert journal.put_ahead(append)
    spare = journal.path.with_name("journal.db-spare")
    assert spare.read_bytes().strip(b"\0")
    await journal.finish(append)
    await journal.close()
    assert not spare.read_bytes().strip(b"\0")


async def test_a_disk_that_fails_behind_what_was_put_ahead_loses_and_doubles_nothing(
    journal: Journal,
) -> None:
    await journal.append(records(1))
    with full_from(log_bytes(journal)):
        append = journal.begin(records(1, start=1))
        assert journal.put_ahead(append)
        assert not append.is_settled
        await journal.finish(append)
        await journal.append(records(1, start=2))
        assert journal.trouble
    await whole(journal)
    assert await items(journal) == told(3)
    assert (await journal.verify()).ok


async def test_what_the_spare_log_has_no_room_for_is_committed_at_once(journal: Journal) -> None:
    text = "long" * 2**20
    append = journal.begin([Record(at=AT, item=WriteLine(text=text))])
    assert journal.put_ahead(append)
    assert append.is_settled
    assert await items(journal) == [WriteLine(text=text)]


async def test_a_power_cut_that_took_the_journals_end_is_no_reason_to_refuse(
    tmp_path: Path,
) -> None:
    """What was put ahead follows entries that are gone: the venues tell it all again."""
    path = tmp_path / "journal.db"
    async with await Journal.open(path, spare=True) as journal:
        await journal.append(records(1))
    shorter = path.read_bytes()
    dies(path, 5, "after", DIES_AHEAD)
    path.with_name("journal.db-wal").unlink()
    path.write_bytes(shorter)
    async with await Journal.open(path, spare=True) as journal:
        assert await items(journal) == told(1)
        await journal.append(records(1, start=1))
        assert (await journal.verify()).ok


async def test_nothing_can_be_written_at_all_is_told_and_follows_in_this_life(
    journal: Journal,
) -> None:
    await journal.append(records(1))
    with full_from(0):
        for number in (1, 2):
            with pytest.raises(JournalError, match="put aside either"):
                await journal.append(records(1, start=number))
    await whole(journal)
    assert await items(journal) == told(3)
    assert (await journal.verify()).ok


async def test_after_a_gap_the_spare_log_takes_nothing_more(journal: Journal) -> None:
    """A replay that skips something would stand on a wrong book; one that ends early does not."""
    with full_from(0), pytest.raises(JournalError):
        await journal.append(records(1))
    with pytest.raises(JournalError):
        await journal.append(records(1, start=1))
    with closing(Spare.open(journal.path.with_name("journal.db-spare"))) as seen:
        assert seen.is_empty
    await whole(journal)
    assert await items(journal) == told(2)


async def test_a_torn_last_line_was_never_told_to_be_there(tmp_path: Path) -> None:
    path, spare = tmp_path / "journal.db", tmp_path / "journal.db-spare"
    dies(path)
    text = spare.read_bytes()
    end = text.index(b"\0")
    spare.write_bytes(text[: end - 20] + bytes(len(text) - end + 20))
    async with await Journal.open(path, spare=True) as journal:
        assert await items(journal) == told(5)


async def test_a_line_changed_in_the_middle_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path, spare = tmp_path / "journal.db", tmp_path / "journal.db-spare"
    dies(path)
    spare.write_bytes(spare.read_bytes().replace(b"DU1234567", b"DU7654321", 1))
    with pytest.raises(JournalError, match=r"damaged at byte 0.*move it away"):
        await Journal.open(path, spare=True)


async def test_a_spare_log_beside_another_journal_is_refused_with_what_to_do(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    dies(path)
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (tmp_path / name).unlink()
    with pytest.raises(JournalError, match="another journal"):
        await Journal.open(path, spare=True)
    (tmp_path / "journal.db-spare").unlink()
    async with await Journal.open(path, spare=True) as journal:
        assert await items(journal) == []


async def test_its_space_is_taken_in_advance_and_is_its_owners_only(journal: Journal) -> None:
    about = journal.path.with_name("journal.db-spare").stat()
    assert about.st_mode & 0o777 == 0o600
    assert about.st_size == 4 * 2**20
    assert about.st_blocks * 512 >= about.st_size


def _room_for(megabytes: int, folder: Path) -> Iterator[Path]:
    """A file system of its own and of that size."""
    place = folder / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    yield from _room_for(8, tmp_path)


async def test_a_disk_that_is_really_full_loses_nothing(disk: Path) -> None:
    async with await Journal.open(disk / "journal.db", spare=True) as journal:
        await journal.append(records(3))
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(16 * 2**20))
        for number in range(3, 203):
            await journal.append(records(1, start=number))
        assert "The disk is full: make room." in journal.trouble
        filler.unlink()
        await whole(journal)
        assert await items(journal) == told(203)
    with closing(sqlite3.connect(disk / "journal.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
