"""The paper broker: matches orders against the market's quotes, settles exercises, and words each
event as the batches a broker would send.

Pure: it has no loop and no clock. What it answers is already in the book; the venue tells it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.facts import (
    ExecutionReported,
    OrderReport,
    OrderReported,
    PositionReported,
    PositionRow,
    Side,
    TimeInForce,
    VenueFact,
)
from engine.desk.instruments import ContractSpec, Instrument, OptionContract
from engine.venues.paper.book import Delivery, PaperBook, PaperOrder, absent
from engine.venues.paper.carrying import carry_out
from engine.venues.paper.contracts import Hours, closed_to, describe, tradable
from engine.venues.paper.exercise import delivered, intrinsic
from engine.venues.paper.fees import NO_FEES
from engine.venues.paper.market import NEW_YORK, SyntheticMarket, expires_at
from engine.venues.paper.matching import Level, plan, refusal
from engine.venues.port import PricedOrder

_WORTH_EXERCISING = 0.01  # Source: OCC exercises what is a cent in the money at expiration.

Batch = tuple[VenueFact, ...]


@dataclass(slots=True, kw_only=True)
class PaperBroker:
    """One book, one market. run_id keeps execution ids apart between runs of a journal.

    changed says that the book differs from what was last saved.
    """

    venue: str
    book: PaperBook
    market: SyntheticMarket
    hours: Hours
    run_id: str
    changed: bool = True

    def spec(self, instrument: Instrument, now: datetime) -> ContractSpec:
        spec = describe(instrument, market=self.market, hours=self.hours, now=now)
        if not isinstance(instrument, OptionContract):
            return spec
        return replace(spec, underlying_ref=self.book.underlying_of(instrument).ref)

    # --- orders ----------------------------------------------------------------------------------

    def accept(self, order: PricedOrder, now: datetime) -> PaperOrder:
        """Enter an order that is new, working or rejected."""
        self.market.learn((order.instrument,))
        known = self.book.accept(order, now)
        self.changed = True
        if order.account not in self.book.cash:
            known.reason = f"There is no account {order.account}"
        else:
            spec = self.spec(order.instrument, now)
            known.reason = closed_to(order, spec, now) or refusal(
                order, spec, self._levels(known, now)
            )
        if known.reason:
            known.report = OrderReport.REJECTED
        return known

    def match(self, known: PaperOrder, now: datetime) -> Iterable[Batch]:
        """Fill an order as far as the touch allows; what is left waits for the next tick."""
        order = known.order
        held = self.book.position(order.account, order.instrument).quantity
        planned = plan(
            known, self._levels(known, now), spec=self.spec(order.instrument, now), held=held
        )
        if not planned.changes(known):
            return ()
        executions = carry_out(
            self.book,
            known,
            planned,
            fees=NO_FEES,
            ids=f"{self.venue}.{self.run_id}",
            at=now,
        )
        self.changed = True
        row = self.book.position(order.account, order.instrument)
        batches: list[Batch] = [
            (ExecutionReported(venue=self.venue, execution=it),) for it in executions
        ]
        if executions:
            batches.append((PositionReported(venue=self.venue, row=row),))
        return (*batches, self.reported(known))

    def cancel(self, client_order_id: str) -> Batch:
        """Cancel an order if it works; say what it really is."""
        known = self.book.orders.get(client_order_id)
        if known is None:
            return (OrderReported(venue=self.venue, row=absent(client_order_id)),)
        return self._end(known, "") if known.working else self.reported(known)

    def reported(self, known: PaperOrder) -> Batch:
        return (OrderReported(venue=self.venue, row=known.row),)

    def tick(self, now: datetime) -> Iterable[Batch]:
        """Bring the shares of the last tick's exercises, settle what expires, and try every
        working order again."""
        batches = [*self._deliver(), *self._expire(now)]
        today = now.astimezone(NEW_YORK).date()
        for known in self.book.working:
            contract = known.order.instrument
            if isinstance(contract, OptionContract) and now >= expires_at(contract):
                batches.append(self._end(known, "The contract has expired"))
            elif (
                known.order.time_in_force is TimeInForce.DAY
                and known.placed_at.astimezone(NEW_YORK).date() < today
            ):
                batches.append(self._end(known, "The day the order was good for is over"))
            else:
                batches.extend(self.match(known, now))
        return batches

    def _levels(self, known: PaperOrder, now: datetime) -> tuple[Level, ...]:
        """Give what a working order can trade against now."""
        order = known.order
        if not known.working or not tradable(self.spec(order.instrument, now), order, now):
            return ()
        quote = self.market.quote(order.instrument, now)
        shown = quote.ask if order.side is Side.BUY else quote.bid
        if shown is None:
            return ()
        size = self.market.displayed(order.instrument)
        return (Level(price=Decimal(f"{shown:.2f}"), size=size),)

    def _end(self, known: PaperOrder, reason: str) -> Batch:
        known.report, known.reason = OrderReport.CANCELLED, reason
        self.changed = True
        return self.reported(known)

    # --- exercise and expiry ---------------------------------------------------------------------

    def exercise(
        self, row: PositionRow, contract: OptionContract, quantity: Decimal
    ) -> tuple[Decimal, Batch]:
        """Take so many contracts (signed) out of the account; their shares follow at the next
        tick. Give the signed shares, and the option's row."""
        shares = delivered(contract, quantity)
        self.book.deliveries.append(
            Delivery(
                account=row.account,
                instrument=self.book.underlying_of(contract),
                quantity=shares,
                price=contract.strike,
            )
        )
        return shares, self._change(row.account, contract, -quantity, Decimal(0))

    def _change(
        self, account: str, instrument: Instrument, quantity: Decimal, price: Decimal
    ) -> Batch:
        self.book.change(account, instrument, quantity, price)
        self.changed = True
        row = self.book.position(account, instrument)
        return (PositionReported(venue=self.venue, row=row),)

    def _deliver(self) -> Iterable[Batch]:
        due, self.book.deliveries = self.book.deliveries, []
        return [self._change(it.account, it.instrument, it.quantity, it.price) for it in due]

    def _expire(self, now: datetime) -> Iterable[Batch]:
        """Settle what has expired: in the money exercised, or paid in cash; else it is gone."""
        for row in self.book.positions:
            contract = row.instrument
            if not isinstance(contract, OptionContract) or now < expires_at(contract):
                continue
            worth = intrinsic(contract, self.market.spot(contract.underlying))
            if worth < _WORTH_EXERCISING:
                yield self._change(row.account, contract, -row.quantity, Decimal(0))
            elif self.market.underlying(contract.underlying).cash_settled:
                yield self._change(row.account, contract, -row.quantity, Decimal(f"{worth:.2f}"))
            else:
                yield self.exercise(row, contract, row.quantity)[1]
