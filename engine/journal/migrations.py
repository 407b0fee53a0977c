"""Brings a journal of an older version up to this one: a copy first, then one transaction."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from engine.journal.errors import JournalError
from engine.journal.schema import APPLICATION_ID, MIGRATIONS

Migrations = Sequence[Sequence[str]]


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(
    connection: sqlite3.Connection, path: Path, migrations: Migrations = MIGRATIONS
) -> bool:
    """Say whether the journal must be migrated. Raises JournalError for what is no journal of ours,
    and for one a newer version wrote."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = version_of(connection)
    if application != APPLICATION_ID or version < 1:
        raise JournalError(
            f"{path} is not a Bulkhead journal. Move it away, or choose another state_dir."
        )
    if version > len(migrations):
        raise JournalError(
            f"{path} was written by a newer Bulkhead (journal version {version}, this one knows "
            f"{len(migrations)}). Start the newer version; nothing was changed."
        )
    return version < len(migrations)


def migrate(
    connection: sqlite3.Connection, path: Path, migrations: Migrations = MIGRATIONS
) -> Path | None:
    """Run the migrations that are missing; return where the copy made before them is."""
    version = version_of(connection)
    copy = _back_up(connection, path, version) if version else None
    connection.execute("BEGIN EXCLUSIVE")
    try:
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
    return copy


def create(path: Path, migrations: Migrations = MIGRATIONS) -> None:
    """Create an empty journal, readable by its owner only.

    It is made beside its place and moved there whole. So an empty file in that place is never one
    that was just being created: it is a journal that was cut, and opening it is refused.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        migrate(connection, draft, migrations)
    draft.rename(path)
    _sync_folder(path.parent)


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    copy = path.with_name(f"{path.name}.version-{version}")
    draft = path.with_name(f"{copy.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(draft)) as target:
        connection.backup(target)
    draft.replace(copy)
    _sync_folder(path.parent)
    return copy


def _sync_folder(folder: Path) -> None:
    # A rename outlives a power cut only once the folder is on disk.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
