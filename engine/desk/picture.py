"""Draws the desk as it stands into a Snapshot. Reads, decides nothing."""

from collections.abc import Iterable
from datetime import datetime

from engine.desk.allocation import picture as allocation
from engine.desk.desk import Desk
from engine.desk.floor import Alert, Floor
from engine.desk.market import Quotes
from engine.desk.options import offers
from engine.desk.options import picture as options
from engine.desk.orders import Order
from engine.desk.perps import picture as perps
from engine.desk.snapshot import AlertView, OrderView, Snapshot, VenueView


def picture(
    desk: Desk,
    *,
    now: datetime,
    mode: str,
    started_at: datetime,
    venues: Iterable[tuple[str, str, float | None, float | None]],
    quotes: Quotes,
) -> Snapshot:
    """Draw the desk. venues: name, kind, age_seconds and clock_skew_seconds of each; quotes:
    (venue, ref) -> Quote."""
    floor = desk.floor
    return Snapshot(
        mode=mode,
        armed=floor.armed,
        started_at=started_at,
        at=now,
        venues=tuple(_venue(floor, *venue) for venue in venues),
        strategies=tuple(options.strategies(desk.options, floor, quotes)),
        assignments=(*options.assignments(desk.options), *perps.assignments(desk.perps)),
        barriers=tuple(perps.barriers(desk.perps, quotes, now)),
        allocation=allocation.allocation(desk.allocation, quotes),
        orders=tuple(_order(order) for order in floor.orders.values()),
        alerts=tuple(_alert(alert) for alert in floor.alerts.values()),
        positions=tuple(perps.positions(desk.perps, quotes)),
        differences=offers.differences(desk.options, floor),
        candidates=offers.candidates(desk.options, floor),
        accounts=tuple(floor.accounts.values()),
    )


def ground_of(desk: Desk) -> tuple[object, ...]:
    """What the whole picture stands on: when it is another, everything is to be drawn anew."""
    return options.ground_of(desk.options, desk.floor), desk.config


def draw_some(desk: Desk, quotes: Quotes, start: int, most: int) -> int | None:
    """Draw a part ahead of the next picture, most records from the start-th on; the place to go on
    from, None when there is no more."""
    return options.draw_some(desk.options, desk.floor, quotes, start, most)


def _venue(
    floor: Floor, name: str, kind: str, age_seconds: float | None, skew_seconds: float | None
) -> VenueView:
    standing = floor.standing(name)
    return VenueView(
        name=name,
        kind=kind,
        state=standing.state,
        detail=standing.detail,
        age_seconds=age_seconds,
        can_trade=standing.can_trade,
        clock_skew_seconds=skew_seconds,
    )


# A view that did not change is taken from the last picture, so that it is written out only once.


def _alert(alert: Alert) -> AlertView:
    if alert.drawn is None or alert.drawn.acknowledged is not alert.acknowledged:
        alert.drawn = _draw_alert(alert)
    return alert.drawn


def _order(order: Order) -> OrderView:
    drawn = order.drawn
    if (
        drawn is None
        or drawn.state is not order.state
        or drawn.filled != order.executed
        or drawn.reason != order.reason
        or (drawn.type is None) is not (order.terms is None)
    ):
        order.drawn = drawn = _draw_order(order)
    return drawn


def _draw_alert(alert: Alert) -> AlertView:
    return AlertView(
        id=alert.id,
        severity=alert.severity,
        title=alert.title,
        at=alert.at,
        acknowledged=alert.acknowledged,
        body=alert.body,
    )


def _draw_order(order: Order) -> OrderView:
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
        stop_price=order.terms.stop_price if order.terms else None,
    )
