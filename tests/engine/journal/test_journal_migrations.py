"""An older journal is copied and brought up to date in one step; a newer one is left alone."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from engine.journal import Journal, JournalError
from engine.journal.migrations import check_version, migrate, version_of
from engine.journal.schema import MIGRATIONS
from tests.engine.journal.samples import records

NEXT = (*MIGRATIONS, ("CREATE TABLE notes (text TEXT) STRICT", "INSERT INTO notes VALUES ('x')"))
BROKEN = (*MIGRATIONS, ("CREATE TABLE notes (text TEXT) STRICT", "INSERT INTO nowhere VALUES (1)"))


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append(records(3))
    return tmp_path / "journal.db"


async def test_an_older_journal_is_copied_then_migrated(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert check_version(connection, path, NEXT)
        copy = migrate(connection, path, NEXT)
        assert version_of(connection) == len(NEXT)
        assert connection.execute("SELECT text FROM notes").fetchall() == [("x",)]
        assert not check_version(connection, path, NEXT)
    assert copy is not None
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    async with await Journal.open(copy) as before:
        assert len(await before.read()) == 3
        assert (await before.verify()).ok


async def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, BROKEN)
        assert version_of(connection) == len(MIGRATIONS)
    async with await Journal.open(path) as journal:
        assert len(await journal.read()) == 3


async def test_a_newer_journal_is_refused_and_left_as_it_was(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = _contents(path.parent)
    with pytest.raises(JournalError, match="written by a newer Bulkhead"):
        await Journal.open(path)
    assert _contents(path.parent) == before


async def test_a_creation_that_was_interrupted_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "journal.db.new").write_bytes(b"half a file")
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append(records(1))
    assert not (tmp_path / "journal.db.new").exists()
