"""The socket's file: private, taken over from an engine that died, never from a live one."""

import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.attach import AlreadyListening, AttachClient, AttachServer, Role, SocketUnusable
from engine.attach.place import Peer, peer_of
from tests.engine.attach.attach_support import Engine, Raw, hello

Serve = Callable[..., Any]


async def test_the_socket_is_for_its_owner_only(serve: Serve, path: Path) -> None:
    await serve()

    assert stat.S_IMODE(path.lstat().st_mode) == 0o600


async def test_a_missing_folder_is_made_private(path: Path, engine: Engine) -> None:
    below = path.parent / "state" / "engine.sock"
    server = AttachServer(below, engine.latest, engine.handle)
    await server.start()
    await server.stop()

    assert stat.S_IMODE(below.parent.stat().st_mode) == 0o700
    assert not below.exists()


async def test_a_folder_open_to_others_is_refused(path: Path, engine: Engine) -> None:
    path.parent.chmod(0o755)

    with pytest.raises(SocketUnusable, match="chmod 700"):
        await AttachServer(path, engine.latest, engine.handle).start()


async def test_a_stale_socket_file_is_replaced(serve: Serve, path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()

    await serve()

    async with await AttachClient.connect(path, role=Role.CONTROL, client_name="t") as client:
        assert client.welcome.pid == os.getpid()


async def test_a_second_server_is_refused_and_the_first_lives(
    serve: Serve, path: Path, engine: Engine
) -> None:
    await serve()

    with pytest.raises(AlreadyListening):
        await AttachServer(path, engine.latest, engine.handle).start()

    async with await AttachClient.connect(path, role=Role.READ_ONLY, client_name="t"):
        pass


async def test_a_listener_with_a_full_queue_still_counts(path: Path, engine: Engine) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))

        with pytest.raises(AlreadyListening):
            await AttachServer(path, engine.latest, engine.handle).start()


async def test_a_file_that_is_no_socket_is_left_alone(path: Path, engine: Engine) -> None:
    path.write_text("precious")

    with pytest.raises(SocketUnusable, match="no socket"):
        await AttachServer(path, engine.latest, engine.handle).start()

    assert path.read_text() == "precious"


async def test_a_link_is_not_followed(path: Path, engine: Engine) -> None:
    path.symlink_to(path.parent / "elsewhere")

    with pytest.raises(SocketUnusable, match="no socket"):
        await AttachServer(path, engine.latest, engine.handle).start()


async def test_a_path_that_is_too_long_is_explained(path: Path, engine: Engine) -> None:
    with pytest.raises(SocketUnusable, match="shorter state_dir"):
        await AttachServer(path.parent / ("x" * 120), engine.latest, engine.handle).start()


async def test_stopping_does_not_remove_a_successors_socket(path: Path, engine: Engine) -> None:
    server = AttachServer(path, engine.latest, engine.handle)
    await server.start()
    path.unlink()
    path.write_text("another's")

    await server.stop()

    assert path.read_text() == "another's"


async def test_another_user_is_refused(serve: Serve, path: Path, engine: Engine) -> None:
    await serve(peer=lambda _: Peer(pid=1, uid=os.geteuid() + 1))
    raw = await Raw.connect(path)
    raw.say(hello())

    refusal = await raw.hear()

    assert (refusal["type"], refusal["code"]) == ("refusal", "not_yours")
    await raw.hear_end()
    await raw.leave()
    assert engine.looked == 0


def test_the_peer_of_a_socket_is_who_made_it() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer_of(one) == Peer(pid=os.getpid(), uid=os.geteuid())


def test_the_peer_is_read_as_the_system_lays_it_out() -> None:
    class Options:
        def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
            assert (level, optname) == (socket.SOL_SOCKET, socket.SO_PEERCRED)
            return struct.pack("3i", 41, 1001, 1002)

    assert peer_of(Options()) == Peer(pid=41, uid=1001)
