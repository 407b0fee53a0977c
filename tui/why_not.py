"""Why a key does nothing now, in words that say what to do instead."""

from tui.actions import Action
from tui.view import LinkState, View


def why_not(action: Action, view: View) -> str | None:
    """Return why this key does nothing now, in words that say what to do instead."""
    if action.id == "reset-allocations" and (
        view.picture is None or view.picture.allocation is None
    ):
        return "No allocation desk is configured, so there is no reservation to reset."
    if action.id == "config" and view.link is not LinkState.UP:
        return "The engine is out of reach: it holds the config. Edit bulkhead.toml by hand."
    if action.id in ("save", "log") and view.link is not LinkState.UP:
        return "The engine is out of reach: it holds the journal and the config."
    if not (action.control or action.id == "save"):
        return None
    if view.read_only:
        return "This terminal is read-only: attach without --read-only to act."
    if view.link is not LinkState.UP:
        return "The engine is out of reach: nothing was sent. From a shell: bulkhead close ID."
    if view.picture is None:
        return "The engine has not shown a picture yet."
    return None
