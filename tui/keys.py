"""Which key stands for which action, with a person's own choices.

The keys of a person's config replace those of `tui.actions`, one action at a time; a choice that
names no action, or takes a key that another action of the same screen has, is refused with a
reason.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.actions import ACTIONS, Action, Where, by_id

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


def keymap_of(chosen: Mapping[str, str]) -> tuple[Keymap, tuple[str, ...]]:
    """Return the keymap of a person's choices and, in words, those that are not followed."""
    faults: list[str] = []
    own: dict[str, str] = {}
    for action_id, keys in chosen.items():
        names = [_name(key) for key in (part.strip() for part in keys.split(",")) if key]
        if not any(action.id == action_id for action in ACTIONS):
            faults.append(f"keys: there is no action {action_id}")
        elif not names:
            faults.append(f"keys: {action_id} has no key")
        else:
            own[action_id] = ",".join(names)
    for action_id in list(own):
        rival = _rival(by_id(action_id), Keymap(own))
        if rival is not None:
            faults.append(f"keys: {action_id} takes a key of {rival.id}")
            del own[action_id]
    return Keymap(own), tuple(faults)


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
    """README's key table; a test keeps the two alike."""
    lines = ["| key | does |", "|---|---|"]
    lines += [_row(action) for action in ACTIONS if Where.DESK in action.where]
    for where in (Where.DETAILS, Where.LIST, Where.LOG, Where.FORM, Where.SHEET):
        own = [a for a in ACTIONS if where in a.where and Where.DESK not in a.where]
        own = [a for a in own if a.where[0] is where or (where is Where.DETAILS and a.id == "back")]
        if own:
            lines.append(f"| **{where}** | |")
            lines += [_row(action) for action in own]
    return "\n".join(lines) + "\n"


def _row(action: Action) -> str:
    keys = " ".join(f"`{_written(key)}`" for key in STANDARD.keys(action))
    return f"| {keys} | {action.tooltip} |"
