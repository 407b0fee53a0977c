"""Appends are committed in order, all or none, whoever waits for them."""

import asyncio
import resource
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.desk.facts import CloseRequested, Fact, OrderPriced, OrderType, OrderUnanswered
from engine.desk.intents import CancelOrder, Intent, RaiseAlert, Severity
from engine.journal import Batch, Journal, JournalError, Record
from engine.journal.worker import give_way
from tests.engine.journal.samples import AT, order, position, records, report


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(tmp_path / "journal.db") as opened:
        yield opened


async def _replayed(journal: Journal) -> list[Batch]:
    return [batch async for batch in journal.replay()]


async def _rested(journal: Journal) -> None:
    """Let the pause after an append be over now."""
    assert journal._pause is not None
    journal._pause.cancel()
    journal._tidy()
    assert journal._tidying is not None
    await journal._tidying


def _assert_ended(before: set[threading.Thread]) -> None:
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
        assert not thread.is_alive()


async def test_a_new_journal_is_empty_whole_and_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.db"
    async with await Journal.open(path) as journal:
        assert await journal.read() == []
        assert await _replayed(journal) == []
        assert (await journal.verify()).ok
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_what_was_appended_is_read_after_a_restart(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append([Record(at=AT, item=position()), Record(at=AT, item=order())])
        before = await journal.read()
    async with await Journal.open(tmp_path / "journal.db") as journal:
        assert await journal.read() == before
        assert [entry.item for entry in before] == [position(), order()]
        assert [entry.at for entry in before] == [AT, AT]
        await journal.append(records(1))
        assert [entry.seq for entry in await journal.read()] == [1, 2, 3]
        assert [entry.batch for entry in await journal.read()] == [1, 1, 2]


async def test_a_replay_groups_facts_as_they_were_applied(journal: Journal) -> None:
    later = AT + timedelta(seconds=1)
    await journal.append(
        [
            Record(at=AT, item=position(-2)),
            Record(at=AT, item=position(-1)),
            Record(at=AT, item=order()),
            Record(at=later, item=report(), batch=1),
        ]
    )
    await journal.append([Record(at=later, item=order("bh-2"))])
    await journal.append([Record(at=later, item=position(0))])
    assert await _replayed(journal) == [
        Batch(number=1, at=AT, facts=(position(-2), position(-1))),
        Batch(number=2, at=later, facts=(report(),)),
        Batch(number=4, at=later, facts=(position(0),)),
    ]


async def test_a_long_replay_keeps_batches_together_across_its_bites(journal: Journal) -> None:
    many = [Record(at=AT, item=position(number), batch=number // 3) for number in range(6500)]
    await journal.append(many)
    batches = await _replayed(journal)
    assert [fact for batch in batches for fact in batch.facts] == [record.item for record in many]
    assert {len(batch.facts) for batch in batches[:-1]} == {3}


async def test_fifty_appends_at_once_are_all_written_each_in_one_piece(journal: Journal) -> None:
    appends = [records(3, start=10 * number) for number in range(50)]
    await asyncio.gather(*(journal.append(append, durable=False) for append in appends))
    entries = await journal.read()
    assert [entry.item for entry in entries] == [
        record.item for append in appends for record in append
    ]
    assert (await journal.verify()).ok


async def test_appends_that_wait_together_share_a_transaction(journal: Journal) -> None:
    gate = threading.Event()
    blocker = asyncio.create_task(journal._worker.run(lambda _: gate.wait()))
    await asyncio.sleep(0)
    appends = [asyncio.create_task(journal.append(records(1))) for _ in range(50)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(blocker, *appends)
    assert journal._writer.transactions == 1
    assert len(await journal.read()) == 50


async def test_a_cancelled_append_is_written_and_takes_nobody_with_it(journal: Journal) -> None:
    gate = threading.Event()
    blocker = asyncio.create_task(journal._worker.run(lambda _: gate.wait()))
    await asyncio.sleep(0)
    first = asyncio.create_task(journal.append(records(2)))
    second = asyncio.create_task(journal.append(records(2, start=2)))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.gather(blocker, second)
    assert [entry.item for entry in await journal.read()] == [r.item for r in records(4)]


async def test_a_strategys_story_has_its_orders_whole_fate(tmp_path: Path) -> None:
    mine: list[Fact | Intent] = [
        order(),
        OrderPriced(
            client_order_id="bh3k2q7x9",
            order_type=OrderType.MARKET,
            limit_price=None,
            outside_rth=False,
            bid=None,
            ask=None,
        ),
        OrderUnanswered(client_order_id="bh3k2q7x9", reason="timeout"),
        CloseRequested(request_id="1", strategy_id="SPY-IC-1", emergency=True, by="me"),
        RaiseAlert(
            alert_id="a", severity=Severity.INFO, title="t", body="b", at=AT, strategy_id="SPY-IC-1"
        ),
    ]
    others: list[Fact | Intent] = [
        position(),
        order("other", "QQQ-1"),
        report("other"),
        order("loose", None),
    ]
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append([Record(at=AT, item=item) for item in (*mine, *others)])
    after_restart: list[Fact | Intent] = [
        report(),
        CancelOrder(client_order_id="bh3k2q7x9", venue="ibkr", reason="r"),
    ]
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append([Record(at=AT, item=item) for item in after_restart])
        story = await journal.read(strategy_id="SPY-IC-1")
        assert [entry.item for entry in story] == [*mine, *after_restart]


async def test_reading_since_an_instant_and_the_newest_few(journal: Journal) -> None:
    await journal.append(records(600))
    since = AT + timedelta(seconds=590)
    assert [entry.seq for entry in await journal.read(since=since)] == list(range(591, 601))
    assert [entry.seq for entry in await journal.read(since=since, limit=3)] == [598, 599, 600]
    assert len(await journal.read(limit=500)) == 500
    assert await journal.read(limit=0) == []
    assert await journal.read(strategy_id="nobody", limit=5) == []


async def test_an_instant_without_a_zone_is_refused_with_nothing_written(journal: Journal) -> None:
    naive = Record(at=datetime(2026, 1, 1), item=position())
    with pytest.raises(JournalError, match="time zone"):
        await journal.append([*records(1), naive])
    assert await journal.read() == []


async def test_a_full_disk_is_told_and_the_journal_goes_on_once_there_is_room(
    journal: Journal,
) -> None:
    await journal.append(records(5))
    pages = await journal._worker.run(
        lambda connection: connection.execute("PRAGMA page_count").fetchone()[0]
    )
    await journal._worker.run(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchall())
    with pytest.raises(JournalError, match="disk is full"):
        await journal.append(records(500))
    await journal._worker.run(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchall())
    assert len(await journal.read()) == 5
    await journal.append(records(3))
    assert [entry.seq for entry in await journal.read()] == list(range(1, 9))
    assert (await journal.verify()).ok


async def test_a_write_the_system_refuses_is_told_and_the_journal_goes_on(journal: Journal) -> None:
    await journal.append(records(5))
    log = journal.path.with_name("journal.db-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 100, hard))
    try:
        with pytest.raises(JournalError, match="Nothing was written"):
            await journal.append(records(5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await journal.append(records(2))
    assert len(await journal.read()) == 7
    assert (await journal.verify()).ok


async def test_a_journal_turned_read_only_is_told_and_goes_on(journal: Journal) -> None:
    await journal._worker.run(lambda c: c.execute("PRAGMA query_only = ON").fetchall())
    with pytest.raises(JournalError, match="read-only"):
        await journal.append(records(5))
    await journal._worker.run(lambda c: c.execute("PRAGMA query_only = OFF").fetchall())
    await journal.append(records(2))
    assert len(await journal.read()) == 2


async def test_a_failed_group_fails_for_each_of_its_appends(journal: Journal) -> None:
    await journal._worker.run(lambda c: c.execute("PRAGMA query_only = ON").fetchall())
    outcomes = await asyncio.gather(
        *(journal.append(records(1)) for _ in range(20)), return_exceptions=True
    )
    assert all(isinstance(outcome, JournalError) for outcome in outcomes)


async def test_a_durable_append_is_on_disk_and_others_follow_shortly(journal: Journal) -> None:
    await journal.append(records(1), durable=True)
    assert journal._synced == 1
    await journal.append(records(1), durable=False)
    assert journal._synced == 1
    await _rested(journal)
    assert journal._synced == 2


async def test_a_failed_sync_is_told_once_and_written_anew(journal: Journal) -> None:
    assert journal._log is not None
    log, journal._log = journal._log, 10**6
    with pytest.raises(JournalError, match="not put on disk"):
        await journal.append(records(1), durable=True)
    journal._log = log
    await journal.append(records(1), durable=True)
    assert len(await journal.read()) == 2


async def test_a_long_log_is_folded_into_the_database(journal: Journal) -> None:
    journal._writer.fold_soon()
    before = journal.path.stat().st_size
    await journal.append(records(500))
    assert journal.path.stat().st_size == before
    await _rested(journal)
    assert journal.path.stat().st_size > before


async def test_rows_can_be_neither_changed_nor_deleted_by_a_statement(journal: Journal) -> None:
    await journal.append(records(2))
    with closing(sqlite3.connect(journal.path)) as other:
        for statement in ("UPDATE entries SET body = '{}'", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(statement)


async def test_a_reader_of_the_trail_sees_what_is_committed_and_cannot_write(
    journal: Journal,
) -> None:
    await journal.append(records(2))
    async with await Journal.open(journal.path, read_only=True) as trail:
        assert await trail.read() == await journal.read()
        assert (await trail.verify()).ok
        with pytest.raises(JournalError, match="reading"):
            await trail.append(records(1))
    await journal.append(records(1))
    assert len(await journal.read()) == 3


async def test_closing_ends_the_thread_writes_what_waits_and_may_be_repeated(
    tmp_path: Path,
) -> None:
    before = set(threading.enumerate())
    journal = await Journal.open(tmp_path / "journal.db")
    waiting = asyncio.create_task(journal.append(records(3), durable=False))
    await asyncio.sleep(0)
    await journal.close()
    await waiting
    await journal.close()
    _assert_ended(before)
    with pytest.raises(JournalError, match="closed"):
        await journal.append(records(1))
    with pytest.raises(JournalError, match="closed"):
        await journal.read()
    async with await Journal.open(tmp_path / "journal.db") as again:
        assert len(await again.read()) == 3


async def test_an_opening_that_is_cancelled_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    opening = asyncio.create_task(Journal.open(tmp_path / "journal.db"))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    _assert_ended(before)
    async with await Journal.open(tmp_path / "journal.db") as journal:
        assert await journal.read() == []


async def test_a_refused_opening_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with pytest.raises(JournalError):
        await Journal.open(tmp_path / "journal.db", read_only=True)
    _assert_ended(before)


async def test_the_loop_gives_way_again_until_the_commit_is_settled() -> None:
    settled = threading.Lock()
    settled.acquire()
    loop = asyncio.get_running_loop()
    give_way(loop, settled)
    settled.release()
    later = asyncio.Event()
    loop.call_later(0.02, later.set)
    await later.wait()
    assert settled.locked()  # taken by the second try


async def test_a_commit_is_not_starved_by_a_loop_that_never_idles(journal: Journal) -> None:
    busy = True

    async def spin() -> None:
        loop = asyncio.get_running_loop()
        while busy:
            until = loop.time() + 0.0004
            while loop.time() < until:
                pass
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    async with asyncio.timeout(10):
        for _ in range(300):
            await journal.append(records(1), durable=False)
    busy = False
    await spinning


async def test_what_was_begun_first_is_written_first(journal: Journal) -> None:
    first, second = journal.begin(records(1)), journal.begin(records(1, start=1))
    assert journal.put_ahead(second)
    await journal.finish(second)
    await journal.finish(first)
    told = [record.item for record in records(2)]
    assert [entry.item for entry in await journal.read()] == told
    assert (await journal.verify()).ok


async def test_a_busy_worker_is_waited_for_and_writes_once(journal: Journal) -> None:
    busy, go = threading.Event(), threading.Event()

    def long_job(_: sqlite3.Connection) -> None:
        busy.set()
        go.wait(10)

    running = asyncio.create_task(journal._worker.run(long_job))
    await asyncio.to_thread(busy.wait, 10)
    append = journal.begin(records(1))
    assert not journal.put_ahead(append)
    go.set()
    await journal.finish(append)
    await running
    assert len(await journal.read()) == 1


async def test_an_order_that_cannot_be_written_is_told_at_once(journal: Journal) -> None:
    await journal._worker.run(lambda c: c.execute("PRAGMA query_only = 1"))
    with pytest.raises(JournalError):
        journal.put_ahead(journal.begin(records(1)))
    assert await journal.read() == []
