"""A config as the engine answers ReadConfig with it, made from the models of the real config."""

import re
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from engine.config.fields import described
from engine.config.model.allocation import AllocationConfig, ParameterSet
from engine.config.model.config import AlertsConfig, Config, EngineConfig
from engine.config.model.options import ExitConfig, Leg, OptionsConfig, Strategy
from engine.config.model.perps import AssignmentManager
from engine.config.model.venues import CcxtVenue, IbVenue
from tui.link import Change

_LIVE = {"mode": "after a restart", "state_dir": "after a restart", "time_limit": "for new ones"}


def fields(model: type[BaseModel], values: dict[str, Any], prefix: str = "") -> list[Any]:
    return [
        field(prefix + name, info, values.get(name))
        for name, info in model.model_fields.items()
        if not _tables(info)
    ]


def _tables(info: FieldInfo) -> bool:
    parts = get_args(info.annotation) or (info.annotation,)
    return any(isinstance(part, type) and issubclass(part, BaseModel) for part in parts) or (
        info.annotation is not None and "Venue" in str(info.annotation)
    )


def field(key: str, info: FieldInfo, value: Any) -> dict[str, Any]:
    told = described(info)
    default = info.default
    if info.default_factory is not None:
        default = info.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        default = None
    kind = _kind(info, told.secret, bool(told.choices))
    if kind == "list" and told.secret:
        kind = "secrets"
    return {
        "key": key,
        "label": told.label,
        "help": told.help,
        "group": told.group,
        "kind": kind,
        "whole": "Strict" in str(info.metadata) and info.annotation is int,
        "choices": list(told.choices),
        "allowed": told.allowed,
        "unit": told.unit,
        "value": value,
        "default": _plain(default),
        "required": info.is_required(),
        "live": _LIVE.get(key, "at once"),
    }


def _kind(info: FieldInfo, secret: bool, choices: bool) -> str:
    annotation = info.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(a for a in get_args(annotation) if a is not NoneType)
    if get_origin(annotation) is tuple:
        return "list"
    if secret:
        return "secret"
    if annotation is bool:
        return "switch"
    if choices:
        return "choice"
    named = getattr(annotation, "__name__", "")
    return {"int": "number", "Decimal": "number", "date": "date"}.get(named, "text")


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case StrEnum():
            return value.value
        case tuple():
            return [_plain(one) for one in value]
        case _:
            return str(value)


def table(title: str, model: type[BaseModel], values: dict[str, Any], **more: Any) -> Any:
    return {"title": title, "fields": fields(model, values), **more}


def legs(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "key": "legs",
        "title": "Legs",
        "help": "Every option leg as it was opened.",
        "noun": "leg",
        "entries": [table("Leg", Leg, row) for row in rows],
        "add": [table("Leg", Leg, {})],
    }


def strategy(values: dict[str, Any], rows: list[dict[str, Any]]) -> Any:
    return table("Strategy", Strategy, values, lists=[legs(rows)])


_CONDOR = [
    {"right": "P", "strike": "440", "expiry": "2026-12-18", "quantity": -2},
    {"right": "P", "strike": "435", "expiry": "2026-12-18", "quantity": 2},
    {"right": "C", "strike": "460", "expiry": "2026-12-18", "quantity": -2},
    {"right": "C", "strike": "465", "expiry": "2026-12-18", "quantity": 2},
]
_MANAGER = {
    "venue": "kraken",
    "trading_pairs": ["BTC-USD", "ETH-USD"],
    "order_type": "MARKET",
    "time_limit": 14_400,
    "stop_loss_pct": "0.05",
    "take_profit_pct": "0.10",
}
_SETS = [
    {
        "symbol": f"{name}USDT",
        "allocation_percent": "33.3",
        "z_score_threshold": threshold,
        "profit_percent": "15",
        "stop_loss_percent": "2",
    }
    for name, threshold in (("BTC", "5.0"), ("BNB", "7.0"), ("ETH", "6.0"))
]

