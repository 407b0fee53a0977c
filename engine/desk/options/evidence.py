"""What is known of a position change before it is judged: how old it is, what snapshots agree,
what the venue's own executions say, whether an order of ours or a person may have caused it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.books import Book, Holding
from engine.desk.facts import Execution, ExecutionOrigin
from engine.desk.floor import Floor
from engine.desk.hours import has_expired, is_open
from engine.desk.instruments import ContractSpec, OptionContract, Stock
from engine.desk.options.changes import OptionChange, StockChange
from engine.desk.options.roster import Roster

ZERO = Decimal(0)
SETTLE = timedelta(seconds=2)
CONFIRMATIONS = 2
_TOLD_LATE = timedelta(minutes=10)
"""How long after its session a trade may still be told, clocks included."""
_KEPT_DELIVERIES = 100


class Evidence:
    """told: (account, ref) -> what the venue's own executions moved, less what of it is explained.
    deliveries: (account, stock ref) -> those executions, as (signed shares, price)."""

    def __init__(self, floor: Floor, roster: Roster) -> None:
        self._floor = floor
        self._roster = roster
        self._told: dict[tuple[str, str], Decimal] = {}
        self._deliveries: dict[tuple[str, str], list[tuple[Decimal, Decimal]]] = {}

    def take(self, execution: Execution, change: Decimal) -> bool:
        """Keep an execution that the venue itself caused; True when it was one."""
        if execution.origin is not ExecutionOrigin.BROKER:
            return False
        key = (execution.account, execution.instrument.ref)
        signed = change * execution.side.sign
        self._told[key] = self._told.get(key, ZERO) + signed
        if isinstance(execution.instrument, Stock):
            told = self._deliveries.setdefault(key, [])
            told.append((signed, execution.price))
            del told[:-_KEPT_DELIVERIES]
        return True

    def explained(self, account: str, ref: str, quantity: Decimal) -> None:
        """Hear that a change was explained: what the venue told of it is used up."""
        key = (account, ref)
        # It may fall below nothing: executions that come late are of this change, not of the next.
        self._told[key] = self._told.get(key, ZERO) - quantity
        self._deliveries.pop(key, None)

    def option(self, venue: str, holding: Holding, wait: timedelta) -> OptionChange:
        """Tell an option's unexplained change with its evidence."""
        contract = holding.instrument
        assert isinstance(contract, OptionContract)
        spec = self._floor.spec(venue, contract)
        tradable = spec is None or not spec.liquid or _is_traded(spec, self._floor.now)
        expired = has_expired(contract, spec, self._floor.now)
        by_hand = (
            tradable
            and not expired
            and not holding.executions_checked
            and self._told.get((holding.account, contract.ref)) != holding.row_surplus
        )
        return OptionChange(
            contract=contract,
            change=holding.row_surplus,
            before=self._before(holding),
            settled=expired,
            cash_settled=spec is not None and spec.cash_settled,
            fresh=self._fresh(holding),
            confirmed=self._confirmed(holding, wait),
            doubtful=by_hand or self.ours_may_explain(venue, holding),
        )

    def stock(self, venue: str, holding: Holding, wait: timedelta) -> StockChange:
        """Tell a stock's unexplained change with its evidence."""
        key = (holding.account, holding.instrument.ref)
        leaving = sum((s.excess_shares for s in self._roster.sharing(*key)), ZERO)
        return StockChange(
            stock=holding.instrument,
            change=holding.row_surplus,
            before=holding.before,
            kept=holding.before - leaving,
            fresh=self._fresh(holding),
            confirmed=self._confirmed(holding, wait),
            doubtful=self.ours_may_explain(venue, holding),
            deliveries=tuple(self._deliveries.get(key, ())),
        )

    def ours_may_explain(self, venue: str, holding: Holding) -> bool:
        """Whether an order of ours that is out could have caused the row, its execution to come."""
        if holding.executions_checked:
            return False
        order = self._floor.blocking(venue, holding.account, holding.instrument.ref)
        return order is not None and order.intent.side.sign * holding.row_surplus > 0

    def _before(self, holding: Holding) -> Decimal:
        """The position before an option's change. Where strategies are closing what is gone too,
        their fills hide it: then what they were built to hold."""
        change, before = holding.row_surplus, holding.before
        if before * change < 0 and abs(change) <= abs(before):
            return before
        claims = self._roster.claims(holding.account, holding.instrument.ref)
        if not any(strategy.episode is not None for strategy, _ in claims):
            return before
        built = [leg.built for s, leg in claims if not s.closed and leg.built * change < 0]
        return sum(built, ZERO) or before

    def _fresh(self, holding: Holding) -> bool:
        return holding.since is not None and self._floor.now - holding.since < SETTLE

    def _confirmed(self, holding: Holding, wait: timedelta) -> bool:
        return (
            holding.since is not None
            and self._floor.now - holding.since >= wait
            and holding.confirmations >= CONFIRMATIONS
        )


def _is_traded(spec: ContractSpec, now: datetime) -> bool:
    """Whether a person could have traded the contract now, or until just now."""
    lately = now - _TOLD_LATE
    return (
        is_open(spec.trading, now)
        or is_open(spec.trading, lately)
        or is_open(spec.liquid, now)
        or is_open(spec.liquid, lately)
    )


def unexplained(book: Book) -> Iterator[list[Holding]]:
    """The holdings with unexplained rows that must be judged together: an account's options and
    stock of one underlying, or of two where one seems to have become the other."""
    groups: dict[tuple[str, str], list[Holding]] = {}
    for holding in book.unsettled.values():
        if holding.row_surplus and isinstance(holding.instrument, OptionContract | Stock):
            key = (holding.account, holding.instrument.underlying)
            groups.setdefault(key, []).append(holding)
    if len(groups) > 1:
        _join_renamed(groups)
    yield from groups.values()


def _join_renamed(groups: dict[tuple[str, str], list[Holding]]) -> None:
    """Put an underlying whose options vanished together with one where the same appeared."""
    gone: dict[tuple[object, ...], tuple[str, str]] = {}
    for key, group in groups.items():
        for holding in group:
            if not holding.reported and isinstance(holding.instrument, OptionContract):
                gone.setdefault(_same(holding, holding.before), key)
    for key in list(groups):
        for holding in groups[key]:
            if holding.before or not isinstance(holding.instrument, OptionContract):
                continue
            old = gone.get(_same(holding, holding.reported))
            if old is not None and old != key and old in groups:
                groups[old] += groups.pop(key)
                break


def _same(holding: Holding, quantity: Decimal) -> tuple[object, ...]:
    contract = holding.instrument
    assert isinstance(contract, OptionContract)
    return holding.account, contract.right, contract.expiry, contract.strike, quantity


def options_of(group: Iterable[Holding]) -> list[Holding]:
    return [h for h in group if isinstance(h.instrument, OptionContract)]


def stocks_of(group: Iterable[Holding]) -> list[Holding]:
    return [h for h in group if isinstance(h.instrument, Stock)]
