"""Draws the options desk into the views of the snapshot. Reads, decides nothing."""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.floor import Floor
from engine.desk.hours import days_to_expiry
from engine.desk.instruments import Instrument, OptionContract
from engine.desk.market import Quote, Quotes
from engine.desk.options.desk import OptionsDesk
from engine.desk.options.events import Event
from engine.desk.options.strategies import Leg, Strategy
from engine.desk.snapshot import (
    AssignmentState,
    AssignmentView,
    LegView,
    PlanLineView,
    StrategyStatus,
    StrategyView,
)


def strategies(room: OptionsDesk, floor: Floor, quotes: Quotes) -> Iterator[StrategyView]:
    return (_strategy(room, floor, s, quotes) for s in room.strategies.values())


def assignments(room: OptionsDesk) -> Iterator[AssignmentView]:
    return (_event(room, event) for event in room.log.events.values())


def _strategy(room: OptionsDesk, floor: Floor, strategy: Strategy, quotes: Quotes) -> StrategyView:
    venue = strategy.definition.venue
    status = room.status(strategy)
    open_expiries = [leg.declared.expiry for leg in strategy.legs if leg.held]
    expiries = open_expiries or [leg.declared.expiry for leg in strategy.legs]
    stock = quotes.get((venue, strategy.stock.ref)) if strategy.stock else None
    lines = () if strategy.closed else room.closer.plan(strategy, floor.book(venue))
    return StrategyView(
        id=strategy.id,
        kind=strategy.definition.kind,
        underlying=strategy.definition.underlying,
        venue=venue,
        account=strategy.account,
        status=status,
        reason=_reason(strategy, status),
        dte=min((days_to_expiry(e, floor.now) for e in expiries), default=None),
        legs=tuple(_leg(venue, leg, quotes) for leg in strategy.legs),
        shares=strategy.shares,
        plan=tuple(
            PlanLineView(
                instrument=line.instrument.name,
                side=line.side,
                quantity=line.quantity,
                purpose=line.purpose,
                reason=f"waits: {line.waits}" if line.waits else line.reason,
                multiplier=_multiplier(line.instrument),
                estimated_price=_estimate(quotes.get((venue, line.instrument.ref)), line.side.sign),
            )
            for line in lines
        ),
        underlying_price=stock.mid if stock else None,
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
    return strategy.broken or strategy.note


def _leg(venue: str, leg: Leg, quotes: Quotes) -> LegView:
    quote = quotes.get((venue, leg.contract.ref)) if leg.contract is not None else None
    return LegView(
        right=leg.declared.right,
        strike=leg.declared.strike,
        expiry=leg.declared.expiry,
        expected=leg.declared.quantity,
        held=leg.held,
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
    )


def _estimate(quote: Quote | None, sign: int) -> float | None:
    if quote is None:
        return None
    return quote.ask if sign > 0 else quote.bid


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


def _multiplier(instrument: Instrument) -> Decimal:
    return instrument.multiplier if isinstance(instrument, OptionContract) else Decimal(1)
