"""What an exchange's failure to do as asked means, told apart once for all venues.

A refusal is definite: the venue looked at the request and did not do it. Everything else is
unanswered: it may have been done.
"""

from enum import StrEnum

from engine.errors import VenueError

UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading a message or an answer of unexpected form raises."""


class Unanswered(VenueError):
    """It is not known whether the venue did as asked."""


class Throttled(Unanswered):
    """The venue wants fewer requests. is_ban: it takes none at all for now."""

    def __init__(self, text: str, *, is_ban: bool = False) -> None:
        super().__init__(text)
        self.is_ban = is_ban


class Refused(VenueError):
    """The venue did not do as asked, for sure."""


class Denied(Refused):
    """The key is wrong, or may not do this."""


class Duplicate(Refused):
    """The venue has had an order of this client id."""


class Missing(Refused):
    """The venue knows no such order."""


class _Name(StrEnum):
    """The classes of ccxt's tree that matter here. Source: ccxt, base/errors.py."""

    DUPLICATE = "DuplicateOrderId"
    NOT_FOUND = "OrderNotFound"
    NOT_CACHED = "OrderNotCached"
    DENIED = "AuthenticationError"
    RATE = "RateLimitExceeded"
    DDOS = "DDoSProtection"
    FAILED = "OperationFailed"
    ERROR = "ExchangeError"


def told_apart(error: Exception, text: str) -> VenueError:
    """Say what an exception of ccxt's means; text is its message, fit to be shown. An HTTP status
    of 418 is a ban, and stands in the exception's own words.

    Exceptions ccxt did not mean to raise (an answer it could not read) prove nothing.
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    text = text or names[0]
    if _Name.DUPLICATE in names:
        return Duplicate(text)
    if _Name.NOT_FOUND in names or _Name.NOT_CACHED in names:
        return Missing(text)
    if _Name.DENIED in names:
        return Denied(text)
    if _Name.RATE in names or _Name.DDOS in names:
        return Throttled(text, is_ban=" 418 " in str(error))
    if _Name.FAILED in names or names[0] == _Name.ERROR or _Name.ERROR not in names:
        return Unanswered(text)
    return Refused(text)
