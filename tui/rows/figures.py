"""How figures, instants and ages are written: fixed forms, so that columns stay still."""

from datetime import UTC, date, datetime
from decimal import Decimal

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NONE = "-"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_ROUND_FROM = 100_000


def quantity(value: Decimal, *, signed: bool = False) -> str:
    """Write a quantity without trailing zeros; signed puts a plus before what is long."""
    if not value.is_finite():
        return NONE
    plain = f"{value.normalize():f}" if value else "0"
    return f"+{plain}" if signed and value > 0 else plain


def price(value: float | Decimal | None) -> str:
    """Write a price: two decimals, more below one (0.0125); a dash where there is none."""
    if value is None or not Decimal(value).is_finite():
        return NONE
    size = abs(float(value))
    if 0 < size < 1 and round(size, 2) != round(size, 6):
        return f"{value:.6f}".rstrip("0")
    return f"{value:,.2f}" if size < 10_000_000 else f"{value:,.0f}"


def money(value: float | Decimal, *, signed: bool = False) -> str:
    return f"{value:+,.2f}" if signed else f"{value:,.2f}"


def short_money(value: float | Decimal | None) -> str:
    """Write a gain or loss in few cells: +276.94, -1,204, and no cents once they do not count."""
    if value is None:
        return NONE
    size = abs(float(value))
    if size >= _ROUND_FROM * 100:
        return f"{value / 1_000_000:+,.1f}M"
    return f"{value:+,.0f}" if size >= 1000 else f"{value:+,.2f}"


def percent(share: float | Decimal | None) -> str:
    """Write a fraction as a signed percent: 0.0243 is +2.43%."""
    if share is None:
        return NONE
    value = float(share) * 100
    return f"{value:+.2f}%" if abs(value) < 1000 else f"{value:+,.0f}%"


def score(value: float | Decimal | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def day(value: date) -> str:
    return f"{value.day:02}{_MONTHS[value.month - 1]}{value.year % 100:02}"


def clock(at: datetime, today: datetime) -> str:
    """Write an instant in eight cells: the time of day in UTC, or the day if it is not today's."""
    moment = at.astimezone(UTC)
    if moment.date() == today.astimezone(UTC).date():
        return f"{moment:%H:%M:%S}"
    return f"{moment.day:02} {_MONTHS[moment.month - 1]}"


def instant(at: datetime) -> str:
    moment = at.astimezone(UTC)
    return f"{day(moment.date())} {moment:%H:%M:%S} UTC"


def age(seconds: float | None) -> str:
    """Write an age in at most four cells: 0s, 59s, 12m, 3h, 4d."""
    if seconds is None:
        return "never"
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < _DAY:
        return f"{whole // _HOUR}h"
    return f"{whole // _DAY}d"


def left(seconds: float) -> str:
    """Write a time that runs out, in at most six cells: 0s, 45s, 14m, 3h12m, 2d03h."""
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"
