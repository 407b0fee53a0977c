"""The single list of what a key does: bindings, footers, help, palette and README's key table come
from here, and nothing is bound anywhere else.
"""

from dataclasses import dataclass
from enum import StrEnum


class Where(StrEnum):
    """The kinds of screen a key works on."""

    DESK = "Dashboard"
    DETAILS = "Details"
    LIST = "Lists"
    LOG = "Log and journal"
    FORM = "Config form"
    SHEET = "Sheets"
    READING = "Help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a person can ask for. keys are Textual's names; argument goes with the action.

    footer: where it is named at the bottom. control: it asks the engine to do something.
    """

    id: str
    keys: str
    label: str
    tooltip: str
    where: tuple[Where, ...] = (Where.DESK,)
    footer: tuple[Where, ...] = ()
    dangerous: bool = False
    control: bool = False
    argument: str = ""


_ROWS = (Where.DESK, Where.DETAILS, Where.LIST, Where.LOG, Where.FORM, Where.SHEET, Where.READING)
_FRAMES = (Where.DESK, Where.DETAILS, Where.LIST, Where.LOG, Where.FORM)
_PAGES = (Where.DETAILS, Where.LIST, Where.LOG, Where.FORM, Where.READING)
PANES = ("Strategies", "Assignment alerts", "Barrier status", "Allocation")

DANGER = (
    Action(
        id="close-selected",
        keys="x",
        label="close",
        tooltip="Emergency close of what is selected: lists the orders first, x again or y sends",
        where=(Where.DESK, Where.DETAILS),
        footer=(Where.DESK, Where.DETAILS),
        dangerous=True,
        control=True,
    ),
    Action(
        id="close-all",
        keys="X",
        label="close all",
        tooltip="Emergency close of everything: lists the orders, wants the word close typed",
        footer=(Where.DESK,),
        dangerous=True,
        control=True,
    ),
    Action(
        id="acknowledge",
        keys="a",
        label="ack",
        tooltip="Acknowledge the selected alert, or the oldest one nobody acknowledged",
        where=(Where.DESK, Where.DETAILS),
        footer=(Where.DESK, Where.DETAILS),
        control=True,
    ),
    Action(
        id="arm",
        keys="d",
        label="arm/disarm",
        tooltip="Arm or disarm: disarmed, the engine watches and warns but sends no order",
        footer=(Where.DESK,),
        dangerous=True,
        control=True,
    ),
    Action(
        id="reset-allocations",
        keys="r",
        label="reset",
        tooltip="Reset allocations: lists which reservations go, which stay and why",
        dangerous=True,
        control=True,
    ),
    Action(
        id="guard",
        keys="b",
        label="barriers",
        tooltip="Put the selected position between barriers, or move the barriers it has",
        footer=(Where.DETAILS,),
        where=(Where.DESK, Where.DETAILS),
        control=True,
    ),
    Action(
        id="release",
        keys="u",
        label="release",
        tooltip="Release the selected position from its barriers; it stays held",
        footer=(Where.DETAILS,),
        where=(Where.DESK, Where.DETAILS),
        dangerous=True,
        control=True,
    ),
    Action(
        id="adopt",
        keys="A",
        label="adopt",
        tooltip="What is held and declared nowhere: make a strategy of it",
        footer=(Where.DETAILS,),
        where=(Where.DESK, Where.DETAILS, Where.LIST),
    ),
)

LOOK = (
    Action(
        id="config",
        keys="c",
        label="config",
        tooltip="The config as a form: faults show while you type, nothing is written before you "
        "have seen what changes",
    ),
    Action(
        id="details",
        keys="enter",
        label="details",
        tooltip="Everything about what is selected",
        where=(Where.DESK, Where.LIST, Where.LOG),
        footer=(Where.LIST, Where.LOG),
    ),
    Action(
        id="filter",
        keys="slash",
        label="filter",
        tooltip="Show only rows that contain a text; escape shows all again",
        where=(Where.DESK, Where.LIST, Where.LOG, Where.FORM),
        footer=(Where.LIST, Where.LOG),
    ),
    Action(
        id="clear-filter",
        keys="escape",
        label="show all",
        tooltip="Clear the filter of this pane",
    ),
    Action(
        id="log",
        keys="l",
        label="log",
        tooltip="The journal, entry by entry: what was seen, decided and sent",
        footer=(Where.DETAILS,),
        where=(Where.DESK, Where.DETAILS),
    ),
    Action(id="orders", keys="o", label="orders", tooltip="Every order, the open ones first"),
    Action(
        id="density",
        keys="z",
        label="zoom",
        tooltip="More or less in each row; in a chart, the price alone or all its lines",
        where=(Where.DESK, Where.DETAILS),
        footer=(Where.DETAILS,),
    ),
    *(
        Action(
            id=f"pane-{number}",
            keys=str(number),
            label=name.lower(),
            tooltip=f"Go to pane {number}: {name}",
            argument=str(number),
        )
        for number, name in enumerate(PANES, start=1)
    ),
    Action(id="next-pane", keys="tab", label="next pane", tooltip="Go to the next pane"),
    Action(
        id="previous-pane", keys="shift+tab", label="pane before", tooltip="Go to the pane before"
    ),
)

LOG = (
    Action(
        id="follow",
        keys="f",
        label="follow",
        tooltip="Follow the journal as it grows, or stop following",
        where=(Where.LOG,),
        footer=(Where.LOG,),
    ),
    Action(
        id="kinds",
        keys="e",
        label="kinds",
        tooltip="Show everything, decisions and requests, orders, or alerts",
        where=(Where.LOG,),
        footer=(Where.LOG,),
    ),
    Action(
        id="search",
        keys="s",
        label="search",
        tooltip="Find a text, from here back; n and N go on",
        where=(Where.LOG,),
        footer=(Where.LOG,),
    ),
    Action(id="match", keys="n", label="next", tooltip="The match before it", where=(Where.LOG,)),
    Action(
        id="match-back", keys="N", label="back", tooltip="The match after it", where=(Where.LOG,)
    ),
    Action(
        id="whole",
        keys="v",
        label="whole",
        tooltip="The whole entry as the journal holds it",
        where=(Where.LOG,),
    ),
    Action(
        id="copy",
        keys="y",
        label="copy",
        tooltip="Copy what is selected to your clipboard, also over SSH (OSC 52)",
        where=(Where.LOG, Where.DETAILS, Where.LIST),
        footer=(Where.LOG,),
    ),
)

FORM = (
    Action(
        id="edit",
        keys="enter",
        label="edit",
        tooltip="Edit the field, or open the entry",
        where=(Where.FORM,),
        footer=(Where.FORM,),
    ),
    Action(
        id="next-choice",
        keys="space,right",
        label="next choice",
        tooltip="The next choice, on or off",
        where=(Where.FORM,),
    ),
    Action(
        id="previous-choice",
        keys="left",
        label="choice before",
        tooltip="The choice before",
        where=(Where.FORM,),
    ),
    Action(
        id="new",
        keys="n",
        label="new",
        tooltip="Add an entry to the list under the cursor",
        where=(Where.FORM,),
        footer=(Where.FORM,),
    ),
    Action(
        id="remove",
        keys="delete,D",
        label="remove",
        tooltip="Remove the entry, or the value so that its default holds",
        where=(Where.FORM,),
        footer=(Where.FORM,),
    ),
    Action(
        id="revert",
        keys="u",
        label="undo",
        tooltip="Take back what you changed at the cursor",
        where=(Where.FORM,),
        footer=(Where.FORM,),
    ),
    Action(
        id="save",
        keys="s,ctrl+s",
        label="save",
        tooltip="List what changes and what it does to running positions, then save",
        where=(Where.FORM,),
        footer=(Where.FORM,),
        dangerous=True,
    ),
)

SHEET = (
    Action(
        id="confirm",
        keys="y",
        label="yes",
        tooltip="Do what the sheet says",
        where=(Where.SHEET,),
        dangerous=True,
    ),
    Action(
        id="confirm-again",
        keys="x",
        label="send",
        tooltip="Send the orders of the sheet that x opened, as a second press of its own",
        where=(Where.SHEET,),
        dangerous=True,
    ),
    Action(
        id="cancel",
        keys="escape,n",
        label="cancel",
        tooltip="Do nothing and go back",
        where=(Where.SHEET,),
    ),
    Action(
        id="other-button",
        keys="left,right",
        label="other button",
        tooltip="Go to the other button",
        where=(Where.SHEET,),
    ),
)

MOVE = (
    Action(id="down", keys="j,down", label="down", tooltip="Next item", where=_ROWS),
    Action(id="up", keys="k,up", label="up", tooltip="Item before", where=_ROWS),
    Action(
        id="page-down",
        keys="pagedown,ctrl+d,ctrl+f",
        label="page down",
        tooltip="A screenful down",
        where=_ROWS,
    ),
    Action(
        id="page-up",
        keys="pageup,ctrl+u,ctrl+b",
        label="page up",
        tooltip="A screenful up",
        where=_ROWS,
    ),
    Action(id="top", keys="g,home", label="top", tooltip="To the first item", where=_ROWS),
    Action(id="bottom", keys="G,end", label="bottom", tooltip="To the last item", where=_ROWS),
)

TERMINAL = (
    Action(
        id="theme",
        keys="t",
        label="theme",
        tooltip="Next palette: dark, light, high contrast, colour-blind safe, sixteen colours",
        where=(Where.DESK, Where.DETAILS, Where.LIST, Where.LOG),
    ),
    Action(
        id="mute",
        keys="m",
        label="mute",
        tooltip="Silence the bell of critical alerts in this terminal, or let it ring again",
        where=_FRAMES[:4],
    ),
    Action(
        id="redraw",
        keys="ctrl+l",
        label="redraw",
        tooltip="Draw the whole screen anew",
        where=(*_FRAMES, Where.READING),
    ),
    Action(
        id="back",
        keys="escape,q",
        label="back",
        tooltip="Back to where you came from",
        where=_PAGES,
        footer=_PAGES,
    ),
    Action(
        id="help",
        keys="question_mark",
        label="help",
        tooltip="The keys of this screen, all other keys, and what the marks mean",
        where=(*_FRAMES, Where.READING),
        footer=_FRAMES,
    ),
    Action(
        id="detach",
        keys="q",
        label="detach",
        tooltip="Leave this screen; the engine goes on guarding",
        footer=(Where.DESK,),
    ),
)

ACTIONS: tuple[Action, ...] = (*DANGER, *LOOK, *LOG, *FORM, *SHEET, *MOVE, *TERMINAL)
MOVES = frozenset(action.id for action in MOVE)
_BY_ID = {action.id: action for action in ACTIONS}
CONTRACT = (
    "close-selected", "close-all", "reset-allocations", "config", "acknowledge", "arm", "details",
    "filter", "theme", "pane-1", "pane-2", "pane-3", "pane-4", "help", "detach",
)  # fmt: skip


def by_id(action_id: str) -> Action:
    return _BY_ID[action_id]


def of(where: Where) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if where in action.where)
