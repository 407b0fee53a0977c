"""What of a quote may be believed: what is no price, crossed, or ten-fold off reaches no barrier.

It keeps no journaled state: an alarm it wants raised goes out as a fact. A ten-fold price that
stays is believed in the end, for a barrier must not be blind for ever.
"""

import math
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.facts import MarketFact, Side, VenueWarned
from engine.desk.market import Quote
from engine.desk.perps.triggers import NO_PRICE, Place, TriggerBook

FOLD = 10.0
BELIEVED_AFTER = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=30)
_SWEEP_EVERY = timedelta(seconds=5)
_WARN_EVERY = timedelta(seconds=60)


class _Gate:
    """One instrument's quotes. low < price < high is believed without a question.

    strange: the doubted price that was seen first and when, as long as those after it agree.
    """

    __slots__ = ("at", "doubt", "high", "low", "name", "silent", "strange", "warned_at")

    def __init__(self, name: str, reference: float) -> None:
        self.name = name
        self.at: datetime | None = None
        self.doubt = ""
        self.silent = False
        self.strange: tuple[float, datetime] | None = None
        self.warned_at: datetime | None = None
        self.believe(reference, reference)

    def believe(self, bid: float, ask: float) -> None:
        self.low, self.high = bid / FOLD, ask * FOLD


class Sight:
    """Shows the trigger book the quotes that may be believed."""

    def __init__(self, book: TriggerBook) -> None:
        self._book = book
        self._gates: dict[Place, _Gate] = {}
        self._sweep_at: datetime | None = None

    def watch(self, place: Place, name: str, reference: Decimal) -> None:
        """Expect quotes of an instrument, at first around the reference price."""
        if place not in self._gates:
            self._gates[place] = _Gate(name, float(reference))

    def forget(self, place: Place) -> None:
        self._gates.pop(place, None)

    def trouble(self, place: Place) -> str:
        """Why the barriers of an instrument are blind, empty when they see."""
        gate = self._gates.get(place)
        if gate is None:
            return ""
        if gate.doubt:
            return gate.doubt
        return f"no quote for {SILENT_AFTER.seconds} s" if gate.silent else ""

    def see(self, venue: str, ref: str, quote: Quote) -> tuple[MarketFact, ...]:
        """Take a quote; answer what it reached, and what its owner must be told."""
        place = (venue, ref)
        gate = self._gates.get(place)
        told: tuple[MarketFact, ...] = ()
        if gate is not None:
            bid, ask = quote.bid, quote.ask
            if bid is not None and ask is not None and gate.low < bid <= ask < gate.high:
                gate.believe(bid, ask)
                gate.at, gate.silent, gate.doubt, gate.strange = quote.at, False, "", None
                told = tuple(self._book.tick(place, bid, ask))
            else:
                told = self._judge(place, gate, quote)
        if self._sweep_at is None or quote.at >= self._sweep_at:
            told += self._sweep(quote.at)
        return told

    def _judge(self, place: Place, gate: _Gate, quote: Quote) -> tuple[MarketFact, ...]:
        """Take a quote that has only one side, or one that needs a question."""
        problems: list[str] = []
        bid = self._side(place, gate, Side.BUY, quote.bid, problems)
        ask = self._side(place, gate, Side.SELL, quote.ask, problems)
        if bid > ask:
            bid = ask = NO_PRICE
            problems.append(f"bid {quote.bid} over ask {quote.ask}")
        elif problems and self._persists(gate, quote):
            bid, ask, problems = quote.bid or NO_PRICE, quote.ask or NO_PRICE, []
        told: tuple[MarketFact, ...] = ()
        if problems:
            gate.doubt = f"its quote is doubted: {', '.join(problems)}"
            text = f"a quote of {gate.name} is doubted and reaches no barrier: {problems[0]}"
            told = self._warn(place, gate, "doubted quote", text, quote.at)
        else:
            gate.doubt, gate.strange = "", None
        if bid == bid or ask == ask:
            gate.believe(bid if bid == bid else ask, ask if ask == ask else bid)
            gate.at, gate.silent = quote.at, False
            told += tuple(self._book.tick(place, bid, ask))
        return told

    def _side(
        self, place: Place, gate: _Gate, side: Side, price: float | None, problems: list[str]
    ) -> float:
        """The price if it may be believed, NO_PRICE else; a fault counts where a barrier needs it.

        A long position is judged by the bid, a short one by the ask.
        """
        if price is None:
            return NO_PRICE
        if gate.low < price < gate.high and price > 0:
            return price
        if self._book.watches(place, side):
            word = "bid" if side is Side.BUY else "ask"
            far = math.isfinite(price) and price > 0
            problems.append(f"{word} {price}" + (" is ten-fold off" if far else " is no price"))
        return NO_PRICE

    def _persists(self, gate: _Gate, quote: Quote) -> bool:
        """Tell whether a price that is far off has stayed there long enough to be the market's."""
        shown = [p for p in (quote.bid, quote.ask) if p is not None]
        if quote.crossed or not all(math.isfinite(p) and p > 0 for p in shown):
            gate.strange = None
            return False
        price = shown[0]
        if gate.strange is None or not gate.strange[0] / 2 < price < gate.strange[0] * 2:
            gate.strange = (price, quote.at)
        return quote.at - gate.strange[1] >= BELIEVED_AFTER

    def _sweep(self, now: datetime) -> tuple[MarketFact, ...]:
        """Look for instruments that no quote came for, while others' came."""
        self._sweep_at = now + _SWEEP_EVERY
        told: tuple[MarketFact, ...] = ()
        for place, gate in self._gates.items():
            if gate.at is None:
                gate.at = now
            elif now - gate.at >= SILENT_AFTER and not gate.silent:
                gate.silent = True
                text = f"no quote of {gate.name} for {SILENT_AFTER.seconds} s: its barriers are"
                told += (
                    VenueWarned(venue=place[0], code="quotes", text=f"{text} blind", critical=True),
                )
        return told

    def _warn(
        self, place: Place, gate: _Gate, code: str, text: str, at: datetime
    ) -> tuple[MarketFact, ...]:
        """Raise an alarm, but not again and again for a feed that flickers."""
        if gate.warned_at is not None and at - gate.warned_at < _WARN_EVERY:
            return ()
        gate.warned_at = at
        return (VenueWarned(venue=place[0], code=code, text=text, critical=True),)
