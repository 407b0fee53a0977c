"""The options desk: keeps the declared strategies, judges changes, closes what is broken."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import CloseRequested, ConfigApplied, Execution
from engine.desk.floor import Floor
from engine.desk.instruments import Instrument, OptionContract, Stock
from engine.desk.intents import Severity
from engine.desk.options.closer import Closer
from engine.desk.options.definitions import OptionSettings, StrategyDefinition
from engine.desk.options.events import EventLog
from engine.desk.options.judge import Judge
from engine.desk.options.strategies import Strategy, attribute
from engine.desk.orders import Order
from engine.desk.snapshot import StrategyStatus

REFUSED_BROKEN = "Cannot close broken strategy. Legs may be assigned. Manual review required."


class OptionsDesk:
    """strategies: id -> Strategy, in the order of the config."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.settings: OptionSettings | None = None
        self.strategies: dict[str, Strategy] = {}
        self.log = EventLog()
        self._judge = Judge(floor, self.log)
        self.closer = Closer(floor)

    def configure(self, fact: ConfigApplied) -> None:
        """Take the declared strategies; those unchanged keep their state, running exits go on."""
        self.settings = fact.options
        if fact.options is not None:
            self.closer.max_slippage = fact.options.max_slippage
        kept: dict[str, Strategy] = {}
        for definition in fact.strategies:
            old = self.strategies.get(definition.id)
            if old is not None and (old.definition == definition or old.episode is not None):
                kept[definition.id] = old
            else:
                account = self._account(definition)
                kept[definition.id] = Strategy.declared(definition, account)
        for strategy in self.strategies.values():
            if strategy.episode is not None:
                kept.setdefault(strategy.id, strategy)
        self.strategies = kept

    def take_execution(self, venue: str, execution: Execution, change: Decimal) -> None:
        owned = [s for s in self.strategies.values() if s.definition.venue == venue]
        self._judge.take_execution(owned, venue, execution, change)

    def order_ended(self, order: Order) -> None:
        strategy = self.strategies.get(order.intent.strategy_id or "")
        if strategy is not None:
            self.closer.ended(order, strategy)

    def order_absent(self, order: Order) -> None:
        strategy = self.strategies.get(order.intent.strategy_id or "")
        if strategy is not None:
            self.closer.absent(order, strategy)

    def venue_returned(self, venue: str) -> None:
        """A link that came back: what failed for want of it is tried again at once."""
        for strategy in self.strategies.values():
            if strategy.definition.venue == venue and strategy.episode is not None:
                strategy.episode.retry_at.clear()

    def status(self, strategy: Strategy) -> StrategyStatus:
        return strategy.status(suspect=self._judge.is_suspect(strategy))

    def decide(self) -> None:
        """Judge and act on the venue's book as it stands. Nothing is decided on a frozen link."""
        if self.settings is None:
            return
        venue = self.settings.venue
        book = self._floor.book(venue)
        strategies = list(self.strategies.values())
        live = book.known and self._floor.standing(venue).is_live
        for strategy in strategies:
            strategy.account = strategy.account or self._account(strategy.definition)
        attribute(strategies, book)
        if live:
            if self._judge.judge(venue, book, strategies, self.settings):
                attribute(strategies, book)
            for strategy in strategies:
                self._sight(strategy)
                self.closer.advance(strategy, book)

    def names(self) -> Iterator[str]:
        return iter(self.strategies)

    def request_close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        if fact.strategy_id is None:
            targets = [s for s in self.strategies.values() if not s.closed and not s.is_flat]
            if not targets:
                return None
        else:
            strategy = self.strategies.get(fact.strategy_id)
            if strategy is None:
                return None
            if strategy.closed or strategy.is_flat:
                return False, f"Nothing is held of {strategy.id}."
            targets = [strategy]
        if not fact.emergency and any(self._is_doubtful(s) for s in targets):
            return False, REFUSED_BROKEN
        word = "emergency close" if fact.emergency else "close"
        for strategy in targets:
            strategy.begin(f"{word} by {fact.by}")
            if strategy.episode is not None:
                strategy.episode.retry_at.clear()
                strategy.episode.troubles.clear()
        return True, "Closing " + ", ".join(s.id for s in targets) + "."

    def deadlines(self) -> Iterator[datetime]:
        if self.settings is None:
            return
        book = self._floor.book(self.settings.venue)
        yield from self._judge.deadlines(book, self.settings)
        for strategy in self.strategies.values():
            yield from self.closer.deadlines(strategy, book)

    def _is_doubtful(self, strategy: Strategy) -> bool:
        return bool(strategy.broken) or self._judge.is_suspect(strategy)

    def _account(self, definition: StrategyDefinition) -> str:
        """The account a strategy lives in: its own, the venue's only one, or the only one that
        holds any of its legs; empty while it is not known."""
        if definition.account is not None:
            return definition.account
        accounts = self._floor.standing(definition.venue).accounts
        if len(accounts) > 1:
            book = self._floor.book(definition.venue)
            accounts = tuple(
                sorted(
                    {
                        account
                        for (account, _), holding in book.holdings.items()
                        if _is_leg(definition, holding.instrument) and holding.effective
                    }
                )
            )
        return accounts[0] if len(accounts) == 1 else ""

    def _sight(self, strategy: Strategy) -> None:
        """See a strategy whole for the first time, or say once that it is not held as declared."""
        if strategy.seen_whole or strategy.closed or strategy.episode is not None:
            return
        missing = [leg for leg in strategy.legs if leg.held != leg.declared.quantity]
        stock = self._stock(strategy)
        declared = strategy.definition.shares
        book = self._floor.book(strategy.definition.venue)
        held = book.effective(strategy.account, stock.ref) if stock is not None else Decimal(0)
        if not missing and held * declared >= 0 and abs(held) >= abs(declared):
            strategy.seen_whole = True
            strategy.stock, strategy.shares, strategy.note = stock, declared, ""
            return
        if not strategy.account:
            text = "the venue has several accounts: say venue_account in the config"
        elif missing:
            leg = missing[0]
            name = f"{leg.declared.strike.normalize():f} {leg.declared.right}"
            text = f"{name} declared {leg.declared.quantity:+f}, held {leg.held:+f}"
        else:
            text = f"{declared:+f} shares declared, {held:+f} held"
        if not strategy.note:
            self._floor.alert(
                Severity.WARNING,
                f"{strategy.id}: not held as declared",
                f"{text}. It is watched, and nothing is sent for what was never there.",
            )
        strategy.note = f"never seen whole: {text}"

    def _stock(self, strategy: Strategy) -> Stock | None:
        book = self._floor.book(strategy.definition.venue)
        for (account, _), holding in book.holdings.items():
            instrument = holding.instrument
            if (
                account == strategy.account
                and isinstance(instrument, Stock)
                and instrument.symbol == strategy.definition.underlying
            ):
                return instrument
        return None


def _is_leg(definition: StrategyDefinition, instrument: Instrument) -> bool:
    return (
        isinstance(instrument, OptionContract)
        and instrument.underlying == definition.underlying
        and any(leg.matches(instrument) for leg in definition.legs)
    )
