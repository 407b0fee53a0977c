"""The sentences the owner reads about a leg."""

from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.instruments import OptionContract, Right
from engine.desk.snapshot import AssignmentKind


def leg_words(contract: OptionContract, quantity: Decimal) -> str:
    word = "put" if contract.right is Right.PUT else "call"
    return f"{quantity:f} {contract.underlying} {contract.strike.normalize():f} {word}"


def sentence(
    kind: AssignmentKind, contract: OptionContract, quantity: Decimal, shares: Decimal
) -> str:
    """Say what became of a positive quantity of a contract; shares is what it delivered."""
    leg = leg_words(contract, quantity)
    match kind:
        case AssignmentKind.ASSIGNED:
            return f"short {leg} assigned, {shares:+f} shares"
        case AssignmentKind.EXERCISED:
            return f"long {leg} exercised, {shares:+f} shares"
        case AssignmentKind.EXPIRED:
            return f"{leg} expired"
        case AssignmentKind.CASH_SETTLED:
            return f"{leg} settled in cash"
        case AssignmentKind.SUSPECT:
            return f"{leg} missing, unexplained"
        case _:
            return f"{leg} changed from outside"


def traded(name: str, side: Side, quantity: Decimal, price: Decimal, by: str) -> str:
    """Say that somebody else traded a leg."""
    verb = "bought" if side is Side.BUY else "sold"
    return f"{quantity:f} {name} {verb} by {by} at {price:f}"
