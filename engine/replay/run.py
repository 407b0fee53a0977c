"""Runs the allocation desk over recorded bars: the same desk as live, a clock that the bars turn.

Bars of several symbols come in the order of their closing. Nothing waits and nothing is random, so
the same files and settings always give the same report.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from msgspec.structs import replace

from engine.desk.allocation.closing import ClosedTrade
from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.desk import Desk, Outcome
from engine.desk.facts import (
    BookSnapshot,
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    EngineStarted,
    Fact,
    OrderPriced,
    SignalKind,
    SignalRaised,
    VenueChanged,
    VenueState,
)
from engine.desk.intents import CancelOrder, Intent, PlaceOrder, Purpose, WriteLine
from engine.desk.market import Bar
from engine.desk.pricing import price
from engine.errors import InputError, InvariantError
from engine.replay.files import BarFile, BarReader
from engine.replay.market import ACCOUNT, VENUE, BarMarket
from engine.replay.measures import Curve, SymbolTally
from engine.replay.report import Report, Signal

Progress = Callable[[float, int], None]
"""Told the part of all files that is read, 0 to 1, and how many bars that was."""

_TELL_EVERY = 4096
_MOST_STEPS = 100
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a simulated account begins with and pays; percents are percents."""

    cash: Decimal = Decimal(1000)
    fee_percent: Decimal = Decimal("0.1")
    spread_percent: Decimal = Decimal("0.02")


def replay(
    files: Sequence[BarFile],
    settings: AllocationSettings,
    *,
    costs: Costs | None = None,
    progress: Progress | None = None,
) -> Report:
    """Replay the files' bars, in time order over all of them. Raises InputError, by file and line.

    A bar's time is when it opened. settings.venue is not looked at.
    """
    if not files:
        raise InputError("No bars were given.")
    run = _Run(files, replace(settings, venue=VENUE), costs or Costs())
    readers = [BarReader(file) for file in files]
    count = 0
    for count, (symbol, bar) in enumerate(_merged(readers), 1):
        run.take(symbol, bar)
        if progress is not None and count % _TELL_EVERY == 0:
            progress(sum(reader.fraction for reader in readers) / len(readers), count)
    if progress is not None:
        progress(1.0, count)
    return run.report()


def interval_of(file: BarFile) -> int:
    """Return how many seconds a file's bars are apart: the shortest step among its first ones."""
    bars: list[Bar] = []
    for bar in BarReader(file):
        bars.append(bar)
        if len(bars) == _LOOKED_AT:
            break
    steps = [(b.at - a.at).total_seconds() for a, b in pairwise(bars) if b.at > a.at]
    if not steps:
        raise InputError(f"{file.path} holds too few bars to tell how long one is.")
    return int(min(steps))


def _merged(readers: Sequence[BarReader]) -> Iterator[tuple[str, Bar]]:
    def named(reader: BarReader) -> Iterator[tuple[str, Bar]]:
        symbol = reader.file.symbol
        for bar in reader:
            yield symbol, bar

    streams = [named(reader) for reader in readers]
    return streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_opened)


def _opened(item: tuple[str, Bar]) -> datetime:
    return item[1].at


