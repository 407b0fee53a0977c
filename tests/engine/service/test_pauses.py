"""What is garbage goes, without a collection in the middle of something."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from engine.service.pauses import collect_in_pauses


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """This process's collector, put back as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class Knot:
    """Holds on to itself."""

    def __init__(self) -> None:
        self.itself = self


async def test_a_knot_tied_between_two_pauses_is_gone_after_the_second() -> None:
    left = []

    async def pause(_: float) -> None:
        if left:
            raise asyncio.CancelledError
        left.append(weakref.ref(Knot()))
        assert left[0]() is not None

    with pytest.raises(asyncio.CancelledError):
        await collect_in_pauses(pause)
    assert left[0]() is None


async def test_what_stood_at_the_start_is_never_looked_at_again() -> None:
    old = Knot()

    async def pause(_: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await collect_in_pauses(pause)
    assert gc.get_freeze_count()
    assert not any(one is old for one in gc.get_objects())
