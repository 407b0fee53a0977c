"""When a contract trades. Pure questions to a ContractSpec; instants are aware UTC."""

from bisect import bisect_right
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

from engine.desk.instruments import ContractSpec, OptionContract, Session

EASTERN = ZoneInfo("America/New_York")


def is_open(sessions: tuple[Session, ...], now: datetime) -> bool:
    begun = _begun(sessions, now)
    return begun > 0 and now < sessions[begun - 1].closes_at


def next_open(sessions: tuple[Session, ...], now: datetime) -> datetime | None:
    """The next opening after now, None when the venue told no later session."""
    begun = _begun(sessions, now)
    return sessions[begun].opens_at if begun < len(sessions) else None


def next_change(sessions: tuple[Session, ...], now: datetime) -> datetime | None:
    """The next opening or close after now, None when the venue told none."""
    begun = _begun(sessions, now)
    if begun and now < sessions[begun - 1].closes_at:
        return sessions[begun - 1].closes_at
    return sessions[begun].opens_at if begun < len(sessions) else None


def _begun(sessions: tuple[Session, ...], now: datetime) -> int:
    """How many sessions have opened by now; they are in time order."""
    return bisect_right(sessions, now, key=_opens_at)


_opens_at = attrgetter("opens_at")


@lru_cache(maxsize=8)
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
    sessions = spec.liquid if spec else ()
    closes = [s.closes_at for s in sessions if trading_date(s.opens_at) == contract.expiry]
    if closes:
        return now >= max(closes)
    local = now.astimezone(EASTERN)
    return (local.hour, local.minute) >= (16, 15)
