"""The terminal's own part of the config form: the engine keeps these choices, but which actions,
keys and palettes there are, only the terminal knows.
"""

from collections.abc import Collection
from dataclasses import replace

from tui.actions import ACTIONS
from tui.config_draft import Draft
from tui.config_form import Fault, FieldKind, Form, FormField, FormTable
from tui.keys import STANDARD, keymap_of

_TABLE, _KEYS = "terminal", "keys."


def with_actions(form: Form) -> Form:
    """Give the table of keys a field for every action, with its standard keys as default."""
    return replace(
        form,
        sections=tuple(_with_actions(one) if one.key == _TABLE else one for one in form.sections),
    )


def terminal_faults(draft: Draft, palettes: Collection[str]) -> tuple[Fault, ...]:
    """What of the terminal's choices cannot be followed; palettes are the names there are."""
    section = next((one for one in draft.sections if one.path == _TABLE), None)
    if section is None:
        return ()
    chosen = {
        one.form.key.removeprefix(_KEYS): str(one.value)
        for one in section.fields
        if one.form.key.startswith(_KEYS) and one.value is not None
    }
    found = [
        Fault(path=f"{_TABLE}.{_KEYS}{fault.action_id}", text=fault.text, allowed=fault.allowed)
        for fault in keymap_of(chosen)[1]
    ]
    palette = section.value("palette")
    if palette is not None and palette not in palettes:
        text = f"there is no palette {palette}"
        found.append(Fault(path=f"{_TABLE}.palette", text=text, allowed=", ".join(palettes)))
    return tuple(found)


def _with_actions(section: FormTable) -> FormTable:
    there = {one.key: one for one in section.fields if one.key.startswith(_KEYS)}
    rest = tuple(one for one in section.fields if one.key not in there)
    known = {f"{_KEYS}{action.id}" for action in ACTIONS}
    fields = [_field(action.id, there.get(f"{_KEYS}{action.id}")) for action in ACTIONS]
    unknown = [one for key, one in there.items() if key not in known]
    return replace(section, fields=(*rest, *fields, *unknown))


def _field(action_id: str, there: FormField | None) -> FormField:
    action = next(one for one in ACTIONS if one.id == action_id)
    return FormField(
        key=f"{_KEYS}{action.id}",
        label=f"Key: {action.label}",
        help=f"{action.tooltip}.",
        group="Keys",
        kind=FieldKind.TEXT,
        whole=False,
        choices=(),
        allowed='keys with commas between them, like "ctrl+x, f9"',
        unit="",
        value=None if there is None else there.value,
        default=STANDARD.shown(action, most=9).replace(" ", ", "),
        required=False,
        live="when a terminal attaches",
    )
