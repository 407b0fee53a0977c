"""Why there is no connection, in words for a person who must do something about it."""

from collections.abc import Iterable

from engine.desk.text import clean_text
from engine.venues.ib.settings import IbSettings


def for_client_id(settings: IbSettings) -> str:
    return (
        f"client id {settings.client_id} is in use by another program:"
        " stop it, or give this engine another client_id"
    )


def for_accounts(foreign: Iterable[str], managed: Iterable[str]) -> str:
    return (
        f"account {', '.join(foreign)} is not managed by this login, which has {', '.join(managed)}"
    )


def for_lost(settings: IbSettings, detail: str, *, started: bool) -> str:
    """started: whether the API had begun to serve us."""
    if started:
        return "TWS closed the connection" + (f": {clean_text(detail)}" if detail else "")
    return (
        "TWS closed the connection before the API started:"
        f" is client id {settings.client_id} in use, or this host not allowed?"
    )


def for_silence(settings: IbSettings, *, connected: bool) -> str:
    if connected:
        return (
            f"TWS at {settings.address} takes the connection but does not answer:"
            " perhaps somebody must allow it there"
        )
    return f"no answer from {settings.address}"


def for_error(settings: IbSettings, error: BaseException) -> str:
    # A name with several addresses gives one OSError that only quotes the refusals.
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return (
            f"nothing listens at {settings.address}:"
            " is TWS or IB Gateway running, with its API port open?"
        )
    return f"cannot connect to {settings.address}: {clean_text(str(error))}"
