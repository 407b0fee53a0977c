"""Hours strings as contract details carry them: `20261116:0930-20261116:1600;20261117:CLOSED`.

Instants given must be aware; the strings are in the named zone.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = "US/Eastern"


def _stamp(instant: datetime) -> str:
    return f"{instant:%Y%m%d:%H%M}"


def session(opens: datetime, closes: datetime, zone: str = EASTERN) -> str:
    """Spell one session; it may span midnight."""
    where = ZoneInfo(zone)
    return f"{_stamp(opens.astimezone(where))}-{_stamp(closes.astimezone(where))}"


def open_around(instant: datetime, zone: str = EASTERN) -> str:
    """Hours open from two hours before the instant to six hours after it."""
    return session(instant - timedelta(hours=2), instant + timedelta(hours=6), zone)


def closed_at(
    instant: datetime, reopens_in: timedelta = timedelta(hours=30), zone: str = EASTERN
) -> str:
    """Hours closed at the instant; a session of six hours and a half begins after reopens_in."""
    opens = instant + reopens_in
    return (
        f"{instant.astimezone(ZoneInfo(zone)):%Y%m%d}:CLOSED;"
        f"{session(opens, opens + timedelta(hours=6, minutes=30), zone)}"
    )


def week(
    first: date,
    opens: str = "0930",
    closes: str = "1600",
    *,
    days: int = 7,
    holidays: frozenset[date] = frozenset(),
    early_closes: Mapping[date, str] | None = None,
) -> str:
    """Hours of several days: weekends and holidays CLOSED, early closes as given (`1300`)."""
    early = early_closes or {}
    parts: list[str] = []
    for day in (first + timedelta(days=n) for n in range(days)):
        if day.weekday() >= 5 or day in holidays:
            parts.append(f"{day:%Y%m%d}:CLOSED")
        else:
            parts.append(f"{day:%Y%m%d}:{opens}-{day:%Y%m%d}:{early.get(day, closes)}")
    return ";".join(parts)
