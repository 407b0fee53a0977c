"""Explains position changes that no execution explains: assigned, exercised, expired, adjusted by
the venue, or missing.

One pure function. It is told what changed in one account's options and stock of one underlying,
with the evidence there is, and answers only what that carries. What it does not answer stays a
question. The order in which it is told never matters.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from msgspec.structs import replace

from engine.desk.instruments import Right
from engine.desk.options.changes import Explanation, OptionChange, StockChange
from engine.desk.snapshot import AssignmentKind

ZERO = Decimal(0)
_LARGEST_GROUP = 4
_MOST_LIKELY = 12


def explain(
    options: Iterable[OptionChange], stocks: Iterable[StockChange] = ()
) -> tuple[Explanation, ...]:
    """Explain what can be explained now.

    Short options gone and the shares of their standard delivery explain each other at once, in
    whatever order their rows came. Where more may belong to it (longs, contracts past their last
    day, a possible split) the rows are given time to be complete. Anything else waits until it is
    confirmed.
    """
    case = _Case(options, stocks)
    found = [*case.replacements(), *case.deliveries(), *case.confirmed()]
    return tuple(found)


class _Case:
    """The changes not explained yet, in an order of their own; each step takes some away."""

    def __init__(self, options: Iterable[OptionChange], stocks: Iterable[StockChange]) -> None:
        self.options = sorted((o for o in options if o.change), key=_by_contract)
        self.stocks = sorted((s for s in stocks if s.change), key=lambda s: s.stock.ref)

    # --- corporate actions -----------------------------------------------------------------------

    def replacements(self) -> Iterator[Explanation]:
        """Contracts that vanished while another of the same kind appeared in their place."""
        for old in [o for o in self.options if _vanished(o)]:
            new = next((o for o in self.options if _replaces(old, o)), None)
            if new is None:
                continue
            ratio = new.change / old.before
            self.options.remove(old)
            self.options.remove(new)
            evidence = f"{old.before:+f} {old.contract.name} became {new.change:+f} {_full(new)}"
            yield Explanation(
                kind=AssignmentKind.CORPORATE_ACTION,
                instrument=old.contract,
                change=old.change,
                evidence=evidence,
                successor=new.contract,
                ratio=ratio,
            )
            yield Explanation(
                kind=AssignmentKind.CORPORATE_ACTION,
                instrument=new.contract,
                change=new.change,
                evidence=evidence,
            )
            yield from self._replaced_stock(ratio)
        yield from self._renamed_stock()
        yield from self._multiplied()

    def _multiplied(self) -> Iterator[Explanation]:
        """Quantities multiplied alike where they stand, as an adjustment in place does."""
        changes: list[OptionChange | StockChange] = [*self.options, *self.stocks]
        if len(changes) < 2 or any(c.doubtful or c.change * c.before <= 0 for c in changes):
            return
        ratios = {(c.before + c.change) / c.before for c in changes}
        if len(ratios) != 1 or not self.options or not all(c.confirmed for c in changes):
            return
        (ratio,) = ratios
        for change in changes:
            one = change.contract if isinstance(change, OptionChange) else change.stock
            yield Explanation(
                kind=AssignmentKind.CORPORATE_ACTION,
                instrument=one,
                change=change.change,
                evidence=f"{change.before:+f} became {change.before + change.change:+f}, all alike",
                successor=one,
                ratio=ratio,
            )
        self.options, self.stocks = [], []

    def _replaced_stock(self, ratio: Decimal) -> Iterator[Explanation]:
        for stock in list(self.stocks):
            if ratio != 1 and stock.before and stock.change == stock.before * (ratio - 1):
                self.stocks.remove(stock)
                yield Explanation(
                    kind=AssignmentKind.CORPORATE_ACTION,
                    instrument=stock.stock,
                    change=stock.change,
                    evidence=f"{stock.before:+f} shares became {stock.before * ratio:+f}",
                    successor=stock.stock,
                    ratio=ratio,
                )

    def _renamed_stock(self) -> Iterator[Explanation]:
        """The stock's own identity may change overnight: as many are held under another."""
        for old in [s for s in self.stocks if s.before and s.change == -s.before]:
            new = next((s for s in self.stocks if not s.before and s.change == old.before), None)
            if new is None or old.doubtful or new.doubtful:
                continue
            self.stocks.remove(old)
            self.stocks.remove(new)
            evidence = f"the same {old.before:+f} shares are now {new.stock.ref}"
            for change, successor in ((old, new.stock), (new, None)):
                yield Explanation(
                    kind=AssignmentKind.CORPORATE_ACTION,
                    instrument=change.stock,
                    change=change.change,
                    evidence=evidence,
                    successor=successor,
                )

    # --- deliveries ------------------------------------------------------------------------------

    def deliveries(self) -> Iterator[Explanation]:
        """Options gone and stock moved by what they deliver."""
        for stock in list(self.stocks):
            if stock.doubtful:
                continue
            matched = self._told_by_venue(stock) or self._matching(stock)
            if not matched:
                continue
            self.stocks.remove(stock)
            for change, part in matched:
                self.options.remove(change)
                yield _delivery(change, part, change.unit * abs(part), stock, "rows match")
                if part != change.change:
                    self.options.append(
                        replace(change, change=change.change - part, before=change.before + part)
                    )
            self.options.sort(key=_by_contract)

    def _able(self, stock: StockChange) -> list[OptionChange]:
        return [
            o
            for o in self.options
            if o.shrinks
            and not o.doubtful
            and not o.cash_settled
            and o.contract.underlying == stock.stock.underlying
        ]

    def _told_by_venue(self, stock: StockChange) -> list[tuple[OptionChange, Decimal]]:
        """Match the venue's own executions in the stock, each at its option's strike."""
        if not stock.deliveries:
            return []
        left = list(stock.deliveries)
        found = []
        for change in self._able(stock):
            told = (change.shares, change.contract.strike)
            if told in left:
                left.remove(told)
                found.append((change, change.change))
        total = sum((change.shares for change, _ in found), ZERO)
        return found if total == stock.change else []

    def _matching(self, stock: StockChange) -> list[tuple[OptionChange, Decimal]]:
        """The changes whose standard deliveries add up to the stock's change: all, or the fewest;
        after the last trading day also a part, the rest having expired."""
        able = self._able(stock)
        patient = not stock.fresh and not any(o.fresh for o in able)
        hasty = [o for o in able if o.is_short and not o.settled]
        if not patient:
            able = [] if stock.may_be_split else hasty
        for group in _groups(able):
            if sum(o.shares for o in group) == stock.change:
                return [(o, o.change) for o in group]
        return _pinned([o for o in able if o.settled], stock.change) if patient else []

    # --- what time confirmed ---------------------------------------------------------------------

    def confirmed(self) -> Iterator[Explanation]:
        """What two fresh snapshots agree on and nothing better explains."""
        if not (self.options or self.stocks) or any(stock.fresh for stock in self.stocks):
            return
        ripe = [o for o in self.options if o.confirmed and not o.doubtful]
        stock = self.stocks[0] if len(self.stocks) == 1 else None
        if stock is not None and len(self.options) == 1 and ripe:
            told = _unusual(ripe[0], stock)
            if told is not None:
                yield told
                ripe, self.options, self.stocks = [], [], []
        if not self.stocks:
            for change in _cancelling(ripe):
                ripe.remove(change)
                self.options.remove(change)
                why = "all gone at once, their deliveries cancel out"
                yield _delivery(change, change.change, change.shares, None, why)
        for change in ripe:
            self.options.remove(change)
            yield _gone(change)
        if self.options:
            return
        for change_of_stock in self.stocks:
            if change_of_stock.confirmed and not change_of_stock.doubtful:
                yield Explanation(
                    kind=AssignmentKind.EXTERNAL,
                    instrument=change_of_stock.stock,
                    change=change_of_stock.change,
                    evidence="stock moved with no option leg and no execution",
                )


