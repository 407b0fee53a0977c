"""Which strategies a contract, a stock or an instant concerns, and what each holds of it.

The account's contracts are divided among the strategies that declare them, in the order of the
config: each takes up to what it expects, never more than is held, never the other sign. Only what
was touched is divided anew. Whatever concerns a strategy makes it due; who decides takes the due.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from engine.desk.books import Book, Holding
from engine.desk.instruments import OptionContract, Stock
from engine.desk.options.strategies import Leg, Strategy, Terms, terms_of

ZERO = Decimal(0)
_FEW = 8
"""So many holdings, or contracts, cost about as much as one strategy."""

Claim = tuple[Strategy, Leg]


class Roster:
    """strategies: id -> Strategy in config order. accounts: those of the venue.

    Within: terms -> legs that declare them; (account, terms) -> contracts seen, by ref; (account,
    ref) -> legs bound to it; (account, stock ref) -> strategies with shares in it; (account,
    symbol) -> stock seen. version: counts what may have changed any of it.
    """

    def __init__(self) -> None:
        self.strategies: dict[str, Strategy] = {}
        self.version = 0
        self._declaring: dict[Terms, list[Claim]] = {}
        self._on_stock: dict[str, list[Strategy]] = {}
        self._contracts: dict[tuple[str, Terms], dict[str, OptionContract]] = {}
        self._claims: dict[tuple[str, str], list[Claim]] = {}
        self._sharing: dict[tuple[str, str], dict[str, Strategy]] = {}
        self._in_order: dict[tuple[str, str], list[Strategy]] = {}
        self._stocks: dict[tuple[str, str], dict[str, Holding]] = {}
        self._accounts: tuple[str, ...] = ()
        self._unplaced: dict[str, Strategy] = {}
        self._loose = 0
        self._due: dict[str, Strategy] = {}
        self._alarm: dict[str, datetime] = {}
        self._alarms: list[tuple[datetime, int, str]] = []

    # --- the whole -------------------------------------------------------------------------------

    def declare(self, strategies: Iterable[Strategy]) -> None:
        """Take the strategies in force. rebuild() must follow before anything is asked."""
        self.strategies = {strategy.id: strategy for strategy in strategies}
        self._declaring, self._on_stock = {}, {}
        self._alarm, self._alarms = {}, []
        for order, strategy in enumerate(self.strategies.values()):
            strategy.order = order
            for leg in strategy.legs:
                self._declaring.setdefault(strategy.terms(leg), []).append((strategy, leg))
            if strategy.definition.shares:
                self._on_stock.setdefault(strategy.definition.underlying, []).append(strategy)

    def rebuild(self, book: Book, accounts: tuple[str, ...]) -> Iterator[None]:
        """Place, bind and divide everything from scratch, a little at each step. Until the last
        step nothing may be asked, and nothing may change in the book."""
        self._accounts = accounts
        self._contracts, self._claims, self._stocks = {}, {}, {}
        self._sharing, self._in_order = {}, {}
        self._loose, self._unplaced = 0, {}
        for number, holding in enumerate(tuple(book.holdings.values()), 1):
            self._see(holding)
            if number % _FEW == 0:
                yield
        for strategy in self.strategies.values():
            self._settle_in(strategy, book)
            yield
        for number, (key, claims) in enumerate(self._claims.items(), 1):
            _divide(claims, book.effective(*key))
            if number % _FEW == 0:
                yield

    # --- what was touched ------------------------------------------------------------------------

    def touch(self, book: Book, account: str, ref: str) -> None:
        """Divide one holding anew; whom it concerns is due."""
        holding = book.holdings.get((account, ref))
        if holding is None:
            return
        self.version += 1
        instrument = holding.instrument
        if isinstance(instrument, OptionContract):
            if self._loose:
                self._see(holding)
                self._bind(book, account, instrument)
            elif (account, ref) not in self._claims:
                self._see(holding)
            self.divide(book, account, ref)
        elif isinstance(instrument, Stock):
            self._see(holding)
            self._stock_moved(account, ref)
            for strategy in self._on_stock.get(instrument.symbol, ()):
                if strategy.account == account and not strategy.seen_whole:
                    self.wake(strategy)

    def divide(self, book: Book, account: str, ref: str) -> None:
        """Divide one contract among those who claim it."""
        claims = self._claims.get((account, ref))
        if claims is None:
            return
        _divide(claims, book.effective(account, ref))
        for strategy, _ in claims:
            self.wake(strategy)

    def rebind(self, strategy: Strategy, leg: Leg, contract: OptionContract) -> None:
        """Let a leg be another contract from now on: the venue renamed or adjusted it."""
        if leg.contract is not None:
            claims = self._claims[strategy.account, leg.contract.ref]
            claims[:] = [claim for claim in claims if claim[1] is not leg]
        leg.bind(contract)
        self._claim(strategy, leg, contract)

    def set_shares(self, strategy: Strategy, shares: Decimal, stock: Stock | None = None) -> None:
        """Say how many shares a strategy has, and in which stock if that was not known."""
        if stock is not None and stock != strategy.stock:
            if strategy.stock is not None:
                self._forget_shares(strategy, strategy.stock)
            strategy.stock = stock
        strategy.shares = shares
        if strategy.stock is None:
            return
        if shares:
            key = (strategy.account, strategy.stock.ref)
            sharing = self._sharing.setdefault(key, {})
            if strategy.id not in sharing:
                sharing[strategy.id] = strategy
                self._in_order.pop(key, None)
        else:
            self._forget_shares(strategy, strategy.stock)
        self._stock_moved(strategy.account, strategy.stock.ref)

    # --- questions -------------------------------------------------------------------------------

    def claims(self, account: str, ref: str) -> Sequence[Claim]:
        """The legs bound to a contract, in the order of the config."""
        return self._claims.get((account, ref), ())

    def all_claims(self) -> Iterable[tuple[tuple[str, str], list[Claim]]]:
        """Every contract that legs are bound to: (account, ref) -> those legs."""
        return self._claims.items()

    def sharing(self, account: str, ref: str) -> Sequence[Strategy]:
        """The strategies that have shares of a stock, in the order of the config."""
        key = (account, ref)
        found = self._in_order.get(key)
        if found is None:
            found = sorted(self._sharing.get(key, {}).values(), key=_order)
            self._in_order[key] = found
        return found

    def stocks(self, account: str, symbol: str) -> list[Holding]:
        """The stock holdings of that symbol, those in an unexplained change first."""
        found = self._stocks.get((account, symbol))
        if not found:
            return []
        return sorted(found.values(), key=_nearest)

    def fitting(self, strategy: Strategy, leg: Leg) -> list[OptionContract]:
        """The contracts seen in the strategy's account that are what the leg declares."""
        seen = self._contracts.get((strategy.account, strategy.terms(leg)))
        return list(seen.values()) if seen else []

    # --- who is due ------------------------------------------------------------------------------

    def mark(self, strategy: Strategy) -> None:
        """Have a strategy drawn anew: it is being looked at."""
        self.version += 1
        strategy.revision += 1

    def wake(self, strategy: Strategy) -> None:
        """Make a strategy due now: it changed, or what concerns it did."""
        self.mark(strategy)
        self._due[strategy.id] = strategy

    def wake_at(self, strategy: Strategy, at: datetime | None) -> None:
        """Make a strategy due at an instant; it replaces the one said before."""
        before = self._alarm.get(strategy.id)
        if at == before:
            return
        if at is None:
            del self._alarm[strategy.id]
            return
        self._alarm[strategy.id] = at
        heapq.heappush(self._alarms, (at, strategy.order, strategy.id))

    def wake_active(self) -> None:
        """Make all who are on their way out, or wait to be, due: the ground under them changed."""
        for strategy in self.strategies.values():
            if strategy.episode is not None or strategy.ruled:
                self.wake(strategy)

    def take_due(self, now: datetime) -> list[Strategy]:
        """The strategies that are due, in the order of the config; they no longer are."""
        while (at := self.next_alarm()) is not None and at <= now:
            _, _, strategy_id = heapq.heappop(self._alarms)
            del self._alarm[strategy_id]
            self.wake(self.strategies[strategy_id])
        if not self._due:
            return []
        due, self._due = self._due, {}
        for strategy in due.values():
            strategy.revision += 1
        return sorted(due.values(), key=_order)

    def next_alarm(self) -> datetime | None:
        """The next instant at which time alone makes a strategy due."""
        alarms = self._alarms
        while alarms and self._alarm.get(alarms[0][2]) != alarms[0][0]:
            heapq.heappop(alarms)
        return alarms[0][0] if alarms else None

    # --- within ----------------------------------------------------------------------------------

    def _settle_in(self, strategy: Strategy, book: Book) -> None:
        """Find a strategy's account and contracts, as far as they can be told."""
        if not strategy.account and not self._place(strategy, book):
            self._unplaced[strategy.id] = strategy
        for leg in strategy.legs:
            if leg.contract is None and (found := self._fitting(strategy, leg, book)):
                leg.bind(found)
            if leg.contract is None:
                leg.held = ZERO
                self._loose += 1
            else:
                key = (strategy.account, leg.contract.ref)
                self._claims.setdefault(key, []).append((strategy, leg))
        self.set_shares(strategy, strategy.shares)

    def _see(self, holding: Holding) -> None:
        instrument = holding.instrument
        if isinstance(instrument, OptionContract):
            key = (holding.account, terms_of(instrument))
            self._contracts.setdefault(key, {})[instrument.ref] = instrument
        elif isinstance(instrument, Stock):
            place = (holding.account, instrument.symbol)
            self._stocks.setdefault(place, {})[instrument.ref] = holding

    def _bind(self, book: Book, account: str, contract: OptionContract) -> None:
        """Bind the legs that declare a contract and have none yet."""
        for strategy, leg in self._declaring.get(terms_of(contract), ()):
            if strategy.id in self._unplaced and self._place(strategy, book):
                del self._unplaced[strategy.id]
                self._bind_all(strategy, book)
            elif strategy.account == account and leg.contract is None:
                self._bind_one(strategy, leg, book)

    def _bind_all(self, strategy: Strategy, book: Book) -> None:
        for leg in strategy.legs:
            if leg.contract is None:
                self._bind_one(strategy, leg, book)
        self.wake(strategy)

    def _bind_one(self, strategy: Strategy, leg: Leg, book: Book) -> None:
        contract = self._fitting(strategy, leg, book)
        if contract is not None:
            leg.bind(contract)
            self._loose -= 1
            self._claim(strategy, leg, contract)
            self.divide(book, strategy.account, contract.ref)

    def _claim(self, strategy: Strategy, leg: Leg, contract: OptionContract) -> None:
        claims = self._claims.setdefault((strategy.account, contract.ref), [])
        claims.append((strategy, leg))
        claims.sort(key=lambda claim: claim[0].order)

    def _place(self, strategy: Strategy, book: Book) -> bool:
        """Find the account a strategy lives in: its own, the venue's only one, or the only one that
        holds any of its legs."""
        definition = strategy.definition
        accounts: Sequence[str] = self._accounts
        if definition.account is not None:
            accounts = (definition.account,)
        elif len(accounts) > 1:
            accounts = [
                account
                for account in accounts
                if any(
                    book.effective(account, ref)
                    for leg in strategy.legs
                    for ref in self._contracts.get((account, strategy.terms(leg)), ())
                )
            ]
        strategy.account = accounts[0] if len(accounts) == 1 else ""
        return bool(strategy.account)

    def _fitting(self, strategy: Strategy, leg: Leg, book: Book) -> OptionContract | None:
        """The one contract that is what the leg declares and is held its way round; where two are
        (an adjusted one beside the standard one), nobody can tell which is meant."""
        held = [
            contract
            for contract in self.fitting(strategy, leg)
            if book.effective(strategy.account, contract.ref) * leg.expected > 0
        ]
        return held[0] if len(held) == 1 else None

    def stir(self, account: str, ref: str) -> None:
        """Make due who may close a contract or a stock that another's order kept from them."""
        for strategy, _ in self.claims(account, ref):
            if strategy.episode is not None:
                self.wake(strategy)
        self._stock_moved(account, ref)

    def _stock_moved(self, account: str, ref: str) -> None:
        """What one may close of a stock depends on what is held and what the others have."""
        for strategy in self._sharing.get((account, ref), {}).values():
            if strategy.episode is not None:
                self.wake(strategy)
            else:
                strategy.revision += 1

    def _forget_shares(self, strategy: Strategy, stock: Stock) -> None:
        key = (strategy.account, stock.ref)
        if self._sharing.get(key, {}).pop(strategy.id, None) is not None:
            self._in_order.pop(key, None)


def _divide(claims: Sequence[Claim], held: Decimal) -> None:
    """Give each claim its share of what is held, the first declared first."""
    left = held
    for strategy, leg in claims:
        wanted = ZERO if strategy.closed else leg.expected
        if not wanted or (wanted > 0) is not (left > 0) or not left:
            leg.held = ZERO
            continue
        leg.held = wanted if abs(wanted) <= abs(left) else left
        left -= leg.held


def _order(strategy: Strategy) -> int:
    return strategy.order


def _nearest(holding: Holding) -> tuple[bool, bool, str]:
    return not holding.row_surplus, not holding.reported, holding.instrument.ref
