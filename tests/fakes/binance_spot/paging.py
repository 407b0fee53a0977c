"""Which rows of a history a request wants: by time, by first id, and how many."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")
_STARTS = ("startTime", "orderId", "fromId", "algoId")


def within(params: Mapping[str, Any], at_ms: int) -> bool:
    """Whether an instant lies between startTime and endTime, where they are sent."""
    if params.get("startTime") and at_ms < int(params["startTime"]):
        return False
    return not params.get("endTime") or at_ms <= int(params["endTime"])


def limited(params: Mapping[str, Any], found: list[T]) -> list[T]:
    """The last ones, or the first from a start or an id on."""
    limit = min(int(params.get("limit", 500)), 1000)
    forward = any(params.get(name) for name in _STARTS)
    return found[:limit] if forward else found[-limit:]
