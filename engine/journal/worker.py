"""The one thread that touches the database, and the way onto it.

aiosqlite owns the thread. Its public calls are one statement each, and two tasks that use them
share a transaction: one's rollback erases the other's rows. So every job here is one closure that
begins and ends its own transaction. It is run where aiosqlite would commit, which is the one call
that carries no statement of its own.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import aiosqlite

from engine.journal.errors import JournalError

T = TypeVar("T")

_GIVE_WAY_SECONDS = 0.0005
_GIVE_WAY_AGAIN_SECONDS = 0.005


class WorkerConnection(sqlite3.Connection):
    """A connection whose commit() runs the next job that waits. Who holds turn may use it."""

    jobs: deque[Callable[[], None]]
    turn: Lock

    def commit(self) -> None:
        with self.turn:
            self.jobs.popleft()()


class Worker:
    """Runs closures on the database thread, one after the other, in the order they were given."""

    def __init__(self, connect: Callable[[], WorkerConnection]) -> None:
        self._connect = connect
        self._jobs: deque[Callable[[], None]] = deque()
        self._database = aiosqlite.Connection(self._connected, iter_chunk_size=64)
        self._connection: WorkerConnection | None = None
        self._refusal: BaseException | None = None
        self._turn = Lock()

    def _connected(self) -> sqlite3.Connection:
        # aiosqlite does not wait for its thread when connecting fails, and the thread may outlive
        # the loop it answers to. So a refusal is kept, and the thread ended in the ordinary way.
        try:
            self._connection = self._connect()
        except BaseException as refusal:
            self._refusal = refusal
            return sqlite3.connect(":memory:")
        self._connection.jobs = self._jobs
        self._connection.turn = self._turn
        return self._connection

    async def start(self) -> None:
        """Start the thread and connect. Raises what connect raised, the thread ended."""
        starting = asyncio.ensure_future(self._started())
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting
            await self.close()
            raise

    async def _started(self) -> None:
        await self._database
        if self._refusal:
            await self._database.close()
            raise self._refusal

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job and return what it returns.

        A job that was given always runs to its end, also when the caller is cancelled meanwhile.
        """
        connection = self._connection
        if connection is None:
            raise JournalError("The journal is closed.")
        answers: list[T] = []
        # aiosqlite queues its call before it first waits, so jobs and calls stay in step.
        self._jobs.append(lambda: answers.append(job(connection)))
        await self._database.commit()
        return answers[0]

    def run_here(self, job: Callable[[sqlite3.Connection], None]) -> bool:
        """Run a job on the calling thread at once; False, and not run, while the worker is at one.

        Waking a thread and being woken by it costs more than a commit. For the few jobs that
        somebody's position waits for.
        """
        connection = self._connection
        if connection is None:
            raise JournalError("The journal is closed.")
        if not self._turn.acquire(timeout=_GIVE_WAY_SECONDS):
            return False
        try:
            job(connection)
        finally:
            self._turn.release()
        return True

    async def close(self) -> None:
        """Run what was given, close the database and end the thread."""
        if self._connection is None:
            return
        self._connection = None
        await self._database.close()


def give_way(loop: asyncio.AbstractEventLoop, done: Lock) -> None:
    """Let the worker run, now and then again, until it releases done.

    An event loop that never idles starves every other thread: it takes the interpreter's lock back
    before the waiter wakes, for seconds on end (CPython 3.11). So the loop rests until the worker
    is done, but never longer than half a millisecond at a time.
    """
    if not done.acquire(timeout=_GIVE_WAY_SECONDS):
        loop.call_later(_GIVE_WAY_AGAIN_SECONDS, give_way, loop, done)
