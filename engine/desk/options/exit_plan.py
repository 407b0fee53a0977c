"""The way out of a strategy: what to close now, what waits, and why.

Shares first: they are the risk. Then short options. Long options only as far as what they protect
is gone: shorts of the same right bought back (filled, not sent), delivered shares flat. The plan is
made anew from what is held each time something changes, so it needs no memory of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from engine.desk.books import Book
from engine.desk.facts import Side
from engine.desk.instruments import Instrument, Right
from engine.desk.intents import Purpose
from engine.desk.options.strategies import Leg, Strategy

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One line: quantity positive. waits says what it waits for, empty when it may go now."""

    instrument: Instrument
    side: Side
    quantity: Decimal
    purpose: Purpose
    reason: str
    waits: str = ""


def exit_plan(strategy: Strategy, book: Book) -> tuple[PlanLine, ...]:
    """The lines that close what the strategy really holds, most urgent first."""
    return (*_shares(strategy, book), *_shorts(strategy), *_longs(strategy))


def _shares(strategy: Strategy, book: Book) -> Iterator[PlanLine]:
    if strategy.stock is None or not strategy.shares:
        return
    position = book.effective(strategy.account, strategy.stock.ref)
    if position * strategy.shares <= 0:
        return
    quantity = min(abs(strategy.shares), abs(position))
    long = strategy.shares > 0
    yield PlanLine(
        instrument=strategy.stock,
        side=Side.SELL if long else Side.BUY,
        quantity=quantity,
        purpose=Purpose.FLATTEN_SHARES,
        reason=f"{quantity:f} {'long' if long else 'short'} shares of this strategy are the risk",
    )


def _shorts(strategy: Strategy) -> Iterator[PlanLine]:
    for leg in strategy.legs:
        if leg.held < 0 and leg.contract is not None:
            yield PlanLine(
                instrument=leg.contract,
                side=Side.BUY,
                quantity=-leg.held,
                purpose=Purpose.BUY_BACK_SHORT,
                reason="short leg, no longer covered as designed",
            )


def _longs(strategy: Strategy) -> Iterator[PlanLine]:
    for right, word in ((Right.PUT, "put"), (Right.CALL, "call")):
        legs = [leg for leg in strategy.legs if leg.declared.right is right]
        guards_shares = strategy.shares > 0 if right is Right.PUT else strategy.shares < 0
        needed = ZERO if not guards_shares else _contracts(strategy, legs)
        needed = max(needed, -sum((leg.held for leg in legs if leg.held < 0), ZERO))
        longs = [leg for leg in legs if leg.held > 0 and leg.contract is not None]
        free = sum((leg.held for leg in longs), ZERO) - needed
        waits = (
            f"protects {abs(strategy.shares):f} shares until they are closed"
            if guards_shares
            else f"covers short {word}s until they are bought back"
        )
        for leg in longs:
            yield from _long_lines(leg, max(ZERO, min(leg.held, free)), waits)
            free -= leg.held


def _long_lines(leg: Leg, sellable: Decimal, waits: str) -> Iterator[PlanLine]:
    if leg.contract is None:
        return
    for quantity, why in ((sellable, ""), (leg.held - sellable, waits)):
        if quantity > 0:
            yield PlanLine(
                instrument=leg.contract,
                side=Side.SELL,
                quantity=quantity,
                purpose=Purpose.SELL_LONG,
                reason="long leg, nothing left to cover",
                waits=why,
            )


def _contracts(strategy: Strategy, legs: list[Leg]) -> Decimal:
    """How many long contracts protect the strategy's shares, rounded up to whole contracts."""
    multiplier = next((leg.contract.multiplier for leg in legs if leg.contract), Decimal(100))
    return (abs(strategy.shares) / multiplier).to_integral_value(ROUND_CEILING)
