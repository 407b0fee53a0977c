"""The mark of a method that may also be called over the control channel."""

import inspect
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

_MARK = "__command__"


def command(method: F) -> F:
    """Offer a method to the control channel under its own name."""
    setattr(method, _MARK, True)
    return method


def commands_of(cls: type) -> dict[str, Callable[..., object]]:
    """The commands of a class, by name."""
    return {
        name: method
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if getattr(method, _MARK, False)
    }
