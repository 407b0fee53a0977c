"""The trigger book: tells at each quote which barriers it reached, whatever their number.

Prices at which something happens are kept sorted for each instrument and direction, so a quote that
reaches none costs one comparison with the nearest on either side. Trailing stops whose best price
is the same move together. It keeps no journaled state: what it answers becomes that as facts.
"""

import itertools
import math
from decimal import Decimal
from enum import IntEnum

from engine.desk.facts import BarrierFired, CloseType, Side, TrailingMoved
from engine.desk.perps.barriers import Levels
from engine.desk.perps.shelf import Key, Shelf

Crossing = BarrierFired | TrailingMoved
Place = tuple[str, str]
"""(venue, ref)"""

NO_PRICE = math.nan
_UP, _DOWN = math.inf, -math.inf
_STEPS = 10
_SLACK = 1e-15


class _What(IntEnum):
    """What a shelf's price stands for. The first two lie below the market, the others above."""

    STOP = 0
    TRAIL = 1
    TAKE = 2
    ACTIVATE = 3
    RESUME = 4
    REPORT = 5


_BELOW = (_What.STOP, _What.TRAIL)
_NUMBERS = itertools.count()


class _Group:
    """Trailing stops with one best price. near: the highest price at which one may fire, of this
    group or of any with a better best price; it may be too high, never too low."""

    __slots__ = ("distances", "near", "peak")

    def __init__(self, peak: float) -> None:
        self.peak = peak
        self.distances = Shelf()
        self.near = _DOWN

    def bound(self) -> float:
        nearest = self.distances.first
        if nearest is None:
            return _DOWN
        return self.peak - nearest[0] + abs(self.peak) * _SLACK


class _Entry:
    """One barrier: its prices in the lane's direction, and where they are shelved."""

    __slots__ = ("distance", "group", "keys", "lane", "name", "number", "peak", "step")

    def __init__(self, name: str, lane: "_Lane") -> None:
        self.name, self.lane, self.number = name, lane, next(_NUMBERS)
        self.keys: list[Key] = []
        self.group: _Group | None = None
        self.distance: Decimal | None = None
        self.peak: float | None = None
        self.step = 0.0


