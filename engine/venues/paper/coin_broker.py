"""The paper exchange's back room: takes orders in perpetuals and spot pairs, matches them against
the synthetic market, and words each event as the batches an exchange would send.

Pure: it has no loop and no clock. What it answers is already in the book; the venue tells it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import (
    BalanceReported,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    PositionReported,
    Side,
    VenueFact,
)
from engine.desk.instruments import Perpetual, SpotPair
from engine.venues.paper.book import PaperBook, PaperOrder, absent
from engine.venues.paper.carrying import carry_out
from engine.venues.paper.coin_market import CoinMarket
from engine.venues.paper.coins import Listing
from engine.venues.paper.fees import FeeRates
from engine.venues.paper.matching import Level, funds_needed, plan, refusal
from engine.venues.port import PricedOrder

Batch = tuple[VenueFact, ...]


@dataclass(slots=True, kw_only=True)
class CoinBroker:
    """One book, one market. listings: ref -> Listing. run_id keeps execution ids apart between runs
    of a journal."""

    venue: str
    book: PaperBook
    market: CoinMarket
    listings: Mapping[str, Listing]
    fees: FeeRates
    run_id: str

    # --- orders ----------------------------------------------------------------------------------

    def accept(self, order: PricedOrder, now: datetime) -> PaperOrder:
        """Enter an order that is new, working or rejected."""
        reason = self._refusal(order)
        known = self.book.accept(order, now)
        if reason:
            known.report, known.reason = OrderReport.REJECTED, reason
        return known

    def match(self, known: PaperOrder, now: datetime) -> Iterable[Batch]:
        """Let a working order trade against what the market shows; give what came of it."""
        if not known.working:
            return ()
        order = known.order
        listing = self.listings[order.instrument.ref]
        held = self.book.position(order.account, order.instrument).quantity
        planned = plan(known, self._levels(listing, order.side), spec=listing.spec, held=held)
        if not planned.changes(known):
            return ()
        executions = carry_out(self.book, known, planned, fees=self.fees, ids=self._ids, at=now)
        if not executions:
            return (self.shown(known),)
        fills = tuple(ExecutionReported(venue=self.venue, execution=it) for it in executions)
        return fills, self._holds(order.account, listing), self._row(known)

    def tick(self, now: datetime) -> Iterable[Batch]:
        """Try every working order again."""
        return [batch for known in self.book.working for batch in self.match(known, now)]

    def cancel(self, client_order_id: str) -> PaperOrder | None:
        """Cancel an order if it works; None where there is none."""
        known = self.book.orders.get(client_order_id)
        if known is not None and known.working:
            known.report, known.reason = OrderReport.CANCELLED, ""
        return known

    def unknown(self, client_order_id: str) -> Batch:
        return (OrderReported(venue=self.venue, row=absent(client_order_id)),)

    def shown(self, known: PaperOrder) -> Batch:
        """Say what an order is; one on a spot pair locks funds or sets them free."""
        order = known.order
        spot = isinstance(order.instrument, SpotPair) and order.instrument.ref in self.listings
        funds = self._holds(order.account, self.listings[order.instrument.ref]) if spot else ()
        return (*self._row(known), *funds)

    def _row(self, known: PaperOrder) -> Batch:
        return (OrderReported(venue=self.venue, row=known.row),)

    def _refusal(self, order: PricedOrder) -> str:
        listing = self.listings.get(order.instrument.ref)
        if listing is None:
            return f"{order.instrument.name} is not listed here"
        if order.account not in self.book.cash:
            return f"There is no account {order.account}"
        levels = self._levels(listing, order.side)
        if fault := refusal(order, listing.spec, levels):
            return fault
        needed = funds_needed(order, levels)
        if needed is None:
            return ""
        currency, amount = needed
        free = self.balance(order.account, currency).free
        if amount <= free:
            return ""
        return f"Insufficient balance: {free:f} {currency} is free, {amount:f} is needed"

    def _levels(self, listing: Listing, side: Side) -> tuple[Level, ...]:
        return self.market.levels(listing, side)

    # --- what the exchange does by itself --------------------------------------------------------

    def assign(self, listing: Listing, account: str, signed: Decimal, now: datetime) -> Batch:
        """Put a liquidated stranger's position (signed) on the account's book, at the price it is
        offered at now."""
        assert isinstance(listing.instrument, Perpetual), "only a perpetual is assigned"
        side = Side.BUY if signed > 0 else Side.SELL
        execution = Execution(
            execution_id=f"{self._ids}.{self.book.number()}",
            account=account,
            instrument=listing.instrument,
            side=side,
            quantity=abs(signed),
            price=self._levels(listing, side)[0].price,
            at=now,
            origin=ExecutionOrigin.ASSIGNEE,
        )
        self.book.post(execution)
        told = ExecutionReported(venue=self.venue, execution=execution)
        return (told, *self._holds(account, listing))

    # --- what is known ---------------------------------------------------------------------------

    def balance(self, account: str, currency: str) -> BalanceReported:
        total = self.book.funds.get((account, currency), Decimal(0))
        free = total - self.book.locked(account, currency)
        return BalanceReported(
            venue=self.venue, account=account, currency=currency, free=free, total=total
        )

    def balances(self) -> Batch:
        """Tell every currency that is or was held, and every one that can be."""
        currencies = {
            code for listing in self.listings.values() for code in _currencies(listing)
        } | {code for _, code in self.book.funds}
        return tuple(
            self.balance(account, code)
            for account in self.book.accounts
            for code in sorted(currencies)
        )

    def _holds(self, account: str, listing: Listing) -> Batch:
        """Report a position, or the two balances that a spot pair is."""
        funds = tuple(self.balance(account, code) for code in _currencies(listing))
        if isinstance(listing.instrument, SpotPair):
            return funds
        row = self.book.position(account, listing.instrument)
        return (PositionReported(venue=self.venue, row=row), *funds)

    @property
    def _ids(self) -> str:
        return f"{self.venue}.{self.run_id}"


def _currencies(listing: Listing) -> tuple[str, ...]:
    pair = listing.instrument
    return (pair.base, pair.quote) if isinstance(pair, SpotPair) else (pair.quote,)
