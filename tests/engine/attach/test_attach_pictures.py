"""When pictures go out, and that a client which does not read costs nobody anything."""

import asyncio
import socket
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import randbytes
from typing import Any

from engine.attach import AttachClient, Limits, Role
from tests.engine.attach.attach_support import (
    Engine,
    HandTimers,
    Raw,
    hello,
    large,
    request,
    turns,
    until,
)

Serve = Callable[..., Any]
SUBSCRIBE = {"type": "subscribe", "pictures": True}


async def subscribed(path: Path, timers: HandTimers) -> Raw:
    """A client that has had its first picture."""
    raw = await Raw.welcomed(path)
    raw.say(request(SUBSCRIBE))
    assert (await raw.hear())["ok"] is True
    timers.advance(0.06)
    assert (await raw.hear())["type"] == "picture"
    return raw


async def test_a_picture_is_sent_on_subscribing(serve: Serve, path: Path, engine: Engine) -> None:
    engine.snapshot = large(3)
    await serve()

    async with await AttachClient.connect(path, role=Role.READ_ONLY, client_name="t") as client:
        assert await anext(aiter(client.snapshots())) == engine.snapshot


async def test_pictures_go_out_four_times_a_second_at_most(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await subscribed(path, timers)
    server.publish()
    timers.advance(0)
    await raw.hear()

    drawn = engine.looked
    for step in range(64):
        engine.move(f"step {step}")
        server.publish()
        timers.advance(1 / 64)

    assert engine.looked - drawn == 4
    assert (await raw.hear())["snapshot"]["mode"] == "step 63"
    await raw.leave()


async def test_an_urgent_picture_does_not_wait(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await subscribed(path, timers)
    server.publish()
    timers.advance(0)
    await raw.hear()

    engine.move("alarm")
    server.publish(urgent=True)
    timers.advance(0)

    assert (await raw.hear())["snapshot"]["mode"] == "alarm"
    await raw.leave()


async def test_an_urgent_picture_includes_the_ordinary_one_that_waited(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await subscribed(path, timers)
    server.publish()
    timers.advance(0)
    await raw.hear()
    drawn = engine.looked

    server.publish()
    server.publish(urgent=True)
    timers.advance(1)

    assert engine.looked == drawn + 1
    await raw.leave()


async def test_a_storm_of_urgent_pictures_is_bounded(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await subscribed(path, timers)
    drawn = engine.looked

    for _ in range(1000):
        server.publish(urgent=True)
        timers.advance(0.001)

    assert 19 <= engine.looked - drawn <= 21
    await raw.leave()


async def test_publishing_draws_nothing_within_the_call(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await subscribed(path, timers)
    drawn = engine.looked

    server.publish(urgent=True)

    assert engine.looked == drawn
    await raw.leave()


async def test_nothing_is_drawn_for_nobody(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await Raw.welcomed(path)
    looked = engine.looked

    server.publish()
    server.publish(urgent=True)
    timers.advance(1)

    assert engine.looked == looked
    await raw.leave()


async def test_unsubscribing_ends_the_pictures(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    raw = await subscribed(path, timers)

    raw.say(request({"type": "subscribe", "pictures": False}))
    assert (await raw.hear())["ok"] is True
    looked = engine.looked
    server.publish(urgent=True)
    timers.advance(1)

    assert engine.looked == looked
    await raw.leave()


async def test_a_picture_is_drawn_once_for_a_hundred_clients(
    serve: Serve, path: Path, engine: Engine
) -> None:
    server = await serve()
    clients = await asyncio.gather(
        *(
            AttachClient.connect(path, role=Role.READ_ONLY, client_name=f"t{number}")
            for number in range(100)
        )
    )
    streams = [aiter(client.snapshots()) for client in clients]
    await asyncio.gather(*(anext(stream) for stream in streams))
    drawn = engine.looked

    async def sees_alarm(stream: Any) -> None:
        async for snapshot in stream:
            if snapshot.mode == "alarm":
                return

    engine.move("alarm")
    server.publish(urgent=True)
    await asyncio.gather(*(sees_alarm(stream) for stream in streams))

    assert engine.looked == drawn + 1
    assert server.attached == 100
    for client in clients:
        await client.close()
    await until(lambda: server.attached == 0)


async def stopped_reader(path: Path) -> Raw:
    """A client that subscribed and then does not read, with the smallest buffer there is."""
    raw = await Raw.welcomed(path)
    raw.stop_reading()
    raw.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    raw.say(request(SUBSCRIBE))
    await turns(100)
    return raw


async def test_a_client_that_does_not_read_delays_nobody_and_holds_little(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    server = await serve(timers=timers)
    healthy = await subscribed(path, timers)
    stopped = [await stopped_reader(path) for _ in range(5)]
    timers.advance(0.06)
    await turns(100)
    pictures = [replace(large(300), mode=f"picture {number}") for number in range(40)]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()

    for picture in pictures:
        engine.snapshot = picture
        server.publish(urgent=True)
        timers.advance(0.06)
        heard = await healthy.hear()
        assert heard["snapshot"]["mode"] == picture.mode
        del heard
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert server.attached == 6
    # Each stopped client holds the frame it is in and one that waits; the waiting one is shared.
    assert after - before < 6 * 1024 * 1024
    for raw in (healthy, *stopped):
        await raw.leave()


async def test_a_client_that_reads_nothing_for_half_a_minute_is_dropped(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    engine.snapshot = large(2000)
    noted: list[str] = []
    server = await serve(timers=timers, note=noted.append)
    stopped = await stopped_reader(path)
    timers.advance(0.06)
    await turns(100)

    timers.advance(29)
    await turns()
    assert server.attached == 1
    timers.advance(2)
    await until(lambda: server.attached == 0)

    assert "read nothing for 30 s" in noted[0]
    await stopped.leave()


async def test_a_client_that_reads_again_sees_the_newest_picture(
    serve: Serve, path: Path, engine: Engine, timers: HandTimers
) -> None:
    engine.snapshot = large(1500)
    server = await serve(timers=timers)
    slow = await stopped_reader(path)
    timers.advance(0.06)
    await turns(100)
    for number in range(20):
        engine.move(f"picture {number}")
        server.publish(urgent=True)
        timers.advance(0.06)
        await turns()

    slow.read_again()
    assert (await slow.hear())["type"] == "reply"
    numbers: list[int] = []
    modes: list[str] = []
    while not modes or modes[-1] != "picture 19":
        heard = await slow.hear()
        numbers.append(heard["number"])
        modes.append(heard["snapshot"]["mode"])

    assert len(modes) <= 3
    assert numbers == sorted(numbers)
    await slow.leave()


async def test_a_picture_that_is_too_large_is_refused_with_a_reason(
    serve: Serve, path: Path, engine: Engine
) -> None:
    huge = large(1)
    reason = replace(huge.strategies[0], reason=randbytes(9 * 1024 * 1024).hex())
    engine.snapshot = replace(huge, strategies=(reason,))
    await serve()
    raw = await Raw.welcomed(path)

    raw.say(request(SUBSCRIBE))

    assert (await raw.hear())["type"] == "reply"
    assert (await raw.hear())["code"] == "too_large"
    await raw.hear_end()
    await raw.leave()


async def test_a_client_that_leaves_mid_picture_is_forgotten(
    serve: Serve, path: Path, engine: Engine
) -> None:
    engine.snapshot = large(2000)
    server = await serve()
    raw = await Raw.welcomed(path)
    raw.say(request(SUBSCRIBE))
    await raw.hear()
    await raw.leave()

    await until(lambda: server.attached == 0)
    server.publish(urgent=True)


async def test_more_clients_than_allowed_are_told_so(serve: Serve, path: Path) -> None:
    await serve(limits=Limits(clients=1))
    first = await Raw.welcomed(path)
    second = await Raw.connect(path)
    second.say(hello())

    assert (await second.hear())["code"] == "too_many"

    await first.leave()
    await second.leave()