class _Lane:
    """One direction of one instrument. Prices run so that more is better: a short's are negated.

    low < price < high: nothing happens at that price. groups stand in falling order of their peaks.
    entries are the whole book's; size counts those of this lane.
    """

    __slots__ = ("entries", "falling", "groups", "high", "low", "pair", "rising", "sign", "size")

    def __init__(self, pair: "_Pair", sign: int, entries: dict[str, _Entry]) -> None:
        self.pair, self.sign, self.entries = pair, sign, entries
        self.size = 0
        self.rising, self.falling = Shelf(), Shelf()
        self.groups: list[_Group] = []
        self.low, self.high = _DOWN, _UP

    # --- barriers come and go --------------------------------------------------------------------

    def put(self, name: str, levels: Levels, peak: Decimal | None) -> None:
        entry = self.entries[name] = _Entry(name, self)
        self.size += 1
        if levels.stop is not None:
            self._below(entry, self._price(levels.stop), _What.STOP)
        if levels.take is not None:
            self._above(entry, self._price(levels.take), _What.TAKE)
        if levels.activation is not None and levels.distance is not None:
            entry.distance = levels.distance
            entry.step = float(levels.distance) / _STEPS
            if peak is None:
                strict = math.nextafter(self._price(levels.activation), _UP)
                self._above(entry, strict, _What.ACTIVATE)
            else:
                self._park(entry, peak, levels.distance)
        self.bounds()

    def drop(self, entry: _Entry) -> None:
        del self.entries[entry.name]
        self.size -= 1
        for key in entry.keys:
            (self.falling if key[3] in _BELOW else self.rising).remove(key)
        if entry.group is not None:
            self._leave(entry)
        self.bounds()

    def _park(self, entry: _Entry, peak: Decimal, distance: Decimal) -> None:
        """Keep a trailing stop whose best price lies behind us: fixed, until it is bettered."""
        best = self._price(peak)
        trigger = float(self.sign * peak - distance)
        entry.peak = best
        self._below(entry, math.nextafter(trigger, _DOWN), _What.TRAIL)
        self._above(entry, math.nextafter(best, _UP), _What.RESUME)

    def _price(self, price: Decimal) -> float:
        return self.sign * float(price)

    def _above(self, entry: _Entry, price: float, what: _What) -> None:
        key = (price, entry.number, entry.name, what)
        entry.keys.append(key)
        self.rising.add(key)

    def _below(self, entry: _Entry, price: float, what: _What) -> None:
        key = (-price, entry.number, entry.name, what)
        entry.keys.append(key)
        self.falling.add(key)

    def _join(self, entry: _Entry, peak: float) -> None:
        if not self.groups or self.groups[-1].peak != peak:
            self.groups.append(_Group(peak))
        entry.group = self.groups[-1]
        entry.group.distances.add(_distance_key(entry))
        self._near_of_last()

    def _leave(self, entry: _Entry) -> None:
        if entry.group is not None:
            entry.group.distances.remove(_distance_key(entry))
            if not entry.group.distances:
                self.groups.remove(entry.group)
            entry.group = None

    # --- prices come -----------------------------------------------------------------------------

    def meet(self, price: float) -> list[Crossing]:
        """Take a price that is at or past a bound."""
        fired: dict[str, CloseType] = {}
        told: list[Crossing] = []
        if price <= self.low:
            self._fall(price, fired)
        if self.groups and price > self.groups[-1].peak:
            self._raise(price)
        moved = self._rise(price, fired) if price >= self.high else []
        if fired or moved:
            market = Decimal(repr(self.sign * price))
            for name, close_type in fired.items():
                told.append(BarrierFired(barrier_id=name, close_type=close_type, price=market))
                self.drop(self.entries[name])
            for name in moved:
                if name not in fired:
                    told.append(TrailingMoved(barrier_id=name, peak_price=market))
        self.bounds()
        return told

    def _fall(self, price: float, fired: dict[str, CloseType]) -> None:
        hit = []
        for key in self.falling:
            if -key[0] < price:
                break
            hit.append(key)
        stops = {name for _, _, name, what in hit if what == _What.STOP}
        trails = {name for _, _, name, what in hit if what == _What.TRAIL}
        exact, near = Decimal(repr(price)), _DOWN
        for group in self.groups:
            fallen = Decimal(repr(group.peak)) - exact
            for _, _, name, _ in group.distances:
                distance = self.entries[name].distance
                if distance is None or distance >= fallen:
                    break
                trails.add(name)
            near = group.near = max(near, group.bound())
        for name in stops:
            fired[name] = CloseType.STOP_LOSS
        for name in trails - stops:
            fired[name] = CloseType.TRAILING_STOP

    def _raise(self, price: float) -> None:
        """Merge the groups whose best price is bettered: from here on they share it."""
        top = self.groups.pop()
        while self.groups and self.groups[-1].peak < price:
            other = self.groups.pop()
            if len(other.distances) > len(top.distances):
                top, other = other, top
            for key in other.distances:
                top.distances.add(key)
                self.entries[key[2]].group = top
        top.peak = price
        self.groups.append(top)
        self._near_of_last()

    def _near_of_last(self) -> None:
        group = self.groups[-1]
        behind = self.groups[-2].near if len(self.groups) > 1 else _DOWN
        group.near = max(behind, group.bound())

    def _rise(self, price: float, fired: dict[str, CloseType]) -> list[str]:
        """Take what lies above; answer the trailing stops whose best price is worth telling."""
        moved = []
        hit = []
        for key in self.rising:
            if key[0] > price:
                break
            hit.append(key)
        for key in hit:
            _, _, name, what = key
            if what == _What.TAKE:
                fired.setdefault(name, CloseType.TAKE_PROFIT)
                continue
            entry = self.entries[name]
            self.rising.remove(key)
            entry.keys.remove(key)
            if what != _What.REPORT:
                self._unpark(entry)
                self._join(entry, price)
            # One that comes back is told of if it is a step past what it is remembered by.
            known = entry.peak if what == _What.RESUME else None
            worth_it = known is None or price >= known + entry.step
            if worth_it:
                moved.append(name)
            told = price if known is None or worth_it else known
            self._above(entry, max(told + entry.step, math.nextafter(price, _UP)), _What.REPORT)
        return moved

    def _unpark(self, entry: _Entry) -> None:
        for key in [key for key in entry.keys if key[3] == _What.TRAIL]:
            self.falling.remove(key)
            entry.keys.remove(key)

    def bounds(self) -> None:
        below, above = self.falling.first, self.rising.first
        self.low = _DOWN if below is None else -below[0]
        self.high = _UP if above is None else above[0]
        if self.groups:
            last = self.groups[-1]
            self.low = max(self.low, last.near)
            self.high = min(self.high, math.nextafter(last.peak, _UP))


