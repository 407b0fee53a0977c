"""Recognises the strategies in option legs nobody declared, by the names the config knows.

Pure and greedy: what is built of more legs is looked for first, and every contract belongs to one
candidate at most. It offers; it never decides that something is a strategy.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from engine.desk.instruments import OptionContract, Right

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A recognised strategy: its kind as the config spells it, its legs with signed contracts, and
    the signed shares that belong to it."""

    kind: str
    legs: tuple[tuple[OptionContract, Decimal], ...]
    shares: Decimal = ZERO

    @property
    def underlying(self) -> str:
        return self.legs[0][0].underlying


@dataclass(slots=True)
class _Left:
    """A contract and how much of it is in no shape yet, signed."""

    contract: OptionContract
    quantity: Decimal

    def take(self, size: Decimal) -> tuple[OptionContract, Decimal]:
        taken = size.copy_sign(self.quantity)
        self.quantity -= taken
        return self.contract, taken


def recognise(
    held: Iterable[tuple[OptionContract, Decimal]], shares: Decimal = ZERO
) -> Iterator[Shape]:
    """Recognise the shapes in one account's options on one underlying.

    held: signed contracts; shares: the signed stock that belongs to nothing yet.
    """
    legs = [_Left(contract, quantity) for contract, quantity in held if quantity]
    legs.sort(key=lambda leg: (leg.contract.expiry, leg.contract.right, leg.contract.strike))
    free = _Shares(max(shares, ZERO))
    for _, group in groupby(legs, key=lambda leg: leg.contract.expiry):
        expiry = list(group)
        yield from _winged(expiry)
    for _, group in groupby(legs, key=lambda leg: leg.contract.expiry):
        yield from _pairs(list(group), free)
    yield from _calendars(legs)
    yield from _singles(legs)


@dataclass(slots=True)
class _Shares:
    left: Decimal


_Vertical = tuple[_Left, _Left, Decimal]


def _winged(legs: list[_Left]) -> Iterator[Shape]:
    """Find verticals, and join a put and a call vertical that were sold into one of four legs."""
    sold: dict[Right, list[_Vertical]] = defaultdict(list)
    bought: list[_Vertical] = []
    for right in Right:
        shorts = [x for x in legs if x.contract.right is right and x.quantity < 0]
        longs = [x for x in legs if x.contract.right is right and x.quantity > 0]
        for short in shorts:
            for long in sorted(longs, key=lambda x: _distance(short, x)):
                size = min(-short.quantity, long.quantity)
                if size > 0:
                    short.quantity += size
                    long.quantity -= size
                    credit = _protects(long, short)
                    (sold[right] if credit else bought).append((short, long, size))
    for put in sold[Right.PUT]:
        for number, call in enumerate(sold[Right.CALL]):
            kind = _four(put, call)
            if kind:
                del sold[Right.CALL][number]
                yield Shape(kind=kind, legs=(*_legs(put), *_legs(call)))
                break
        else:
            yield Shape(kind="vertical", legs=_legs(put))
    for vertical in (*sold[Right.CALL], *bought):
        yield Shape(kind="vertical", legs=_legs(vertical))


def _four(put: _Vertical, call: _Vertical) -> str:
    """Name what a sold put and a sold call vertical make, empty where they make nothing."""
    if put[2] != call[2]:
        return ""
    low, high = put[0].contract.strike, call[0].contract.strike
    if low == high:
        return "iron_butterfly"
    return "iron_condor" if low < high else ""


def _legs(vertical: _Vertical) -> tuple[tuple[OptionContract, Decimal], ...]:
    short, long, size = vertical
    return (short.contract, -size), (long.contract, size)


def _protects(long: _Left, short: _Left) -> bool:
    """Whether the long leg is the further one: the vertical was sold for a credit."""
    if long.contract.right is Right.PUT:
        return long.contract.strike < short.contract.strike
    return long.contract.strike > short.contract.strike


def _distance(short: _Left, long: _Left) -> tuple[bool, Decimal]:
    return not _protects(long, short), abs(long.contract.strike - short.contract.strike)


def _pairs(legs: list[_Left], free: _Shares) -> Iterator[Shape]:
    """Find short calls covered by shares, then a put and a call of one side."""
    for call in legs:
        if call.contract.right is Right.CALL and call.quantity < 0 and free.left > 0:
            unit = call.contract.multiplier
            size = min(-call.quantity, free.left // unit)
            if size > 0:
                free.left -= size * unit
                yield Shape(kind="covered_call", legs=(call.take(size),), shares=size * unit)
    for put in legs:
        for call in legs:
            kind = _two(put, call)
            if kind:
                size = min(abs(put.quantity), abs(call.quantity))
                yield Shape(kind=kind, legs=(put.take(size), call.take(size)))


def _two(put: _Left, call: _Left) -> str:
    if put.contract.right is not Right.PUT or call.contract.right is not Right.CALL:
        return ""
    if put.quantity * call.quantity <= 0:
        return ""
    low, high = put.contract.strike, call.contract.strike
    if low == high:
        return "straddle"
    return "strangle" if low < high else ""


def _calendars(legs: list[_Left]) -> Iterator[Shape]:
    """Find one contract sold and the same one of another expiry bought."""
    by_strike: dict[tuple[Right, Decimal], list[_Left]] = defaultdict(list)
    for leg in legs:
        by_strike[leg.contract.right, leg.contract.strike].append(leg)
    for group in by_strike.values():
        for near in group:
            for far in group:
                if near.contract.expiry < far.contract.expiry and near.quantity * far.quantity < 0:
                    size = min(abs(near.quantity), abs(far.quantity))
                    yield Shape(kind="calendar", legs=(near.take(size), far.take(size)))


def _singles(legs: list[_Left]) -> Iterator[Shape]:
    for leg in legs:
        if leg.quantity:
            short_put = leg.quantity < 0 and leg.contract.right is Right.PUT
            kind = "cash_secured_put" if short_put else "single"
            yield Shape(kind=kind, legs=(leg.take(abs(leg.quantity)),))
