"""What commands print: a picture of the desk in words, for a terminal or a pipe."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from engine.desk.snapshot import (
    AccountView,
    AllocationView,
    BarrierView,
    MarginView,
    Snapshot,
    StrategyView,
)
from engine.desk.text import amount


def status_text(snapshot: Snapshot) -> str:
    """Tell a snapshot in lines of plain text."""
    armed = "armed" if snapshot.armed else "DISARMED: nothing is sent"
    lines = [f"{snapshot.mode.upper()}, {armed}, started {snapshot.started_at:%Y-%m-%d %H:%M} UTC"]
    for venue in snapshot.venues:
        age = "" if venue.age_seconds is None else f", heard {venue.age_seconds:.0f} s ago"
        acts = " CANNOT ACT" if venue.can_trade is False else ""
        detail = f": {venue.detail}" if venue.detail else ""
        lines.append(f"venue {venue.name} ({venue.kind}) {venue.state}{acts}{age}{detail}")
    lines += [_account(account) for account in snapshot.accounts]
    for strategy in snapshot.strategies:
        lines += _strategy(strategy)
    lines += [_barrier(barrier) for barrier in snapshot.barriers]
    if snapshot.allocation is not None:
        lines += _allocation(snapshot.allocation)
    for event in snapshot.assignments:
        kind = event.kind + (f" {event.type}" if event.type else "")
        owner = event.strategy_id or "no strategy"
        lines.append(
            f"{event.detected_at:%H:%M:%S} UTC {kind} {_trimmed(event.quantity)} "
            f"{event.instrument} ({owner}) {event.state}"
        )
    for order in snapshot.orders:
        price = "" if order.limit_price is None else f" at {_trimmed(order.limit_price)}"
        stop = "" if order.stop_price is None else f" stop {_trimmed(order.stop_price)}"
        reason = f": {order.reason}" if order.reason else ""
        lines.append(
            f"order {order.side} {_trimmed(order.quantity)} {order.instrument}{price}{stop} "
            f"{order.state}, {_trimmed(order.filled)} filled{reason}"
        )
    lines += [
        f"differs: {row.instrument} in {row.account}: expected {row.expected:+f}, "
        f"held {row.held:+f}, {row.explained_by or 'not explained'}"
        for row in snapshot.differences
    ]
    unseen = [alert for alert in snapshot.alerts if not alert.acknowledged]
    lines += [f"{alert.severity} {alert.title}" for alert in unseen]
    return "\n".join(lines)


def closeable(snapshot: Snapshot) -> list[str]:
    """Every id a person may name in a wish to close, in the order of the screen."""
    sets = () if snapshot.allocation is None else snapshot.allocation.sets
    return [
        *(strategy.id for strategy in snapshot.strategies),
        *(barrier.id for barrier in snapshot.barriers if barrier.quantity),
        *(row.instrument for row in snapshot.positions),
        *(one.symbol for one in sets),
    ]


def close_text(snapshot: Snapshot, what: str | None) -> str:
    """Tell what an emergency close of one thing, or of everything, would do, line by line."""
    lines: list[str] = []
    for strategy in snapshot.strategies:
        if strategy.id == what or (what is None and strategy.plan):
            lines += _plan(strategy)
    for barrier in snapshot.barriers:
        if barrier.id == what or (what is None and barrier.quantity):
            side = "BUY" if barrier.side == "SELL" else "SELL"
            near = "" if barrier.mark_price is None else f" near {_trimmed(barrier.mark_price)}"
            lines.append(f"{barrier.id} ({barrier.state})")
            lines.append(
                f"    {side:4} {_trimmed(barrier.quantity)} {barrier.instrument}{near}   "
                "reduce-only; its resting stop is cancelled"
            )
    for row in snapshot.positions:
        if row.instrument == what:
            side = "SELL" if row.quantity > 0 else "BUY"
            near = "" if row.mark_price is None else f" near {_trimmed(row.mark_price)}"
            lines.append(
                f"    {side:4} {_trimmed(abs(row.quantity))} {row.instrument}{near}   reduce-only"
            )
    for one in () if snapshot.allocation is None else snapshot.allocation.sets:
        if one.symbol == what or (what is None and (one.quantity or one.reserved)):
            near = "" if one.mark_price is None else f" near {_trimmed(one.mark_price)}"
            lines.append(f"{one.symbol} ({one.state})")
            lines.append(
                f"    SELL {_trimmed(one.quantity)} {one.symbol}{near}   "
                "its bracket is cancelled first, its funds are released after"
            )
    return "\n".join(lines) or "Nothing is held that Bulkhead guards."


def reset_text(snapshot: Snapshot, *, force: bool) -> str:
    """Tell what a reset releases, and what it keeps and why."""
    if snapshot.allocation is None:
        return "No allocation desk is configured."
    lines = []
    for one in snapshot.allocation.sets:
        if not one.reserved:
            continue
        amount = f"{_trimmed(one.reserved)} {snapshot.allocation.currency}"
        if not one.would_keep:
            lines.append(f"release  {one.symbol}  {amount}")
        elif force:
            lines.append(f"release  {one.symbol}  {amount}   by force, though {one.would_keep}")
        else:
            lines.append(f"keep     {one.symbol}  {amount}   {one.would_keep}")
    return "\n".join(lines) or "Nothing is reserved."


def positions_text(snapshot: Snapshot) -> str:
    """List the perpetual positions, guarded or not."""
    lines = []
    for row in snapshot.positions:
        entry = "" if row.entry_price is None else f" from {_trimmed(row.entry_price)}"
        guarded = f"barriers {row.barrier_id}" if row.barrier_id else "nobody guards it"
        held = amount(row.quantity, signed=True)
        lines.append(f"{row.instrument} at {row.venue}: {held}{entry}, {guarded}")
    return "\n".join(lines) or "No perpetual position is held."


def candidates_text(snapshot: Snapshot) -> str:
    """List held legs that look like a strategy nobody registered."""
    lines = []
    for found in snapshot.candidates:
        lines.append(f"{found.id}  {found.kind} {found.underlying} in {found.account}")
        lines += [
            f"    {leg.held:+f} {leg.right} {leg.strike.normalize():f} {leg.expiry}"
            for leg in found.legs
        ]
        if found.shares:
            lines.append(f"    {found.shares:+f} shares")
    return "\n".join(lines) or "Nothing held looks like a strategy that is not registered."


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
    for advice in strategy.advice:
        yield f"    {advice}"


def _plan(strategy: StrategyView) -> Iterator[str]:
    yield f"{strategy.id} ({strategy.status})"
    for line in strategy.plan:
        price = "" if line.estimated_price is None else f" near {line.estimated_price:.2f}"
        yield f"    {line.side:4} {line.quantity:f} {line.instrument}{price}   {line.reason}"
        if line.margin is not None:
            yield f"         {margin_text(line.margin)}"


def margin_text(margin: MarginView) -> str:
    """Say what an order alone would do to the margin, as its venue works it out."""
    if margin.refusal:
        return f"the venue would refuse it: {margin.refusal}"
    told = (("maintenance", margin.maintenance_change), ("initial", margin.initial_change))
    parts = [f"{word} margin {value:+,.2f}" for word, value in told if value is not None]
    return f"alone: {', '.join(parts) or 'margin not told'} {margin.currency}".rstrip()


def _account(view: AccountView) -> str:
    told = (
        ("net liquidation", view.net_liquidation),
        ("excess liquidity", view.excess_liquidity),
        ("maintenance margin", view.maintenance_margin),
    )
    parts = [f"{word} {value:,.2f}" for word, value in told if value is not None]
    return f"account {view.account} at {view.venue}: {', '.join(parts)} {view.currency}".rstrip()


def _barrier(barrier: BarrierView) -> str:
    marks = [
        f"{word} {_trimmed(price)}"
        for word, price in (
            ("entry", barrier.entry_price),
            ("mark", barrier.mark_price),
            ("stop", barrier.stop_loss),
            ("target", barrier.take_profit),
            ("trailing", barrier.trailing.trigger if barrier.trailing else None),
        )
        if price is not None
    ]
    side = "long" if barrier.side == "BUY" else "short"
    net = "" if barrier.net is None else f", net {barrier.net:+.2f}"
    until = "" if barrier.time_limit_at is None else f", until {barrier.time_limit_at:%H:%M:%S} UTC"
    reason = f": {barrier.reason}" if barrier.reason else ""
    return (
        f"{barrier.id} {side} {_trimmed(barrier.quantity)} {barrier.instrument} at {barrier.venue} "
        f"{barrier.state}, {', '.join(marks)}{net}{until}{reason}"
    )


def _allocation(view: AllocationView) -> Iterator[str]:
    yield (
        f"allocation at {view.venue}: {view.totalBalance:.2f} {view.currency}, "
        f"{view.totalReserved:.2f} reserved, {view.availableBalance:.2f} available"
    )
    for one in view.sets:
        score = "no z-score yet" if one.z_score is None else f"z {one.z_score:.2f}"
        held = f", holds {_trimmed(one.quantity)}" if one.quantity else ""
        reason = f": {one.reason}" if one.reason else ""
        yield (
            f"    {one.symbol} {_trimmed(one.percent)}% {one.state}, {score} of "
            f"{_trimmed(one.threshold)}{held}{reason}"
        )


def _trimmed(value: Decimal) -> str:
    return amount(value)
