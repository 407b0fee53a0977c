"""Judges every position change of options and their stock, and draws the consequence.

An execution explains a change at once. What no execution explains is put to `explain`; until it
answers, the strategies concerned are SUSPECT and the venue is asked again. The judge marks
strategies broken and opens their way out; it sends nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.books import Book, Holding
from engine.desk.facts import Execution, ExecutionOrigin
from engine.desk.floor import Floor
from engine.desk.hours import days_to_expiry, has_expired, is_open
from engine.desk.instruments import OptionContract, Right, Stock
from engine.desk.intents import Severity
from engine.desk.options.definitions import OptionSettings
from engine.desk.options.events import Event, EventLog
from engine.desk.options.explain import Explanation, OptionChange, StockChange, explain
from engine.desk.options.strategies import Strategy
from engine.desk.snapshot import AssignmentKind, AssignmentTiming

ZERO = Decimal(0)
SETTLE = timedelta(seconds=2)
CONFIRMATIONS = 2


class Judge:
    """Holds no state but the event log; strategies and books are the floor's."""

    def __init__(self, floor: Floor, log: EventLog) -> None:
        self._floor = floor
        self._log = log

    # --- executions ------------------------------------------------------------------------------

    def take_execution(
        self, strategies: Iterable[Strategy], venue: str, execution: Execution, change: Decimal
    ) -> None:
        """Let an execution move what strategies expect to hold. change: positive quantity."""
        moved = change * execution.side.sign
        ours = execution.origin is ExecutionOrigin.OURS
        order = self._floor.orders.get(execution.client_order_id or "")
        for strategy in strategies:
            if strategy.account != execution.account or not moved:
                continue
            if ours and order is not None and order.intent.strategy_id != strategy.id:
                continue
            if isinstance(execution.instrument, Stock):
                part = _toward_zero(strategy.shares, moved) if strategy.shares else ZERO
                if part and strategy.stock == execution.instrument:
                    strategy.shares += part
                    moved -= part
                continue
            leg = strategy.leg_of(execution.instrument)
            if leg is None:
                continue
            part = _toward_zero(leg.expected, moved)
            leg.expected += part
            moved -= part
            if part and not ours:
                self._by_others(strategy, venue, execution, abs(part))

    def _by_others(
        self, strategy: Strategy, venue: str, execution: Execution, quantity: Decimal
    ) -> None:
        liquidated = execution.origin is ExecutionOrigin.LIQUIDATION
        kind = AssignmentKind.LIQUIDATED if liquidated else AssignmentKind.MANUAL
        who = "the broker's liquidator" if liquidated else "hand"
        verb = "bought back" if execution.side.sign > 0 else "sold"
        text = f"{quantity:f} {execution.instrument.name} {verb} by {who} at {execution.price:f}"
        event = self._settle(
            venue, execution.account, execution.instrument, kind, quantity, strategy, text
        )
        strategy.note = text
        if liquidated:
            event.needs_owner = True
            strategy.broken = text
            self._floor.alert(Severity.CRITICAL, f"{strategy.id}: broker liquidates", text)
        else:
            self._floor.alert(Severity.INFO, f"{strategy.id}: leg changed by hand", text)

    # --- rows ------------------------------------------------------------------------------------

    def judge(
        self, venue: str, book: Book, strategies: list[Strategy], settings: OptionSettings
    ) -> bool:
        """Explain what can be explained of a venue's book, and suspect the rest.

        True when something was explained, so that strategies may expect something else now.
        """
        concluded = False
        wait = timedelta(seconds=settings.missing_leg_seconds)
        for (account, _), group in _unexplained(book).items():
            options = [h for h in group if isinstance(h.instrument, OptionContract)]
            stock = next((h for h in group if isinstance(h.instrument, Stock)), None)
            changes = {h.instrument.ref: self._option(venue, h, wait) for h in options}
            told = explain(changes.values(), self._stock(venue, stock, wait))
            concluded = concluded or bool(told)
            for explanation in told:
                self._conclude(venue, book, account, explanation, strategies, settings)
            for holding in group:
                if holding.row_surplus:
                    self._question(venue, holding, strategies, wait)
        self._close_answered(venue, book)
        return concluded

    def deadlines(self, book: Book, settings: OptionSettings) -> Iterator[datetime]:
        for holding in book.holdings.values():
            if holding.since is not None and (holding.row_surplus or holding.fill_surplus):
                yield holding.since + SETTLE
                yield holding.since + timedelta(seconds=settings.missing_leg_seconds)

    def is_suspect(self, strategy: Strategy) -> bool:
        return any(
            leg.contract is not None
            and self._log.suspicion(strategy.definition.venue, strategy.account, leg.contract.ref)
            is not None
            for leg in strategy.legs
        )

    def _option(self, venue: str, holding: Holding, wait: timedelta) -> OptionChange:
        contract = holding.instrument
        assert isinstance(contract, OptionContract)
        spec = self._floor.spec(venue, contract)
        tradable = spec is None or not spec.liquid or is_open(spec.liquid, self._floor.now)
        expired = has_expired(contract, spec, self._floor.now)
        by_hand = tradable and not expired and not holding.executions_checked
        return OptionChange(
            contract=contract,
            change=holding.row_surplus,
            before=holding.before,
            settled=expired,
            cash_settled=spec is not None and spec.cash_settled,
            confirmed=self._confirmed(holding, wait),
            doubtful=by_hand or self._ours_may_explain(venue, holding),
        )

    def _stock(self, venue: str, holding: Holding | None, wait: timedelta) -> StockChange | None:
        if holding is None:
            return None
        return StockChange(
            stock=holding.instrument,
            change=holding.row_surplus,
            confirmed=self._confirmed(holding, wait),
            doubtful=self._ours_may_explain(venue, holding),
        )

    def _confirmed(self, holding: Holding, wait: timedelta) -> bool:
        return (
            holding.since is not None
            and self._floor.now - holding.since >= wait
            and holding.confirmations >= CONFIRMATIONS
        )

    def _ours_may_explain(self, venue: str, holding: Holding) -> bool:
        """Whether an order of ours that is out could have caused the row, its execution to come."""
        if holding.executions_checked:
            return False
        order = self._floor.blocking(venue, holding.account, holding.instrument.ref)
        return order is not None and order.intent.side.sign * holding.row_surplus > 0

    def _question(
        self, venue: str, holding: Holding, strategies: list[Strategy], wait: timedelta
    ) -> None:
        if holding.since is None:
            return
        age = self._floor.now - holding.since
        asked = self._floor.standing(venue).asked_at
        ours = self._ours_may_explain(venue, holding)
        for due in (SETTLE if ours else timedelta(0), wait):
            if age >= due and (asked is None or asked < holding.since + due):
                self._floor.ask(venue, f"{holding.instrument.name} changed unexplained")
        contract = holding.instrument
        if ours or not isinstance(contract, OptionContract):
            return
        if self._log.suspicion(venue, holding.account, contract.ref) is not None:
            return
        owner = next((s for s in strategies if _owns(s, holding.account, contract)), None)
        evidence = f"position {holding.before:+f} -> {holding.reported:+f}, no execution"
        self._log.add(
            Event(
                id=self._log.next_id(),
                venue=venue,
                account=holding.account,
                instrument=contract,
                kind=AssignmentKind.SUSPECT,
                timing=self._timing(contract),
                quantity=abs(holding.row_surplus),
                strategy_id=owner.id if owner else None,
                detected_at=self._floor.now,
                evidence=evidence,
                open_question=True,
            )
        )
        if owner is not None:
            self._floor.alert(
                Severity.WARNING,
                f"{owner.id}: {contract.name} changed, not yet explained",
                f"{evidence}. Asking the broker; normal exits are refused meanwhile.",
            )

    def _close_answered(self, venue: str, book: Book) -> None:
        """A suspicion whose change went away again (the row came back) is no event."""
        for event in list(self._log.events.values()):
            if not event.open_question or event.venue != venue:
                continue
            holding = book.holdings.get((event.account, event.instrument.ref))
            if holding is None or not holding.row_surplus:
                self._log.drop(event)

    # --- consequences ----------------------------------------------------------------------------

    def _conclude(
        self,
        venue: str,
        book: Book,
        account: str,
        told: Explanation,
        strategies: list[Strategy],
        settings: OptionSettings,
    ) -> None:
        now = self._floor.now
        book.explain(book.holding(account, told.instrument), told.change, now)
        if not isinstance(told.instrument, OptionContract):
            self._settle(
                venue, account, told.instrument, told.kind, abs(told.change), None, told.evidence
            )
            return
        stock = _stock_of(book, account, told.instrument)
        if told.shares and stock is not None:
            book.explain(stock, told.shares, now)
        rest, shares_left = told.change, told.shares
        for strategy in strategies:
            leg = strategy.leg_of(told.instrument) if strategy.account == account else None
            part = _toward_zero(leg.expected, rest) if leg is not None else ZERO
            if leg is None or not part:
                continue
            rest -= part
            leg.expected += part
            delivered = told.shares * part / told.change
            shares_left -= delivered
            if stock is not None and isinstance(stock.instrument, Stock) and delivered:
                strategy.stock = stock.instrument
                strategy.shares += delivered
            event = self._settle(
                venue, account, told.instrument, told.kind, abs(part), strategy, told.evidence
            )
            self._consequence(strategy, event, told, delivered, settings)
        if rest:
            self._unowned(venue, account, told, abs(rest), shares_left)

    def _consequence(
        self,
        strategy: Strategy,
        event: Event,
        told: Explanation,
        delivered: Decimal,
        settings: OptionSettings,
    ) -> None:
        text = _sentence(told, event.quantity, delivered)
        breaking = told.kind in (
            AssignmentKind.ASSIGNED,
            AssignmentKind.EXERCISED,
            AssignmentKind.SUSPECT,
        )
        if not breaking or _nothing_left(strategy):
            strategy.note = text
            done = _nothing_left(strategy)
            if done:
                strategy.finish()
            outcome = "Nothing is left of it: closed as designed." if done else "No order is sent."
            severity = Severity.WARNING if breaking else Severity.INFO
            self._floor.alert(severity, f"{strategy.id}: {text}", outcome)
            return
        strategy.broken = text
        if settings.auto_close_on_assignment:
            strategy.begin(text)
            action = "Closing what is really held."
        else:
            event.needs_owner = True
            action = "auto_close_on_assignment is off: nothing is sent. Press x to close it."
        if strategy.episode is not None:
            event.episode = strategy.episode.number
        if not self._floor.armed:
            action = "Disarmed: nothing is sent. Arm to close it."
        self._floor.alert(Severity.CRITICAL, f"{strategy.id}: {text}", action)

    def _unowned(
        self, venue: str, account: str, told: Explanation, quantity: Decimal, shares: Decimal
    ) -> None:
        event = self._settle(
            venue, account, told.instrument, told.kind, quantity, None, told.evidence
        )
        if told.kind in (AssignmentKind.EXPIRED, AssignmentKind.EXTERNAL):
            return
        event.needs_owner = told.kind is not AssignmentKind.CASH_SETTLED
        self._floor.alert(
            Severity.CRITICAL if event.needs_owner else Severity.INFO,
            f"{_sentence(told, quantity, shares)} in {account}",
            "No declared strategy owns it: nothing is sent.",
        )

    def _settle(
        self,
        venue: str,
        account: str,
        instrument: OptionContract | Stock | object,
        kind: AssignmentKind,
        quantity: Decimal,
        strategy: Strategy | None,
        evidence: str,
    ) -> Event:
        """Record what a change was; the suspicion it answers, if there is one, becomes it."""
        ref = instrument.ref if isinstance(instrument, OptionContract | Stock) else ""
        event = self._log.suspicion(venue, account, ref)
        if event is not None:
            event.kind, event.quantity, event.evidence = kind, quantity, evidence
            event.strategy_id = strategy.id if strategy else None
            event.open_question = False
            return event
        return self._log.add(
            Event(
                id=self._log.next_id(),
                venue=venue,
                account=account,
                instrument=instrument,  # type: ignore[arg-type]
                kind=kind,
                timing=self._timing(instrument) if isinstance(instrument, OptionContract) else None,
                quantity=quantity,
                strategy_id=strategy.id if strategy else None,
                detected_at=self._floor.now,
                evidence=evidence,
            )
        )

    def _timing(self, contract: OptionContract) -> AssignmentTiming:
        dte = days_to_expiry(contract.expiry, self._floor.now)
        return AssignmentTiming.EARLY if dte > 1 else AssignmentTiming.EXPIRATION


