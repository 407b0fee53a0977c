"""Which key stands for which action, with a person's own choices.

The keys of a person's config replace those of `tui.actions`, one action at a time; a choice that
names no action, or takes a key that another action of the same screen has, is refused with a
reason.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from tui.actions import ACTIONS, Action, Where, by_id

_NAMED = (
    "backspace", "delete", "down", "end", "enter", "escape", "home", "insert", "left", "pagedown",
    "pageup", "right", "space", "tab", "up",
)  # fmt: skip
_FUNCTIONS = frozenset(f"f{number}" for number in range(1, 25))
_HELD = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
# The terminal's own, on every screen and before all others.
_TAKEN = {"ctrl+c": "detaches", "ctrl+q": "detaches", "ctrl+p": "opens the command palette"}

_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "delete": "del",
    "full_stop": ".",
    "comma": ",",
}


@dataclass(frozen=True, slots=True)
class Keymap:
    """own: action id -> keys, in Textual's names, where a person chose other keys."""

    own: Mapping[str, str] = field(default_factory=dict)

    def keys(self, action: Action) -> tuple[str, ...]:
        return tuple(self.own.get(action.id, action.keys).split(","))

    def shown(self, action: Action, *, most: int = 2) -> str:
        """The keys as a person writes them."""
        return " ".join(_written(key) for key in self.keys(action)[:most])


STANDARD = Keymap()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFault:
    """A choice of keys that is not followed, and why; allowed may be empty."""

    action_id: str
    text: str
    allowed: str = ""

    def __str__(self) -> str:
        return f"keys: {self.action_id}: {self.text}"


def keymap_of(chosen: Mapping[str, str]) -> tuple[Keymap, tuple[KeyFault, ...]]:
    """Return the keymap of a person's choices, and those that are not followed."""
    faults: list[KeyFault] = []
    own: dict[str, str] = {}
    for action_id, keys in chosen.items():
        names = [_name(key) for key in (part.strip() for part in keys.split(",")) if key]
        fault = _fault(action_id, names)
        if fault is None:
            own[action_id] = ",".join(names)
        else:
            faults.append(fault)
    for action_id in list(own):
        rival = _rival(by_id(action_id), Keymap(own))
        if rival is not None:
            text = f"takes a key of {rival.id} ({Keymap(own).shown(rival, most=9)})"
            faults.append(KeyFault(action_id=action_id, text=text))
            del own[action_id]
    return Keymap(own), tuple(faults)


def _fault(action_id: str, names: list[str]) -> KeyFault | None:
    ids = [action.id for action in ACTIONS]
    if action_id not in ids:
        near = get_close_matches(action_id, ids, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return KeyFault(
            action_id=action_id,
            text=f"there is no such action{hint}",
            allowed="" if near else ", ".join(ids),
        )
    if not names:
        return KeyFault(action_id=action_id, text="has no key")
    for name in names:
        if name in _TAKEN:
            return KeyFault(action_id=action_id, text=f"{_written(name)} always {_TAKEN[name]}")
        if not _is_key(name):
            allowed = f"a character, f1 to f24, {', '.join(_NAMED)}"
            return KeyFault(action_id=action_id, text=f"{name} is no key", allowed=allowed)
    return None


def _is_key(name: str) -> bool:
    *held, last = name.split("+")
    if not set(held) <= _HELD:
        return False
    if len(last) == 1 or last in _NAMED or last in _FUNCTIONS:
        return True
    name = {"slash": "solidus", "minus": "hyphen-minus"}.get(last, last).replace("_", " ")
    try:
        unicodedata.lookup(name)
    except KeyError:
        return False
    return True


def _rival(action: Action, keymap: Keymap) -> Action | None:
    wanted = set(keymap.keys(action))
    for other in ACTIONS:
        shared = set(other.where) & set(action.where)
        if other is not action and shared and wanted & set(keymap.keys(other)):
            return other
    return None


def _name(key: str) -> str:
    """A key in Textual's name: "?" is question_mark, "ctrl+x" and "X" stay as they are."""
    *held, last = key.split("+") if len(key) > 1 else [key]
    if len(last) == 1 and not last.isalnum():
        last = unicodedata.name(last, last).lower().replace("-", "_").replace(" ", "_")
        last = {"solidus": "slash", "hyphen_minus": "minus"}.get(last, last)
    return "+".join([*held, last])


def _written(key: str) -> str:
    return _SHOWN.get(key, key)


def key_table_markdown() -> str:
    """README's key table, with the names a person's own keys go by; a test keeps the two alike."""
    lines = ["| key | does | name in `[terminal.keys]` |", "|---|---|---|"]
    lines += [_row(action) for action in ACTIONS if Where.DESK in action.where]
    for where in (Where.DETAILS, Where.LIST, Where.LOG, Where.FORM, Where.SHEET):
        own = [a for a in ACTIONS if where in a.where and Where.DESK not in a.where]
        own = [a for a in own if a.where[0] is where or (where is Where.DETAILS and a.id == "back")]
        if own:
            lines.append(f"| **{where}** | | |")
            lines += [_row(action) for action in own]
    return "\n".join(lines) + "\n"


def _row(action: Action) -> str:
    keys = " ".join(f"`{_written(key)}`" for key in STANDARD.keys(action))
    return f"| {keys} | {action.tooltip} | `{action.id}` |"