def _by_contract(change: OptionChange) -> tuple[object, ...]:
    contract = change.contract
    return contract.underlying, contract.expiry, contract.right, contract.strike, contract.ref


# --- corporate actions ---------------------------------------------------------------------------


def _vanished(change: OptionChange) -> bool:
    return bool(change.before) and change.change == -change.before and not change.doubtful


def _replaces(old: OptionChange, new: OptionChange) -> bool:
    """Whether new appeared out of nothing in old's place: the same right and expiry, and either the
    same strike or quantities multiplied as the strike was divided."""
    if new.before or new.doubtful or new.contract == old.contract or new.change * old.before <= 0:
        return False
    a, b = old.contract, new.contract
    if (a.right, a.expiry) != (b.right, b.expiry):
        return False
    if a.strike == b.strike:
        return new.change == old.before
    # Adjusted strikes are rounded to the cent.
    ratio = new.change / old.before
    same_name = a.underlying == b.underlying
    return same_name and ratio != 1 and abs(b.strike * ratio - a.strike) <= ratio / 100


def _full(change: OptionChange) -> str:
    contract = change.contract
    return f"{contract.name} ({contract.trading_class or contract.underlying}, {contract.ref})"


# --- deliveries ----------------------------------------------------------------------------------


def _groups(changes: Sequence[OptionChange]) -> Iterator[Sequence[OptionChange]]:
    """Candidates in order of likelihood: the shorts alone, everything, then small groups."""
    shorts = [o for o in changes if o.is_short]
    if shorts:
        yield shorts
    if changes:
        yield changes
    # Nearest the money first: the higher put, the lower call.
    likely = sorted(changes, key=lambda o: (not o.is_short, _moneyness(o), o.contract.ref))
    for size in range(1, _LARGEST_GROUP + 1):
        yield from combinations(likely[:_MOST_LIKELY], size)


