"""What a person asks of the perpetuals desk: put a position under guard, release it, close it."""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.books import Holding
from engine.desk.facts import CloseRequested, CloseType, GuardReleased, GuardRequested, Side
from engine.desk.floor import Floor
from engine.desk.instruments import Perpetual
from engine.desk.perps.barriers import fault
from engine.desk.perps.definitions import BarrierSettings
from engine.desk.perps.events import EventLog
from engine.desk.perps.guards import ZERO, Guard, Guards, GuardState, Spot
from engine.desk.text import amount


class People:
    def __init__(self, floor: Floor, guards: Guards, log: EventLog) -> None:
        self._floor = floor
        self._guards = guards
        self._log = log

    def names(self) -> Iterator[str]:
        """What may be named in a wish to close: guards, and the symbols of what is held."""
        yield from (guard.id for guard in self._guards.open)
        yield from dict.fromkeys(held.instrument.name for _, held in self.held())

    def held(self) -> Iterator[tuple[str, Holding]]:
        """Every perpetual position, beside its venue."""
        for venue, book in self._floor.books.items():
            for holding in book.holdings.values():
                if isinstance(holding.instrument, Perpetual) and holding.effective:
                    yield venue, holding

    # --- guard and release -----------------------------------------------------------------------

    def guard(self, fact: GuardRequested) -> tuple[bool, str]:
        """Put what nobody guards of a position between barriers; a person's own guard is set anew
        and takes in what came to the position since."""
        holding = self._floor.book(fact.venue).holdings.get((fact.account, fact.ref))
        if holding is None or not isinstance(holding.instrument, Perpetual):
            return False, f"No perpetual {fact.ref} is known at {fact.venue}."
        name = holding.instrument.name
        if not holding.effective:
            return False, f"Nothing is held of {name}."
        side = Side.BUY if holding.effective > 0 else Side.SELL
        if problem := fault(fact.barriers, side):
            return False, problem
        if holding.average_cost is None or holding.average_cost <= 0:
            return False, f"{fact.venue} does not tell the entry price of {name}."
        spot = (fact.venue, fact.account, fact.ref)
        peers = self._guards.open_at(spot)
        mine = next((g for g in peers if g.by_person and g.state is GuardState.HOLDING), None)
        rest = self._rest(spot, holding)
        if mine is not None:
            mine.entry, mine.since = holding.average_cost, self._floor.now
            # A change that nothing explains yet shrinks it once it is explained, not before.
            mine.left += max(ZERO, rest)
            mine.opened, mine.sold, mine.set_by = mine.left, ZERO, fact.by
            self._guards.renew(mine, fact.barriers)
            self._answer_events(spot, mine)
            return True, f"{mine.id}: {amount(mine.left)} {name} is between other barriers now."
        if rest <= 0:
            named = ", ".join(g.id for g in peers)
            return False, f"{name} is under guard already as {named}. Release that first."
        guard = self._new(
            spot, holding.instrument, side, rest, fact.barriers, fact.request_id, fact.by
        )
        guard.entry = holding.average_cost
        self._guards.add(guard)
        self._answer_events(spot, guard)
        return True, f"{guard.id}: {amount(rest)} {name} is between barriers."

    def release(self, fact: GuardReleased) -> tuple[bool, str]:
        guard = self._guards.all.get(fact.barrier_id)
        if guard is None or not guard.state.is_open:
            return False, f"No position is under guard as {fact.barrier_id}."
        if guard.state is GuardState.CLOSING:
            return False, f"{guard.id} is being closed: {guard.reason}."
        self._guards.end(guard, GuardState.RELEASED, f"released by {fact.by}")
        text = f"{guard.id} is released: {amount(guard.left)} {guard.instrument.name} stays held"
        guard.left = ZERO
        return True, f"{text}, nobody guards it."

    # --- close -----------------------------------------------------------------------------------

    def close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        """Close a guard, a position by its symbol, or everything that is guarded or was put on our
        book. What a person holds of his own is closed only by name."""
        word = "emergency close" if fact.emergency else "close"
        reason = f"{word} by {fact.by}"
        if fact.strategy_id is None:
            targets = list(self._guards.open) + self._unmanaged(fact, reason)
        elif fact.strategy_id in self._guards.all:
            guard = self._guards.all[fact.strategy_id]
            if not guard.state.is_open:
                return False, f"Nothing is held of {guard.id}."
            targets = [guard]
        else:
            targets = self._by_symbol(fact, fact.strategy_id, reason)
        for guard in targets:
            self._hurry(guard, reason)
        if not targets:
            return None
        return True, "Closing " + ", ".join(guard.id for guard in targets) + "."

    def _by_symbol(self, fact: CloseRequested, symbol: str, reason: str) -> list[Guard]:
        targets: list[Guard] = []
        for venue, holding in tuple(self.held()):
            if holding.instrument.name != symbol:
                continue
            spot = (venue, holding.account, holding.instrument.ref)
            targets += self._guards.open_at(spot)
            rest = self._rest(spot, holding)
            if rest > 0:
                targets.append(self._emergency(fact, spot, holding, rest, reason))
        return targets

    def _unmanaged(self, fact: CloseRequested, reason: str) -> list[Guard]:
        """Guards for what was put on our book and no manager took."""
        found = []
        for venue, holding in tuple(self.held()):
            spot = (venue, holding.account, holding.instrument.ref)
            events = [e for e in self._log.unmanaged_at(spot) if e.sign * holding.effective > 0]
            quantity = min(sum((e.quantity for e in events), ZERO), self._rest(spot, holding))
            if quantity > 0:
                found.append(self._emergency(fact, spot, holding, quantity, reason))
        return found

    def _emergency(
        self,
        fact: CloseRequested,
        spot: Spot,
        holding: Holding,
        quantity: Decimal,
        reason: str,
    ) -> Guard:
        instrument = holding.instrument
        assert isinstance(instrument, Perpetual)
        side = Side.BUY if holding.effective > 0 else Side.SELL
        guard = self._new(
            spot, instrument, side, quantity, BarrierSettings(), fact.request_id, fact.by
        )
        guard.at_once, guard.entry = True, holding.average_cost or ZERO
        guard.state, guard.close_type = GuardState.CLOSING, CloseType.EMERGENCY
        guard.reason = reason
        self._guards.add(guard)
        self._answer_events(spot, guard)
        return guard

    def _hurry(self, guard: Guard, reason: str) -> None:
        guard.urgent = True
        guard.exit.well()
        self._guards.fire(guard, CloseType.EMERGENCY, reason)

    # --- both ------------------------------------------------------------------------------------

    def _rest(self, spot: Spot, holding: Holding) -> Decimal:
        """How much of a position no open guard has."""
        guarded = sum((g.left for g in self._guards.open_at(spot)), ZERO)
        return abs(holding.effective) - guarded

    def _new(
        self,
        spot: Spot,
        instrument: Perpetual,
        side: Side,
        quantity: Decimal,
        settings: BarrierSettings,
        request_id: str,
        by: str,
    ) -> Guard:
        venue, account, ref = spot
        source = f"{request_id}/{venue}/{account}/{ref}"
        return Guard(
            id=self._guards.name(instrument.symbol, source),
            source=source,
            venue=venue,
            account=account,
            instrument=instrument,
            side=side,
            entry=ZERO,
            opened=quantity,
            left=quantity,
            settings=settings,
            set_by=by,
            since=self._floor.now,
            by_person=True,
        )

    def _answer_events(self, spot: Spot, guard: Guard) -> None:
        for event in self._log.unmanaged_at(spot):
            event.unmanaged = False
            event.guards.append(guard)
