"""When a contract trades. Pure questions to a ContractSpec; instants are aware UTC."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from engine.desk.instruments import ContractSpec, OptionContract, Session

EASTERN = ZoneInfo("America/New_York")


def is_open(sessions: tuple[Session, ...], now: datetime) -> bool:
    return any(s.opens_at <= now < s.closes_at for s in sessions)


def next_open(sessions: tuple[Session, ...], now: datetime) -> datetime | None:
    """The next opening after now, None when the venue told no later session."""
    return min((s.opens_at for s in sessions if s.opens_at > now), default=None)


def trading_date(now: datetime) -> date:
    """The date in New York, which option expiries are counted by."""
    return now.astimezone(EASTERN).date()


def days_to_expiry(expiry: date, now: datetime) -> int:
    return (expiry - trading_date(now)).days


def has_expired(contract: OptionContract, spec: ContractSpec | None, now: datetime) -> bool:
    """Whether the last trading day is over: its session closed, or 16:15 ET where none is known."""
    dte = days_to_expiry(contract.expiry, now)
    if dte != 0:
        return dte < 0
    closes = (
        [s.closes_at for s in spec.liquid if trading_date(s.opens_at) == contract.expiry]
        if (spec)
        else []
    )
    if closes:
        return now >= max(closes)
    local = now.astimezone(EASTERN)
    return (local.hour, local.minute) >= (16, 15)
