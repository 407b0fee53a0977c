"""Bars and their scores: the bar that is scored stands outside the window, exactly."""

import math
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.desk.allocation.definitions import AllocationSettings, ScoreOf
from engine.desk.allocation.zscore import Series, Window
from engine.desk.facts import ConfigApplied, SignalKind, SignalRaised
from engine.desk.market import Bar
from tests.engine.desk.allocation.spot_exchange import NOON, VENUE
from tests.engine.desk.allocation.spot_world import SpotWorld, parameters

BTC = "BTCUSDT"
MINUTE = timedelta(minutes=1)


def bar(number: int, close: float) -> Bar:
    return Bar(at=NOON + number * MINUTE, open=close, high=close, low=close, close=close)


def series(window: int = 20, score_of: ScoreOf = ScoreOf.PRICE) -> Series:
    return Series(window=window, interval_seconds=60, score_of=score_of)


@pytest.mark.parametrize("window", [10, 20, 100, 1000])
@pytest.mark.parametrize("score_of", list(ScoreOf))
def test_scores_are_numpys_population_z_of_the_bars_before(window: int, score_of: ScoreOf) -> None:
    noise = np.random.default_rng(7).normal(scale=0.002, size=3000)
    closes = 46000 * np.exp(noise.cumsum())
    values = closes if score_of is ScoreOf.PRICE else closes[1:] / closes[:-1] - 1
    before = len(closes) - len(values)
    scored = series(window, score_of)
    found: list[float | None] = []
    for number, close in enumerate(closes.tolist()):
        assert scored.take(bar(number, close))
        found.append(scored.z)
    assert found[: window + before] == [None] * (window + before)
    for number in range(window, len(values)):
        past = values[number - window : number]
        expected = (values[number] - past.mean()) / past.std()
        assert found[number + before] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(
    st.lists(st.floats(1e-8, 1e8), min_size=4, max_size=40),
    st.integers(2, 12),
)
def test_a_score_is_exact_however_far_prices_have_wandered(values: list[float], size: int) -> None:
    window = Window(size)
    for number, value in enumerate(values):
        found = window.score(value)
        past = [Fraction(v) for v in values[max(0, number - size) : number]]
        if len(past) < size or len(set(past)) == 1:
            assert found is None
            continue
        mean = sum(past) / size
        variance = sum((v - mean) ** 2 for v in past) / size
        deviation = math.sqrt(variance)
        if float(deviation) < 1e-6 * float(mean):
            continue
        assert found == pytest.approx(float(Fraction(value) - mean) / deviation, rel=1e-9)


def test_a_market_that_does_not_move_has_no_score() -> None:
    scored = series(10)
    for number in range(10):
        scored.take(bar(number, 46377.1))
    scored.take(bar(10, 99999.0))
    assert scored.z is None
    scored.take(bar(11, 46377.1))
    assert scored.z is not None


def test_a_score_may_pass_what_a_window_with_its_own_bar_never_could() -> None:
    scored = series(20)
    for number in range(20):
        scored.take(bar(number, 100 + number % 2))
    scored.take(bar(20, 200.0))
    assert scored.z == pytest.approx(199.0)
    assert scored.highest == scored.z


def test_bars_told_twice_or_late_count_once() -> None:
    scored = series(10)
    for number in (0, 1, 1, 0, 2, 2):
        scored.take(bar(number, 100.0 + number))
    assert scored.seen == 3
    assert not scored.take(bar(1, 500.0))


@pytest.mark.parametrize("close", [math.nan, math.inf, 0.0, -1.0])
def test_what_is_no_price_is_no_bar(close: float) -> None:
    scored = series(10)
    assert not scored.take(bar(0, close))
    assert scored.seen == 0


def test_a_short_hole_is_said_and_the_window_goes_on() -> None:
    scored = series(10)
    for number in range(10):
        scored.take(bar(number, 100.0 + number % 2))
    scored.take(bar(13, 101.0))
    assert scored.after_hole
    assert scored.gap == "3 bars missing before 2026-11-24 12:13"
    assert scored.z is not None
    scored.take(bar(14, 101.0))
    assert not scored.after_hole


def test_a_hole_as_long_as_the_window_begins_it_anew() -> None:
    scored = series(10)
    for number in range(12):
        scored.take(bar(number, 100.0 + number % 2))
    scored.take(bar(22, 101.0))
    assert (scored.z, scored.seen) == (None, 1)
    assert scored.gap.endswith("begins anew")


def test_the_return_across_a_hole_is_no_return() -> None:
    scored = series(10, ScoreOf.RETURN)
    for number in range(12):
        scored.take(bar(number, 100.0 + number % 3))
    seen = scored.seen
    scored.take(bar(14, 150.0))
    assert scored.z is None
    assert scored.seen == seen


# --- the desk -------------------------------------------------------------------------------------


