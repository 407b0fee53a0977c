"""What the config tests share: one way to load a text and look at its faults."""

from collections.abc import Callable

import pytest

from engine.config import ConfigError, Fault, load_text

Faults = Callable[[str], list[Fault]]


@pytest.fixture
def faults() -> Faults:
    """Load a text and give its faults; none when it is sound."""

    def find(text: str) -> list[Fault]:
        try:
            load_text(text, file="bulkhead.toml")
        except ConfigError as error:
            return list(error.faults)
        return []

    return find
