"""Paper mode over a real venue: the account and its market are real, the fills are not.

What the real venue tells passes through with the simulated trades laid over it. Orders end here:
neither an order nor a cancel ever reaches the real venue.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    ContractDescribed,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderType,
    OrderUnanswered,
    PositionReported,
    PositionRow,
    Side,
    VenueChanged,
    VenueFact,
    VenueState,
    VenueWarned,
)
from engine.desk.hours import has_expired, trading_date
from engine.desk.instruments import ContractSpec, Instrument, OptionContract
from engine.desk.market import Bar, Quote
from engine.errors import InputError
from engine.venues.paper import storage
from engine.venues.paper.book import PaperBook, PaperOrder
from engine.venues.paper.contracts import tradable
from engine.venues.port import PricedOrder, Venue, VenueSink

_SIMULATED = "fills are simulated"

_Key = tuple[str, str]  # account, ref
_Step = Callable[[], Iterable[VenueFact]]


def utc_now() -> datetime:
    return datetime.now(UTC)


class PaperFills:
    """A real venue whose orders are filled on paper; keeps engine.venues.port.Venue.

    make builds the real venue, under the same name, on the sink it is given. state_file keeps the
    simulated trades over a restart and is replaced before a change is told; removing it forgets
    them. clock gives aware UTC. Raises InputError if state_file is there and cannot be read.
    """

    def __init__(
        self,
        name: str,
        sink: VenueSink,
        *,
        make: Callable[[VenueSink], Venue],
        state_file: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self._sink = sink
        self._clock = clock
        self._state_file = state_file
        self._overlay = Overlay(venue=name, run_id=f"{clock():%Y%m%d%H%M%S%f}")
        if state_file is not None and state_file.exists():
            self._overlay.book = _saved_book(state_file)
        self._steps: deque[_Step] = deque()
        self._due: set[str] = set()  # client order ids whose fill or end is a step already
        self._asked: dict[str, Instrument] = {}  # ref -> instrument
        self._watched: set[str] = set()
        self._turning = False
        self._running = False
        self._save_failed = False
        self._inner = make(_Ear(self._hear_facts, self._hear_quote, sink))
        self.kind = self._inner.kind
        assert self._inner.name == name, "the real venue goes by another name"

    # --- the port --------------------------------------------------------------------------------

    async def run(self) -> None:
        self._running = True
        self._overlay.book.prune(self._clock())
        self._watch()
        try:
            await self._inner.run()
        finally:
            # What was not told yet is in the book, and so in the next snapshot.
            self._running = False
            self._steps.clear()
            self._due.clear()
            self._save()

    def ask(self) -> None:
        self._inner.ask()

    def place(self, order: PricedOrder) -> None:
        if not (self._running and self._overlay.is_linked):
            self._tell(self._unanswered(order.client_order_id))
            return
        known = self._overlay.book.orders.get(order.client_order_id)
        if known is None:
            known = self._overlay.accept(order, self._clock())
            self._tell(*self._overlay.reported(known))
            self._watch()
            self._soon(partial(self._match, known))
        else:
            self._soon(partial(self._overlay.reported, known))

    def cancel(self, order: PricedOrder) -> None:
        if self._running:
            self._soon(partial(self._overlay.cancel, order.client_order_id))
        else:
            self._tell(self._unanswered(order.client_order_id))

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self._asked = {it.ref: it for it in instruments}
        self._watch(always=True)

    # --- what the real venue tells ---------------------------------------------------------------

    def _hear_facts(self, batch: Iterable[VenueFact]) -> None:
        now = self._clock()
        heard = tuple(batch)
        told = tuple(self._overlay.laid_over(fact, now) for fact in heard)
        self._save()
        self._sink.facts(told)
        if any(isinstance(fact, VenueChanged | BookSnapshot) for fact in heard):
            for known in self._overlay.book.working:
                self._consider(known, now)

    def _hear_quote(self, venue: str, ref: str, quote: Quote) -> None:
        self._overlay.quotes[ref] = quote
        self._sink.quote(venue, ref, quote)
        now = self._clock()
        for known in self._overlay.book.working:
            if known.order.instrument.ref == ref:
                self._consider(known, now)

    def _consider(self, known: PaperOrder, now: datetime) -> None:
        """Let a resting order fill at the price that crosses it now, or end with its day."""
        order = known.order
        if not self._running or order.client_order_id in self._due:
            return
        if over := self._overlay.is_over(known, now):
            self._due.add(order.client_order_id)
            self._soon(partial(self._end, known, over))
        elif (touch := self._overlay.touch(known, now)) is not None:
            self._due.add(order.client_order_id)
            self._soon(partial(self._fill, known, touch))

    # --- turns -----------------------------------------------------------------------------------

    def _match(self, known: PaperOrder) -> Iterable[VenueFact]:
        touch = self._overlay.touch(known, self._clock())
        return () if touch is None else self._fill(known, touch)

    def _fill(self, known: PaperOrder, touch: Decimal) -> Iterable[VenueFact]:
        order = known.order
        self._due.discard(order.client_order_id)
        if not known.working:
            return ()
        executed = self._overlay.fill(known, touch, self._clock())
        # Ahead of all other steps: rows show every fill made, so no fill may come in between.
        self._steps.appendleft(partial(self._overlay.reported, known))
        self._steps.appendleft(partial(self._overlay.holds, order.account, order.instrument))
        self._watch()
        return executed

    def _end(self, known: PaperOrder, reason: str) -> Iterable[VenueFact]:
        self._due.discard(known.order.client_order_id)
        return self._overlay.end(known, reason)

    def _soon(self, step: _Step) -> None:
        self._steps.append(step)
        self._turn_soon()

    def _tell(self, *batch: VenueFact) -> None:
        self._soon(lambda: batch)

    def _turn_soon(self) -> None:
        if self._steps and not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Take one step: what it changed is on disk before it is told."""
        self._turning = False
        if self._steps:
            batch = tuple(self._steps.popleft()())
            self._save()
            if batch:
                self._sink.facts(batch)
        self._turn_soon()

    def _save(self) -> None:
        if not self._overlay.changed or self._state_file is None:
            return
        self._overlay.changed = False
        book = storage.book_to_json(self._overlay.book)
        try:
            storage.write(
                self._state_file, {"version": storage.VERSION, "over": self.name, "book": book}
            )
        except OSError as error:
            # The simulation goes on in memory, and the next change tries again.
            self._overlay.changed = True
            if not self._save_failed and self._running:
                text = f"The simulated fills cannot be saved: {error}"
                self._tell(
                    VenueWarned(venue=self.name, code="paper-save", text=text, critical=False)
                )
            self._save_failed = True
        else:
            self._save_failed = False

    def _watch(self, *, always: bool = False) -> None:
        """Keep quotes coming for what is held or ordered on paper only, too."""
        wanted = self._asked | self._overlay.needed()
        if always or not wanted.keys() <= self._watched:
            self._watched = set(wanted)
            self._inner.watch(tuple(wanted.values()))

    def _unanswered(self, client_order_id: str) -> OrderUnanswered:
        return OrderUnanswered(
            client_order_id=client_order_id, reason=f"{self.name} is not connected"
        )


