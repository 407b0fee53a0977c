"""Explains position changes that no execution explains: assigned, exercised, expired, or missing.

One pure function. It is told what changed in one account's options and stock of one underlying, and
answers only what the evidence carries. What it does not answer stays a question.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from engine.desk.instruments import Instrument, OptionContract, Right
from engine.desk.snapshot import AssignmentKind

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionChange:
    """An unexplained change of an option position. change and before are signed contracts.

    settled: its last trading day is over. confirmed: long enough ago, and two fresh complete
    snapshots agree. doubtful: an execution may still explain it (ours is working, or a person could
    have traded it and the executions have not been asked for since).
    """

    contract: OptionContract
    change: Decimal
    before: Decimal
    settled: bool = False
    cash_settled: bool = False
    confirmed: bool = False
    doubtful: bool = False

    @property
    def shrinks(self) -> bool:
        return self.before * self.change < 0 and abs(self.change) <= abs(self.before)

    @property
    def shares(self) -> Decimal:
        """The shares a standard delivery of this change would move, signed.

        A short put gone (+) brings shares, a short call gone (+) takes them; long legs (-) mirror.
        """
        sign = 1 if self.contract.right is Right.PUT else -1
        return sign * self.change * self.contract.multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChange:
    """An unexplained change of the underlying's stock, signed shares."""

    stock: Instrument
    change: Decimal
    confirmed: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one change was. change is what it explains of the option (or stock) position, shares
    what it explains of the stock; both signed. A SUSPECT here is a leg proven missing."""

    kind: AssignmentKind
    instrument: Instrument
    change: Decimal
    shares: Decimal
    evidence: str


def explain(options: Iterable[OptionChange], stock: StockChange | None) -> tuple[Explanation, ...]:
    """Explain what can be explained now.

    Rows of options and stock that match as a standard delivery explain each other at once, in
    whatever order they came. Anything else waits until it is confirmed.
    """
    open_changes = [o for o in options if o.change]
    found: list[Explanation] = []
    if stock is not None and stock.change and not stock.doubtful:
        matched = _matching(open_changes, stock.change)
        if matched:
            found += [_delivery(o, o.shares, "rows match") for o in matched]
            open_changes = [o for o in open_changes if o not in matched]
            stock = None
    for change in open_changes:
        if not change.confirmed or change.doubtful:
            continue
        told = _confirmed(change, stock, alone=len(open_changes) == 1)
        if told.shares:
            stock = None
        found.append(told)
    if stock is not None and stock.change and stock.confirmed and not open_changes:
        found.append(
            Explanation(
                kind=AssignmentKind.EXTERNAL,
                instrument=stock.stock,
                change=stock.change,
                shares=ZERO,
                evidence="stock moved with no option leg and no execution",
            )
        )
    return tuple(found)


def _matching(changes: list[OptionChange], shares: Decimal) -> tuple[OptionChange, ...]:
    """The changes whose standard deliveries add up to the stock's change: all, or the fewest."""
    able = [c for c in changes if c.shrinks and not c.doubtful and not c.cash_settled]
    for group in _groups(able):
        if sum(c.shares for c in group) == shares:
            return group
    return ()


def _groups(changes: list[OptionChange]) -> Iterator[tuple[OptionChange, ...]]:
    """Candidates in order of likelihood: the shorts alone, everything, then small groups."""
    shorts = tuple(c for c in changes if c.before < 0)
    if shorts:
        yield shorts
    if changes:
        yield tuple(changes)
    for size in range(1, min(len(changes), 4) + 1):
        yield from combinations(sorted(changes, key=lambda c: c.before), size)


def _delivery(change: OptionChange, shares: Decimal, evidence: str) -> Explanation:
    kind = AssignmentKind.ASSIGNED if change.before < 0 else AssignmentKind.EXERCISED
    return Explanation(
        kind=kind,
        instrument=change.contract,
        change=change.change,
        shares=shares,
        evidence=f"{evidence}: option {change.change:+f}, stock {shares:+f}",
    )


def _confirmed(change: OptionChange, stock: StockChange | None, *, alone: bool) -> Explanation:
    if change.shrinks and stock is not None and alone and _plausible(change, stock.change):
        return _delivery(change, stock.change, "the ratio that appeared")
    if change.shrinks and change.cash_settled:
        kind, evidence = AssignmentKind.CASH_SETTLED, "cash-settled contract gone, no shares"
    elif change.shrinks and change.settled:
        kind, evidence = AssignmentKind.EXPIRED, "gone after its last trading day, no shares"
    elif change.shrinks:
        kind = AssignmentKind.SUSPECT
        evidence = "gone in two fresh snapshots; no execution, no shares"
    else:
        kind, evidence = AssignmentKind.EXTERNAL, "position changed with no execution"
    return Explanation(
        kind=kind,
        instrument=change.contract,
        change=change.change,
        shares=ZERO,
        evidence=evidence,
    )


def _plausible(change: OptionChange, shares: Decimal) -> bool:
    """Whether shares can be a delivery of an adjusted contract: right sign, whole per contract."""
    same_direction = shares * change.shares > 0
    return same_direction and shares % change.change == 0
