"""The declared strategies as they stand: what each believes it holds, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.desk.instruments import OptionContract, Right, Stock
from engine.desk.options.definitions import LegDefinition, StrategyDefinition
from engine.desk.snapshot import StrategyStatus

ZERO = Decimal(0)

Terms = tuple[str, Right, Decimal, date]
"""What tells a listed option from others in words: underlying, right, strike, expiry."""


def terms_of(contract: OptionContract) -> Terms:
    return contract.underlying, contract.right, contract.strike, contract.expiry


@dataclass(slots=True, eq=False)
class Leg:
    """A leg of one strategy in one account.

    meant is what it is built to hold (declared, less what a partial close took off); expected is
    what it believes to hold, which follows explained changes; held is its share of what the account
    holds. contract, and its name, are there once the account was seen to hold it. The name is made
    when it is first asked for: hundreds of legs are bound in one go.
    """

    declared: LegDefinition
    expected: Decimal
    meant: Decimal
    contract: OptionContract | None = None
    held: Decimal = ZERO
    _name: str = ""

    @property
    def built(self) -> Decimal:
        """The most it was ever built to hold, signed: declared, or multiplied by a split."""
        return max(self.declared.quantity, self.meant, key=abs)

    @property
    def name(self) -> str:
        if not self._name and self.contract is not None:
            self._name = self.contract.name
        return self._name

    def bind(self, contract: OptionContract) -> None:
        self.contract, self._name = contract, ""


@dataclass(slots=True)
class Episode:
    """One way out: from the decision to close until nothing is left, or, if partial, until what is
    left is as it is meant to be.

    By instrument ref: attempts are the orders sent so far, retry_at when to try again after one
    ended unfilled, troubles why it did; rounds how often a close was priced anew, tended_at when
    last. at_market: those whose price nobody met, so that they go out without one. rounded: those
    whose price was off its steps once already.
    """

    number: int
    reason: str
    partial: bool = False
    attempts: dict[str, int] = field(default_factory=dict)
    retry_at: dict[str, datetime] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    tended_at: dict[str, datetime] = field(default_factory=dict)
    at_market: set[str] = field(default_factory=set)
    rounded: set[str] = field(default_factory=set)

    def again(self) -> None:
        """Try everything anew, as if it had never failed."""
        self.retry_at.clear()
        self.troubles.clear()
        self.rounds.clear()
        self.at_market.clear()
        self.rounded.clear()


@dataclass(slots=True, eq=False)
class Strategy:
    """order: its place in the config. revision: counts what may have changed it. shares: signed
    stock of this strategy's that is (still) held, meant_shares what it is built to have; stock is
    known once seen, delivered_at is when an option last moved it. broken: what broke it. unclear:
    why its owner must look though nothing is broken. ruled: the exit rule that waits for arming."""

    definition: StrategyDefinition
    account: str
    legs: list[Leg]
    order: int = 0
    revision: int = 0
    shares: Decimal = ZERO
    meant_shares: Decimal = ZERO
    stock: Stock | None = None
    seen_whole: bool = False
    delivered_at: datetime | None = None
    broken: str = ""
    unclear: str = ""
    ruled: str = ""
    note: str = ""
    closed: bool = False
    episode: Episode | None = None
    episodes: int = 0
    working: bool = False
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.definition.id

    @classmethod
    def declared(cls, definition: StrategyDefinition, account: str) -> "Strategy":
        legs = [
            Leg(declared=leg, expected=leg.quantity, meant=leg.quantity) for leg in definition.legs
        ]
        return cls(
            definition=definition, account=account, legs=legs, meant_shares=definition.shares
        )

    @property
    def is_flat(self) -> bool:
        return not self.shares and not any(leg.held for leg in self.legs)

    @property
    def is_done(self) -> bool:
        """Whether it believes to hold nothing any more."""
        return not self.shares and not any(leg.expected for leg in self.legs)

    @property
    def is_as_meant(self) -> bool:
        """Whether what it believes to hold is what it is built to hold."""
        legs = all(leg.expected == leg.meant for leg in self.legs)
        return legs and self.shares == self.meant_shares

    def keep(self, leg: Leg) -> Decimal:
        """What of a leg a close leaves alone."""
        return leg.meant if self.episode is not None and self.episode.partial else ZERO

    @property
    def keep_shares(self) -> Decimal:
        """What of its shares a close leaves alone."""
        partial = self.episode is not None and self.episode.partial
        return self.meant_shares if partial else ZERO

    @property
    def excess_shares(self) -> Decimal:
        """Shares that are to go: all when it closes, else those it is not built to have."""
        return self.shares - (self.meant_shares if self.episode is None else self.keep_shares)

    def terms(self, leg: Leg) -> Terms:
        declared = leg.declared
        return self.definition.underlying, declared.right, declared.strike, declared.expiry

    def uncovered(self, size: Callable[[Leg], Decimal]) -> str:
        """Say which shorts the longs beside them no longer cover, empty where none; size tells
        what there is of a leg."""
        for right, word in ((Right.PUT, "put"), (Right.CALL, "call")):
            legs = [leg for leg in self.legs if leg.declared.right is right]
            bare = -sum((size(leg) for leg in legs), ZERO)
            built = max(ZERO, -sum((leg.meant for leg in legs), ZERO))
            if bare > built:
                return f"{bare:f} short {word} no longer covered"
        return ""

    def shrink_to(self, leg: Leg) -> bool:
        """Mean to hold only as many units as are left of one leg; False when none are.

        Shorts round down and longs up, so that what stays is covered as before.
        """
        if not leg.expected or not leg.meant:
            return False
        left, whole = leg.expected, leg.meant
        for each in self.legs:
            rounding = ROUND_FLOOR if each.meant < 0 else ROUND_CEILING
            size = abs(each.meant * left / whole).to_integral_value(rounding)
            each.meant = size.copy_sign(each.meant)
        if self.meant_shares:
            self.meant_shares = self.meant_shares * left / whole
        return True

    def begin(self, reason: str, *, partial: bool = False) -> None:
        """Open an episode; one that runs goes on, and no longer in part if this one is whole."""
        if self.episode is None:
            self.episodes += 1
            self.episode = Episode(number=self.episodes, reason=reason, partial=partial)
        else:
            self.episode.partial = self.episode.partial and partial

    def finish(self) -> None:
        """End the episode: it is closed, or goes on as what is left of it."""
        partial = self.episode is not None and self.episode.partial
        self.episode = None
        self.closed = not partial
        if partial:
            self.broken = ""

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
        if self.unclear or not self.seen_whole:
            return StrategyStatus.ATTENTION
        return StrategyStatus.INTACT