def _unexplained(book: Book) -> dict[tuple[str, str], list[Holding]]:
    """Holdings with unexplained rows: (account, underlying) -> holdings."""
    groups: dict[tuple[str, str], list[Holding]] = {}
    for holding in book.holdings.values():
        if holding.row_surplus and isinstance(holding.instrument, OptionContract | Stock):
            key = (holding.account, holding.instrument.underlying)
            groups.setdefault(key, []).append(holding)
    return groups


def _stock_of(book: Book, account: str, contract: OptionContract) -> Holding | None:
    return next(
        (
            h
            for h in book.holdings.values()
            if h.account == account
            and isinstance(h.instrument, Stock)
            and h.instrument.symbol == contract.underlying
        ),
        None,
    )


def _owns(strategy: Strategy, account: str, contract: OptionContract) -> bool:
    leg = strategy.leg_of(contract)
    return strategy.account == account and leg is not None and leg.expected != 0


def _nothing_left(strategy: Strategy) -> bool:
    return not strategy.shares and not any(leg.expected for leg in strategy.legs)


def _toward_zero(expected: Decimal, change: Decimal) -> Decimal:
    """The part of change that takes expected toward zero, never past it."""
    if expected * change >= 0:
        return ZERO
    return min(abs(expected), abs(change)).copy_sign(change)


def _sentence(told: Explanation, quantity: Decimal, shares: Decimal) -> str:
    contract = told.instrument
    assert isinstance(contract, OptionContract)
    word = "put" if contract.right is Right.PUT else "call"
    leg = f"{quantity:f} {contract.underlying} {contract.strike.normalize():f} {word}"
    match told.kind:
        case AssignmentKind.ASSIGNED:
            return f"short {leg} assigned, {shares:+f} shares"
        case AssignmentKind.EXERCISED:
            return f"long {leg} exercised, {shares:+f} shares"
        case AssignmentKind.EXPIRED:
            return f"{leg} expired"
        case AssignmentKind.CASH_SETTLED:
            return f"{leg} settled in cash"
        case AssignmentKind.SUSPECT:
            return f"{leg} missing, unexplained"
        case _:
            return f"{leg} changed from outside"
