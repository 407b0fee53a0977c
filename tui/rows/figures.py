"""How figures, instants and ages are written: fixed forms, so that columns stay still."""

from datetime import UTC, date, datetime
from decimal import Decimal

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NONE = "-"


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
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h"
    return f"{whole // 86400}d"
