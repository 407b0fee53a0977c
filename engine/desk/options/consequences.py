"""What an explained change means for the strategies: which are hit, which are broken, which are
done, and what their owner is told. Opens their way out; sends nothing."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.books import Book
from engine.desk.floor import Floor
from engine.desk.instruments import OptionContract, Stock
from engine.desk.intents import Severity
from engine.desk.options.changes import Explanation
from engine.desk.options.definitions import OptionSettings, PartialAssignmentPolicy
from engine.desk.options.events import Event, EventLog
from engine.desk.options.evidence import Evidence
from engine.desk.options.roster import Claim, Roster
from engine.desk.options.sharing import Part, Shared, share_out
from engine.desk.options.strategies import Strategy
from engine.desk.options.words import sentence
from engine.desk.snapshot import AssignmentKind

ZERO = Decimal(0)
_BREAKING = (AssignmentKind.ASSIGNED, AssignmentKind.EXERCISED, AssignmentKind.SUSPECT)


class Consequences:
    """Holds no state of its own; strategies are the roster's, events the log's."""

    def __init__(self, floor: Floor, roster: Roster, log: EventLog, evidence: Evidence) -> None:
        self._floor = floor
        self._roster = roster
        self._log = log
        self._evidence = evidence

    def draw(
        self,
        venue: str,
        book: Book,
        account: str,
        told: Iterable[Explanation],
        settings: OptionSettings,
    ) -> None:
        """Draw the consequences of what changed in one account."""
        told = tuple(told)
        for explanation in told:
            instrument = explanation.instrument
            self._take(book, account, instrument.ref, explanation.change)
            if explanation.stock is not None:
                self._take(book, account, explanation.stock.ref, explanation.shares)
            if explanation.kind is AssignmentKind.CORPORATE_ACTION:
                self._adjusted(venue, book, account, explanation)
            elif isinstance(instrument, OptionContract):
                self._option(venue, book, account, explanation, instrument, settings)
            else:
                event = self._settled(venue, account, explanation, abs(explanation.change), None)
                if any(one.kind is AssignmentKind.SUSPECT for one in told):
                    self._beside_missing(event, explanation)

    def _beside_missing(self, event: Event, told: Explanation) -> None:
        """Stock moved while legs went missing, and not by what they deliver: a person must look."""
        event.needs_owner = True
        title = f"{told.change:+f} {told.instrument.name} beside missing legs, unexplained"
        body = "Nothing is sent for them: nobody can tell whose they are. Look at the broker."
        self._floor.alert(Severity.CRITICAL, title, body)

    # --- options ---------------------------------------------------------------------------------

    def _option(
        self,
        venue: str,
        book: Book,
        account: str,
        told: Explanation,
        contract: OptionContract,
        settings: OptionSettings,
    ) -> None:
        claims = self._roster.claims(account, contract.ref)
        shared = share_out(claims, told.change)
        if shared.rest and told.kind in _BREAKING:
            shared = _beyond_nothing(claims, shared)
        stock = self._stock(account, contract, told)
        for part in shared.parts:
            strategy = part.strategy
            part.leg.expected += part.change
            delivered = told.shares * part.change / told.change
            if delivered:
                self._roster.set_shares(strategy, strategy.shares + delivered, stock)
                strategy.delivered_at = self._floor.now
            event = self._settled(venue, account, told, abs(part.change), strategy)
            event.moved, event.delivered, event.stock = part.change, delivered, stock
            self._strategy(part, event, told, contract, delivered, settings)
            if shared.rivals and told.kind in _BREAKING:
                others = ", ".join(s.id for s in shared.rivals if s is not strategy)
                event.evidence += f"; {contract.name} is shared with {others}"
        if shared.rest:
            left = told.shares * shared.rest / told.change
            self._unowned(venue, account, told, contract, abs(shared.rest), left)
        self._roster.divide(book, account, contract.ref)

    def _strategy(
        self,
        part: Part,
        event: Event,
        told: Explanation,
        contract: OptionContract,
        delivered: Decimal,
        settings: OptionSettings,
    ) -> None:
        strategy = part.strategy
        self._roster.wake(strategy)
        text = sentence(told.kind, contract, event.quantity, delivered)
        breaking = told.kind in _BREAKING
        if not breaking or strategy.is_done:
            self._harmless(strategy, text, breaking)
            return
        units = settings.on_partial_assignment is PartialAssignmentPolicy.UNITS
        partial = units and told.kind is AssignmentKind.ASSIGNED and strategy.shrink_to(part.leg)
        if partial and strategy.is_as_meant:
            self._harmless(strategy, text, breaking)
            return
        strategy.broken = text
        action = self._way_out(strategy, event, told, settings, partial)
        missing = told.kind is AssignmentKind.SUSPECT
        title = f"NAKED_POSITION, {text}" if missing else text
        self._floor.alert(Severity.CRITICAL, f"{strategy.id}: {title}", action, strategy.id)

    def _harmless(self, strategy: Strategy, text: str, breaking: bool) -> None:
        """Nothing has to be sent: it is gone as designed, or still as it should be."""
        strategy.note = text
        outcome = "No order is sent."
        if strategy.is_done:
            strategy.finish()
            outcome = "Nothing is left of it: closed as designed."
        severity = Severity.WARNING if breaking else Severity.INFO
        self._floor.alert(severity, f"{strategy.id}: {text}", outcome, strategy.id)

    def _way_out(
        self,
        strategy: Strategy,
        event: Event,
        told: Explanation,
        settings: OptionSettings,
        partial: bool,
    ) -> str:
        """Open the strategy's way out where that may be done unasked; say what happens."""
        if told.unsure:
            event.needs_owner = True
            return f"{told.evidence}: nothing is sent. Look at it, then press x to close it."
        if not settings.auto_close_on_assignment:
            event.needs_owner = True
            return "auto_close_on_assignment is off: nothing is sent. Press x to close it."
        strategy.begin(strategy.broken, partial=partial)
        if strategy.episode is not None:
            event.episode = strategy.episode.number
        if not self._floor.armed:
            return "Disarmed: nothing is sent. Arm to close it."
        return "Closing the assigned units." if partial else "Closing what is really held."

    def _unowned(
        self,
        venue: str,
        account: str,
        told: Explanation,
        contract: OptionContract,
        quantity: Decimal,
        shares: Decimal,
    ) -> None:
        event = self._settled(venue, account, told, quantity, None)
        if told.kind in (AssignmentKind.EXPIRED, AssignmentKind.EXTERNAL):
            return
        event.needs_owner = told.kind is not AssignmentKind.CASH_SETTLED
        self._floor.alert(
            Severity.CRITICAL if event.needs_owner else Severity.INFO,
            f"{sentence(told.kind, contract, quantity, shares)} in {account}",
            "No declared strategy owns it: nothing is sent.",
        )

    # --- corporate actions -----------------------------------------------------------------------

    def _adjusted(self, venue: str, book: Book, account: str, told: Explanation) -> None:
        """The venue put something else in place of what was held: follow it, close nothing."""
        if told.successor is None:
            return
        hit: list[Strategy] = []
        if isinstance(told.instrument, OptionContract):
            hit = self._follow(book, account, told)
        elif isinstance(told.instrument, Stock) and isinstance(told.successor, Stock):
            for strategy in self._roster.sharing(account, told.instrument.ref):
                shares = strategy.shares * told.ratio
                self._roster.set_shares(strategy, shares, told.successor)
                hit.append(strategy)
        text = f"adjusted by the venue: {told.evidence}"
        event = self._settled(venue, account, told, abs(told.change), hit[0] if hit else None)
        event.needs_owner = bool(hit)
        for strategy in hit:
            strategy.broken = strategy.broken or text
            self._roster.wake(strategy)
            body = "Nothing is sent. Look at it at the broker, then declare it anew."
            self._floor.alert(Severity.CRITICAL, f"{strategy.id}: {text}", body, strategy.id)

    def _follow(self, book: Book, account: str, told: Explanation) -> list[Strategy]:
        """Bind the legs of the old contract to its successor."""
        assert isinstance(told.successor, OptionContract)
        hit = []
        for strategy, leg in list(self._roster.claims(account, told.instrument.ref)):
            if strategy.closed or not leg.expected:
                continue
            leg.expected *= told.ratio
            if told.successor.ref != told.instrument.ref:
                self._roster.rebind(strategy, leg, told.successor)
            hit.append(strategy)
        self._roster.divide(book, account, told.successor.ref)
        return hit

    # --- within ----------------------------------------------------------------------------------

    def _take(self, book: Book, account: str, ref: str, quantity: Decimal) -> None:
        """Book a change as explained."""
        holding = book.holdings[account, ref]
        book.explain(holding, quantity, self._floor.now)
        self._evidence.explained(account, ref, quantity)

    def _stock(self, account: str, contract: OptionContract, told: Explanation) -> Stock | None:
        if isinstance(told.stock, Stock):
            return told.stock
        held = self._roster.stocks(account, contract.underlying)
        instrument = held[0].instrument if held else None
        return instrument if isinstance(instrument, Stock) else None

    def _settled(
        self,
        venue: str,
        account: str,
        told: Explanation,
        quantity: Decimal,
        strategy: Strategy | None,
    ) -> Event:
        return self._log.settle(
            venue,
            account,
            told.instrument,
            told.kind,
            quantity,
            strategy,
            told.evidence,
            self._floor.now,
        )


def _beyond_nothing(claims: Sequence[Claim], shared: Shared) -> Shared:
    """A leg that went while its strategy closed it as well is closed too far: what nobody
    expected falls on the strategy on its way out, which is to close that again."""
    for strategy, leg in claims:
        if strategy.episode is not None and leg.built * shared.rest < 0:
            part = Part(strategy=strategy, leg=leg, change=shared.rest)
            return replace(shared, parts=(*shared.parts, part), rest=ZERO)
    return shared
