"""The journal: every fact and every intent, in order, kept before it is acted upon.

One connection and one writing thread. It decides nothing: what cannot be written, read or trusted
is a JournalError, and the caller stops entries.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from engine.journal import reading
from engine.journal.chain import BrokenChainError, Head, Walk
from engine.journal.crash import CrashPoint
from engine.journal.errors import JournalError
from engine.journal.opening import damaged, open_checked, open_log, remembered_orders
from engine.journal.records import Batch, Entry, Record, Verdict
from engine.journal.spare import ForeignSpareError, Spare
from engine.journal.worker import Worker, WorkerConnection, give_way
from engine.journal.writer import Append, Writer

T = TypeVar("T")

_SYNC_AFTER_SECONDS = 0.02
_RETRY_SECONDS = 1.0
# With a spare log at hand nobody waits for a program that holds the database.
_LOCK_MILLISECONDS = 50
_sync_file = getattr(os, "fdatasync", os.fsync)


class Journal:
    """An open journal. Close it always: an open one keeps the interpreter from ending."""

    def __init__(
        self, path: Path, *, crash: CrashPoint | None, read_only: bool, spare: bool
    ) -> None:
        self.path = path
        self._read_only = read_only
        self._wants_spare = spare
        self._on_trouble: Callable[[str], None] = lambda trouble: None
        self._told = ""
        self._unsynced = ""
        self._retry: asyncio.TimerHandle | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._worker = Worker(self._connect)
        self._writer = Writer(crash)
        self._log: int | None = None
        self._synced = 0
        self._syncing: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._sync_failure: JournalError | None = None
        self._closed = False
        self._spare: Spare | None = None

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        crash: CrashPoint | None = None,
        read_only: bool = False,
        spare: bool = False,
    ) -> Self:
        """Open the journal at path, or create an empty one, its file readable by the owner only.

        Raises JournalError, saying what to do, for a damaged, cut or newer journal. Takes no lock
        against a second engine: the caller holds the folder. read_only is for people who read the
        trail: it opens a damaged journal too, and never replays.

        spare keeps a spare log beside the journal: an append that cannot be committed is put aside
        there and counts as taken, `trouble` says so, and it is written, in order, as soon as that
        can be, in this life or when the next one opens the journal.
        """
        journal = cls(path, crash=crash, read_only=read_only, spare=spare)
        await journal._worker.start()
        return journal

    def _connect(self) -> WorkerConnection:
        connection = open_checked(self.path, read_only=self._read_only)
        try:
            if not self._read_only:
                self._log = open_log(self.path)
                self._writer.lines.strategies = remembered_orders(connection)
                if self._wants_spare:
                    self._use_spare(connection)
        except (OSError, sqlite3.Error) as error:
            self._let_go(connection)
            raise JournalError(f"{self.path} cannot be opened: {error}.") from error
        except JournalError:
            self._let_go(connection)
            raise
        return connection

    def _use_spare(self, connection: WorkerConnection) -> None:
        spare = self._spare = Spare.open(self.path.with_name(f"{self.path.name}-spare"))
        try:
            self._writer.use(spare, connection, self._sync_log)
        except ForeignSpareError as foreign:
            raise JournalError(
                f"{spare.path} holds what another journal than {self.path} could not take: "
                f"{foreign}. Put that journal back, or move the spare log away and start again: "
                "positions and open orders are then read from the venues."
            ) from None
        connection.execute(f"PRAGMA busy_timeout = {_LOCK_MILLISECONDS}")

    def _let_go(self, connection: WorkerConnection | None = None) -> None:
        if connection is not None:
            connection.close()
        if self._log is not None:
            log, self._log = self._log, None
            os.close(log)
        if self._spare is not None:
            self._spare.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def append(self, records: Sequence[Record], *, durable: bool = True) -> None:
        """Commit records, all or none, and return when they are committed.

        Every committed record survives the end of the process, `kill -9` included. durable=True
        waits until it survives a power cut too (0.1 to 15 ms, the disk's). durable=False is for
        what stands between an assignment and its closing order: it returns at the commit, and the
        journal puts it on disk a few hundredths of a second later by itself. That is safe for
        orders, since their ids are derived: after a power cut the same facts come from the venue
        again, give the same id, and the venue is asked for it before anything is sent.

        Appends that wait at the same time share one transaction. A cancelled append is written all
        the same. Raises JournalError with nothing written, and the journal goes on. If the disk
        fails after the commit, a durable append says so itself; for the others the next append
        fails in their place. With a spare log JournalError means that a restart will not know of
        this append, and a disk that fails after the commit is told by `trouble`.
        """
        await self.finish(self.begin(records), durable=durable)

    def begin(self, records: Sequence[Record]) -> Append:
        """Take records in, in the order of the calls; finish() waits for their commit.

        Raises JournalError as append does.
        """
        self._check_open()
        if self._sync_failure:
            failure, self._sync_failure = self._sync_failure, None
            raise failure
        append = Append(tuple(records))
        self._writer.waiting.append(append)
        return append

    def put_ahead(self, append: Append) -> bool:
        """Put what was begun where a restart finds it, before returning; finish() commits it.

        For orders: it costs less than a commit, and less than waking a thread. False where the
        worker is busy and finish() must be waited for. Raises JournalError as append does.
        """
        self._check_open()
        done = self._worker.run_here(self._writer.put_ahead)
        self._notice()
        if done and append.is_settled and append.failure:
            raise append.failure
        return done

    async def finish(self, append: Append, *, durable: bool = True) -> None:
        """Wait until what begin() took in is committed. Raises JournalError as append does."""
        loop = asyncio.get_running_loop()
        if not append.is_settled:
            loop.call_soon(give_way, loop, append.settled)
            try:
                await self._worker.run(self._writer.write_waiting)
            finally:
                self._sync_soon(loop)
                self._notice()
        if append.failure:
            raise append.failure
        if durable and append.records:
            await self._sync(self._writer.transactions)

    def _sync_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._pause and not self._closed:
            self._pause = loop.call_later(_SYNC_AFTER_SECONDS, self._tidy)

    def _check_open(self) -> None:
        if self._closed:
            raise JournalError("The journal is closed.")
        if self._read_only:
            raise JournalError("The journal was opened for reading only.")

    async def _sync(self, transactions: int) -> None:
        """Have the first so many transactions on disk. Callers share a sync under way."""
        while self._synced < transactions:
            if self._syncing is None or self._syncing.done():
                self._syncing = asyncio.create_task(self._sync_once())
            await asyncio.shield(self._syncing)

    async def _sync_once(self) -> None:
        committed = self._writer.transactions
        if self._log is None:
            raise JournalError("The journal is closed.")
        try:
            # Not on the database thread: a commit must not wait behind a slow disk.
            await asyncio.to_thread(self._sync_files)
        except OSError as error:
            # The kernel tells of lost pages once only. A checkpoint writes them anew.
            self._writer.fold_soon()
            self._unsynced = (
                f"The journal was written but not put on disk: {error.strerror or error}. "
                "Look at the disk and at the system's log."
            )
            raise JournalError(self._unsynced) from error
        self._synced, self._unsynced = committed, ""

    def _sync_files(self) -> None:
        if self._spare is not None and not self._spare.is_empty:
            self._spare.sync()
        self._sync_log()

    def _sync_log(self) -> None:
        if self._log is not None:
            _sync_file(self._log)

    @property
    def trouble(self) -> str:
        """Why what is appended goes to the spare log, or is not safe from a power cut; empty while
        all is well."""
        return self._writer.trouble or self._unsynced

    def tell_trouble(self, told: Callable[[str], None]) -> None:
        """Have told called, on a later turn of the loop, when trouble begins and when it ends."""
        self._on_trouble = told

    def _notice(self) -> None:
        if self._spare is None or self._closed:
            return
        loop, trouble = asyncio.get_running_loop(), self.trouble
        if bool(trouble) is not bool(self._told):
            self._told = trouble
            loop.call_soon(self._on_trouble, trouble)
        if trouble and self._retry is None:
            self._retry = loop.call_later(_RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._recovering = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        await self._worker.run(partial(self._writer.recover, sync=self._sync_log))
        await self._tidy_up()
        self._retry = None
        self._notice()

    async def ping(self) -> None:
        """Return once the database thread answered. Raises JournalError when the journal cannot be
        read and nobody was told of trouble yet."""
        try:
            await self._worker.run(Head.of)
        except (BrokenChainError, sqlite3.Error) as error:
            if not self.trouble:
                raise damaged(self.path, error) from error

    def _tidy(self) -> None:
        self._pause = None
        self._tidying = asyncio.create_task(self._tidy_up())

    async def _tidy_up(self) -> None:
        transactions = await self._worker.run(self._writer.tidy)
        try:
            await self._sync(transactions)
        except JournalError as error:
            if self._spare is None:
                self._sync_failure = error
        self._notice()

    async def read(
        self,
        *,
        since: datetime | None = None,
        strategy_id: str | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """Return entries in order; limit keeps the newest of them. Raises JournalError."""
        selection = reading.Selection(since=since, strategy_id=strategy_id, limit=limit)
        entries: list[Entry] = []
        after = await self._ask(selection.start)
        while True:
            bite = await self._ask(partial(selection.bite, after=after))
            entries += bite
            if len(bite) < reading.BITE_ROWS:
                return entries
            after = bite[-1].seq

    async def replay(self) -> AsyncIterator[Batch]:
        """Give every batch of facts in order, to rebuild the desk from.

        The hash chain is checked on the way. Raises JournalError at the first entry that cannot be
        trusted: what was handed out before it must not be traded on either.
        """
        replay = reading.Replay()
        until = await self._ask(Head.of)
        while replay.walk.seq < until.count:
            for batch in await self._ask(partial(replay.bite, until=until)):
                yield batch

    async def verify(self) -> Verdict:
        """Check the whole hash chain, and that nothing is missing at its end.

        A row changed, taken out or put in, and a tail cut off are found. Rewriting the whole file
        consistently is not: the chain is no signature.
        """
        walk = Walk()

        def bite(connection: sqlite3.Connection) -> bool:
            limit = min(reading.BITE_ROWS, until.count - walk.seq)
            rows = reading.rows_after(connection, walk.seq, limit)
            walk.over(rows)
            return bool(rows)

        try:
            until = await self._worker.run(Head.of)
            while walk.seq < until.count and await self._worker.run(bite):
                pass
            walk.end(until)
        except BrokenChainError as broken:
            return Verdict(ok=False, entries=walk.seq, broken_at=broken.seq, what=str(broken))
        except sqlite3.DatabaseError as error:
            return Verdict(ok=False, entries=walk.seq, broken_at=walk.seq + 1, what=str(error))
        return Verdict(ok=True, entries=walk.seq, broken_at=None, what="every entry is in place")

    async def _ask(self, job: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._worker.run(job)
        except (BrokenChainError, sqlite3.DatabaseError) as error:
            raise damaged(self.path, error) from error

    async def close(self) -> None:
        """Finish what was given, put it on disk and end the thread."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._pause, self._retry):
            if timer:
                timer.cancel()
        try:
            under_way = [task for task in (self._tidying, self._syncing, self._recovering) if task]
            if under_way:
                await asyncio.wait(under_way)
            await self._worker.run(partial(self._writer.recover, sync=self._sync_log))
            await self._worker.run(self._writer.tidy)
        finally:
            # Closing the last connection checkpoints, which syncs.
            await self._worker.close()
            self._let_go()
