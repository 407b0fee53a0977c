"""The socket's file and who stands at its other end: everything here asks the operating system.

The file is 0600 in a folder nobody else may enter. A file nobody listens behind is replaced, one
that answers never is.
"""

import os
import socket
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.attach.errors import AlreadyListening, SocketUnusable

# Above the number of clients allowed: a full queue fails connects in ways nobody can tell apart.
BACKLOG = 1024
MAX_PATH_BYTES = 107


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    pid: int
    uid: int


class HasOptions(Protocol):
    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_of(connection: HasOptions) -> Peer:
    """Return who connected. Source: unix(7), SO_PEERCRED."""
    layout = struct.Struct("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size)
    pid, uid, _ = layout.unpack(raw)
    return Peer(pid=pid, uid=uid)


def listen(path: Path) -> socket.socket:
    """Return a listening socket at path; raises AlreadyListening or SocketUnusable."""
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise SocketUnusable(
            f"The socket's path is longer than {MAX_PATH_BYTES} bytes: {path}. "
            "Choose a shorter state_dir."
        )
    try:
        _private_folder(path.parent)
        _clear_stale(path)
        return _bound(path)
    except OSError as error:
        raise SocketUnusable(f"No socket can be made at {path}: {error.strerror}.") from error


def remove(path: Path, made: os.stat_result) -> None:
    """Remove the file if it is still the one that was made."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if (found.st_dev, found.st_ino) == (made.st_dev, made.st_ino):
        path.unlink(missing_ok=True)


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise SocketUnusable(f"The folder {folder} belongs to another user.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise SocketUnusable(f"The folder {folder} is open to other users: chmod 700 {folder}")


def _clear_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise SocketUnusable(f"{path} is in the way and is no socket. Move it elsewhere.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # Not waiting: a listener whose queue is full answers EAGAIN, and is a listener.
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:
            pass
    raise AlreadyListening(f"Another engine is listening on {path}.")


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        # Nobody can connect before listen(), so the mode is right before it matters.
        path.chmod(0o600)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
