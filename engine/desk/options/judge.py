"""Judges every position change of options and their stock that no execution explains.

What changed is put to `explain` with its evidence; until that answers, the strategies concerned
are SUSPECT and the venue is asked again. The judge explains and questions; what follows for the
strategies is drawn by Consequences, and nothing is sent from here.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from engine.desk.books import Book, Holding
from engine.desk.floor import Floor
from engine.desk.instruments import OptionContract, Stock
from engine.desk.intents import Severity
from engine.desk.options.consequences import Consequences
from engine.desk.options.definitions import OptionSettings
from engine.desk.options.events import EventLog
from engine.desk.options.evidence import SETTLE, Evidence, options_of, stocks_of, unexplained
from engine.desk.options.explain import explain
from engine.desk.options.retraction import Retraction
from engine.desk.options.roster import Roster
from engine.desk.options.strategies import Strategy

ENQUIRE = timedelta(milliseconds=250)
"""The second row of an assignment usually follows the first at once: the venue is asked when it
did not, so that five questions do not stand before it."""


class Judge:
    """Holds no state of its own; books and orders are the floor's."""

    def __init__(
        self,
        floor: Floor,
        roster: Roster,
        log: EventLog,
        evidence: Evidence,
        consequences: Consequences,
    ) -> None:
        self._floor = floor
        self._roster = roster
        self._log = log
        self._evidence = evidence
        self._consequences = consequences
        self._retraction = Retraction(floor, roster, log)

    def judge(self, venue: str, book: Book, settings: OptionSettings) -> None:
        """Explain what can be explained of a venue's book, and suspect the rest."""
        if not book.unsettled and not self._log.has_questions:
            return
        for holding in [h for h in book.unsettled.values() if h.unshown]:
            self._retraction.consider(venue, book, holding)
        wait = timedelta(seconds=settings.missing_leg_seconds)
        for group in unexplained(book):
            account = group[0].account
            told = explain(
                [self._evidence.option(venue, h, wait) for h in options_of(group)],
                [self._evidence.stock(venue, h, wait) for h in stocks_of(group)],
            )
            self._consequences.draw(venue, book, account, told, settings)
            left = [holding for holding in group if holding.row_surplus]
            for holding in left:
                self._ask(venue, holding, left, wait)
                self._suspect(venue, holding)
        self._close_answered(venue, book)

    def is_suspect(self, strategy: Strategy) -> bool:
        if not self._log.has_questions:
            return False
        venue, account = strategy.definition.venue, strategy.account
        return any(
            leg.contract is not None
            and self._log.suspicion(venue, account, leg.contract.ref) is not None
            for leg in strategy.legs
        )

    def deadlines(self, book: Book, settings: OptionSettings) -> Iterator[datetime]:
        wait = timedelta(seconds=settings.missing_leg_seconds)
        for holding in book.unsettled.values():
            guarded = isinstance(holding.instrument, OptionContract | Stock)
            if holding.since is not None and guarded:
                yield holding.since + ENQUIRE
                yield holding.since + SETTLE
                yield holding.since + wait

    # --- within ----------------------------------------------------------------------------------

    def _ask(self, venue: str, holding: Holding, group: list[Holding], wait: timedelta) -> None:
        """Ask for a fresh book soon after a change, and again when it should be confirmed; at once
        when option and stock are both there and only executions can tell more."""
        if holding.since is None:
            return
        both = len(stocks_of(group)) not in (0, len(group))
        first = timedelta(0) if both else ENQUIRE
        if self._evidence.ours_may_explain(venue, holding):
            first = SETTLE
        now, asked = self._floor.now, self._floor.standing(venue).asked_at
        for due in (holding.since + first, holding.since + wait):
            if now >= due and (asked is None or asked < due):
                self._floor.ask(venue, f"{holding.instrument.name} changed unexplained")

    def _suspect(self, venue: str, holding: Holding) -> None:
        """Mark an option's change as an open question, with an alert where a strategy owns it."""
        contract, account = holding.instrument, holding.account
        if not isinstance(contract, OptionContract):
            return
        if self._log.suspicion(venue, account, contract.ref) is not None:
            return
        if self._evidence.ours_may_explain(venue, holding):
            return
        owners = [s for s, leg in self._roster.claims(account, contract.ref) if leg.expected]
        owner = next((s for s in owners if not s.closed), None)
        evidence = f"position {holding.before:+f} -> {holding.reported:+f}, no execution"
        quantity = abs(holding.row_surplus)
        self._log.suspect(venue, account, contract, quantity, owner, evidence, self._floor.now)
        if owner is not None:
            self._floor.alert(
                Severity.WARNING,
                f"{owner.id}: {contract.name} changed, not yet explained",
                f"{evidence}. Asking the broker; normal exits are refused meanwhile.",
                owner.id,
            )

    def _close_answered(self, venue: str, book: Book) -> None:
        """A suspicion whose change went away again (the row came back) is no event."""
        for event in self._log.questions():
            if event.venue != venue:
                continue
            holding = book.holdings.get((event.account, event.instrument.ref))
            if holding is None or not holding.row_surplus:
                self._log.drop(event)
