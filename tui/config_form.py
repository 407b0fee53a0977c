"""The config as the form receives it: plain data from the engine, read into records.

This page fixes what travels. `ReadConfig` is answered with

    {"path": "/home/me/.config/bulkhead/bulkhead.toml",
     "fingerprint": "9f2c...",                  given back as SaveConfig.base; "" for no file yet
     "sections": [TABLE, ...]}                  in the order a person meets them

    TABLE = {"title": "Options",
             "help": "The options desk.",
             "key": "options",                  "" for what stands above the first [table]
             "name": "",                        of an entry: what it is called ("SPY-IC-1")
             "optional": true,                  the whole table may be left out
             "present": true,                   it stands in the file
             "fields": [FIELD, ...],
             "lists": [LIST, ...]}              lists of tables below it

    FIELD = {"key": "close_at_dte",             below its table; may have dots ("exit.escalate")
             "label": "Close at DTE", "help": "...", "group": "Options",
             "kind": "number",                  or text, switch, choice, list, secret, secrets, date
             "whole": true,                     of a number: sent as a JSON integer, else as text
             "choices": ["market", "alarm"],    of a choice: the values
             "allowed": "0 to 365", "unit": "days",
             "value": 1,                        as it stands in the file, null where it does not
             "default": 1,                      what holds without it, null for nothing
             "required": false,
             "live": "at once"}                 when a change takes hold, in words: "at once",
                                                "after a restart", "for new assignments"

    A number's value and default are text ("0.001") or an integer, a date's "2026-12-18", a switch's
    true or false, a list's texts. A secret never travels: its value is the kind of its reference
    ("env", "file", "keyring", "url"), null where it is not set; a "secrets" value is a list of such
    kinds. What a person types for one is a new reference.

    LIST = {"key": "strategies", "title": "Strategies", "help": "...", "noun": "strategy",
            "named": false,                     true for [venues.NAME]: entries by name, not number
            "entries": [TABLE, ...],            their "key" is "" and their place is their number,
                                                or of a named list their name
            "add": [TEMPLATE, ...]}             what a new entry can begin as

    TEMPLATE = TABLE                            title says what it is ("Crypto exchange"); the
                                                values of its fields are what it begins with

`CheckConfig` and `SaveConfig` get changes, in this order: values of keys and of new tables, then
removals.

    path "options.close_at_dte", value 2                  set a key (its table is made if need be)
    path "options.close_at_dte", remove                   take it out, so that its default holds
    path "options.strategies[1].id", value "SPY-2"        an entry of a list, by its place in the
                                                          file as it was read
    path "options.strategies[1].legs", value [{...}]      a list within an entry goes whole
    path "options.strategies[2]", value {...}             a place beyond the last: a new entry
    path "venues.kraken", value {...}                     a new named entry
    path "options.strategies[0]", remove                  an entry out; others keep the place they
                                                          had until all changes are made
    path "allocation", remove                             an optional table out

`CheckConfig` is answered with

    {"faults": [{"path": "options.strategies[1].legs[0].strike",     in the config that would result
                 "text": "\\"abc\\" is not a strike", "allowed": "a number more than 0"}, ...],
     "effects": ["SPY-IC-1 is guarded on; nothing is sent.", ...]}   what a save would do, in words

and `SaveConfig` with a message alone, refused where the file changed since it was read. Whoever
draws no form because there is no file to write (the demo) refuses ReadConfig with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    LIST = "list"
    SECRET = "secret"
    SECRETS = "secrets"
    DATE = "date"

    @property
    def is_secret(self) -> bool:
        return self in (FieldKind.SECRET, FieldKind.SECRETS)

    @property
    def is_typed(self) -> bool:
        """Whether a person types it; the others are stepped through."""
        return self not in (FieldKind.SWITCH, FieldKind.CHOICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    key: str
    label: str
    help: str
    group: str
    kind: FieldKind
    whole: bool
    choices: tuple[str, ...]
    allowed: str
    unit: str
    value: Any
    default: Any
    required: bool
    live: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTable:
    """A table of the file, an entry of a list, or what a new entry begins as."""

    title: str
    help: str
    key: str
    name: str
    optional: bool
    present: bool
    fields: tuple[FormField, ...]
    lists: tuple["FormList", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormList:
    key: str
    title: str
    help: str
    noun: str
    named: bool
    entries: tuple[FormTable, ...]
    add: tuple[FormTable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    path: str
    fingerprint: str
    sections: tuple[FormTable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    path: str
    text: str
    allowed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What CheckConfig found; effects are what a save would do."""

    faults: tuple[Fault, ...] = ()
    effects: tuple[str, ...] = ()


class NotAForm(ValueError):
    """The engine answered with something else; the text says what is missing."""


def read_form(data: Any) -> Form:
    """Read the answer to ReadConfig. Raises NotAForm."""
    document = _mapping(data, "the answer")
    return Form(
        path=_text(document, "path"),
        fingerprint=_text(document, "fingerprint"),
        sections=tuple(_table(one) for one in _items(document, "sections")),
    )


def read_verdict(data: Any) -> Verdict:
    """Read the answer to CheckConfig. Raises NotAForm."""
    document = _mapping(data, "the answer")
    faults = [_mapping(one, "a fault") for one in _items(document, "faults")]
    return Verdict(
        faults=tuple(
            Fault(path=_text(one, "path"), text=_text(one, "text"), allowed=_text(one, "allowed"))
            for one in faults
        ),
        effects=tuple(str(one) for one in _items(document, "effects")),
    )


def _table(data: Any) -> FormTable:
    table = _mapping(data, "a table")
    return FormTable(
        title=_text(table, "title"),
        help=_text(table, "help"),
        key=_text(table, "key"),
        name=_text(table, "name"),
        optional=bool(table.get("optional", False)),
        present=bool(table.get("present", True)),
        fields=tuple(_field(one) for one in _items(table, "fields")),
        lists=tuple(_list(one) for one in _items(table, "lists")),
    )


def _list(data: Any) -> FormList:
    one = _mapping(data, "a list")
    return FormList(
        key=_text(one, "key"),
        title=_text(one, "title"),
        help=_text(one, "help"),
        noun=_text(one, "noun") or "entry",
        named=bool(one.get("named", False)),
        entries=tuple(_table(entry) for entry in _items(one, "entries")),
        add=tuple(_table(entry) for entry in _items(one, "add")),
    )


def _field(data: Any) -> FormField:
    field = _mapping(data, "a field")
    try:
        kind = FieldKind(_text(field, "kind") or "text")
    except ValueError:
        # An engine of another version may know a kind this form does not: it is typed as text.
        kind = FieldKind.TEXT
    return FormField(
        key=_text(field, "key"),
        label=_text(field, "label") or _text(field, "key"),
        help=_text(field, "help"),
        group=_text(field, "group"),
        kind=kind,
        whole=bool(field.get("whole", False)),
        choices=tuple(str(choice) for choice in _items(field, "choices")),
        allowed=_text(field, "allowed"),
        unit=_text(field, "unit"),
        value=field.get("value"),
        default=field.get("default"),
        required=bool(field.get("required", False)),
        live=_text(field, "live"),
    )


def _mapping(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise NotAForm(f"The engine's form cannot be read: {what} is no table.")
    return data


def _items(data: Mapping[str, Any], key: str) -> Sequence[Any]:
    items = data.get(key) or ()
    if not isinstance(items, list | tuple):
        raise NotAForm(f"The engine's form cannot be read: {key} is no list.")
    return items


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)
