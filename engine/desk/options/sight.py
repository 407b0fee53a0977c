"""Sees a declared strategy whole for the first time, or says once that it is not held as declared;
and sees when one that was unclear explains itself again.

What was never seen whole is watched, and nothing is sent for what was never there.
"""

from decimal import Decimal

from engine.desk.books import Book
from engine.desk.floor import Floor
from engine.desk.instruments import Stock
from engine.desk.intents import Severity
from engine.desk.options.roster import Roster
from engine.desk.options.strategies import Strategy

ZERO = Decimal(0)


class Sight:
    """Holds no state of its own."""

    def __init__(self, floor: Floor, roster: Roster) -> None:
        self._floor = floor
        self._roster = roster

    def look(self, strategy: Strategy, book: Book) -> None:
        """See the strategy whole if it is, else say why not."""
        if strategy.unclear:
            self._look_again(strategy)
        if strategy.seen_whole or strategy.closed or strategy.episode is not None:
            return
        declared = strategy.definition.shares
        stock = self._stock(strategy)
        held = book.effective(strategy.account, stock.ref) if stock is not None else ZERO
        missing = any(leg.held != leg.declared.quantity for leg in strategy.legs)
        if not missing and held * declared >= 0 and abs(held) >= abs(declared):
            strategy.seen_whole, strategy.note = True, ""
            self._roster.set_shares(strategy, declared, stock)
            return
        text = self._difference(strategy, held)
        if not strategy.note:
            naked = strategy.uncovered(lambda leg: leg.held)
            title = f"NAKED_POSITION, {naked}" if naked else "not held as declared"
            self._floor.alert(
                Severity.CRITICAL if naked else Severity.WARNING,
                f"{strategy.id}: {title}",
                f"{text}. It is watched, and nothing is sent for what was never there.",
                strategy.id,
            )
        strategy.note = f"never seen whole: {text}"

    def _look_again(self, strategy: Strategy) -> None:
        """Take back that its owner must look, where what is held leaves no question any more."""
        if strategy.closed or strategy.broken or not self._is_explained(strategy):
            return
        text, strategy.unclear = strategy.unclear, ""
        self._floor.alert(
            Severity.INFO, f"{strategy.id}: clear again", f"It was: {text}.", strategy.id
        )

    def _is_explained(self, strategy: Strategy) -> bool:
        """Whether every leg is held as it is believed to be, nothing it has sold is bare, and no
        other strategy could own what changed as well."""
        meant = strategy.meant_shares
        if strategy.shares * meant < 0 or abs(strategy.shares) < abs(meant):
            return False
        if strategy.uncovered(lambda leg: leg.expected):
            return False
        for leg in strategy.legs:
            if leg.held != leg.expected or leg.contract is None:
                return False
            if leg.expected != leg.meant and self._may_be_anothers(strategy, leg.contract.ref):
                return False
        return True

    def _may_be_anothers(self, strategy: Strategy, ref: str) -> bool:
        claims = self._roster.claims(strategy.account, ref)
        return any(leg.expected for other, leg in claims if other is not strategy)

    def _difference(self, strategy: Strategy, shares: Decimal) -> str:
        if not strategy.account:
            return "the venue has several accounts: say venue_account in the config"
        for leg in strategy.legs:
            if leg.held == leg.declared.quantity:
                continue
            name = f"{leg.declared.strike.normalize():f} {leg.declared.right}"
            fitting = self._roster.fitting(strategy, leg)
            if leg.contract is None and len(fitting) > 1:
                refs = ", ".join(sorted(contract.ref for contract in fitting))
                return f"several contracts fit {name}: {refs}"
            return f"{name} declared {leg.declared.quantity:+f}, held {leg.held:+f}"
        return f"{strategy.definition.shares:+f} shares declared, {shares:+f} held"

    def _stock(self, strategy: Strategy) -> Stock | None:
        held = self._roster.stocks(strategy.account, strategy.definition.underlying)
        instrument = held[0].instrument if held else None
        return instrument if isinstance(instrument, Stock) else None
