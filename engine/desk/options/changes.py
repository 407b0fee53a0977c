"""A position change that no execution explains, with its evidence, and what it turned out to be."""

from decimal import Decimal

from msgspec import Struct

from engine.desk.instruments import Instrument, OptionContract, Right
from engine.desk.snapshot import AssignmentKind

ZERO = Decimal(0)


class OptionChange(Struct, frozen=True, kw_only=True):
    """An unexplained change of an option position. change and before are signed contracts.

    settled: its last trading day is over. fresh: so young that rows which belong to it may still
    come. confirmed: long enough ago, and two fresh complete snapshots agree. doubtful: an execution
    may still explain it (ours is working, or a person could have traded it and the executions have
    not been asked for since).
    """

    contract: OptionContract
    change: Decimal
    before: Decimal
    settled: bool = False
    cash_settled: bool = False
    fresh: bool = False
    confirmed: bool = False
    doubtful: bool = False

    @property
    def shrinks(self) -> bool:
        return self.before * self.change < 0 and abs(self.change) <= abs(self.before)

    @property
    def is_short(self) -> bool:
        return self.before < 0

    @property
    def unit(self) -> Decimal:
        """The shares a standard delivery of one contract of this change moves, signed.

        A short put gone (+) brings shares, a short call gone (+) takes them; long legs (-) mirror.
        """
        sign = 1 if (self.contract.right is Right.PUT) is (self.change > 0) else -1
        return sign * self.contract.multiplier

    @property
    def shares(self) -> Decimal:
        """The shares a standard delivery of this whole change moves, signed."""
        return self.unit * abs(self.change)


class StockChange(Struct, frozen=True, kw_only=True):
    """An unexplained change of the underlying's stock, signed shares. The flags are as for an
    OptionChange.

    kept: of what was held before, what is not on its way out. deliveries: what the venue's own
    executions in it were, as (signed shares, price); they need not be there.
    """

    stock: Instrument
    change: Decimal
    before: Decimal = ZERO
    kept: Decimal = ZERO
    fresh: bool = False
    confirmed: bool = False
    doubtful: bool = False
    deliveries: tuple[tuple[Decimal, Decimal], ...] = ()

    @property
    def may_be_split(self) -> bool:
        """Whether a split of what is kept would look just the same."""
        return self.change * self.kept > 0 and not self.change % self.kept


class Explanation(Struct, frozen=True, kw_only=True):
    """What one change was. change is what it explains of the option (or stock) position, shares
    what it explains of the stock; both signed. A SUSPECT here is a leg proven missing.

    unsure: what appeared is not what the contract promises, so a person must look. successor: what
    the venue put in the contract's place, ratio times as many of it.
    """

    kind: AssignmentKind
    instrument: Instrument
    change: Decimal
    shares: Decimal = ZERO
    stock: Instrument | None = None
    evidence: str = ""
    unsure: bool = False
    successor: Instrument | None = None
    ratio: Decimal = Decimal(1)