def _moneyness(change: OptionChange) -> Decimal:
    strike = change.contract.strike
    return -strike if change.contract.right is Right.PUT else strike


def _pinned(settled: Sequence[OptionChange], shares: Decimal) -> list[tuple[OptionChange, Decimal]]:
    """Find deliveries of a part: the deepest in the money wholly, and some of the next, whose price
    was so near its strike that not every holder exercised."""
    for right in (Right.PUT, Right.CALL):
        left = shares
        found: list[tuple[OptionChange, Decimal]] = []
        for change in sorted((o for o in settled if o.contract.right is right), key=_moneyness):
            if left * change.unit > 0 and abs(left) < abs(change.shares) and not left % change.unit:
                part = (left / change.unit).copy_sign(change.change)
                return [*found, (change, part)]
            left -= change.shares
            found.append((change, change.change))
            if not left:
                return found
    return []


def _cancelling(ripe: Sequence[OptionChange]) -> list[OptionChange]:
    """Shorts that went at once before their last day, whose deliveries leave no shares."""
    able = [o for o in ripe if o.shrinks and not o.settled and not o.cash_settled]
    if len(able) > 1 and any(o.is_short for o in able) and not sum(o.shares for o in able):
        return able
    return []


def _unusual(change: OptionChange, stock: StockChange) -> Explanation | None:
    """A delivery that is not the standard one. Fewer shares are those of an adjusted contract (or
    some were sold since); more may be somebody's own besides, which nobody can tell apart."""
    if not change.shrinks or change.cash_settled or stock.change * change.unit <= 0:
        return None
    if abs(stock.change) < abs(change.shares):
        return _delivery(change, change.change, stock.change, stock, "the ratio that appeared")
    told = _delivery(change, change.change, stock.change, stock, "more than the contract promises")
    return replace(told, unsure=True)


def _delivery(
    change: OptionChange,
    part: Decimal,
    shares: Decimal,
    stock: StockChange | None,
    evidence: str,
) -> Explanation:
    return Explanation(
        kind=AssignmentKind.ASSIGNED if change.is_short else AssignmentKind.EXERCISED,
        instrument=change.contract,
        change=part,
        shares=shares,
        stock=stock.stock if stock is not None else None,
        evidence=f"{evidence}: option {part:+f}, stock {shares:+f}",
    )


def _gone(change: OptionChange) -> Explanation:
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
        kind=kind, instrument=change.contract, change=change.change, evidence=evidence
    )
