"""Draws the perpetuals desk into the views of the snapshot. Reads, decides nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.market import Quote, Quotes
from engine.desk.perps.barriers import gross
from engine.desk.perps.desk import PerpsDesk
from engine.desk.perps.guards import ZERO, Guard, GuardState
from engine.desk.snapshot import AssignmentView, BarrierView, PositionView, TrailingView
from engine.desk.text import amount

_ATTENTION = "ATTENTION"
_OLD = timedelta(seconds=30)
_PLACES = 12


def assignments(room: PerpsDesk) -> Iterator[AssignmentView]:
    for event in room.log.events.values():
        yield AssignmentView(
            id=event.id,
            venue=event.venue,
            account=event.account,
            instrument=event.instrument.name,
            kind=event.kind,
            type=None,
            quantity=_trimmed(event.quantity),
            strategy_id=event.guards[0].id if event.guards else None,
            detected_at=event.detected_at,
            state=event.state,
            evidence=event.evidence,
        )


def barriers(room: PerpsDesk, quotes: Quotes, now: datetime) -> Iterator[BarrierView]:
    """Every position between barriers, and those that were lately. One that is closed at once has
    none: its orders and its assignment show it."""
    return (
        _barrier(room, guard, quotes.get(guard.place), now)
        for guard in room.guards.all.values()
        if not guard.at_once
    )


def positions(room: PerpsDesk, quotes: Quotes) -> Iterator[PositionView]:
    for venue, held in room.people.held():
        instrument = held.instrument
        side = Side.BUY if held.effective > 0 else Side.SELL
        place = (venue, instrument.ref)
        peers = room.guards.open_at((venue, held.account, instrument.ref))
        yield PositionView(
            venue=venue,
            account=held.account,
            ref=instrument.ref,
            instrument=instrument.name,
            quantity=_trimmed(held.effective),
            entry_price=_shown(held.average_cost),
            mark_price=_mark(side, quotes.get(place)),
            barrier_id=next((guard.id for guard in peers if not guard.at_once), None),
        )


def _barrier(room: PerpsDesk, guard: Guard, quote: Quote | None, now: datetime) -> BarrierView:
    blind = room.guards.sight.trouble(guard.place)
    mark = None if blind or not guard.state.is_open else _mark(guard.side, quote)
    # What was taken from it by others took its share of the fees with it.
    share = (guard.left + guard.sold) / guard.opened if guard.opened else ZERO
    fees = guard.fees * share + guard.fees_out
    won = _won(guard, mark)
    in_doubt = guard.state.is_open and bool(guard.trouble)
    return BarrierView(
        id=guard.id,
        venue=guard.venue,
        instrument=guard.instrument.name,
        side=guard.side,
        quantity=_trimmed(guard.left),
        entry_price=_trimmed(guard.entry),
        mark_price=mark,
        stop_loss=_shown(guard.levels.stop),
        take_profit=_shown(guard.levels.take),
        trailing=_trailing(room, guard),
        time_limit_at=guard.limit_at,
        state=_ATTENTION if in_doubt else guard.state.value,
        close_type=guard.close_type.value if guard.close_type else None,
        account=guard.account,
        gross=_shown(won),
        net=None if won is None else _shown(won - fees),
        fees=_trimmed(fees),
        since=guard.since,
        set_by=guard.set_by,
        resident_stop=room.stops.resting(guard),
        reason=_reason(room, guard, blind, quote, now),
    )


def _won(guard: Guard, mark: Decimal | None) -> Decimal | None:
    """What it won so far, gross: what was closed of it, and what is left at the mark."""
    if not guard.left:
        return guard.realized
    if mark is None:
        return None
    return guard.realized + gross(
        guard.instrument, side=guard.side, entry=guard.entry, price=mark, quantity=guard.left
    )


def _trailing(room: PerpsDesk, guard: Guard) -> TrailingView | None:
    """The trailing stop by the best price seen up to now, not by the one last journaled."""
    if guard.levels.activation is None:
        return None
    peak = room.guards.triggers.peak(guard.id) or guard.peak
    return TrailingView(
        activation=_trimmed(guard.levels.activation),
        active=peak is not None,
        trigger=None if peak is None else _shown(guard.levels.trailing_trigger(guard.side, peak)),
    )


def _reason(room: PerpsDesk, guard: Guard, blind: str, quote: Quote | None, now: datetime) -> str:
    match guard.state:
        case GuardState.HOLDING:
            unseen = _unseen(room, guard, blind, quote, now) if guard.levels.any else ""
            return "; ".join(text for text in (guard.stop.trouble, unseen) if text)
        case GuardState.CLOSING:
            parts = (guard.reason, guard.exit.trouble, guard.waits)
            return "; ".join(dict.fromkeys(text for text in parts if text))
        case GuardState.CLOSED | GuardState.RELEASED:
            return guard.reason


def _unseen(room: PerpsDesk, guard: Guard, blind: str, quote: Quote | None, now: datetime) -> str:
    """Why its barriers do not see the market, empty when they do."""
    standing = room.floor.standing(guard.venue)
    if not standing.is_live:
        return f"{guard.venue} is {standing.state}: {standing.detail or 'no link'}"
    if blind:
        return blind
    if _mark(guard.side, quote) is None or quote is None:
        return "no quote yet: its barriers are blind"
    age = now - quote.at
    return f"its quote is {age.total_seconds():.0f} s old" if age >= _OLD else ""


def _mark(side: Side, quote: Quote | None) -> Decimal | None:
    """What a position could be closed at: the bid for a long one, the ask for a short one."""
    price = None if quote is None else quote.bid if side is Side.BUY else quote.ask
    return None if price is None else _trimmed(Decimal(repr(price)))


def _shown(value: Decimal | None) -> Decimal | None:
    return None if value is None else _trimmed(value)


def _trimmed(value: Decimal) -> Decimal:
    """A value without zeros at its end, nor the endless tail a division leaves."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_PLACES:
        value = round(value, _PLACES)
    return Decimal(amount(value))
