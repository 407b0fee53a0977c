"""Runs an engine from start to clean end: lock, journal, recovery, venues, socket, signals."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack

import structlog

from engine.attach import AttachServer
from engine.errors import EngineError
from engine.journal import CrashPoint, CrashWhen, Journal
from engine.service.alerts import AlertSender
from engine.service.clock import Clock, SystemClock
from engine.service.drills import drill
from engine.service.engine import VERSION, Engine, cancelled
from engine.service.lock import EngineLock
from engine.service.notify import Notifier
from engine.service.pauses import collect_in_pauses
from engine.service.requests import Requests, unprotected
from engine.service.settings import Settings
from engine.service.setup import EngineSetup
from engine.venues.port import Venue

log = structlog.get_logger("bulkhead.engine")

_BEAT_SECONDS = 5.0


async def run_engine(setup: EngineSetup, clock: Clock | None = None) -> None:
    """Run until SIGTERM, SIGINT or a stop request. Raises EngineError when it cannot start."""
    clock = clock or SystemClock()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # A terminal that hangs up must never take the engine with it.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    async with AsyncExitStack() as stack:
        setup.paths.prepare()
        lock = EngineLock(setup.paths.lock)
        lock.take()
        stack.callback(lock.release)
        journal = await Journal.open(setup.journal, crash=_crash_point(os.environ), spare=True)
        stack.push_async_callback(journal.close)
        engine = Engine(mode=setup.mode, journal=journal, clock=clock)
        # What the venues say when they are ended is the last of it.
        stack.push_async_callback(engine.drained)
        journal.tell_trouble(engine.journal_trouble)
        await engine.recover()
        venues = setup.make_venues(engine)
        alerts = AlertSender(setup.channels, engine.alert_channel)
        requests = Requests(
            engine,
            journal,
            drill=lambda s: drill(setup, venues, s),
            stop=stopping.set,
            settings=None if setup.file is None else Settings(setup.file, engine.tell),
        )
        server = AttachServer(setup.paths.socket, engine.snapshot, requests.handle, version=VERSION)
        engine.use(venues=venues, alerts=alerts, publish=server.publish)
        alerts.start()
        stack.push_async_callback(alerts.stop)
        engine.start(setup.declared)
        await engine.drained()
        await server.start()
        stack.push_async_callback(server.stop)
        tasks = [loop.create_task(venue.run(), name=name) for name, venue in venues.items()]
        tasks += _companions(setup, venues, engine)
        notifier = Notifier.of(os.environ)
        if notifier is not None:
            watching = notifier.watch(engine.snapshot, engine.ping)
            tasks.append(loop.create_task(watching, name="notify"))
        stack.push_async_callback(cancelled, tasks)
        if notifier is not None:
            stack.callback(notifier.close)
        for task in tasks:
            task.add_done_callback(lambda done: _died(done, stopping))
        log.info("engine started", mode=setup.mode, socket=str(setup.paths.socket))
        await stopping.wait()
        log.info("engine stops", positions=unprotected(engine))
        engine.stop()
        await engine.drained()


def _crash_point(environ: Mapping[str, str]) -> CrashPoint | None:
    """The journal write at which a crash test wants this process killed, if it wants that."""
    write = environ.get("BULKHEAD_CRASH_AT_WRITE")
    if write is None:
        return None
    when = CrashWhen(environ.get("BULKHEAD_CRASH_WHEN", CrashWhen.AFTER))
    return CrashPoint(at_write=int(write), when=when)


def _companions(
    setup: EngineSetup, venues: Mapping[str, Venue], engine: Engine
) -> list[asyncio.Task[None]]:
    """The engine's own small duties beside the venues."""
    tasks = [
        asyncio.create_task(_beat(engine), name="beat"),
        asyncio.create_task(collect_in_pauses(), name="garbage"),
    ]
    options = setup.declared.options
    if options is not None and options.venue in venues:
        venue = venues[options.venue]
        seconds = options.reconcile_seconds
        tasks.append(asyncio.create_task(_reconcile(venue, seconds), name="reconcile"))
    if setup.story_after_seconds is not None:
        tasks.append(
            asyncio.create_task(_story(setup, venues, setup.story_after_seconds), name="story")
        )
    return tasks


async def _beat(engine: Engine) -> None:
    """Show a picture now and then even when nothing changed: a terminal takes silence for loss."""
    while True:
        await asyncio.sleep(_BEAT_SECONDS)
        engine.show()


async def _reconcile(venue: Venue, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        venue.ask()


async def _story(setup: EngineSetup, venues: Mapping[str, Venue], seconds: float) -> None:
    """The demo's first assignment, so that a newcomer sees the whole story without a command."""
    await asyncio.sleep(seconds)
    try:
        log.info("demo", what=drill(setup, venues, setup.declared.strategies[0].id))
    except EngineError as error:
        log.info("demo", what=str(error))
    await asyncio.Event().wait()


def _died(task: asyncio.Task[None], stopping: asyncio.Event) -> None:
    """A duty that ends by itself is a fault: the engine stops, and a restart replays."""
    if task.cancelled() or stopping.is_set():
        return
    log.critical("a duty ended", name=task.get_name(), exc_info=task.exception())
    stopping.set()
