"""Says where a long leg is worth more exercised than sold, with the figures. Never does it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from engine.desk.instruments import OptionContract, Right
from engine.desk.market import Quote
from engine.desk.options.strategies import Strategy

ZERO = Decimal(0)


def advice(strategy: Strategy, stock: Quote | None, legs: Sequence[Quote | None]) -> Iterator[str]:
    """Compare exercise and sale of every long leg in the money.

    stock and legs: the quotes now, one for each leg. Shares at hand that the exercise would take
    are given up at the strike instead of the market; without them it is the market on the other
    side, so the comparison uses the price the shares would then trade at.
    """
    if stock is None:
        return
    for leg, quote in zip(strategy.legs, legs, strict=True):
        contract = leg.contract
        if leg.held <= 0 or contract is None or quote is None:
            continue
        shares = leg.held * contract.multiplier
        worth = _exercised(contract, strategy.shares, shares, stock)
        if worth is None or worth <= 0:
            continue
        sold = quote.bid or 0.0
        if worth > sold:
            gain = (worth - sold) * float(shares)
            yield (
                f"Exercise {leg.held:f} {contract.name} instead of selling: worth {worth:.2f} "
                f"each against a bid of {sold:.2f}, {gain:.2f} {contract.currency} more."
            )


def _exercised(
    contract: OptionContract, shares: Decimal, exercised: Decimal, stock: Quote
) -> float | None:
    """What exercising is worth against trading the same shares in the market, per share; None
    where the market shows no price for that."""
    strike = float(contract.strike)
    if contract.right is Right.PUT:
        # Long shares go at the strike instead of the bid; without them they are bought first.
        market = stock.bid if shares >= exercised else stock.ask
        return None if market is None else strike - market
    market = stock.ask if -shares >= exercised else stock.bid
    return None if market is None else market - strike
