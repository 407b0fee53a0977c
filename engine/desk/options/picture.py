"""Draws the options desk into the views of the snapshot. Reads, decides nothing.

A strategy's view is kept and drawn anew only when the strategy, a quote of its contracts, or what
its plan waits for changed: hundreds of them are drawn several times a second.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice, zip_longest

from engine.desk.floor import Floor
from engine.desk.hours import next_change, trading_date
from engine.desk.instruments import OptionContract
from engine.desk.market import Quote, Quotes
from engine.desk.options.advice import advice
from engine.desk.options.desk import OptionsDesk
from engine.desk.options.drawing import Drawn, Ground, Key, Shape
from engine.desk.options.events import Event
from engine.desk.options.exit_plan import PlanLine
from engine.desk.options.gate import sessions_of
from engine.desk.options.strategies import Leg, Strategy
from engine.desk.snapshot import (
    AssignmentState,
    AssignmentView,
    LegView,
    MarginView,
    PlanLineView,
    StrategyStatus,
    StrategyView,
)

ONE = Decimal(1)
_AT_REST = (StrategyStatus.INTACT, StrategyStatus.SUSPECT, StrategyStatus.CLOSED)


def strategies(room: OptionsDesk, floor: Floor, quotes: Quotes) -> Iterator[StrategyView]:
    """Draw every declared strategy, in the order of the config."""
    if room.settings is None:
        return
    ground = ground_of(room, floor)
    for strategy in room.strategies.values():
        yield _drawn(room, floor, strategy, ground, quotes).view


def draw_some(room: OptionsDesk, floor: Floor, quotes: Quotes, start: int, most: int) -> int | None:
    """Draw up to most strategies from the start-th on, for the next picture to find them done; the
    place to go on from, None when there is no more."""
    if room.settings is None:
        return None
    ground = ground_of(room, floor)
    for strategy in islice(room.strategies.values(), start, start + most):
        _drawn(room, floor, strategy, ground, quotes)
    return start + most if start + most < len(room.strategies) else None


def ground_of(room: OptionsDesk, floor: Floor) -> Ground:
    """What every plan stands on besides its strategy."""
    standing = floor.standing(room.settings.venue if room.settings else "")
    return Ground(
        state=standing.state,
        detail=standing.detail,
        can_trade=standing.can_trade,
        armed=floor.armed,
        today=trading_date(floor.now),
    )


def _drawn(
    room: OptionsDesk, floor: Floor, strategy: Strategy, ground: Ground, quotes: Quotes
) -> Drawn:
    drawn = room.drawings.get(strategy.id)
    if drawn is None or not _holds(drawn.shape, strategy, floor, ground):
        shape = _shape(room, floor, strategy, ground)
    else:
        shape = drawn.shape
    seen = [quotes.get(key) if key else None for key in shape.quoted]
    if drawn is None or shape is not drawn.shape or seen != drawn.quotes:
        drawn = Drawn(shape=shape, quotes=seen, view=_view(strategy, shape, seen))
        room.drawings[strategy.id] = drawn
    return drawn


def assignments(room: OptionsDesk) -> Iterator[AssignmentView]:
    return (_event(room, event) for event in room.log.events.values())


# --- strategies ----------------------------------------------------------------------------------


def _holds(shape: Shape, strategy: Strategy, floor: Floor, ground: Ground) -> bool:
    """Whether a shape drawn before is still the strategy's."""
    return (
        shape.revision == strategy.revision
        and shape.ground == ground
        and (shape.until is None or floor.now < shape.until)
        and all(floor.specs.get(key) is spec for key, spec in shape.specs)
    )


def _shape(room: OptionsDesk, floor: Floor, strategy: Strategy, ground: Ground) -> Shape:
    venue = strategy.definition.venue
    lines = () if strategy.closed else room.closer.plan(strategy, floor.book(venue))
    specs = tuple(((key := (venue, x.instrument.ref)), floor.specs.get(key)) for x in lines)
    changes: list[datetime | None] = []
    for line, (_, spec) in zip(lines, specs, strict=True):
        if line.waits_until is not None:
            changes.append(line.waits_until)
        elif spec is not None:
            changes.append(next_change(sessions_of(spec, line.instrument), floor.now))
    status = room.status(strategy)
    stock = (venue, strategy.stock.ref) if strategy.stock else _underlying(floor, strategy)
    legs = [(venue, leg.contract.ref) if leg.contract else None for leg in strategy.legs]
    open_expiries = [leg.declared.expiry for leg in strategy.legs if leg.held]
    expiries = open_expiries or [leg.declared.expiry for leg in strategy.legs]
    return Shape(
        revision=strategy.revision,
        ground=ground,
        until=min((at for at in changes if at), default=None),
        specs=specs,
        status=status,
        reason=_reason(strategy, status),
        dte=(min(expiries) - ground.today).days if expiries else None,
        lines=lines,
        margins=room.previews.told(strategy, lines),
        advised=status not in _AT_REST and not _settles_in_cash(floor, strategy),
        quoted=(stock, *legs, *(key for key, _ in specs)),
    )


