"""A sorted list kept in blocks, so that adding and taking away cost the same at any size.

The values lie in arrays beside their keys: a search that looks at a hundred thousand scattered
tuples spends its time waiting for memory.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

Key = tuple[float, int, str, int]
"""(value, number, whose, what): ordered by value, then by number; unique as a whole. Whose comes
later has the higher number, so that most keys belong behind their equals."""

_BLOCK = 512


class Shelf:
    """Keys in ascending order. Blocks hold at most twice _BLOCK keys; none is empty.

    _values[n] are the values of _keys[n]; _last_values and _last_keys end each block.
    """

    __slots__ = ("_keys", "_last_keys", "_last_values", "_size", "_values")

    def __init__(self) -> None:
        self._keys: list[list[Key]] = []
        self._values: list[array[float]] = []
        self._last_keys: list[Key] = []
        self._last_values: array[float] = array("d")
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Key]:
        for keys in self._keys:
            yield from keys

    @property
    def first(self) -> Key | None:
        return self._keys[0][0] if self._keys else None

    def add(self, key: Key) -> None:
        self._size += 1
        if not self._keys:
            self._insert_block(0, [key], array("d", (key[0],)))
            return
        value = key[0]
        at = min(bisect_right(self._last_values, value), len(self._keys) - 1)
        keys, values = self._keys[at], self._values[at]
        place = bisect_right(values, value)
        before = keys[place - 1] if place else self._last_keys[at - 1] if at else None
        if before is not None and before > key:
            at = min(self._block(key), len(self._keys) - 1)
            keys, values = self._keys[at], self._values[at]
            place = _place(keys, values, key)
        keys.insert(place, key)
        values.insert(place, value)
        if len(keys) > 2 * _BLOCK:
            self._insert_block(at + 1, keys[_BLOCK:], values[_BLOCK:])
            del keys[_BLOCK:], values[_BLOCK:]
        self._last_keys[at], self._last_values[at] = keys[-1], values[-1]

    def remove(self, key: Key) -> None:
        """Take a key away. Raises KeyError when it is not there."""
        at = self._block(key)
        if at == len(self._keys):
            raise KeyError(key)
        keys, values = self._keys[at], self._values[at]
        place = _place(keys, values, key)
        if keys[place] != key:
            raise KeyError(key)
        del keys[place], values[place]
        self._size -= 1
        if keys:
            self._last_keys[at], self._last_values[at] = keys[-1], values[-1]
        else:
            for blocks in (self._keys, self._values, self._last_keys, self._last_values):
                del blocks[at]

    def _block(self, key: Key) -> int:
        """The first block that ends at the key or after it; one past the end if none does."""
        return _place(self._last_keys, self._last_values, key)

    def _insert_block(self, at: int, keys: list[Key], values: "array[float]") -> None:
        self._keys.insert(at, keys)
        self._values.insert(at, values)
        self._last_keys.insert(at, keys[-1])
        self._last_values.insert(at, values[-1])


def _place(keys: list[Key], values: "array[float]", key: Key) -> int:
    """Where a key stands or belongs: found by its value, and by the rest of it among equals."""
    place = bisect_left(values, key[0])
    if place == len(values) or values[place] != key[0]:
        return place
    return bisect_left(keys, key, place, bisect_right(values, key[0], place))
