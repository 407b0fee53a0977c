"""The tables of the journal, version by version.

MIGRATIONS[n] leads from version n to n + 1. A migration adds; it never rewrites entries, since
their hashes cover every column.
"""

APPLICATION_ID = 0x424C4B48  # "BLKH": tells a journal from any other SQLite file

_VERSION_1 = (
    """
    CREATE TABLE entries (
        seq INTEGER PRIMARY KEY,
        batch INTEGER NOT NULL,
        at TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('fact', 'intent')),
        name TEXT NOT NULL,
        strategy_id TEXT,
        body TEXT NOT NULL,
        hash BLOB NOT NULL
    ) STRICT
    """,
    # Written in the transaction that adds rows, so a tail cut off later is missed.
    """
    CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        count INTEGER NOT NULL,
        batch INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) STRICT
    """,
    "INSERT INTO head VALUES (1, 0, 0, zeroblob(32))",
    """
    CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1,)