CONFIG = {
    "path": "/home/me/.config/bulkhead/bulkhead.toml",
    "fingerprint": "f1",
    "sections": [
        {
            **table("General", Config, {"mode": "paper", "armed": True}),
            "help": "What holds for all desks.",
            "key": "",
        },
        table("Engine", EngineConfig, {"state_dir": "/home/me/state"}, key="engine"),
        table("Alerts", AlertsConfig, {"urls": ["env"]}, key="alerts"),
        {
            "title": "Venues",
            "key": "",
            "help": "The brokers and exchanges, each under a name of your own.",
            "fields": [],
            "lists": [
                {
                    "key": "venues",
                    "title": "Venues",
                    "help": "Brokers and exchanges.",
                    "noun": "venue",
                    "named": True,
                    "entries": [
                        table(
                            "Interactive Brokers",
                            IbVenue,
                            {"kind": "ib", "port": 4002, "accounts": ["DU1234567"]},
                            name="ibkr",
                        ),
                        table(
                            "Crypto exchange",
                            CcxtVenue,
                            {
                                "kind": "ccxt",
                                "connector_name": "kraken_perpetual",
                                "api_key": "env",
                                "secret": "env",
                            },
                            name="kraken",
                        ),
                    ],
                    "add": [
                        table("Interactive Brokers", IbVenue, {"kind": "ib"}),
                        table("Crypto exchange", CcxtVenue, {"kind": "ccxt"}),
                    ],
                }
            ],
        },
        {
            "title": "Options",
            "help": "The options desk.",
            "key": "options",
            "optional": True,
            "present": True,
            "fields": [
                *fields(OptionsConfig, {"venue": "ibkr", "close_at_dte": 1}),
                *fields(ExitConfig, {}, "exit."),
            ],
            "lists": [
                {
                    "key": "strategies",
                    "title": "Strategies",
                    "help": "What is held, and what it is meant to be.",
                    "noun": "strategy",
                    "entries": [
                        strategy(
                            {"id": "SPY-IC-1", "kind": "iron_condor", "underlying": "SPY"},
                            _CONDOR,
                        )
                    ],
                    "add": [strategy({"kind": "custom"}, [])],
                }
            ],
        },
        {
            "title": "Assignment managers",
            "help": "One for each venue, or for each group of pairs.",
            "key": "",
            "fields": [],
            "lists": [
                {
                    "key": "assignment_managers",
                    "title": "Assignment managers",
                    "help": "What is done with a position a venue assigns to us.",
                    "noun": "assignment manager",
                    "entries": [table("Assignment manager", AssignmentManager, _MANAGER)],
                    "add": [table("Assignment manager", AssignmentManager, {})],
                }
            ],
        },
        {
            "title": "Allocation",
            "help": "The allocation desk.",
            "key": "allocation",
            "optional": True,
            "present": True,
            "fields": fields(AllocationConfig, {"venue": "binance", "z_score_window": 100}),
            "lists": [
                {
                    "key": "parameter_sets",
                    "title": "Parameter sets",
                    "help": "One for each symbol.",
                    "noun": "parameter set",
                    "entries": [table("Parameter set", ParameterSet, row) for row in _SETS],
                    "add": [table("Parameter set", ParameterSet, {})],
                }
            ],
        },
    ],
}

_NUMBERS = re.compile(r"[+-]?\d+(\.\d+)?")


def judge(changes: tuple[Change, ...]) -> dict[str, Any]:
    """Stands for the engine's check: a number that is none is a fault where it stands."""
    faults = [
        {"path": path, "text": f'"{value}" is not a number', "allowed": "0 to 365"}
        for change in changes
        for path, value in _leaves(change.path, change.value)
        if path.endswith(("_dte", "strike", "_pct", "_percent", "_threshold"))
        and not _NUMBERS.fullmatch(str(value))
    ]
    return {"faults": faults, "effects": ["SPY-IC-1 is guarded on; nothing is sent."]}


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(f"{path}.{key}", one)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [leaf for n, one in enumerate(value) for leaf in _leaves(f"{path}[{n}]", one)]
    return [] if value is None else [(path, value)]
