"""A journal that was changed, cut or mixed up is found out and never traded on."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.journal import Journal, JournalError, Verdict
from tests.engine.journal.samples import records

COUNT = 300


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A closed journal of COUNT entries."""
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append(records(COUNT))
    return tmp_path / "journal.db"


def _tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER entries_are_not_changed")
        connection.execute("DROP TRIGGER entries_are_not_deleted")
        for statement in statements:
            connection.execute(statement)


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


async def _verdict(path: Path) -> Verdict:
    async with await Journal.open(path, read_only=True) as journal:
        return await journal.verify()


async def _replay(path: Path) -> None:
    async with await Journal.open(path) as journal:
        async for _ in journal.replay():
            pass


async def test_an_untouched_journal_is_in_order(path: Path) -> None:
    verdict = await _verdict(path)
    assert verdict.ok
    assert verdict.entries == COUNT
    assert verdict.broken_at is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET body = replace(body, 'DU1234567', 'DU1234568') WHERE seq = 120",
        "UPDATE entries SET at = '2027-01-01T00:00:00.000000+00:00' WHERE seq = 120",
        "UPDATE entries SET kind = 'intent' WHERE seq = 120",
        "UPDATE entries SET strategy_id = '' WHERE seq = 120",
        "UPDATE entries SET batch = 1 WHERE seq = 120",
        "UPDATE entries SET hash = zeroblob(32) WHERE seq = 120",
    ],
)
async def test_a_changed_row_is_found_and_not_replayed(path: Path, change: str) -> None:
    _tamper(path, change)
    verdict = await _verdict(path)
    assert not verdict.ok
    assert verdict.broken_at == 120
    assert verdict.entries == 119
    with pytest.raises(JournalError, match="entry 120"):
        await _replay(path)


async def test_a_byte_changed_on_disk_is_found(path: Path) -> None:
    _rewrite(path, lambda raw: raw.replace(b'"quantity":"120"', b'"quantity":"920"'))
    verdict = await _verdict(path)
    assert not verdict.ok
    assert verdict.broken_at == 121
    with pytest.raises(JournalError, match="damaged"):
        await _replay(path)


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("DELETE FROM entries WHERE seq = 120", 120),
        ("DELETE FROM entries WHERE seq >= 250", 250),
        ("DELETE FROM entries", 1),
        ("UPDATE head SET count = 299, hash = (SELECT hash FROM entries WHERE seq = 299)", 300),
        ("UPDATE head SET hash = zeroblob(32)", 300),
        ("DELETE FROM head", 1),
        ("DELETE FROM entries WHERE seq = 120; UPDATE head SET count = 299", 120),
    ],
)
async def test_missing_rows_are_found_at_once(path: Path, change: str, broken_at: int) -> None:
    _tamper(path, *change.split(";"))
    verdict = await _verdict(path)
    assert not verdict.ok
    assert verdict.broken_at == broken_at
    with pytest.raises(JournalError, match="move it away"):
        await Journal.open(path)


async def test_a_row_missing_behind_a_corrected_count_is_found_by_the_replay(path: Path) -> None:
    _tamper(
        path,
        "DELETE FROM entries WHERE seq = 120",
        "UPDATE entries SET seq = seq - 1 WHERE seq > 120",
        "UPDATE head SET count = 299",
    )
    assert (await _verdict(path)).broken_at == 120
    with pytest.raises(JournalError, match="entry 120"):
        await _replay(path)


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
async def test_a_cut_file_is_refused(path: Path, kept: float) -> None:
    _rewrite(path, lambda raw: raw[: int(len(raw) * kept)])
    with pytest.raises(JournalError, match="damaged"):
        await Journal.open(path)


async def test_an_emptied_file_is_refused_not_begun_anew(path: Path) -> None:
    _rewrite(path, lambda raw: b"")
    with pytest.raises(JournalError, match="it is empty"):
        await Journal.open(path)


async def test_a_log_without_its_database_is_refused(path: Path) -> None:
    os.rename(path, path.with_name("journal.db-wal"))
    with pytest.raises(JournalError, match="-wal file is still there"):
        await Journal.open(path)


async def test_something_else_than_a_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "journal.db"
    text.write_text("dear diary" * 1000)
    with pytest.raises(JournalError, match="damaged"):
        await Journal.open(text)
    assert text.read_text() == "dear diary" * 1000
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE entries (seq)")
    with pytest.raises(JournalError, match="not a Bulkhead journal"):
        await Journal.open(other)


async def test_reading_where_there_is_no_journal_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        await Journal.open(tmp_path / "journal.db", read_only=True)
    assert os.listdir(tmp_path) == []


async def test_an_entry_a_newer_version_wrote_is_named(path: Path) -> None:
    _tamper(path, "UPDATE entries SET name = 'OrderTeleported' WHERE seq = 300")
    async with await Journal.open(path) as journal:
        with pytest.raises(JournalError, match="OrderTeleported"):
            await journal.read(limit=1)
