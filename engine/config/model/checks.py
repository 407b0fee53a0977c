"""Checks that look across sections: names that must exist, and things that may be said once only.

They work on plain data that may be faulty elsewhere, so that one wrong port does not hide a
misspelt venue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from engine.config.model.allocation import allocation_problems
from engine.config.model.base import Problem, to_decimal
from engine.config.model.options import Leg
from engine.config.model.perps import AssignmentManager, manager_problems
from engine.config.model.shapes import StrategyKind, strategy_problems
from engine.config.model.venues import Connector
from engine.config.paths import expanded, socket_path_problem
from engine.config.text import Path, listed, shown

Raw = Mapping[str, Any]


def cross_problems(raw: Raw, folder: FilePath | None = None) -> list[Problem]:
    """Find every fault that takes more than one field to see, in a config as tables and lists."""
    problems = _state_dir(raw, folder)
    for name in table(raw.get("venues")):
        if not _is_name(name):
            allowed = "1 to 32 letters, digits, _ or -"
            problems.append(Problem(("venues", name), "is not a venue name", allowed))
    problems += _options(raw)
    problems += _managers(raw)
    problems += _allocation(raw)
    problems += _live_keys(raw)
    return problems


def with_implied_venue(raw: Raw) -> Raw:
    """Add the keyless spot venue that allocation names when in paper mode it has no table.

    Paper fills are simulated from public data, so a bare `venue = "binance"` says enough.
    """
    name = table(raw.get("allocation")).get("venue")
    venues = raw.get("venues", {})
    if not isinstance(venues, Mapping) or not isinstance(name, str) or name in venues:
        return raw
    if raw.get("mode", "paper") != "paper" or name not in _spot_names():
        return raw
    implied = {"kind": "ccxt", "connector_name": name}
    return {**raw, "venues": {**venues, name: implied}}


def table(value: object) -> Raw:
    """Take a value as a table, an empty one when it is none."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> Sequence[Any]:
    """Take a value as a list, an empty one when it is none."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _spot_names() -> list[str]:
    return [connector.value for connector in Connector if connector.is_spot]


def _is_name(name: object) -> bool:
    text = str(name)
    bare = text.replace("_", "").replace("-", "")
    return bare.isascii() and bare.isalnum() and text[0].isalnum() and len(text) <= 32


def number(value: object) -> Decimal | None:
    """Take a value as a number, None when it is none."""
    try:
        return to_decimal(value)
    except PydanticCustomError:
        return None


def _state_dir(raw: Raw, folder: FilePath | None) -> list[Problem]:
    text = table(raw.get("engine")).get("state_dir")
    if not isinstance(text, str | FilePath):
        return []
    try:
        problem = socket_path_problem(expanded(str(text), folder))
    except ValueError:
        return []
    return [Problem(("engine", "state_dir"), problem, "a shorter path")] if problem else []


def _named_venue(raw: Raw, path: Path, name: object, kind: str) -> list[Problem]:
    if not isinstance(name, str) or not _is_name(name or "-"):
        return []
    venues = table(raw.get("venues"))
    fitting = [key for key in venues if table(venues[key]).get("kind") == kind]
    allowed = listed(fitting) if fitting else f'a [venues] table with kind = "{kind}"'
    if name not in venues:
        near = get_close_matches(name, fitting, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return [Problem(path, f"{shown(name)} names no venue{hint}", allowed)]
    actual = table(venues[name]).get("kind")
    if actual != kind and actual in ("ib", "ccxt"):
        return [Problem(path, f"{shown(name)} is not of kind {kind}", allowed)]
    return []


def _connector(raw: Raw, name: object) -> Connector | None:
    venue = table(table(raw.get("venues")).get(name))  # type: ignore[call-overload]
    try:
        return Connector(venue.get("connector_name", Connector.KRAKEN_PERPETUAL))
    except ValueError:
        return None


def _options(raw: Raw) -> list[Problem]:
    options = table(raw.get("options"))
    if not options:
        return []
    name = options.get("venue")
    problems = _named_venue(raw, ("options", "venue"), name, "ib")
    venue = table(raw.get("venues")).get(name) if isinstance(name, str) else None
    accounts = rows(table(venue).get("accounts"))
    seen: list[object] = []
    for i, strategy in enumerate(rows(options.get("strategies"))):
        path: Path = ("options", "strategies", i)
        fields = table(strategy)
        if fields.get("id") in seen:
            text = f"{shown(fields['id'])} is the id of an earlier strategy"
            problems.append(Problem((*path, "id"), text, "each id once"))
        elif "id" in fields:
            seen.append(fields["id"])
        account = fields.get("venue_account")
        if isinstance(account, str) and accounts and account not in accounts:
            text = f"{shown(account)} is not an account of the venue"
            allowed = listed([str(one) for one in accounts])
            problems.append(Problem((*path, "venue_account"), text, allowed))
        problems += _below(path, _shape(fields))
    return problems


def _shape(fields: Raw) -> list[Problem]:
    shares = fields.get("shares")
    try:
        kind = StrategyKind(str(fields.get("kind")))
        legs = [Leg.model_validate(leg) for leg in rows(fields.get("legs"))]
    except (ValueError, ValidationError):
        return []
    if not legs:
        return []
    return strategy_problems(kind, legs, shares if isinstance(shares, int) else None)


def _below(path: Path, problems: Sequence[Problem]) -> list[Problem]:
    return [Problem((*path, *one.path), one.text, one.allowed) for one in problems]


def _managers(raw: Raw) -> list[Problem]:
    problems: list[Problem] = []
    watched: dict[object, set[object]] = {}
    default_pairs = AssignmentManager.model_fields["trading_pairs"].default
    for i, manager in enumerate(rows(raw.get("assignment_managers"))):
        path: Path = ("assignment_managers", i)
        fields = table(manager)
        name = fields.get("venue")
        problems += _named_venue(raw, (*path, "venue"), name, "ccxt")
        connector = _connector(raw, name) if isinstance(name, str) else None
        if connector is not None and connector.is_spot:
            text = f"{shown(name)} is a spot venue, where nothing is assigned"
            problems.append(Problem((*path, "venue"), text, "a perpetual venue"))
        pairs = rows(fields.get("trading_pairs", default_pairs))
        all_pairs = fields.get("all_trading_pairs") is True
        within = manager_problems(
            pairs=len(pairs),
            all_pairs=all_pairs,
            activation=fields.get("trailing_stop_activation_pct") is not None,
            delta=fields.get("trailing_stop_trailing_delta_pct") is not None,
        )
        if isinstance(fields.get("trading_pairs", pairs), list | tuple):
            problems += _below(path, within)
        if isinstance(name, str):
            covered = {None} if all_pairs else {pair for pair in pairs if isinstance(pair, str)}
            problems += _overlap(path, watched.setdefault(name, set()), covered)
    return problems


def _overlap(path: Path, before: set[object], covered: set[Any]) -> list[Problem]:
    both = covered & before
    taken = None in before or (None in covered and bool(before)) or bool(both)
    before |= covered
    if not taken:
        return []
    what = listed(sorted(both)) if both and None not in both else "the same pairs"
    text = f"{what} of this venue would be closed by two managers"
    return [Problem((*path, "trading_pairs"), text, "each pair in one manager")]


def _allocation(raw: Raw) -> list[Problem]:
    allocation = table(raw.get("allocation"))
    if not allocation:
        return []
    path: Path = ("allocation", "venue")
    name = allocation.get("venue")
    problems = _named_venue(raw, path, name, "ccxt")
    if not problems and isinstance(name, str) and name in table(raw.get("venues")):
        connector = _connector(raw, name)
        if connector is not None and not connector.is_spot:
            text = f"{shown(name)} is a perpetual venue; allocation trades spot"
            problems.append(Problem(path, text, f"a venue of connector {listed(_spot_names())}"))
    sets = [table(one) for one in rows(allocation.get("parameter_sets"))]
    symbols = [one.get("symbol") for one in sets]
    within = allocation_problems(
        [symbol if isinstance(symbol, str) else None for symbol in symbols],
        [number(one.get("allocation_percent")) for one in sets],
        [number(one.get("z_score_threshold")) for one in sets],
        number(allocation.get("z_score_exit", 0)),
    )
    return [*problems, *_below(("allocation",), within)]


def _live_keys(raw: Raw) -> list[Problem]:
    if raw.get("mode") != "live":
        return []
    managers = [table(one).get("venue") for one in rows(raw.get("assignment_managers"))]
    used = [*managers, table(raw.get("allocation")).get("venue")]
    venues = table(raw.get("venues"))
    return [
        Problem(("venues", name, key), "is missing; live orders need it", "a secret reference")
        for name, venue in venues.items()
        if name in used and table(venue).get("kind") == "ccxt"
        for key in ("api_key", "secret")
        if table(venue).get(key) is None
    ]
