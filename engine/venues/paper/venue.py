"""The paper venue: an account and a market of its own, reported as a broker would.

It decides nothing about positions, and never answers within a call: each report goes to the sink
on a later turn of the event loop, one batch a turn, in the order it came about.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    OrderUnanswered,
    PositionRow,
    VenueChanged,
    VenueFact,
    VenueState,
    VenueWarned,
)
from engine.desk.instruments import Instrument, OptionContract
from engine.desk.options.definitions import StrategyDefinition
from engine.venues.between import utc_now
from engine.venues.paper import storage
from engine.venues.paper.book import PaperBook, PaperOrder
from engine.venues.paper.broker import PaperBroker
from engine.venues.paper.contracts import Hours, is_open, round_the_clock
from engine.venues.paper.exercise import DrillRefused, beyond, pick_short
from engine.venues.paper.market import SyntheticMarket
from engine.venues.paper.turns import Turns
from engine.venues.port import PricedOrder, VenueSink

DEMO_ACCOUNT = "DEMO0001"
_QUOTES_EVERY_SECONDS = 0.25

Ticks = Callable[[], AsyncGenerator[float, None]]


async def four_a_second() -> AsyncGenerator[float, None]:
    """Tick about four times a second; each tick is the seconds that really passed."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    while True:
        await asyncio.sleep(_QUOTES_EVERY_SECONDS)
        now = loop.time()
        yield now - before
        before = now


