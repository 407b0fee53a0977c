"""Draws the desk as it stands into a Snapshot. Reads, decides nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from engine.desk.desk import Desk
from engine.desk.floor import Floor
from engine.desk.hours import days_to_expiry
from engine.desk.instruments import Instrument, OptionContract
from engine.desk.market import Quote
from engine.desk.options.events import Event
from engine.desk.options.strategies import Leg, Strategy
from engine.desk.orders import Order
from engine.desk.snapshot import (
    AlertView,
    AssignmentState,
    AssignmentView,
    LegView,
    OrderView,
    PlanLineView,
    Snapshot,
    StrategyStatus,
    StrategyView,
    VenueView,
)

Quotes = Mapping[tuple[str, str], Quote]


def picture(
    desk: Desk,
    *,
    now: datetime,
    mode: str,
    started_at: datetime,
    venues: Iterable[tuple[str, str, float | None]],
    quotes: Quotes,
) -> Snapshot:
    """Draw the desk. venues: (name, kind, age_seconds) of each; quotes: (venue, ref) -> Quote."""
    floor = desk.floor
    return Snapshot(
        mode=mode,
        armed=floor.armed,
        started_at=started_at,
        at=now,
        venues=tuple(_venue(floor, *venue) for venue in venues),
        strategies=tuple(_strategy(desk, s, quotes) for s in desk.options.strategies.values()),
        assignments=tuple(_event(desk, e) for e in desk.options.log.events.values()),
        orders=tuple(_order(order) for order in floor.orders.values()),
        alerts=tuple(
            AlertView(
                id=alert.id,
                severity=alert.severity,
                title=alert.title,
                at=alert.at,
                acknowledged=alert.acknowledged,
                body=alert.body,
            )
            for alert in floor.alerts.values()
        ),
    )


def _venue(floor: Floor, name: str, kind: str, age_seconds: float | None) -> VenueView:
    standing = floor.standing(name)
    return VenueView(
        name=name,
        kind=kind,
        state=standing.state,
        detail=standing.detail,
        age_seconds=age_seconds,
        can_trade=standing.can_trade,
    )


def _strategy(desk: Desk, strategy: Strategy, quotes: Quotes) -> StrategyView:
    venue = strategy.definition.venue
    status = desk.options.status(strategy)
    open_expiries = [leg.declared.expiry for leg in strategy.legs if leg.held]
    expiries = open_expiries or [leg.declared.expiry for leg in strategy.legs]
    stock = quotes.get((venue, strategy.stock.ref)) if strategy.stock else None
    lines = () if strategy.closed else desk.options.closer.plan(strategy, desk.floor.book(venue))
    return StrategyView(
        id=strategy.id,
        kind=strategy.definition.kind,
        underlying=strategy.definition.underlying,
        venue=venue,
        account=strategy.account,
        status=status,
        reason=_reason(strategy, status),
        dte=min((days_to_expiry(e, desk.floor.now) for e in expiries), default=None),
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


def _event(desk: Desk, event: Event) -> AssignmentView:
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
        state=_event_state(desk, event),
        evidence=event.evidence,
    )


def _event_state(desk: Desk, event: Event) -> AssignmentState:
    if event.open_question:
        return AssignmentState.WAITING
    strategy = desk.options.strategies.get(event.strategy_id or "")
    if event.episode is not None:
        running = strategy.episode if strategy is not None else None
        if running is None or running.number != event.episode:
            return AssignmentState.CLOSED
        return AssignmentState.ATTENTION if running.troubles else AssignmentState.CLOSING
    if event.needs_owner and (strategy is None or not strategy.closed):
        return AssignmentState.ATTENTION
    return AssignmentState.NOTED


def _order(order: Order) -> OrderView:
    return OrderView(
        id=order.intent.client_order_id,
        venue=order.intent.venue,
        account=order.intent.account,
        instrument=order.intent.instrument.name,
        side=order.intent.side,
        quantity=order.intent.quantity,
        filled=order.executed,
        type=order.terms.order_type if order.terms else None,
        limit_price=order.terms.limit_price if order.terms else None,
        state=order.state,
        purpose=order.intent.purpose,
        strategy_id=order.intent.strategy_id,
        reason=order.reason,
        at=order.at,
    )


def _multiplier(instrument: Instrument) -> Decimal:
    return instrument.multiplier if isinstance(instrument, OptionContract) else Decimal(1)
