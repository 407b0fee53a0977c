"""The trigger book against a plain loop that visits every barrier at every tick."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.desk.facts import BarrierFired, CloseType, Side, TrailingMoved
from engine.desk.perps.barriers import Levels
from engine.desk.perps.shelf import Key, Shelf
from engine.desk.perps.triggers import NO_PRICE, TriggerBook

PLACE = ("kraken", "PF_XBTUSD")


@dataclass
class Plain:
    """One barrier judged as the definition says, at every price."""

    side: Side
    levels: Levels
    peak: Decimal | None = None
    fired: list[tuple[CloseType, Decimal]] = field(default_factory=list)

    def meet(self, price: Decimal) -> CloseType | None:
        sign, levels = self.side.sign, self.levels
        was_on = self.peak is not None
        if levels.stop is not None and (price - levels.stop) * sign <= 0:
            return CloseType.STOP_LOSS
        if self.peak is not None and levels.distance is not None:
            if (self.peak - price) * sign > levels.distance:
                return CloseType.TRAILING_STOP
            if (price - self.peak) * sign > 0:
                self.peak = price
        if levels.take is not None and (price - levels.take) * sign >= 0:
            return CloseType.TAKE_PROFIT
        if not was_on and levels.activation is not None and (price - levels.activation) * sign > 0:
            self.peak = price
        return None


cents = st.integers(min_value=9_000, max_value=11_000).map(lambda n: Decimal(n) / 100)
maybe = st.one_of(st.none(), st.integers(1, 800).map(lambda n: Decimal(n) / 100))


@st.composite
def levels_of(draw: st.DrawFn, side: Side) -> Levels:
    entry = draw(cents)
    stop, take, activation = draw(maybe), draw(maybe), draw(maybe)
    distance = draw(st.integers(1, 300)) if activation is not None else None
    return Levels(
        stop=None if stop is None else entry - side.sign * stop,
        take=None if take is None else entry + side.sign * take,
        activation=None if activation is None else entry + side.sign * activation,
        distance=None if distance is None else Decimal(distance) / 100,
    )


sides = st.sampled_from(Side)
happenings = st.one_of(
    st.tuples(st.just("put"), sides.flatmap(lambda s: st.tuples(st.just(s), levels_of(s)))),
    st.tuples(st.just("remove"), st.integers(0, 30)),
    st.tuples(st.just("restore"), st.integers(0, 30)),
    st.tuples(st.just("tick"), cents),
    st.tuples(st.just("tick"), cents),
    st.tuples(st.just("tick"), cents),
)


@settings(max_examples=400, deadline=None)
@given(story=st.lists(happenings, max_size=80))
def test_the_book_fires_what_a_plain_loop_fires(story: list[tuple[str, object]]) -> None:
    book, plain = TriggerBook(), dict[str, Plain]()
    count = 0
    for word, what in story:
        if word == "put" and isinstance(what, tuple):
            side, levels = what
            if levels.any:
                count += 1
                plain[f"b{count}"] = Plain(side, levels)
                book.put(f"b{count}", PLACE, side, levels)
        elif word == "remove" and isinstance(what, int):
            plain.pop(f"b{what}", None)
            book.remove(f"b{what}")
        elif word == "restore" and isinstance(what, int) and f"b{what}" in plain:
            old = plain[f"b{what}"]
            book.put(f"b{what}", PLACE, old.side, old.levels, old.peak)
        elif isinstance(what, Decimal):
            told = book.tick(PLACE, float(what), float(what))
            fired = {f.barrier_id: f.close_type for f in told if isinstance(f, BarrierFired)}
            before = {name: one.peak for name, one in plain.items()}
            expected = {
                name: close for name, one in plain.items() if (close := one.meet(what)) is not None
            }
            assert fired == expected
            assert all(f.price == what for f in told if isinstance(f, BarrierFired))
            moved = {f.barrier_id for f in told if isinstance(f, TrailingMoved)}
            turned_on = {n for n, one in plain.items() if before[n] is None and one.peak}
            assert turned_on - set(fired) <= moved
            for name in expected:
                del plain[name]
        assert len(book) == len(plain)
        assert all(book.peak(name) == one.peak for name, one in plain.items())


@settings(max_examples=100, deadline=None)
@given(path=st.lists(cents, min_size=1, max_size=60))
def test_what_is_told_of_a_trailing_stop_is_never_a_step_behind(path: list[Decimal]) -> None:
    book = TriggerBook()
    levels = Levels(activation=Decimal(95), distance=Decimal(50))
    book.put("b", PLACE, Side.BUY, levels)
    told: Decimal | None = None
    for price in path:
        for fact in book.tick(PLACE, float(price), float(price)):
            assert isinstance(fact, TrailingMoved)
            told = fact.peak_price
        seen = book.peak("b")
        assert (told is None) == (seen is None)
        if told is not None and seen is not None:
            assert told <= seen < told + Decimal(5) + Decimal("0.000001")


def test_a_side_without_a_price_is_left_alone() -> None:
    book = TriggerBook()
    book.put("long", PLACE, Side.BUY, Levels(stop=Decimal(95)))
    book.put("short", PLACE, Side.SELL, Levels(stop=Decimal(105)))
    assert book.tick(PLACE, NO_PRICE, NO_PRICE) == []
    told = book.tick(PLACE, NO_PRICE, 106.0)
    assert [f.barrier_id for f in told] == ["short"]
    assert "long" in book
    assert "short" not in book


def test_another_instrument_reaches_nothing() -> None:
    book = TriggerBook()
    book.put("b", PLACE, Side.BUY, Levels(stop=Decimal(95)))
    assert book.tick(("kraken", "PF_ETHUSD"), 1.0, 1.1) == ()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=400))
def test_a_shelf_is_a_sorted_list(story: list[tuple[int, int, bool]]) -> None:
    shelf, plain = Shelf(), list[Key]()
    for value, number, adds in story:
        key = (float(value), number, str(number), 0)
        if adds and key not in plain:
            shelf.add(key)
            plain.append(key)
        elif not adds and key in plain:
            shelf.remove(key)
            plain.remove(key)
        elif not adds:
            with pytest.raises(KeyError):
                shelf.remove(key)
    assert list(shelf) == sorted(plain)
    assert len(shelf) == len(plain)
    assert shelf.first == min(plain, default=None)


def test_a_shelf_splits_and_empties_its_blocks() -> None:
    shelf = Shelf()
    # Most values stand alone; one of them is shared by more keys than a block holds.
    keys = [(float(n * 7919 % 5000), n, str(n), 0) for n in range(3000)]
    keys += [(2500.0, n * 7919 % 5000, "", 1) for n in range(3000)]
    keys += [(2400.0, n, "", 1) for n in range(3000)]
    for key in keys:
        shelf.add(key)
    assert list(shelf) == sorted(keys)
    for key in keys[::2]:
        shelf.remove(key)
    assert list(shelf) == sorted(keys[1::2])
    for key in keys[1::2]:
        shelf.remove(key)
    assert shelf.first is None
