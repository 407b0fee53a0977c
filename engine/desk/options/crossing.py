"""Lets what strategies on their way out have too much of cancel against what others have: shares
one would sell and the other buy, and legs closed too far that are another's."""

from decimal import Decimal

from engine.desk.books import Book
from engine.desk.floor import Floor
from engine.desk.intents import Severity
from engine.desk.options.roster import Roster
from engine.desk.options.sharing import toward_zero
from engine.desk.options.strategies import Leg, Strategy

ZERO = Decimal(0)


class Crossing:
    """Holds no state of its own; strategies are the roster's. Nothing is sent from here."""

    def __init__(self, floor: Floor, roster: Roster) -> None:
        self._floor = floor
        self._roster = roster

    def shares(self, strategy: Strategy) -> None:
        """Cancel the strategy's shares against those of others on their way out: they need no
        order."""
        if strategy.stock is None or not strategy.excess_shares:
            return
        for other in self._roster.sharing(strategy.account, strategy.stock.ref):
            mine, theirs = strategy.excess_shares, other.excess_shares
            if other.episode is None or mine * theirs >= 0:
                continue
            crossed = min(abs(mine), abs(theirs)).copy_sign(mine)
            self._roster.set_shares(strategy, strategy.shares - crossed)
            self._roster.set_shares(other, other.shares + crossed)
            text = f"{abs(crossed):f} shares of {strategy.id} net against those of {other.id}"
            self._floor.write(text, strategy.id)

    def legs(self, strategy: Strategy, book: Book) -> None:
        """Give legs that were closed too far to those who share the contract, as far as the account
        holds nothing of it that could be closed: that was theirs."""
        for leg in strategy.legs:
            contract, over = leg.contract, leg.expected
            if contract is None or over * leg.built >= 0:
                continue
            holding = book.holdings.get((strategy.account, contract.ref))
            if holding is None or holding.row_surplus:
                continue
            there = holding.effective if over > 0 else -holding.effective
            lacking = (abs(over) - min(abs(over), max(ZERO, there))).copy_sign(over)
            if lacking:
                self._give(strategy, leg, contract.ref, lacking)
                self._roster.divide(book, strategy.account, contract.ref)

    def _give(self, strategy: Strategy, leg: Leg, ref: str, lacking: Decimal) -> None:
        leg.expected -= lacking
        for other, theirs in self._roster.claims(strategy.account, ref):
            if other is strategy or other.closed:
                continue
            part = toward_zero(theirs.expected, lacking)
            if not part:
                continue
            theirs.expected += part
            lacking -= part
            text = f"{abs(part):f} {leg.name} of it went with the close of {strategy.id}"
            if other.episode is None:
                other.note = other.unclear = text
                self._floor.alert(
                    Severity.WARNING,
                    f"{other.id}: {text}",
                    "Somebody else closed the same contract. Look at it at the broker.",
                    other.id,
                )