def _underlying(floor: Floor, strategy: Strategy) -> Key | None:
    """Where the underlying is quoted, as the venue says it of one of the legs."""
    venue = strategy.definition.venue
    for leg in strategy.legs:
        spec = floor.specs.get((venue, leg.contract.ref)) if leg.contract else None
        if spec is not None and spec.underlying_ref:
            return venue, spec.underlying_ref
    return None


def _settles_in_cash(floor: Floor, strategy: Strategy) -> bool:
    refs = [leg.contract.ref for leg in strategy.legs if leg.contract]
    specs = [floor.specs.get((strategy.definition.venue, ref)) for ref in refs]
    return any(spec is not None and spec.cash_settled for spec in specs)


def _view(strategy: Strategy, shape: Shape, seen: Sequence[Quote | None]) -> StrategyView:
    stock, first_line = seen[0], 1 + len(strategy.legs)
    return StrategyView(
        id=strategy.id,
        kind=strategy.definition.kind,
        underlying=strategy.definition.underlying,
        venue=strategy.definition.venue,
        account=strategy.account,
        status=shape.status,
        reason=shape.reason,
        dte=shape.dte,
        legs=tuple([_leg(x, q) for x, q in zip(strategy.legs, seen[1:], strict=False)]),
        shares=strategy.shares,
        plan=tuple(
            [_line(*parts) for parts in zip_longest(shape.lines, seen[first_line:], shape.margins)]
        ),
        underlying_price=stock.mid if stock else None,
        advice=tuple(advice(strategy, stock, seen[1:first_line])) if shape.advised else (),
    )


def _leg(leg: Leg, quote: Quote | None) -> LegView:
    # The quote of what is not held is not kept up: it would stand there and be wrong.
    shown = quote if leg.held else None
    return LegView(
        right=leg.declared.right,
        strike=leg.declared.strike,
        expiry=leg.declared.expiry,
        expected=leg.meant,
        held=leg.held,
        bid=shown.bid if shown else None,
        ask=shown.ask if shown else None,
    )


def _line(line: PlanLine, quote: Quote | None, margin: MarginView | None) -> PlanLineView:
    price = None
    if quote is not None:
        price = quote.ask if line.side.sign > 0 else quote.bid
    instrument = line.instrument
    return PlanLineView(
        instrument=line.name,
        side=line.side,
        quantity=line.quantity,
        purpose=line.purpose,
        reason=f"waits: {line.waits}" if line.waits else line.reason,
        estimated_price=price,
        multiplier=instrument.multiplier if isinstance(instrument, OptionContract) else ONE,
        waits_until=line.waits_until,
        margin=margin,
    )


def _reason(strategy: Strategy, status: StrategyStatus) -> str:
    if status is StrategyStatus.CLOSED:
        return strategy.note or strategy.broken
    if strategy.episode is not None and strategy.episode.troubles:
        return "; ".join(strategy.episode.troubles.values())
    if strategy.episode is not None:
        return strategy.episode.reason
    if status is StrategyStatus.SUSPECT:
        return "a leg changed and nothing explains it yet; asking the broker"
    return strategy.broken or strategy.unclear or strategy.note


# --- events --------------------------------------------------------------------------------------


def _event(room: OptionsDesk, event: Event) -> AssignmentView:
    return AssignmentView(
        id=event.id,
        venue=event.venue,
        account=event.account,
        instrument=event.instrument.name,
        kind=event.kind,
        type=event.timing,
        quantity=event.quantity,
        strategy_id=event.strategy_id,
        detected_at=event.detected_at,
        state=_event_state(room, event),
        evidence=event.evidence,
    )


def _event_state(room: OptionsDesk, event: Event) -> AssignmentState:
    if event.open_question:
        return AssignmentState.WAITING
    strategy = room.strategies.get(event.strategy_id or "")
    if event.episode is not None:
        running = strategy.episode if strategy is not None else None
        if running is None or running.number != event.episode:
            return AssignmentState.CLOSED
        return AssignmentState.ATTENTION if running.troubles else AssignmentState.CLOSING
    if event.needs_owner and (strategy is None or not strategy.closed):
        return AssignmentState.ATTENTION
    return AssignmentState.NOTED
