"""The paper exchange: an account in perpetuals or spot pairs and a market of its own, reported as
an exchange would.

It decides nothing about positions, and never answers within a call: each report goes to the sink
on a later turn of the event loop, one batch a turn, in the order it came about. Nothing is kept.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from engine.desk.facts import (
    BookSnapshot,
    ContractDescribed,
    OrderUnanswered,
    PositionRow,
    VenueChanged,
    VenueFact,
    VenueState,
)
from engine.desk.instruments import Instrument, Perpetual
from engine.desk.market import Bar
from engine.venues.between import utc_now
from engine.venues.paper.bars import BarMaker
from engine.venues.paper.book import PaperBook, PaperOrder
from engine.venues.paper.coin_broker import CoinBroker
from engine.venues.paper.coin_market import STEP_SECONDS, CoinMarket
from engine.venues.paper.coins import Listing
from engine.venues.paper.exercise import DrillRefused
from engine.venues.paper.fees import USUAL_FEES, FeeRates
from engine.venues.paper.turns import Turns
from engine.venues.paper.venue import Ticks, four_a_second
from engine.venues.port import PricedOrder, VenueSink

MAIN_ACCOUNT = "main"


class PaperExchange:
    """An exchange that exists nowhere; keeps engine.venues.port.Venue.

    listings are its markets; positions and funds (currency -> amount) open the account. clock
    gives aware UTC; ticks yields the seconds since the tick before and sets the pace of
    everything. bar_seconds is how long a bar lasts, None for no bars; history_bars how many are
    told at the start. assigned_after_seconds: when the exchange first puts a perpetual on the
    book by itself, None for never.
    """

    kind: str = "paper"
    clock_skew_seconds: float | None = 0.0

    def __init__(
        self,
        name: str,
        sink: VenueSink,
        *,
        listings: Iterable[Listing],
        positions: Iterable[PositionRow] = (),
        funds: Mapping[str, Decimal] | None = None,
        account: str = MAIN_ACCOUNT,
        market: CoinMarket | None = None,
        fees: FeeRates = USUAL_FEES,
        bar_seconds: float | None = None,
        history_bars: int = 0,
        assigned_after_seconds: float | None = None,
        clock: Callable[[], datetime] = utc_now,
        ticks: Ticks = four_a_second,
    ) -> None:
        listed = {listing.ref: listing for listing in listings}
        book = PaperBook.opened(positions, accounts=[account], cash=Decimal(0))
        book.funds.update({(account, code): amount for code, amount in (funds or {}).items()})
        self.name = name
        self._sink = sink
        self._account = account
        self._clock = clock
        self._ticks = ticks
        self._market = market or CoinMarket({it.coin for it in listed.values()})
        self._broker = CoinBroker(
            venue=name,
            book=book,
            market=self._market,
            listings=listed,
            fees=fees,
            run_id=f"{clock():%Y%m%d%H%M%S%f}",
        )
        self._turns = Turns(sink, lambda: None)
        self._running = False
        self._asked_at: datetime | None = None
        self._assigned = 0
        self._assigned_in = assigned_after_seconds
        self._history_bars = history_bars
        self._bar_seconds = bar_seconds
        self._makers: dict[str, BarMaker] = {}  # ref -> maker
        self._bars: dict[str, deque[Bar]] = {}  # ref -> closed bars, oldest first

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
            self._turns.soon(partial(self._broker.shown, known))
            self._turns.soon(partial(self._match, known))
        else:
            self._turns.soon(partial(self._broker.shown, known))

    def cancel(self, order: PricedOrder) -> None:
        name = order.client_order_id
        if not self._running:
            self._turns.tell(self._unanswered(name))
        elif (known := self._broker.cancel(name)) is None:
            self._turns.soon(partial(self._broker.unknown, name))
        else:
            self._turns.soon(partial(self._broker.shown, known))

    def watch(self, instruments: Iterable[Instrument]) -> None:
        """Everything listed is quoted and described anyway."""

    # --- beyond the port -------------------------------------------------------------------------

    @property
    def assignable_symbols(self) -> tuple[str, ...]:
        """The perpetuals a drill can put on the book."""
        found = self._broker.listings.values()
        return tuple(it.instrument.name for it in found if _is_perpetual(it))

    def drill_perpetual(self, symbol: str | None = None, *, quantity: Decimal | None = None) -> str:
        """Assign a perpetual position, so that a person can practise; say what was done.

        quantity is positive coins. It adds to what is held of that perpetual; on a flat one the
        sides take turns. Without a symbol, what nobody holds is taken before what is held.
        Reported next turn. Raises DrillRefused.
        """
        listing = self._assignable(symbol)
        step = listing.spec.quantity_step
        lot = listing.coin.lot if quantity is None else quantity
        if lot <= 0 or lot % step:
            raise DrillRefused(f"{lot} is no multiple of {step} {listing.coin.name} above zero.")
        held = self._broker.book.position(self._account, listing.instrument).quantity
        short = held < 0 if held else self._assigned % 2 == 1
        self._assigned += 1
        now = self._clock()
        self._turns.soon(
            partial(self._broker.assign, listing, self._account, -lot if short else lot, now)
        )
        side = "short" if short else "long"
        return f"{lot:f} {listing.instrument.name} {side} of a stranger was put on the book."

    def _assignable(self, symbol: str | None) -> Listing:
        found = [it for it in self._broker.listings.values() if _is_perpetual(it)]
        named = [it for it in found if symbol in (None, it.ref, it.instrument.symbol)]
        if not named:
            known = ", ".join(it.instrument.name for it in found) or "none"
            raise DrillRefused(f"No perpetual {symbol or ''} is listed. Listed: {known}.")
        if not self._running:
            raise DrillRefused(f"{self.name} is not connected: nothing can be assigned.")
        flat = [it for it in named if not self._held(it)]
        return (flat or named)[self._assigned % len(flat or named)]

    def _held(self, listing: Listing) -> Decimal:
        return self._broker.book.position(self._account, listing.instrument).quantity

    # --- turns -----------------------------------------------------------------------------------

    def _start(self) -> None:
        now = self._clock()
        self._broker.book.prune(now)
        self._sink.facts((VenueChanged(venue=self.name, state=VenueState.SYNCING),))
        described = [
            ContractDescribed(venue=self.name, spec=listing.spec)
            for listing in self._broker.listings.values()
        ]
        self._sink.facts(described)
        if self._bar_seconds is not None and not self._makers:
            self._remember(self._bar_seconds, now)
        self._publish(now)
        self._sink.facts((*self._broker.balances(), self._snapshot(now)))
        ready = VenueChanged(
            venue=self.name,
            state=VenueState.READY,
            detail="simulated fills, synthetic prices",
            can_trade=True,
        )
        self._sink.facts((ready,))
        for ref, bars in self._bars.items():
            self._sink.bars(self.name, ref, tuple(bars))

    def _tick(self, seconds: float) -> None:
        self._market.advance(seconds)
        now = self._clock()
        self._turns.soon(partial(self._work, now))
        self._publish(now)
        for ref, closed in self._take_bars(now):
            self._sink.bars(self.name, ref, closed)
        if self._assigned_in is not None:
            self._assigned_in -= seconds
            if self._assigned_in <= 0:
                self._assigned_in = None
                self.drill_perpetual()

    def _match(self, known: PaperOrder) -> Iterable[VenueFact]:
        self._turns.at_once(self._broker.match(known, self._clock()))
        return ()

    def _work(self, now: datetime) -> Iterable[VenueFact]:
        self._turns.at_once(self._broker.tick(now))
        return ()

    def _publish(self, now: datetime) -> None:
        self._sink.heard(self.name)
        for ref, listing in self._broker.listings.items():
            self._sink.quote(self.name, ref, self._market.quote(listing, now))

    # --- bars ------------------------------------------------------------------------------------

    def _remember(self, bar_seconds: float, now: datetime) -> None:
        """Let the market have traded for the length of the history up to now."""
        for ref in self._broker.listings:
            self._makers[ref] = BarMaker(bar_seconds)
            self._bars[ref] = deque(maxlen=max(self._history_bars, 1))
        opens = BarMaker(bar_seconds).begins(now) - timedelta(
            seconds=bar_seconds * self._history_bars
        )
        pace = timedelta(seconds=STEP_SECONDS)
        while opens <= now:
            self._market.advance(STEP_SECONDS)
            for _ in self._take_bars(opens):
                pass
            opens += pace

    def _take_bars(self, at: datetime) -> list[tuple[str, tuple[Bar, ...]]]:
        found = []
        for ref, maker in self._makers.items():
            price = self._market.price(self._broker.listings[ref].coin)
            if closed := maker.take(price, at):
                self._bars[ref].extend(closed)
                found.append((ref, closed))
        return found

    # --- what is known ---------------------------------------------------------------------------

    def _answer(self) -> tuple[VenueFact, ...]:
        asked_at, self._asked_at = self._asked_at, None
        if asked_at is None:
            return ()
        return (*self._broker.balances(), self._snapshot(asked_at))

    def _snapshot(self, asked_at: datetime) -> BookSnapshot:
        book = self._broker.book
        return BookSnapshot(
            venue=self.name,
            asked_at=asked_at,
            accounts=book.accounts,
            positions=book.positions,
            executions=book.told_executions(asked_at),
            orders=tuple(known.row for known in book.orders.values()),
        )

    def _unanswered(self, client_order_id: str) -> OrderUnanswered:
        return OrderUnanswered(
            client_order_id=client_order_id, reason=f"{self.name} is not connected"
        )


def _is_perpetual(listing: Listing) -> bool:
    return isinstance(listing.instrument, Perpetual)
