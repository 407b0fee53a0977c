"""Times as IB writes them: trading hours of contract details, and when an execution happened.

Pure. Text that cannot be read is a ValueError, a time zone nobody knows is None: the caller says so
and goes without hours, never with guessed ones.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.desk.instruments import Session

# What older TWS versions call zones. "EST" alone would be a fixed offset, wrong half the year.
_ALIASES = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "EASTERN STANDARD TIME": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "CENTRAL STANDARD TIME": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "MOUNTAIN STANDARD TIME": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "PACIFIC STANDARD TIME": "America/Los_Angeles",
    "BST": "Europe/London",
    "GREENWICH MEAN TIME": "Europe/London",
    "CEST": "Europe/Berlin",
    "MIDDLE EUROPE TIME": "Europe/Berlin",
    "CENTRAL EUROPEAN STANDARD TIME": "Europe/Berlin",
    "JST": "Asia/Tokyo",
    "JAPAN STANDARD TIME": "Asia/Tokyo",
    "HKT": "Asia/Hong_Kong",
    "HONG KONG STANDARD TIME": "Asia/Hong_Kong",
    "CHINA STANDARD TIME": "Asia/Shanghai",
    "AEST": "Australia/Sydney",
    "INDIA STANDARD TIME": "Asia/Kolkata",
}


def zone_named(name: str) -> ZoneInfo | None:
    """Find a zone by any name IB uses: US/Eastern, EST, EST (Eastern Standard Time)."""
    short, _, long = name.strip().partition("(")
    for candidate in (long.rstrip(") "), short.strip()):
        alias = _ALIASES.get(candidate.upper())
        if alias:
            return ZoneInfo(alias)
    try:
        return ZoneInfo(short.strip())
    except (KeyError, ValueError, OSError):
        return None


def parse_hours(text: str, zone: ZoneInfo) -> tuple[Session, ...]:
    """Read `20221229:0930-20221229:1600;20221231:CLOSED`, in time order, each session once.

    The older spelling `20221229:0930-1200,1300-1600` is read too. Source: IB API,
    ContractDetails.tradingHours and liquidHours.
    """
    sessions = {
        session
        for day in text.split(";")
        if day.strip()
        for session in _sessions_of_day(day.strip(), zone)
    }
    return tuple(sorted(sessions, key=lambda session: (session.opens_at, session.closes_at)))


def parse_instant(text: str, login_zone: ZoneInfo) -> datetime:
    """Read an execution's time. Without a zone it is in the zone TWS is logged in with.

    `20230224  12:04:56`, `20230224 12:04:56 US/Eastern`, `20230224-12:04:56` (UTC) or seconds since
    1970. A zone nobody knows is taken for the login zone. Source: IB API, Execution.time.
    """
    parts = text.split(maxsplit=2)
    if not parts or (len(text) == 8 and text.isdigit()):
        raise ValueError(f"{text!r} is no time")
    if len(parts) == 1 and parts[0].isdigit():
        return datetime.fromtimestamp(int(parts[0]), UTC)
    if len(parts) == 1:
        return datetime.strptime(parts[0], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    zone = (zone_named(parts[2]) if len(parts) == 3 else None) or login_zone
    local = datetime.strptime(f"{parts[0]} {parts[1]}", "%Y%m%d %H:%M:%S")
    return local.replace(tzinfo=zone).astimezone(UTC)


def _sessions_of_day(day: str, zone: ZoneInfo) -> list[Session]:
    date, _, rest = day.partition(":")
    if rest.upper() == "CLOSED":
        return []
    sessions = []
    for span in rest.split(","):
        opens, dash, closes = span.partition("-")
        if not dash:
            raise ValueError(f"hours {day!r} have no closing time")
        opens_at, closes_at = _instant(date, opens, zone), _instant(date, closes, zone)
        if closes_at <= opens_at:
            raise ValueError(f"hours {day!r} close before they open")
        sessions.append(Session(opens_at=opens_at, closes_at=closes_at))
    return sessions


def _instant(date: str, text: str, zone: ZoneInfo) -> datetime:
    own_date, colon, clock = text.partition(":")
    if not colon:
        own_date, clock = date, text
    if len(own_date) != 8 or len(clock) != 4 or not (own_date + clock).isdigit():
        raise ValueError(f"{text!r} is no date and time of day")
    midnight = datetime(int(own_date[:4]), int(own_date[4:6]), int(own_date[6:]))
    hours, minutes = int(clock[:2]), int(clock[2:])
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        raise ValueError(f"{text!r} is no time of day")
    local = midnight + timedelta(hours=hours, minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)