@dataclass(frozen=True, slots=True)
class _Ear:
    """What the real venue gets for a sink: no order of ours is there, so none is doubtful."""

    facts: Callable[[Iterable[VenueFact]], None]
    quote: Callable[[str, str, Quote], None]
    sink: VenueSink

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        self.sink.bars(venue, ref, bars)

    def heard(self, venue: str) -> None:
        self.sink.heard(venue)

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return ()


@dataclass(slots=True, kw_only=True)
class Overlay:
    """The simulated trades, and what of the real account they are laid over.

    Pure: it has no loop and no clock. book holds the simulated changes only, real the rows as the
    real venue told them, accounts is None until it told a book. run_id keeps execution ids apart
    where the saved book was removed. changed: the book differs from what was last saved.
    """

    venue: str
    run_id: str
    book: PaperBook = field(default_factory=lambda: PaperBook(cash={}))
    real: dict[_Key, PositionRow] = field(default_factory=dict)
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
        known = self.book.accept(order, now)
        known.reason = self._refusal(order, now)
        if known.reason:
            known.report = OrderReport.REJECTED
        self.changed = True
        return known

    def touch(self, known: PaperOrder, now: datetime) -> Decimal | None:
        """Give the price a working order trades at now, None where it does not trade."""
        order, ref = known.order, known.order.instrument.ref
        quote, spec = self.quotes.get(ref), self.specs.get(ref)
        if not known.working or self.state is not VenueState.READY:
            return None
        if quote is None or quote.crossed:
            return None
        # A broker shows quotes of closed markets too. Where it told no hours, none are kept.
        if spec is not None and spec.liquid and not tradable(spec, order, now):
            return None
        shown = quote.ask if order.side is Side.BUY else quote.bid
        if shown is None or shown <= 0:
            return None
        touch = Decimal(repr(shown))
        if order.limit_price is not None and (touch - order.limit_price) * order.side.sign > 0:
            return None
        return touch

    def fill(self, known: PaperOrder, price: Decimal, now: datetime) -> tuple[VenueFact, ...]:
        """Execute a working order whole."""
        self.book.cash.setdefault(known.order.account, Decimal(0))
        execution, _ = self.book.fill(
            known,
            quantity=known.remaining,
            price=price,
            execution_id=f"simulated.{self.venue}.{self.run_id}.{self.book.number()}",
            at=now,
        )
        self.changed = True
        return (ExecutionReported(venue=self.venue, execution=execution),)

    def cancel(self, client_order_id: str) -> tuple[VenueFact, ...]:
        """Cancel a simulated order if it works; say what it really is."""
        known = self.book.orders.get(client_order_id)
        if known is not None:
            return self.end(known, "")
        if client_order_id in self.real_orders:
            text = f"Order {client_order_id} is a real one: paper mode leaves it alone."
            return (VenueWarned(venue=self.venue, code="real-order", text=text, critical=False),)
        never = OrderRow(
            client_order_id=client_order_id,
            venue_order_id="",
            report=OrderReport.REJECTED,
            filled=Decimal(0),
            reason="The venue never had this order",
        )
        return (OrderReported(venue=self.venue, row=never),)

    def end(self, known: PaperOrder, reason: str) -> tuple[VenueFact, ...]:
        """Cancel an order unless it is done already; say what it is."""
        if known.working:
            known.report, known.reason = OrderReport.CANCELLED, reason
            self.changed = True
        return self.reported(known)

    def is_over(self, known: PaperOrder, now: datetime) -> str:
        """Give the reason an order can work no longer, empty where it can."""
        if self._has_expired(known.order.instrument, now):
            return "The contract has expired"
        if trading_date(known.placed_at) < trading_date(now):
            return "The day the order was good for is over"
        return ""

    def reported(self, known: PaperOrder) -> tuple[VenueFact, ...]:
        return (OrderReported(venue=self.venue, row=known.row),)

    def _refusal(self, order: PricedOrder, now: datetime) -> str:
        if self.accounts is not None and order.account not in self.accounts:
            return f"There is no account {order.account}"
        if order.quantity <= 0:
            return f"{order.quantity} is no quantity to trade"
        limit = order.limit_price
        if order.order_type is OrderType.LIMIT and (limit is None or limit <= 0):
            return "A limit order needs a price above zero"
        return "The contract has expired" if self._has_expired(order.instrument, now) else ""

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
            case ContractDescribed(spec=spec):
                self.specs[spec.ref] = spec
                return fact
            case OrderReported(row=order):
                self.real_orders.add(order.client_order_id)
                return fact
            case ExecutionReported() | VenueWarned() | OrderUnanswered() | BalanceReported():
                return fact

    def holds(self, account: str, instrument: Instrument) -> tuple[VenueFact, ...]:
        """Report what is held of one instrument now, real and simulated."""
        none = PositionRow(account=account, instrument=instrument, quantity=Decimal(0))
        row = self._with(self.real.get((account, instrument.ref), none))
        return (PositionReported(venue=self.venue, row=row),)

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

    def _with(self, row: PositionRow) -> PositionRow:
        """Lay the simulated quantity over a real row. The cost stays the real one until the
        position is on the other side, and then is the simulated one."""
        own = self.book.held.get((row.account, row.instrument.ref))
        if own is None:
            return row
        quantity = row.quantity + own.quantity
        cost = row.average_cost if row.quantity * quantity > 0 else own.average_cost
        return replace(row, quantity=quantity, average_cost=cost)

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


def _saved_book(path: Path) -> PaperBook:
    try:
        state = storage.read(path)
        if state["version"] != storage.VERSION or "over" not in state:
            raise ValueError("not the simulated fills of a venue")
        return storage.book_from_json(state["book"])
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise InputError(
            f"The simulated fills in {path} cannot be read: {error}. "
            "Move the file away to start paper mode without them."
        ) from error
