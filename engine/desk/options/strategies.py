"""The declared strategies as they stand: what each believes it holds, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.desk.books import Book
from engine.desk.instruments import Instrument, OptionContract, Stock
from engine.desk.options.definitions import LegDefinition, StrategyDefinition
from engine.desk.snapshot import StrategyStatus

ZERO = Decimal(0)


@dataclass(slots=True)
class Leg:
    """A leg of one strategy in one account. expected follows explained changes; declared does not.

    contract is None until the account was seen to hold it.
    """

    declared: LegDefinition
    expected: Decimal
    contract: OptionContract | None = None
    held: Decimal = ZERO


@dataclass(slots=True)
class Episode:
    """One way out: from the decision to close until nothing is left.

    attempts, retry_at, troubles: instrument ref -> orders sent so far, when to try again after one
    ended unfilled, and why it did.
    """

    number: int
    reason: str
    attempts: dict[str, int] = field(default_factory=dict)
    retry_at: dict[str, datetime] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Strategy:
    """shares: signed stock of this strategy's that is (still) held; stock is known once seen."""

    definition: StrategyDefinition
    account: str
    legs: list[Leg]
    shares: Decimal = ZERO
    stock: Stock | None = None
    seen_whole: bool = False
    broken: str = ""
    note: str = ""
    closed: bool = False
    episode: Episode | None = None
    episodes: int = 0
    working: bool = False

    @classmethod
    def declared(cls, definition: StrategyDefinition, account: str) -> "Strategy":
        legs = [Leg(declared=leg, expected=leg.quantity) for leg in definition.legs]
        return cls(definition=definition, account=account, legs=legs)

    @property
    def id(self) -> str:
        return self.definition.id

    @property
    def is_flat(self) -> bool:
        return not self.shares and not any(leg.held for leg in self.legs)

    def leg_of(self, contract: Instrument) -> Leg | None:
        return next((leg for leg in self.legs if leg.contract == contract), None)

    def begin(self, reason: str) -> None:
        """Open an episode; one that runs goes on."""
        if self.episode is None:
            self.episodes += 1
            self.episode = Episode(number=self.episodes, reason=reason)

    def finish(self) -> None:
        self.episode = None
        self.closed = True

    def status(self, suspect: bool) -> StrategyStatus:
        """The public status; suspect: one of its legs changed and it is not yet known why."""
        if self.closed:
            return StrategyStatus.CLOSED
        if self.episode is not None:
            if self.episode.troubles:
                return StrategyStatus.ATTENTION
            if self.working or not self.broken:
                return StrategyStatus.CLOSING
            return StrategyStatus.BROKEN
        if self.broken:
            return StrategyStatus.ATTENTION
        if suspect:
            return StrategyStatus.SUSPECT
        return StrategyStatus.INTACT if self.seen_whole else StrategyStatus.ATTENTION


def attribute(strategies: Iterable[Strategy], book: Book) -> None:
    """Divide what the account holds among the strategies that declare it, in their order.

    Each takes up to what it expects of a contract, never more than is held, never the other sign.
    """
    taken: dict[tuple[str, str], Decimal] = {}
    by_account: dict[str, list[OptionContract]] = {}
    for (account, _), holding in book.holdings.items():
        if isinstance(holding.instrument, OptionContract):
            by_account.setdefault(account, []).append(holding.instrument)
    for strategy in strategies:
        for leg in strategy.legs:
            if leg.contract is None:
                leg.contract = _find(strategy, leg, by_account.get(strategy.account, []))
            if leg.contract is None or not leg.expected:
                leg.held = ZERO
                continue
            key = (strategy.account, leg.contract.ref)
            left = book.effective(*key) - taken.get(key, ZERO)
            leg.held = _share(leg.expected, left)
            taken[key] = taken.get(key, ZERO) + leg.held


def _find(
    strategy: Strategy, leg: Leg, contracts: Iterable[OptionContract]
) -> OptionContract | None:
    return next(
        (
            contract
            for contract in contracts
            if contract.underlying == strategy.definition.underlying
            and leg.declared.matches(contract)
        ),
        None,
    )


def _share(expected: Decimal, left: Decimal) -> Decimal:
    if expected * left <= 0:
        return ZERO
    return min(abs(expected), abs(left)).copy_sign(expected)
