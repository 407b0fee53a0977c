"""The single list of what a key does: bindings, footer, help and README's key table come from here.

`why_not` says in words why a key does nothing now; None means it may be pressed.
"""

from dataclasses import dataclass

from tui.view import LinkState, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a person can ask for. keys are Textual's names, shown is how people write them."""

    id: str
    keys: str
    shown: str
    label: str
    tooltip: str
    dangerous: bool = False
    in_footer: bool = False
    control: bool = False
    argument: str = ""


ACTIONS: tuple[Action, ...] = (
    Action(
        id="close-selected",
        keys="x",
        shown="x",
        label="close",
        tooltip="Emergency close of what is selected: lists the orders first, x again or y sends",
        dangerous=True,
        in_footer=True,
        control=True,
    ),
    Action(
        id="close-all",
        keys="X",
        shown="X",
        label="close all",
        tooltip="Emergency close of everything: lists the orders, wants the word close typed",
        dangerous=True,
        in_footer=True,
        control=True,
    ),
    Action(
        id="acknowledge",
        keys="a",
        shown="a",
        label="ack",
        tooltip="Acknowledge the selected alert, or the oldest one nobody acknowledged",
        in_footer=True,
        control=True,
    ),
    Action(
        id="arm",
        keys="d",
        shown="d",
        label="arm/disarm",
        tooltip="Arm or disarm: disarmed, the engine watches and warns but sends no order",
        dangerous=True,
        in_footer=True,
        control=True,
    ),
    Action(
        id="reset-allocations",
        keys="r",
        shown="r",
        label="reset",
        tooltip="Reset allocations: release every reservation",
        dangerous=True,
        control=True,
    ),
    Action(id="config", keys="c", shown="c", label="config", tooltip="Config form", control=True),
    Action(
        id="details",
        keys="enter",
        shown="enter",
        label="details",
        tooltip="Everything about what is selected",
    ),
    Action(
        id="filter",
        keys="slash",
        shown="/",
        label="filter",
        tooltip="Show only rows of this pane that contain a text; escape shows all again",
    ),
    Action(
        id="clear-filter",
        keys="escape",
        shown="esc",
        label="show all",
        tooltip="Clear the filter of this pane",
    ),
    Action(
        id="theme",
        keys="t",
        shown="t",
        label="theme",
        tooltip="Next palette: dark, light, high contrast and more",
    ),
    *(
        Action(
            id=f"pane-{number}",
            keys=str(number),
            shown=str(number),
            label=name.lower(),
            tooltip=f"Go to pane {number}: {name}",
            argument=str(number),
        )
        for number, name in enumerate(
            ("Strategies", "Assignment alerts", "Barrier status", "Allocation"), start=1
        )
    ),
    Action(
        id="next-pane",
        keys="tab",
        shown="tab",
        label="next pane",
        tooltip="Go to the next pane",
    ),
    Action(id="down", keys="j,down", shown="j ↓", label="down", tooltip="Next item"),
    Action(id="up", keys="k,up", shown="k ↑", label="up", tooltip="Item before"),
    Action(
        id="page-down",
        keys="pagedown,ctrl+d",
        shown="pgdn",
        label="page down",
        tooltip="A screenful down",
    ),
    Action(
        id="page-up", keys="pageup,ctrl+u", shown="pgup", label="page up", tooltip="A screenful up"
    ),
    Action(
        id="help",
        keys="question_mark",
        shown="?",
        label="help",
        tooltip="All keys and what the marks mean",
        in_footer=True,
    ),
    Action(
        id="detach",
        keys="q",
        shown="q",
        label="detach",
        tooltip="Leave this screen; the engine goes on guarding",
        in_footer=True,
    ),
)


def by_id(action_id: str) -> Action:
    return next(action for action in ACTIONS if action.id == action_id)


def why_not(action: Action, view: View) -> str | None:
    """Return why this key does nothing now, in words that say what to do instead."""
    if action.id == "config":
        return "The config form is not there yet: edit bulkhead.toml, then run bulkhead check."
    if action.id == "reset-allocations" and (
        view.picture is None or view.picture.allocation is None
    ):
        return "No allocation desk is configured, so there is no reservation to reset."
    if action.id == "reset-allocations":
        return "Reservations are reset from a shell: run bulkhead reset-allocations."
    if not action.control:
        return None
    if view.read_only:
        return "This terminal is read-only: attach without --read-only to act."
    if view.link is not LinkState.UP:
        return "The engine is out of reach: nothing was sent. From a shell: bulkhead close ID."
    if view.picture is None:
        return "The engine has not shown a picture yet."
    return None


def key_table_markdown() -> str:
    """README's key table; a test keeps the two alike."""
    lines = ["| key | does |", "|---|---|"]
    lines += [f"| `{action.shown}` | {action.tooltip} |" for action in ACTIONS]
    return "\n".join(lines) + "\n"
