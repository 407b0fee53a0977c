"""Collects garbage in the pauses, a little and often, so that no collection meets a close."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from itertools import count

_EVERY_SECONDS = 0.25
_ALL_TURNS = 14_400
"""After so many turns, an hour, what is old is looked at too."""
_BY_ITSELF = 2_500, 3
"""When a collection comes by itself, in the middle of much work: when so many more objects were
made than freed; and after so many of these, one of what outlived them. A millisecond or two each.
"""


async def collect_in_pauses(sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Look after the garbage until cancelled. What stands at the start stands for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_BY_ITSELF)
    for turn in count(1):
        await sleep(_EVERY_SECONDS)
        gc.collect(1 if turn % _ALL_TURNS else 2)
