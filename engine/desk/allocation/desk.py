"""The allocation desk: signals, reserved funds, and the bracket around each position.

It decides in which order signals are heard and when money comes back. Whether a signal gets money
is entries' business, what a trade sends the flow's, who has how much the ledger's.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.allocation.closing import ClosedTrade, closed, told
from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.allocation.entries import enter
from engine.desk.allocation.episode import ZERO, Episode
from engine.desk.allocation.flow import ACCOUNT, SIGNAL_LASTS_BARS, Flow
from engine.desk.allocation.ledger import Ledger
from engine.desk.allocation.outcomes import count
from engine.desk.allocation.wakes import Wakes
from engine.desk.allocation.watch import Watched, exact, take_bars, watchlist
from engine.desk.facts import (
    BalanceReported,
    CloseRequested,
    CloseType,
    ConfigApplied,
    Execution,
    ExecutionOrigin,
    MarketFact,
    ResetRequested,
    Side,
    SignalKind,
    SignalRaised,
)
from engine.desk.floor import Floor
from engine.desk.intents import Purpose, Severity
from engine.desk.market import Bar
from engine.desk.orders import Order

HUNDRED = Decimal(100)
_FULL_FROM = Decimal(99)
_TRADES_KEPT = 200
_OURS = (Purpose.ENTRY, Purpose.BRACKET, Purpose.SELL_POSITION)


class AllocationDesk:
    """watched: symbol -> Watched, in the order of the config; episodes: symbol -> its trade.

    trades: what is over, oldest first. settings is None while no allocation is configured.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.settings: AllocationSettings | None = None
        self.watched: dict[str, Watched] = {}
        self.episodes: dict[str, Episode] = {}
        self.trades: deque[ClosedTrade] = deque(maxlen=_TRADES_KEPT)
        self.ledger = Ledger()
        self._wakes = Wakes()
        self.flow = Flow(floor, self.ledger, self._wakes)
        self._dirty: dict[str, None] = {}
        self._signals: list[SignalRaised] = []
        self._whole = HUNDRED
        self._leaves = False
        self._next: AllocationSettings | None = None

    # --- what is told ----------------------------------------------------------------------------

    def configure(self, fact: ConfigApplied) -> None:
        """Take the parameter sets. A trade under way keeps those it began with, and other money is
        not touched before all trades are over."""
        settings, before = fact.allocation, self.settings
        self._leaves = False
        if before is None or not self.episodes or (settings and not _moves(before, settings)):
            self._take(settings)
            return
        self._leaves, self._next = True, settings
        self._take(replace(before, sets=()))
        self._floor.alert(
            Severity.WARNING,
            f"allocation goes on at {before.venue} until its positions are closed",
            "No new ones are opened there.",
        )

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> tuple[MarketFact, ...]:
        """Score closed bars, oldest first; answer the signals, to be told to the desk as facts.

        Only the newest bar may signal; those before it warm the window up.
        """
        watched = self.watched.get(ref)
        if watched is None or self.settings is None or venue != self.settings.venue:
            return ()
        fresh, gaps = take_bars(watched, bars)
        for gap in gaps:
            self._floor.write(gap, ref)
        episode = self.episodes.get(ref)
        trading = episode is not None and episode.exit is None
        kind = watched.signal(trading=trading) if fresh else None
        z, bar = watched.series.z, watched.series.newest
        if kind is None or z is None or bar is None:
            return ()
        return (
            SignalRaised(
                venue=venue,
                symbol=ref,
                kind=kind,
                z_score=z,
                price=exact(bar.close),
                bar_at=bar.at,
            ),
        )

    def signal(self, fact: SignalRaised) -> bool:
        """Take a signal; True when it is news. A bar signals once, and only while it is fresh."""
        watched = self.watched.get(fact.symbol)
        if watched is None or self.settings is None or fact.venue != self.settings.venue:
            return False
        if not watched.news(fact, self._floor.now):
            return False
        self._signals.append(fact)
        return True

    def balance(self, fact: BalanceReported) -> bool:
        """Take a balance; True when it is news."""
        settings = self.settings
        if settings is None or (fact.venue, fact.account) != (settings.venue, ACCOUNT):
            return False
        if fact.currency != settings.quote_currency:
            known = self.flow.free.get(fact.currency)
            self.flow.free[fact.currency] = fact.free
            return known != fact.free
        before = self.ledger.total if self.ledger.known else None
        if not self.ledger.tell(fact.free, self._floor.now):
            return False
        if self.ledger.total != before:
            self._floor.write(f"Account balance updated: ${self.ledger.total:.2f}")
        return True

    def take_execution(self, venue: str, execution: Execution, change: Decimal) -> None:
        """Count an execution of one of our orders, or a sale by hand of what no bracket holds."""
        order = self._floor.orders.get(execution.client_order_id or "")
        if order is not None:
            if order.intent.purpose in _OURS:
                self._count(order, execution)
            return
        episode = self.episodes.get(execution.instrument.ref)
        by_hand = execution.origin is ExecutionOrigin.HAND and execution.side is Side.SELL
        if episode is None or not by_hand or venue != episode.venue:
            return
        if not self.flow.is_bracketed(episode):
            count(self.ledger, episode, execution, self._floor.now)
            episode.by_hand = True
            self._dirty[episode.symbol] = None

    def order_ended(self, order: Order) -> None:
        self._dirty[order.intent.strategy_id or ""] = None

    def order_absent(self, order: Order) -> None:
        self.flow.absent(self.episodes.get(order.intent.strategy_id or ""), order)
        self._dirty[order.intent.strategy_id or ""] = None

    def venue_returned(self, venue: str) -> None:
        """Try at once what failed for want of a link, and cancel again what may not have been."""
        for episode in self.episodes.values():
            episode.retry_at = episode.asked_at = None
            self._dirty[episode.symbol] = None

    # --- what people ask -------------------------------------------------------------------------

    def request_close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        """Answer a person's wish to close one symbol's position, or all."""
        if fact.strategy_id is None:
            targets = list(self.episodes.values())
            if not targets:
                return None
        else:
            episode = self.episodes.get(fact.strategy_id)
            if episode is None:
                known = fact.strategy_id in self.watched
                return (False, f"Nothing is held of {fact.strategy_id}.") if known else None
            targets = [episode]
        for episode in targets:
            episode.want_out(CloseType.EMERGENCY, f"closed by {fact.by}")
            episode.retry_at = None
            self._dirty[episode.symbol] = None
        return True, "Closing " + ", ".join(e.symbol for e in targets) + "."

    def reset(self, fact: ResetRequested) -> tuple[bool, str]:
        """Release the reservations that nothing stands behind, or with force all; answer what went
        and what stays, and why."""
        if self.settings is None:
            return False, "No allocation desk is configured."
        released: list[str] = []
        kept: list[str] = []
        for episode in list(self.episodes.values()):
            symbol, claim = episode.symbol, self.ledger.claims[episode.symbol]
            why = self.flow.stands_behind(episode)
            if not claim.reserved:
                kept.append(f"{symbol} was released before, and {why}")
            elif not why:
                released.append(f"${claim.amount:.2f} for {symbol}")
                episode.failure = f"released by {fact.by}"
                self._end(episode)
            elif fact.force:
                amount = self.ledger.force(symbol)
                released.append(f"${amount:.2f} for {symbol}, though {why}: it stays tracked")
                self._floor.write(f"Released ${amount:.2f} for {symbol}, by force", symbol)
            else:
                kept.append(f"{symbol}: {why}")
        return True, told(released, kept)

    def names(self) -> Iterator[str]:
        yield from self.watched
        yield from (symbol for symbol in self.episodes if symbol not in self.watched)

    # --- deciding --------------------------------------------------------------------------------

    def decide(self) -> None:
        """Take every trade that something happened to a step on, then the signals, one by one."""
        now = self._floor.now
        due = self.ledger.settles_at
        if due is not None and due <= now:
            self._settle(now)
        for symbol in self._wakes.due(now):
            self._dirty[symbol] = None
        if self.flow.recheck:
            self._dirty.update(self.flow.recheck)
            self.flow.recheck.clear()
        self._advance()
        signals, self._signals = self._signals, []
        for fact in signals:
            self._hear(fact)

    def deadlines(self) -> Iterator[datetime]:
        for at in (self._wakes.next, self.ledger.settles_at):
            if at is not None:
                yield at

    def _advance(self) -> None:
        while self._dirty:
            dirty, self._dirty = self._dirty, {}
            for symbol in dirty:
                episode = self.episodes.get(symbol)
                if episode is not None and self.flow.advance(episode):
                    self._end(episode)
            self._dirty.update(self.flow.again)
            self.flow.again.clear()

    def _hear(self, fact: SignalRaised) -> None:
        watched, episode = self.watched.get(fact.symbol), self.episodes.get(fact.symbol)
        if fact.kind is SignalKind.REVERSAL:
            if episode is not None:
                episode.last_price = fact.price
                episode.want_out(CloseType.REVERSAL, f"z-score fell to {fact.z_score:.2f}")
                self._dirty[fact.symbol] = None
                self._advance()
        elif episode is not None:
            self._floor.write(
                f"Already have position in {fact.symbol}, skipping buy signal", fact.symbol
            )
        elif watched is not None:
            found = enter(self._floor, self.ledger, self.flow, watched, fact, self._whole)
            if isinstance(found, Episode):
                self.episodes[fact.symbol] = found
                watched.note = ""
                self._dirty[fact.symbol] = None
                self._advance()
            else:
                self._floor.write(found, fact.symbol)
                watched.note = found

    def _end(self, episode: Episode) -> None:
        """Give a trade's money back, and remember what became of it."""
        symbol = episode.symbol
        del self.episodes[symbol]
        self._wakes.forget(symbol)
        released = self.ledger.release(symbol)
        trade = closed(episode, self._floor.now)
        self.trades.append(trade)
        if trade.close_type is None:
            self._floor.write(f"{symbol}: nothing was bought, {episode.failure}", symbol)
        else:
            spec = self._floor.spec(episode.venue, episode.instrument)
            title, body = trade.words(episode, spec)
            self._floor.alert(Severity.INFO, title, body, symbol)
        if released:
            self._floor.write(f"Released ${released:.2f} for {symbol}", symbol)
        if self._leaves and not self.episodes:
            self._leaves = False
            self._take(self._next)

    # --- inside ----------------------------------------------------------------------------------

    def _take(self, settings: AllocationSettings | None) -> None:
        before, self.settings = self.settings, settings
        if settings is None:
            self.watched = {}
            return
        if before is None or _moves(before, settings):
            self.ledger = Ledger()
            self.flow = Flow(self._floor, self.ledger, self._wakes)
        self.flow.signal_lasts = timedelta(seconds=settings.interval_seconds * SIGNAL_LASTS_BARS)
        together = sum((one.allocation_percent for one in settings.sets), ZERO)
        scaled = settings.scale_to_full and _FULL_FROM <= together <= HUNDRED
        self._whole = together if scaled else HUNDRED
        self.watched = watchlist(settings, self.watched)

    def _count(self, order: Order, execution: Execution) -> None:
        """Count an execution of ours; one of a trade that is over counts when it bought."""
        intent = order.intent
        symbol = intent.strategy_id or ""
        episode, buys = self.episodes.get(symbol), execution.side is Side.BUY
        if episode is None and buys:
            episode = self._revive(order)
        if episode is None or not (buys or episode.name == intent.episode):
            return
        count(self.ledger, episode, execution, self._floor.now)
        if intent.purpose is Purpose.SELL_POSITION:
            episode.sold_at_market = True
        self._dirty[symbol] = None

    def _revive(self, order: Order) -> Episode | None:
        """Take back a trade that was given up before its buy was seen to have filled after all."""
        watched = self.watched.get(order.intent.strategy_id or "")
        if watched is None:
            return None
        episode = Episode.revived(order.intent, watched.instrument, watched.parameters, order.at)
        self.episodes[episode.symbol] = episode
        self.ledger.readmit(episode.symbol, self._floor.now, order.intent.client_order_id)
        self._floor.alert(
            Severity.CRITICAL,
            f"{episode.symbol}: a buy that was given up was filled after all",
            "It is put into its bracket now.",
            episode.symbol,
        )
        return episode

    def _settle(self, now: datetime) -> None:
        moved = self.ledger.settle(now, under_way=self.flow.any_under_way(self.episodes.values()))
        if moved:
            self._floor.write(
                f"Account balance updated: ${self.ledger.total:.2f} ({moved:+.2f} not by a trade)"
            )


def _moves(before: AllocationSettings, after: AllocationSettings) -> bool:
    """Whether other money is meant."""
    return (before.venue, before.quote_currency) != (after.venue, after.quote_currency)
