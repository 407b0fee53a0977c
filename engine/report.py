"""What commands print: a status document and an exit plan in words, for a terminal or a pipe."""

from collections.abc import Iterable

from engine.desk.snapshot import Snapshot, StrategyView

_UNDONE = ("WAITING", "CLOSING", "ATTENTION")


def status_text(snapshot: Snapshot) -> str:
    """Tell a snapshot in lines of plain text."""
    armed = "armed" if snapshot.armed else "DISARMED: nothing is sent"
    lines = [f"{snapshot.mode.upper()}, {armed}, started {snapshot.started_at:%Y-%m-%d %H:%M} UTC"]
    for venue in snapshot.venues:
        age = "" if venue.age_seconds is None else f", heard {venue.age_seconds:.0f} s ago"
        acts = " CANNOT ACT" if venue.can_trade is False else ""
        detail = f": {venue.detail}" if venue.detail else ""
        lines.append(f"venue {venue.name} ({venue.kind}) {venue.state}{acts}{age}{detail}")
    for strategy in snapshot.strategies:
        lines += _strategy(strategy)
    for event in snapshot.assignments:
        kind = event.kind + (f" {event.type}" if event.type else "")
        owner = event.strategy_id or "no strategy"
        lines.append(
            f"{event.detected_at:%H:%M:%S} UTC {kind} {event.quantity:f} {event.instrument} "
            f"({owner}) {event.state}"
        )
    for order in snapshot.orders:
        price = "" if order.limit_price is None else f" at {order.limit_price:f}"
        reason = f": {order.reason}" if order.reason else ""
        lines.append(
            f"order {order.side} {order.quantity:f} {order.instrument}{price} {order.state}, "
            f"{order.filled:f} filled{reason}"
        )
    unseen = [alert for alert in snapshot.alerts if not alert.acknowledged]
    lines += [f"{alert.severity} {alert.title}" for alert in unseen]
    return "\n".join(lines)


def _strategy(strategy: StrategyView) -> Iterable[str]:
    dte = "" if strategy.dte is None else f", {strategy.dte} days to expiry"
    reason = f": {strategy.reason}" if strategy.reason else ""
    yield f"{strategy.id} {strategy.kind} {strategy.underlying} {strategy.status}{dte}{reason}"
    for leg in strategy.legs:
        yield (
            f"    {leg.right} {leg.strike.normalize():f} {leg.expiry}  "
            f"expected {leg.expected:+f}, held {leg.held:+f}"
        )
    if strategy.shares:
        yield f"    shares {strategy.shares:+f}"


def plan_text(strategies: Iterable[StrategyView]) -> str:
    """Tell the orders an emergency close would send, and what waits, line by line."""
    lines: list[str] = []
    for strategy in strategies:
        lines.append(f"{strategy.id} ({strategy.status})")
        for line in strategy.plan:
            price = "" if line.estimated_price is None else f" near {line.estimated_price:.2f}"
            lines.append(
                f"    {line.side:4} {line.quantity:f} {line.instrument}{price}   {line.reason}"
            )
    return "\n".join(lines)