class _Run:
    def __init__(
        self, files: Sequence[BarFile], settings: AllocationSettings, costs: Costs
    ) -> None:
        self._settings = settings
        self._costs = costs
        self._interval = timedelta(seconds=settings.interval_seconds)
        self._desk = Desk()
        self._room = self._desk.allocation
        self._market = BarMarket(
            cash=costs.cash,
            quote=settings.quote_currency,
            fee_percent=costs.fee_percent,
            spread_percent=costs.spread_percent,
        )
        symbols = list(dict.fromkeys(file.symbol for file in files))
        thresholds = {one.symbol: one.z_score_threshold for one in settings.sets}
        unknown = [symbol for symbol in symbols if symbol not in thresholds]
        if unknown:
            raise InputError(f"{', '.join(unknown)} has no parameter set.")
        self._without = [symbol for symbol in thresholds if symbol not in symbols]
        self._tallies = {s: SymbolTally(s, thresholds[s]) for s in symbols}
        self._curve = Curve(float(costs.cash))
        self._signals: list[Signal] = []
        self._trades: list[ClosedTrade] = []
        self._closes: dict[str, float] = {}
        self._due: datetime | None = None
        self._now: datetime | None = None
        self._started: datetime | None = None
        self._step: datetime | None = None
        self._bars = 0

    # --- one bar ---------------------------------------------------------------------------------

    def take(self, symbol: str, bar: Bar) -> None:
        """Let one bar happen: what it reached first, then what its close says."""
        tally = self._tallies[symbol]
        if not tally.count(bar, self._interval):
            return
        now = bar.at + self._interval
        if self._now is None:
            self._open(now)
        if now != self._step:
            self._measure()
            self._step = now
        self._closes[symbol] = bar.close
        if self._due is not None and self._due <= now:
            self._tell((DeadlinePassed(),), self._due)
        if symbol in self._market.brackets:
            reached = tuple(self._market.reach(symbol, bar, now))
            if reached:
                self._tell(reached, now)
        signals = self._desk.bars(VENUE, symbol, (bar,))
        tally.score(self._room.watched[symbol].series.z, now)
        for fact in signals:
            if isinstance(fact, SignalRaised):
                self._hear(fact, now)
        self._now = now
        self._bars += 1

    def _open(self, now: datetime) -> None:
        self._started = now
        self._now = now
        self._tell(
            (
                EngineStarted(version="", mode="replay"),
                ConfigApplied(armed=True, options=None, strategies=(), allocation=self._settings),
                *(
                    ContractDescribed(venue=VENUE, spec=BarMarket.spec(symbol))
                    for symbol in self._tallies
                ),
                BookSnapshot(venue=VENUE, asked_at=now, accounts=(ACCOUNT,), positions=()),
                VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=True),
                self._market.balance(),
            ),
            now,
        )

    def _hear(self, fact: SignalRaised, now: datetime) -> None:
        intents = self._tell((fact,), now)
        taken = fact.kind is SignalKind.REVERSAL or any(
            isinstance(intent, PlaceOrder) and intent.purpose is Purpose.ENTRY for intent in intents
        )
        lines = [intent.text for intent in intents if isinstance(intent, WriteLine)]
        self._signals.append(
            Signal(
                at=now,
                symbol=fact.symbol,
                kind=fact.kind.value,
                z_score=fact.z_score,
                price=fact.price,
                outcome=lines[0] if lines else "",
                taken=taken,
            )
        )

    def _tell(self, facts: Iterable[Fact], now: datetime) -> list[Intent]:
        """Tell the desk facts and carry out what it decides, until nothing more follows."""
        intents: list[Intent] = []
        waiting = tuple(facts)
        for _ in range(_MOST_STEPS):
            outcome = self._desk.apply(waiting, now)
            intents += outcome.intents
            waiting = tuple(self._carry_out(outcome, now))
            if not waiting:
                break
        else:
            raise InvariantError("The desk and the bars answered each other without end.")
        self._due = self._desk.next_deadline()
        while self._room.trades:
            trade = self._room.trades.popleft()
            self._trades.append(trade)
            self._tallies[trade.symbol].close(trade)
        return intents

    def _carry_out(self, outcome: Outcome, now: datetime) -> Iterator[Fact]:
        desk, floor = self._desk, self._desk.floor
        terms = [
            price(order.intent, None, BarMarket.spec(order.intent.instrument.ref), now)
            for order in desk.awaiting_price()
        ]
        if terms:
            desk.apply(terms, now)
        for fact in terms:
            if isinstance(fact, OrderPriced):
                order = floor.orders[fact.client_order_id].intent
                close = self._closes[order.instrument.ref]
                yield from self._market.take(order, fact, close, now)
        for intent in outcome.intents:
            if isinstance(intent, CancelOrder):
                yield from self._market.cancel(intent.client_order_id)

    # --- what it came to -------------------------------------------------------------------------

    def _measure(self) -> None:
        """Take the account's worth at the instant that is over."""
        if self._step is None:
            return
        equity = float(self._market.cash)
        if self._room.episodes:
            total = self._room.ledger.total
            for symbol, episode in self._room.episodes.items():
                tally, claim = self._tallies[symbol], self._room.ledger.claims[symbol]
                held = float(episode.held)
                equity += held * self._closes[symbol]
                tally.steps_held += held > 0
                tally.used += float(claim.amount / total) if total else 0.0
        self._curve.add(self._step, equity)

    def report(self) -> Report:
        self._measure()
        if self._started is None or self._now is None:
            raise InputError("The files hold no bars.")
        steps = len(self._curve.values)
        final = self._market.cash
        symbols = []
        for symbol, tally in self._tallies.items():
            episode = self._room.episodes.get(symbol)
            held = Decimal(0) if episode is None else episode.held
            value = held * Decimal(repr(self._closes[symbol]))
            final += value
            fees = self._market.fees.get(symbol, Decimal(0))
            symbols.append(tally.report(steps, fees=fees, held=held, value=value))
        return Report(
            currency=self._settings.quote_currency,
            started_at=self._started,
            ended_at=self._now,
            bars=self._bars,
            initial_equity=self._costs.cash,
            final_equity=final,
            max_drawdown_percent=self._curve.drawdown * 100,
            max_drawdown_at=self._curve.drawdown_at,
            both_legs_in_one_bar=self._market.both_reached,
            symbols=tuple(symbols),
            signals=tuple(self._signals),
            fills=tuple(self._market.fills),
            trades=tuple(self._trades),
            times=tuple(self._curve.times),
            equity=tuple(self._curve.values),
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if self._without:
            yield f"No bars were given for {', '.join(self._without)}."
        for tally in self._tallies.values():
            yield from tally.notes()
        both = self._market.both_reached
        if both:
            where = "1 bar" if both == 1 else f"{both} bars"
            yield f"Both legs lay within {where}: the stop counts, nobody knows which came first."
