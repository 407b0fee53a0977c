"""The perpetuals desk: judges what a venue put on the book, and keeps barriers around positions."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from engine.desk.facts import (
    BarrierFired,
    CloseRequested,
    CloseType,
    ConfigApplied,
    Execution,
    GuardReleased,
    GuardRequested,
    MarketFact,
    Side,
    TrailingMoved,
    VenueState,
)
from engine.desk.floor import Floor
from engine.desk.instruments import Perpetual
from engine.desk.intents import Purpose, Severity
from engine.desk.market import Quote
from engine.desk.orders import Order
from engine.desk.perps.barriers import fee_in_quote
from engine.desk.perps.errands import Errands
from engine.desk.perps.events import EventLog
from engine.desk.perps.exits import Exits
from engine.desk.perps.guards import ZERO, Guard, Guards, GuardState, Spot
from engine.desk.perps.managers import Managers
from engine.desk.perps.people import People
from engine.desk.perps.stops import Stops
from engine.desk.perps.takeover import Takeover
from engine.desk.text import amount

_PURPOSES = (Purpose.CLOSE_ASSIGNED, Purpose.BARRIER_EXIT, Purpose.RESIDENT_STOP)


class PerpsDesk:
    """log: the position changes that were not ours; guards: what is between barriers or on its way
    out. Quotes change neither: what they lead to comes back as a fact."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.log = EventLog()
        self.guards = Guards()
        errands = Errands(floor)
        self.stops = Stops(floor, self.guards, errands)
        self.people = People(floor, self.guards, self.log)
        self._exits = Exits(floor, self.guards, errands)
        self._takeover = Takeover(floor, self.log)
        self._managers = Managers(floor, self.guards, self.log)
        self._blind: set[str] = set()

    # --- market data and what it led to ----------------------------------------------------------

    def quote(self, venue: str, ref: str, quote: Quote) -> tuple[MarketFact, ...]:
        """Show the trigger book a quote; answer what it fired, to be told to the desk as facts."""
        return self.guards.sight.see(venue, ref, quote)

    def unseen(self) -> tuple[tuple[str, str], ...]:
        """Give, once, the (venue, ref) of live venues where barriers were set since the last quote:
        the price that stands may have reached them, and none newer may come soon."""
        found, self.guards.unseen = sorted(self.guards.unseen), set()
        return tuple(place for place in found if self.floor.standing(place[0]).is_live)

    def fired(self, fact: BarrierFired) -> bool:
        """Take a barrier that fired; True when it is news."""
        guard = self.guards.all.get(fact.barrier_id)
        if guard is None or guard.state is not GuardState.HOLDING:
            return False
        self._fire(guard, fact.close_type, fact.price)
        return True

    def trailing_moved(self, fact: TrailingMoved) -> bool:
        """Take a trailing stop's new peak; True when it is news."""
        guard = self.guards.all.get(fact.barrier_id)
        return guard is not None and self.guards.remember_peak(guard, fact.peak_price)

    def _fire(self, guard: Guard, close_type: CloseType, price: Decimal | None) -> None:
        at = "" if price is None else f" at {amount(price)}"
        self.guards.fire(guard, close_type, f"{close_type}{at}")
        severity = Severity.WARNING if close_type is CloseType.STOP_LOSS else Severity.INFO
        todo = "Closing" if self.floor.armed else "Disarmed: nothing is sent. To be closed:"
        self.floor.alert(
            severity,
            f"{guard.id}: {guard.reason}",
            f"{todo} {amount(guard.left)} {guard.instrument.name}.",
            guard.id,
        )

    # --- people and config -----------------------------------------------------------------------

    def configure(self, fact: ConfigApplied) -> None:
        """Take the managers in force; what is under guard keeps the barriers it has."""
        self._managers.settings = fact.managers

    def guard(self, fact: GuardRequested) -> tuple[bool, str]:
        """Put a held position between barriers; answer the person."""
        return self.people.guard(fact)

    def release(self, fact: GuardReleased) -> tuple[bool, str]:
        """Let a position go from its barriers; answer the person."""
        return self.people.release(fact)

    def request_close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        return self.people.close(fact)

    def names(self) -> Iterator[str]:
        return self.people.names()

    # --- what the venue tells --------------------------------------------------------------------

    def take_execution(self, venue: str, execution: Execution, change: Decimal) -> None:
        order = self.floor.orders.get(execution.client_order_id or "")
        guard = self._guard_of(order)
        if order is not None and guard is not None:
            fee = fee_in_quote(
                guard.instrument, execution.fee, execution.fee_currency, execution.price
            )
            guard.take_fill(change, execution.price, fee)
            self.guards.busy[guard.id] = guard
            if order.intent.purpose is Purpose.RESIDENT_STOP:
                self.stops.filled(guard)
        self._takeover.take_execution(venue, execution, change, order)

    def order_ended(self, order: Order) -> None:
        guard = self._guard_of(order)
        if guard is None:
            return
        self.guards.busy[guard.id] = guard
        if order.intent.purpose is Purpose.RESIDENT_STOP:
            self.stops.ended(guard, order)
        else:
            self._exits.ended(guard, order)

    def order_absent(self, order: Order) -> None:
        guard = self._guard_of(order)
        self.floor.forget(order)
        if guard is None:
            return
        self.guards.busy[guard.id] = guard
        if order.intent.purpose is Purpose.RESIDENT_STOP:
            self.stops.absent(guard, order)
        else:
            self._exits.absent(guard, order)

    def venue_returned(self, venue: str) -> None:
        for guard in self.guards.busy.values():
            if guard.venue == venue:
                for errand in (guard.exit, guard.stop):
                    errand.retry_at = errand.cancel_at = errand.ask_at = None

    def _guard_of(self, order: Order | None) -> Guard | None:
        if order is None or order.intent.purpose not in _PURPOSES:
            return None
        return self.guards.all.get(order.intent.strategy_id or "")

    # --- deciding --------------------------------------------------------------------------------

    def decide(self) -> None:
        """Judge what changed, then carry every guard that has something to do."""
        floor = self.floor
        for venue, book in floor.books.items():
            if book.known:
                self._takeover.greet(venue, book)
        for taken in self._takeover.taken:
            self._managers.give(taken)
        self._takeover.taken.clear()
        for venue, book in floor.books.items():
            if book.known and book.unsettled and floor.standing(venue).is_live:
                self._takeover.judge(venue, book)
        for spot in sorted(floor.touched):
            self._follow(spot)
        for guard in self.guards.due(floor.now):
            self._fire(guard, CloseType.TIME_LIMIT, None)
        for guard in tuple(self.guards.busy.values()):
            if not self._advance(guard):
                self.guards.busy.pop(guard.id, None)
        self._watch_staleness()

    def deadlines(self) -> Iterator[datetime]:
        for venue, book in self.floor.books.items():
            if book.unsettled:
                yield from self._takeover.deadlines(venue, book)
        limit = self.guards.next_limit()
        if limit is not None:
            yield limit
        for guard in self.guards.busy.values():
            yield from self._exits.deadlines(guard)
            yield from self.stops.deadlines(guard)

    def _advance(self, guard: Guard) -> bool:
        """Do what a guard needs now; True while it needs or waits for more."""
        if guard.state is GuardState.CLOSING:
            self._exits.advance(guard)
        if guard.state is GuardState.CLOSING:
            return True
        return self.stops.keep(guard)

    def _follow(self, spot: Spot) -> None:
        """Shrink what is under guard to what is held, once the change is explained; the newest
        first, for what is not under guard at all went before."""
        venue, account, ref = spot
        book = self.floor.book(venue)
        held = book.holdings.get((account, ref))
        if held is None or not isinstance(held.instrument, Perpetual):
            return
        for event in self.log.unmanaged_at(spot):
            event.unmanaged = held.effective * event.sign > 0
        if held.row_surplus:
            return
        for side in Side:
            peers = [g for g in self.guards.open_at(spot) if g.side is side]
            excess = sum((g.left for g in peers), ZERO) - max(ZERO, held.effective * side.sign)
            for guard in reversed(peers):
                if excess <= 0:
                    break
                part = min(guard.left, excess)
                excess -= part
                self._shrink(guard, part)

    def _shrink(self, guard: Guard, part: Decimal) -> None:
        guard.left -= part
        self.guards.busy[guard.id] = guard
        name = guard.instrument.name
        if guard.left or guard.state is GuardState.CLOSING:
            text = f"{guard.id}: {amount(part)} {name} less, {amount(guard.left)} is left"
            self.floor.write(text, guard.id)
            return
        self.guards.end(guard, GuardState.CLOSED, "nothing of it is held any more")
        self.floor.alert(
            Severity.INFO, f"{guard.id}: over", f"Nothing of {name} is held any more.", guard.id
        )

    def _watch_staleness(self) -> None:
        """Raise an alarm once while barriers are blind because a venue's quotes are old."""
        for venue, standing in self.floor.standings.items():
            if standing.state is not VenueState.STALE:
                self._blind.discard(venue)
            elif venue not in self._blind and venue in self.guards.venues():
                self._blind.add(venue)
                self.floor.alert(
                    Severity.CRITICAL,
                    f"{venue}: quotes are stale, barriers are blind",
                    f"{standing.detail or 'No newer quote comes'}. Stops that rest at the venue "
                    "still hold; time limits still count.",
                )
