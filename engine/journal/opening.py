"""Opens a journal file and decides whether it may be traded on. Runs on the worker thread."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from engine.journal.chain import BrokenChainError, Head
from engine.journal.errors import JournalError
from engine.journal.migrations import check_version, create, migrate
from engine.journal.worker import WorkerConnection


def open_checked(path: Path, *, read_only: bool) -> WorkerConnection:
    """Open the journal, creating it where there is none, or raise JournalError.

    Read-only opening checks no more than that it is a journal: the trail of a damaged one can still
    be read, and verified.
    """
    try:
        if not path.exists():
            _create(path, read_only)
        elif path.stat().st_size == 0:
            raise damaged(path, "it is empty")
        elif not read_only and path.stat().st_mode & 0o077:
            path.chmod(path.stat().st_mode & 0o700)
        return _open(path, read_only)
    except sqlite3.DatabaseError as error:
        raise _explained(path, error) from error
    except OSError as error:
        raise JournalError(f"{path} cannot be opened: {error.strerror or error}.") from error


def _create(path: Path, read_only: bool) -> None:
    if read_only:
        raise JournalError(f"There is no journal at {path}.")
    if path.with_name(f"{path.name}-wal").exists():
        # SQLite would mix an old log into a new file.
        raise damaged(path, "it is gone, though its -wal file is still there")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create(path)


def _open(path: Path, read_only: bool) -> WorkerConnection:
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,
        # The event loop writes what cannot wait for a thread to wake; the worker's turn guards it.
        check_same_thread=False,
        timeout=2,
        factory=WorkerConnection,
    )
    try:
        outdated = check_version(connection, path)
        if read_only:
            if outdated:
                raise JournalError(f"{path} is of an older version: start the engine once.")
            return connection
        _configure(connection, path)
        if outdated:
            migrate(connection, path)
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise JournalError(
            f"{path} stands on a file system that cannot hold it (no shared memory; a network "
            "drive?). Choose a state_dir on a local disk."
        )
    connection.execute("PRAGMA synchronous = NORMAL")
    # Checkpoints are run in the pauses, never inside the commit a closing order waits for.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise damaged(path, str(answer))
    try:
        head = Head.of(connection)
    except BrokenChainError as broken:
        raise damaged(path, broken) from None
    rows = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    if rows != head.count or head.last != head.count:
        raise damaged(path, f"it holds {rows} entries where {head.count} were written")
    newest = connection.execute("SELECT hash FROM entries WHERE seq = ?", (head.last,)).fetchone()
    if newest is not None and newest[0] != head.hash:
        raise damaged(path, "its last entry is not the one that was written last")


def damaged(path: Path, what: Exception | str) -> JournalError:
    """Say of a journal that cannot be trusted what to do with it."""
    return JournalError(
        f"{path} is damaged: {what}. It is not traded on. Put a copy back, or move it away (with "
        "its -wal and -spare files) and start again: positions and open orders are then read from "
        "the venues."
    )


def _explained(path: Path, error: sqlite3.DatabaseError) -> JournalError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or not name:
        return damaged(path, error)
    if name.startswith("SQLITE_READONLY"):
        return JournalError(f"{path} cannot be written. Make it and its folder writable.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return JournalError(f"{path} is in use by another program. Close that one first.")
    if name.startswith("SQLITE_FULL"):
        return JournalError(f"{path} cannot be opened: the disk is full. Make room first.")
    if name.startswith("SQLITE_ERROR"):
        return damaged(path, error)
    return JournalError(f"{path} cannot be opened: {error} ({name}). Look at the disk.")


def remembered_orders(connection: sqlite3.Connection) -> dict[str, str]:
    """Return which strategy each order of ours was for, by client order id."""
    rows = connection.execute(
        "SELECT json_extract(body, '$.client_order_id'), strategy_id FROM entries"
        " WHERE name = 'PlaceOrder' AND strategy_id IS NOT NULL"
    )
    return dict(rows.fetchall())


def open_log(path: Path) -> int:
    """Open the write-ahead log for syncing; it lives as long as the connection does."""
    return os.open(path.with_name(f"{path.name}-wal"), os.O_RDONLY | os.O_CLOEXEC)