class _Pair:
    """An instrument's two directions, with their bounds as the market's own prices."""

    __slots__ = ("long", "long_high", "long_low", "place", "short", "short_high", "short_low")

    def __init__(self, place: Place, entries: dict[str, _Entry]) -> None:
        self.place = place
        self.long, self.short = _Lane(self, 1, entries), _Lane(self, -1, entries)
        self.bounds()

    def bounds(self) -> None:
        self.long_low, self.long_high = self.long.low, self.long.high
        self.short_low, self.short_high = -self.short.high, -self.short.low

    def lane(self, side: Side) -> _Lane:
        return self.long if side is Side.BUY else self.short

    @property
    def is_empty(self) -> bool:
        return not (self.long.size or self.short.size)


class TriggerBook:
    def __init__(self) -> None:
        self._pairs: dict[Place, _Pair] = {}
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, barrier_id: str) -> bool:
        return barrier_id in self._entries

    def watches(self, place: Place, side: Side) -> bool:
        """Tell whether any barrier waits for this instrument's price in this direction."""
        pair = self._pairs.get(place)
        return pair is not None and pair.lane(side).size > 0

    def put(
        self, barrier_id: str, place: Place, side: Side, levels: Levels, peak: Decimal | None = None
    ) -> None:
        """Watch a barrier, or watch it anew. peak: the best price of a trailing stop that is on; a
        better one that was seen since is kept."""
        if barrier_id in self._entries:
            seen = self.peak(barrier_id)
            if seen is not None and (peak is None or (seen - peak) * side.sign > 0):
                peak = seen
            self.remove(barrier_id)
        if not levels.any:
            return
        pair = self._pairs.get(place)
        if pair is None:
            pair = self._pairs[place] = _Pair(place, self._entries)
        pair.lane(side).put(barrier_id, levels, peak)
        pair.bounds()

    def remove(self, barrier_id: str) -> None:
        """Watch a barrier no longer; no matter if it was not watched."""
        entry = self._entries.get(barrier_id)
        if entry is None:
            return
        entry.lane.drop(entry)
        self._settle(entry.lane.pair)

    def peak(self, barrier_id: str) -> Decimal | None:
        """The best price a trailing stop has seen since it turned on, None while it is off."""
        entry = self._entries.get(barrier_id)
        if entry is None:
            return None
        peak = entry.peak if entry.group is None else entry.group.peak
        return None if peak is None else Decimal(repr(entry.lane.sign * peak))

    def tick(self, place: Place, bid: float, ask: float) -> list[Crossing] | tuple[()]:
        """Show a quote, NO_PRICE where a side has none; answer what it reached.

        A barrier that fired is watched no longer.
        """
        pair = self._pairs.get(place)
        if pair is None or (
            pair.long_low < bid < pair.long_high and pair.short_low < ask < pair.short_high
        ):
            return ()
        return self._meet(pair, bid, ask)

    def _meet(self, pair: _Pair, bid: float, ask: float) -> list[Crossing]:
        told: list[Crossing] = []
        if not pair.long_low < bid < pair.long_high and bid == bid:
            told += pair.long.meet(bid)
        if not pair.short_low < ask < pair.short_high and ask == ask:
            told += pair.short.meet(-ask)
        self._settle(pair)
        return told

    def _settle(self, pair: _Pair) -> None:
        pair.bounds()
        if pair.is_empty:
            del self._pairs[pair.place]


def _distance_key(entry: _Entry) -> Key:
    return (float(entry.distance or 0), entry.number, entry.name, _What.TRAIL)
