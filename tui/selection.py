"""What is under the cursor: what details are shown of it, what closing it would close."""

from engine.desk.snapshot import BarrierView, PositionView, Snapshot
from tui.journal import About, Topic
from tui.rows.alerts import ALERT, ASSIGNMENT
from tui.rows.barriers import POSITION, position_id
from tui.rows.closing import Kind, Target
from tui.rows.orders import ORDER
from tui.rows.strategies import CANDIDATE, DIFFERENCE

_PREFIXES = (
    (CANDIDATE, Topic.CANDIDATE),
    (DIFFERENCE, Topic.DIFFERENCE),
    (ALERT, Topic.ALERT),
    (ASSIGNMENT, Topic.ASSIGNMENT),
    (ORDER, Topic.ORDER),
    (POSITION, Topic.POSITION),
)
_OWN = {1: Topic.STRATEGY, 3: Topic.BARRIER, 4: Topic.SET}
_KINDS = {Topic.STRATEGY: Kind.STRATEGY, Topic.BARRIER: Kind.BARRIER, Topic.SET: Kind.SET}


def about_at(pane: int, key: str, picture: Snapshot) -> About | None:
    """What the item with this key in this pane is about. A strategy's id may look like a prefix of
    ours: what is really there by that name goes first."""
    if not key:
        return None
    own = _OWN.get(pane)
    if own is not None and key in _ids(own, picture):
        return About(topic=own, id=key)
    for prefix, topic in _PREFIXES:
        if key.startswith(prefix):
            return About(topic=topic, id=key.removeprefix(prefix))
    return None


def target_at(pane: int, key: str, picture: Snapshot) -> Target | None:
    about = about_at(pane, key, picture)
    return None if about is None else target_of(about, picture)


def target_of(about: About, picture: Snapshot) -> Target | None:
    """What an emergency close of this would close: of an assignment or an order, whose it is."""
    if about.topic in _KINDS:
        return Target(kind=_KINDS[about.topic], id=about.id)
    owner: str | None = None
    if about.topic is Topic.ASSIGNMENT:
        owner = next((a.strategy_id for a in picture.assignments if a.id == about.id), None)
    elif about.topic is Topic.ORDER:
        owner = next((o.strategy_id for o in picture.orders if o.id == about.id), None)
    for topic, kind in _KINDS.items():
        if owner is not None and owner in _ids(topic, picture):
            return Target(kind=kind, id=owner)
    return None


def _ids(topic: Topic, picture: Snapshot) -> set[str]:
    match topic:
        case Topic.STRATEGY:
            return {one.id for one in picture.strategies}
        case Topic.BARRIER:
            return {one.id for one in picture.barriers}
        case Topic.SET:
            allocation = picture.allocation
            if allocation is None:
                return set()
            reserved = {one.symbol for one in allocation.reservations}
            return reserved | {one.symbol for one in allocation.sets}
        case _:
            return set()


def barrier_of(about: About, picture: Snapshot) -> BarrierView | None:
    if about.topic is not Topic.BARRIER:
        return None
    return next((one for one in picture.barriers if one.id == about.id), None)


def position_of(about: About, picture: Snapshot) -> PositionView | None:
    """The held perpetual this is about, guarded or not."""
    for one in picture.positions:
        if about.topic is Topic.POSITION and position_id(one) == about.id:
            return one
        if about.topic is Topic.BARRIER and one.barrier_id == about.id:
            return one
    return None
