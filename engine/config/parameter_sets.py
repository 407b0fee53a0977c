"""Reads the owner's JSON form of parameter sets, as it is, and puts them into a config.

{"parameterSets": [{"symbol": "BTCUSDT", "allocationPercent": 33.3, "zScoreThreshold": 5.0,
                    "profitPercent": 15.0, "stopLossPercent": 2}]}
"""

from __future__ import annotations

import json
import os
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.config.errors import ConfigError, Fault
from engine.config.explain import explained
from engine.config.load import (
    located,
    nested_too_deeply,
    read_text,
    twice_faults,
    written_decimal,
)
from engine.config.locate_json import json_places
from engine.config.model import AllocationConfig, CcxtVenue, Config, Connector, ParameterSet
from engine.config.model.allocation import allocation_problems
from engine.config.model.base import Problem
from engine.config.model.checks import number, rows, table
from engine.config.text import dotted, plain

_NAMES: Final = {
    "symbol": "symbol",
    "allocation_percent": "allocationPercent",
    "z_score_threshold": "zScoreThreshold",
    "profit_percent": "profitPercent",
    "stop_loss_percent": "stopLossPercent",
}
_BYTE_ORDER_MARK = "\ufeff"


class _Set(ParameterSet):
    model_config = ConfigDict(alias_generator=_NAMES.__getitem__)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    parameter_sets: tuple[_Set, ...] = Field(alias="parameterSets", min_length=1, max_length=1000)


def load_parameter_sets(path: str | os.PathLike[str]) -> tuple[ParameterSet, ...]:
    """Read a parameter-set file. Raises ConfigError with every fault, by JSON path and line."""
    return load_parameter_sets_text(read_text(FilePath(path)), file=str(path))


def load_parameter_sets_text(text: str, *, file: str) -> tuple[ParameterSet, ...]:
    """Read the text of a parameter-set file. Raises ConfigError."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    raw = _parse(text, file)
    try:
        places = json_places(text)
    except RecursionError:
        raise nested_too_deeply(file) from None
    problems: list[Problem] = []
    try:
        document = _Document.model_validate(raw)
    except ValidationError as error:
        problems += explained(error, raw, _Document)
    problems += _together(raw)
    faults = [*twice_faults(places.twice, file), *located(problems, places, raw, file)]
    if faults:
        raise ConfigError(faults)
    return tuple(ParameterSet(**one.model_dump()) for one in document.parameter_sets)


def with_parameter_sets(config: Config, sets: tuple[ParameterSet, ...], *, file: str) -> Config:
    """Put sets in place of the config's own; file is named in faults. Raises ConfigError.

    A config without [allocation] gets one at its spot venue, or at Binance spot.
    """
    allocation = config.allocation
    if allocation is None:
        allocation = AllocationConfig(venue=_spot_venue(config))
    raw = config.model_dump()
    raw["allocation"] = {
        **allocation.model_dump(),
        "parameter_sets": [one.model_dump() for one in sets],
    }
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        faults = [
            Fault(
                file=file,
                line=None,
                column=None,
                field=dotted(_in_file(problem.path)),
                problem=problem.text,
                allowed=problem.allowed,
            )
            for problem in explained(error, raw)
        ]
        raise ConfigError(faults) from None


def _spot_venue(config: Config) -> str:
    for name, venue in config.venues.items():
        if isinstance(venue, CcxtVenue) and venue.connector_name.is_spot:
            return name
    return Connector.BINANCE.value


def _together(raw: object) -> list[Problem]:
    sets = [table(one) for one in rows(table(raw).get("parameterSets"))]
    symbols = [one.get("symbol") for one in sets]
    found = allocation_problems(
        [symbol if isinstance(symbol, str) else None for symbol in symbols],
        [number(one.get("allocationPercent")) for one in sets],
        [None for _ in sets],
        None,
    )
    return [
        Problem(("parameterSets", *map(_json_name, one.path[1:])), one.text, one.allowed)
        for one in found
    ]


def _in_file(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Name a place of the config's sets as their own file does."""
    if path[:2] != ("allocation", "parameter_sets"):
        return path
    return ("parameterSets", *map(_json_name, path[2:]))


def _json_name(part: str | int) -> str | int:
    return _NAMES.get(part, part) if isinstance(part, str) else part


def _parse(text: str, file: str) -> Any:
    try:
        return json.loads(text, parse_float=written_decimal, parse_constant=written_decimal)
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON: {plain(error.msg[:1].lower() + error.msg[1:])}"
        line, column = error.lineno, error.colno
    except RecursionError:
        raise nested_too_deeply(file) from None
    except ValueError:
        problem, line, column = "is not valid JSON: a number has too many digits", 1, 1
    fault = Fault(file=file, line=line, column=column, field="", problem=problem)
    raise ConfigError([fault])
