"""The simulated trades of paper mode, laid over what a real venue tells.

Pure: it has no loop and no clock. It keeps what was simulated apart from what is real, and shows
the sum; the real account is never changed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.facts import (
    AccountReported,
    BalanceReported,
    BookSnapshot,
    ContractDescribed,
    ExecutionReported,
    OrderPreviewed,
    OrderReport,
    OrderReported,
    OrderUnanswered,
    PositionReported,
    PositionRow,
    Side,
    TimeInForce,
    VenueChanged,
    VenueFact,
    VenueState,
    VenueWarned,
)
from engine.desk.hours import has_expired, trading_date
from engine.desk.instruments import ContractSpec, Instrument, OptionContract, SpotPair
from engine.desk.market import Quote
from engine.venues.paper.book import PaperBook, PaperOrder, absent
from engine.venues.paper.carrying import carry_out
from engine.venues.paper.contracts import tradable
from engine.venues.paper.fees import FeeRates
from engine.venues.paper.matching import Level, Plan, funds_needed, plan, refusal
from engine.venues.port import PricedOrder

_SIMULATED = "fills are simulated"
_ZERO = Decimal(0)

_Key = tuple[str, str]  # account, ref


@dataclass(slots=True, kw_only=True)
class Overlay:
    """The simulated trades, and what of the real account they are laid over.

    book holds the simulated changes only, real the rows and balances the balances as the real venue
    told them, accounts is None until it told a book. run_id keeps execution ids apart where the
    saved book was removed. changed: the book differs from what was last saved.
    """

    venue: str
    run_id: str
    fees: FeeRates = field(default_factory=FeeRates)
    book: PaperBook = field(default_factory=lambda: PaperBook(cash={}))
    real: dict[_Key, PositionRow] = field(default_factory=dict)
    balances: dict[tuple[str, str], BalanceReported] = field(default_factory=dict)
    real_orders: set[str] = field(default_factory=set)  # client order ids
    accounts: tuple[str, ...] | None = None
    quotes: dict[str, Quote] = field(default_factory=dict)  # ref -> newest quote
    specs: dict[str, ContractSpec] = field(default_factory=dict)  # ref -> how it trades
    state: VenueState = VenueState.CONNECTING
    empty_once: set[str] = field(default_factory=set)  # accounts
    changed: bool = False

    @property
    def is_linked(self) -> bool:
        return self.state not in (VenueState.CONNECTING, VenueState.DOWN)

    def needed(self) -> dict[str, Instrument]:
        """Give ref -> instrument of what is held or ordered on paper."""
        found = {row.instrument.ref: row.instrument for row in self.book.positions}
        return found | {it.order.instrument.ref: it.order.instrument for it in self.book.working}

    # --- orders ----------------------------------------------------------------------------------

    def accept(self, order: PricedOrder, now: datetime) -> PaperOrder:
        """Enter an order that is new, working or rejected."""
        reason = self._refusal(order, now)
        known = self.book.accept(order, now)
        if reason:
            known.report, known.reason = OrderReport.REJECTED, reason
        self.changed = True
        return known

    def levels(self, order: PricedOrder, now: datetime) -> tuple[Level, ...]:
        """Give what an order can trade against now: the touch, whose size nobody knows."""
        ref = order.instrument.ref
        quote, spec = self.quotes.get(ref), self.specs.get(ref)
        if self.state is not VenueState.READY or quote is None or quote.crossed:
            return ()
        # A broker shows quotes of closed markets too. Where it told no hours, none are kept.
        if spec is not None and spec.liquid and not tradable(spec, order, now):
            return ()
        shown = quote.ask if order.side is Side.BUY else quote.bid
        return () if shown is None or shown <= 0 else (Level(price=Decimal(repr(shown))),)

    def plan(self, known: PaperOrder, levels: tuple[Level, ...]) -> Plan:
        """Plan what a working order does now."""
        order = known.order
        held = self._held(order.account, order.instrument).quantity
        return plan(known, levels, spec=self.specs.get(order.instrument.ref), held=held)

    def match(
        self, known: PaperOrder, levels: tuple[Level, ...], now: datetime
    ) -> tuple[VenueFact, ...]:
        """Let a working order trade; give its executions. It may end without any."""
        planned = self.plan(known, levels)
        if not planned.changes(known):
            return ()
        self.changed = True
        self.book.cash.setdefault(known.order.account, _ZERO)
        executions = carry_out(
            self.book,
            known,
            planned,
            fees=self.fees,
            ids=f"simulated.{self.venue}.{self.run_id}",
            at=now,
        )
        return tuple(ExecutionReported(venue=self.venue, execution=it) for it in executions)

    def unknown(self, client_order_id: str) -> tuple[VenueFact, ...]:
        """Say what becomes of the cancel of an order that was not simulated."""
        if client_order_id in self.real_orders:
            text = f"Order {client_order_id} is a real one: paper mode leaves it alone."
            return (VenueWarned(venue=self.venue, code="real-order", text=text, critical=False),)
        return (OrderReported(venue=self.venue, row=absent(client_order_id)),)

    def end(self, known: PaperOrder, reason: str) -> None:
        """Cancel an order unless it is done already."""
        if known.working:
            known.report, known.reason = OrderReport.CANCELLED, reason
            self.changed = True

    def lapse(self) -> None:
        """End what was good for one moment only and has outlived its run."""
        for known in self.book.working:
            if known.order.time_in_force is TimeInForce.IOC:
                self.end(known, "the engine stopped meanwhile")

    def is_over(self, known: PaperOrder, now: datetime) -> str:
        """Give the reason an order can work no longer, empty where it can."""
        if self._has_expired(known.order.instrument, now):
            return "The contract has expired"
        for_a_day = known.order.time_in_force is TimeInForce.DAY
        if for_a_day and trading_date(known.placed_at) < trading_date(now):
            return "The day the order was good for is over"
        return ""

    def reported(self, known: PaperOrder) -> tuple[VenueFact, ...]:
        return (OrderReported(venue=self.venue, row=known.row),)

    def shown(self, known: PaperOrder) -> tuple[VenueFact, ...]:
        """Say what an order is; one on a spot pair locks funds or sets them free."""
        order = known.order
        pair = order.instrument
        funds = self._funds(order.account, pair) if isinstance(pair, SpotPair) else ()
        return (*self.reported(known), *funds)

    def holds(self, account: str, instrument: Instrument) -> tuple[VenueFact, ...]:
        """Report what is held of one instrument now, real and simulated; of a spot pair that is
        two balances."""
        if isinstance(instrument, SpotPair):
            return self._funds(account, instrument)
        return (PositionReported(venue=self.venue, row=self._held(account, instrument)),)

    def _refusal(self, order: PricedOrder, now: datetime) -> str:
        if self.accounts is not None and order.account not in self.accounts:
            return f"There is no account {order.account}"
        if self._has_expired(order.instrument, now):
            return "The contract has expired"
        levels = self.levels(order, now)
        fault = refusal(order, self.specs.get(order.instrument.ref), levels)
        return fault or self._too_dear(order, levels)

    def _too_dear(self, order: PricedOrder, levels: tuple[Level, ...]) -> str:
        """Say what is missing for an order on a spot pair, empty where nothing is known to be."""
        found = funds_needed(order, levels)
        if found is None:
            return ""
        currency, needed = found
        shown = self._balance(order.account, currency)
        if shown is None or needed <= shown.free:
            return ""
        return f"Insufficient balance: {shown.free:f} {currency} is free, {needed:f} is needed"

    # --- what the real venue tells ---------------------------------------------------------------

    def laid_over(self, fact: VenueFact, now: datetime) -> VenueFact:
        """Take what the real venue told; give it with the simulated trades in it."""
        match fact:
            case VenueChanged():
                return self._venue_changed(fact)
            case BookSnapshot():
                return self._snapshot(fact, now)
            case PositionReported(row=row):
                key = (row.account, row.instrument.ref)
                self.real[key] = row
                self._retire(key, now)
                return replace(fact, row=self._with(row))
            case BalanceReported():
                self.balances[fact.account, fact.currency] = fact
                return self._balance(fact.account, fact.currency) or fact
            case ContractDescribed(spec=spec):
                self.specs[spec.ref] = spec
                return fact
            case OrderReported(row=order):
                self.real_orders.add(order.client_order_id)
                return fact
            case ExecutionReported() | VenueWarned() | OrderUnanswered():
                return fact
            case AccountReported() | OrderPreviewed():
                return fact

    def _venue_changed(self, fact: VenueChanged) -> VenueChanged:
        self.state = fact.state
        if not self.is_linked:
            self.quotes.clear()
        if fact.state is not VenueState.READY:
            return replace(fact, can_trade=None)
        # Where the broker takes no orders, its words say that nothing can be done: here it can.
        words = [] if fact.can_trade is False or not fact.detail else [fact.detail]
        return replace(fact, detail="; ".join([*words, _SIMULATED]), can_trade=True)

    def _snapshot(self, fact: BookSnapshot, now: datetime) -> BookSnapshot:
        listed = {(row.account, row.instrument.ref): row for row in fact.positions}
        doubted = self._doubted(fact)
        self.accounts = fact.accounts
        self.real = {key: row for key, row in self.real.items() if key[0] in doubted} | listed
        self.real_orders = {row.client_order_id for row in fact.orders}
        for key in list(self.book.held):
            self._retire(key, now)
        own = self.book.held
        rows = [self._with(row) for row in fact.positions]
        rows = [it for it in rows if it.quantity or (it.account, it.instrument.ref) not in own]
        rows += [
            row
            for key, row in own.items()
            if key not in listed and row.account in fact.accounts and row.account not in doubted
        ]
        orders = [row for row in fact.orders if row.client_order_id not in self.book.orders]
        return replace(
            fact,
            positions=tuple(rows),
            executions=(*fact.executions, *self.book.told_executions(fact.asked_at)),
            orders=(*orders, *(known.row for known in self.book.orders.values())),
        )

    def _doubted(self, fact: BookSnapshot) -> set[str]:
        """Find accounts that were not empty and suddenly are, the first time. The desk believes
        that only when it is shown twice, so simulated rows must not hide it."""
        before = {row.account for row in self.real.values() if row.quantity}
        empty = before - {row.account for row in fact.positions if row.quantity}
        doubted = empty - self.empty_once
        self.empty_once = doubted
        return doubted

    # --- sums ------------------------------------------------------------------------------------

    def _held(self, account: str, instrument: Instrument) -> PositionRow:
        none = PositionRow(account=account, instrument=instrument, quantity=_ZERO)
        return self._with(self.real.get((account, instrument.ref), none))

    def _with(self, row: PositionRow) -> PositionRow:
        """Lay the simulated quantity over a real row. The cost stays the real one until the
        position is on the other side, and then is the simulated one."""
        own = self.book.held.get((row.account, row.instrument.ref))
        if own is None:
            return row
        quantity = row.quantity + own.quantity
        cost = row.average_cost if row.quantity * quantity > 0 else own.average_cost
        return replace(row, quantity=quantity, average_cost=cost)

    def _funds(self, account: str, pair: SpotPair) -> tuple[VenueFact, ...]:
        both = (self._balance(account, pair.base), self._balance(account, pair.quote))
        return tuple(it for it in both if it is not None)

    def _balance(self, account: str, currency: str) -> BalanceReported | None:
        """Lay what was simulated over a balance. None while the account has told none; a currency
        it did not tell of then is one it has nothing of."""
        if not any(owner == account for owner, _ in self.balances):
            return None
        shown = self.balances.get((account, currency)) or BalanceReported(
            venue=self.venue, account=account, currency=currency, free=_ZERO, total=_ZERO
        )
        own = self.book.funds.get((account, currency), _ZERO)
        locked = self.book.locked(account, currency)
        return replace(shown, free=shown.free + own - locked, total=shown.total + own)

    def _retire(self, key: _Key, now: datetime) -> None:
        """Forget a simulated position whose contract expired, once the real one is gone too."""
        own, real = self.book.held.get(key), self.real.get(key)
        if own is None or (real is not None and real.quantity):
            return
        if self._has_expired(own.instrument, now):
            del self.book.held[key]
            self.changed = True

    def _has_expired(self, instrument: Instrument, now: datetime) -> bool:
        if not isinstance(instrument, OptionContract):
            return False
        return has_expired(instrument, self.specs.get(instrument.ref), now)
