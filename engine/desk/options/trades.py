"""Lets executions move what strategies believe to hold: ours, a person's, the liquidator's.

An execution says for certain what happened, so it is booked at once. Whose it was decides what the
owner is told; nothing is sent from here.
"""

from collections.abc import Sequence
from decimal import Decimal

from engine.desk.facts import Execution, ExecutionOrigin
from engine.desk.floor import Floor
from engine.desk.instruments import OptionContract, Stock
from engine.desk.intents import Severity
from engine.desk.options.events import EventLog
from engine.desk.options.evidence import Evidence
from engine.desk.options.roster import Claim, Roster
from engine.desk.options.sharing import Part, Shared, share_out, toward_zero
from engine.desk.options.strategies import Strategy
from engine.desk.options.words import traded
from engine.desk.snapshot import AssignmentKind


class Trades:
    """Holds no state of its own; strategies are the roster's, events the log's."""

    def __init__(self, floor: Floor, roster: Roster, log: EventLog, evidence: Evidence) -> None:
        self._floor = floor
        self._roster = roster
        self._log = log
        self._evidence = evidence

    def take(self, venue: str, execution: Execution, change: Decimal) -> None:
        """Book an execution that is news. change: its new positive quantity."""
        if self._floor.book(venue).predates(execution) or self._evidence.take(execution, change):
            return
        moved = change * execution.side.sign
        if isinstance(execution.instrument, OptionContract):
            self._option(venue, execution, moved, change)
        elif isinstance(execution.instrument, Stock):
            self._stock(execution, execution.instrument, moved)

    # --- options ---------------------------------------------------------------------------------

    def _option(self, venue: str, execution: Execution, moved: Decimal, change: Decimal) -> None:
        account, ref = execution.account, execution.instrument.ref
        claims = self._roster.claims(account, ref)
        ours = self._ours(execution)
        if ours is not None:
            # Beyond nothing, too: where a person closed at the same time, what came of our order
            # is this strategy's to close again.
            for strategy, leg in claims:
                if strategy.id == ours and not strategy.closed:
                    leg.expected += moved
                    self._roster.wake(strategy)
            return
        if change < 0:
            self._put_back(claims, moved)
            return
        shared = share_out(claims, moved)
        for part in shared.parts:
            part.leg.expected += part.change
            self._roster.wake(part.strategy)
            self._by_others(venue, execution, part, shared)
        if shared.rest and self._log.explained(venue, account, ref, shared.rest):
            self._floor.ask(venue, "an execution came late: was it explained otherwise?")
        if shared.rest and execution.origin is ExecutionOrigin.HAND:
            self._put_back([claim for claim in claims if _is_open(claim[0])], shared.rest)

    def _put_back(self, claims: Sequence[Claim], moved: Decimal) -> None:
        """A correction lowered an execution, or a person opened again what he had closed: legs
        believe to hold that much again."""
        for strategy, leg in claims:
            room = leg.meant - leg.expected
            if room * moved <= 0 or strategy.closed:
                continue
            part = moved if abs(moved) <= abs(room) else room
            leg.expected += part
            moved -= part
            if strategy.is_as_meant:
                strategy.note = ""
            self._roster.wake(strategy)

    def _by_others(self, venue: str, execution: Execution, part: Part, shared: Shared) -> None:
        """Note a leg that somebody else changed."""
        strategy, name = part.strategy, execution.instrument.name
        liquidated = execution.origin is ExecutionOrigin.LIQUIDATION
        kind = AssignmentKind.LIQUIDATED if liquidated else AssignmentKind.MANUAL
        who = "the broker's liquidator" if liquidated else "hand"
        text = traded(name, execution.side, abs(part.change), execution.price, who)
        event = self._log.settle(
            venue,
            execution.account,
            execution.instrument,
            kind,
            abs(part.change),
            strategy,
            text,
            self._floor.now,
        )
        strategy.note = text
        if liquidated:
            event.needs_owner = True
            strategy.broken = strategy.broken or text
            body = "Nothing is sent beside the broker. Look at it, then press x to close the rest."
            self._alert(Severity.CRITICAL, strategy, "broker liquidates", f"{text}. {body}")
            return
        if strategy.is_done and strategy.episode is None:
            strategy.finish()
            self._alert(Severity.INFO, strategy, "closed by hand", text)
            return
        if shared.rivals:
            others = " or ".join(s.id for s in shared.rivals if s is not strategy)
            strategy.unclear = f"{text}; it could be {others} as well"
        if naked := strategy.uncovered(lambda leg: leg.expected):
            strategy.unclear = f"{text}; {naked}"
        severity = Severity.WARNING if strategy.unclear else Severity.INFO
        self._alert(severity, strategy, "leg changed by hand", strategy.unclear or text)

    # --- stock -----------------------------------------------------------------------------------

    def _stock(self, execution: Execution, stock: Stock, moved: Decimal) -> None:
        ours = self._ours(execution)
        sharing = tuple(self._roster.sharing(execution.account, stock.ref))
        if ours is not None:
            # One order may close the shares of several: its sender's come last, so that what is
            # left of the order is always what its sender still has to close.
            sharing = tuple(sorted(sharing, key=lambda s: (s.id == ours, s.order)))
        for strategy in sharing:
            if ours not in (None, strategy.id) and strategy.episode is None:
                continue
            bound = strategy.excess_shares if ours is not None else strategy.shares
            part = toward_zero(bound, moved)
            if not part:
                continue
            self._roster.set_shares(strategy, strategy.shares + part)
            self._roster.wake(strategy)
            moved -= part
            if ours is None and strategy.episode is None:
                self._shares_gone(strategy, execution, abs(part))
        owner = self._roster.strategies.get(ours or "")
        if moved and owner is not None and not owner.closed:
            # Beyond nothing, too, as for a leg.
            self._roster.set_shares(owner, owner.shares + moved, stock)
            self._roster.wake(owner)

    def _shares_gone(self, strategy: Strategy, execution: Execution, quantity: Decimal) -> None:
        """Note shares a strategy is built on that somebody else closed."""
        text = traded(
            execution.instrument.name, execution.side, quantity, execution.price, "somebody else"
        )
        if strategy.is_done:
            strategy.note = text
            strategy.finish()
            self._alert(Severity.INFO, strategy, "closed by hand", text)
        elif abs(strategy.shares) < abs(strategy.meant_shares):
            strategy.unclear = f"{text}; its shares cover what it has sold no longer"
            self._alert(Severity.WARNING, strategy, "shares changed by hand", strategy.unclear)

    # --- within ----------------------------------------------------------------------------------

    def _ours(self, execution: Execution) -> str | None:
        """The strategy whose order filled; None where it was nobody's order that is known."""
        if execution.origin is not ExecutionOrigin.OURS:
            return None
        order = self._floor.orders.get(execution.client_order_id or "")
        return order.intent.strategy_id if order is not None else None

    def _alert(self, severity: Severity, strategy: Strategy, title: str, body: str) -> None:
        self._floor.alert(severity, f"{strategy.id}: {title}", body, strategy.id)


def _is_open(strategy: Strategy) -> bool:
    """Whether a strategy is as its owner runs it: neither broken nor on its way out."""
    return not strategy.broken and strategy.episode is None
