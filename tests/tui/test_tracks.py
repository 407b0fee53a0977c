"""The marks a terminal keeps for its charts: bounded, and back to where it was attached."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from tests.tui import samples
from tui.tracks import BARRIER, MOST_POINTS, POSITION, SCORE, SET, Track, Tracks


def test_a_track_is_bounded_and_reaches_back_to_its_beginning() -> None:
    track = Track()
    for second in range(20_000):
        track.add(float(second), float(second))
    points = track.points
    assert len(points) <= MOST_POINTS
    assert points[0][0] < 100
    assert points[-1][1] == 19_999
    assert all(a[0] < b[0] for a, b in pairwise(points))


def test_marks_and_scores_are_kept_by_what_they_are_of() -> None:
    tracks = Tracks()
    tracks.add(samples.EVERYTHING)
    assert tracks.points(BARRIER, "kraken-1")[-1][1] == 93_415.5
    assert tracks.points(POSITION, "kraken/main/PF_LTCUSD")[-1][1] == 97.15
    assert tracks.points(SET, "BTCUSDT")[-1][1] == 95_410.5
    assert tracks.points(SCORE, "BTCUSDT")[-1][1] == 2.41
    assert tracks.points(SCORE, "BNBUSDT") == ()


def test_pictures_within_a_second_count_once_and_what_is_gone_is_forgotten() -> None:
    tracks = Tracks()
    tracks.add(samples.EVERYTHING)
    moved = replace(samples.BARRIERS[0], mark_price=Decimal(90_000))
    soon = samples.NOW + timedelta(seconds=0.5)
    tracks.add(replace(samples.EVERYTHING, barriers=(moved,), at=soon))
    assert len(tracks.points(BARRIER, "kraken-1")) == 1
    later = samples.NOW + timedelta(seconds=2)
    tracks.add(replace(samples.EVERYTHING, barriers=(moved,), at=later))
    assert [value for _, value in tracks.points(BARRIER, "kraken-1")] == [93_415.5, 90_000]
    assert tracks.points(BARRIER, "kraken-2") == ()
