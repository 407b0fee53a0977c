"""A disk without room, made by the kernel for this process."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from engine.journal import Journal


@contextmanager
def full_from(bytes_: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: the kernel refuses the write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def log_bytes(journal: Journal) -> int:
    """How long the journal's log is: a disk full from there on takes nothing more of it."""
    return journal.path.with_name(f"{journal.path.name}-wal").stat().st_size
