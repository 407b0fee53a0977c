"""Times as IB writes them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.venues.ib.hours import parse_hours, parse_instant, zone_named
from tests.recorded import TWS_RECORDED

NEW_YORK = ZoneInfo("America/New_York")
RECORDED = TWS_RECORDED


def spans(text: str, zone: str = "US/Eastern") -> list[tuple[str, str]]:
    found = zone_named(zone)
    assert found is not None
    return [(f"{s.opens_at:%d %H:%M}", f"{s.closes_at:%d %H:%M}") for s in parse_hours(text, found)]


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("20221229:0930-20221229:1600", "US/Eastern", [("29 14:30", "29 21:00")]),
        ("20221229:0930-20221229:1600;20221231:CLOSED", "EST", [("29 14:30", "29 21:00")]),
        ("20221231:CLOSED", "US/Eastern", []),
        ("", "US/Eastern", []),
        ("20250521:1700-20250522:1600", "US/Central", [("21 22:00", "22 21:00")]),
        ("20261127:0930-20261127:1300", "America/New_York", [("27 14:30", "27 18:00")]),
        ("20221229:0930-20221229:2400", "UTC", [("29 09:30", "30 00:00")]),
        (
            "20090507:0700-1830,1830-2330;20090508:CLOSED",
            "UTC",
            [("07 07:00", "07 18:30"), ("07 18:30", "07 23:30")],
        ),
        (
            "20250526:1700-20250527:1600;20250522:0830-20250522:1600",
            "UTC",
            [("22 08:30", "22 16:00"), ("26 17:00", "27 16:00")],
        ),
        (
            "20250522:0830-20250522:1600;20250522:0830-20250522:1600;",
            "UTC",
            [("22 08:30", "22 16:00")],
        ),
    ],
)
def test_hours_are_read(text: str, zone: str, expected: list[tuple[str, str]]) -> None:
    assert spans(text, zone) == expected


def test_summer_and_winter_time_of_one_week_are_told_apart() -> None:
    text = "20261030:0930-20261030:1600;20261102:0930-20261102:1600"
    assert spans(text) == [("30 13:30", "30 20:00"), ("02 14:30", "02 21:00")]


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "20221229",
        "20221229:0930",
        "20221229:0930-20221229:0900",
        "20221229:0930-20221229:2560",
        "20221329:0930-20221329:1600",
        "20221229:930-20221229:1600",
        "20221229:2430-20221230:1600",
        "20221229:CLOSE",
    ],
)
def test_hours_that_make_no_sense_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_hours(text, NEW_YORK)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("US/Eastern", "US/Eastern"),
        ("America/New_York", "America/New_York"),
        ("EST (Eastern Standard Time)", "America/New_York"),
        ("EST", "America/New_York"),
        ("Eastern Standard Time", "America/New_York"),
        ("CST (Central Standard Time)", "America/Chicago"),
        ("GMT (Greenwich Mean Time)", "Europe/London"),
        ("MET (Middle Europe Time)", "Europe/Berlin"),
        ("JST (Japan Standard Time)", "Asia/Tokyo"),
        ("UTC", "UTC"),
    ],
)
def test_zones_are_found_by_every_name(name: str, key: str) -> None:
    zone = zone_named(name)
    assert zone is not None
    assert zone.key == key


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc", "America", "\0"])
def test_a_zone_nobody_knows_is_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20230224  12:04:56", datetime(2023, 2, 24, 17, 4, 56, tzinfo=UTC)),
        ("20230224 12:04:56 US/Pacific", datetime(2023, 2, 24, 20, 4, 56, tzinfo=UTC)),
        ("20230224 12:04:56 Mars/Olympus", datetime(2023, 2, 24, 17, 4, 56, tzinfo=UTC)),
        (
            "20230724 12:04:56 EST (Eastern Standard Time)",
            datetime(2023, 7, 24, 16, 4, 56, tzinfo=UTC),
        ),
        ("20230224-12:04:56", datetime(2023, 2, 24, 12, 4, 56, tzinfo=UTC)),
        ("1677240296", datetime(2023, 2, 24, 12, 4, 56, tzinfo=UTC)),
    ],
)
def test_an_execution_time_is_utc(text: str, expected: datetime) -> None:
    assert parse_instant(text, NEW_YORK) == expected


@pytest.mark.parametrize("text", ["", "soon", "20230224", "20230224 25:00:00"])
def test_a_time_that_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_instant(text, NEW_YORK)


@pytest.mark.skipif(not RECORDED.exists(), reason="recorded messages are not at hand")
def test_recorded_hours_are_read() -> None:
    fields = [
        field
        for line in RECORDED.read_text().splitlines()
        if line.startswith("10|")
        for field in line.split("|")
        if re.match(r"\d{8}:", field)
    ]
    assert len(fields) == 8
    for field in fields:
        sessions = parse_hours(field, NEW_YORK)
        assert sessions
        assert all(s.opens_at < s.closes_at for s in sessions)