def world() -> SpotWorld:
    made = SpotWorld(sets=[parameters(BTC, "100", "5", "15", "2")])
    made.now = NOON + 21 * MINUTE
    made.tell(made.exchange.balance(), made.exchange.snapshot(made.now))
    made.unlink()
    made.link()
    return made


def history(count: int = 20, start: int = 0) -> list[Bar]:
    return [bar(start + n, 50000.0 + n % 2) for n in range(count)]


def test_history_warms_the_window_up_and_only_a_fresh_bar_signals() -> None:
    w = world()
    assert w.desk.bars(VENUE, BTC, [*history(), bar(20, 50100.0), bar(21, 50000.0)]) == ()
    assert w.set(BTC).bars_seen == 20
    w = world()
    assert w.desk.bars(VENUE, BTC, history()) == ()
    [signal] = w.desk.bars(VENUE, BTC, [bar(20, 50100.0)])
    assert isinstance(signal, SignalRaised)
    assert (signal.kind, signal.z_score) == (SignalKind.ENTRY, pytest.approx(199.0))
    assert w.desk.bars(VENUE, BTC, [bar(20, 50100.0)]) == ()
    assert w.set(BTC).z_score == pytest.approx(199.0)


def test_a_signal_in_bars_that_closed_long_ago_is_history() -> None:
    """The desk was told nothing since noon, so the bars are what tells it how late it is."""
    w = world()
    [signal] = w.desk.bars(VENUE, BTC, [*history(), bar(20, 50100.0)])
    w.now = NOON + 23 * MINUTE
    assert w.tell(signal).facts == ()
    assert w.sent == []
    w = world()
    [signal] = w.desk.bars(VENUE, BTC, [*history(), bar(20, 50100.0)])
    w.now = NOON + 22 * MINUTE
    w.raise_signal(signal)
    assert w.set(BTC).quantity > 0


def test_a_bar_told_twice_at_once_signals_all_the_same() -> None:
    w = world()
    [signal] = w.desk.bars(
        VENUE, BTC, [*history(), bar(20, 50100.0), bar(20, 50100.0), bar(3, 1.0)]
    )
    assert (signal.kind, signal.bar_at) == (SignalKind.ENTRY, NOON + 20 * MINUTE)


def test_a_hole_is_shown_until_it_has_left_the_window() -> None:
    w = world()
    w.desk.bars(VENUE, BTC, [*history(), bar(22, 50000.0)])
    assert w.set(BTC).reason == "2 bars missing before 2026-11-24 12:22"
    w.desk.bars(VENUE, BTC, history(19, start=23))
    assert w.set(BTC).reason == "2 bars missing before 2026-11-24 12:22"
    w.desk.bars(VENUE, BTC, history(1, start=42))
    assert w.set(BTC).reason == ""


def test_the_bar_after_a_hole_is_no_entry() -> None:
    w = world()
    w.desk.bars(VENUE, BTC, history())
    w.now += 5 * MINUTE
    w.tell(w.exchange.snapshot(w.now))
    assert w.desk.bars(VENUE, BTC, [bar(24, 50100.0)]) == ()
    w.tell(w.signal_of(BTC, 9.0))
    assert "BTCUSDT: 4 bars missing before 2026-11-24 12:24" in w.lines


def test_a_reversal_is_told_once_and_only_while_something_is_held() -> None:
    w = world()
    w.desk.bars(VENUE, BTC, history())
    assert w.desk.bars(VENUE, BTC, [bar(20, 49990.0)]) == ()
    w.now += MINUTE
    w.raise_signal(w.desk.bars(VENUE, BTC, [bar(21, 51000.0)])[0])
    assert w.set(BTC).quantity > 0
    [signal] = w.desk.bars(VENUE, BTC, [bar(22, 49000.0)])
    assert signal.kind is SignalKind.REVERSAL
    w.raise_signal(signal, run=False)
    assert w.desk.bars(VENUE, BTC, [bar(23, 49000.0)]) == ()
    w.deliver()
    assert w.set(BTC).quantity == 0


def test_a_signal_of_the_same_bar_is_no_news() -> None:
    w = world()
    fact = w.signal(BTC)
    assert w.tell(fact).facts == ()


def test_a_changed_threshold_keeps_the_bars_and_a_changed_window_what_is_known() -> None:
    w = world()
    w.desk.bars(VENUE, BTC, history())
    for window, seen in ((20, 20), (12, 12)):
        settings = AllocationSettings(
            venue=VENUE, sets=(parameters(BTC, "100", "6", "15", "2"),), window=window
        )
        w.tell(ConfigApplied(armed=True, options=None, strategies=(), allocation=settings))
        assert w.set(BTC).bars_seen == seen
        assert w.set(BTC).threshold == 6


def test_bars_of_strangers_are_nothing_to_us() -> None:
    w = world()
    assert w.desk.bars("kraken", BTC, history()) == ()
    assert w.desk.bars(VENUE, "DOGEUSDT", history()) == ()
    assert w.set(BTC).bars_seen == 0