class PaperVenue:
    """A broker that exists nowhere; keeps engine.venues.port.Venue.

    positions, accounts and cash open a new account; each account gets the same cash. clock gives
    aware UTC. ticks yields the seconds since the tick before and sets the pace of everything.
    hours says when what trades. state_file, if given, is replaced on every change.
    """

    kind: str = "paper"
    clock_skew_seconds: float | None = 0.0

    def __init__(
        self,
        name: str,
        sink: VenueSink,
        *,
        positions: Iterable[PositionRow] = (),
        accounts: Iterable[str] = (),
        cash: Decimal = Decimal(100_000),
        market: SyntheticMarket | None = None,
        clock: Callable[[], datetime] = utc_now,
        ticks: Ticks = four_a_second,
        hours: Hours = round_the_clock,
        state_file: Path | None = None,
    ) -> None:
        book = PaperBook.opened(positions, accounts=accounts, cash=cash)
        if not book.cash:
            book.cash[DEMO_ACCOUNT] = cash
        self.name = name
        self._sink = sink
        self._clock = clock
        self._ticks = ticks
        self._hours = hours
        self._market = market if market is not None else SyntheticMarket()
        self._broker = PaperBroker(
            venue=name,
            book=book,
            market=self._market,
            hours=hours,
            run_id=f"{clock():%Y%m%d%H%M%S%f}",
        )
        self._watched: dict[str, Instrument] = {}  # ref -> instrument
        self._described: dict[str, date] = {}  # ref -> the UTC day its spec was told
        self._turns = Turns(sink, self._save)
        self._file = storage.StateFile(state_file, self._warn)
        self._running = False
        self._asked_at: datetime | None = None
        self._market.learn(row.instrument for row in book.positions)

    @classmethod
    def restore(
        cls, state: Mapping[str, Any], sink: VenueSink, *, name: str | None = None, **options: Any
    ) -> Self:
        """Build the venue `state` was taken of; options are those of the constructor, without
        positions, accounts and cash. Raises PaperStateError on what is no such state."""
        venue = cls(name if name is not None else str(state.get("name")), sink, **options)
        try:
            if state["version"] != storage.VERSION:
                raise ValueError(f"version {state['version']} is not {storage.VERSION}")
            venue._broker.book = storage.book_from_json(state["book"])
            venue._market.resume(state["market"])
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise storage.PaperStateError(f"This is no paper account: {error!r}") from error
        venue._market.learn(row.instrument for row in venue._broker.book.positions)
        return venue

    @classmethod
    def open(
        cls,
        name: str,
        sink: VenueSink,
        *,
        state_file: Path,
        positions: Iterable[PositionRow] = (),
        accounts: Iterable[str] = (),
        cash: Decimal = Decimal(100_000),
        **options: Any,
    ) -> Self:
        """Open the account saved at state_file, or a new one to be saved there. Raises
        PaperStateError if the file is there and cannot be read."""
        if state_file.exists():
            state = storage.read(state_file)
            return cls.restore(state, sink, name=name, state_file=state_file, **options)
        return cls(
            name,
            sink,
            positions=positions,
            accounts=accounts,
            cash=cash,
            state_file=state_file,
            **options,
        )

    # --- the port --------------------------------------------------------------------------------

    async def run(self) -> None:
        self._running = True
        try:
            self._start()
            async with aclosing(self._ticks()) as ticks:
                async for seconds in ticks:
                    self._tick(seconds)
        finally:
            # What was not told yet is in the book, and so in the next snapshot.
            self._running = False
            self._turns.clear()
            self._asked_at = None
            self._broker.changed = True  # the market has moved on, if nothing else
            self._save()

    def ask(self) -> None:
        if self._running and self._asked_at is None:
            self._asked_at = self._clock()
            self._turns.soon(self._answer)

    def place(self, order: PricedOrder) -> None:
        if not self._running:
            self._turns.tell(self._unanswered(order.client_order_id))
            return
        known = self._broker.book.orders.get(order.client_order_id)
        if known is None:
            known = self._broker.accept(order, self._clock())
            self._turns.tell(*self._broker.reported(known))
            self._turns.soon(partial(self._match, known))
        else:
            self._turns.soon(partial(self._broker.reported, known))

    def cancel(self, order: PricedOrder) -> None:
        if self._running:
            self._turns.soon(partial(self._broker.cancel, order.client_order_id))
        else:
            self._turns.tell(self._unanswered(order.client_order_id))

    def watch(self, instruments: Iterable[Instrument]) -> None:
        self._watched = {it.ref: it for it in instruments}
        self._market.learn(self._watched.values())
        if self._running:
            self._turns.soon(self._describe_new)

    # --- beyond the port -------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Export the account and its market as JSON-able values, for `restore`."""
        return {
            "version": storage.VERSION,
            "name": self.name,
            "book": storage.book_to_json(self._broker.book),
            "market": self._market.state(),
        }

    def drill_assignment(
        self,
        account: str | None = None,
        ref: str | None = None,
        *,
        strategy: StrategyDefinition | None = None,
        quantity: Decimal | None = None,
    ) -> str:
        """Assign a short option, so that a person can practise; say what was done.

        account, ref and strategy narrow the choice; of what is left the leg deepest in the money,
        or nearest to it, is taken, whole unless quantity (positive contracts) says less. The
        option row is reported next turn, the shares a tick later. Raises DrillRefused.
        """
        row, contract = pick_short(
            (
                (it, self._market.spot(it.instrument.underlying))
                for it in self._broker.book.positions
                if not self._market.underlying(it.instrument.underlying).cash_settled
            ),
            account=account,
            ref=ref,
            strategy=strategy,
        )
        taken = -row.quantity if quantity is None else quantity
        if not 0 < taken <= -row.quantity or taken % 1:
            raise DrillRefused(f"{-row.quantity} contracts can be assigned, not {taken}.")
        spot = beyond(contract, self._market.spot(contract.underlying))
        self._market.move(contract.underlying, spot)
        shares, gone = self._broker.exercise(row, contract, -taken)
        if self._running:
            self._turns.tell(*gone)
        verb = "came in" if shares > 0 else "were taken"
        return (
            f"{contract.underlying} is at {spot:.2f}: {taken} {contract.name} of {row.account}"
            f" assigned, {abs(shares):f} shares {verb} at {contract.strike.normalize():f}."
        )

    # --- turns -----------------------------------------------------------------------------------

    def _start(self) -> None:
        self._described.clear()
        self._broker.book.prune(self._clock())
        self._sink.facts((VenueChanged(venue=self.name, state=VenueState.SYNCING),))
        if described := self._describe_new():
            self._sink.facts(described)
        self._publish(self._clock())
        self._save()
        self._sink.facts((self._snapshot(self._clock()),))
        ready = VenueChanged(
            venue=self.name,
            state=VenueState.READY,
            detail="simulated fills, synthetic prices",
            can_trade=True,
        )
        self._sink.facts((ready,))

    def _tick(self, seconds: float) -> None:
        self._market.advance(seconds)
        now = self._clock()
        self._turns.soon(partial(self._work, now))
        if fresh := self._describe_new():
            self._turns.tell(*fresh)
        self._publish(now)

    def _match(self, known: PaperOrder) -> Iterable[VenueFact]:
        self._turns.at_once(self._broker.match(known, self._clock()))
        return ()

    def _work(self, now: datetime) -> Iterable[VenueFact]:
        self._turns.at_once(self._broker.tick(now))
        return ()

    def _publish(self, now: datetime) -> None:
        self._sink.heard(self.name)
        for ref, instrument in self._quoted().items():
            if is_open(self._hours(instrument, now)[0], now):
                self._sink.quote(self.name, ref, self._market.quote(instrument, now))

    def _save(self) -> None:
        if self._broker.changed:
            self._broker.changed = not self._file.keep(self.state)

    def _warn(self, error: OSError) -> None:
        text = f"The paper account cannot be saved: {error}"
        if self._running:
            self._turns.tell(
                VenueWarned(venue=self.name, code="paper-save", text=text, critical=False)
            )

    # --- what is known ---------------------------------------------------------------------------

    def _quoted(self) -> dict[str, Instrument]:
        """Find what is held, what held options are written on, and what is watched."""
        found: dict[str, Instrument] = {}
        for row in self._broker.book.positions:
            instrument = row.instrument
            found[instrument.ref] = instrument
            if isinstance(instrument, OptionContract):
                stock = self._broker.book.underlying_of(instrument)
                found[stock.ref] = stock
        return found | self._watched

    def _describe_new(self) -> tuple[VenueFact, ...]:
        """Describe what was not described today: hours are told for a few days only."""
        now = self._clock()
        facts: list[VenueFact] = []
        for ref, instrument in self._quoted().items():
            if self._described.get(ref) != now.date():
                self._described[ref] = now.date()
                spec = self._broker.spec(instrument, now)
                facts.append(ContractDescribed(venue=self.name, spec=spec))
        return tuple(facts)

    def _answer(self) -> tuple[VenueFact, ...]:
        asked_at, self._asked_at = self._asked_at, None
        return () if asked_at is None else (self._snapshot(asked_at),)

    def _snapshot(self, asked_at: datetime) -> BookSnapshot:
        return BookSnapshot(
            venue=self.name,
            asked_at=asked_at,
            accounts=self._broker.book.accounts,
            positions=self._broker.book.positions,
            executions=self._broker.book.told_executions(asked_at),
            orders=tuple(known.row for known in self._broker.book.orders.values()),
        )

    def _unanswered(self, client_order_id: str) -> OrderUnanswered:
        return OrderUnanswered(
            client_order_id=client_order_id, reason=f"{self.name} is not connected"
        )
