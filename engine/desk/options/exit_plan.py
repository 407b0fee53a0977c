"""The way out of a strategy: what to close now, what waits, and why.

Shares first: they are the risk. Then short options. Long options only as far as what they protect
is gone: shorts of the same right bought back (filled, not sent), delivered shares flat. The plan is
made anew from what is held each time something changes, so it needs no memory of its own.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from msgspec import Struct

from engine.desk.facts import Side
from engine.desk.instruments import OptionContract, Right, Stock
from engine.desk.intents import Purpose
from engine.desk.options.strategies import Leg, Strategy

ZERO = Decimal(0)
_RIGHTS = tuple(Right)


class PlanLine(Struct, kw_only=True):
    """One line: quantity positive. waits says what it waits for, empty when it may go now, and
    waits_until when that will be, where it is known."""

    instrument: Stock | OptionContract
    name: str
    side: Side
    quantity: Decimal
    purpose: Purpose
    reason: str
    waits: str = ""
    waits_until: datetime | None = None


def exit_plan(strategy: Strategy, flattened: Decimal) -> list[PlanLine]:
    """The lines that close what the strategy really holds, most urgent first.

    flattened: the shares that may be closed for it, signed like them (see to_flatten).
    """
    lines = [_shares(strategy.stock, flattened)] if strategy.stock and flattened else []
    for leg in strategy.legs:
        if leg.held < 0 and leg.contract is not None:
            _short_line(lines, leg, leg.contract, _excess(strategy, leg))
    for right in _RIGHTS:
        _longs(lines, strategy, right, flattened)
    return lines


def to_flatten(strategy: Strategy, sharing: Iterable[Strategy], position: Decimal) -> Decimal:
    """The shares to close for a strategy, signed like them, 0 where they net against others'.

    sharing: every strategy that has shares of that stock, in the order of the config; long ones
    net against short ones, and the first declared keeps most. Never more than the account's
    position, never the other side of it.
    """
    excess = strategy.shares - strategy.keep_shares
    if excess * position <= 0:
        return ZERO
    long = excess > 0
    against, ahead = ZERO, ZERO
    for other in sharing:
        if other is strategy:
            continue
        theirs = other.excess_shares
        if (theirs > 0) is not long:
            against += abs(theirs)
        elif other.order < strategy.order:
            ahead += abs(theirs)
    # What nets against the others falls on the first declared first.
    netted = max(ZERO, min(abs(excess), against - ahead))
    left = min(abs(excess) - netted, abs(position))
    return left.copy_sign(excess) if left > 0 else ZERO


def _shares(stock: Stock, flattened: Decimal) -> PlanLine:
    quantity = abs(flattened)
    kind = "long" if flattened > 0 else "short"
    return PlanLine(
        instrument=stock,
        name=stock.name,
        side=Side.SELL if flattened > 0 else Side.BUY,
        quantity=quantity,
        purpose=Purpose.FLATTEN_SHARES,
        reason=f"{quantity:f} {kind} shares of this strategy are the risk",
    )


def _excess(strategy: Strategy, leg: Leg) -> Decimal:
    """What of a leg is to be closed, signed like what is held."""
    keep = strategy.keep(leg)
    if keep * leg.held <= 0:
        return leg.held
    return leg.held - keep if abs(leg.held) > abs(keep) else ZERO


def _short_line(lines: list[PlanLine], leg: Leg, contract: OptionContract, excess: Decimal) -> None:
    if excess:
        lines.append(
            PlanLine(
                instrument=contract,
                name=leg.name,
                side=Side.BUY,
                quantity=-excess,
                purpose=Purpose.BUY_BACK_SHORT,
                reason="short leg, no longer covered as designed",
            )
        )


def _longs(lines: list[PlanLine], strategy: Strategy, right: Right, flattened: Decimal) -> None:
    """Add the long legs of one right: what may go, and what still covers something."""
    longs, free, shorts = [], ZERO, ZERO
    for leg in strategy.legs:
        if leg.declared.right is not right or not leg.held:
            continue
        if leg.held < 0:
            shorts -= leg.held
        elif leg.contract is not None:
            longs.append((leg, leg.contract))
            free += leg.held
    if not longs:
        return
    word = "put" if right is Right.PUT else "call"
    waits = f"covers short {word}s until they are bought back"
    if flattened > 0 if right is Right.PUT else flattened < 0:
        waits = f"protects {abs(flattened):f} shares until they are closed"
        shorts += _contracts(flattened, longs[0][1].multiplier)
    free -= shorts
    for leg, contract in longs:
        excess = _excess(strategy, leg)
        sellable = max(ZERO, min(excess, free))
        free -= sellable
        for quantity, why in ((sellable, ""), (excess - sellable, waits)):
            if quantity:
                lines.append(
                    PlanLine(
                        instrument=contract,
                        name=leg.name,
                        side=Side.SELL,
                        quantity=quantity,
                        purpose=Purpose.SELL_LONG,
                        reason="long leg, nothing left to cover",
                        waits=why,
                    )
                )


def _contracts(flattened: Decimal, multiplier: Decimal) -> Decimal:
    """How many long contracts protect those shares, rounded up to whole contracts."""
    return (abs(flattened) / multiplier).to_integral_value(ROUND_CEILING)
