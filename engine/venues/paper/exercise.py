"""What an exercise does to an account: which shares it brings, at which price, and which short leg
a practice assignment takes."""

from collections.abc import Iterable
from decimal import Decimal

from engine.desk.facts import PositionRow
from engine.desk.instruments import OptionContract, Right
from engine.desk.options.definitions import StrategyDefinition

_THROUGH = 0.008  # how far beyond the strike a practice assignment puts the price


class DrillRefused(ValueError):
    """There is nothing to assign. The text says why, for a person."""


def intrinsic(contract: OptionContract, spot: float) -> float:
    """Give what exercising pays, a unit; negative by how far it is out of the money."""
    away = spot - float(contract.strike)
    return away if contract.right is Right.CALL else -away


def delivered(contract: OptionContract, quantity: Decimal) -> Decimal:
    """Give the signed shares that come in when so many contracts, signed, are exercised."""
    sign = 1 if contract.right is Right.CALL else -1
    return sign * quantity * contract.multiplier


def beyond(contract: OptionContract, spot: float) -> float:
    """Give a price that makes exercising worth while: this one if it does, else one that does."""
    if intrinsic(contract, spot) > 0:
        return spot
    sign = 1 if contract.right is Right.CALL else -1
    return round(float(contract.strike) * (1 + sign * _THROUGH), 2)


def pick_short(
    rows: Iterable[tuple[PositionRow, float]],
    *,
    account: str | None = None,
    ref: str | None = None,
    strategy: StrategyDefinition | None = None,
) -> tuple[PositionRow, OptionContract]:
    """Choose the short option to assign: of those asked for, the one deepest in the money, or the
    nearest to it. rows are positions with the price of their underlying.

    Raises DrillRefused where none is held.
    """
    best: tuple[float, PositionRow, OptionContract] | None = None
    for row, spot in rows:
        contract = row.instrument
        if not isinstance(contract, OptionContract) or row.quantity >= 0:
            continue
        if account not in (None, row.account) or ref not in (None, contract.ref):
            continue
        if strategy is not None and not _belongs(strategy, row.account, contract):
            continue
        # Against the price: otherwise a dearer underlying would always be the nearer one.
        depth = intrinsic(contract, spot) / spot
        if best is None or depth > best[0]:
            best = (depth, row, contract)
    if best is None:
        wanted = strategy.id if strategy is not None else ref or account
        raise DrillRefused(
            f"No short option of {wanted} is held: there is nothing to assign."
            if wanted
            else "No short option is held: there is nothing to assign."
        )
    return best[1], best[2]


def _belongs(strategy: StrategyDefinition, account: str, contract: OptionContract) -> bool:
    return (
        strategy.underlying == contract.underlying
        and strategy.account in (None, account)
        and any(leg.quantity < 0 and leg.matches(contract) for leg in strategy.legs)
    )
